"""What holds for the selector of every strategy, with its settings, whatever the pool."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longitudinal_al.acquisition.candidates import UNUSABLE
from longitudinal_al.acquisition.neighbours import ROUNDING_MM, Neighbours
from longitudinal_al.acquisition.strategies import STRATEGIES, strategy
from longitudinal_al.errors import Cancelled

OTHER_SETTINGS = [
    *("typiclust:features=contrast", "probcover:delta=0.5", "stochastic_batches:batches=1"),
    *("power_bald:beta=0", "foreground_random:share=0", "foreground_random:share=1"),
    *("clasp_pe:stratified=0", "clasp_pe:stratified=1", "facility_location:keep=1"),
]
TEXTS = [*STRATEGIES, *OTHER_SETTINGS]
every_strategy = pytest.mark.parametrize("text", TEXTS)
pools = st.fixed_dictionaries(
    {
        "count": st.integers(0, 60),
        "labelled": st.integers(0, 8),
        "slices": st.integers(1, 25),
        "seed": st.integers(0, 1000),
        "round_number": st.integers(1, 6),
    }
)
spread = st.builds(Neighbours, st.sampled_from([0.0, 2.0, 3.0, 5.0, 40.0]))


def names(candidates, chosen):
    return [(str(candidates.pair[index]), int(candidates.slice[index])) for index in chosen]


def rank(text, candidates, batch, neighbours=None, seed=0):
    selector = strategy(text).selector
    return selector(candidates, batch, neighbours or Neighbours(), np.random.default_rng(seed))


@every_strategy
@given(pool=pools, batch=st.integers(0, 20), neighbours=spread, shuffle=st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_a_batch_is_valid_and_does_not_depend_on_the_order_of_the_pool(
    text, make_pool, pool, batch, neighbours, shuffle
):
    candidates = make_pool(**pool)
    chosen = rank(text, candidates, batch, neighbours)
    assert len(chosen) == len(set(chosen)) <= batch
    assert all(0 <= index < len(candidates) for index in chosen)
    assert_spaced(candidates, chosen, neighbours.spacing_mm)
    assert_full_unless_all_is_closed(candidates, chosen, batch, neighbours)
    order = np.random.default_rng(shuffle).permutation(len(candidates))
    shuffled = candidates.take(order)
    assert names(shuffled, rank(text, shuffled, batch, neighbours)) == names(candidates, chosen)


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


@every_strategy
def test_the_same_seed_gives_the_same_batch(text, make_pool):
    candidates = make_pool(50, labelled=4)
    assert rank(text, candidates, 10, seed=5) == rank(text, candidates, 10, seed=5)


@every_strategy
@pytest.mark.parametrize(("count", "batch"), [(0, 5), (1, 5), (3, 5), (5, 5), (5, 0), (5, -1)])
def test_small_pools_give_all_they_have(text, make_pool, count, batch):
    assert len(rank(text, make_pool(count), batch)) == max(0, min(count, batch))


@every_strategy
def test_equal_scores_and_features_do_no_harm(text, make_pool):
    candidates = make_pool(40, score=np.zeros(40), features=np.ones((40, 4)))
    assert len(set(rank(text, candidates, 10))) == 10


@every_strategy
def test_features_without_any_length_do_no_harm(text, make_pool):
    assert len(set(rank(text, make_pool(40, labelled=3, features=np.zeros((40, 4))), 10))) == 10


@every_strategy
@pytest.mark.filterwarnings("error")
def test_a_pool_without_any_usable_number_is_still_ranked(text, make_pool):
    pool = make_pool(12, labelled=2, score=np.full(12, np.nan), features=np.full((12, 4), np.nan))
    bad = np.full(len(pool), np.nan)
    columns = ("change_score", "difference", "seconds", "predicted_change", "sure_change")
    pool = replace(pool, **dict.fromkeys(columns, bad))
    assert len(set(rank(text, pool, 20))) == 10


BY_SCORE = [
    *("entropy", "difference", "hybrid", "cluster_margin", "mdal_max", "power_bald", "score_per_second"),
    *("information_density", "facility_location", "max_cover", "mdal_diverse"),
]


@pytest.mark.parametrize("name", BY_SCORE)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, UNUSABLE])
def test_a_score_that_is_no_number_comes_last(make_pool, name, bad):
    score = np.linspace(0.1, 1.0, 30)
    score[[3, 29]] = bad
    chosen = rank(name, replace(make_pool(30, score=score), held_back=np.zeros(30, dtype=bool)), 30)
    assert set(chosen[-2:]) == {3, 29}


@pytest.mark.parametrize(
    ("name", "round_number", "batch"),
    [("clasp_pe", 1, 20), ("stochastic_batches", 1, 5), ("representative_to_uncertain", 9, 5)],
)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, UNUSABLE])
def test_where_chance_takes_part_too_a_few_that_are_no_numbers_are_left(
    make_pool, name, round_number, batch, bad
):
    score = np.linspace(0.1, 1.0, 30)
    score[[3, 29]] = bad
    pool = make_pool(30, score=score, round_number=round_number)
    pool = replace(pool, change_score=score, held_back=np.zeros(30, dtype=bool))
    for seed in range(20):
        assert not {3, 29} & set(rank(name, pool, batch, seed=seed))


BY_FEATURES = ["kcenter", "hybrid", "typiclust", "probcover", "badge", "mdal_diverse", "information_density"]


@pytest.mark.parametrize("name", BY_FEATURES)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_features_that_are_no_numbers_come_last(make_pool, name, bad):
    features = np.random.default_rng(0).normal(size=(30, 4))
    features[[3, 29], 1] = bad
    pool = replace(make_pool(30, features=features), held_back=np.zeros(30, dtype=bool))
    assert set(rank(name, pool, 30)[-2:]) == {3, 29}


@pytest.mark.parametrize("name", ["mdal_max", "mdal_diverse", "difference", "entropy", "recipe"])
def test_pairs_whose_registration_failed_come_last(make_pool, name):
    pool = make_pool(60, slices=6)
    chosen = rank(name, pool, 60)
    held = int(pool.held_back.sum())
    assert held == 12
    assert set(chosen[-held:]) == set(np.flatnonzero(pool.held_back))


@every_strategy
def test_a_selector_can_be_called_off_at_any_of_its_steps(text, make_pool):
    pool, calls = make_pool(60, labelled=5), []

    def count():
        calls.append(1)

    def stop_at_the_third():
        calls.append(1)
        if len(calls) >= 3:
            raise Cancelled

    selector = strategy(text).selector
    chosen = selector(pool, 10, Neighbours(3.0), np.random.default_rng(0), count)
    assert len(calls) >= len(chosen) == 10
    calls.clear()
    with pytest.raises(Cancelled):
        selector(pool, 10, Neighbours(3.0), np.random.default_rng(0), stop_at_the_third)


WITHOUT = {
    "clasp_pe": "change_score",
    "score_per_second": "seconds",
}


@pytest.mark.parametrize("name", [*WITHOUT, *sorted(set(BY_FEATURES) | {"max_cover", "facility_location"})])
def test_what_is_missing_is_named_together_with_who_needs_it(make_pool, name):
    from longitudinal_al.errors import NotReady

    with pytest.raises(NotReady, match=name):
        rank(name, replace(make_pool(9), **{WITHOUT.get(name, "features"): None}), 3)
