"""
Learning curves: a measure against the share of the pool that is labelled.

The results of an experiment (the JSON of `simulate`) become one `Curve` a strategy, with a value for each
seed, round and test patient; label efficiency is read off these.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from longitudinal_al.errors import InvalidInput, UnknownName
from longitudinal_al.evaluation.bootstrap import Interval, bootstrap_interval

# Measures of a curve: key in the results, and name for people.
MEASURES = {"dice": "Lesion Dice", "lesion_f1": "Lesion F1"}
# What curves are drawn against: key, and name for people.
AXES = {"fraction": "Share of the pool labelled", "hours": "Hours of annotation"}
# A strategy that stays within this of full labelling counts as not worse (methods: 0.03 Dice and 0.03 F1).
MARGIN = 0.03

Results = Mapping[str, Any]


@dataclass(frozen=True)
class Curve:
    """
    One strategy's learning curve.

    Attributes
    ----------
    strategy : str
    measure : str
        Key of the measure in the results.
    seeds : tuple of int
    labelled : numpy.ndarray of float, shape (rounds,)
        Slice pairs labelled at each round, mean over the seeds.
    fractions : numpy.ndarray of float, shape (rounds,)
        What the curve is drawn against: the same as a share of the pool, or else the hours of annotation.
    values : numpy.ndarray of float, shape (seeds, rounds, patients)
        The measure; NaN where it is not defined. Without figures a patient, the last axis has length 1.
    against : str
        A key of `AXES`.
    """

    strategy: str
    measure: str
    seeds: tuple[int, ...]
    labelled: np.ndarray
    fractions: np.ndarray
    values: np.ndarray
    against: str = "fraction"

    @property
    def mean(self) -> np.ndarray:
        """Mean over seeds and patients, shape (rounds,); NaN where nothing is defined."""
        return mean_defined(np.moveaxis(self.values, 1, 0).reshape(len(self.fractions), -1))

    def at_seeds(self, seeds: Collection[int]) -> Curve:
        """Return the same curve on these seeds only."""
        kept = [seed in seeds for seed in self.seeds]
        return replace(
            self, seeds=tuple(seed for seed in self.seeds if seed in seeds), values=self.values[kept]
        )

    def intervals(self, generator: np.random.Generator) -> list[Interval | None]:
        """Return the 95 % interval over seeds and patients at each round; None where nothing is defined."""
        return [
            bootstrap_interval(table, generator) if np.isfinite(table).any() else None
            for table in np.moveaxis(self.values, 1, 0)
        ]


def mean_defined(values: np.ndarray) -> np.ndarray:
    """Return the mean along the last axis without the NaNs; NaN where all are."""
    defined = np.isfinite(values)
    counts = defined.sum(axis=-1)
    sums = np.where(defined, values, 0.0).sum(axis=-1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def learning_curves(results: Results, measure: str, against: str = "fraction") -> list[Curve]:
    """
    Return the curve of each strategy, in the order of the results.

    Rounds that a seed has not reached (an experiment cut short) are left out for all seeds of that strategy,
    so that every point rests on the same seeds.

    Parameters
    ----------
    results : mapping
        The JSON of `simulate`.
    measure : str
        A key of `MEASURES`.
    against : str
        A key of `AXES`; hours are simulated, by the model that `time_model` names.

    Raises
    ------
    UnknownName
        If there is no such axis.
    InvalidInput
        If there are no results, or no times in them.
    """
    if against not in AXES:
        raise UnknownName("axis", against, AXES)
    entries = results.get("results") or []
    if not entries:
        raise InvalidInput("the experiment has no results yet: run `simulate` to the end of one round first")
    if against == "hours" and time_model(results) is None:
        raise InvalidInput(
            "the results hold no times of annotation: run the experiment anew in another folder"
        )
    patients = measured_patients(results)
    strategies = list(dict.fromkeys(entry["strategy"] for entry in entries))
    return [
        _curve([entry for entry in entries if entry["strategy"] == strategy], measure, patients, against)
        for strategy in strategies
    ]


def time_model(results: Results) -> str | None:
    """Return the name of the model of the annotator's time; None where the results hold no times."""
    entries = results.get("results") or []
    names = {entry.get("time_model") for entry in entries if entry.get("seconds") is not None}
    everywhere = bool(entries) and all(entry.get("seconds") is not None for entry in entries)
    return ", ".join(sorted(str(name) for name in names)) if everywhere else None


def measured_patients(results: Results) -> list[str]:
    """Return the ids of the test patients; empty when some entry has no figures a patient."""
    entries = results.get("results") or []
    if not all(entry.get("per_patient") for entry in entries):
        return []
    return sorted({patient for entry in entries for patient in entry["per_patient"]})


def full_labelling(results: Results, measure: str) -> np.ndarray | None:
    """
    Return the measure with the whole pool labelled, shape (patients,), matching the curves' last axis.

    The mean over the seeds of full labelling. Without figures a patient it is the same number for all; None
    when full labelling was not run, or the measure is not defined.
    """
    full = results.get("full") or {}
    if full.get(measure) is None:
        return None
    patients = measured_patients(results)
    runs = [run.get("per_patient") or {} for run in full.get("per_seed") or [full]]
    if patients and all(patient in run for run in runs for patient in patients):
        table = [[_number(run[patient].get(measure)) for run in runs] for patient in patients]
        return mean_defined(np.array(table))
    return np.full(max(1, len(patients)), float(full[measure]))


def common_range(curves: list[Curve]) -> tuple[float, float]:
    """Return the labelled fractions (from, to) that every curve covers."""
    return (
        max(float(curve.fractions[0]) for curve in curves),
        min(float(curve.fractions[-1]) for curve in curves),
    )


def area_under(curve: Curve, start: float, end: float) -> np.ndarray:
    """
    Return the mean height of a curve between two labelled fractions, shape (seeds, patients).

    The area under straight lines between the rounds, divided by the width: in the measure's own units, and
    the same for short and long experiments. Where `start` is not below `end` it is the height at `end`.
    """
    inner = curve.fractions[(curve.fractions > start) & (curve.fractions < end)]
    stops = np.concatenate([[start], inner, [end]]) if start < end else np.array([end])
    heights = _heights(curve, stops)
    if len(stops) == 1:
        return heights[:, 0]
    widths = np.diff(stops)[None, :, None]
    return ((heights[:, :-1] + heights[:, 1:]) / 2 * widths).sum(axis=1) / (end - start)


def smallest_fraction(curve: Curve, full: float, margin: float = MARGIN) -> float | None:
    """Return the first labelled fraction whose mean is at least `full` − `margin`; None if there is none."""
    # The tolerance keeps 0.75 against 0.78 − 0.03 on the right side.
    reached = np.flatnonzero(curve.mean >= full - margin - 1e-9)
    return float(curve.fractions[reached[0]]) if len(reached) else None


def _curve(entries: list[dict[str, Any]], measure: str, patients: list[str], against: str) -> Curve:
    by_seed: dict[int, dict[int, dict[str, Any]]] = {}
    for entry in entries:
        by_seed.setdefault(entry["seed"], {})[entry["round"]] = entry
    rounds = sorted(set.intersection(*(set(seed) for seed in by_seed.values())))
    if not rounds:
        raise InvalidInput(
            f"the seeds of {entries[0]['strategy']} share no round: run `simulate` again to go on"
        )
    seeds = tuple(sorted(by_seed))
    grid = [[by_seed[seed][number] for number in rounds] for seed in seeds]
    return Curve(
        strategy=entries[0]["strategy"],
        measure=measure,
        seeds=seeds,
        labelled=np.mean([[entry["labelled"] for entry in row] for row in grid], axis=0),
        fractions=np.mean([[_place(entry, against) for entry in row] for row in grid], axis=0),
        values=np.array([[_values(entry, measure, patients) for entry in row] for row in grid]),
        against=against,
    )


def _place(entry: dict[str, Any], against: str) -> float:
    return float(entry["seconds"]) / 3600 if against == "hours" else float(entry["fraction"])


def _values(entry: dict[str, Any], measure: str, patients: list[str]) -> list[float]:
    if not patients:
        return [_number(entry.get(measure))]
    return [_number(entry["per_patient"].get(patient, {}).get(measure)) for patient in patients]


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _heights(curve: Curve, stops: np.ndarray) -> np.ndarray:
    """Return the curve at each stop by straight lines between rounds, shape (seeds, stops, patients)."""
    after = np.clip(np.searchsorted(curve.fractions, stops), 0, len(curve.fractions) - 1)
    before = np.maximum(after - 1, 0)
    gap = curve.fractions[after] - curve.fractions[before]
    share = np.where(gap > 0, (stops - curve.fractions[before]) / np.where(gap > 0, gap, 1.0), 1.0)
    share = np.clip(share, 0.0, 1.0)[None, :, None]
    return curve.values[:, before] * (1 - share) + curve.values[:, after] * share
