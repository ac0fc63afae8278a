"""Intervals over seeds and patients: known limits, coverage of the truth, pairing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from longitudinal_al.errors import InvalidInput
from longitudinal_al.evaluation.bootstrap import bootstrap_interval, paired_difference


def test_one_value_has_no_width(generator: np.random.Generator) -> None:
    interval = bootstrap_interval(np.array([[0.6]]), generator)
    assert (interval.mean, interval.low, interval.high) == (0.6, 0.6, 0.6)


def test_mean_and_width_agree_with_scipy_when_only_patients_vary(generator: np.random.Generator) -> None:
    patients = generator.random(30)
    ours = bootstrap_interval(np.tile(patients, (5, 1)), generator, resamples=8000)
    theirs = stats.bootstrap((patients,), np.mean, method="percentile", rng=generator).confidence_interval
    assert ours.mean == pytest.approx(patients.mean())
    assert ours.low == pytest.approx(theirs.low, abs=0.01)
    assert ours.high == pytest.approx(theirs.high, abs=0.01)


def test_further_seeds_do_not_stand_in_for_patients(generator: np.random.Generator) -> None:
    patients = generator.random(12)
    widths = []
    for seeds in (2, 50):
        interval = bootstrap_interval(np.tile(patients, (seeds, 1)), generator)
        widths.append(interval.high - interval.low)
    assert widths[1] == pytest.approx(widths[0], rel=0.1)


def test_interval_covers_the_truth_about_as_often_as_it_says(generator: np.random.Generator) -> None:
    covered = 0
    for _ in range(200):
        patients = 0.15 * generator.standard_normal(25)
        seeds = 0.02 * generator.standard_normal((6, 1))
        values = 0.6 + patients + seeds + 0.03 * generator.standard_normal((6, 25))
        interval = bootstrap_interval(values, generator, resamples=400)
        covered += interval.low <= 0.6 <= interval.high
    assert 0.88 <= covered / 200 <= 0.99


def test_undefined_cells_are_left_out(generator: np.random.Generator) -> None:
    table = np.array([[0.2, np.nan, 0.4], [0.2, np.nan, np.nan]])
    interval = bootstrap_interval(table, generator)
    assert interval.mean == pytest.approx(0.8 / 3)
    assert interval.low == pytest.approx(0.2)
    assert interval.high == pytest.approx(0.4)
    for nothing in (np.full((2, 3), np.nan), np.empty((0, 3)), np.ones(3)):
        with pytest.raises(InvalidInput, match="no defined value"):
            bootstrap_interval(nothing, generator)


def test_pairing_takes_the_difference_between_patients_out(generator: np.random.Generator) -> None:
    patients = generator.random((1, 20))
    worse = patients + 0.01 * generator.standard_normal((5, 20))
    better = worse + 0.05 + 0.01 * generator.standard_normal((5, 20))
    paired = paired_difference(better, worse, generator)
    assert paired.low > 0.04
    assert paired.high < 0.06
    alone = bootstrap_interval(better, generator)
    assert alone.high - alone.low > 5 * (paired.high - paired.low)


def test_tables_that_do_not_match_are_refused(generator: np.random.Generator) -> None:
    with pytest.raises(InvalidInput, match="cannot be paired"):
        paired_difference(np.zeros((2, 3)), np.zeros((2, 4)), generator)


def test_the_same_generator_gives_the_same_interval() -> None:
    table = np.random.default_rng(0).random((3, 9))
    first, again = (bootstrap_interval(table, np.random.default_rng(4)) for _ in range(2))
    assert first == again
    assert str(first).startswith(f"{table.mean():.3f} (")
