"""Requests that are called off: while they run, while they wait, and all at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from longitudinal_al.project.store import Project
from longitudinal_al.project.table import read_pairs_table
from longitudinal_al.protocol import EventKind, encode


def test_requests_wait_their_turn_and_can_be_called_off_there(worker: Any) -> None:
    training = worker.begin_training()
    first, second, third = (worker.ask("rank", strategy="difference", batch=2) for _ in range(3))
    assert worker.result("status")["queue"] == 3
    assert worker.result("cancel", request=second) == {"cancelled": [second]}
    assert worker.end_of(second).kind is EventKind.CANCELLED
    worker.result("cancel", request=training)
    ends = [worker.end_of(id) for id in (training, first, third)]
    assert [end.kind for end in ends] == [EventKind.CANCELLED, EventKind.DONE, EventKind.DONE]
    places = [worker.place(end) for end in (worker.end_of(second), *ends)]
    assert places == sorted(places)


def test_cancel_without_a_name_calls_everything_off(worker: Any) -> None:
    ids = [worker.begin_training(), worker.ask("rank", strategy="difference"), worker.ask("predict")]
    assert worker.result("cancel") == {"cancelled": ids}
    assert {worker.end_of(id).kind for id in ids} == {EventKind.CANCELLED}


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [("rank", {"strategy": "difference"}), ("prepare", {}), ("predict", {}), ("train", {})],
)
def test_cancel_right_behind_a_request(worker: Any, verb: str, arguments: dict[str, Any]) -> None:
    request = worker.request(verb, **arguments)
    cancel = worker.request("cancel", request=request.id)
    worker.write(encode(request) + encode(cancel))
    called_off = worker.end_of(cancel.id).data["result"]["cancelled"]
    end = worker.end_of(request.id)
    assert called_off == [request.id]
    allowed = {EventKind.CANCELLED, EventKind.FAILED}  # predicting without a model fails before it is asked
    assert end.kind in (allowed if verb == "predict" else {EventKind.CANCELLED})


def test_cancel_while_it_prepares_and_again_from_there(
    start: Any, small_cohort, tmp_path: Path, leftovers: Any
) -> None:
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
