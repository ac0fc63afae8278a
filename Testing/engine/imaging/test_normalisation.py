"""Robust scales of scans: known answers, and clear errors."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from longitudinal_al.errors import GeometryMismatch, InvalidInput
from longitudinal_al.imaging.normalisation import match_histogram, normalise


def as_image(values: np.ndarray) -> sitk.Image:
    return sitk.GetImageFromArray(values)


def inside_mask(shape: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    mask[1:-1, 4:-4, 4:-4] = 1
    return mask


def test_median_zero_and_deviation_one_in_the_foreground_whatever_lies_outside(
    generator: np.random.Generator,
) -> None:
    values = generator.normal(700, 50, (6, 30, 30)).astype(np.float32)
    mask = inside_mask(values.shape)
    values[mask == 0] = 5000
    values[2, 10:13, 10:13] = 3000
    z = sitk.GetArrayFromImage(normalise(as_image(values), as_image(mask)))[mask > 0]
    assert np.median(z) == pytest.approx(0, abs=1e-4)
    assert 1.4826 * np.median(np.abs(z)) == pytest.approx(1, abs=1e-3)
    assert z.max() > 40


def test_gain_and_offset_of_the_scanner_do_not_matter(generator: np.random.Generator) -> None:
    values = generator.normal(700, 50, (6, 30, 30)).astype(np.float32)
    mask = as_image(inside_mask(values.shape))
    first, second = (
        sitk.GetArrayFromImage(normalise(as_image(scan), mask)) for scan in (values, 3 * values + 100)
    )
    np.testing.assert_allclose(first, second, atol=1e-2)


@pytest.mark.parametrize(
    ("fill", "words"), [(np.float32(7), "constant"), (np.float32("nan"), "NaN")], ids=["constant", "nan"]
)
def test_what_cannot_be_normalised_is_named(fill: np.float32, words: str) -> None:
    values = np.full((6, 30, 30), fill)
    with pytest.raises(InvalidInput, match=words):
        normalise(as_image(values), as_image(inside_mask(values.shape)))


def test_a_tiny_foreground_is_refused(generator: np.random.Generator) -> None:
    mask = np.zeros((6, 30, 30), np.uint8)
    mask[2, 5:8, 5:8] = 1
    with pytest.raises(InvalidInput, match="only 9 voxels"):
        normalise(as_image(generator.normal(0, 1, mask.shape)), as_image(mask))


def test_another_grid_is_refused(generator: np.random.Generator) -> None:
    image = as_image(generator.normal(0, 1, (6, 30, 30)))
    moved = as_image(inside_mask((6, 30, 30)))
    moved.SetOrigin((5, 0, 0))
    with pytest.raises(GeometryMismatch, match="different grids"):
        normalise(image, moved)


def test_matched_histogram_undoes_a_monotone_contrast(generator: np.random.Generator) -> None:
    target = generator.gamma(4, 1, (6, 40, 40)).astype(np.float32)
    inside = np.ones(target.shape, bool)
    assert np.abs(match_histogram(np.sqrt(target), target, inside) - target).mean() < 0.02
