import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors import kcenter as module
from longitudinal_al.acquisition.selectors.kcenter import kcenter


def rank(candidates, batch):
    return kcenter(candidates, batch, Neighbours(), np.random.default_rng(0))


def plain_kcenter(features, labelled, batch):
    """Return the greedy k-center from all distances at once, in float64."""
    everything = np.concatenate([features, labelled]).astype(float)
    distance = np.sqrt(((everything[:, None] - everything[None]) ** 2).sum(axis=2))
    centres, chosen = list(range(len(features), len(everything))), []
    if not centres:
        away = ((features - features.mean(axis=0)) ** 2).sum(axis=1)
        chosen = centres = [int(away.argmin())]
        centres = list(centres)
    while len(chosen) < batch:
        nearest = distance[: len(features), centres].min(axis=1)
        nearest[chosen] = -1.0
        chosen.append(int(nearest.argmax()))
        centres.append(chosen[-1])
    return chosen


@given(
    count=st.integers(12, 80), labelled=st.integers(0, 6), width=st.integers(1, 20), seed=st.integers(0, 999)
)
@settings(max_examples=60, deadline=None)
def test_agrees_with_the_plain_way(make_pool, count, labelled, width, seed):
    candidates = make_pool(count, labelled=labelled, width=width, seed=seed, slices=100)
    expected = plain_kcenter(candidates.features, candidates.labelled.features, 5)
    assert rank(candidates, 5) == expected


def test_agrees_across_several_slabs_of_rows_and_labels(make_pool, monkeypatch):
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 16)
    monkeypatch.setattr(module, "LABELLED_AT_ONCE", 8)
    candidates = make_pool(150, labelled=50, width=8, slices=1000)
    expected = plain_kcenter(candidates.features, candidates.labelled.features, 20)
    assert rank(candidates, 20) == expected


def test_known_answer_on_a_line(make_pool):
    candidates = make_pool(6, features=[[0.0], [1.0], [2.0], [3.0], [4.0], [10.0]])
    assert rank(candidates, 4) == [3, 5, 0, 1]


def test_equal_slice_pairs_come_after_all_that_differ(make_pool):
    features = np.repeat(np.random.default_rng(0).normal(size=(5, 8)), 6, axis=0)
    chosen = rank(make_pool(30, features=features), 5)
    assert {index // 6 for index in chosen} == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("score", [np.zeros(20), np.arange(20.0)])
def test_scores_play_no_part(make_pool, score):
    features = np.random.default_rng(4).normal(size=(20, 3))
    assert rank(make_pool(20, features=features, score=score), 6) == rank(make_pool(20, features=features), 6)
