"""Messages that are none, floods, and libraries that print into the conversation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from longitudinal_al.project.store import Project
from longitudinal_al.protocol import EventKind, Request, Verb, encode

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
def test_bad_lines_are_answered_in_words_and_nothing_else_happens(worker: Any, during: str) -> None:
    training = worker.begin_training() if during == "training" else None
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


def test_the_id_of_a_request_that_runs_cannot_be_given_again(worker: Any) -> None:
    training = worker.begin_training()
    before = len(worker.events)
    worker.write(encode(Request(training, Verb.STATUS)))
    worker.result("cancel")
    assert worker.end_of(training).kind is EventKind.CANCELLED
    (answer,) = (event for event in worker.events[before:] if event.kind is EventKind.FAILED)
    assert answer.id is None
    assert training in answer.data["message"]


def test_a_flood_of_requests_by_someone_who_does_not_read(worker: Any) -> None:
    training = worker.begin_training()
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


def test_what_libraries_print_does_not_reach_the_front_end(
    start: Any, small_project: Project, tmp_path: Path
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
