"""Dice of change: known answers, MONAI's figure, and what must hold for any masks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from monai.metrics import DiceMetric

from longitudinal_al.evaluation.dice import dice

MASKS = arrays(bool, (3, 6, 7))


def test_known_overlap() -> None:
    prediction = np.array([1, 1, 1, 0, 0], dtype=bool)
    reference = np.array([0, 1, 1, 1, 1], dtype=bool)
    assert dice(prediction, reference) == pytest.approx(2 * 2 / (3 + 4))


def test_background_does_not_count() -> None:
    reference = np.zeros((1, 100, 100), dtype=bool)
    reference[0, 0, :4] = True
    prediction = np.zeros_like(reference)
    prediction[0, 0, 2:6] = True
    assert dice(prediction, reference) == 0.5


def test_undefined_without_change_and_zero_when_all_is_missed() -> None:
    empty, some = np.zeros(4, dtype=bool), np.array([0, 1, 0, 0], dtype=bool)
    assert dice(empty, empty) is None
    assert dice(some, empty) is None
    assert dice(empty, some) == 0.0


def test_agrees_with_monai(generator: np.random.Generator) -> None:
    for share in (0.02, 0.3, 0.8):
        prediction, reference = generator.random((2, 8, 20, 20)) < share
        metric = DiceMetric(include_background=True)
        metric(torch.tensor(prediction[None, None]).float(), torch.tensor(reference[None, None]).float())
        assert dice(prediction, reference) == pytest.approx(metric.aggregate().item(), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(MASKS, MASKS)
def test_symmetric_bounded_and_one_only_for_equal_masks(first: np.ndarray, second: np.ndarray) -> None:
    first[0, 0, 0] = second[0, 0, 1] = True
    overlap = dice(first, second)
    assert overlap == dice(second, first)
    assert 0.0 <= overlap <= 1.0
    assert (overlap == 1.0) == np.array_equal(first, second)
    assert dice(first, first) == 1.0
