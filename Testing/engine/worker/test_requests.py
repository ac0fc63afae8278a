"""What is asked of a worker, one after the other and while it works, by a front end that behaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from longitudinal_al.project.store import Project
from longitudinal_al.project.table import read_pairs_table
from longitudinal_al.protocol import Event, EventKind


def test_a_conversation_from_scans_to_masks(
    start: Any, small_cohort, tmp_path: Path, label_some: Any, leftovers: Any
) -> None:
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
    trained = worker.result("train", seed=4, alignment=0.1)
    assert (trained["round"], trained["labelled"], trained["seed"]) == (1, labels, 4)
    assert (trained["figures"]["alignment"], trained["figures"]["consistency"]) == (0.1, 0.0)
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


def test_status_and_cancel_are_answered_while_it_trains(
    worker: Any, shared_folder: Path, leftovers: Any
) -> None:
    training = worker.begin_training()
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


def test_progress_has_a_phase_a_share_and_the_time_left(worker: Any) -> None:
    training = worker.begin_training()
    told = worker.wait(lambda event: event.id == training and event.data.get("seconds_left") is not None)
    assert told.data["phase"] == "training"
    assert 0 < told.data["current"] < told.data["maximum"] == 100
    assert told.data["seconds_left"] > 0
    worker.result("cancel", request=training)
    worker.end_of(training)


def test_what_cannot_be_done_fails_in_words_and_the_worker_goes_on(worker: Any) -> None:
    error, message = worker.failure("rank", strategy="magic")
    assert error == "UnknownName"
    assert "choose one of" in message
    assert worker.failure("rank", strategy="entropy")[0] == "NotReady"
    error, message = worker.failure("predict", pair="p9")
    assert error == "InvalidInput"
    assert "p9" in message
    assert len(worker.result("rank", strategy="random", batch=2)) > 0


def test_a_label_of_anyone_is_noticed(worker: Any, shared_folder: Path, label_some: Any) -> None:
    labels = label_some(shared_folder, "p1")
    while worker.result("status", labelling=True)["labels"] != labels:
        assert worker.process.poll() is None


def test_it_ranks_by_itself_and_requests_go_first(
    start: Any, small_project: Project, label_some: Any
) -> None:
    label_some(small_project.folder)
    worker = start(small_project.folder, plain=True)
    worker.wait(lambda event: event.kind is EventKind.RANKING and event.id is None)
    assert worker.result("rank", strategy="random", batch=2)["strategy"] == "random"
    worker.result("cancel")
    worker.wait(lambda event: event.data.get("doing") == "idle")
    assert worker.result("shutdown") == {}
    assert worker.left() == 0, worker.err
