"""Progress: nothing for short steps, time left for long ones."""

from __future__ import annotations

import io

import pytest

from longitudinal_al.cli import progress as module
from longitudinal_al.cli.progress import Progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a clock whose first entry is the present moment."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_short_steps_say_nothing(clock: list[float]) -> None:
    stream = io.StringIO()
    progress = Progress("preparing", stream)
    progress("p1", 0.5)
    clock[0] += 1.9
    progress.show()
    assert stream.getvalue() == ""


def test_without_a_terminal_there_is_a_line_now_and_then(clock: list[float]) -> None:
    stream = io.StringIO()
    progress = Progress("preparing", stream)
    progress("p1", 0.0)
    progress("p1", 0.25)
    for _ in range(40):
        clock[0] += 0.5
        progress.show()
    lines = stream.getvalue().splitlines()
    assert lines == [
        "preparing p1: 25% done, 2 s so far, about 6 s left",
        "preparing p1: 25% done, 12 s so far, about 36 s left",
    ]


def test_what_was_there_before_does_not_shorten_the_time_left(clock: list[float]) -> None:
    stream = io.StringIO()
    progress = Progress("experiment:", stream)
    progress("runs", 0.9)
    clock[0] += 10
    progress.show()
    clock[0] += 50
    progress("runs", 0.95)
    progress.show()
    assert stream.getvalue().splitlines() == [
        "experiment: runs: 90% done, 10 s so far, time left unknown",
        "experiment: runs: 95% done, 60 s so far, about 60 s left",
    ]


def test_no_time_left_is_guessed_from_next_to_nothing(clock: list[float]) -> None:
    stream = io.StringIO()
    progress = Progress("training", stream)
    progress("round 1", 0.0)
    progress("round 1", 0.001)
    clock[0] += 10
    progress.show()
    assert stream.getvalue() == "training round 1: 0% done, 10 s so far, time left unknown\n"


def test_a_bar_tells_the_time_left_as_soon_as_it_can_be_known() -> None:
    stream = Terminal()
    progress = Progress("training", stream)
    progress("round 1", 0.0)
    progress._started -= 3
    progress("round 1", 0.001)
    progress.show()
    assert "so far" in stream.getvalue() and "left" not in stream.getvalue()
    progress("round 1", 0.5)
    progress.show()
    assert "left" in stream.getvalue()
    progress._close_bar()


def test_a_new_step_starts_its_own_clock(clock: list[float]) -> None:
    stream = io.StringIO()
    progress = Progress("round", stream)
    progress("training", 0.9)
    clock[0] += 500
    progress("scoring", 0.0)
    clock[0] += 2
    progress("scoring", 0.5)
    progress.show()
    assert stream.getvalue() == "round scoring: 50% done, 2 s so far, about 2 s left\n"


def test_on_a_terminal_there_is_a_bar_that_goes_away() -> None:
    stream = Terminal()
    progress = Progress("training", stream)
    progress("round 1", 0.0)
    progress._started -= 3
    with progress:
        progress("round 1", 0.5)
        progress.show()
        assert "training round 1:  50 %|" in stream.getvalue()
        assert "left" in stream.getvalue()
    assert stream.getvalue().split("\r")[-2].strip() == ""


def test_long_times_are_said_as_people_say_them() -> None:
    assert [module._span(seconds) for seconds in (1, 89, 120, 7200)] == ["1 s", "89 s", "2 min", "2.0 h"]
