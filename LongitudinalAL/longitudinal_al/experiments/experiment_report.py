"""The experiment's tables over all cohorts, as Markdown for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from longitudinal_al.experiments.annotation_time import time_lines
from longitudinal_al.experiments.behind_full import behind_lines
from longitudinal_al.experiments.curves import MARGIN, MEASURES, Curve, Results, learning_curves
from longitudinal_al.experiments.false_detections import false_detection_lines
from longitudinal_al.experiments.foreground_efficiency import foreground_lines
from longitudinal_al.experiments.label_efficiency import Reach, reaches
from longitudinal_al.experiments.percent import NOTHING, head_of_shares, percent
from longitudinal_al.experiments.plan import RECIPE, Plan, needs_references
from longitudinal_al.experiments.standings import StrategySummary, leads, summarise, win_matrix
from longitudinal_al.network.committee import TOGETHER
from longitudinal_al.project.files import write_json, write_text

COLD_START = 0.01
"""Share of the pool at which the cold start is judged."""


def write_experiment_report(found: Mapping[str, Results], plan: Plan, out: Path) -> Path:
    """Write `experiment.md` and `experiment.json` into the experiment's folder.

    Parameters
    ----------
    found : mapping of str to mapping
        Each cohort's results, as `simulate` gives them.
    plan : Plan
        What was to be run.
    out : Path
        The folder.

    Returns
    -------
    Path
        The page.
    """
    parts = [_head(found, plan)]
    figures: dict[str, Any] = {}
    for name, results in found.items():
        reached = {one.strategy: one for one in reaches(results)}
        standings = {measure: summarise(results, measure) for measure in MEASURES}
        parts.append("\n".join(_cohort_lines(name, results, reached, standings, plan)))
        figures[name] = {
            "reaches": [asdict(one) for one in reached.values()],
            **{measure: [asdict(row) for row in rows] for measure, rows in standings.items()},
        }
    page = "\n\n".join(parts) + "\n"
    write_json(out / "experiment.json", figures)
    target = out / "experiment.md"
    write_text(target, page)
    return target


def _head(found: Mapping[str, Results], plan: Plan) -> str:
    seeds = {name: len({entry["seed"] for entry in one["results"]}) for name, one in found.items()}
    ran = ", ".join(f"{name} with {count} of {plan.seeds} seeds" for name, count in seeds.items())
    return (
        "# The experiment\n\n"
        f"What ran: {ran}. Labels are simulated from reference masks; {plan.training.steps} training steps a "
        f"round, for full labelling too; the networks of the last {TOGETHER} rounds decide together, and for "
        f"full labelling {TOGETHER} networks of the same labels. "
        "Intervals are 95 % bootstrap intervals over seeds and test patients. "
        f"*Reaches* is the smallest labelled share of the pool that is not worse than full labelling by "
        f"{MARGIN} in lesion Dice and in lesion F1: by the means (with its interval), and surely, where the "
        "whole intervals of both differences are; *of patients* these are intervals over patients alone, "
        "of the means over seeds. An arm marked † looks at references, as no annotator could."
    )


def _cohort_lines(
    name: str,
    results: Results,
    reached: Mapping[str, Reach],
    standings: Mapping[str, Sequence[StrategySummary]],
    plan: Plan,
) -> Iterator[str]:
    full = results["full"]
    yield f"## {name}\n"
    yield (
        f"{results['pool_slice_pairs']:,} slice pairs in the pool. Full labelling: lesion Dice "
        f"{_three(full['dice'])}, lesion F1 {_three(full['lesion_f1'])}; best threshold on the difference: "
        f"{_three(results['difference_threshold']['dice'])}.\n"
    )
    curves = {curve.strategy: curve for curve in learning_curves(results, "dice")}
    start = _nearest(next(iter(curves.values())), COLD_START)
    yield f"| arm | area, Dice | area, F1 | Dice at {start} | reaches | surely | surely of patients |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    marks = {arm.name: " †" for arm in plan.arms if needs_references(arm)}
    areas = {row.strategy: row.area for row in standings["lesion_f1"]}
    for row in standings["dice"]:
        one = reached.get(row.strategy)
        cells = (
            f"`{row.strategy}`{marks.get(row.strategy, '')}",
            str(row.area),
            str(areas.get(row.strategy, NOTHING)),
            _three(_at(curves[row.strategy], COLD_START)),
            _fraction(one),
            NOTHING if one is None else percent(one.sure),
            NOTHING if one is None else percent(one.sure_of_patients),
        )
        yield "| " + " | ".join(cells) + " |"
    yield "\nLesion Dice at each labelled share:\n"
    yield from _curve_lines(curves, [row.strategy for row in standings["dice"]])
    yield from behind_lines(results, [row.strategy for row in standings["dice"]])
    yield from _lead_lines(results)
    yield from time_lines(results, [row.strategy for row in standings["dice"]])
    yield from foreground_lines(results, [row.strategy for row in standings["dice"]])
    yield from false_detection_lines(results, [row.strategy for row in standings["dice"]])
    yield "\nShare of seeds and rounds at which the row's Dice is above the column's, in per cent:\n"
    yield from _win_lines(results)


def _curve_lines(curves: Mapping[str, Curve], order: Sequence[str]) -> Iterator[str]:
    longest = max(curves.values(), key=lambda curve: len(curve.fractions))
    yield from head_of_shares(longest.fractions)
    generator = np.random.default_rng(0)
    for name in order:
        intervals = curves[name].intervals(generator)
        yield f"| `{name}` | " + " | ".join(NOTHING if one is None else str(one) for one in intervals) + " |"


def _lead_lines(results: Results) -> Iterator[str]:
    leading = {measure: leads(results, RECIPE, measure) for measure in MEASURES}
    if not any(leading.values()):
        return
    yield f"\nArea of `{RECIPE}` less the other arm's, on the same seeds and patients:\n"
    yield "| against | Dice | F1 |"
    yield "| --- | --- | --- |"
    for name, lead in sorted(leading["dice"].items(), key=lambda row: row[1].mean):
        by_f1 = leading["lesion_f1"].get(name)
        yield f"| `{name}` | {lead.signed} | {NOTHING if by_f1 is None else by_f1.signed} |"


def _win_lines(results: Results) -> Iterator[str]:
    names, wins = win_matrix(results)
    yield "| | " + " | ".join(f"`{name}`" for name in names) + " |"
    yield "| --- |" + " --- |" * len(names)
    for name, row in zip(names, wins, strict=True):
        cells = (NOTHING if np.isnan(share) else f"{100 * share:.0f}" for share in row)
        yield f"| `{name}` | " + " | ".join(cells) + " |"


def _place(curve: Curve, share: float) -> int:
    return int(np.abs(curve.fractions - share).argmin())


def _at(curve: Curve, share: float) -> float:
    return float(curve.mean[_place(curve, share)])


def _nearest(curve: Curve, share: float) -> str:
    return percent(float(curve.fractions[_place(curve, share)]))


def _fraction(one: Reach | None) -> str:
    if one is None or one.fraction is None:
        return "not reached"
    return f"{percent(one.fraction)} ({percent(one.low)} to {percent(one.high)})"


def _three(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3f}"
