"""Qt's real process around real workers: a scripted one with good and bad manners, and the real one."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import stand_ins
from logic_host import preparedOnce, projectFolder  # noqa: F401

from longitudinal_al.errors import NotReady
from longitudinal_al.frontend import worker_client
from longitudinal_al.frontend.annotation import AnnotationSession
from longitudinal_al.frontend.worker_client import POLL_SECONDS, WorkerClient
from longitudinal_al.frontend.worker_state import WorkerState
from longitudinal_al.project.store import Project
from longitudinal_al.protocol import Event, EventKind, Verb
from LongitudinalALLib import WorkerProcess as module
from LongitudinalALLib.Interpreter import VARIABLE, Interpreter
from LongitudinalALLib.WorkerProcess import workerOf

ENGINE = Path(__file__).parents[1] / "engine"
FAKE = ENGINE / "frontend" / "fake_worker.py"
LAUNCHER = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, *sys.argv[1:]]))"
"""As PythonSlicer, which starts the real Python as its child."""
PATIENCE = 120.0  # a busy machine may take a minute to read torch
HERE = Interpreter(sys.executable, isOwn=True)
Start = Callable[..., WorkerClient]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a scripted worker with the manners named; it is gone after the test."""
    started = []

    def begin(manners: str, *, launched: bool = False, **other: Any) -> WorkerClient:
        launcher = ["-c", LAUNCHER] if launched else []
        command = [sys.executable, *launcher, str(FAKE), manners]
        worker = workerOf(tmp_path, HERE, command=command, **other)
        started.append(worker)
        worker.start()
        return worker

    yield begin
    for worker in started:
        worker.close(timeout=0)


def until(worker: WorkerClient, isSo: Callable[[], bool]) -> list[Event]:
    """Let Qt run and poll until something is so; returns all events."""
    events, end = [], time.monotonic() + PATIENCE
    while not isSo():
        assert time.monotonic() < end, f"in vain: {worker.state}"
        stand_ins.letQtRun()
        events += worker.poll()
        time.sleep(0.005)
    return events


def untilState(worker: WorkerClient, state: WorkerState) -> list[Event]:
    return until(worker, lambda: worker.state is state)


def untilHeard(worker: WorkerClient, isIt: Callable[[Event], bool]) -> tuple[Event, list[Event]]:
    """Poll until an event comes; returns it and the other events."""
    heard: list[Event] = []
    end = time.monotonic() + PATIENCE
    while not any(isIt(event) for event in heard):
        assert time.monotonic() < end, f"in vain: {worker.state}"
        stand_ins.letQtRun()
        heard += worker.poll()
        time.sleep(0.005)
    found = next(event for event in heard if isIt(event))
    return found, [event for event in heard if event is not found]


def answerTo(worker: WorkerClient, id_: str) -> tuple[Event, list[Event]]:
    """Poll until a request is answered; returns its answer and the other events."""
    return untilHeard(worker, lambda event: event.id == id_ and event.kind.is_terminal)


def isKnown(worker: WorkerClient, processId: int) -> bool:
    """Tell whether a process was found among the worker's descendants."""
    return processId in [each for each, _began in worker.transport._tree]


def isGone(processId: int) -> bool:
    try:
        os.kill(processId, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{processId}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


def untilGone(*processIds: int) -> None:
    end = time.monotonic() + PATIENCE
    while not all(isGone(each) for each in processIds):
        assert time.monotonic() < end, f"still there: {[each for each in processIds if not isGone(each)]}"
        time.sleep(0.01)


@pytest.mark.parametrize("manners", ["good", "cut"])
@pytest.mark.parametrize("launched", [False, True])
def test_a_whole_conversation(start: Start, manners: str, launched: bool) -> None:
    worker = start(manners, launched=launched)
    assert worker.state is WorkerState.STARTING
    ready = untilState(worker, WorkerState.READY)
    assert (ready[0].data["process"] == worker.process_id) is not launched
    train = worker.request(Verb.TRAIN, seed=5)
    assert worker.state is WorkerState.BUSY
    answer, others = answerTo(worker, train)
    assert answer.data["result"] == {"asked": {"seed": 5}}
    assert [event.kind.value for event in others] == ["progress"] * 3 + ["state"]
    assert worker.doing == "Learning, Zoë."
    worker.close()
    assert worker.state is WorkerState.STOPPED
    untilGone(ready[0].data["process"])


def test_it_can_be_started_again_after_its_end(start: Start) -> None:
    worker = start("good")
    untilState(worker, WorkerState.READY)
    with pytest.raises(Exception, match="cannot become starting"):
        worker.start()
    worker.stop()
    untilState(worker, WorkerState.STOPPED)
    with pytest.raises(NotReady):
        worker.request(Verb.STATUS)
    worker.start()
    untilState(worker, WorkerState.READY)


def test_a_crash_tells_the_last_lines_and_answers_what_was_asked(start: Start) -> None:
    worker = start("crash")
    untilState(worker, WorkerState.READY)
    asked = worker.request(Verb.TRAIN)
    events = untilState(worker, WorkerState.CRASHED)
    crashes = [event for event in events if event.kind is EventKind.CRASHED]
    assert [event.id for event in crashes] == [asked, None]
    assert crashes[0].data["exit_status"] == 7
    assert crashes[0].data["last_lines"][-1] == "ValueError: café"
    assert len(crashes[0].data["last_lines"]) == 50
    assert "restart the worker" in crashes[1].data["message"]


def test_a_worker_killed_by_the_system_is_said_to_have_run_out_of_memory(start: Start) -> None:
    worker = start("good")
    untilState(worker, WorkerState.READY)
    assert worker.process_id is not None
    os.kill(worker.process_id, 9)
    events = untilState(worker, WorkerState.CRASHED)
    assert "memory" in events[-1].data["message"]


def test_noise_does_not_disturb(start: Start) -> None:
    worker = start("garbage")
    events = untilState(worker, WorkerState.READY)
    assert 1 <= sum(event.kind is EventKind.NOTE for event in events) <= 20


def test_one_that_leaves_says_why(start: Start) -> None:
    worker = start("leave")
    untilState(worker, WorkerState.LEFT)
    until(worker, lambda: worker.process_id is None)
    worker.restart()
    assert worker.state is WorkerState.STARTING


def test_a_restart_ends_the_old_one(start: Start) -> None:
    worker = start("stubborn", launched=True)
    old = untilState(worker, WorkerState.READY)[0].data["process"]
    worker.restart()
    events = until(
        worker, lambda: worker.state is WorkerState.STOPPED or worker.state is WorkerState.STARTING
    )
    events += untilState(worker, WorkerState.READY)
    assert old != next(event.data["process"] for event in events if event.kind is EventKind.READY)
    untilGone(old)


def test_a_flood_of_events_never_holds_the_window(start: Start) -> None:
    worker = start("flood")
    count = sum(event.kind is EventKind.PROGRESS for event in untilState(worker, WorkerState.READY))
    longest, end = 0.0, time.monotonic() + PATIENCE
    while count < 20_000 and time.monotonic() < end:
        stand_ins.letQtRun()
        time.sleep(0.001)
        begin = time.perf_counter()
        count += sum(event.kind is EventKind.PROGRESS for event in worker.poll())
        longest = max(longest, time.perf_counter() - begin)
    assert count == 20_000
    print(f"longest poll {longest * 1000:.1f} ms of {POLL_SECONDS * 1000:.0f} ms allowed")


def test_a_flood_of_requests_to_one_that_does_not_read_blocks_nobody(start: Start) -> None:
    worker = start("hang")
    untilState(worker, WorkerState.READY)
    for _ in range(2_000):  # far more than a pipe holds
        worker.request(Verb.EXPLAIN, pair="x" * 100, slice=1)
    worker.poll()
    assert len(worker.conversation.pending) == 2_000


@pytest.mark.skipif(sys.platform == "win32", reason="taskkill ends trees there")
@pytest.mark.parametrize("launched", [False, True])
def test_one_that_will_not_leave_is_ended_with_its_launcher(
    start: Start, launched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_client, "STOP_SECONDS", 0.2)
    worker = start("stubborn", launched=launched)
    itself = untilState(worker, WorkerState.READY)[0].data["process"]
    launcher = worker.process_id
    worker.close(timeout=0.2)
    assert worker.state is WorkerState.STOPPED
    untilGone(itself, launcher)


@pytest.mark.parametrize("end", ["kill", "close"])
def test_its_children_end_with_it(start: Start, end: str) -> None:
    worker = start("family", launched=True)
    note, _others = untilHeard(worker, lambda event: event.kind is EventKind.NOTE)
    child = int(note.data["message"])
    until(worker, lambda: isKnown(worker, child))  # they are looked for on a thread
    if end == "kill":
        worker.kill()
        untilState(worker, WorkerState.STOPPED)
    else:
        worker.close(timeout=0)
    untilGone(child)


def test_a_launcher_that_dies_takes_its_worker_along(start: Start) -> None:
    worker = start("stubborn", launched=True)
    itself = untilState(worker, WorkerState.READY)[0].data["process"]
    until(worker, lambda: isKnown(worker, itself))
    assert worker.process_id is not None
    os.kill(worker.process_id, 9)
    untilState(worker, WorkerState.CRASHED)
    untilGone(itself)


def test_one_that_hangs_is_noticed_and_can_be_restarted(start: Start) -> None:
    worker = start("hang", launched=True, clock=lambda: time.monotonic() * 100)
    first = untilState(worker, WorkerState.READY)[0].data["process"]
    asked = worker.request(Verb.TRAIN)
    events = untilState(worker, WorkerState.HUNG)
    assert events[-1].data["hung"] is True
    worker.restart()
    events = until(worker, lambda: worker.state is WorkerState.STARTING)
    assert [(event.kind, event.id) for event in events] == [(EventKind.CRASHED, asked)]
    untilGone(first)


def test_nothing_waits_where_another_worker_is_wanted(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """`stop` and `poll` return at once, also where the worker will not leave; `poll` ends it in the end."""
    monkeypatch.setattr(worker_client, "STOP_SECONDS", 0.5)
    worker = start("stubborn", launched=True)
    itself = untilState(worker, WorkerState.READY)[0].data["process"]
    worker.stop()
    worker.poll()
    assert worker.state is WorkerState.STOPPING and not worker.is_gone and not isGone(itself)
    until(worker, lambda: worker.is_gone)
    assert worker.state is WorkerState.STOPPED
    untilGone(itself)


def test_what_cannot_be_started_says_so(tmp_path: Path) -> None:
    worker = workerOf(tmp_path, Interpreter(str(tmp_path / "no python"), isOwn=False))
    worker.start()
    events = untilState(worker, WorkerState.CRASHED)
    assert "no python" in events[-1].data["message"]


QUITTING = """
import sys
sys.path[:0] = {paths!r}
import stand_ins
from pathlib import Path
from LongitudinalALLib.Interpreter import Interpreter
from LongitudinalALLib.WorkerProcess import workerOf
from PySide6 import QtCore
worker = workerOf(Path("."), Interpreter(sys.executable, isOwn=True), command={command!r})
worker.start()
def look():
    for event in worker.poll():
        if event.kind.value == "ready":
            print(event.data["process"], flush=True)
            {end}
timer = QtCore.QTimer(); timer.timeout.connect(look); timer.start(10)
sys.exit(stand_ins.application().exec())
"""


@pytest.mark.parametrize(
    ("manners", "end"),
    [
        ("stubborn", "QtCore.QCoreApplication.quit()"),
        ("good", "QtCore.QCoreApplication.quit()"),
        ("good", "import os; os._exit(9)"),
    ],
    ids=["quit, and it will not leave", "quit", "crash of the application"],
)
def test_when_slicer_ends_nothing_keeps_running(tmp_path: Path, manners: str, end: str) -> None:
    command = [sys.executable, "-c", LAUNCHER, str(FAKE), manners]
    package = Path(module.__file__).parents[1]
    code = QUITTING.format(paths=[str(Path(__file__).parent), str(package)], command=command, end=end)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE)
    assert ended.stdout.strip().isdigit(), ended.stderr
    untilGone(int(ended.stdout))


def pythonWithTorch() -> str:
    """Return a Python that has torch, or skip."""
    given = os.environ.get(VARIABLE, "")
    if given:
        return given
    try:
        importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"no torch here: name a Python that has it in {VARIABLE}")
    return sys.executable


def test_the_real_worker_answers_serves_a_session_and_leaves(tmp_path: Path) -> None:
    folder = tmp_path / "prøject"
    Project.create(folder).close()
    worker = workerOf(folder, Interpreter(pythonWithTorch(), isOwn=True))
    worker.start()
    ready = untilState(worker, WorkerState.READY)[0]
    assert ready.data["protocol"] == 1
    status, _others = answerTo(worker, worker.request(Verb.STATUS, labelling=True))
    assert status.data["result"]["labels"] == 0
    failed, _others = answerTo(worker, worker.request(Verb.TRAIN))
    assert failed.data["error"] == "NotReady"
    with Project.open(folder) as project:
        session = AnnotationSession(project, worker, "anna")
        assert session.poll() == []
        session.touch()
        assert "no ranking" in session.next().kind.value
    worker.close()
    assert worker.state is WorkerState.STOPPED
    untilGone(ready.data["process"])


# The real worker at work, started by a launcher as PythonSlicer is one


def trainingCommand(folder: Path) -> list[str]:
    return [pythonWithTorch(), "-c", LAUNCHER, "-m", "longitudinal_al", "worker", str(folder)]


@pytest.fixture
def labelledFolder(projectFolder: Path) -> Path:  # noqa: F811
    """A prepared project with three labels."""
    with Project.open(projectFolder) as project:
        session = AnnotationSession(project, None, "anna")
        for _ in range(3):
            session.next()
            session.no_change()
    return projectFolder


TRAINING = """
import sys
sys.path[:0] = {paths!r}
import stand_ins
from pathlib import Path
from longitudinal_al.protocol import Verb
from LongitudinalALLib.Interpreter import Interpreter
from LongitudinalALLib.WorkerProcess import workerOf
from PySide6 import QtCore
worker = workerOf(Path("."), Interpreter(sys.executable, isOwn=True), command={command!r})
worker.start()
itself = []
def look():
    for event in worker.poll():
        if event.kind.value == "ready":
            itself.append(event.data["process"])
            worker.request(Verb.TRAIN)
        if event.kind.value == "progress" and event.data["phase"].startswith("training"):
            print(itself[0], flush=True)
            timer.stop()
            QtCore.QCoreApplication.quit()
            return
timer = QtCore.QTimer(); timer.timeout.connect(look); timer.start(10)
sys.exit(stand_ins.application().exec())
"""


def test_when_slicer_quits_while_the_worker_trains_nothing_keeps_running(labelledFolder: Path) -> None:
    package = Path(module.__file__).parents[1]
    paths = [str(Path(__file__).parent), str(package)]
    code = TRAINING.format(paths=paths, command=trainingCommand(labelledFolder))
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE)
    assert ended.stdout.strip().isdigit(), ended.stderr
    untilGone(int(ended.stdout))


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_a_worker_that_is_killed_while_it_trains_can_be_started_anew(labelledFolder: Path) -> None:
    worker = workerOf(labelledFolder, HERE, command=trainingCommand(labelledFolder))
    try:
        worker.start()
        itself = untilState(worker, WorkerState.READY)[0].data["process"]
        asked = worker.request(Verb.TRAIN)
        untilHeard(worker, lambda event: event.kind is EventKind.PROGRESS)
        os.kill(itself, 9)
        events = untilState(worker, WorkerState.CRASHED)
        crashes = [event.id for event in events if event.kind is EventKind.CRASHED]
        assert crashes == [asked, None]
        worker.restart()
        assert worker.state is WorkerState.STARTING
    finally:
        worker.close()
