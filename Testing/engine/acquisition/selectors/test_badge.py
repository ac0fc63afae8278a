"""BADGE against a plain k-means++ over gradients."""

import numpy as np
import pytest

from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors.badge import badge


def plain_badge(gradients, batch, seed):
    """Return k-means++ by the book: the longest first, then by squared distance to the nearest chosen."""
    generator = np.random.default_rng(seed)
    rows = gradients.astype(np.float64)
    chosen = [int((rows**2).sum(axis=1).argmax())]
    while len(chosen) < batch:
        squared = np.array([min(((row - rows[c]) ** 2).sum() for c in chosen) for row in rows])
        squared[chosen] = 0.0
        chance = np.cumsum(squared) / squared.sum()
        chosen.append(int(np.searchsorted(chance, generator.random(), side="right")))
    return chosen


@pytest.mark.parametrize("seed", range(20))
def test_agrees_with_k_means_plus_plus(make_pool, seed):
    candidates = make_pool(70, width=5, seed=seed, slices=1000)
    found = badge(candidates, 12, Neighbours(), np.random.default_rng(seed))
    assert found == plain_badge(candidates.features, 12, seed)


def test_every_direction_is_drawn_and_one_of_the_many_short_gradients(make_pool):
    features = 1e-6 * np.random.default_rng(0).normal(size=(50, 4))
    features[[5, 17, 30, 44]] = 10 * np.eye(4)
    pool = make_pool(50, features=features, slices=1000)
    for seed in range(10):
        chosen = badge(pool, 5, Neighbours(), np.random.default_rng(seed))
        assert {5, 17, 30, 44} < set(chosen)


def test_equal_gradients_are_drawn_once(make_pool):
    features = np.repeat(np.eye(4), 10, axis=0)
    chosen = badge(make_pool(40, features=features, slices=1000), 4, Neighbours(), np.random.default_rng(3))
    assert {index // 10 for index in chosen} == {0, 1, 2, 3}
