"""The recipe's batches: strata by their shares, patients, and what each setting switches off."""

from dataclasses import replace

import numpy as np
import pytest

from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.strategies import strategy


def rank(text, pool, batch, spacing_mm=0.0, seed=0):
    return strategy(text).selector(pool, batch, Neighbours(spacing_mm), np.random.default_rng(seed))


@pytest.fixture
def pool(make_pool):
    """Return 200 slice pairs of 200 patients; the first 50 lead by change, the next 50 by doubt."""
    score, change = np.full(200, 0.1), np.full(200, 0.1)
    change[:50] += 0.5 + np.arange(50) / 100
    score[50:100] += 0.5 + np.arange(50) / 100
    made = make_pool(200, slices=1, score=score)
    numbers = np.arange(200)
    return replace(
        made,
        patient=numbers.astype(str),
        change_score=change,
        difference=np.where(numbers < 50, numbers, 0.0),
        held_back=np.zeros(200, dtype=bool),
    )


def strata_of(chosen):
    return np.bincount(np.minimum(np.asarray(chosen) // 50, 2), minlength=3).tolist()


def test_strata_take_their_shares_in_any_beginning_of_the_batch(pool):
    assert strata_of(rank("recipe:audit=off", pool, 40)) == [20, 20, 0]
    chosen = rank("recipe", pool, 40, seed=1)
    assert strata_of(chosen)[0] >= 18
    assert strata_of(chosen)[1] >= 18
    assert strata_of(chosen[:10])[0] >= 4
    assert strata_of(rank("recipe:audit=off,change=off", pool, 40)) == [0, 40, 0]


def test_about_a_tenth_is_drawn_from_everything(pool):
    by_chance = np.mean([strata_of(rank("recipe", pool, 40, seed=seed))[2] for seed in range(60)])
    assert 1.2 < by_chance < 2.8  # four drawn, half of the pool is in neither stratum


def test_at_most_two_a_patient_until_all_were_visited_but_in_the_first_batch(pool):
    few = replace(pool, patient=np.where(np.arange(200) < 150, "a", np.char.add("p", pool.patient)))

    def of_a(text, batch):
        return sum(few.patient[index] == "a" for index in rank(text, few, batch))

    assert of_a("recipe", 40) == 2
    assert of_a("recipe:spread=off", 40) > 20
    assert of_a("recipe_start", 40) > 20


def test_spread_keeps_the_spacing_that_is_asked_for(make_pool):
    pool = make_pool(60, slices=60, spacing_mm=1.0)

    def nearest(text):
        places = np.sort(pool.position_mm[rank(text, pool, 10, spacing_mm=5.0)])
        return np.diff(places).min()

    assert nearest("recipe") >= 5.0
    assert nearest("recipe:spread=off") < 5.0


def test_the_first_batch_begins_with_the_largest_difference(pool):
    assert rank("recipe_start", pool, 5)[0] == 49
    by_difference = rank("recipe_start:start=off,audit=off", pool, 5)
    assert by_difference == [49, 48, 47, 46, 45]


@pytest.mark.parametrize("start", ["mdal", "typiclust", "strided"])
def test_half_of_the_first_batch_shows_other_kinds(pool, start):
    chosen = rank(f"recipe_start:start={start},audit=off", pool, 20)
    assert 10 <= strata_of(chosen)[0] <= 18
    assert len([index for index in chosen if index < 40]) <= 8


def test_with_noise_early_batches_differ_more_than_late_ones(pool):
    def common(number):
        early = replace(pool, round=number, rounds=5)
        first, second = (set(rank("recipe:noise=on,audit=off", early, 20, seed=s)) for s in (1, 2))
        return len(first & second)

    assert common(1) < common(5)
