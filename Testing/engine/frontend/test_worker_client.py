"""The client against real processes: a scripted worker with good and bad manners, and the real one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from longitudinal_al.errors import NotReady
from longitudinal_al.frontend.worker_client import WorkerClient
from longitudinal_al.frontend.worker_state import WorkerState
from longitudinal_al.project.store import Project
from longitudinal_al.protocol import Event, EventKind, Verb

FAKE = Path(__file__).with_name("fake_worker.py")
PATIENCE = 240.0  # a busy machine may take a minute to read torch
Start = Callable[..., WorkerClient]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a scripted worker with the manners named; it is gone after the test."""
    clients = []

    def begin(manners: str, **other: object) -> WorkerClient:
        client = WorkerClient(tmp_path, command=[sys.executable, str(FAKE), manners], **other)
        clients.append(client)
        client.start()
        return client

    yield begin
    for client in clients:
        client.close(timeout=0)


def until(client: WorkerClient, is_so: Callable[[], bool]) -> list[Event]:
    """Poll until something is so; returns all events."""
    events, end = [], time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, f"in vain: {client.state}"
        events += client.poll()
        time.sleep(0.005)
    return events


def until_state(client: WorkerClient, state: WorkerState) -> list[Event]:
    return until(client, lambda: client.state is state)


def is_gone(process_id: int) -> bool:
    """Tell whether a process has ended; one that nobody has taken note of yet counts as ended."""
    if sys.platform == "win32":  # where os.kill would end it
        command = ["tasklist", "/FI", f"PID eq {process_id}"]
        return str(process_id) not in subprocess.run(command, capture_output=True, text=True).stdout
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{process_id}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.parametrize("manners", ["good", "cut"])
def test_a_whole_conversation(start: Start, manners: str) -> None:
    client = start(manners)
    assert client.state is WorkerState.STARTING
    ready = until_state(client, WorkerState.READY)
    assert ready[0].data["process"] == client.process_id
    train = client.request(Verb.TRAIN, seed=5)
    assert client.state is WorkerState.BUSY
    assert client.wait(train, PATIENCE).data["result"] == {"asked": {"seed": 5}}
    others = client.poll()
    assert [event.kind.value for event in others] == ["progress"] * 3 + ["state"]
    assert client.doing == "Learning, Zoë."
    client.close()
    assert (client.state, client.process_id) == (WorkerState.STOPPED, None)
    assert [event.kind.value for event in client.poll()] == ["done", "leaving"]


def test_it_can_be_started_again_after_its_end(start: Start) -> None:
    client = start("good")
    until_state(client, WorkerState.READY)
    first = client.process_id
    client.restart()
    until(client, lambda: client.state is WorkerState.READY and client.process_id != first)
    assert is_gone(first)
    client.close()
    client.start()
    until_state(client, WorkerState.READY)


def test_a_crash_tells_the_last_lines(start: Start) -> None:
    client = start("crash")
    crashed = client.wait(client.request(Verb.TRAIN), PATIENCE)
    assert crashed.kind is EventKind.CRASHED
    assert crashed.data["exit_status"] == 7
    assert len(crashed.data["last_lines"]) == 50
    assert crashed.data["last_lines"][-2:] == ["line 79", "ValueError: café"]
    assert client.state is WorkerState.CRASHED
    with pytest.raises(NotReady, match="crashed: start it first"):
        client.request(Verb.STATUS)


def test_a_worker_killed_from_outside_is_noticed(start: Start) -> None:
    client = start("good")
    until_state(client, WorkerState.READY)
    client.transport._process.popen.kill()
    events = until_state(client, WorkerState.CRASHED)
    assert "killed by the system" in events[-1].data["message"] or os.name != "posix"


def test_noise_does_not_disturb(start: Start) -> None:
    client = start("garbage")
    events = until_state(client, WorkerState.READY)
    assert sum(event.kind is EventKind.NOTE for event in events) == 20
    assert client.wait(client.request(Verb.TRAIN), PATIENCE).kind is EventKind.DONE


def test_an_answer_too_many_is_dropped(start: Start) -> None:
    client = start("twice")
    for _ in range(3):
        client.wait(client.request(Verb.STATUS), PATIENCE)
    client.close()
    assert [event.kind for event in client.poll()].count(EventKind.DONE) == 1, "that of shutdown"


def test_one_that_leaves_says_why_and_is_no_crash(start: Start) -> None:
    client = start("leave")
    (leaving,) = until(client, lambda: client.state is WorkerState.LEFT)
    assert leaving.data["reason"] == "there is a worker already"
    client.start()
    until_state(client, WorkerState.LEFT)
    client.close()
    assert client.process_id is None


class FastClock:
    """A clock a hundred times as fast, so that a test need not wait."""

    def __call__(self) -> float:
        return time.monotonic() * 100


def test_one_that_hangs_is_noticed_and_can_be_restarted(start: Start) -> None:
    client = start("hang", clock=FastClock())
    until_state(client, WorkerState.READY)
    first = client.process_id
    asked = client.request(Verb.TRAIN)
    client.conversation._silence = 0.0
    events = until_state(client, WorkerState.HUNG)
    assert events[-1].data["hung"] is True
    client.restart()
    events = until(client, lambda: client.process_id not in (None, first))
    assert [(event.kind, event.id) for event in events] == [(EventKind.CRASHED, asked)]
    assert is_gone(first)


def test_a_flood_of_requests_to_one_that_does_not_read_blocks_nobody(start: Start) -> None:
    client = start("hang")
    until_state(client, WorkerState.READY)
    ids = [client.request(Verb.EXPLAIN, pair="p" * 90, slice=number) for number in range(10_000)]
    client.kill()
    events = until_state(client, WorkerState.STOPPED)
    assert [event.id for event in events if event.kind is EventKind.CRASHED] == ids


def test_a_flood_of_events_is_handed_out_in_pieces(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("longitudinal_al.frontend.worker_client.POLL_SECONDS", 0.0)
    client = start("flood")
    client.request(Verb.TRAIN)
    while client.transport._process.output._chunks.qsize() < 10:
        time.sleep(0.005)
    first = client.poll()
    assert client.transport._process.output._chunks.qsize() >= 9, "only a part was taken"
    monkeypatch.undo()
    events = first + until(client, lambda: not client.conversation.pending)
    numbers = [event.data["current"] for event in events if event.kind is EventKind.PROGRESS]
    assert numbers[:20_000] == list(range(20_000))


def test_one_that_will_not_leave_is_ended(start: Start) -> None:
    client = start("stubborn")
    until_state(client, WorkerState.READY)
    process_id = client.process_id
    client.request(Verb.SHUTDOWN)
    client.close(timeout=0.2)
    assert client.state is WorkerState.STOPPED
    assert is_gone(process_id)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc to see processes")
def test_its_children_end_with_it(start: Start) -> None:
    client = start("family")
    child = int(until_note(client))
    assert not is_gone(child)
    client.close()
    end = time.monotonic() + PATIENCE
    while not is_gone(child):
        assert time.monotonic() < end
        time.sleep(0.01)


def until_note(client: WorkerClient) -> str:
    found: list[str] = []
    end = time.monotonic() + PATIENCE
    while not found:
        assert time.monotonic() < end
        found = [event.data["message"] for event in client.poll() if event.kind is EventKind.NOTE]
        time.sleep(0.005)
    return found[0]


def test_waiting_has_an_end_and_loses_nothing(start: Start) -> None:
    client = start("hang")
    until_state(client, WorkerState.READY)
    with pytest.raises(TimeoutError, match=r"within 0\.05 s"):
        client.wait(client.request(Verb.STATUS), 0.05)


def test_what_cannot_be_started_says_so(tmp_path: Path) -> None:
    client = WorkerClient(tmp_path, python=str(tmp_path / "no python"))
    with pytest.raises(NotReady, match="cannot be started"):
        client.start()
    assert client.state is WorkerState.CRASHED
    assert client.poll() == []


def test_importing_the_front_end_needs_no_torch_and_no_simpleitk() -> None:
    modules = "annotation, conversation, learning, queue, worker_client"
    code = (
        f"import sys; from longitudinal_al.frontend import {modules}; "
        "print(sorted({'torch', 'SimpleITK', 'scipy', 'monai', 'qt', 'slicer'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_real_worker_answers_and_leaves(tmp_path: Path) -> None:
    folder = tmp_path / "prøject"
    Project.create(folder).close()
    with WorkerClient(folder) as client:
        client.start()
        ready = until_state(client, WorkerState.READY)
        assert ready[0].data["protocol"] == 1
        status = client.wait(client.request(Verb.STATUS, labelling=True), PATIENCE)
        assert status.data["result"]["labels"] == 0
        failed = client.wait(client.request(Verb.TRAIN), PATIENCE)
        assert failed.kind is EventKind.FAILED
        assert failed.data["error"] == "NotReady"
        with WorkerClient(folder) as second:
            second.start()
            until_state(second, WorkerState.LEFT)
    assert client.state is WorkerState.STOPPED
