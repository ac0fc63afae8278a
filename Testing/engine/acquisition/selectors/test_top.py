import numpy as np

from longitudinal_al.acquisition.candidates import Candidates
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors.top import top


def rank(candidates, batch, spacing_mm=0.0):
    return top(candidates, batch, Neighbours(spacing_mm), np.random.default_rng(0))


def test_the_highest_come_first_and_near_ones_are_passed_over(make_pool):
    candidates = make_pool(6, slices=6, spacing_mm=3.0, score=[0.1, 0.9, 1.0, 0.2, 0.8, 0.3])
    assert rank(candidates, 3) == [2, 1, 4]
    assert rank(candidates, 3, spacing_mm=5.0) == [2, 4, 0]


def test_ties_are_broken_by_pair_then_slice():
    candidates = Candidates(["b", "a", "a"], ["p"] * 3, [0, 7, 5], [0.0] * 3, [1.0] * 3)
    assert rank(candidates, 3) == [2, 1, 0]
