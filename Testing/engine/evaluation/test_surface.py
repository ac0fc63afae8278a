"""Hausdorff distance: known distances in mm, and MONAI's figure."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from monai.metrics import HausdorffDistanceMetric
from scipy.ndimage import gaussian_filter

from longitudinal_al.evaluation.surface import hd95, outline_points

SPACING = (3.0, 0.7, 0.8)


def blobs(generator: np.random.Generator, share: float) -> np.ndarray:
    smooth = gaussian_filter(generator.random((14, 30, 26)), 2)
    return smooth > np.quantile(smooth, 1 - share)


def test_shift_is_measured_in_mm_along_each_axis() -> None:
    reference = np.zeros((9, 9, 9), dtype=bool)
    reference[4, 4, 4] = True
    for axis, size in enumerate(SPACING):
        assert hd95(np.roll(reference, 2, axis), reference, SPACING) == pytest.approx(2 * size)


def test_95th_percentile_ignores_one_far_voxel_in_forty() -> None:
    reference = np.zeros((1, 1, 200), dtype=bool)
    reference[0, 0, :40] = True
    prediction = reference.copy()
    prediction[0, 0, 199] = True
    assert hd95(prediction, reference, (1, 1, 1)) == 0.0
    prediction[0, 0, 190:] = True
    assert hd95(prediction, reference, (1, 1, 1)) > 100


def test_undefined_when_one_mask_is_empty() -> None:
    some = np.ones((2, 2, 2), dtype=bool)
    empty = ~some
    assert hd95(some, empty, SPACING) is None
    assert hd95(empty, some, SPACING) is None
    assert hd95(empty, empty, SPACING) is None


def test_outline_of_a_box_is_its_shell() -> None:
    mask = np.zeros((7, 7, 7), dtype=bool)
    mask[1:6, 1:6, 1:6] = True
    assert len(outline_points(mask, (1, 1, 1))) == 5**3 - 3**3
    assert outline_points(mask, (2, 1, 1)).max(axis=0).tolist() == [10, 5, 5]


@pytest.mark.parametrize("share", [0.005, 0.05, 0.3])
def test_agrees_with_monai(generator: np.random.Generator, share: float) -> None:
    prediction, reference = blobs(generator, share), blobs(generator, share)
    metric = HausdorffDistanceMetric(include_background=True, percentile=95)
    metric(
        torch.tensor(prediction[None, None]).float(),
        torch.tensor(reference[None, None]).float(),
        spacing=list(SPACING),
    )
    assert hd95(prediction, reference, SPACING) == pytest.approx(metric.aggregate().item(), rel=1e-5)


@settings(max_examples=40, deadline=None)
@given(arrays(bool, (3, 5, 6)), arrays(bool, (3, 5, 6)), st.integers(1, 4))
def test_symmetric_and_blind_to_the_place(first: np.ndarray, second: np.ndarray, steps: int) -> None:
    first[1, 1, 1] = second[1, 2, 1] = True
    distance = hd95(first, second, SPACING)
    assert distance == hd95(second, first, SPACING)
    assert hd95(first, first, SPACING) == 0.0
    before, after = (steps, 9 - steps), (9 - steps, steps)
    moved = [np.pad(mask, [before, after, before]) for mask in (first, second)]
    assert hd95(*moved, SPACING) == pytest.approx(distance)
