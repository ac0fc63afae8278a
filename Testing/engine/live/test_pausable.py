"""Work that stands still: it never runs beside its caller, goes on where it was, and keeps its chance."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch

from longitudinal_al.errors import Cancelled, Interrupted
from longitudinal_al.live.pausable import Pausable, Tick


def draw(tick: Tick) -> list[float]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        drawn = []
        for _ in range(20):
            tick()
            drawn.append(float(torch.rand(())))
        return drawn


def someone_asks() -> None:
    raise Interrupted("a request")


def test_interrupted_work_goes_on_with_the_same_chance() -> None:
    expected = draw(lambda: None)
    steps = []

    def work(tick: Tick) -> list[float]:
        def slow() -> None:
            torch.rand(1000, 1000).sum()
            steps.append(1)
            tick()

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            drawn = []
            for _ in range(20):
                tick()
                drawn.append(float(torch.rand(())))
                state = torch.get_rng_state()
                slow()
                torch.set_rng_state(state)
            return drawn

    pausable = Pausable(work)
    hits = 0
    while True:
        try:
            if pausable.run(someone_asks, 10):
                break
        except Interrupted:
            hits += 1
            before = len(steps)
            torch.manual_seed(hits)  # whatever is done meanwhile
            assert len(steps) == before
    assert pausable.result == expected
    assert pausable.run(someone_asks, 10)  # finished stays finished


def test_an_error_of_the_work_is_the_callers() -> None:
    def work(tick: Tick) -> None:
        raise ValueError("no disk")

    with pytest.raises(ValueError, match="no disk"):
        Pausable(work).run(lambda: None, 10)


def test_dropped_work_ends_at_its_next_tick() -> None:
    ended = []

    def work(tick: Tick) -> None:
        try:
            while True:
                tick()
        except Cancelled:
            ended.append(True)
            raise

    pausable = Pausable(work)
    assert not pausable.run(lambda: None, 0.05)
    pausable.drop()
    assert ended == [True]
    Pausable(work).drop()  # never begun
    assert ended == [True]


def test_dropped_work_lets_go_of_what_it_read_at_once() -> None:
    class Read:
        """Stands for a file that is mapped."""

    held: list[weakref.ref[Read]] = []

    def work(tick: Tick) -> None:
        read = Read()
        held.append(weakref.ref(read))
        while True:
            tick()

    pausable = Pausable(work)
    assert not pausable.run(lambda: None, 0.05)
    gc.disable()
    try:
        pausable.drop()
        assert held[0]() is None
    finally:
        gc.enable()
