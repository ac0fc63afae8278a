"""The worker as front ends meet it: real processes, real pipes, a real project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.records import Label, utc_now
from longitudinal_al.project.store import Project
from longitudinal_al.protocol import Event, EventKind, Request, Verb, decode_event, encode

SECONDS = 120
CHILD = """
import os, sys
from longitudinal_al.cli import main, worker
from longitudinal_al.serving import channel
taken = channel.take_pipes()  # before torch is imported, as the command does
worker.take_pipes = lambda: taken
import torch
from longitudinal_al import rounds
from longitudinal_al import worker as work
from longitudinal_al.serving import early_imports
from longitudinal_al.network.training import TrainingSettings
quick, thinks, *words = sys.argv[1:]
if quick == "quick":
    rounds.TrainingSettings = lambda: TrainingSettings(steps=4, pretraining=0, batch=4, patch=32)
if "MOST_IN_MEMORY" in os.environ:  # a stand-in for a GPU that holds so many slice pairs
    most, compute = int(os.environ["MOST_IN_MEMORY"]), torch.nn.Conv2d.forward
    def forward(self, image):
        if len(image) > most:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Made up for a test.")
        return compute(self, image)
    torch.nn.Conv2d.forward = forward
if thinks != "thinks":  # these tests look at requests alone
    work.LiveLoop = lambda *given, **more: None
    early_imports.begin = lambda: None  # seconds for each of many workers that never train
sys.exit(main(words))
"""


class WorkerProcess:
    """A worker in a process of its own, and everything that it has said."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        quick: bool = False,
        thinks: bool = False,
        plain: bool = False,
        **environment: str,
    ) -> None:
        child = ["-c", CHILD, "quick" if quick else "", "thinks" if thinks else ""]
        start = ["-m", "longitudinal_al"] if plain else child
        self.process = subprocess.Popen(
            [sys.executable, *start, "worker", str(folder), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        )
        self.events: list[Event] = []
        self.err = b""
        self.read_on = threading.Event()
        self.read_on.set()
        self._said = threading.Condition()
        self._sent = 0
        self._readers = [threading.Thread(target=each, daemon=True) for each in (self._out, self._err)]
        for reader in self._readers:
            reader.start()

    def _out(self) -> None:
        for line in self.process.stdout:
            event = decode_event(line.removesuffix(b"\n"))
            with self._said:
                self.events.append(event)
                self._said.notify_all()
            self.read_on.wait()

    def _err(self) -> None:
        for line in self.process.stderr:
            self.err += line

    def write(self, data: bytes) -> None:
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def request(self, verb: str, **arguments: Any) -> Request:
        self._sent += 1
        return Request(f"{verb}-{self._sent}", Verb(verb), arguments)

    def ask(self, verb: str, **arguments: Any) -> str:
        request = self.request(verb, **arguments)
        self.write(encode(request))
        return request.id

    def wait(self, wanted: Callable[[Event], bool]) -> Event:
        """Wait until an event has come."""

        def found() -> Event | None:
            return next(filter(wanted, self.events), None)

        with self._said:
            assert self._said.wait_for(found, SECONDS), (self.events[-20:], self.err)
            return found()

    def hear(self, kind: EventKind, id: str | None = None) -> Event:
        return self.wait(lambda event: event.kind is kind and id in (None, event.id))

    def end_of(self, id: str) -> Event:
        return self.wait(lambda event: event.kind.is_terminal and event.id == id)

    def result(self, verb: str, **arguments: Any) -> Any:
        end = self.end_of(self.ask(verb, **arguments))
        assert end.kind is EventKind.DONE, (end, self.err)
        return end.data["result"]

    def failure(self, verb: str, **arguments: Any) -> tuple[str, str]:
        end = self.end_of(self.ask(verb, **arguments))
        assert end.kind is EventKind.FAILED, end
        return end.data["error"], end.data["message"]

    def begin_training(self) -> str:
        """Ask for a training that takes minutes, and wait until it goes."""
        training = self.ask("train")
        self.hear(EventKind.PROGRESS, training)
        return training

    def place(self, wanted: Event) -> int:
        return self.events.index(wanted)

    def hang_up(self) -> None:
        self.process.stdin.close()

    def left(self) -> int:
        """Wait for the process and return its exit status."""
        status = self.process.wait(SECONDS)
        for reader in self._readers:
            reader.join(SECONDS)
        return status


Start = Callable[..., WorkerProcess]


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a function that starts a worker, which ends with the test."""
    started: list[WorkerProcess] = []

    def run(folder: Path, *options: str, **more: Any) -> WorkerProcess:
        started.append(WorkerProcess(folder, *options, **more))
        return started[-1]

    yield run
    for worker in started:
        worker.read_on.set()
        worker.process.kill()
        worker.left()


@pytest.fixture(scope="module")
def shared_folder(prepared_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared project with labels, whose worker serves several tests."""
    folder = tmp_path_factory.mktemp("geteilt-ß") / "project"
    shutil.copytree(prepared_once, folder)
    label_slices(folder)
    return folder


@pytest.fixture(scope="module")
def worker(shared_folder: Path) -> Iterator[WorkerProcess]:
    """A worker for tests that leave it running, and idle."""
    running = WorkerProcess(shared_folder)
    running.hear(EventKind.READY)
    yield running
    running.hang_up()
    assert running.left() == 0, running.err
    ends = [event.id for event in running.events if event.kind.is_terminal and event.id]
    assert len(ends) == len(set(ends))


def label_slices(folder: Path, pair: str = "p0") -> int:
    with Project.open(folder) as project:
        prepared = Pool.open(project).pairs[pair]
        masks = prepared.reference_slices()
        for index in prepared.record.slices[2:20:3]:
            mask = np.ascontiguousarray(masks[index])
            project.save_label(Label(pair, index, mask, "tester", utc_now(), utc_now()))
        return len(project.labelled())


@pytest.fixture
def label_some() -> Callable[..., int]:
    """Return a function that labels a few slices of a pair, and returns how many labels there are."""
    return label_slices


@pytest.fixture
def leftovers() -> Callable[[Path], list[Path]]:
    """Return a function that lists the temporary files of a project."""
    return lambda folder: list(folder.rglob("*.tmp.*"))
