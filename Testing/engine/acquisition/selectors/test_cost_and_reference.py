"""Score for a second of work, and the arm that knows where the change is."""

from dataclasses import replace

import numpy as np
import pytest

from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.strategies import strategy


def rank(text, pool, batch, seed=0):
    return strategy(text).selector(pool, batch, Neighbours(), np.random.default_rng(seed))


def test_a_little_less_information_in_a_tenth_of_the_time_comes_first(make_pool):
    pool = make_pool(3, score=[0.6, 0.5, 0.1], slices=1000)
    pool = replace(pool, seconds=np.array([60.0, 6.0, 3.0]))
    assert rank("score_per_second", pool, 3) == [1, 2, 0]
    assert rank("score_per_second:power=0", pool, 3) == [0, 1, 2]


def test_a_slice_pair_without_predicted_seconds_counts_with_the_median(make_pool):
    pool = make_pool(4, score=[0.5, 0.5, 0.5, 0.5], slices=1000)
    pool = replace(pool, seconds=np.array([10.0, np.nan, 30.0, 20.0]))
    assert rank("score_per_second", pool, 4) == [0, 1, 3, 2]


@pytest.mark.parametrize(("share", "least", "most"), [(1, 12, 12), (2 / 3, 8, 11), (0, 0, 6)])
def test_foreground_random_takes_its_share_from_what_has_change(make_pool, share, least, most):
    pool = make_pool(300, score=np.where(np.arange(300) % 10 == 0, 40.0, 0.0), slices=1000)
    chosen = rank(f"foreground_random:share={share}", pool, 12)
    assert least <= int((pool.score[chosen] > 0).sum()) <= most
    assert chosen != rank(f"foreground_random:share={share}", pool, 12, seed=1)
