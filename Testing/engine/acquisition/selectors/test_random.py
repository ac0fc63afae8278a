import numpy as np

from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors.random import random


def test_every_slice_pair_is_as_likely_as_any_other(make_pool):
    candidates = make_pool(10)
    generator = np.random.default_rng(0)
    counts = np.bincount(
        [index for _ in range(4000) for index in random(candidates, 2, Neighbours(), generator)], minlength=10
    )
    assert np.abs(counts - 800).max() < 4 * np.sqrt(800 * 0.8)


def test_another_seed_gives_another_batch(make_pool):
    candidates = make_pool(60)
    batches = {tuple(random(candidates, 5, Neighbours(), np.random.default_rng(seed))) for seed in range(20)}
    assert len(batches) == 20
