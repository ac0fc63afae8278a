import math

import numpy as np
import pytest

from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors.hybrid import KEEP, hybrid, redundancy


def rank(candidates, batch, spacing_mm=0.0):
    return hybrid(candidates, batch, Neighbours(spacing_mm), np.random.default_rng(0))


def test_redundancy_of_known_rows():
    rows = np.array([[1, -1, 0, 0], [0, 0, 1, -1], [2, -2, 0, 0], [1, -1, 1, -1]], dtype=np.float32)
    found = redundancy(rows[:1], rows)[0]
    same = 1.0 - 0.5 * math.log(1 - 0.999**2)
    half = math.sqrt(0.5) + 0.5 * math.log(2)
    assert found.tolist() == pytest.approx([same, 0.0, same, half], abs=1e-4)


def test_information_counts_opposite_rows_and_similarity_does_not():
    rows = np.array([[1, -1, 0, 0], [-1, 1, 0, 0]], dtype=np.float32)
    assert redundancy(rows[:1], rows[1:]).item() == pytest.approx(
        -1.0 - 0.5 * math.log(1 - 0.999**2), abs=1e-3
    )


def test_rows_without_variation_are_redundant_with_nothing():
    assert redundancy(np.zeros((2, 4), np.float32), np.zeros((3, 4), np.float32)).tolist() == [[0.0] * 3] * 2


def test_without_labels_the_most_uncertain_is_first_and_a_repetition_of_it_last(make_pool):
    rows = np.array([[5, 0, 0, 1], [5, 0.01, 0, 1], [0, 5, 0, -1], [0, 0, 5, 2]])
    chosen = rank(make_pool(4, features=rows, score=[1.0, 0.9, 0.5, 0.4]), 4)
    assert chosen[0] == 0
    assert chosen[-1] == 1


def test_what_repeats_a_labelled_slice_pair_comes_after_what_does_not(make_pool):
    generator = np.random.default_rng(0)
    candidates = make_pool(40, labelled=8, width=32, seed=1)
    features = generator.normal(size=candidates.features.shape).astype(np.float32)
    features[:8] = candidates.labelled.features + 0.01 * generator.normal(size=(8, 32))
    candidates.features[:] = features
    chosen = rank(candidates, 32)
    assert min(chosen.index(number) for number in range(8)) >= 24


def test_only_the_most_uncertain_take_part(make_pool):
    score = np.linspace(0, 1, 200)
    chosen = rank(make_pool(200, score=score, width=8), 5)
    assert min(chosen) >= 200 - KEEP * 5


def test_when_the_spacing_closes_all_uncertain_ones_the_next_fill_the_batch(make_pool):
    score = np.r_[np.ones(30), np.zeros(60)]
    candidates = make_pool(90, slices=30, spacing_mm=1.0, score=score)
    chosen = rank(candidates, 3, spacing_mm=50.0)
    assert len(chosen) == 3
    assert chosen[0] < 30 <= min(chosen[1:])
