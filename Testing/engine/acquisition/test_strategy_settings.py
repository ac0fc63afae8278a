"""A strategy is asked for by a text: its name and its settings."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from longitudinal_al.acquisition.needs import Needs, ScoreSource
from longitudinal_al.acquisition.strategies import STRATEGIES, strategy
from longitudinal_al.acquisition.strategy import Option, Strategy, bound
from longitudinal_al.errors import InvalidInput, UnknownName


def weighted(predictions, weight: float = 1.0):
    return weight * predictions


def picks(candidates, batch, neighbours, generator, interrupt=None, *, audit: bool = True, kind: str = "a"):
    return audit, kind


DEFINED = Strategy(
    "made_up",
    weighted,
    picks,
    Needs.MODEL,
    "-",
    "for the test",
    also={"change_score": weighted},
    options={
        "weight": Option(0.3, "of the score", lowest=0.0, highest=1.0),
        "audit": Option(True, "a tenth at random"),
        "kind": Option("a", "which", choices={"a": Needs.NOTHING, "b": Needs.LABELS}),
        "members": Option(3, "networks", lowest=1),
    },
)


def test_without_settings_the_defaults_are_bound():
    one = bound(DEFINED, {})
    assert one.settings == {"weight": 0.3, "audit": True, "kind": "a", "members": 3}
    assert one.score(torch.ones(2)).tolist() == pytest.approx([0.3, 0.3])
    assert one.selector(None, 1, None, np.random.default_rng(0)) == (True, "a")
    assert one.needs == Needs.MODEL
    assert one.text == "made_up"


def test_settings_reach_the_parts_that_take_them_and_change_what_is_needed():
    one = bound(DEFINED, {"weight": "0.5", "audit": "off", "kind": "b", "members": "5"})
    assert one.score(torch.ones(1)).item() == one.also["change_score"](torch.ones(1)).item() == 0.5
    assert one.selector(None, 1, None, np.random.default_rng(0)) == (False, "b")
    assert one.needs == Needs.MODEL | Needs.LABELS
    assert one.text == "made_up:weight=0.5,audit=off,kind=b,members=5"


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"wait": "1"}, UnknownName, "'wait'.*audit.*kind.*members.*weight"),
        ({"weight": "much"}, InvalidInput, "weight of made_up is 'much'.*a number"),
        ({"weight": "1.5"}, InvalidInput, "from 0 to 1"),
        ({"weight": "nan"}, InvalidInput, "from 0 to 1"),
        ({"members": "2.5"}, InvalidInput, "a whole number"),
        ({"members": "0"}, InvalidInput, "from 1 to inf"),
        ({"audit": "perhaps"}, UnknownName, "off, on"),
        ({"kind": "c"}, UnknownName, "a, b"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_in_words(given, error, message):
    with pytest.raises(error, match=message):
        bound(DEFINED, given)


@pytest.mark.parametrize("text", ["entropy:x", "entropy:=1", "entropy:x=", "entropy:x=1,x=2", "entropy:,"])
def test_a_text_that_is_no_list_of_settings_is_refused(text):
    with pytest.raises(InvalidInput, match="setting=value"):
        strategy(text)


def test_a_strategy_without_settings_says_so():
    with pytest.raises(UnknownName, match="it has no settings"):
        strategy("entropy:weight=1")


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_text_gives_the_same_strategy_again(name):
    one = STRATEGIES[name]
    assert one.text == name
    assert strategy(one.text) == one or strategy(one.text).settings == one.settings
    assert callable(one.score) or isinstance(one.score, ScoreSource)
