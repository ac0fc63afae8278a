"""What a strategy gets to see: what its needs name, and never more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from longitudinal_al.acquisition.strategies import Needs, ScoreSource, strategy
from longitudinal_al.choosing import acquire
from longitudinal_al.errors import NotReady
from longitudinal_al.evaluation.annotation_cost import ASSUMED
from longitudinal_al.evidence import Evidence
from longitudinal_al.network.architecture import Architecture, ChangeNetwork
from longitudinal_al.network.contrast import Contrast
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.records import Verdict
from longitudinal_al.project.store import Project
from longitudinal_al.scoring import features_alone, score_rows

ROWS = [3, 7, 20]
PLAIN = strategy("entropy")


@pytest.fixture(scope="module")
def pool(prepared_once) -> Pool:
    with Project.open(prepared_once) as project:
        return Pool.open(project)


@pytest.fixture(scope="module")
def network() -> ChangeNetwork:
    torch.manual_seed(0)
    return ChangeNetwork(Architecture(widths=(8, 8, 16, 16), predicts_loss=True)).eval()


@pytest.fixture(scope="module")
def references(pool) -> dict[int, np.ndarray]:
    masks = {}
    for name, pair in pool.pairs.items():
        slices = pair.reference_slices()
        masks.update({pool.find(name, index): slices[index] for index in pair.record.slices})
    return masks


def seen_by(pool, network, needs, given=None):
    """Return what a score gets to see with these needs."""
    views = []

    def looking(view):
        views.append(view)
        return torch.zeros(len(view))

    wanted = replace(PLAIN, score=looking, needs=Needs.MODEL | needs)
    score_rows(pool, wanted, [network], ROWS, given=given or Evidence())
    return views[0]


FIELDS = {
    Needs.VARIANTS: "variants",
    Needs.ATTENTION: "attention",
    Needs.PREDICTED_LOSS: "predicted_loss",
    Needs.FITTED_MISALIGNMENT: "expected_misalignment",
}


@pytest.mark.parametrize("need", FIELDS, ids=lambda need: need.name)
def test_a_score_sees_what_its_strategy_needs_and_nothing_else(pool, network, need):
    view = seen_by(pool, network, need)
    for other, name in FIELDS.items():
        assert (getattr(view, name) is not None) == (other is need), name
    assert view.reference is None


def test_references_are_seen_in_simulations_by_those_that_need_them(pool, network, references):
    given = Evidence(references=references)
    assert seen_by(pool, network, Needs.NOTHING, given).reference is None
    found = seen_by(pool, network, Needs.LABELS, given).reference
    expected = [pool.mask_to_network(row, references[row]) for row in ROWS]
    assert np.array_equal(found.numpy(), np.stack(expected))


@pytest.mark.parametrize(
    ("need", "words"),
    [(Needs.LABELS, "simulate"), (Needs.CONTRAST, "two times"), (Needs.COST, "how long")],
    ids=["labels", "contrast", "cost"],
)
def test_what_is_not_there_is_refused_in_words(pool, network, need, words):
    wanted = replace(PLAIN, needs=PLAIN.needs | need)
    with pytest.raises(NotReady, match=words):
        score_rows(pool, wanted, [network], ROWS)


def contrast_of(pool) -> Contrast:
    numbers = np.arange(len(pool), dtype=np.float32)
    return Contrast(-numbers, np.stack([numbers, numbers**2], axis=1))


def test_scores_without_a_network_come_from_where_they_are_said_to(pool, references):
    given = Evidence(contrast=lambda: contrast_of(pool), references=references)
    plain = replace(PLAIN, needs=Needs.CONTRAST | Needs.LABELS)
    found = {
        source: score_rows(pool, replace(plain, score=source), [], ROWS, given=given)
        for source in ScoreSource
    }
    assert found[ScoreSource.NONE].score.tolist() == [0, 0, 0]
    assert found[ScoreSource.CONTRAST].score.tolist() == [-3, -7, -20]
    assert found[ScoreSource.CONTRAST].features.tolist() == [[3, 9], [7, 49], [20, 400]]
    assert found[ScoreSource.DIFFERENCE].score.tolist() == [
        pool.entries[row].difference_score for row in ROWS
    ]
    changed = [float((references[row] > 0).sum()) for row in ROWS]
    assert found[ScoreSource.REFERENCE].score.tolist() == changed


@pytest.mark.parametrize("need", [Needs.FEATURES, Needs.GRADIENTS, Needs.CONTRAST], ids=lambda n: n.name)
def test_labelled_slice_pairs_get_the_same_kind_of_features(pool, network, need):
    given = Evidence(contrast=lambda: contrast_of(pool))
    wanted = replace(PLAIN, needs=PLAIN.needs | need)
    ours = score_rows(pool, wanted, [network], ROWS, given=given).features
    theirs = score_rows(pool, features_alone(wanted), [network], ROWS, given=given).features
    assert ours.shape == theirs.shape
    assert np.allclose(ours, theirs)
    assert ours.std(axis=0).max() > 0


def chosen_with(pool, network, given, **changes):
    """Return the candidates that a selector gets."""
    seen = []

    def looking(candidates, batch, neighbours, generator, interrupt=None):
        seen.append(candidates)
        return list(range(batch))

    wanted = replace(PLAIN, selector=looking, **changes)
    acquire(pool, wanted, [network], [0, 1], 2, spacing_mm=0, seed=0, given=given)
    return seen[0]


class SecondsByRow:
    """Stands for `SecondsPredictor`, with times that are easily checked."""

    model = ASSUMED

    def __call__(self, rows, expected):
        return np.asarray(rows) + expected


def test_a_selector_sees_the_columns_beside_the_score(pool, network):
    given = Evidence(seconds=SecondsByRow(), round=3, rounds=9)
    columns = {"predicted_change": lambda view: view.mean().sum((1, 2))}
    candidates = chosen_with(pool, network, given, also=columns, needs=PLAIN.needs | Needs.COST)
    open_rows = np.arange(2, len(pool))
    assert candidates.difference.tolist() == [pool.entries[row].difference_score for row in open_rows]
    assert (candidates.predicted_change > 0).all()
    assert np.allclose(candidates.seconds, open_rows + candidates.predicted_change)
    assert (candidates.round, candidates.rounds, candidates.time_model) == (3, 9, "assumed")
    assert not candidates.held_back.any()
    without = chosen_with(pool, network, given)
    assert without.seconds is None
    assert without.predicted_change is None


def test_pairs_whose_registration_is_doubtful_are_held_back(small_project, network):
    first = small_project.pairs()[0]
    small_project.overrule(first.id, Verdict.LOOK, "tester")
    pool = Pool.open(small_project)
    candidates = chosen_with(pool, network, Evidence())
    assert np.array_equal(candidates.held_back, candidates.pair == first.id)
