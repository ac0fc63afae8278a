"""False detections: what the arms of an experiment find in test pairs that have no change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from longitudinal_al.experiments.curves import Curve, Results, learning_curves
from longitudinal_al.experiments.percent import head_of_shares

LESIONS, VOLUME = "false_lesions", "false_volume_mm3"


def false_detection_lines(results: Results, order: Sequence[str]) -> Iterator[str]:
    """Yield a table for people, in Markdown: false lesions a pair, and their volume, at each labelled share.

    Dice and F1 say nothing of a pair without change, where every predicted lesion is false. Nothing is
    yielded where no test pair is without change, or it was not measured.
    """
    lesions, volumes = _curves(results, LESIONS), _curves(results, VOLUME)
    if not lesions:
        return
    shares = max((curve.fractions for curve in lesions.values()), key=len)
    yield "\nFalse lesions in a test pair without change, and their volume, at each labelled share:\n"
    yield from head_of_shares(shares)
    full = results["full"]
    if full.get(LESIONS) is not None:
        yield f"| full labelling |{' |' * (len(shares) - 1)} {_cell(full[LESIONS], full[VOLUME])} |"
    for name in order:
        cells = map(_cell, lesions[name].mean, volumes[name].mean)
        yield f"| `{name}` | " + " | ".join(cells) + " |"


def _curves(results: Results, measure: str) -> Mapping[str, Curve]:
    curves = {curve.strategy: curve for curve in learning_curves(results, measure)}
    return curves if all(np.isfinite(curve.mean).all() for curve in curves.values()) else {}


def _cell(lesions: float, volume: float) -> str:
    return f"{lesions:.2f} ({volume:.0f} mm³)"
