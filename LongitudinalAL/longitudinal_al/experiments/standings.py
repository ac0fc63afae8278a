"""How the strategies of an experiment stand: label efficiency, differences to random, and who beats whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from longitudinal_al.evaluation.bootstrap import Interval, bootstrap_interval, paired_difference
from longitudinal_al.experiments.curves import (
    MARGIN,
    Curve,
    Results,
    area_under,
    common_range,
    full_labelling,
    learning_curves,
    mean_defined,
    smallest_fraction,
)

YARDSTICK = "random"


@dataclass(frozen=True)
class StrategySummary:
    """
    One strategy by one measure.

    Attributes
    ----------
    strategy : str
    area : Interval
        Mean height of the curve over the labelled fractions that all strategies cover.
    last : Interval
        The measure after the last round.
    last_fraction : float
        Share of the pool labelled by then.
    reaches : float or None
        Smallest labelled fraction whose mean is not worse than full labelling by 0.03.
    surely_reaches : float or None
        Smallest labelled fraction at which the whole interval of the difference to full labelling is above
        −0.03.
    against_random : Interval or None
        `area` minus that of `random`, on the same seeds and patients; None for `random` itself or without it.
    """

    strategy: str
    area: Interval
    last: Interval
    last_fraction: float
    reaches: float | None
    surely_reaches: float | None
    against_random: Interval | None


def summarise(
    results: Results, measure: str = "dice", generator: np.random.Generator | None = None
) -> list[StrategySummary]:
    """
    Summarise each strategy by one measure, best area first.

    Strategies for which the measure is not defined after the last round are left out.

    Parameters
    ----------
    results : mapping
        The JSON of `simulate`.
    measure : str
        A key of `curves.MEASURES`.
    generator : numpy.random.Generator or None
        For the bootstrap; None starts from seed 0, so that a report written again is the same word for word.
    """
    generator = generator or np.random.default_rng(0)
    curves = _complete_curves(results, measure)
    if not curves:
        return []
    covered = common_range(curves)
    yardstick = _of(YARDSTICK, curves)
    full = full_labelling(results, measure)
    rows = [_summary(curve, covered, full, yardstick, generator) for curve in curves]
    return sorted(rows, key=lambda row: row.area.mean, reverse=True)


def leads(results: Results, strategy: str, measure: str = "dice") -> dict[str, Interval]:
    """
    Return how far a strategy's curve lies above each other one's, on the same seeds and patients.

    Parameters
    ----------
    results : mapping
        The JSON of `simulate`.
    strategy : str
    measure : str
        A key of `curves.MEASURES`.

    Returns
    -------
    dict
        By the other strategy: the strategy's area less the other's, paired. Empty where the strategy was not
        run; without those for which the measure is not defined, and those that share no seed with it.
    """
    generator = np.random.default_rng(0)
    curves = _complete_curves(results, measure)
    ours = _of(strategy, curves)
    if ours is None:
        return {}
    covered = common_range(curves)
    found = {curve.strategy: _against(ours, curve, covered, generator) for curve in curves}
    return {name: lead for name, lead in found.items() if lead is not None}


def win_matrix(results: Results, measure: str = "dice") -> tuple[list[str], np.ndarray]:
    """
    Return the strategies and how often each beats each other one.

    Returns
    -------
    strategies : list of str
        Best first, by the mean over their row.
    wins : numpy.ndarray of float, shape (strategies, strategies)
        Share of the seeds and rounds at which the row's mean over the patients is above the column's; a tie
        counts half. NaN on the diagonal, and where two strategies share no seed.
    """
    curves = learning_curves(results, measure)
    wins = np.array([[_wins(row, column) for column in curves] for row in curves])
    np.fill_diagonal(wins, np.nan)
    order = np.argsort(-np.nan_to_num(mean_defined(wins)), kind="stable")
    return [curves[index].strategy for index in order], wins[np.ix_(order, order)]


def _complete_curves(results: Results, measure: str) -> list[Curve]:
    """Return the curves that are defined at every round."""
    return [curve for curve in learning_curves(results, measure) if np.isfinite(curve.mean).all()]


def _of(strategy: str, curves: Sequence[Curve]) -> Curve | None:
    return next((curve for curve in curves if curve.strategy == strategy), None)


def _summary(
    curve: Curve,
    covered: tuple[float, float],
    full: np.ndarray | None,
    yardstick: Curve | None,
    generator: np.random.Generator,
) -> StrategySummary:
    return StrategySummary(
        strategy=curve.strategy,
        area=bootstrap_interval(area_under(curve, *covered), generator),
        last=bootstrap_interval(curve.values[:, -1], generator),
        last_fraction=float(curve.fractions[-1]),
        reaches=None if full is None else smallest_fraction(curve, float(mean_defined(full))),
        surely_reaches=None if full is None else _surely_reaches(curve, full, generator),
        against_random=_against(curve, yardstick, covered, generator),
    )


def _against(
    curve: Curve, yardstick: Curve | None, covered: tuple[float, float], generator: np.random.Generator
) -> Interval | None:
    if yardstick is None or curve.strategy == yardstick.strategy:
        return None
    shared = set(curve.seeds) & set(yardstick.seeds)
    if not shared:
        return None
    ours, theirs = (area_under(one.at_seeds(shared), *covered) for one in (curve, yardstick))
    return paired_difference(ours, theirs, generator)


def _surely_reaches(curve: Curve, full: np.ndarray, generator: np.random.Generator) -> float | None:
    if curve.values[:, 0].size == 1:  # one seed and one patient give no interval, so nothing is sure
        return None
    for index, fraction in enumerate(curve.fractions):
        table = curve.values[:, index]
        difference = paired_difference(table, np.broadcast_to(full, table.shape), generator)
        if difference.low >= -MARGIN - 1e-9:
            return float(fraction)
    return None


def _wins(row: Curve, column: Curve) -> float:
    shared = set(row.seeds) & set(column.seeds)
    rounds = min(len(row.fractions), len(column.fractions))
    ours, theirs = (mean_defined(one.at_seeds(shared).values[:, :rounds]) for one in (row, column))
    defined = np.isfinite(ours) & np.isfinite(theirs)
    if not defined.any():
        return float("nan")
    return float(((ours > theirs) + 0.5 * (ours == theirs))[defined].mean())
