"""What the fault tests share: real processes, a disk that misbehaves, and how often to try."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import longitudinal_al
from longitudinal_al.frontend.worker_client import WorkerClient
from longitudinal_al.frontend.worker_state import WorkerState
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.records import Label, Pair, utc_now
from longitudinal_al.project.store import Project
from longitudinal_al.protocol import Event, EventKind, Verb

SOAK = bool(os.environ.get("LONGITUDINALAL_SOAK"))

Start = Callable[..., "subprocess.Popen[str]"]

PRELUDE = """
import itertools, os, sys
from pathlib import Path
import numpy as np
from longitudinal_al.errors import *
from longitudinal_al.project.records import Label, Pair, utc_now
from longitudinal_al.project.store import Project

def label(number, pair="p"):
    noise = np.random.default_rng(number).integers(0, 2, (64, 64), dtype=np.uint8)
    noise[0, :20] = [(number >> bit) & 1 for bit in range(20)]
    return Label(pair, number, noise, "someone", utc_now(), utc_now())

def acknowledge(number):
    print(number, flush=True)
"""


def number_in(label) -> int:
    """Return the number that `label` of the prelude was made with."""
    return sum(int(bit) << place for place, bit in enumerate(label.mask[0, :20]))


@pytest.fixture(scope="session")
def times() -> Callable[[int, int], int]:
    """Return how often to try: a few times in `make test`, often in `make soak`."""
    return lambda short, soak: soak if SOAK else short


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a function that starts Python code (after the prelude) in a process; all end with the test."""
    running: list[subprocess.Popen[str]] = []

    def run(code: str, *arguments: object, **environment: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", PRELUDE + code, *map(str, arguments)]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, **environment},
        )
        running.append(process)
        return process

    yield run
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def build_preloaded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Return a function that builds a C file of this folder as a library to be preloaded."""

    def build(name: str) -> str:
        compiler = shutil.which("cc") or shutil.which("gcc")
        if not sys.platform.startswith("linux") or compiler is None:
            pytest.skip(f"needs Linux and a C compiler, for {name}")
        library = tmp_path_factory.mktemp("preloaded") / f"{name}.so"
        source = Path(__file__).with_name(name)
        command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl", "-lpthread"]
        built = subprocess.run(command, capture_output=True, text=True, check=False)
        if built.returncode:
            pytest.skip(f"the C compiler cannot build {name}: {built.stderr[-500:]}")
        return str(library)

    return build


@pytest.fixture(scope="session")
def disk(build_preloaded: Callable[[str], str]) -> str:
    """Return the library that makes a disk misbehave, to be preloaded (see disk.c)."""
    return build_preloaded("disk.c")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a closed project with one pair; its path has non-ASCII letters."""
    for name in ("1", "2"):
        (tmp_path / name).write_text(name)
    with Project.create(tmp_path / "prøject") as project:
        project.add_pairs([Pair("p", "P", tmp_path / "1", tmp_path / "2")])
    return tmp_path / "prøject"


@pytest.fixture
def numbers_saved() -> Callable[[Path], set[int]]:
    """Return a function that opens and checks a project, and returns the numbers of its labels."""

    def read(folder: Path) -> set[int]:
        with Project.open(folder) as project:
            labels = project.labels()
            assert all(each.slice == number_in(each) for each in labels)
            assert [each for each in project.check() if "is missing" not in each] == []
            return {each.slice for each in labels}

    return read


# The real worker, with a training that is over soon; FAULTS_STEPS says how soon. It thinks by itself only
# where FAULTS_LIVE is set, so that a file which a test has damaged is not made again at once.
WORKER = """
import os, sys
from longitudinal_al.cli import main, worker
from longitudinal_al.serving import channel
taken = channel.take_pipes()  # before torch is imported, as the command does
worker.take_pipes = lambda: taken
from longitudinal_al import rounds
from longitudinal_al.network.training import TrainingSettings
steps = int(os.environ.get("FAULTS_STEPS", "4"))
short = TrainingSettings(steps=steps, pretraining=0, batch=4, patch=32)
rounds.TrainingSettings = lambda: short
from longitudinal_al.live import loop
hurried = loop.LiveSettings(
    first=short, quick=short, round=short, check=short, publish_seconds=0.1, quiet_seconds=0.1, least_labels=1
)
loop.LiveSettings = lambda: hurried
if not os.environ.get("FAULTS_LIVE"):
    loop.LiveLoop.step = lambda self, interrupt: False
sys.exit(main(sys.argv[1:]))
"""
PATIENCE = 120.0


class Worker(WorkerClient):
    """A client that waits for what a test needs."""

    def until(self, is_so: Callable[[], bool]) -> list[Event]:
        """Poll until something is so; returns all that was said meanwhile."""
        said, end = [], time.monotonic() + PATIENCE
        while not is_so():
            assert time.monotonic() < end, f"in vain: {self.state}, {said[-5:]}"
            said += self.poll()
            time.sleep(0.002)
        return said

    def ready(self) -> Worker:
        """Start the worker where there is none, and wait until it listens."""
        if self.state.is_over:
            self.start()
        said = self.until(lambda: self.state not in (WorkerState.STARTING, WorkerState.STOPPING))
        assert self.state in (WorkerState.READY, WorkerState.BUSY), said
        return self

    def ask(self, verb: Verb, **arguments: object) -> Event:
        """Ask and wait for the end."""
        return self.wait(self.request(verb, **arguments), PATIENCE)

    def done(self, verb: Verb, **arguments: object) -> dict:
        """Ask, and return the result; it has to succeed."""
        end = self.ask(verb, **arguments)
        assert end.kind is EventKind.DONE, end
        return end.data["result"]

    def refused(self, verb: Verb, *words: str, **arguments: object) -> None:
        """Ask; it has to fail with these words, and the worker has to live on."""
        end = self.ask(verb, **arguments)
        assert end.kind is EventKind.FAILED, end
        assert all(word in end.data["message"] for word in words), end
        assert "fault in the worker" not in end.data["message"], end
        self.done(Verb.STATUS)

    def signal(self, which: int) -> None:
        """Send the worker's process a signal."""
        os.kill(self.process_id, which)


@pytest.fixture(scope="session")
def worker_command() -> list[str]:
    """Return what starts the real worker; the command's words follow."""
    return [sys.executable, "-c", WORKER]


@pytest.fixture
def worker_of(worker_command: list[str]) -> Iterator[Callable[..., Worker]]:
    """Return a function that gives the client of a project's worker, not started yet; gone after the test."""
    clients: list[Worker] = []

    def of(folder: Path, clock: Callable[[], float] = time.monotonic, **environment: str) -> Worker:
        package = Path(longitudinal_al.__file__).resolve().parents[1]
        known = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "PYTHONPATH": str(package)}
        settings = {**os.environ, **known, **environment}
        command = [*worker_command, "worker", str(folder)]
        client = Worker(folder, command=command, environment=settings, clock=clock)
        clients.append(client)
        return client

    yield of
    for client in clients:
        client.close(timeout=0)


def is_gone(process_id: int) -> bool:
    """Tell whether a process has ended; one that nobody has taken note of yet counts as ended."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{process_id}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.fixture
def gone() -> Callable[[int], bool]:
    """Return `is_gone`."""
    return is_gone


@pytest.fixture
def save(small_project: Project) -> Callable[[int], tuple[str, int]]:
    """Return a function that saves the reference as the label of the k-th slice pair, over and over."""
    pool = Pool.open(small_project)
    masks = {name: pair.reference_slices() for name, pair in pool.pairs.items()}

    def label(number: int) -> tuple[str, int]:
        entry = pool.entries[number * 5 % len(pool.entries)]
        mask = np.ascontiguousarray(masks[entry.pair][entry.slice])
        now = utc_now()
        small_project.save_label(Label(entry.pair, entry.slice, mask, f"number {number}", now, now))
        return entry.pair, entry.slice

    return label
