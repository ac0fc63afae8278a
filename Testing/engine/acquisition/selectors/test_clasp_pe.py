"""ClaSP PE and power sampling against the papers' formulas."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors.clasp_pe import beta_of, clasp_pe
from longitudinal_al.acquisition.selectors.power import power, power_order


def plain_clasp(candidates, batch, beta, seed):
    """Return two thirds by p H, one third by H, each by log-score + Gumbel(0, 1 / beta), in turns."""
    generator = np.random.default_rng(seed)
    noisy = [
        np.log(score) + generator.gumbel(0.0, 1.0, size=len(score)) / beta
        for score in (candidates.change_score, candidates.score)
    ]
    chosen: list[int] = []
    for turn in range(batch):
        one = (0, 1, 0)[turn % 3]
        chosen.append(
            max((i for i in range(len(noisy[one])) if i not in chosen), key=lambda i: noisy[one][i])
        )
    return chosen


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("number", [2, 3, 4])
def test_agrees_with_the_papers_formula(make_pool, seed, number):
    candidates = make_pool(60, seed=seed, round_number=number, slices=1000)
    found = clasp_pe(candidates, 12, Neighbours(), np.random.default_rng(seed))
    assert found == plain_clasp(candidates, 12, 100.0 ** ((number - 2) / 2), seed)


def test_beta_rises_from_1_to_100_and_stays():
    assert [beta_of(number, 6, 1.0, 100.0) for number in (2, 6, 9)] == pytest.approx([1.0, 100.0, 100.0])
    assert beta_of(4, 6, 1.0, 100.0) == pytest.approx(10.0)
    assert beta_of(3, None, 1.0, 100.0) == pytest.approx(100 ** (1 / 3))
    assert beta_of(2, 2, 1.0, 100.0) == pytest.approx(100.0)


def test_noise_fades_over_the_rounds(make_pool):
    def common(number):
        pool = make_pool(60, round_number=number, slices=1000)
        first, second = (set(clasp_pe(pool, 12, Neighbours(), np.random.default_rng(s))) for s in (1, 2))
        return len(first & second)

    assert common(2) < 8 < common(4)


def test_power_draws_in_proportion_to_score_to_the_power_of_beta(make_pool):
    score = np.array([1.0, 2.0, 3.0, 4.0])
    pool = replace(make_pool(4, slices=1000), score=score)
    for seed in range(20):
        first = power_order(score, 2.0, np.random.default_rng(seed))[0]
        assert power(pool, 1, Neighbours(), np.random.default_rng(seed), beta=2.0) == [first]
    counts = Counter(int(power_order(score, 2.0, np.random.default_rng(s))[0]) for s in range(3000))
    found = np.array([counts[index] for index in range(4)]) / 3000
    assert found == pytest.approx(np.array([1, 4, 9, 16]) / 30, abs=0.03)


def test_with_a_large_beta_power_takes_the_highest_and_zero_scores_come_after(make_pool):
    score = np.array([0.0, 0.2, 0.0, 0.9, 0.5, np.nan])
    pool = replace(make_pool(6, slices=1000), score=score)
    chosen = power(pool, 6, Neighbours(), np.random.default_rng(0), beta=1e6)
    assert chosen[:3] == [3, 4, 1]
    assert set(chosen[3:5]) == {0, 2}
