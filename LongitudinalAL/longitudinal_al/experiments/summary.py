"""What an experiment says, in plain sentences: five lines for the terminal and the head of the report."""

from __future__ import annotations

import numpy as np

from longitudinal_al.evaluation.bootstrap import Interval
from longitudinal_al.experiments.curves import (
    MARGIN,
    Results,
    full_labelling,
    mean_defined,
    measured_patients,
)
from longitudinal_al.experiments.percent import percent
from longitudinal_al.experiments.standings import YARDSTICK, StrategySummary, summarise

# Below these an interval says little (methods: at least five seeds).
FEW_SEEDS = 5
FEW_PATIENTS = 10


def summary_sentences(results: Results, generator: np.random.Generator | None = None) -> list[str]:
    """
    Return five lines in plain words.

    The best strategy, its label efficiency, the same against random and the threshold, and what to be wary
    of.

    Parameters
    ----------
    results : mapping
        The JSON of `simulate`.
    generator : numpy.random.Generator or None
        As in `summarise`.
    """
    rows = summarise(results, "dice", generator)
    if not rows:
        return ["No Dice is defined: the test patients have no change, or the first round is not finished."]
    return [
        _best_sentence(rows[0]),
        _efficiency_sentence(rows[0], results),
        _random_sentence(rows),
        _threshold_sentence(rows[0], results),
        "Read with care: " + "; ".join(caveats(results)) + ".",
    ]


def caveats(results: Results) -> list[str]:
    """Return what keeps this experiment from being proof, each without a full stop."""
    seeds = {entry["seed"] for entry in results["results"]}
    patients = measured_patients(results)
    found = []
    if len(seeds) < FEW_SEEDS:
        found.append(f"{_count(len(seeds), 'seed')} only, so luck of the draw is hardly separated from skill")
    if not patients:
        found.append("no figures a patient, so the intervals leave out the spread between patients")
    elif len(patients) == 1:
        found.append("1 test patient only, so the intervals leave out the spread between patients")
    elif len(patients) < FEW_PATIENTS:
        found.append(f"{len(patients)} test patients only, so the intervals are rough")
    found.append("the labels are simulated from reference masks")
    if len({entry["strategy"] for entry in results["results"]}) > 1:
        found.append("the best strategy was picked on these same test patients")
    return found


def _best_sentence(best: StrategySummary) -> str:
    return (
        f"Best strategy: {best.strategy}, lesion Dice {best.area} on average over its learning curve "
        f"and {best.last.mean:.3f} with {percent(best.last_fraction)} of the pool labelled."
    )


def _efficiency_sentence(best: StrategySummary, results: Results) -> str:
    full = full_labelling(results, "dice")
    if full is None:
        return "Full labelling was not run, so there is no goal to measure the strategies against."
    goal = f"full labelling (Dice {mean_defined(full):.3f}) less {MARGIN}"
    if best.reaches is None:
        return (
            f"It does not reach {goal} with the {percent(best.last_fraction)} of the pool that was labelled."
        )
    sure = (
        "the whole interval does not"
        if best.surely_reaches is None
        else (f"the whole interval does at {percent(best.surely_reaches)}")
    )
    return f"It reaches {goal} with {percent(best.reaches)} of the pool labelled ({sure})."


def _random_sentence(rows: list[StrategySummary]) -> str:
    names = [row.strategy for row in rows]
    if YARDSTICK not in names or len(rows) == 1:
        return f"Nothing to compare with {YARDSTICK}: it has to run beside at least one other strategy."
    if names[0] == YARDSTICK:
        behind = _signed(rows[1].against_random)
        return f"No strategy beats {YARDSTICK}: the next, {names[1]}, is at {behind} Dice over the curve."
    difference = rows[0].against_random
    if difference is None:
        return f"{names[0]} and {YARDSTICK} share no seed, so they cannot be compared."
    if difference.low == difference.high:
        verdict = "which one seed on one patient cannot prove"
    else:
        verdict = "so it beats it" if difference.low > 0 else "so the two are not told apart"
    return f"Against {YARDSTICK}: {_signed(difference)} Dice over the curve, {verdict}."


def _threshold_sentence(best: StrategySummary, results: Results) -> str:
    threshold = (results.get("difference_threshold") or {}).get("dice")
    if threshold is None:
        return "The best threshold on the difference image was not measured."
    relation = "more" if best.last.mean > threshold else "no more"
    return (
        f"The best threshold on the difference image alone, without any label, reaches Dice {threshold:.3f}: "
        f"{best.strategy} ends with {relation} ({best.last.mean:.3f})."
    )


def _signed(interval: Interval | None) -> str:
    if interval is None:
        return "an unknown difference in"
    return interval.signed


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
