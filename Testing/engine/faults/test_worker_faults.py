"""Damaged files, bad disks, no memory, floods, hangs and second workers: the worker says so and lives on."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from longitudinal_al.frontend.annotation import AnnotationSession
from longitudinal_al.frontend.ranking import Entry
from longitudinal_al.frontend.worker_state import WorkerState
from longitudinal_al.project.files import read_json
from longitudinal_al.project.ranking_file import ranking_path
from longitudinal_al.protocol import EventKind, Verb

RANK = {"strategy": "entropy", "batch": 5}


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def spoil(file: Path) -> None:
    file.write_bytes(b"\xff\x00 not what it was" * 100)


def remove(file: Path) -> None:
    file.unlink()


def change_head(file: Path) -> None:
    """Change what the file says of itself; its length and the rest stay."""
    content = file.read_bytes()
    for old, new in ((b"'<f2'", b"'<i2'"), (b"'|b1'", b"'|i1'"), (b'"slices"', b'"sliced"')):
        content = content.replace(old, new, 1)
    assert content != file.read_bytes()
    file.write_bytes(content)


def test_damaged_files_are_named_and_made_again(worker_of, small_project, save, times) -> None:
    """One worker meets one damage after the other."""
    folder = small_project.folder
    worker = worker_of(folder).ready()
    for number in range(3):
        save(number)
    for harm in (cut, spoil, remove):
        model = Path(worker.done(Verb.TRAIN)["model"])
        worker.done(Verb.RANK, **RANK)
        harm(ranking_path(folder))
        session = AnnotationSession(small_project, None, "x")
        assert not isinstance(session.next(), Entry)  # no ranking is no crash
        worker.done(Verb.RANK, **RANK)
        assert len(read_json(ranking_path(folder))["ranking"]) >= 5
        assert isinstance(AnnotationSession(small_project, None, "x").next(), Entry)
        harm(model)
        worker.refused(Verb.PREDICT, "model is missing or damaged", "train")
        worker.done(Verb.TRAIN)
        worker.done(Verb.PREDICT)
    names, harms = ("stack.npy", "stack-foreground.npy", "prepared.json"), (cut, spoil, remove, change_head)
    volumes = [("followup.nii.gz", cut), ("difference.nii.gz", spoil), ("foreground.nii.gz", remove)]
    both = [*itertools.product(names, harms), *volumes]
    for name, harm in both[:: times(3, 1)]:  # preparing again takes its time
        harm(small_project.pair_folder("p0") / name)
        worker.refused(Verb.RANK, "prepare", **RANK)
        worker.done(Verb.PREPARE)
        worker.done(Verb.RANK, **RANK)
    assert len(small_project.labels()) == 3
    whole = folder / "whole"
    shutil.copy(folder / "project.sqlite", whole)
    spoil(folder / "project.sqlite")
    worker.refused(Verb.TRAIN, "project.sqlite is damaged", "backup")
    whole.replace(folder / "project.sqlite")
    worker.done(Verb.TRAIN)


def test_a_full_or_read_only_disk_fails_the_work_and_not_the_worker(
    worker_of, small_project, save, disk: str, tmp_path: Path
) -> None:
    save(0)
    switch = tmp_path / "switch"
    known = {"LD_PRELOAD": disk, "DISK_ROOT": str(small_project.folder), "DISK_SWITCH": str(switch)}
    for misbehaviour, words in (({"DISK_FULL": "0"}, "disk"), ({"DISK_RDONLY": "1"}, "")):
        worker = worker_of(small_project.folder, **known, **misbehaviour).ready()
        worker.done(Verb.TRAIN)
        rounds = len(small_project.rounds())
        worker.done(Verb.RANK, **RANK)
        before = ranking_path(small_project.folder).read_bytes()
        switch.touch()
        worker.refused(Verb.TRAIN, words)
        worker.refused(Verb.RANK, "cannot write", "intact", **RANK)
        assert ranking_path(small_project.folder).read_bytes() == before
        assert len(small_project.rounds()) == rounds
        switch.unlink()
        worker.done(Verb.TRAIN)
        worker.done(Verb.RANK, **RANK)
        worker.close()
    assert small_project.check() == []


def test_the_worker_leaves_when_the_folder_is_deleted(worker_of, small_project) -> None:
    worker = worker_of(small_project.folder).ready()
    try:
        shutil.rmtree(small_project.folder)
    except PermissionError:
        pytest.skip("this system does not let go of open files")
    said = worker.until(lambda: worker.state is WorkerState.LEFT)
    assert any("gone" in str(event.data) for event in said if event.kind is EventKind.NOTE)


def test_a_second_worker_leaves_and_the_first_stays(worker_of, small_project) -> None:
    first = worker_of(small_project.folder).ready()
    second = worker_of(small_project.folder)
    second.start()
    said = second.until(lambda: second.state is WorkerState.LEFT)
    assert any("has a worker already" in str(event.data) for event in said)
    first.done(Verb.RANK, strategy="difference", batch=3)
    first.signal(signal.SIGKILL) if os.name == "posix" else first.kill()
    first.until(lambda: first.state.is_over)
    second.until(lambda: second.process_id is None)
    second.ready().done(Verb.STATUS)  # the lock went with its holder


class Clock:
    """Time that can be made to fly, so that a test need not wait."""

    def __init__(self) -> None:
        self.speed = 1.0
        self._now, self._looked = 0.0, time.monotonic()

    def __call__(self) -> float:
        looked, self._looked = self._looked, time.monotonic()
        self._now += self.speed * (self._looked - looked)
        return self._now


def test_a_worker_that_hangs_is_noticed_and_can_be_restarted(worker_of, small_project) -> None:
    if os.name != "posix":
        pytest.skip("needs POSIX signals")
    clock = Clock()
    worker = worker_of(small_project.folder, clock=clock).ready()
    process = worker.process_id
    for is_last in (False, True):
        worker.signal(signal.SIGSTOP)
        clock.speed = 20
        said = worker.until(lambda: worker.state is WorkerState.HUNG)
        assert any(event.data.get("hung") and "restart" in event.data["message"] for event in said)
        clock.speed = 1
        if not is_last:
            worker.signal(signal.SIGCONT)
            worker.until(lambda: worker.state is not WorkerState.HUNG)
    worker.restart()
    worker.until(lambda: worker.process_id not in (None, process))
    worker.ready()


def test_a_flood_is_answered_one_by_one(worker_of, small_project, save, times) -> None:
    worker = worker_of(small_project.folder, FAULTS_STEPS="50").ready()
    save(0)
    count = times(2_000, 10_000)
    verbs = [(Verb.STATUS, {}), (Verb.TRAIN, {}), (Verb.RANK, RANK), (Verb.CANCEL, {"request": "0"})]
    asked = [worker.request(verb, **arguments) for verb, arguments in (verbs * count)[:count]]
    cancel = worker.request(Verb.CANCEL)
    said = worker.until(lambda: not worker.conversation.pending)
    ends = Counter(event.id for event in said if event.kind.is_terminal and event.id is not None)
    assert ends == Counter([*asked, cancel])
    kinds = Counter(event.kind for event in said if event.kind.is_terminal)
    assert kinds[EventKind.DONE] >= count // 2
    assert kinds[EventKind.CRASHED] == 0
    worker.done(Verb.RANK, strategy="difference", batch=3)


BAD = [
    b"\n",
    b"{}\n",
    b"[1, 2]\n",
    b"\xff\xfe\x00\n",
    b'{"id": "x", "verb": "fly", "arguments": {}}\n',
    b'{"id": "y", "verb": "train", "arguments": {"seed": "seven"}}\n',
    b'{"id": 7, "verb": "train"}\n',
    b'{"id": "z", "verb": "status", "arg\n',
    b"x" * 3_000_000 + b"\n",
    b"[" * 100_000 + b"\n",
]


def test_messages_that_are_no_requests_are_refused_and_harmless(worker_of, small_project) -> None:
    worker = worker_of(small_project.folder).ready()
    for line in BAD:
        worker.transport.write(line)
    status = worker.request(Verb.STATUS)
    said = worker.until(lambda: status not in worker.conversation.pending)
    failed = [event for event in said if event.kind is EventKind.FAILED]
    assert len(failed) >= len(BAD) - 1 - 2  # those with an id that nobody asked are the client's to drop
    worker.transport.write(b'{"id": "half", "verb": "sta')
    worker.transport.write(b'tus"}\n')
    worker.done(Verb.STATUS)


def test_too_little_memory_fails_the_work_and_not_the_worker(worker_of, small_project, save) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("needs Linux, to take a process its memory while it runs")
    import resource

    save(0)
    # What is freed goes back to the system at once: nothing is left to live on.
    returning = {"MALLOC_MMAP_THRESHOLD_": "16384", "MALLOC_TRIM_THRESHOLD_": "0", "MALLOC_TOP_PAD_": "0"}
    worker = worker_of(small_project.folder, **returning).ready()
    worker.done(Verb.TRAIN)
    statistics = Path(f"/proc/{worker.process_id}/statm").read_text().split()
    now = int(statistics[0]) * resource.getpagesize()
    _, hard = resource.prlimit(worker.process_id, resource.RLIMIT_AS)
    resource.prlimit(worker.process_id, resource.RLIMIT_AS, (now + (1 << 20), hard))
    end = worker.ask(Verb.TRAIN)
    assert end.kind is EventKind.FAILED, end
    assert "memory" in end.data["message"], end
    worker.done(Verb.STATUS)
    resource.prlimit(worker.process_id, resource.RLIMIT_AS, (hard, hard))
    worker.done(Verb.TRAIN)
    assert len(small_project.labels()) == 1
