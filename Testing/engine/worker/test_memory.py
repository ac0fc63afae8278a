"""A worker on a device without enough memory: smaller batches, or words; it lives on either way."""

from __future__ import annotations

from typing import Any

from longitudinal_al.project.store import Project
from longitudinal_al.protocol import EventKind


def test_a_device_that_holds_two_slice_pairs_is_enough(
    start: Any, small_project: Project, label_some: Any
) -> None:
    label_some(small_project.folder)
    worker = start(small_project.folder, quick=True, MOST_IN_MEMORY="2")
    training = worker.ask("train")
    assert worker.end_of(training).kind is EventKind.DONE, worker.end_of(training)
    told = [event.data["message"] for event in worker.events if event.kind is EventKind.NOTE]
    assert any("going on with 2 slice pairs at a time" in message for message in told)
    assert worker.result("rank", strategy="hybrid", batch=3)["chosen"] == 3
    assert len(worker.result("predict", pair="p1")["files"]) >= 2


def test_no_memory_at_all_fails_the_work_in_words_and_not_the_worker(
    start: Any, small_project: Project, label_some: Any
) -> None:
    label_some(small_project.folder)
    worker = start(small_project.folder, quick=True, MOST_IN_MEMORY="0")
    error, message = worker.failure("train")
    assert error == "OutOfMemory"
    assert "close other programs" in message
    assert small_project.rounds() == []
    with small_project.writer_lock("test"):
        pass
    assert worker.result("rank", strategy="difference", batch=2)["chosen"] == 2
    assert worker.result("status")["busy"] is None


def test_a_worker_that_thinks_says_once_that_memory_ran_out_and_lives_on(
    start: Any, small_project: Project, label_some: Any
) -> None:
    label_some(small_project.folder)
    worker = start(small_project.folder, quick=True, thinks=True, MOST_IN_MEMORY="0")
    said = worker.wait(lambda event: event.kind is EventKind.NOTE and "memory" in event.data["message"])
    assert said.id is None
    worker.wait(lambda event: event.data.get("doing") == "idle")
    assert worker.result("rank", strategy="difference", batch=2)["chosen"] == 2
