"""Each strategy is put together as its paper has it: its score, its selector and the papers' numbers."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from longitudinal_al.acquisition.strategies import STRATEGIES, ScoreSource, strategy

TWO_THIRDS = pytest.approx(2 / 3)
# Name: score, selector, further columns and their scores, numbers. From the papers, not from the catalogue.
PUBLISHED: dict[str, tuple[str, str, dict[str, str], dict[str, Any]]] = {
    "random": ("NONE", "random", {}, {}),
    "strided": ("NONE", "strided", {}, {}),
    "difference": ("DIFFERENCE", "top", {}, {}),
    "mdal_max": ("CONTRAST", "mdal_max", {}, {}),
    "mdal_diverse": ("CONTRAST", "mdal_diverse", {}, {}),
    "entropy": ("entropy", "top", {}, {}),
    "difference_entropy": ("difference_entropy", "top", {}, {}),
    "least_confidence": ("least_confidence", "top", {}, {}),
    "margin": ("margin", "top", {}, {}),
    "dropout_entropy": ("dropout_entropy", "top", {}, {}),
    "bald": ("bald", "top", {}, {}),
    "vote_entropy": ("vote_entropy", "top", {}, {"members": 3}),
    "ensemble_variance": ("ensemble_variance", "top", {}, {"members": 3}),
    "augmentation_variance": ("augmentation_variance", "top", {}, {}),
    "learning_loss": ("learning_loss", "top", {}, {}),
    "kcenter": ("NONE", "kcenter", {}, {}),
    "cluster_margin": ("margin", "cluster_margin", {}, {}),
    "hybrid": ("entropy", "hybrid", {}, {}),
    "typiclust": ("NONE", "typiclust", {}, {"features": "model"}),
    "probcover": ("NONE", "probcover", {}, {"features": "model", "delta": 0.0}),
    "information_density": ("entropy", "information_density", {}, {"beta": 1.0}),
    "badge": ("NONE", "badge", {}, {}),
    "stochastic_batches": ("entropy", "stochastic_batches", {}, {"batches": 100}),
    "power_bald": ("bald", "power", {}, {"beta": 1.0}),
    "clasp_pe": (
        "entropy",
        "clasp_pe",
        {"change_score": "change_entropy"},
        {"members": 3, "stratified": TWO_THIRDS, "first_beta": 1.0, "last_beta": 100.0},
    ),
    "representative_to_uncertain": ("entropy", "representative_to_uncertain", {}, {}),
    "facility_location": ("entropy", "facility_location", {}, {}),
    "max_cover": ("entropy", "max_cover", {}, {}),
    "selective_uncertainty": ("selective_uncertainty", "top", {}, {}),
    "foreground_random": ("REFERENCE", "foreground_random", {}, {"share": TWO_THIRDS}),
    "score_per_second": (
        "entropy",
        "score_per_second",
        {"predicted_change": "predicted_change"},
        {"power": 1.0},
    ),
    "attention_misalignment": (
        "attention_misalignment",
        "top",
        {},
        {"weight": 0.3, "variant": "deployable"},
    ),
    "recipe": (
        "entropy",
        "recipe",
        {"sure_change": "sure_change"},
        {"changes": True, "spacing": True},
    ),
}


def name_of(part: Any) -> str:
    """Return a part's own name, whether its settings are bound to it or not."""
    if isinstance(part, ScoreSource):
        return part.name
    return str((part.func if isinstance(part, partial) else part).__name__)


def test_none_is_left_out() -> None:
    assert set(PUBLISHED) == set(STRATEGIES)


@pytest.mark.parametrize("name", PUBLISHED)
def test_parts_and_numbers_are_those_of_the_paper(name: str) -> None:
    one = STRATEGIES[name]
    score, selector, also, numbers = PUBLISHED[name]
    assert (name_of(one.score), name_of(one.selector)) == (score, selector)
    assert {column: name_of(part) for column, part in one.also.items()} == also
    assert {setting: one.settings[setting] for setting in numbers} == numbers


@pytest.mark.parametrize(
    ("text", "part", "bound"),
    [
        ("attention_misalignment:weight=0.5", "score", {"weight": 0.5}),
        ("clasp_pe:last_beta=50", "selector", {"last_beta": 50.0}),
        ("foreground_random:share=0.5", "selector", {"share": 0.5}),
        ("information_density:beta=2", "selector", {"beta": 2.0}),
        ("recipe:spacing=off", "selector", {"spacing": False}),
        ("score_per_second:power=0.5", "selector", {"power": 0.5}),
    ],
)
def test_settings_reach_the_part_that_takes_them(text: str, part: str, bound: dict[str, Any]) -> None:
    given = getattr(strategy(text), part).keywords
    assert {name: given[name] for name in bound} == bound
