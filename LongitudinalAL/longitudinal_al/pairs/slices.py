"""The slice axis of a grid, and volumes seen as stacks of slices across it."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from longitudinal_al.imaging.normalisation import image_like

THICKER = 1.2
"""An axis is the acquisition axis when its spacing is this much larger than that of the others."""


def slice_axis(image: sitk.Image) -> int:
    """Return the array axis (0 = z, 1 = y, 2 = x) across which the scan was acquired.

    It is the axis of the thickest spacing; a nearly isotropic scan is cut across its last axis (z).
    """
    spacing = image.GetSpacing()[::-1]
    thickest = int(np.argmax(spacing))
    others = [spacing[axis] for axis in range(3) if axis != thickest]
    return thickest if spacing[thickest] > THICKER * max(others) else 0


def slices_of(image: sitk.Image, axis: int) -> np.ndarray:
    """Return the voxels as (slices, rows, columns), slices across ``axis``."""
    return np.moveaxis(sitk.GetArrayFromImage(image), axis, 0)


def volume_of(slices: np.ndarray, axis: int, grid: sitk.Image) -> sitk.Image:
    """Return (slices, rows, columns) as an image on ``grid``; the inverse of `slices_of`."""
    return image_like(grid, np.moveaxis(slices, 0, axis))


def spacing_of(image: sitk.Image, axis: int) -> tuple[float, float, float]:
    """Return the spacing in mm of (slices, rows, columns)."""
    spacing = list(image.GetSpacing()[::-1])
    across = spacing.pop(axis)
    return across, spacing[0], spacing[1]
