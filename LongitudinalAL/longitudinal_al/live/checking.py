"""How well a round does on patients it has not learned from, and whether its predictions still change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from longitudinal_al.errors import NotReady
from longitudinal_al.evaluation.bootstrap import bootstrap_interval
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.checkpoint import load_networks
from longitudinal_al.network.prediction import predict, predicted_masks
from longitudinal_al.network.training import TrainingSettings
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.rounds import Lesson, learn

FOLDS = 3
THRESHOLD = 0.5
Tick = Callable[[], None]


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
    of all its labelled slices together; the interval comes from drawing patients again.

    Returns
    -------
    dict
        `cv_dice`, `cv_dice_low`, `cv_dice_high` (None where not defined, and then `cv_reason` says why),
        `cv_patients` and `cv_labels`.
    """
    patients = _labelled_rows(lesson)
    figures: dict[str, Any] = {
        "cv_dice": None,
        "cv_dice_low": None,
        "cv_dice_high": None,
        "cv_patients": len(patients),
        "cv_labels": len(lesson.masks),
    }
    reason = _undefined(lesson, patients)
    if reason:
        return {**figures, "cv_reason": reason}
    dice: list[float] = []
    for fold in folds(lesson, patients):
        dice += _dice_of_fold(lesson, [patients[name] for name in fold], settings, seed, tick)
    interval = bootstrap_interval(np.array([dice]), np.random.default_rng(seed))
    return {
        **figures,
        "cv_dice": interval.mean,
        "cv_dice_low": interval.low,
        "cv_dice_high": interval.high,
        "cv_reason": "",
    }


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


def _dice_of_fold(
    lesson: Lesson, left_out: Sequence[Sequence[int]], settings: TrainingSettings, seed: int, tick: Tick
) -> list[float]:
    """Return the Dice of each left-out patient with change, by a network that has seen none of them."""
    hidden = {row for rows in left_out for row in rows}
    rest = {row: mask for row, mask in lesson.masks.items() if row not in hidden}
    seen = Lesson(lesson.pool, rest, lesson.last_label, lesson.labelling_seconds, lesson.read)
    network = learn(seen, settings, seed=seed, progress=lambda share: tick())
    found = []
    for rows in left_out:
        shared = total = change = 0
        for row, mask in predicted_masks([network], lesson.pool, rows):
            tick()
            truth = lesson.masks[row] > 0
            shared += int(np.count_nonzero(mask & truth))
            total += int(np.count_nonzero(mask) + np.count_nonzero(truth))
            change += int(np.count_nonzero(truth))
        if change:
            found.append(2 * shared / total)
    return found


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
