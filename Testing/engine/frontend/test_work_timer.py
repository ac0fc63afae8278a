"""The time worked on a slice pair: pauses are left out, and no clock that jumps can spoil it."""

from __future__ import annotations

from typing import Any

from longitudinal_al.frontend.work_timer import WorkTimer


def worked(clock: Any, *gaps: float, last: float = 0.0) -> float:
    timer = WorkTimer(clock)
    for gap in gaps:
        clock.now += gap
        timer.touch()
    clock.now += last
    return timer.seconds()


def test_time_between_signs_of_work_counts(clock: Any) -> None:
    assert worked(clock, 5, 10, 19, last=3) == 37


def test_pauses_do_not(clock: Any) -> None:
    assert worked(clock, 5, 3600, 5, last=3) == 13
    assert worked(clock, 5, last=3600) == 5


def test_without_signs_all_of_it_counts(clock: Any) -> None:
    assert worked(clock, last=90) == 90


def test_a_clock_that_goes_back_takes_nothing_away(clock: Any) -> None:
    assert worked(clock, 5, -500, 5, last=1) == 11


def test_it_begins_anew(clock: Any) -> None:
    timer = WorkTimer(clock)
    clock.now += 10
    timer.touch()
    timer.begin()
    clock.now += 60
    assert timer.seconds() == 60
