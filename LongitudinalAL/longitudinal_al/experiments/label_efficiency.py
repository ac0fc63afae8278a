"""How few labels do: the smallest labelled share that is not worse than full labelling, by all measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from longitudinal_al.evaluation.bootstrap import RESAMPLES, bootstrap_interval, draw_counts, replicate_curves
from longitudinal_al.experiments.curves import (
    MARGIN,
    MEASURES,
    Curve,
    Results,
    full_labelling,
    learning_curves,
)

_ROUNDING = 1e-9  # keeps 0.75 against 0.78 - 0.03 on the right side


@dataclass(frozen=True)
class Reach:
    """Where a learning curve comes up to full labelling less 0.03, in lesion Dice and lesion F1 at once.

    Attributes
    ----------
    strategy : str
    fraction : float or None
        Smallest labelled share of the pool at which the means do; None where they never do.
    low, high : float or None
        95 % interval of that share over seeds and patients; None where so many replicates never do.
    sure : float or None
        Smallest share at which the whole 95 % intervals of the differences to full labelling lie above -0.03.
    sure_of_patients : float or None
        The same with intervals over patients alone, of each one's mean over the seeds: what other patients
        would give with these very trainings.
    """

    strategy: str
    fraction: float | None
    low: float | None
    high: float | None
    sure: float | None
    sure_of_patients: float | None


def reaches(
    results: Results, generator: np.random.Generator | None = None, *, resamples: int = RESAMPLES
) -> list[Reach]:
    """Return for each strategy where it comes up to full labelling; empty where that was not measured.

    Parameters
    ----------
    results : mapping
        The JSON of `simulate`.
    generator : numpy.random.Generator, optional
        For the bootstrap; None starts from seed 0.
    resamples : int
        Number of replicates.
    """
    generator = generator or np.random.default_rng(0)
    full = {measure: full_labelling(results, measure) for measure in MEASURES}
    goals = {measure: goal for measure, goal in full.items() if goal is not None}
    if not goals:
        return []
    curves = {measure: learning_curves(results, measure) for measure in goals}
    return [
        _reach({measure: curves[measure][place] for measure in goals}, goals, generator, resamples)
        for place in range(len(next(iter(curves.values()))))
    ]


def _reach(
    curves: Mapping[str, Curve],
    goals: Mapping[str, np.ndarray],
    generator: np.random.Generator,
    resamples: int,
) -> Reach:
    first = next(iter(curves.values()))
    above = {
        measure: replace(curve, values=curve.values - goals[measure]) for measure, curve in curves.items()
    }
    means = np.stack([curve.mean for curve in above.values()])
    tables = {measure: curve.values for measure, curve in above.items()}
    drawn = _replicates(tables, generator, resamples)
    fractions = first.fractions
    low, high = (_percentile(fractions, drawn, share) for share in (2.5, 97.5))
    return Reach(
        first.strategy,
        _first(fractions, np.all(means >= -MARGIN - _ROUNDING, axis=0)),
        low,
        high,
        _first(fractions, _surely(tables, generator)),
        _first(fractions, _surely({name: _mean_over_seeds(one) for name, one in tables.items()}, generator)),
    )


def _mean_over_seeds(table: np.ndarray) -> np.ndarray:
    return table.mean(axis=0, keepdims=True)


def _surely(tables: Mapping[str, np.ndarray], generator: np.random.Generator) -> np.ndarray:
    """Return at which rounds no measure's interval goes below -0.03, (rounds,)."""
    shape = next(iter(tables.values())).shape
    sure = np.zeros(shape[1], bool)
    if shape[0] * shape[2] == 1:  # one seed and one patient give no interval, so nothing is sure
        return sure
    for number in range(shape[1]):
        lows = [
            bootstrap_interval(table[:, number], generator).low
            for table in tables.values()
            if np.isfinite(table[:, number]).any()
        ]
        sure[number] = bool(lows) and min(lows) >= -MARGIN - _ROUNDING
    return sure


def _replicates(
    tables: Mapping[str, np.ndarray], generator: np.random.Generator, resamples: int
) -> np.ndarray:
    """Return the round at which each replicate comes up to the goals; the number of rounds if none."""
    seeds, rounds, patients = next(iter(tables.values())).shape
    by_seed, by_patient = draw_counts(seeds, patients, generator, resamples)
    up = np.ones((resamples, rounds), bool)
    for table in tables.values():
        up &= replicate_curves(table, by_seed, by_patient) >= -MARGIN - _ROUNDING  # NaN is never up
    return np.where(up.any(axis=1), up.argmax(axis=1), rounds)


def _percentile(fractions: np.ndarray, drawn: np.ndarray, share: float) -> float | None:
    """Return the fraction below which that share of the replicates lies; None where they never come up."""
    number = int(np.percentile(drawn, share, method="inverted_cdf"))
    return float(fractions[number]) if number < len(fractions) else None


def _first(fractions: np.ndarray, reached: NDArray[np.bool_]) -> float | None:
    where = np.flatnonzero(reached)
    return float(fractions[where[0]]) if len(where) else None
