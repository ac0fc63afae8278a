"""What holds for the score of every strategy, and every further column it asks for."""

from dataclasses import fields

import numpy as np
import pytest
import torch

from longitudinal_al.acquisition.candidates import UNUSABLE
from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.acquisition.strategies import STRATEGIES, Needs, strategy
from longitudinal_al.errors import NotReady

TEXTS = [*STRATEGIES, "attention_misalignment:variant=fitted", "attention_misalignment:variant=oracle"]
SCORES = {text: strategy(text).score for text in TEXTS if callable(strategy(text).score)}
SCORES |= {f"{name}.{column}": score for name in TEXTS for column, score in strategy(name).also.items()}
every_score = pytest.mark.parametrize("name", SCORES)
OPTIONAL = {
    Needs.VARIANTS: "variants",
    Needs.ATTENTION: "attention",
    Needs.PREDICTED_LOSS: "predicted_loss",
    Needs.FITTED_MISALIGNMENT: "expected_misalignment",
    Needs.LABELS: "reference",
}


def everything(count: int, side: int = 24, seed: int = 0, members: int = 3) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)

    def chance(*shape: int) -> torch.Tensor:
        return torch.rand(shape, generator=generator)

    return {
        "members": chance(members, count, side, side),
        "difference": 10 * chance(count, side, side) - 5,
        "foreground": chance(count, side, side) < 0.7,
        "variants": chance(4, count, side, side),
        "attention": chance(count, side, side),
        "predicted_loss": 4 * chance(count) - 2,
        "expected_misalignment": chance(count),
        "reference": chance(count, side, side) < 0.1,
    }


def part_of(given: dict[str, torch.Tensor], part) -> dict[str, torch.Tensor]:
    return {
        name: value[:, part] if name in ("members", "variants") else value[part]
        for name, value in given.items()
    }


@every_score
def test_the_same_however_the_pool_is_streamed_or_shuffled(name):
    given = everything(10)
    before = {key: value.clone() for key, value in given.items()}
    whole = SCORES[name](Predictions(**given))
    assert whole.shape == (10,)
    assert whole.dtype == torch.float32
    assert (whole >= 0).all()
    parts = [SCORES[name](Predictions(**part_of(given, part))) for part in (slice(0, 7), slice(7, 10))]
    assert torch.allclose(whole, torch.cat(parts), atol=1e-6)
    order = torch.randperm(10, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(whole[order], SCORES[name](Predictions(**part_of(given, order))), atol=1e-6)
    assert all(torch.equal(given[key], before[key]) for key in given)


@every_score
def test_a_prediction_that_is_no_number_is_unusable_and_harms_no_other(name):
    given = everything(3)
    given["foreground"][:] = True
    expected = SCORES[name](Predictions(**given))
    given["members"][1, 1, 4, 4] = float("nan")
    given["predicted_loss"][1] = float("nan")
    found = SCORES[name](Predictions(**given))
    assert found[1] == UNUSABLE
    assert torch.equal(found[[0, 2]], expected[[0, 2]])


@every_score
def test_no_slice_pairs_no_scores(name):
    assert SCORES[name](Predictions(**everything(0))).shape == (0,)


class Guarded(Predictions):
    """Predictions that give away only what was declared as needed."""

    def __getattribute__(self, name: str):
        if name in OPTIONAL.values() and name not in object.__getattribute__(self, "allowed"):
            raise AssertionError(f"{name} was read without having been asked for")
        return object.__getattribute__(self, name)


@every_score
def test_nothing_is_read_that_the_strategy_does_not_need_least_of_all_the_reference(name):
    needs = strategy(name.partition(".")[0]).needs
    allowed = {field for need, field in OPTIONAL.items() if need in needs}
    predictions = object.__new__(Guarded)
    object.__setattr__(predictions, "allowed", allowed)
    given = everything(4)
    for one in fields(Predictions):
        object.__setattr__(predictions, one.name, given[one.name])
    assert SCORES[name](predictions).shape == (4,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("augmentation_variance", "variants"),
        ("learning_loss", "predicted loss"),
        ("attention_misalignment", "attention"),
        ("attention_misalignment:variant=fitted", "expected misalignment"),
        ("attention_misalignment:variant=oracle", "reference"),
        ("bald", "ensemble"),
        ("vote_entropy", "ensemble"),
        ("ensemble_variance", "ensemble"),
    ],
)
def test_what_is_missing_is_named(text, words):
    given = everything(2, members=1)
    own = Predictions(given["members"], given["difference"], given["foreground"])
    if "variant=" in text:
        own = Predictions(own.members, own.difference, own.foreground, attention=given["attention"])
    with pytest.raises(NotReady, match=rf"{text.partition(':')[0]}.*{words}"):
        strategy(text).score(own)


@every_score
def test_what_lies_outside_of_the_foreground_does_not_count(name):
    given = everything(2)
    given["foreground"][:, :, 12:] = False
    given["attention"][:, :, 12:] = 0.0
    given["reference"][:, :, 12:] = False
    expected = SCORES[name](Predictions(**given))
    for field in ("members", "variants"):
        given[field][..., 12:] = 0.5
    given["difference"][..., 12:] = 9.0
    assert np.allclose(SCORES[name](Predictions(**given)), expected)
