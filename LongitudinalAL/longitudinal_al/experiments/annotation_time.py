"""Learning curves against the annotator's time: slice pairs are not equally quick to label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from longitudinal_al.evaluation.bootstrap import Interval, bootstrap_interval
from longitudinal_al.experiments.curves import (
    MARGIN,
    MEASURES,
    Results,
    area_under,
    common_range,
    full_labelling,
    learning_curves,
    mean_defined,
    time_model,
)
from longitudinal_al.experiments.percent import NOTHING, percent


@dataclass(frozen=True)
class TimeEfficiency:
    """One strategy's.

    Attributes
    ----------
    strategy : str
    hours : tuple of float
        Hours of annotation that each round's labels take, mean over the seeds.
    area : Interval or None
        Lesion Dice over the hours that all strategies cover; None where there are none.
    reaches : float or None
        Hours of the first round whose means are not worse than full labelling by 0.03 Dice and 0.03 F1.
    """

    strategy: str
    hours: tuple[float, ...]
    area: Interval | None
    reaches: float | None


def time_efficiency(results: Results, generator: np.random.Generator | None = None) -> list[TimeEfficiency]:
    """Read off each strategy's curve against hours; empty where the results hold no times.

    Parameters
    ----------
    results : mapping
        The JSON of `simulate`.
    generator : numpy.random.Generator, optional
        For the bootstrap; None starts from seed 0.
    """
    if time_model(results) is None:
        return []
    generator = generator or np.random.default_rng(0)
    curves = learning_curves(results, "dice", "hours")
    start, end = common_range(curves)
    reached = _reached(results)
    return [
        TimeEfficiency(
            curve.strategy,
            tuple(float(hours) for hours in curve.fractions),
            bootstrap_interval(area_under(curve, start, end), generator) if start < end else None,
            reached.get(curve.strategy),
        )
        for curve in curves
    ]


def time_lines(results: Results, order: Sequence[str]) -> Iterator[str]:
    """Yield a table for people, in Markdown; nothing where there are no times."""
    found = {one.strategy: one for one in time_efficiency(results)}
    if not found:
        return
    shares = max((curve.fractions for curve in learning_curves(results, "dice")), key=len)
    yield (
        f"\nHours of annotation at each labelled share, simulated (time model: {time_model(results)}), Dice "
        f"over the hours that all arms cover, and hours to full labelling less {MARGIN} by the means:\n"
    )
    yield f"| arm | {' | '.join(percent(share) for share in shares)} | area against hours | hours to reach |"
    yield "| --- |" + " --- |" * (len(shares) + 2)
    for name in order:
        one = found[name]
        hours = [f"{value:.2f}" for value in one.hours] + [NOTHING] * (len(shares) - len(one.hours))
        area = NOTHING if one.area is None else str(one.area)
        reaches = "not reached" if one.reaches is None else f"{one.reaches:.2f}"
        yield f"| `{name}` | {' | '.join(hours)} | {area} | {reaches} |"


def _reached(results: Results) -> dict[str, float]:
    """Return the hours of the first round at which both measures are close to full labelling, by strategy."""
    close: dict[str, np.ndarray] = {}
    hours: dict[str, np.ndarray] = {}
    for measure in MEASURES:
        full = full_labelling(results, measure)
        if full is None:
            return {}
        goal = float(mean_defined(full)) - MARGIN - 1e-9
        for curve in learning_curves(results, measure, "hours"):
            close[curve.strategy] = close.get(curve.strategy, True) & (curve.mean >= goal)
            hours[curve.strategy] = curve.fractions
    return {
        name: float(hours[name][np.argmax(is_close)]) for name, is_close in close.items() if is_close.any()
    }
