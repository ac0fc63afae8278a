"""How far each strategy is behind full labelling at each labelled share, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from longitudinal_al.evaluation.bootstrap import bootstrap_interval
from longitudinal_al.experiments.curves import MEASURES, Curve, Results, full_labelling, learning_curves
from longitudinal_al.experiments.percent import NOTHING, head_of_shares


def behind_lines(results: Results, order: Sequence[str]) -> Iterator[str]:
    """Yield a table for people for each measure, in Markdown; nothing where full labelling was not measured.

    Intervals are over seeds and patients, of each patient's difference to full labelling.
    """
    for measure, words in MEASURES.items():
        full = full_labelling(results, measure)
        curves = {curve.strategy: curve for curve in learning_curves(results, measure)}
        if full is None or not curves:
            continue
        shares = max((curve.fractions for curve in curves.values()), key=len)
        yield f"\n{words} less that of full labelling, at each labelled share:\n"
        yield from head_of_shares(shares)
        for name in order:
            cells = list(_cells(curves[name], full))
            yield f"| `{name}` | " + " | ".join(cells + [NOTHING] * (len(shares) - len(cells))) + " |"


def _cells(curve: Curve, full: np.ndarray) -> Iterator[str]:
    generator = np.random.default_rng(0)
    for number in range(curve.values.shape[1]):
        behind = curve.values[:, number] - full
        yield bootstrap_interval(behind, generator).signed if np.isfinite(behind).any() else NOTHING
