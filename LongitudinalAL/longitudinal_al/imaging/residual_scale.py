"""How large a residual is normal here, and whether anything stands out here at all.

Residuals are not alike everywhere. At edges half a pixel of misregistration shows, and each tissue keeps
its own difference of contrast between two protocols. So each residual is compared with those of the voxels
that look alike: same expected brightness, same local contrast. And a lesion is more than a residual: on
FLAIR and T2 it is brighter than what surrounds it, at one of the two times.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from longitudinal_al.imaging.normalisation import centre_and_scale

BINS = 8
"""Classes of brightness and of contrast, equally filled."""
PRIOR_VOXELS = 1000
"""A class of so few voxels is trusted by half; the foreground as a whole is the other half."""
CONTRAST_MM = 1.5
"""Standard deviation of the window in which local contrast is measured: about one misregistered edge."""
SURROUNDINGS_MM = 8.0
"""Standard deviation of the surroundings against which a lesion stands out."""
STANDS_OUT = 2.5
"""Robust deviations above the surroundings at which the evidence is half believed."""
FLOOR = 0.1
"""A change of something that never stands out keeps this part of its residual."""


def compare_with_alike(
    residual: np.ndarray, expected: np.ndarray, inside: np.ndarray, spacing: tuple[float, ...]
) -> np.ndarray:
    """Centre and scale each residual by those of the voxels with like brightness and like local contrast.

    Parameters
    ----------
    residual, expected : numpy.ndarray
        float32 (slices, rows, columns): follow-up minus expected, and expected follow-up.
    inside : numpy.ndarray
        Mask (bool) of the voxels that count.
    spacing : tuple of float
        Millimetres, in the order of the axes.

    Returns
    -------
    numpy.ndarray
        float32, in robust deviations of the alike.
    """
    classes = _classes(expected, inside) * BINS + _classes(_local_contrast(expected, spacing), inside)
    centres, scales = _class_statistics(residual[inside], classes[inside])
    return ((residual - centres[classes]) / scales[classes]).astype(np.float32)


def prominence(
    expected: np.ndarray, followup: np.ndarray, inside: np.ndarray, spacing: tuple[float, ...]
) -> np.ndarray:
    """Weigh voxels by how far they stand out of their surroundings, at the time at which they are brighter.

    Parameters
    ----------
    expected, followup : numpy.ndarray
        float32 (slices, rows, columns): the baseline on the follow-up's intensity scale, and the follow-up.
    inside : numpy.ndarray
        Mask (bool) of the voxels that count.
    spacing : tuple of float
        Millimetres, in the order of the axes.

    Returns
    -------
    numpy.ndarray
        float32 from `FLOOR` (never bright) to 1 (clearly brighter).
    """
    expected_z = _in_z(expected, inside)
    brightest = np.maximum(expected_z, _in_z(followup, inside))
    return belief(brightest - _surroundings(expected_z, inside, spacing))


def belief(above: np.ndarray) -> np.ndarray:
    """Return how far a residual is believed, where its voxel stands out by so many robust deviations.

    float32, from `FLOOR` (it does not) to 1 (it clearly does).
    """
    return (FLOOR + (1 - FLOOR) / (1 + np.exp(-2 * (above - STANDS_OUT)))).astype(np.float32)


def _in_z(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    centre, scale = centre_and_scale(values[inside])
    return (values - np.float32(centre)) / np.float32(scale)


def _surroundings(z: np.ndarray, inside: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Average ordinary tissue (|z| below 2: neither lesion nor fluid) around each pixel."""
    ordinary = (inside & (np.abs(z) < 2)).astype(np.float32)
    return _wide_mean(z * ordinary, spacing) / np.maximum(_wide_mean(ordinary, spacing), 0.02)


def _wide_mean(values: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Approximate a wide in-plane Gaussian by three box means of the same variance: much faster."""
    for axis in (1, 2):
        size = max(1, round(2 * SURROUNDINGS_MM / spacing[axis]) | 1)
        for _ in range(3):
            values = ndimage.uniform_filter1d(values, size, axis, mode="constant")
    return values


def _local_contrast(values: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    sigmas = [CONTRAST_MM / size for size in spacing]
    mean = ndimage.gaussian_filter(values, sigmas, truncate=3)
    return ndimage.gaussian_filter(values * values, sigmas, truncate=3) - mean * mean


def _classes(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return each voxel's class from 0 up: to count the edges below it is faster than to search."""
    edges = np.quantile(values[inside][::4], np.linspace(0, 1, BINS + 1)[1:-1]).astype(np.float32)
    classes = np.zeros(values.shape, np.uint8)
    for edge in edges:
        classes += values > edge
    return classes


def _class_statistics(residual: np.ndarray, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return centre and scale of each class, leaning to those of all, smoothed over neighbours."""
    everyone = centre_and_scale(residual)[1]
    centres, scales = np.zeros(BINS * BINS), np.full(BINS * BINS, everyone)
    order = np.argsort(classes, kind="stable")
    parts = np.split(residual[order], np.searchsorted(classes[order], np.arange(1, BINS * BINS)))
    for index, part in enumerate(parts):
        if part.size < 50:
            continue
        trust = part.size / (part.size + PRIOR_VOXELS)
        centres[index] = trust * np.median(part)
        spread = max(1.4826 * float(np.median(np.abs(part - centres[index]))), 0.05 * everyone)
        scales[index] = spread**trust * everyone ** (1 - trust)

    def smooth(table: np.ndarray) -> np.ndarray:
        return ndimage.gaussian_filter(table.reshape(BINS, BINS), 1.0, mode="nearest").ravel()

    return smooth(centres).astype(np.float32), np.exp(smooth(np.log(scales))).astype(np.float32)
