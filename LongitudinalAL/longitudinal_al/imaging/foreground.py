"""The part of a scan that is compared: the brain without skull and scalp, as far as morphology gets.

The differences of skull, scalp and fat drown those of lesions. Where no mask is given, the brain is cut out
by what every atlas-free stripper rests on: it is the thickest connected piece of tissue, tied to the scalp
by thin bridges only. All sizes are millimetres and the work is done at about 2 mm, so one setting serves
every scanner. See docs/decisions/foreground.md for the measured overlap with given brain masks.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from longitudinal_al.errors import GeometryMismatch, InvalidInput
from longitudinal_al.interruption import Interrupt, never

WORKING_MM = 2.0
"""Pixels are averaged to about this size before the morphology."""
TISSUE_FRACTION = 0.55
"""Tissue is brighter than this fraction of the typical brightness deep inside the head."""
DEEP_MM = 25.0
"""What lies deeper than this under the scalp is surely not skull."""
BRIDGE_MM = 6.0
"""Half the thickness of the bridges (meninges, vessels, nerves) that are cut between brain and scalp."""
CLOSING_MM = 8.0
"""Sulci and ventricles up to twice this width belong to the brain."""
SMALLEST_ML = 20.0
"""A smaller piece than this is no brain: the whole body is taken instead."""


def compute_foreground(
    followup: sitk.Image,
    baseline_on_grid: sitk.Image | None = None,
    interrupt: Interrupt = never,
    slice_axis: int = 0,
) -> sitk.Image:
    """Find the brain in a scan of a head, or the whole body where there is no brain-like piece.

    Parameters
    ----------
    followup : SimpleITK.Image
        3-D scan of any contrast and slice thickness, with or without skull.
    baseline_on_grid : SimpleITK.Image, optional
        The baseline on the same grid; what it does not cover (exactly zero, outside its field of view) is
        left out.
    interrupt : callable
        Called between the steps.
    slice_axis : int
        Array axis across which the slices lie, see `covered_by`.

    Returns
    -------
    SimpleITK.Image
        uint8 on the follow-up's grid, 1 inside.

    Raises
    ------
    InvalidInput
        If the scan is constant or nothing stands out of its background.
    GeometryMismatch
        If the baseline lies on another grid.
    """
    small = _shrink(followup)
    interrupt()
    values = sitk.GetArrayFromImage(small).astype(np.float32)
    spacing = small.GetSpacing()[::-1]
    head = find_body(values, spacing)
    interrupt()
    brain = find_brain(values, head, spacing, interrupt)
    mask = sitk.GetImageFromArray(
        (brain if _volume_ml(brain, spacing) >= SMALLEST_ML else head).astype(np.uint8)
    )
    mask.CopyInformation(small)
    interrupt()
    full = sitk.Resample(mask, followup, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
    interrupt()
    if baseline_on_grid is not None:
        full = covered_by(full, baseline_on_grid, slice_axis)
    return full


def find_body(values: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Mask whatever is not air: half of Otsu's threshold, largest piece, holes of each slice filled.

    Parameters
    ----------
    values : numpy.ndarray
        (slices, rows, columns) intensities.
    spacing : tuple of float
        Millimetres, in the order of the axes.

    Raises
    ------
    InvalidInput
        If the values are constant.
    """
    bright = np.minimum(values, np.percentile(values, 99.5))
    bright = bright - min(0.0, float(bright.min()))
    if not bright.max() > bright.min():
        raise InvalidInput(
            "the scan is constant: no foreground can be found; give a foreground mask or another scan"
        )
    threshold = otsu_threshold(bright[bright > 0])
    return _fill_slices(_largest_piece(bright > 0.5 * threshold))


def find_brain(
    values: np.ndarray, head: np.ndarray, spacing: tuple[float, ...], interrupt: Interrupt = never
) -> np.ndarray:
    """Cut the brain out of the head: erode, keep the largest piece, grow back, close sulci and ventricles.

    Parameters
    ----------
    values, head : numpy.ndarray
        (slices, rows, columns) intensities, and the mask of what is not air.
    spacing : tuple of float
        Millimetres, in the order of the axes.
    interrupt : callable
        Called between the steps.
    """
    # The scan ends inside the head (neck, vertex), so the ends are no surface: repeat the border slices.
    depth = ndimage.distance_transform_edt(np.pad(head, 1, mode="edge"), sampling=spacing)[1:-1, 1:-1, 1:-1]
    interrupt()
    deep = head & (depth > DEEP_MM)
    inside = values[deep if deep.any() else head]
    typical = np.median(inside[inside > 0.7 * otsu_threshold(inside)])
    tissue = head & (values > TISSUE_FRACTION * typical)
    interrupt()
    core = _largest_piece(ndimage.distance_transform_edt(tissue, sampling=spacing) > BRIDGE_MM)
    if not core.any():
        return core
    interrupt()
    brain = _largest_piece(
        tissue & (ndimage.distance_transform_edt(~core, sampling=spacing) <= BRIDGE_MM + 1.0)
    )
    interrupt()
    return _fill_slices(brain | _close(brain, spacing, CLOSING_MM, interrupt))


def otsu_threshold(values: np.ndarray, bins: int = 256) -> float:
    """Return the threshold between the two classes that differ most (Otsu 1979)."""
    counts, edges = np.histogram(values, bins)
    centres = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts)[:-1].astype(float)
    sum_below = np.cumsum(counts * centres)[:-1]
    above = counts.sum() - below
    sum_above = float(np.sum(counts * centres)) - sum_below
    between = below * above * (sum_below / np.maximum(below, 1) - sum_above / np.maximum(above, 1)) ** 2
    return float(centres[int(np.argmax(between))])


def _shrink(image: sitk.Image) -> sitk.Image:
    factors = [max(1, int(WORKING_MM / spacing + 0.5)) for spacing in image.GetSpacing()]
    return sitk.BinShrink(sitk.Cast(image, sitk.sitkFloat32), factors)


def covered_by(mask: sitk.Image, baseline: sitk.Image, slice_axis: int = 0) -> sitk.Image:
    """Cut a mask to what the baseline shows, so that the edge of its field of view is no change.

    Parameters
    ----------
    mask : SimpleITK.Image
        On the follow-up's grid.
    baseline : SimpleITK.Image
        Resampled onto that grid; 0 outside its field of view.
    slice_axis : int
        Array axis across which the slices lie: a single slice that the baseline does not show is cut too.

    Raises
    ------
    GeometryMismatch
        If the baseline lies on another grid.
    """
    if mask.GetSize() != baseline.GetSize():
        raise GeometryMismatch(
            f"the baseline has {baseline.GetSize()} voxels and the follow-up {mask.GetSize()}: "
            "resample the baseline onto the follow-up's grid first"
        )
    covered = np.abs(sitk.GetArrayViewFromImage(baseline)) > 0
    # Zeros inside the head are noise or CSF; only the part outside the field of view is one large piece.
    piece = np.expand_dims(np.ones((5, 5)), slice_axis)
    outside = ndimage.binary_opening(~covered, piece)
    result = sitk.GetImageFromArray(
        (sitk.GetArrayViewFromImage(mask).astype(bool) & ~outside).astype(np.uint8)
    )
    result.CopyInformation(mask)
    return result


def _largest_piece(mask: np.ndarray) -> np.ndarray:
    labels, count = ndimage.label(mask)
    if count == 0:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return labels == sizes.argmax()


def _close(mask: np.ndarray, spacing: tuple[float, ...], radius: float, interrupt: Interrupt) -> np.ndarray:
    pad = int(np.ceil(radius / min(spacing))) + 1
    grown = ndimage.distance_transform_edt(~np.pad(mask, pad), sampling=spacing) <= radius
    interrupt()
    closed = ndimage.distance_transform_edt(grown, sampling=spacing) > radius
    return closed[pad:-pad, pad:-pad, pad:-pad]


def _fill_slices(mask: np.ndarray) -> np.ndarray:
    return np.stack([ndimage.binary_fill_holes(plane) for plane in mask])


def _volume_ml(mask: np.ndarray, spacing: tuple[float, ...]) -> float:
    return float(np.count_nonzero(mask)) * float(np.prod(spacing)) / 1000.0
