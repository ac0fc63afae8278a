"""Attention misalignment: hand-made cases with known answers."""

import math

import pytest
import torch

from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.acquisition.scores.attention_misalignment import attention_misalignment, misalignment
from longitudinal_al.acquisition.strategies import strategy
from longitudinal_al.errors import UnknownName

SIDE = 16


def box(top: int, left: int, value: float = 1.0, side: int = 8) -> torch.Tensor:
    picture = torch.zeros(1, SIDE, SIDE)
    picture[0, top : top + side, left : left + side] = value
    return picture


def given(**changed) -> Predictions:
    fields = {
        "members": torch.zeros(1, 1, SIDE, SIDE),
        "difference": torch.zeros(1, SIDE, SIDE),
        "foreground": torch.ones(1, SIDE, SIDE, dtype=torch.bool),
        "attention": box(0, 0),
    }
    return Predictions(**fields | changed)


@pytest.mark.parametrize(
    ("attention", "region", "expected"),
    [
        (box(0, 0), box(0, 0), 0.0),
        (box(0, 0), box(8, 8), 1.0),
        (box(0, 0), box(0, 4), 0.5),
        (box(0, 0, 0.5), box(0, 0), 1 - 2 * 32 / (32 + 64)),
    ],
)
def test_misalignment_is_one_minus_soft_dice(attention, region, expected):
    empty = torch.zeros(1, SIDE, SIDE, dtype=torch.bool)
    assert misalignment(attention, region.bool(), empty).item() == pytest.approx(expected)


def test_nothing_to_be_aligned_with_is_no_misalignment_but_a_false_alarm_is():
    none = torch.zeros(1, SIDE, SIDE, dtype=torch.bool)
    assert misalignment(box(0, 0), none, none).item() == 0.0
    assert misalignment(box(0, 0), none, box(0, 0).bool()).item() == 1.0


def test_deployable_takes_large_differences_and_predicted_change_for_the_region():
    both = given(difference=-5.0 * box(0, 0), members=box(8, 8, 0.9)[None])
    found = attention_misalignment(both, weight=0.0)
    assert found.item() == pytest.approx(1 - 2 * 64 / (64 + 128))
    small = given(difference=3.9 * box(0, 0))
    assert attention_misalignment(small, weight=0.0).item() == 0.0


def test_fitted_and_oracle_take_what_they_are_named_for():
    expected = given(expected_misalignment=torch.tensor([0.4]))
    assert attention_misalignment(expected, weight=0.0, variant="fitted").item() == pytest.approx(0.4)
    told = given(reference=box(0, 4).bool())
    assert attention_misalignment(told, weight=0.0, variant="oracle").item() == pytest.approx(0.5)


def test_the_weight_is_of_the_entropy_scaled_by_its_maximum():
    sure = given(members=torch.full((1, 1, SIDE, SIDE), 0.5), difference=9.0 * box(8, 8), attention=box(8, 8))
    whole = attention_misalignment(sure, weight=1.0).item()
    assert whole == pytest.approx(1.0)
    none = attention_misalignment(sure, weight=0.0).item()
    assert attention_misalignment(sure).item() == pytest.approx(0.3 * whole + 0.7 * none)
    known = given(members=torch.full((1, 1, SIDE, SIDE), 0.1))
    assert attention_misalignment(known, weight=1.0).item() == pytest.approx(0.325083 / math.log(2), abs=1e-6)


def test_settings_reach_the_score():
    expected = given(expected_misalignment=torch.tensor([0.4]))
    text = "attention_misalignment:weight=0,variant=fitted"
    assert strategy(text).score(expected).item() == pytest.approx(0.4)
    with pytest.raises(UnknownName, match="deployable, fitted, oracle"):
        attention_misalignment(expected, variant="magic")
