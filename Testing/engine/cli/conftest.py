"""Run commands in this process, and in processes of their own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from longitudinal_al import rounds
from longitudinal_al.cli import main
from longitudinal_al.experiments import comparison
from longitudinal_al.experiments.simulation import SimulationSettings
from longitudinal_al.network.training import TrainingSettings


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)

    def refused(self, *words: str, status: int = 1) -> None:
        """Assert that the command said no, in one message with these words, and printed nothing else."""
        assert self.status == status, (self.status, self.out, self.err)
        assert "Traceback" not in self.err
        assert self.out == ""
        for word in words:
            assert word in self.err, f"{word!r} is not in {self.err!r}"

    def done(self) -> Outcome:
        """Assert that the command succeeded."""
        assert self.status == 0, (self.status, self.out, self.err)
        assert "Traceback" not in self.err
        return self


Run = Callable[..., Outcome]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a command in this process."""

    def run(*words: object) -> Outcome:
        capsys.readouterr()
        status = main([str(word) for word in words])
        return Outcome(status, *capsys.readouterr())

    return run


@pytest.fixture
def process() -> Run:
    """Return a function that runs a command as users do, in a process of its own."""

    def run(*words: object) -> Outcome:
        command = [sys.executable, "-m", "longitudinal_al", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120)
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train a few steps only: these tests look at the commands, not at what is learnt."""
    settings = TrainingSettings(steps=4, pretraining=0, batch=4, patch=32)

    def simulated(budget: float, batch: int) -> SimulationSettings:
        return SimulationSettings(budget, batch, training=settings)

    monkeypatch.setattr(rounds, "TrainingSettings", lambda: settings)
    monkeypatch.setattr(comparison, "SimulationSettings", simulated)


@pytest.fixture
def ctrl_c_as_on_a_terminal() -> Iterator[None]:
    """A shell's background jobs ignore Ctrl-C, and so would these tests there."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
