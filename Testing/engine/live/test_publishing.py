"""When the live loop publishes, and what becomes of a thought that is called off."""

from __future__ import annotations

import errno
import os

import numpy as np
import pytest

from longitudinal_al.errors import Cancelled, Interrupted, StorageFailed
from longitudinal_al.live.schedule import Thought
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.ranking_file import ranking_path
from longitudinal_al.project.records import Label, utc_now
from longitudinal_al.protocol import EventKind


def scored(live) -> list[int]:
    return [data["scored"] for data in live.said(EventKind.RANKING)]


def test_the_head_of_a_new_model_is_published_at_once_and_the_rest_at_the_end(small_project, watch) -> None:
    live = watch(small_project, "entropy", publish_seconds=1e9, step_seconds=1e9)
    live.think()
    live.label(1)
    live.think()
    total = live.ranking["total"]
    assert scored(live) == [0, live.settings.head, total]


def test_a_publication_that_makes_room_for_a_request_comes_next(small_project, watch) -> None:
    live = watch(small_project, "entropy", publish_seconds=1e9, step_seconds=0.0)
    live.label(1)
    live.think(lambda: live.loop.thought is Thought.LEARNING)
    live.think(lambda: live.loop.thought is Thought.RANKING)
    before = ranking_path(small_project.folder).stat().st_mtime_ns
    assert scored(live)[-1] == live.settings.head
    live.loop.drop()
    live.label(1)
    looks = []

    def interrupt() -> None:
        looks.append(1)
        if len(looks) == 10:
            raise Interrupted("a request")

    with pytest.raises(Interrupted):
        live.step(interrupt)
    assert ranking_path(small_project.folder).stat().st_mtime_ns == before
    live.step()
    assert live.ranking["labels"] == 2
    assert ranking_path(small_project.folder).stat().st_mtime_ns > before


@pytest.mark.parametrize("look", [1, 2])
def test_calling_everything_off_gives_up_what_is_half_done(small_project, watch, look: int) -> None:
    live = watch(small_project, step_seconds=0.0)
    live.label(1)
    live.step()
    live.step()
    assert live.loop.thought is Thought.LEARNING
    looks = []

    def interrupt() -> None:
        looks.append(1)
        if len(looks) == look:
            raise Cancelled("everything is called off")

    with pytest.raises(Cancelled):
        for _ in range(100):  # how often a step looks depends on the clock
            looks.clear()
            live.step(interrupt)
    assert live.loop.thought is Thought.IDLE
    live.think()  # and begins anew
    assert live.ranking["labels"] == 1
    assert live.ranking["scored"] == live.ranking["total"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_ranking_that_cannot_be_written_leaves_the_one_before(
    small_project, watch, monkeypatch, call: str
) -> None:
    live = watch(small_project, "difference")
    live.think()
    path = ranking_path(small_project.folder)
    before = path.read_bytes()
    live.label(1)

    def full(*given: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        with pytest.raises(StorageFailed):
            live.step()
    assert path.read_bytes() == before
    live.think()
    assert live.ranking["labels"] == 1


def test_without_a_network_no_reason_speaks_of_one_and_places_count_what_is_labelled(
    small_project, watch
) -> None:
    live = watch(small_project, "difference")
    live.think()
    first, *others = live.ranking["ranking"]
    assert "The largest difference of this patient" in first["reason"]
    assert not any("model" in entry["reason"] for entry in others)
    mask = np.zeros(Pool.open(small_project).pairs[first["pair"]].grid_shape, np.uint8)
    now = utc_now()
    small_project.save_label(Label(first["pair"], first["slice"], mask, "tester", now, now))
    live.think()
    left = [entry for entry in live.ranking["ranking"] if entry["patient"] == first["patient"]]
    assert not any("The largest difference" in entry["reason"] for entry in left)
