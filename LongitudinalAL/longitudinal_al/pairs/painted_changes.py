"""Synthetic changes painted into slices: a lesion in the baseline, the follow-up or both.

The difference answers as it would if the painted scans were prepared (`painted_difference`).
"""

from __future__ import annotations

import numpy as np

from longitudinal_al.pairs.painted_difference import (
    BASELINE,
    DIFFERENCE,
    FOLLOWUP,
    ORDINARY_Z,
    painted_difference,
)
from longitudinal_al.pairs.painted_lesions import PaintedLesion, changed_share, shares

SUBSLICES = np.array([-1 / 3, 0.0, 1 / 3])
"""Where a slice's thickness is sampled."""
AROUND_MM = 2.0
"""So far around the lesion its surroundings are looked at."""
STANDS_OUT = 1.0
"""In robust z, over the surroundings."""


def times_swapped(stack: np.ndarray) -> np.ndarray:
    """Return slices (slices, channels, rows, columns) with baseline and follow-up exchanged."""
    swapped = stack[:, [FOLLOWUP, BASELINE, DIFFERENCE]]
    swapped[:, DIFFERENCE] *= -1
    return swapped


def paint(
    stack: np.ndarray,
    lesion: PaintedLesion,
    centre: np.ndarray,
    spacing_mm: tuple[float, float, float],
    gain: float,
    height: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Paint a lesion into slices.

    Parameters
    ----------
    stack : numpy.ndarray
        float32, (slices, channels, rows, columns), robust z; not changed.
    lesion : PaintedLesion
        What to paint.
    centre : numpy.ndarray
        Row and column of its centre, in pixels of the stack.
    spacing_mm : tuple of float
        Size of a voxel: across the slices, along rows and columns.
    gain : float
        How the difference answers, see `difference_gain`.
    height : float
        Of the lesion's centre over the middle slice, in its radii.

    Returns
    -------
    stack : numpy.ndarray
        The painted slices.
    changed : numpy.ndarray
        bool, (slices, rows, columns): where more than half of a voxel is lesion at one time only, or changes
        its brightness.
    """
    rows, columns = (
        _reached(float(place), (lesion.reach_mm + AROUND_MM) / size, length)
        for place, size, length in zip(centre, spacing_mm[1:], stack.shape[-2:], strict=True)
    )
    box = stack[:, :, rows, columns]
    places = _places_mm(len(stack), (rows, columns), centre, spacing_mm, height * lesion.radius_mm)
    before, after = (share.mean(axis=0) for share in shares(lesion, places))
    row, column = (int(place) for place in centre)
    bright = bool((stack[len(stack) // 2, :DIFFERENCE, row, column] > ORDINARY_Z).any())
    added, level = _added(box, lesion, (before, after), bright)
    painted, changed = stack.copy(), np.zeros((len(stack), *stack.shape[-2:]), bool)
    painted[:, :DIFFERENCE, rows, columns] += added
    painted[:, DIFFERENCE, rows, columns] = painted_difference(box, added, level, gain, spacing_mm[1:])
    changed[:, rows, columns] = changed_share(lesion, before, after) > 0.5
    return painted, changed


def _reached(place: float, reach: float, length: int) -> slice:
    """Return the pixels that lie so near."""
    return slice(max(0, int(place - reach)), min(length, int(place + reach) + 2))


def _places_mm(
    slices: int,
    near: tuple[slice, slice],
    centre: np.ndarray,
    spacing_mm: tuple[float, ...],
    height_mm: float,
) -> np.ndarray:
    """Return where voxels lie from the lesion's centre, (subslices, slices, rows, columns, 3)."""
    across = np.arange(slices) - slices // 2
    heights = (across + SUBSLICES[:, None]) * spacing_mm[0] - height_mm
    rows, columns = (
        (np.arange(part.start, part.stop) - place) * size
        for part, place, size in zip(near, centre, spacing_mm[1:], strict=True)
    )
    return np.stack(np.broadcast_arrays(heights[..., None, None], rows[:, None], columns), axis=-1)


def _added(
    box: np.ndarray, lesion: PaintedLesion, share: tuple[np.ndarray, np.ndarray], bright: bool
) -> tuple[np.ndarray, float]:
    """Return what is added to both times, (slices, 2, rows, columns), and the brightness around.

    Where tissue is bright already, the lesion comes on top of it.
    """
    around = (np.abs(box[:, :DIFFERENCE]) < ORDINARY_Z).all(axis=1) & (share[0] + share[1] < 0.1)
    added, levels = np.zeros_like(box[:, :DIFFERENCE]), []
    for time in (BASELINE, FOLLOWUP):
        scan = box[:, time]
        levels.append(float(scan[around].mean()) if around.any() else 0.0)
        ground = _ground(scan[np.maximum(*share) > 0.5], levels[time]) if bright else levels[time]
        own = (1 - lesion.texture) * (scan - ground)
        added[:, time] = share[time] * (lesion.contrast[time] - own) * (scan != 0)
    return added, float(np.mean(levels))


def _ground(scan: np.ndarray, around: float) -> float:
    """Return what a lesion is painted on: what stands out in its place already, else what is around."""
    own = float(np.median(scan)) if scan.size else around
    return own if own > around + STANDS_OUT else around
