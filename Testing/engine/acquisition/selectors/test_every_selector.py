"""What holds for every selector of every strategy, whatever the pool."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longitudinal_al.acquisition.candidates import UNUSABLE
from longitudinal_al.acquisition.neighbours import ROUNDING_MM, Neighbours
from longitudinal_al.acquisition.strategies import STRATEGIES

SELECTORS = sorted({one.selector for one in STRATEGIES.values()}, key=lambda one: one.__name__)
every_selector = pytest.mark.parametrize("selector", SELECTORS, ids=lambda one: one.__name__)
pools = st.fixed_dictionaries(
    {
        "count": st.integers(0, 60),
        "labelled": st.integers(0, 8),
        "slices": st.integers(1, 25),
        "seed": st.integers(0, 1000),
    }
)
spread = st.builds(Neighbours, st.sampled_from([0.0, 2.0, 3.0, 5.0, 40.0]), st.sampled_from([0, 0, 1, 2]))


def names(candidates, chosen):
    return [(str(candidates.pair[index]), int(candidates.slice[index])) for index in chosen]


def rank(selector, candidates, batch, neighbours=None, seed=0):
    return selector(candidates, batch, neighbours or Neighbours(), np.random.default_rng(seed))


@every_selector
@given(pool=pools, batch=st.integers(0, 20), neighbours=spread, shuffle=st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_a_batch_is_valid_and_does_not_depend_on_the_order_of_the_pool(
    selector, make_pool, pool, batch, neighbours, shuffle
):
    candidates = make_pool(**pool)
    chosen = rank(selector, candidates, batch, neighbours)
    assert len(chosen) == len(set(chosen)) <= batch
    assert all(0 <= index < len(candidates) for index in chosen)
    assert_spaced(candidates, chosen, neighbours.spacing_mm)
    assert_full_unless_all_is_closed(candidates, chosen, batch, neighbours)
    order = np.random.default_rng(shuffle).permutation(len(candidates))
    shuffled = candidates.take(order)
    assert names(shuffled, rank(selector, shuffled, batch, neighbours)) == names(candidates, chosen)


def assert_spaced(candidates, chosen, spacing_mm):
    done = candidates.labelled
    places = [(candidates.pair[index], candidates.position_mm[index]) for index in chosen]
    taken = list(zip(done.pair, done.position_mm, strict=True))
    for number, (pair, position) in enumerate(places):
        for other, there in taken + places[:number]:
            assert pair != other or abs(position - there) >= spacing_mm - ROUNDING_MM


def assert_full_unless_all_is_closed(candidates, chosen, batch, neighbours):
    choice = Neighbours(neighbours.spacing_mm).start(candidates)
    for index in chosen:
        choice.add(index)
    assert len(chosen) == batch or not choice.open.any()


@every_selector
def test_the_same_seed_gives_the_same_batch(selector, make_pool):
    candidates = make_pool(50, labelled=4)
    assert rank(selector, candidates, 10, seed=5) == rank(selector, candidates, 10, seed=5)


@every_selector
@pytest.mark.parametrize(("count", "batch"), [(0, 5), (1, 5), (3, 5), (5, 5), (5, 0), (5, -1)])
def test_small_pools_give_all_they_have(selector, make_pool, count, batch):
    assert len(rank(selector, make_pool(count), batch)) == max(0, min(count, batch))


@every_selector
def test_equal_scores_and_features_do_no_harm(selector, make_pool):
    candidates = make_pool(40, score=np.zeros(40), features=np.ones((40, 4)))
    assert len(set(rank(selector, candidates, 10))) == 10


@every_selector
def test_a_pool_without_any_usable_number_is_still_ranked(selector, make_pool):
    candidates = make_pool(12, labelled=2, score=np.full(12, np.nan), features=np.full((12, 4), np.nan))
    assert len(set(rank(selector, candidates, 20))) == 10


@pytest.mark.parametrize("name", ["entropy", "difference", "hybrid", "cluster_margin"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, UNUSABLE])
def test_a_score_that_is_no_number_comes_last(make_pool, name, bad):
    score = np.linspace(0.1, 1.0, 30)
    score[[3, 29]] = bad
    chosen = rank(STRATEGIES[name].selector, make_pool(30, score=score), 30)
    assert set(chosen[-2:]) == {3, 29}


@pytest.mark.parametrize("name", ["kcenter", "hybrid"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_features_that_are_no_numbers_come_last(make_pool, name, bad):
    features = np.random.default_rng(0).normal(size=(30, 4))
    features[[3, 29], 1] = bad
    chosen = rank(STRATEGIES[name].selector, make_pool(30, features=features), 30)
    assert set(chosen[-2:]) == {3, 29}
