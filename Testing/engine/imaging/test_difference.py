"""The difference of two scans: planted changes, protocols that must not show, and the two real pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage
from sklearn.metrics import average_precision_score

from longitudinal_al.errors import GeometryMismatch, InvalidInput, UnknownName
from longitudinal_al.imaging.difference import (
    DIFFERENCES,
    difference,
    difference_score,
    differences,
    usable_foreground,
)
from longitudinal_al.imaging.reading import read_mask, read_scan, read_transform

SPACING = (3.0, 1.0, 1.0)
SHAPE = (18, 120, 110)
BLOB = np.s_[8:11, 60:66, 40:46]


def image_of(values: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(SPACING[::-1])
    return image


def anatomy(generator: np.random.Generator) -> np.ndarray:
    """Two tissues in smooth folds, and noise-free."""
    folds = ndimage.gaussian_filter(generator.normal(0, 1, SHAPE), (1, 4, 4))
    return (500 + 60 / (1 + np.exp(-folds / folds.std() * 4))).astype(np.float32)


def foreground() -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    mask[1:-1, 8:-8, 8:-8] = 1
    return mask


@pytest.fixture
def scans(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return baseline and follow-up of one anatomy with their own noise; the follow-up has a bright blob."""
    truth = anatomy(generator)
    baseline, followup = (truth + generator.normal(0, 5, SHAPE).astype(np.float32) for _ in range(2))
    followup[BLOB] += 150
    return baseline, followup


def protocol(values: np.ndarray) -> np.ndarray:
    """Another gain, contrast and shading."""
    rows = np.linspace(0.92, 1.08, SHAPE[1], dtype=np.float32)[None, :, None]
    return 3 * values * rows * (values / 500) ** 0.5 + 40


def robust(baseline: np.ndarray, followup: np.ndarray, kind: str = "robust") -> np.ndarray:
    found = difference(image_of(baseline), image_of(followup), image_of(foreground()), kind=kind)
    return sitk.GetArrayFromImage(found)


def test_sign_is_that_of_the_followup_and_time_can_be_swapped(scans: tuple[np.ndarray, np.ndarray]) -> None:
    baseline, followup = scans
    assert robust(baseline, followup)[BLOB].mean() > 8
    assert robust(followup, baseline)[BLOB].mean() < -8


def test_change_is_found_through_another_protocol_where_the_plain_difference_drowns(
    scans: tuple[np.ndarray, np.ndarray],
) -> None:
    baseline, followup = protocol(scans[0]), scans[1]
    followup[BLOB] -= 90  # fainter: as much as the shading of the protocol

    def ranking(kind: str) -> list[int]:
        scores = [difference_score(plane) for plane in robust(baseline, followup, kind)]
        return sorted(int(index) for index in np.argsort(scores, kind="stable")[-3:])

    assert ranking("robust") == [8, 9, 10]
    assert ranking("plain") != [8, 9, 10]


def test_a_shift_of_one_pixel_scores_far_less_than_a_change(scans: tuple[np.ndarray, np.ndarray]) -> None:
    baseline, followup = scans
    scores = [difference_score(plane) for plane in robust(np.roll(baseline, 1, axis=2), followup)]
    without = np.delete(scores, [7, 8, 9, 10, 11])
    assert scores[9] > 2.5 * max(without.max(), 1)


def test_the_rim_is_what_three_erosions_take_off(generator: np.random.Generator) -> None:
    mask = generator.random((20, 40, 30)) < 0.999
    np.testing.assert_array_equal(usable_foreground(mask), ndimage.binary_erosion(mask, iterations=3))


@pytest.mark.parametrize("kind", sorted(DIFFERENCES))
def test_outside_the_usable_foreground_it_is_exactly_zero_and_inside_in_z_units(
    scans: tuple[np.ndarray, np.ndarray], kind: str
) -> None:
    found = robust(*scans, kind)
    usable = ndimage.binary_erosion(foreground(), iterations=3)
    assert found.dtype == np.float32
    assert not found[~usable].any()
    inside = found[usable]
    assert np.median(inside) == pytest.approx(0, abs=1e-3)
    assert 1.4826 * np.median(np.abs(inside)) == pytest.approx(1, abs=1e-2)


def test_both_kinds_at_once_equal_each_alone_and_runs_repeat(scans: tuple[np.ndarray, np.ndarray]) -> None:
    images = [image_of(values) for values in (*scans, foreground())]
    both = differences(*images)
    assert set(both) == {"plain", "robust"}
    for kind, image in both.items():
        np.testing.assert_array_equal(sitk.GetArrayFromImage(image), robust(*scans, kind))
        assert image.GetSpacing() == SPACING[::-1]


def test_another_acquisition_plane_gives_the_same_difference(
    scans: tuple[np.ndarray, np.ndarray],
) -> None:
    for slice_axis in (1, 2):
        moved = []
        for values in (*scans, foreground()):
            image = sitk.GetImageFromArray(np.ascontiguousarray(np.moveaxis(values, 0, slice_axis)))
            spacing = list(SPACING[1:])
            spacing.insert(slice_axis, SPACING[0])
            image.SetSpacing(spacing[::-1])
            moved.append(image)
        found = sitk.GetArrayFromImage(difference(*moved, slice_axis=slice_axis))
        np.testing.assert_array_equal(np.moveaxis(found, slice_axis, 0), robust(*scans))


def test_score_adds_pieces_in_mm2_but_no_single_pixels_and_corners_connect() -> None:
    plane = np.zeros((20, 20), np.float32)
    plane[2, 2] = plane[3, 3] = plane[4, 4] = plane[5, 5] = -5
    plane[10, 10:14] = 6
    plane[13, 2:5] = 50
    plane[15, 15:19] = 3.9
    assert difference_score(plane) == pytest.approx(20 + 24)
    assert difference_score(plane, pixel_mm2=0.25) == pytest.approx((20 + 24) / 4)
    assert difference_score(np.zeros((5, 5))) == 0.0


def test_several_lesions_outweigh_one_glaring_or_one_wide_artefact() -> None:
    lesions, glaring, wide = (np.zeros((60, 60), np.float32) for _ in range(3))
    for row in (5, 20, 35):
        lesions[row : row + 8, 5:11] = 10
    glaring[5:14, 5:14] = 200
    wide[5:45, 5:45] = 10
    assert difference_score(lesions) == pytest.approx(3 * 48 * 10)
    assert difference_score(glaring) == pytest.approx(81 * 16)
    assert difference_score(wide) == pytest.approx(100 * 10)


def test_bad_input_is_named(scans: tuple[np.ndarray, np.ndarray]) -> None:
    baseline, followup, mask = (image_of(values) for values in (*scans, foreground()))
    with pytest.raises(UnknownName, match="plain, robust"):
        difference(baseline, followup, mask, kind="best")
    with pytest.raises(InvalidInput, match="without its rim"):
        difference(baseline, followup, mask * 0)
    with pytest.raises(InvalidInput, match="constant"):
        difference(baseline * 0 + 5, followup, mask)
    moved = sitk.Image(baseline)
    moved.SetOrigin((9, 9, 9))
    with pytest.raises(GeometryMismatch):
        difference(moved, followup, mask)


@pytest.mark.parametrize(
    ("patient", "precision", "share", "dice"), [("01", 0.88, 0.37, 0.58), ("03", 0.86, 0.20, 0.28)]
)
def test_real_pairs_are_ranked_and_outlined(
    open_ms: Path, patient: str, precision: float, share: float, dice: float
) -> None:
    folder = open_ms / f"patient{patient}"
    reference, brain = (read_mask(folder / name) for name in ("gt.nii.gz", "brainmask.nii.gz"))
    baseline, followup = (
        sitk.Resample(
            read_scan(folder / f"study{study}_FLAIR.nii.gz"),
            reference,
            read_transform(folder / f"study{study}_FLAIR_to_common_space.txt"),
        )
        for study in (1, 2)
    )
    found = sitk.GetArrayFromImage(difference(baseline, followup, brain))
    change, inside = (sitk.GetArrayFromImage(image) > 0 for image in (reference, brain))
    candidates = np.flatnonzero(inside.any(axis=(1, 2)))
    pixel_mm2 = float(np.prod(reference.GetSpacing()[:2]))
    scores = np.array([difference_score(found[index], pixel_mm2=pixel_mm2) for index in candidates])
    pixels = change[candidates].sum(axis=(1, 2))
    first = np.argsort(-scores)[: round(0.08 * candidates.size)]
    strength, positive = np.abs(found[found != 0]), change[found != 0]
    hits = np.cumsum(positive[np.argsort(-strength)])
    assert average_precision_score(pixels > 0, scores) >= precision
    assert pixels[first].sum() / change.sum() >= share
    assert (2 * hits / (np.arange(1, hits.size + 1) + change.sum())).max() >= dice
