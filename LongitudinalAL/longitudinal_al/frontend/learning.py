"""Learning so far: the rounds with their figures, and whether it is time to stop, in one sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from longitudinal_al.project.records import Round
from longitudinal_al.project.store import Project

STEADY = 0.98
"""Predictions that agree so well (Dice) with those of the round before do not change any more."""
STEADY_ROUNDS = 2
FEWEST_PATIENTS = 3
"""Cross-validation by patient in 3 folds needs as many."""
TRUSTED_PATIENTS = 5
FEWEST_LABELS = 15


@dataclass(frozen=True)
class RoundFigures:
    """One round, as it is shown; what was not measured is `None`.

    Attributes
    ----------
    number, labels : int
        The round, and the labels it learned from.
    ended : datetime
        When it was finished.
    train_seconds : float
        How long the training took.
    labelling_seconds : float or None
        How long the annotators have worked up to then.
    patients : int or None
        How many patients have labels.
    dice, dice_low, dice_high : float or None
        Cross-validated by patient, with its 95 % interval over patients.
    f1, f1_low, f1_high : float or None
        The same of the F1 by lesions.
    agreement : float or None
        Dice between the predictions over the pool and those of the round before.
    unchecked : str
        Why a figure could not be measured.
    """

    number: int
    labels: int
    ended: datetime
    train_seconds: float
    labelling_seconds: float | None = None
    patients: int | None = None
    dice: float | None = None
    dice_low: float | None = None
    dice_high: float | None = None
    f1: float | None = None
    f1_low: float | None = None
    f1_high: float | None = None
    agreement: float | None = None
    unchecked: str = ""


@dataclass(frozen=True)
class LearningSoFar:
    """All rounds, the first one first, and what to do next."""

    rounds: list[RoundFigures]
    stop: bool
    advice: str


def learning_so_far(project: Project) -> LearningSoFar:
    """Read the rounds of a project and say whether to go on labelling."""
    rounds = [round_figures(each) for each in project.rounds()]
    stop, advice = advise(rounds, project.status()["labelled"])
    return LearningSoFar(rounds, stop, advice)


def round_figures(finished: Round) -> RoundFigures:
    """Return what is shown of a round."""
    given = finished.figures
    patients = _number(given, "cv_patients")
    return RoundFigures(
        number=finished.number,
        labels=finished.labels,
        ended=finished.ended,
        train_seconds=(finished.ended - finished.started).total_seconds(),
        labelling_seconds=_number(given, "labelling_seconds"),
        patients=None if patients is None else int(patients),
        dice=_number(given, "cv_dice"),
        dice_low=_number(given, "cv_dice_low"),
        dice_high=_number(given, "cv_dice_high"),
        f1=_number(given, "cv_f1"),
        f1_low=_number(given, "cv_f1_low"),
        f1_high=_number(given, "cv_f1_high"),
        agreement=_number(given, "agreement"),
        unchecked=str(given.get("cv_reason") or given.get("agreement_reason") or ""),
    )


def advise(rounds: Sequence[RoundFigures], labels: int) -> tuple[bool, str]:
    """Say in one sentence whether stopping is reasonable, and if not, what is still moving.

    Stopping is reasonable when the predictions over the pool were steady two rounds in a row (stabilizing
    predictions: Bloodgood and Vijay-Shanker, CoNLL 2009) and the cross-validated Dice has not risen beyond
    its interval meanwhile.

    Parameters
    ----------
    rounds : sequence of RoundFigures
        The first one first.
    labels : int
        Labelled slice pairs of the project now.

    Returns
    -------
    tuple of bool and str
        Whether to stop, and the sentence.
    """
    if not rounds:
        return False, f"Go on: nothing was learned yet from the {_labels(labels)}."
    newest = rounds[-1]
    too_few = _too_few(newest)
    if too_few:
        return False, f"Too early to say: {too_few}."
    moving = _still_moving(rounds)
    if moving:
        return False, f"Go on: {moving}."
    return True, (
        f"Stopping is reasonable: over the last {STEADY_ROUNDS} rounds the predictions hardly changed "
        f"(agreement {newest.agreement:.3f}) and the cross-validated Dice did not rise ({_dice(newest)})"
        f"{_doubt(newest)}."
    )


def _too_few(newest: RoundFigures) -> str:
    if newest.labels < FEWEST_LABELS:
        return f"the last round learned from {_labels(newest.labels)}, and {FEWEST_LABELS} are the least"
    if newest.patients is not None and newest.patients < FEWEST_PATIENTS:
        have = f"{newest.patients} patient" + ("" if newest.patients == 1 else "s")
        return f"labels of {have} cannot be cross-validated; {FEWEST_PATIENTS} are the least"
    return ""


def _still_moving(rounds: Sequence[RoundFigures]) -> str:
    """Say what stands against stopping, nothing if nothing does."""
    if len(rounds) <= STEADY_ROUNDS:
        return f"{_rounds(len(rounds))} cannot show yet whether it is steady; {STEADY_ROUNDS + 1} can"
    before, *last = rounds[-STEADY_ROUNDS - 1 :]
    if any(each.agreement is None or each.dice is None for each in last) or before.dice_high is None:
        return _not_checked([before, *last])
    dice = [each.dice for each in last if each.dice is not None]
    if dice[-1] > before.dice_high:
        return f"the cross-validated Dice is rising ({_dice(before)}, and {dice[-1]:.2f} now)"
    if before.dice_low is not None and dice[-1] < before.dice_low:
        fell = f"{_dice(before)}, and {dice[-1]:.2f} now"
        return f"the cross-validated Dice fell ({fell}); look at the newest labels"
    agreements = [each.agreement for each in last if each.agreement is not None]
    if min(agreements) < STEADY:
        said = " and then ".join(f"{each:.2f}" for each in agreements)
        return f"predictions over the pool still change (agreement {said}, {STEADY} twice would be steady)"
    return ""


def _not_checked(rounds: Sequence[RoundFigures]) -> str:
    for each in reversed(rounds):
        if each.unchecked and (each.dice is None or each.agreement is None):
            return f"round {each.number} could not be checked: {each.unchecked.rstrip('.')}"
    return "the last rounds were not checked yet, which the worker does when it has nothing else to do"


def _doubt(newest: RoundFigures) -> str:
    if newest.patients is not None and newest.patients < TRUSTED_PATIENTS:
        return f", though {newest.patients} patients are few: label another one before you rely on it"
    return ""


def _dice(each: RoundFigures) -> str:
    if each.dice is None or each.dice_low is None or each.dice_high is None:
        return "unknown" if each.dice is None else f"{each.dice:.2f}"
    return f"{each.dice:.2f}, {each.dice_low:.2f} to {each.dice_high:.2f}"


def _labels(number: int) -> str:
    return f"{number} label" + ("" if number == 1 else "s")


def _rounds(number: int) -> str:
    return f"{number} round" + ("" if number == 1 else "s")


def _number(figures: Mapping[str, Any], key: str) -> float | None:
    value = figures.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)
