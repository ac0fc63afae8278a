"""How a handler reports, and how it is stopped."""

import pytest

from longitudinal_al.errors import Cancelled
from longitudinal_al.protocol import EventKind, Request, Verb
from longitudinal_al.serving import job as job_module
from longitudinal_al.serving.job import Job


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(job_module.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


@pytest.fixture
def told():
    return []


@pytest.fixture
def job(clock, told):
    def send(kind, id, **data):
        told.append((kind, id, data))

    return Job(Request("5", Verb.TRAIN, {"seed": 1}), send)


def test_at_most_five_reports_a_second_become_events(job, clock, told):
    for step in range(1001):
        job.progress("training", step / 1000)
        clock.now += 0.01
    assert 48 <= len(told) <= 51
    assert {(kind, id) for kind, id, _ in told} == {(EventKind.PROGRESS, "5")}


def test_the_time_left_is_that_of_the_step_at_hand(job, clock, told):
    for phase, seconds in (("reading", 100.0), ("scoring", 10.0)):
        for share in (0.0, 0.25, 0.5, 1.0):
            job.progress(phase, share)
            clock.now += seconds / 4
    by_phase = [(data["phase"], data["current"], data["seconds_left"]) for _, _, data in told]
    assert by_phase == [
        ("reading", 0, None),
        ("reading", 25, 75),
        ("reading", 50, 50),
        ("reading", 100, 0),
        ("scoring", 0, None),
        ("scoring", 25, 7.5),
        ("scoring", 50, 5),
        ("scoring", 100, 0),
    ]


def test_a_job_that_was_called_off_stops_at_its_next_report(job):
    job.progress("training", 0.1)
    job.interrupt()
    job.cancel()
    with pytest.raises(Cancelled, match="train was cancelled"):
        job.interrupt()
    with pytest.raises(Cancelled):
        job.progress("training", 0.2)
