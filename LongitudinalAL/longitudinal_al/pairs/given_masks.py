"""Masks that the user gave (reference, foreground), carried onto the pair's grid."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from longitudinal_al.errors import GeometryMismatch, InvalidInput
from longitudinal_al.imaging.normalisation import image_like
from longitudinal_al.imaging.reading import read_mask, read_transform, same_grid

LEAST_INSIDE = 0.5
"""A mask of which less than this share lands on the follow-up was given with the wrong transform."""


@dataclass(frozen=True)
class RegisteredScans:
    """Two scans as read, and the transform from points of the follow-up's space to the baseline's."""

    baseline: sitk.Image
    followup: sitk.Image
    registration: sitk.Transform


@dataclass(frozen=True)
class GivenMask:
    """A mask as given, and the transform from points of its space to the baseline's (None: an own grid)."""

    path: Path
    what: str
    mask: sitk.Image
    to_baseline: sitk.Transform | None


def read_given_mask(path: Path, transform_path: Path | None, what: str) -> GivenMask:
    """Read a mask and its transform; needs no scan, so it can be done while those are registered.

    Parameters
    ----------
    path : Path
        The mask.
    transform_path : Path or None
        ITK transform from points of the mask's space to points of the baseline's. Without it the mask has
        to lie on the follow-up's or the baseline's own grid.
    what : str
        The name of the column, for messages ("reference", "foreground").
    """
    transform = None if transform_path is None else read_transform(transform_path)
    return GivenMask(path, what, read_mask(path, allow_empty=what != "foreground"), transform)


def carry_mask(given: GivenMask, scans: RegisteredScans) -> sitk.Image:
    """Bring a mask onto the follow-up's grid.

    Returns
    -------
    SimpleITK.Image
        uint8, on the follow-up's grid.

    Raises
    ------
    GeometryMismatch
        When the mask is on another grid and no transform was given.
    InvalidInput
        When most of the mask lies outside of the follow-up.
    """
    mask, what = given.mask, given.what
    if given.to_baseline is not None:
        to_mask = given.to_baseline.GetInverse()
    elif same_grid(mask, scans.followup):
        return mask
    elif same_grid(mask, scans.baseline):
        to_mask = sitk.Transform(3, sitk.sitkIdentity)
    else:
        raise GeometryMismatch(
            f"{what} {given.path}: its grid is neither the follow-up's nor the baseline's; "
            f"give {what}_transform, the ITK transform from points of the {what}'s space "
            "to points of the baseline's"
        )
    carried = _resample_mask(mask, scans.followup, sitk.CompositeTransform([to_mask, scans.registration]))
    _check_most_of_it_arrived(mask, carried, given.path, what)
    return carried


def _resample_mask(mask: sitk.Image, grid: sitk.Image, to_mask: sitk.Transform) -> sitk.Image:
    """Resample each class linearly and cut at one half, which keeps outlines smooth."""
    carried = np.zeros(grid.GetSize()[::-1], np.uint8)
    counts = np.bincount(sitk.GetArrayViewFromImage(mask).ravel())
    first, last = _reached(mask, grid, to_mask)
    part = carried[tuple(slice(a, b + 1) for a, b in zip(first[::-1], last[::-1], strict=True))]
    strongest = np.full(part.shape, 0.5, np.float32)
    for value in np.flatnonzero(counts[1:]) + 1:
        share = sitk.Resample(
            sitk.Cast(mask == int(value), sitk.sitkFloat32),
            [b - a + 1 for a, b in zip(first, last, strict=True)],
            to_mask,
            sitk.sitkLinear,
            grid.TransformIndexToPhysicalPoint(first),
            grid.GetSpacing(),
            grid.GetDirection(),
        )
        share_array = sitk.GetArrayViewFromImage(share)
        wins = share_array >= strongest
        part[wins] = value
        strongest[wins] = share_array[wins]
    return image_like(grid, carried)


def _reached(mask: sitk.Image, grid: sitk.Image, to_mask: sitk.Transform) -> tuple[list[int], list[int]]:
    """Return the first and last index (column, row, slice) of the grid between which the mask can land."""
    outermost = np.array(grid.GetSize()) - 1
    found = ndimage.find_objects((sitk.GetArrayViewFromImage(mask) > 0).astype(np.int8))
    if not found or not to_mask.IsLinear():
        return [0, 0, 0], outermost.tolist()
    to_grid = to_mask.GetInverse()
    ends = [(float(side.start - 1), float(side.stop)) for side in found[0][::-1]]  # where linear weights end
    points = [mask.TransformContinuousIndexToPhysicalPoint(corner) for corner in itertools.product(*ends)]
    corners = [
        grid.TransformPhysicalPointToContinuousIndex(to_grid.TransformPoint(point)) for point in points
    ]
    first = np.clip(np.floor(np.min(corners, axis=0)), 0, outermost).astype(int)
    last = np.clip(np.ceil(np.max(corners, axis=0)), 0, outermost).astype(int)
    return first.tolist(), last.tolist()


def _check_most_of_it_arrived(mask: sitk.Image, carried: sitk.Image, path: Path, what: str) -> None:
    before = np.count_nonzero(sitk.GetArrayViewFromImage(mask)) * float(np.prod(mask.GetSpacing()))
    after = np.count_nonzero(sitk.GetArrayViewFromImage(carried)) * float(np.prod(carried.GetSpacing()))
    voxel = float(np.prod(carried.GetSpacing()))
    if before > 20 * voxel and after < LEAST_INSIDE * before:
        raise InvalidInput(
            f"{what} {path}: only {100 * after / before:.0f} % of it lies inside the follow-up; check "
            f"{what}_transform, and that baseline and follow-up are not swapped in the table"
        )
