"""How well a round does on patients it has not learned from, and whether its predictions still change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from longitudinal_al.errors import NotReady
from longitudinal_al.evaluation.bootstrap import bootstrap_interval
from longitudinal_al.evaluation.lesions import LesionCounts, count_lesions
from longitudinal_al.lessons import Lesson, learn
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.checkpoint import load_networks
from longitudinal_al.network.committee import Committee
from longitudinal_al.network.prediction import predict, predicted_masks
from longitudinal_al.network.training import TrainingSettings
from longitudinal_al.pairs.pool import Pool

FOLDS = 3
THRESHOLD = 0.5
Tick = Callable[[], None]
Masks = dict[int, np.ndarray]


@dataclass(frozen=True)
class CheckPlan:
    """What a check of a round needs.

    Attributes
    ----------
    lesson : Lesson
        The labels.
    model, before : Path or None
        The round's network, and that of the round before.
    settings : TrainingSettings
        Of each fold.
    slice_pairs : int
        At most so many are predicted for the agreement.
    seed : int
        Of everything random.
    """

    lesson: Lesson
    model: Path | None
    before: Path | None
    settings: TrainingSettings
    slice_pairs: int
    seed: int


def check_round(plan: CheckPlan, tick: Tick) -> dict[str, Any]:
    """Return the figures of a round: see `cross_validate` and `agreement`; `tick` is called often."""
    figures = cross_validate(plan.lesson, plan.settings, plan.seed, tick)
    return {**figures, **_agreement_figures(plan, tick)}


def cross_validate(lesson: Lesson, settings: TrainingSettings, seed: int, tick: Tick) -> dict[str, Any]:
    """Train on two thirds of the patients, predict the labelled slices of the others, three times.

    Patients, never slices, are kept apart: neighbouring slices are near-duplicates. A patient's Dice is that
    of all its labelled slices together, and its F1 that of the lesions on them (`lesion_f1`); the intervals
    come from drawing patients again.

    Returns
    -------
    dict
        `cv_dice`, `cv_dice_low`, `cv_dice_high` (None where not defined, and then `cv_reason` says why), the
        same of `cv_f1` (None, too, where no labelled change is large enough to be a lesion), `cv_patients`
        and `cv_labels`.
    """
    patients = _labelled_rows(lesson)
    figures: dict[str, Any] = {
        **_interval_figures("cv_dice", [], seed),
        **_interval_figures("cv_f1", [], seed),
        "cv_patients": len(patients),
        "cv_labels": len(lesson.masks),
    }
    reason = _undefined(lesson, patients)
    if reason:
        return {**figures, "cv_reason": reason}
    measured: list[tuple[float, float]] = []
    for fold in folds(lesson, patients):
        measured += _measures_of_fold(lesson, [patients[name] for name in fold], settings, seed, tick)
    return {
        **figures,
        **_interval_figures("cv_dice", [dice for dice, _f1 in measured], seed),
        **_interval_figures("cv_f1", [f1 for _dice, f1 in measured], seed),
        "cv_reason": "",
    }


def _interval_figures(name: str, values: Sequence[float], seed: int) -> dict[str, float | None]:
    """Return the mean over patients with its interval; None where no patient has the measure."""
    if not np.isfinite(values).any():
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    interval = bootstrap_interval(np.array([values]), np.random.default_rng(seed))
    return {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}


def folds(lesson: Lesson, patients: Mapping[str, Sequence[int]]) -> list[list[str]]:
    """Deal the patients out, those with most change first, so that every fold can learn and be measured."""

    def change(name: str) -> int:
        return sum(int(np.count_nonzero(lesson.masks[row])) for row in patients[name])

    ordered = sorted(patients, key=lambda name: (-change(name), name))
    return [ordered[start::FOLDS] for start in range(FOLDS)]


def _labelled_rows(lesson: Lesson) -> dict[str, list[int]]:
    """Return the labelled rows of each patient."""
    rows: dict[str, list[int]] = {}
    for row in sorted(lesson.masks):
        rows.setdefault(lesson.pool.entries[row].patient, []).append(row)
    return rows


def _undefined(lesson: Lesson, patients: Mapping[str, Sequence[int]]) -> str:
    """Say why there can be no cross-validation, nothing if there can."""
    if len(patients) < FOLDS:
        have = f"{len(patients)} patient" + ("" if len(patients) == 1 else "s")
        return f"labels of {have} cannot be cross-validated: {FOLDS} are the least"
    changed = sum(any(lesson.masks[row].any() for row in rows) for rows in patients.values())
    if changed < 2:
        return "change is labelled in fewer than 2 patients: there is nothing to learn from and to measure on"
    return ""


def _measures_of_fold(
    lesson: Lesson, left_out: Sequence[Sequence[int]], settings: TrainingSettings, seed: int, tick: Tick
) -> list[tuple[float, float]]:
    """Return Dice and F1 of each left-out patient with change, by a network that has seen none of them."""
    hidden = {row for rows in left_out for row in rows}
    rest = {row: mask for row, mask in lesson.masks.items() if row not in hidden}
    network = learn(replace(lesson, masks=rest), settings, seed=seed, progress=lambda share: tick())
    found = []
    for rows in left_out:
        predicted: Masks = {}
        for row, mask in predicted_masks(Committee.of([network]), lesson.pool, rows):
            tick()
            predicted[row] = mask
        truth = {row: lesson.masks[row] > 0 for row in rows}
        if any(mask.any() for mask in truth.values()):
            found.append((_dice(predicted, truth), lesion_f1(lesson.pool, predicted, truth)))
    return found


def _dice(predicted: Masks, truth: Masks) -> float:
    """Return the Dice of all slices together; change is labelled on one of them at least."""
    shared = sum(int(np.count_nonzero(predicted[row] & mask)) for row, mask in truth.items())
    total = sum(int(np.count_nonzero(mask)) for masks in (predicted, truth) for mask in masks.values())
    return 2 * shared / total


def lesion_f1(pool: Pool, predicted: Masks, truth: Masks) -> float:
    """Return a patient's F1 by lesions (the rule of `evaluation.lesions`), on its labelled slices alone.

    Neighbouring labelled slices make one volume; a lesion ends where the labels end.

    Parameters
    ----------
    pool : Pool
    predicted, truth : mapping of int to numpy.ndarray
        Row of the pool -> mask of its slice; bool, (rows, columns) of the pair's grid.

    Returns
    -------
    float
        NaN where no labelled change is large enough to be a lesion.
    """
    pairs: dict[str, dict[int, int]] = {}
    for row in truth:
        entry = pool.entries[row]
        pairs.setdefault(entry.pair, {})[entry.slice] = row
    counts = [
        count_lesions(
            _volume({k: predicted[row] for k, row in rows.items()}),
            _volume({k: truth[row] for k, row in rows.items()}),
            pool.pairs[pair].record.spacing_mm,
        )
        for pair, rows in pairs.items()
    ]
    together = LesionCounts(
        np.concatenate([each.reference_detected for each in counts]),
        np.concatenate([each.predicted_detected for each in counts]),
        np.concatenate([each.predicted_volumes_mm3 for each in counts]),
    )
    return np.nan if together.f1 is None else together.f1


def _volume(masks: Masks) -> np.ndarray:
    """Stack slices, with an empty one between those that are no neighbours."""
    stacked: list[np.ndarray] = []
    for k in sorted(masks):
        if stacked and k - 1 not in masks:
            stacked.append(np.zeros_like(masks[k]))
        stacked.append(masks[k])
    return np.stack(stacked)


def _agreement_figures(plan: CheckPlan, tick: Tick) -> dict[str, Any]:
    pool = plan.lesson.pool
    if plan.model is None or plan.before is None:
        return {"agreement": None, "agreement_reason": "this is the first round"}
    try:
        (newest, *_), (before, *_) = load_networks(plan.model), load_networks(plan.before)
    except NotReady as error:
        return {"agreement": None, "agreement_reason": str(error)}
    rows = np.unique(np.linspace(0, len(pool) - 1, min(plan.slice_pairs, len(pool))).round().astype(int))
    value = agreement(newest, before, pool, rows.tolist(), tick)
    reason = "neither round predicts any change" if value is None else ""
    return {"agreement": value, "agreement_reason": reason, "agreement_slice_pairs": len(rows)}


def agreement(
    newest: ChangeNetwork, before: ChangeNetwork, pool: Pool, rows: Sequence[int], tick: Tick
) -> float | None:
    """Return the Dice between what two networks predict on slice pairs; None where neither finds change."""
    shared = total = 0
    for predicted in predict([newest, before], pool, rows):
        tick()
        first, second = predicted.members >= THRESHOLD
        shared += int((first & second).sum())
        total += int(first.sum() + second.sum())
    return 2 * shared / total if total else None
