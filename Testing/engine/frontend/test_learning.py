"""Stop advice: what it says of rounds that are too few, moving, steady or not checked."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from longitudinal_al.frontend.learning import RoundFigures, advise, learning_so_far
from longitudinal_al.project.records import Round
from longitudinal_al.project.store import Project

NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)


def rounds(
    *figures: tuple[float | None, float | None], patients: int = 8, labels: int = 40
) -> list[RoundFigures]:
    """Return rounds with (Dice, agreement), the interval 0.05 to either side."""
    return [
        RoundFigures(
            number=number,
            labels=labels,
            ended=NOON,
            train_seconds=20.0,
            patients=patients,
            dice=dice,
            dice_low=None if dice is None else dice - 0.05,
            dice_high=None if dice is None else dice + 0.05,
            agreement=agreement,
        )
        for number, (dice, agreement) in enumerate(figures, start=1)
    ]


STEADY = rounds((0.60, 0.9), (0.61, 0.985), (0.62, 0.981))


def test_two_steady_rounds_and_no_rise_are_enough() -> None:
    stop, advice = advise(STEADY, 40)
    assert stop
    assert advice == (
        "Stopping is reasonable: over the last 2 rounds the predictions hardly changed (agreement 0.981) and "
        "the cross-validated Dice did not rise (0.62, 0.57 to 0.67)."
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "nothing was learned yet from the 3 labels"),
        (rounds((0.6, 0.99), labels=4), "learned from 4 labels, and 15 are the least"),
        (rounds((0.6, 0.99), patients=2), "labels of 2 patients cannot be cross-validated"),
        (rounds((0.6, None), (0.6, 0.99)), "2 rounds cannot show yet"),
        (rounds((0.60, 0.9), (0.61, 0.97), (0.62, 0.99)), "still change (agreement 0.97 and then 0.99"),
        (
            rounds((0.60, 0.9), (0.64, 0.99), (0.66, 0.99)),
            "Dice is rising (0.60, 0.55 to 0.65, and 0.66 now)",
        ),
        (rounds((0.60, 0.9), (0.58, 0.99), (0.54, 0.99)), "fell (0.60, 0.55 to 0.65, and 0.54 now); look at"),
        (rounds((0.60, 0.9), (0.61, 0.99), (None, None)), "not checked yet"),
    ],
)
def test_otherwise_it_says_what_is_missing_or_moving(given: list[RoundFigures], words: str) -> None:
    stop, advice = advise(given, 3)
    assert not stop
    assert words in advice
    assert advice.endswith(".")
    assert advice.count(". ") == 0, "one sentence"


def test_what_could_not_be_measured_is_said_with_its_reason() -> None:
    newest = replace(STEADY[-1], agreement=None, unchecked="neither round predicts any change")
    stop, advice = advise([*STEADY[:-1], newest], 40)
    assert not stop
    assert advice == "Go on: round 3 could not be checked: neither round predicts any change."


def test_few_patients_are_named_even_when_all_is_steady() -> None:
    stop, advice = advise([replace(each, patients=4) for each in STEADY], 40)
    assert stop
    assert "though 4 patients are few" in advice


def test_it_is_read_from_the_project_with_gaps_and_oddities(project: Project) -> None:
    assert learning_so_far(project).rounds == []
    figures = [
        {"cv_dice": 0.5, "cv_dice_low": 0.4, "cv_dice_high": 0.6, "cv_patients": 6, "agreement": 0.9}
        | {"cv_f1": 0.7, "cv_f1_low": 0.55, "cv_f1_high": 0.8},
        {"cv_dice": "high", "agreement": None, "cv_patients": True, "labelling_seconds": 90},
        {"steps": 400},
    ]
    for number, given in enumerate(figures, start=1):
        ended = NOON + timedelta(seconds=30)
        project.add_round(Round(number, None, 0, 20, NOON, ended, None, given))
    learning = learning_so_far(project)
    first = learning.rounds[0]
    assert (first.dice, first.dice_low, first.dice_high, first.patients) == (0.5, 0.4, 0.6, 6)
    assert (first.f1, first.f1_low, first.f1_high) == (0.7, 0.55, 0.8)
    assert learning.rounds[1].f1 is None
    assert (first.agreement, first.train_seconds, first.labels) == (0.9, 30.0, 20)
    assert (learning.rounds[1].dice, learning.rounds[1].patients) == (None, None)
    assert learning.rounds[1].labelling_seconds == 90
    assert not learning.stop
    assert "not checked yet" in learning.advice
