"""The main thread's order of things: requests first, thoughts in between, errors in words."""

import errno
import os
import queue
import threading

import numpy as np
import pytest
import torch

from longitudinal_al.errors import NotReady
from longitudinal_al.project.records import Label, utc_now
from longitudinal_al.project.store import Project
from longitudinal_al.protocol import EventKind, Lines, Request, Verb, decode_event, encode
from longitudinal_al.serving import watch as watching
from longitudinal_al.serving.board import Board
from longitudinal_al.serving.channel import Channel
from longitudinal_al.serving.service import Service, Task, in_words
from longitudinal_al.serving.watch import ProjectWatch

SECONDS = 60


class Thoughts:
    """A live loop that thinks one endless thought, and says what interrupts it."""

    def __init__(self) -> None:
        self.said: queue.Queue[str] = queue.Queue()
        self.fault: Exception | None = None

    def step(self, interrupt) -> bool:
        self.said.put("thinks")
        try:
            while True:
                interrupt()
                if self.fault:
                    raise self.fault
        except Exception as error:
            self.said.put(type(error).__name__)
            raise

    def drop(self) -> None:
        self.said.put("dropped")

    def says(self) -> str:
        return self.said.get(timeout=SECONDS)


class FrontEnd:
    """The other end of a service that runs on a thread of this process."""

    def __init__(self, folder, tasks, thoughts) -> None:
        requests, self.requests = os.pipe()
        self.events_end, events = os.pipe()
        self.events: queue.Queue = queue.Queue()
        channel = Channel(events)
        self.service = Service(folder, channel, tasks, end=lambda status: None)
        self.status = None
        threading.Thread(target=self.read, daemon=True).start()
        self.thread = threading.Thread(target=self.run, args=(requests, thoughts), daemon=True)
        self.thread.start()

    def run(self, requests, thoughts) -> None:
        self.status = self.service.run(requests, thoughts)

    def read(self) -> None:
        lines = Lines()
        while data := os.read(self.events_end, 65536):
            for line in lines.feed(data):
                self.events.put(decode_event(line))

    def ask(self, id, verb, **arguments) -> None:
        os.write(self.requests, encode(Request(id, verb, arguments)))

    def hear(self, kind, id=None):
        while True:
            event = self.events.get(timeout=SECONDS)
            if event.kind is kind and event.id == id:
                return event

    def hang_up(self) -> int:
        os.close(self.requests)
        self.thread.join(SECONDS)
        return self.status


def quick(job, project):
    return {"labels": project.status()["labelled"]}


def broken(job, project):
    raise KeyError("a fault")


def unready(job, project):
    raise NotReady("prepare first")


TASKS = {
    Verb.TRAIN: Task(quick, "training", "Training."),
    Verb.PREPARE: Task(broken, "preparing", "Preparing.", replaces_pairs=True),
    Verb.PREDICT: Task(unready, "predicting", "Predicting."),
}


@pytest.fixture
def thoughts():
    return Thoughts()


@pytest.fixture
def front_end(small_project, thoughts):
    running = FrontEnd(small_project.folder, TASKS, thoughts)
    running.hear(EventKind.READY)
    assert thoughts.says() == "thinks"
    yield running
    if running.status is None:
        assert running.hang_up() == 0


def label(project: Project) -> None:
    mask = np.zeros((80, 72), np.uint8)
    project.save_label(Label("p0", 9, mask, "tester", utc_now(), utc_now()))


def test_a_request_interrupts_the_thought_which_goes_on_afterwards(front_end, thoughts):
    front_end.ask("1", Verb.TRAIN)
    assert front_end.hear(EventKind.DONE, "1").data["result"] == {"labels": 0}
    assert [thoughts.says(), thoughts.says()] == ["Interrupted", "thinks"]


def test_before_pairs_are_replaced_a_thought_lets_go_of_their_files(front_end, thoughts):
    front_end.ask("1", Verb.PREPARE)
    front_end.hear(EventKind.FAILED, "1")
    assert [thoughts.says(), thoughts.says(), thoughts.says()] == ["Interrupted", "dropped", "thinks"]


def test_after_cancel_it_rests_until_somebody_labels(front_end, thoughts, small_project):
    front_end.ask("1", Verb.CANCEL)
    assert front_end.hear(EventKind.DONE, "1").data["result"] == {"cancelled": []}
    assert thoughts.says() == "Cancelled"
    assert front_end.hear(EventKind.STATE).data["doing"] == "idle"
    front_end.ask("2", Verb.STATUS)
    front_end.hear(EventKind.DONE, "2")
    assert thoughts.said.empty()
    label(small_project)
    assert thoughts.says() == "thinks"
    assert front_end.service.watch.someone_labels


def test_the_word_that_someone_labels_ends_the_rest(front_end, thoughts):
    front_end.ask("1", Verb.CANCEL)
    assert thoughts.says() == "Cancelled"
    assert not front_end.service.watch.someone_labels
    front_end.ask("2", Verb.STATUS, labelling=True)
    assert thoughts.says() == "thinks"
    assert front_end.service.watch.someone_labels


def test_a_share_that_does_not_answer_is_looked_at_again_and_then_counts_as_gone(tmp_path, monkeypatch):
    looked, gone = threading.Semaphore(0), threading.Event()

    def failing(self, **how):
        looked.release()
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected", str(self))

    Project.create(tmp_path / "study").close()
    watch = ProjectWatch(tmp_path / "study", Board(lambda *said: None), lambda: None, gone.set)
    with monkeypatch.context() as broken:
        broken.setattr(watching.Path, "stat", failing)
        broken.setattr(watching, "LOOK_SECONDS", 0.01)
        watch.start()
        assert looked.acquire(timeout=SECONDS)
        assert gone.wait(SECONDS)


def test_a_fault_in_a_thought_is_told_and_the_worker_rests(front_end, thoughts, capsys):
    thoughts.fault = ValueError("no idea")
    message = front_end.hear(EventKind.NOTE).data["message"]
    assert "fault in the worker: ValueError: no idea" in message
    assert thoughts.says() == "ValueError"
    front_end.ask("1", Verb.TRAIN)
    assert front_end.hear(EventKind.DONE, "1")


def test_faults_of_a_handler_end_its_request_and_nothing_else(front_end, capfd):
    for id, verb in (("1", Verb.PREPARE), ("2", Verb.PREDICT), ("3", Verb.EXPLAIN), ("4", Verb.TRAIN)):
        front_end.ask(id, verb)
    failures, done = {}, None
    while len(failures) < 3 or not done:  # the one that is refused at once may come before the others
        event = front_end.events.get(timeout=SECONDS)
        failures |= {event.id: event.data} if event.kind is EventKind.FAILED else {}
        done = done or (event.kind is EventKind.DONE and event.id)
    assert failures["1"]["error"] == "KeyError"
    assert "Please report it" in failures["1"]["message"]
    assert failures["2"] == {"message": "prepare first", "error": "NotReady"}
    assert "needs the argument pair" in failures["3"]["message"]
    assert done == "4"
    assert "a fault" in capfd.readouterr().err


def test_the_end_of_the_pipe_ends_the_thought_and_the_service(front_end, thoughts):
    assert front_end.hang_up() == 0
    assert thoughts.says() == "Cancelled"
    assert front_end.hear(EventKind.LEAVING).data["reason"] == "the front end is gone"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 1 byte"),
    ],
)
def test_memory_that_runs_out_is_told_in_plain_words(error):
    said = in_words(error)
    assert said["error"] == "OutOfMemory"
    assert "close other programs" in said["message"]


def test_a_full_disk_is_told_in_plain_words():
    said = in_words(OSError(errno.ENOSPC, "No space left on device", "/project/x"))
    assert said["error"] == "StorageFailed"
    assert "the disk is full" in said["message"]
