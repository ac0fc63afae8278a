"""Foreground efficiency: how fast labelled change, not labelled slices, closes the gap to full labelling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from longitudinal_al.evaluation.bootstrap import RESAMPLES, Interval, draw_counts, replicate_curves
from longitudinal_al.experiments.curves import (
    MARGIN,
    Curve,
    Results,
    full_labelling,
    learning_curves,
    mean_defined,
)
from longitudinal_al.experiments.percent import percent

RATES = np.geomspace(1e-2, 1e4, 2000)
"""What is tried for the efficiency, 0.7 % apart."""
HIGHEST = 1000.0
"""A curve that is up at once fits any higher rate, too."""


@dataclass(frozen=True)
class ForegroundEfficiency:
    """One strategy's.

    Attributes
    ----------
    strategy : str
    labelled : float
        Share of the pool's changed pixels that it had labelled after its last round.
    efficiency : Interval
        beta of the curve Dice = full - gap * exp(-beta * (x - x0)), x the labelled share of changed pixels.
    """

    strategy: str
    labelled: float
    efficiency: Interval


def foreground_efficiency(
    results: Results, generator: np.random.Generator | None = None, *, resamples: int = RESAMPLES
) -> list[ForegroundEfficiency]:
    """Fit each strategy's curve of lesion Dice over the labelled share of changed pixels.

    Labelling a slice pair without change takes little time, so a strategy that finds change is dearer than
    its count of slice pairs says. All curves start at the smallest share that any strategy has labelled, and
    at the Dice there, and end at full labelling's; the higher beta, the fewer changed pixels it took. The
    interval is over seeds and patients, for that start and that end.

    Parameters
    ----------
    results : mapping
        The JSON of `simulate`.
    generator : numpy.random.Generator, optional
        For the bootstrap; None starts from seed 0.
    resamples : int
        Number of replicates.

    Returns
    -------
    list of ForegroundEfficiency
        In the order of the results; empty where full labelling or the changed pixels are not known, or the
        start is no further below full labelling than what counts as not worse.

    References
    ----------
    nnActive (Lüth et al., TMLR 2025), whose measure this is, with the means over seeds in the place of single
    runs.
    """
    generator = generator or np.random.default_rng(0)
    full = full_labelling(results, "dice")
    if full is None or any(entry.get("foreground") is None for entry in results["results"]):
        return []
    curves = learning_curves(results, "dice")
    shares = [_shares(results, curve) for curve in curves]
    goal = float(mean_defined(full))
    first = int(np.argmin([share[0] for share in shares]))
    start, gap = float(shares[first][0]), goal - float(curves[first].mean[0])
    if not gap > MARGIN:
        return []
    return [
        ForegroundEfficiency(
            curve.strategy, float(share[-1]), _fitted(curve, share - start, goal, gap, generator, resamples)
        )
        for curve, share in zip(curves, shares, strict=True)
    ]


def foreground_lines(results: Results, order: Sequence[str]) -> Iterator[str]:
    """Yield a table for people, in Markdown; nothing where it was not measured."""
    found = {one.strategy: one for one in foreground_efficiency(results)}
    if not found:
        return
    yield "\nChange labelled in the end, and how fast labelled change closes the gap to full labelling:\n"
    yield "| arm | changed pixels labelled | foreground efficiency |"
    yield "| --- | --- | --- |"
    for name in order:
        one = found[name]
        beta = one.efficiency
        interval = f"{_rate(beta.mean)} ({_rate(beta.low)} to {_rate(beta.high)})"
        yield f"| `{name}` | {percent(one.labelled)} | {interval} |"


def _rate(beta: float) -> str:
    return f"{beta:.1f}" if beta < HIGHEST else f"over {HIGHEST:,.0f}"


def _shares(results: Results, curve: Curve) -> np.ndarray:
    """Return the labelled share of changed pixels at each round, mean over the seeds, (rounds,)."""
    own = [entry for entry in results["results"] if entry["strategy"] == curve.strategy]
    return np.array(
        [
            np.mean([entry["foreground"] for entry in own if entry["round"] == number + 1])
            for number in range(len(curve.fractions))
        ]
    )


def _fitted(
    curve: Curve, x: np.ndarray, goal: float, gap: float, generator: np.random.Generator, resamples: int
) -> Interval:
    """Return the rate that fits the means, with its interval."""
    seeds, _, patients = curve.values.shape
    by_seed, by_patient = draw_counts(seeds, patients, generator, resamples)
    heights = replicate_curves(curve.values, by_seed, by_patient)
    drawn = _rates(x, heights[np.isfinite(heights).all(axis=1)], goal, gap)
    low, high = np.percentile(drawn, [2.5, 97.5]) if len(drawn) else (np.nan, np.nan)
    return Interval(float(_rates(x, curve.mean[None], goal, gap)[0]), float(low), float(high))


def _rates(x: np.ndarray, heights: np.ndarray, goal: float, gap: float) -> np.ndarray:
    """Return the rate of least squares for each row of heights, (n, rounds): (n,)."""
    expected = goal - gap * np.exp(-RATES[:, None] * x)
    errors = (expected**2).sum(axis=1) - 2 * heights @ expected.T
    return np.asarray(RATES[errors.argmin(axis=1)])
