"""Facility location, max-cover, information density, stochastic batches and the schedule."""

from dataclasses import replace

import numpy as np
import pytest

from longitudinal_al.acquisition.distances import unit_rows
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors.information_density import density, information_density
from longitudinal_al.acquisition.selectors.representative_to_uncertain import representative_to_uncertain
from longitudinal_al.acquisition.selectors.stochastic_batches import stochastic_batches
from longitudinal_al.acquisition.selectors.top import top
from longitudinal_al.acquisition.selectors.typiclust import typiclust
from longitudinal_al.acquisition.strategies import strategy


def rank(text, pool, batch, seed=0):
    return strategy(text).selector(pool, batch, Neighbours(), np.random.default_rng(seed))


def shortfalls(candidates, chosen, keep, whole_pool):
    """Return by how much each choice gains less than the best one would, every gain computed anew."""
    kept = sorted(range(len(candidates)), key=lambda i: -candidates.score[i])[: keep * len(chosen)]
    rows = unit_rows(candidates.features).astype(np.float64)
    known = unit_rows(candidates.labelled.features).astype(np.float64)
    target = rows if whole_pool else rows[kept]
    best = np.maximum(0.0, (target @ known.T).max(axis=1)) if len(known) else np.zeros(len(target))
    missing = []
    for one in chosen:
        gains = {i: np.maximum(target @ rows[i] - best, 0).sum() for i in kept}
        missing.append(max(gains.values()) - gains[one])
        best = np.maximum(best, target @ rows[one])
    return missing


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("labelled", [0, 6])
@pytest.mark.parametrize(("name", "whole_pool"), [("facility_location", False), ("max_cover", True)])
def test_every_choice_is_the_one_of_plain_greedy(make_pool, seed, labelled, name, whole_pool):
    candidates = make_pool(120, labelled=labelled, width=6, seed=seed, slices=1000)
    chosen = rank(f"{name}:keep=6", candidates, 8)
    assert max(shortfalls(candidates, chosen, 6, whole_pool)) < 1e-5


def test_max_cover_speaks_for_the_pool_and_facility_location_for_the_uncertain(make_pool):
    features = np.concatenate([np.tile([1.0, 0.0], (30, 1)), np.tile([0.0, 1.0], (10, 1))])
    score = np.where(np.arange(40) < 30, 0.1, 0.9)
    score[:2] = 1.0
    pool = make_pool(40, features=features, score=score, slices=1000)
    assert rank("max_cover", pool, 1)[0] < 30
    assert rank("facility_location", pool, 1)[0] >= 30


def test_density_is_the_mean_similarity_to_all():
    rows = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert density(rows) == pytest.approx(((1 + unit @ unit.T) / 2).mean(axis=1), abs=1e-5)


def test_information_density_passes_over_the_outlier(make_pool):
    features = np.tile([1.0, 0.0], (20, 1))
    features[7] = [-1.0, 0.0]
    score = np.full(20, 0.5)
    score[[7, 3]] = [0.9, 0.6]
    pool = make_pool(20, features=features, score=score, slices=1000)
    arguments = (pool, 1, Neighbours(), np.random.default_rng(0))
    assert information_density(*arguments) == [3]
    assert information_density(*arguments, beta=0.0) == [7]


def test_more_batches_find_a_more_uncertain_one_and_one_is_chance(make_pool):
    pool = make_pool(200, slices=1000)

    def mean_of(batches):
        found = [
            stochastic_batches(pool, 10, Neighbours(), np.random.default_rng(s), batches=batches)
            for s in range(20)
        ]
        return np.mean([pool.score[chosen].mean() for chosen in found])

    one, hundred = mean_of(1), mean_of(100)
    assert abs(one - pool.score.mean()) < 0.05
    assert one + 0.1 < hundred < np.sort(pool.score)[-10:].mean()


def test_the_most_uncertain_of_the_drawn_batches_is_returned_best_first(make_pool):
    pool = make_pool(6, slices=1000)
    chosen = stochastic_batches(pool, 3, Neighbours(), np.random.default_rng(0), batches=500)
    assert chosen == np.argsort(-pool.score)[:3].tolist()


def test_the_schedule_goes_from_typical_to_uncertain(make_pool):
    pool = make_pool(80, slices=1000)
    arguments = (6, Neighbours())
    typical = typiclust(pool, *arguments, np.random.default_rng(0))
    uncertain = top(pool, *arguments, np.random.default_rng(0))

    def chosen_in(number):
        candidates = replace(pool, round=number, rounds=4)
        return representative_to_uncertain(candidates, *arguments, np.random.default_rng(0))

    assert chosen_in(2) == typical
    assert chosen_in(4) == uncertain
    assert len(set(chosen_in(3)) & set(uncertain)) >= 3
    assert set(chosen_in(3)) & set(typical)
