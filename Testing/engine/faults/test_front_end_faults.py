"""A front end and its worker, two real processes, on a disk, a folder or a clock that fails under both."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.files import read_json
from longitudinal_al.project.ranking_file import ranking_path, write_ranking
from longitudinal_al.project.store import Project

# Does what a line of standard input tells it, and answers with a line; listens to its worker meanwhile.
FRONT_END = """
import json, queue, threading, time
from longitudinal_al.frontend.annotation import AnnotationSession
from longitudinal_al.frontend.ranking import Entry
from longitudinal_al.frontend.worker_client import WorkerClient
from longitudinal_al.frontend.worker_state import WorkerState

folder, *command = sys.argv[1:]
client = WorkerClient(Path(folder), command=[*command, "worker", folder])
client.start()
states = set()
project = Project.open(Path(folder))
session = AnnotationSession(project, client, "front end")

def listen():
    try:
        said = session.poll()
    except LongitudinalALError:  # a real one shows it
        said = []
    states.add(client.state.value)
    return said

def mask(number):
    grid = session.grid()
    drawn = np.random.default_rng(number).integers(0, 2, (grid.rows, grid.columns), np.uint8)
    drawn.flat[:20] = [(number >> bit) & 1 for bit in range(20)]
    return drawn

def save(number):
    label = session.save(mask(int(number)))
    return [label.pair, label.slice, (label.ended - label.started).total_seconds()]

def label(number):
    entry = session.next()
    return save(number) if isinstance(entry, Entry) else entry.reason

def learn(labels):
    end = time.monotonic() + 120
    while (session.queue._ranking is None or (session.queue._ranking.labels or 0) < int(labels)):
        assert time.monotonic() < end, "no ranking of the newest labels comes"
        listen()
        time.sleep(0.02)
    return session.queue._ranking.labels

def wait(state):
    end = time.monotonic() + 120
    said = []
    while client.state.value not in state.split("|"):
        assert time.monotonic() < end, client.state
        said += [str(event.data.get("message", "")) for event in listen()]
        time.sleep(0.02)
    return [client.state.value, client.process_id, said]

def open():
    global project, session
    project.close()
    project = Project.open(Path(folder))
    session = AnnotationSession(project, client, "front end")

def hold():
    entry = session.next()
    return list(entry.key)

lines = queue.SimpleQueue()
def read():
    for line in sys.stdin:
        lines.put(line)
threading.Thread(target=read, daemon=True).start()
verbs = {"label": label, "save": save, "learn": learn, "wait": wait, "open": open, "hold": hold,
         "states": lambda: sorted(states), "take": lambda pair, k: session.open(pair, int(k)).slice}
while True:
    listen()
    try:
        verb, *words = lines.get(timeout=0.02).split()
    except queue.Empty:
        continue
    try:
        answer = {"answer": verbs[verb](*words)}
    except LongitudinalALError as error:
        answer = {"error": type(error).__name__, "message": str(error)}
    print(json.dumps(answer), flush=True)
"""


class FrontEnd:
    """A front end in a process of its own, which does what it is told."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.worker = 0

    def tell(self, *words: object) -> dict[str, Any]:
        print(*words, file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, self._process.stderr.read()
        return json.loads(line)

    def ask(self, *words: object) -> Any:
        """Tell, and return the answer; it has to succeed."""
        told = self.tell(*words)
        assert "answer" in told, told
        return told["answer"]

    def refused(self, *words: object) -> str:
        """Tell; it has to be refused since the disk is to blame. Returns the message."""
        told = self.tell(*words)
        assert told.get("error") == "StorageFailed", told
        return told["message"]


@pytest.fixture
def front_end(start, worker_command: list[str], small_project: Project) -> Iterator[Callable[..., FrontEnd]]:
    """Return what starts a front end with a worker that thinks, and a ranking to begin with."""
    pool = Pool.open(small_project)
    ranking = [{"pair": each.pair, "slice": each.slice, "score": None} for each in pool.entries]
    write_ranking(small_project.folder, "random", 0, ranking)

    def begin(**environment: str) -> FrontEnd:
        known = {"FAULTS_LIVE": "1", "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
        made = FrontEnd(start(FRONT_END, small_project.folder, *worker_command, **known, **environment))
        _, made.worker, _ = made.ask("wait", "ready|busy")
        return made

    return begin


def saved_numbers(folder: Path) -> dict[tuple[str, int], int]:
    with Project.open(folder) as project:
        return {
            (each.pair, each.slice): sum(int(bit) << place for place, bit in enumerate(each.mask.flat[:20]))
            for each in project.labels()
        }


def test_on_a_slow_share_nothing_is_lost_and_the_worker_is_not_taken_for_dead(
    front_end, disk: str, small_project: Project, times
) -> None:
    """Every fsync takes 200 ms, in both processes."""
    slow = {"LD_PRELOAD": disk, "DISK_ROOT": str(small_project.folder), "DISK_SLOW": "200"}
    user = front_end(**slow)
    expected = {}
    for number in range(1, times(4, 20)):
        pair, index, _ = user.ask("label", number)
        expected[pair, index] = number
    assert user.ask("learn", len(expected)) == len(expected), "it learns and ranks all the same"
    assert saved_numbers(small_project.folder) == expected
    assert not {"hung", "crashed", "stopped"} & set(user.ask("states"))


def test_a_folder_deleted_under_both_is_named_and_the_drawing_is_saved_once_it_is_back(
    front_end, small_project: Project, gone: Callable[[int], bool]
) -> None:
    if os.name != "posix":
        pytest.skip("needs a system that lets go of open files")
    folder = small_project.folder
    user = front_end()
    first = user.ask("label", 1)
    held = user.ask("hold")
    small_project.close()
    backup = folder.with_name("backup")
    os.kill(user.worker, signal.SIGSTOP)  # in the middle of whatever it writes
    shutil.copytree(folder, backup)
    shutil.rmtree(folder)
    os.kill(user.worker, signal.SIGCONT)
    assert "is gone" in user.refused("save", 2)
    assert "is gone" in user.refused("hold")
    _, _, said = user.ask("wait", "left")
    assert any("gone" in message for message in said)
    end = time.monotonic() + 30
    while not gone(user.worker):
        assert time.monotonic() < end, "the worker stays though there is nothing to work on"
        time.sleep(0.05)
    backup.rename(folder)
    user.ask("open")
    assert user.ask("take", *held) == held[1]
    user.ask("save", 2)
    assert saved_numbers(folder) == {(first[0], first[1]): 1, tuple(held): 2}


@pytest.mark.parametrize("misbehaviour", [{"DISK_FULL": "0"}, {"DISK_RDONLY": "1"}])
def test_a_disk_that_is_full_or_read_only_under_both_keeps_the_drawing_in_hand(
    front_end, disk: str, small_project: Project, tmp_path: Path, misbehaviour: dict[str, str]
) -> None:
    folder, switch = small_project.folder, tmp_path / "switch"
    known = {"LD_PRELOAD": disk, "DISK_ROOT": str(folder), "DISK_SWITCH": str(switch)}
    user = front_end(**known, **misbehaviour)
    expected = {tuple(user.ask("label", 1)[:2]): 1}
    held = tuple(user.ask("hold"))
    switch.touch()
    # Overwriting needs no room: what fits into the pages that are there already may still be saved.
    number, refusal = 2, None
    while refusal is None and number < 100:
        told = user.tell("label", number)
        if "error" in told:
            refusal = told
        else:
            expected[tuple(told["answer"][:2])] = number
            number += 1
            held = tuple(user.ask("hold"))
    assert refusal["error"] == "StorageFailed", refusal
    assert "what was saved before is intact" in refusal["message"]
    assert tuple(user.ask("hold")) == held, "it stays in hand"
    switch.unlink()
    assert tuple(user.ask("save", number)[:2]) == held
    expected[held] = number
    user.ask("learn", len(expected))
    assert saved_numbers(folder) == expected
    assert "crashed" not in user.ask("states")


@pytest.fixture(scope="session")
def jumping_clock(build_preloaded: Callable[[str], str]) -> str:
    """Return the library that makes the wall clock jump, to be preloaded (see clock.c)."""
    return build_preloaded("clock.c")


def test_a_wall_clock_that_jumps_changes_no_time_no_order_and_no_worker(
    front_end, jumping_clock: str, small_project: Project, tmp_path: Path, times
) -> None:
    jump = tmp_path / "jump"
    user = front_end(LD_PRELOAD=jumping_clock, CLOCK_FILE=str(jump))
    expected = []
    for number, seconds in enumerate([0, 86_400, -86_400, 3_600, -7 * 86_400] * times(1, 4), start=1):
        user.ask("hold")
        temporary = tmp_path / "jump-to-be"
        temporary.write_text(str(seconds))
        temporary.replace(jump)
        pair, index, worked = user.ask("label", number)
        assert 0 <= worked < 600, "the jump is not worked on"
        expected.append(((pair, index), number))
        if number % 5 == 0:
            user.ask("learn", number)
    assert saved_numbers(small_project.folder) == dict(expected)
    order = small_project.label_changes_since(0)
    assert list(order) == [key for key, _ in expected]
    assert not {"hung", "crashed"} & set(user.ask("states"))
    saved = [small_project.label_history(*key)[-1].saved for key, _ in expected]
    assert saved != sorted(saved), "else the clock has not jumped"
    assert read_json(ranking_path(small_project.folder))["labels"] == len(expected)
