"""How the robust difference answers to something painted into one of the scans.

Preparing a painted pair again would give it exactly, in a second or more a pair; a training needs hundreds of
patches a second. What `imaging.difference` does to a residual can be told from the slice itself: it is scaled
by what is usual there, and believed by how far the brighter of both times stands out of its surroundings
(`imaging.residual_scale`). The scale is read off ordinary tissue, where nothing stands out.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from longitudinal_al.imaging.difference import SMOOTHING_MM
from longitudinal_al.imaging.residual_scale import belief
from longitudinal_al.pairs.stack import CHANNELS, CLIP

BASELINE, FOLLOWUP, DIFFERENCE = (CHANNELS.index(name) for name in ("baseline", "followup", "difference"))
ORDINARY_Z = 1.5
"""Tissue within this of the median is neither lesion nor fluid, at either time."""
LEAST_ORDINARY = 100
"""Pixels; fewer say nothing about the scale."""
MATCHED = 1.8
"""Plain residuals of ordinary tissue are about so much larger than those that are left by the local match."""
USUAL_GAIN, GAIN_LIMITS = 45.0, (5.0, 120.0)


def ordinary_tissue(channels: np.ndarray) -> np.ndarray:
    """Tell where nothing stands out and the scans are compared; bool, (rows, columns).

    Parameters
    ----------
    channels : numpy.ndarray
        (channels, rows, columns) of one slice, robust z.
    """
    both = np.abs(channels[[BASELINE, FOLLOWUP]]) < ORDINARY_Z
    return both.all(axis=0) & (channels[DIFFERENCE] != 0)


def bright_tissue(channels: np.ndarray) -> np.ndarray:
    """Tell where something stands out at either time, and none is dark; as `ordinary_tissue`."""
    both = channels[[BASELINE, FOLLOWUP]]
    stands_out = (both > ORDINARY_Z).any(axis=0) & (both > -ORDINARY_Z).all(axis=0)
    return np.asarray(stands_out & (channels[DIFFERENCE] != 0))


def difference_gain(channels: np.ndarray, pixel_mm: tuple[float, float]) -> float:
    """Return by how much the difference rises for each robust z that is added where something stands out.

    Parameters
    ----------
    channels : numpy.ndarray
        (channels, rows, columns) of one slice, robust z.
    pixel_mm : tuple of float
        Size of a pixel.
    """
    inside = ordinary_tissue(channels)
    if np.count_nonzero(inside) < LEAST_ORDINARY:
        return USUAL_GAIN
    added = smoothed(channels[FOLLOWUP] - channels[BASELINE], pixel_mm)[inside]
    usual = np.median(np.abs(added - np.median(added)))
    answer = np.median(np.abs(channels[DIFFERENCE][inside]))
    believed = float(belief(np.zeros(1))[0])
    return float(np.clip(MATCHED * answer / max(usual * believed, 1e-3), *GAIN_LIMITS))


def smoothed(images: np.ndarray, pixel_mm: tuple[float, float]) -> np.ndarray:
    """Smooth the last two axes as the scans are before they are compared."""
    sigmas = [0.0] * (images.ndim - 2) + [SMOOTHING_MM / size for size in pixel_mm]
    return gaussian_filter(np.asarray(images, np.float32), sigmas, truncate=3)


def painted_difference(
    stack: np.ndarray, painted: np.ndarray, surroundings: float, gain: float, pixel_mm: tuple[float, float]
) -> np.ndarray:
    """Return the difference channel of painted slices.

    Parameters
    ----------
    stack : numpy.ndarray
        (slices, channels, rows, columns), not painted.
    painted : numpy.ndarray
        (slices, 2, rows, columns): what is added to baseline and follow-up.
    surroundings : float
        Brightness of ordinary tissue around.
    gain : float
        See `difference_gain`.
    pixel_mm : tuple of float
        Size of a pixel.

    Returns
    -------
    numpy.ndarray
        (slices, rows, columns); 0 where the scans are not compared.
    """
    added = smoothed(painted, pixel_mm)
    both = smoothed(stack[:, [BASELINE, FOLLOWUP]], pixel_mm) + added
    believed = belief(both.max(axis=1) - surroundings)
    difference = stack[:, DIFFERENCE]
    risen = difference + gain * believed * (added[:, 1] - added[:, 0])
    return np.clip(np.where(difference != 0, risen, 0), *CLIP["difference"]).astype(np.float32)
