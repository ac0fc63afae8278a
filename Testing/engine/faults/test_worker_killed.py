"""`kill -9` of the worker, of the front end, and of both: no label is lost, and everything can go on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time

import numpy as np
import pytest

from longitudinal_al.frontend.worker_state import WorkerState
from longitudinal_al.project.files import read_json
from longitudinal_al.project.ranking_file import ranking_path, write_ranking
from longitudinal_al.project.store import Project
from longitudinal_al.protocol import EventKind, Verb
from longitudinal_al.rounds import rank

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")

# What is asked, with which arguments, and about how many seconds it takes.
WORK = [
    (Verb.TRAIN, {}, 1.5),
    (Verb.RANK, {"strategy": "entropy", "batch": 5}, 0.7),
    (Verb.PREDICT, {}, 0.7),
    (Verb.PREPARE, {}, 2.0),
]


def everything_whole(project: Project) -> None:
    """Assert that what lies there can be used, and what is missing is missing whole."""
    problems = [each for each in project.check() if "prepared folder is missing" not in each]
    assert problems == []
    ranking = ranking_path(project.folder)
    assert not ranking.exists() or read_json(ranking)["ranking"]


def test_the_worker_is_killed_at_its_work(
    worker_of, small_project, save, times, generator: np.random.Generator
) -> None:
    worker, expected, killed_at_work = worker_of(small_project.folder, FAULTS_STEPS="60"), {}, 0
    for number in range(3):
        expected[save(number)] = f"number {number}"
    worker.ready().done(Verb.TRAIN)
    for k in range(times(4, 100)):
        verb, arguments, seconds = WORK[k % len(WORK)]
        worker.ready()
        if verb is Verb.PREPARE:
            shutil.rmtree(small_project.pair_folder("p0"))
        asked = worker.request(verb, **arguments)
        number = len(expected) + 1000 * k
        expected[save(number)] = f"number {number}"
        time.sleep(generator.uniform(0, seconds))
        worker.signal(signal.SIGKILL)
        said = worker.until(lambda: worker.state is WorkerState.CRASHED)
        (end,) = (event for event in said if event.id == asked and event.kind.is_terminal)
        assert end.kind in (EventKind.CRASHED, EventKind.DONE)
        killed_at_work += end.kind is EventKind.CRASHED
        labels = {(each.pair, each.slice): each.annotator for each in small_project.labels()}
        assert labels == expected
        everything_whole(small_project)
        if verb is Verb.PREPARE:
            worker.ready().done(verb)
    worker.ready()
    for verb, arguments, _ in WORK:
        worker.done(verb, **arguments)
    assert small_project.check() == []
    print(f"{k + 1} kills of the worker, {killed_at_work} at work; {len(expected)} labels, none lost")


def test_the_worker_is_killed_while_it_thinks(
    worker_of, small_project, save, times, generator: np.random.Generator
) -> None:
    """Nothing is asked: it learns, ranks and checks by itself as labels come."""
    worker, expected = worker_of(small_project.folder, FAULTS_LIVE="1"), {}
    for k in range(times(1, 50)):
        worker.ready()
        for number in range(4 * k, 4 * k + 4):
            expected[save(number)] = f"number {number}"
            end = time.monotonic() + generator.uniform(0, 1)
            worker.until(lambda end=end: time.monotonic() > end)
        worker.signal(signal.SIGKILL)
        worker.until(lambda: worker.state is WorkerState.CRASHED)
        labels = {(each.pair, each.slice): each.annotator for each in small_project.labels()}
        assert labels == expected
        everything_whole(small_project)
    worker.ready()
    said = worker.until(lambda: ranking_path(small_project.folder).exists())
    assert not any(event.kind is EventKind.CRASHED for event in said)
    print(f"{k + 1} kills of the thinking worker; {len(expected)} labels, none lost")


# A front end: labels what the worker's ranking (or the first one) asks for, and says what was saved.
FRONT_END = """
import json, sys, time
from pathlib import Path
from longitudinal_al.frontend.annotation import AnnotationSession
from longitudinal_al.frontend.ranking import Entry
from longitudinal_al.frontend.worker_client import WorkerClient
from longitudinal_al.frontend.worker_state import WorkerState
from longitudinal_al.project.store import Project
from longitudinal_al.protocol import Verb
folder, *command = sys.argv[1:]
command += ["worker", folder]
client = WorkerClient(Path(folder), command=command)
client.start()
with Project.open(Path(folder)) as project:
    session = AnnotationSession(project, client, "front end")
    while client.state is WorkerState.STARTING:
        session.poll()
        time.sleep(0.01)
    print(json.dumps({"worker": client.process_id}), flush=True)
    client.request(Verb.TRAIN)
    while True:
        session.poll()
        entry = session.next()
        if not isinstance(entry, Entry):
            entry = session.open("p1", 12)
        label = session.no_change()
        print(json.dumps([label.pair, label.slice, str(label.ended)]), flush=True)
"""


@pytest.mark.parametrize("victims", ["front end", "both"])
def test_the_front_end_is_killed_and_the_worker_goes_too(
    start, worker_command, small_project, save, times, gone, generator: np.random.Generator, victims: str
) -> None:
    save(0)
    ranking = [entry.as_dict() for entry in rank(small_project, "difference", 20).entries]
    write_ranking(small_project.folder, "difference", 0, ranking)
    for _ in range(times(1, 100)):
        process = start(FRONT_END, small_project.folder, *worker_command, FAULTS_STEPS="400")
        told = json.loads(process.stdout.readline() or process.stderr.read())
        acknowledged = [json.loads(process.stdout.readline())]
        time.sleep(generator.uniform(0, 1))
        if victims == "both":
            os.kill(told["worker"], signal.SIGKILL)
        process.kill()
        rest, _ = process.communicate()
        acknowledged += [json.loads(line) for line in rest.splitlines() if line.endswith("]")]
        histories = {}
        for pair, index, ended in acknowledged:
            if (pair, index) not in histories:
                versions = small_project.label_history(pair, index)
                histories[pair, index] = {str(each.label.ended) for each in versions if each.label}
            assert ended in histories[pair, index]
        end = time.monotonic() + 30  # 5 s are promised; this computer may be busy
        while not gone(told["worker"]):
            assert time.monotonic() < end, "the worker outlives its front end"
            time.sleep(0.02)
        everything_whole(small_project)
