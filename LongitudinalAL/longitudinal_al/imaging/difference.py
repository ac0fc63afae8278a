"""The signed difference of follow-up and baseline, in robust z units of the foreground.

`plain` subtracts the normalised scans. `robust` first lets the baseline explain as much of the follow-up as a
change of protocol could (its histogram, then a line that varies over space), then compares each residual with
those of voxels that look alike, and last believes it more where something stands out at one of the two times.
The figures behind each step are in docs/decisions/difference.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from longitudinal_al.errors import InvalidInput, UnknownName
from longitudinal_al.imaging.local_match import match_locally
from longitudinal_al.imaging.normalisation import (
    SMALLEST_FOREGROUND,
    centre_and_scale,
    check_same_grid,
    image_like,
    match_histogram,
    robust_z,
)
from longitudinal_al.imaging.residual_scale import compare_with_alike, prominence
from longitudinal_al.interruption import Interrupt, never

EROSION_VOXELS = 3
"""The foreground's rim is not compared: there, masks, skull and misregistration show, not lesions."""
SMOOTHING_MM = 0.8
"""Standard deviation of the in-plane smoothing: well below the smallest lesion, well above a noisy pixel."""


@dataclass(frozen=True)
class Scans:
    """Both scans (float32, smoothed), usable foreground (bool), spacing (mm): (slices, rows, columns)."""

    baseline: np.ndarray
    followup: np.ndarray
    usable: np.ndarray
    spacing: tuple[float, ...]


def difference(
    baseline_on_grid: sitk.Image,
    followup: sitk.Image,
    foreground: sitk.Image,
    *,
    kind: str = "robust",
    slice_axis: int = 0,
    interrupt: Interrupt = never,
) -> sitk.Image:
    """Return one kind of difference; see `differences`."""
    settings: Any = {"kinds": (kind,), "slice_axis": slice_axis, "interrupt": interrupt}
    return differences(baseline_on_grid, followup, foreground, **settings)[kind]


def differences(
    baseline_on_grid: sitk.Image,
    followup: sitk.Image,
    foreground: sitk.Image,
    *,
    kinds: tuple[str, ...] = ("plain", "robust"),
    slice_axis: int = 0,
    interrupt: Interrupt = never,
) -> dict[str, sitk.Image]:
    """Difference two scans in several ways at once, sharing the preparation.

    Parameters
    ----------
    baseline_on_grid, followup, foreground : SimpleITK.Image
        Three images on one grid, normally the follow-up's own; the foreground is a mask.
    kinds : tuple of str
        Names in `DIFFERENCES`.
    slice_axis : int
        Array axis (0 = z, 1 = y, 2 = x) across which the scan was acquired: "in-plane" means across it.
    interrupt : callable
        Called between the steps.

    Returns
    -------
    dict of str to SimpleITK.Image
        float32 on the same grid, positive where the follow-up is brighter than expected, in robust z units
        of the usable foreground (the foreground without its rim); exactly 0 elsewhere.

    Raises
    ------
    UnknownName
        For a kind that does not exist.
    GeometryMismatch
        If the images do not share a grid.
    InvalidInput
        If the foreground is nearly empty, or a scan is constant in it.
    """
    for kind in kinds:
        if kind not in DIFFERENCES:
            raise UnknownName("difference", kind, DIFFERENCES)
    check_same_grid(followup, baseline_on_grid, "follow-up", "baseline")
    check_same_grid(followup, foreground, "follow-up", "foreground")
    interrupt()
    box, scans = _crop(baseline_on_grid, followup, foreground, slice_axis, interrupt)
    result = {}
    for kind in kinds:
        full = np.zeros(followup.GetSize()[::-1], np.float32)
        np.moveaxis(full, slice_axis, 0)[box] = np.where(scans.usable, DIFFERENCES[kind](scans, interrupt), 0)
        result[kind] = image_like(followup, full)
    return result


def plain_difference(scans: Scans, interrupt: Interrupt = never) -> np.ndarray:
    """Robust z of the follow-up minus robust z of the baseline, standardised again."""
    residual = robust_z(scans.followup, scans.usable) - robust_z(scans.baseline, scans.usable)
    interrupt()
    return robust_z(residual, scans.usable)


def robust_difference(scans: Scans, interrupt: Interrupt = never) -> np.ndarray:
    """Residual of what a protocol can explain, weighed as evidence; robust z."""
    followup = robust_z(scans.followup, scans.usable)
    interrupt()
    baseline = match_histogram(scans.baseline, followup, scans.usable)
    interrupt()
    expected = match_locally(baseline, followup, scans.usable, scans.spacing, interrupt=interrupt)
    interrupt()
    unusual = compare_with_alike(followup - expected, expected, scans.usable, scans.spacing)
    interrupt()
    weight = prominence(expected, followup, scans.usable, scans.spacing)
    interrupt()
    return robust_z(unusual * weight, scans.usable)


SMALLEST_PIECE = 4
"""In pixels. Fewer that touch each other are noise."""
SURE_Z = 16.0
"""Four times the threshold. Further out is no more of a change: flow and signal loss reach hundreds."""
LARGEST_PIECE_MM2 = 100.0
"""A larger piece counts as one of this area: it is one finding, and more often shading than a lesion."""

DIFFERENCES: dict[str, Callable[[Scans, Interrupt], np.ndarray]] = {
    "plain": plain_difference,
    "robust": robust_difference,
}


def usable_foreground(foreground: np.ndarray) -> np.ndarray:
    """Take the rim off a foreground mask (slices, rows, columns); what lies at the scan's border is rim.

    Shifted copies erode ten times as fast as `scipy.ndimage.binary_erosion`, with the same result.
    """
    usable = np.asarray(foreground, bool)
    for _ in range(EROSION_VOXELS):
        whole, usable = usable, usable.copy()
        for axis in range(usable.ndim):
            line, eroded = np.moveaxis(whole, axis, 0), np.moveaxis(usable, axis, 0)
            eroded[1:] &= line[:-1]
            eroded[:-1] &= line[1:]
            eroded[0] = eroded[-1] = False
    return usable


def difference_score(
    difference_slice: np.ndarray, threshold: float = 4.0, *, pixel_mm2: float = 1.0
) -> float:
    """Score a slice by its pieces of change; no single finding may outweigh several others.

    Each 8-connected piece over the threshold counts its area (up to `LARGEST_PIECE_MM2`) times its mean |z|
    (each pixel's up to `SURE_Z`); pieces of less than `SMALLEST_PIECE` pixels do not count.

    Parameters
    ----------
    difference_slice : numpy.ndarray
        (rows, columns) in robust z units.
    threshold : float
        Pixels with |z| above it count as change.
    pixel_mm2 : float
        Area of a pixel.

    Returns
    -------
    float
        In mm2 times robust z; 0 where nothing passes the threshold.
    """
    strength = np.abs(difference_slice)
    labels, _ = ndimage.label(strength > threshold, np.ones((3, 3)))
    pixels = np.bincount(labels.ravel())[1:]
    evidence = np.bincount(labels.ravel(), np.minimum(strength, SURE_Z).ravel())[1:]
    large = pixels >= SMALLEST_PIECE
    area = np.minimum(pixels[large] * pixel_mm2, LARGEST_PIECE_MM2)
    return float(np.sum(area * evidence[large] / pixels[large]))


def _crop(
    baseline: sitk.Image, followup: sitk.Image, foreground: sitk.Image, slice_axis: int, interrupt: Interrupt
) -> tuple[tuple[slice, ...], Scans]:
    """Cut everything down to the foreground's bounding box (most of a scan is air), slices first."""

    def slices_of(image: sitk.Image) -> np.ndarray:
        return np.moveaxis(sitk.GetArrayViewFromImage(image), slice_axis, 0)

    inside = slices_of(foreground) > 0
    usable = usable_foreground(inside)
    _check_large_enough(inside, usable)
    margin = 2
    box = tuple(
        slice(max(found.start - margin, 0), found.stop + margin)
        for found in ndimage.find_objects(usable.astype(np.int8))[0]
    )
    in_plane = list(followup.GetSpacing()[::-1])
    spacing = (in_plane.pop(slice_axis), *in_plane)
    sigmas = (0, SMOOTHING_MM / spacing[1], SMOOTHING_MM / spacing[2])

    def smooth(image: sitk.Image) -> np.ndarray:
        interrupt()
        return ndimage.gaussian_filter(np.ascontiguousarray(slices_of(image)[box], np.float32), sigmas)

    scans = Scans(smooth(baseline), smooth(followup), np.ascontiguousarray(usable[box]), spacing)
    for values in (scans.baseline, scans.followup):
        interrupt()
        centre_and_scale(values[scans.usable])  # a constant or broken scan stops here, with a clear message
    return box, scans


def _check_large_enough(inside: np.ndarray, usable: np.ndarray) -> None:
    if np.count_nonzero(usable) < SMALLEST_FOREGROUND:
        raise InvalidInput(
            f"the foreground holds {np.count_nonzero(inside)} voxels and only "
            f"{np.count_nonzero(usable)} without its rim: "
            "give another foreground mask, or check that both scans show the same body part"
        )
