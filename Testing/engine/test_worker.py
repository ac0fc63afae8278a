"""The worker as front ends meet it: real processes, real pipes, a real project."""

from __future__ import annotations

import json
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
from longitudinal_al.project.table import read_pairs_table
from longitudinal_al.protocol import Event, EventKind, Request, Verb, decode_event, encode

SECONDS = 120
CHILD = """
import sys
from longitudinal_al.cli import main, worker
from longitudinal_al.serving import channel
taken = channel.take_pipes()  # before torch is imported, as the command does
worker.take_pipes = lambda: taken
from longitudinal_al import rounds
from longitudinal_al import worker as work
from longitudinal_al.network.training import TrainingSettings
quick, thinks, *words = sys.argv[1:]
if quick == "quick":
    rounds.TrainingSettings = lambda: TrainingSettings(steps=4, batch=4, patch=32)
if thinks != "thinks":  # these tests look at requests alone
    work.LiveLoop = lambda *given: None
sys.exit(main(words))
"""
NOISE = """
import os, sys, threading, time
class Noise:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            sys.meta_path.remove(self)
            threading.Thread(target=self.make, daemon=True).start()
    def make(self):
        while True:
            print("a library prints", flush=True)
            os.write(1, b"a library prints in C\\n")
            time.sleep(0.01)
sys.meta_path.insert(0, Noise())
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
    label_some(folder)
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


def label_some(folder: Path, pair: str = "p0") -> int:
    with Project.open(folder) as project:
        prepared = Pool.open(project).pairs[pair]
        masks = prepared.reference_slices()
        for index in prepared.record.slices[2:20:3]:
            mask = np.ascontiguousarray(masks[index])
            project.save_label(Label(pair, index, mask, "tester", utc_now(), utc_now()))
        return len(project.labelled())


def begin_training(worker: WorkerProcess) -> str:
    """Ask for a training that takes minutes, and wait until it goes."""
    training = worker.ask("train")
    worker.hear(EventKind.PROGRESS, training)
    return training


def leftovers(folder: Path) -> list[Path]:
    return list(folder.rglob("*.tmp.*"))


def test_a_conversation_from_scans_to_masks(start: Start, small_cohort, tmp_path: Path) -> None:
    folder = tmp_path / "projekt ü"
    with Project.create(folder) as project:
        project.add_pairs([pair for pair in read_pairs_table(small_cohort.table) if pair.id in ("p0", "p3")])
    worker = start(folder, quick=True)
    ready = worker.hear(EventKind.READY)
    assert ready == worker.events[0]
    assert ready.data["protocol"] == 1
    prepared = worker.result("prepare")
    assert (prepared["prepared"], prepared["failed_pairs"]) == (2, 0)
    ranked = worker.result("rank", strategy="difference", batch=3)
    ranking = json.loads((folder / "rounds" / "ranking.json").read_text(encoding="utf-8"))
    assert Path(ranked["path"]) == (folder / "rounds" / "ranking.json").resolve()
    assert len(ranking["ranking"]) == 3
    labels = label_some(folder)
    trained = worker.result("train", seed=4)
    assert (trained["round"], trained["labelled"], trained["seed"]) == (1, labels, 4)
    assert worker.hear(EventKind.ROUND).data["number"] == 1
    assert worker.result("rank", strategy="entropy", batch=3)["model"] == trained["model"]
    files = worker.result("predict", pair="p3")["files"]
    assert [Path(file).parent for file in files] == [folder.resolve() / "predictions" / "p3"] * 2
    slice_index = ranking["ranking"][0]["slice"]
    with np.load(worker.result("explain", pair="p0", slice=slice_index)["path"]) as pictures:
        assert set(pictures) == {"suggestion", "uncertainty", "attention"}
    status = worker.result("status")
    told = {name: status[name] for name in ("busy", "labels", "rounds", "model", "queue", "process")}
    assert told == {
        "busy": None,
        "labels": labels,
        "rounds": 1,
        "model": trained["model"],
        "queue": 0,
        "process": ready.data["process"],
    }
    assert status["slice_pairs"] > labels
    assert Path(status["ranking"]).is_file()
    assert worker.result("shutdown") == {}
    assert worker.left() == 0, worker.err
    assert worker.events[-1] == Event(EventKind.LEAVING, None, {"reason": "asked to"})
    doings = [event.data["doing"] for event in worker.events if event.kind is EventKind.STATE]
    busy = [doing for doing in doings if doing != "idle"]
    assert busy == ["preparing", "ranking", "training", "ranking", "predicting", "explaining"]
    assert len([event for event in worker.events if event.kind.is_terminal]) == 8
    assert leftovers(folder) == []


def test_status_and_cancel_are_answered_while_it_trains(worker: WorkerProcess, shared_folder: Path) -> None:
    training = begin_training(worker)
    statuses = [worker.result("status") for _ in range(20)]
    assert {(status["busy"], status["doing"]) for status in statuses} == {(training, "training")}
    assert worker.result("cancel", request="never heard of") == {"cancelled": []}
    assert worker.result("cancel", request=training) == {"cancelled": [training]}
    assert worker.end_of(training) == Event(EventKind.CANCELLED, training)
    worker.wait(lambda event: event.data.get("doing") == "idle")
    assert worker.result("status")["busy"] is None
    with Project.open(shared_folder) as project:
        assert project.rounds() == []
        with project.writer_lock("test"):
            pass
    assert leftovers(shared_folder) == []


def test_progress_has_a_phase_a_share_and_the_time_left(worker: WorkerProcess) -> None:
    training = begin_training(worker)
    told = worker.wait(lambda event: event.id == training and event.data.get("seconds_left") is not None)
    assert told.data["phase"] == "training"
    assert 0 < told.data["current"] < told.data["maximum"] == 100
    assert told.data["seconds_left"] > 0
    worker.result("cancel", request=training)
    worker.end_of(training)


def test_requests_wait_their_turn_and_can_be_called_off_there(worker: WorkerProcess) -> None:
    training = begin_training(worker)
    first, second, third = (worker.ask("rank", strategy="difference", batch=2) for _ in range(3))
    assert worker.result("status")["queue"] == 3
    assert worker.result("cancel", request=second) == {"cancelled": [second]}
    assert worker.end_of(second).kind is EventKind.CANCELLED
    worker.result("cancel", request=training)
    ends = [worker.end_of(id) for id in (training, first, third)]
    assert [end.kind for end in ends] == [EventKind.CANCELLED, EventKind.DONE, EventKind.DONE]
    places = [worker.place(end) for end in (worker.end_of(second), *ends)]
    assert places == sorted(places)


def test_cancel_without_a_name_calls_everything_off(worker: WorkerProcess) -> None:
    ids = [begin_training(worker), worker.ask("rank", strategy="difference"), worker.ask("predict")]
    assert worker.result("cancel") == {"cancelled": ids}
    assert {worker.end_of(id).kind for id in ids} == {EventKind.CANCELLED}


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [("rank", {"strategy": "difference"}), ("prepare", {}), ("predict", {}), ("train", {})],
)
def test_cancel_right_behind_a_request(worker: WorkerProcess, verb: str, arguments: dict[str, Any]) -> None:
    request = worker.request(verb, **arguments)
    cancel = worker.request("cancel", request=request.id)
    worker.write(encode(request) + encode(cancel))
    called_off = worker.end_of(cancel.id).data["result"]["cancelled"]
    end = worker.end_of(request.id)
    assert called_off == [request.id]
    allowed = {EventKind.CANCELLED, EventKind.FAILED}  # predicting without a model fails before it is asked
    assert end.kind in (allowed if verb == "predict" else {EventKind.CANCELLED})


def test_cancel_while_it_prepares_and_again_from_there(start: Start, small_cohort, tmp_path: Path) -> None:
    with Project.create(tmp_path / "p") as project:
        project.add_pairs(read_pairs_table(small_cohort.table))
    worker = start(tmp_path / "p")
    preparing = worker.ask("prepare")
    worker.hear(EventKind.PROGRESS, preparing)
    worker.result("cancel", request=preparing)
    assert worker.end_of(preparing).kind is EventKind.CANCELLED
    with Project.open(tmp_path / "p") as project:
        assert project.status()["failed_pairs"] == 0
        assert project.status()["unprepared_pairs"] >= 2
        assert project.check() == []
    assert leftovers(tmp_path / "p") == []
    assert worker.result("prepare")["prepared"] == 4


BAD = [
    (b'{"id": "cut-1", "verb": "ra\n', None, "not JSON"),
    (b"x" * (2 << 20) + b"\n", None, "longer than 1048576 bytes"),
    (b"rm -rf /\n", None, "not JSON"),
    (b'{"id": "\xff\xfe", "verb": "status"}\n', None, "not UTF-8"),
    (b'{"id": "bad-1", "verb": "eval"}\r\n', "bad-1", "unknown verb 'eval'"),
    (b'{"id": 7, "verb": "status"}\n', None, "id of a request is '7'"),
    (b'{"id": "bad-2", "verb": "train", "arguments": {"seed": "x"}}\n', "bad-2", "seed of train is 'x'"),
    (b'{"id": "bad-3", "verb": "status", "arguments": {"code": "1"}}\n', "bad-3", "unknown argument 'code'"),
]


@pytest.mark.parametrize("during", ["nothing", "training"])
def test_bad_lines_are_answered_in_words_and_nothing_else_happens(worker: WorkerProcess, during: str) -> None:
    training = begin_training(worker) if during == "training" else None
    before = len(worker.events)
    lines = b"".join(line for line, _, _ in BAD)
    worker.write(b"\n  \n" + lines.replace(b"bad", during.encode()))
    worker.result("status")
    answers = [event for event in worker.events[before:] if event.kind is EventKind.FAILED]
    assert [answer.id for answer in answers] == [id and id.replace("bad", during) for _, id, _ in BAD]
    for answer, (_, _, words) in zip(answers, BAD, strict=True):
        assert words in answer.data["message"]
        assert answer.data["error"] == "ProtocolError"
    if training:
        assert worker.result("status")["busy"] == training
        worker.result("cancel")
        assert worker.end_of(training).kind is EventKind.CANCELLED


def test_the_id_of_a_request_that_runs_cannot_be_given_again(worker: WorkerProcess) -> None:
    training = begin_training(worker)
    before = len(worker.events)
    worker.write(encode(Request(training, Verb.STATUS)))
    worker.result("cancel")
    assert worker.end_of(training).kind is EventKind.CANCELLED
    (answer,) = (event for event in worker.events[before:] if event.kind is EventKind.FAILED)
    assert answer.id is None
    assert training in answer.data["message"]


def test_what_cannot_be_done_fails_in_words_and_the_worker_goes_on(worker: WorkerProcess) -> None:
    error, message = worker.failure("rank", strategy="magic")
    assert error == "UnknownName"
    assert "choose one of" in message
    assert worker.failure("rank", strategy="entropy")[0] == "NotReady"
    error, message = worker.failure("predict", pair="p9")
    assert error == "InvalidInput"
    assert "p9" in message
    assert len(worker.result("rank", strategy="random", batch=2)) > 0


def test_a_flood_of_requests_by_someone_who_does_not_read(worker: WorkerProcess) -> None:
    training = begin_training(worker)
    flood = [worker.request("rank", strategy="difference") for _ in range(9_000)]
    flood += [worker.request("status") for _ in range(1_000)]
    worker.read_on.clear()
    worker.write(b"".join(map(encode, flood)))
    worker.read_on.set()
    last = worker.end_of(flood[-1].id).data["result"]
    assert (last["busy"], last["queue"]) == (training, 100)
    worker.result("cancel")
    wanted = {request.id for request in flood} | {training}
    worker.end_of(training)
    ends = [event for event in worker.events if event.kind.is_terminal and event.id in wanted]
    assert {event.id for event in ends} == wanted
    kinds = [event.kind for event in ends]
    assert len(kinds) == len(wanted)
    assert [kinds.count(kind) for kind in (EventKind.CANCELLED, EventKind.FAILED)] == [101, 8_900]
    assert worker.result("status")["queue"] == 0


def test_a_label_of_anyone_is_noticed(worker: WorkerProcess, shared_folder: Path) -> None:
    labels = label_some(shared_folder, "p1")
    while worker.result("status", labelling=True)["labels"] != labels:
        assert worker.process.poll() is None


def test_a_second_worker_leaves_at_once_and_the_first_does_not_notice(
    worker: WorkerProcess, shared_folder: Path, start: Start
) -> None:
    second = start(shared_folder, plain=True)
    assert second.left() == 3, second.err
    (said,) = second.events
    assert said.kind is EventKind.LEAVING
    assert f"process {worker.result('status')['process']} " in said.data["reason"]
    assert second.err == b""


def test_the_end_of_standard_input_ends_it_in_the_middle_of_a_training(
    start: Start, small_project: Project
) -> None:
    folder = small_project.folder
    label_some(folder)
    worker = start(folder)
    begin_training(worker)
    worker.write(b'{"id": "cut", "verb": "sta')
    worker.hang_up()
    assert worker.left() == 0, worker.err
    assert worker.events[-1] == Event(EventKind.LEAVING, None, {"reason": "the front end is gone"})
    assert "cut" not in {event.id for event in worker.events}
    assert small_project.rounds() == []
    assert leftovers(folder) == []
    with small_project.writer_lock("test"):
        pass


def test_what_libraries_print_does_not_reach_the_front_end(
    start: Start, small_project: Project, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(NOISE)
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    worker = start(small_project.folder, plain=True, PYTHONPATH=path)
    worker.result("rank", strategy="difference", batch=2)
    worker.result("shutdown")
    assert worker.left() == 0
    assert worker.events[0].kind is EventKind.READY  # every line was read as an event
    assert b"a library prints in C\n" in worker.err
    assert b"a library prints\n" in worker.err


def test_it_ranks_by_itself_and_requests_go_first(start: Start, small_project: Project) -> None:
    label_some(small_project.folder)
    worker = start(small_project.folder, plain=True)
    worker.wait(lambda event: event.kind is EventKind.RANKING and event.id is None)
    assert worker.result("rank", strategy="random", batch=2)["strategy"] == "random"
    worker.result("cancel")
    worker.wait(lambda event: event.data.get("doing") == "idle")
    assert worker.result("shutdown") == {}
    assert worker.left() == 0, worker.err


def test_a_project_that_vanishes(start: Start, small_project: Project) -> None:
    folder = small_project.folder
    label_some(folder)
    small_project.close()
    worker = start(folder)
    training = begin_training(worker)
    shutil.rmtree(folder, ignore_errors=os.name == "nt")
    assert worker.left() == 4, worker.err
    assert worker.end_of(training).kind in (EventKind.CANCELLED, EventKind.FAILED)
    assert str(folder) in worker.hear(EventKind.NOTE).data["message"]
    assert worker.events[-1].kind is EventKind.LEAVING
    assert not folder.exists()
