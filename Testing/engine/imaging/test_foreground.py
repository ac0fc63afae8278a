"""The brain in a head: a hand-made head, scans without skull or without a head, and the four real scans."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from longitudinal_al.errors import InvalidInput
from longitudinal_al.imaging.foreground import compute_foreground, covered_by
from longitudinal_al.imaging.reading import read_mask, read_scan, read_transform


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def ellipsoid(radius_mm: float, spacing: tuple[float, float, float] = (4.0, 1.5, 1.5)) -> np.ndarray:
    z, y, x = np.meshgrid(
        *[(np.arange(n) - (n - 1) / 2) * s for n, s in zip((44, 150, 130), spacing, strict=True)],
        indexing="ij",
    )
    return (z / 0.85) ** 2 + (y / 1.1) ** 2 + (x / 0.9) ** 2 < radius_mm**2


def image_of(values: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(values.astype(np.float32))
    image.SetSpacing((1.5, 1.5, 4.0))
    return image


def test_brain_is_cut_out_of_skull_and_scalp(generator: np.random.Generator) -> None:
    brain, inner, outer, scalp = (ellipsoid(radius) for radius in (65, 68, 75, 83))
    head = 300.0 * brain + 60.0 * (inner & ~brain) + 20.0 * (outer & ~inner) + 450.0 * (scalp & ~outer)
    bridge = np.zeros_like(brain)
    bridge[20:22, 72:76, :] = True
    head[bridge & scalp & ~brain] = 300.0
    found = sitk.GetArrayFromImage(compute_foreground(image_of(head + generator.normal(0, 8, head.shape))))
    assert overlap(found > 0, brain) > 0.95


def test_scan_without_skull_keeps_its_brain(generator: np.random.Generator) -> None:
    brain = ellipsoid(65)
    found = compute_foreground(image_of(np.where(brain, 300 + generator.normal(0, 20, brain.shape), 0)))
    assert overlap(sitk.GetArrayFromImage(found) > 0, brain) > 0.95


def test_thin_body_part_is_taken_whole(generator: np.random.Generator) -> None:
    body = np.zeros((44, 150, 130), bool)
    body[:, 70:76, 20:110] = True
    found = compute_foreground(image_of(np.where(body, 300 + generator.normal(0, 10, body.shape), 0)))
    assert overlap(sitk.GetArrayFromImage(found) > 0, body) > 0.8


def test_what_the_baseline_does_not_cover_is_left_out(generator: np.random.Generator) -> None:
    brain = ellipsoid(65)
    scan = image_of(np.where(brain, 300 + generator.normal(0, 20, brain.shape), 0))
    half = sitk.GetArrayFromImage(scan)
    half[:22] = 0
    baseline = sitk.GetImageFromArray(half)
    baseline.CopyInformation(scan)
    found = sitk.GetArrayFromImage(compute_foreground(scan, baseline))
    assert not found[:22].any()
    assert found[24:30].any()


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("missing", [1, 3])
def test_single_slices_that_the_baseline_does_not_show_are_left_out(axis: int, missing: int) -> None:
    values = np.full((30, 30, 30), 100.0)
    mask = image_of(np.ones(values.shape)) > 0
    slices = np.moveaxis(values, axis, 0)  # a view
    slices[:missing] = 0
    slices[20, 5:8, 5:8] = 0  # as noise and fluid have it: no edge of the field of view
    found = np.moveaxis(sitk.GetArrayFromImage(covered_by(mask, image_of(values), axis)), axis, 0)
    assert not found[:missing].any()
    assert found[missing:].all()


def test_constant_scan_is_refused() -> None:
    with pytest.raises(InvalidInput, match="constant"):
        compute_foreground(image_of(np.full((10, 60, 60), 5.0)))


@pytest.mark.parametrize(
    ("patient", "study", "least"), [("01", 1, 0.94), ("01", 2, 0.94), ("03", 1, 0.88), ("03", 2, 0.87)]
)
def test_real_scans_agree_with_their_given_masks_and_keep_the_change(
    open_ms: Path, patient: str, study: int, least: float
) -> None:
    folder = open_ms / f"patient{patient}"
    scan = read_scan(folder / f"study{study}_FLAIR.nii.gz")
    to_common = read_transform(folder / f"study{study}_FLAIR_to_common_space.txt").GetInverse()
    brain, change = (
        sitk.GetArrayFromImage(
            sitk.Resample(read_mask(folder / name), scan, to_common, sitk.sitkNearestNeighbor)
        )
        > 0
        for name in ("brainmask.nii.gz", "gt.nii.gz")
    )
    found = sitk.GetArrayFromImage(compute_foreground(scan)) > 0
    assert overlap(found, brain) > least
    assert change[found].sum() > 0.99 * change.sum()
