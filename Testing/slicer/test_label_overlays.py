"""Overlays on request, and that a suggestion was shown."""

from __future__ import annotations

import shutil

import numpy as np
from label_desk import _desk, preparedOnce, projectFolder  # noqa: F401
from logic_host import ScriptedWorker, paint

from longitudinal_al.protocol import Event, EventKind, Verb


def explanation(desk, tmp_path, probability=0.9):
    shape = desk.scene.shownPair.grid.sliceShape
    path = tmp_path / "explained.npz"
    picture = probability * desk.label().astype(np.float32).reshape(shape)
    np.savez_compressed(path, suggestion=picture, uncertainty=picture, attention=picture)
    return path


def test_a_suggestion_is_shown_when_asked_for_and_that_is_recorded(desk, tmp_path):
    desk.section.nextRequested.emit()
    first = desk.entry
    desk.section.suggestionRequested.emit()
    desk.section.overlayToggled.emit("suggestion", True)
    _, arguments = desk.worker.newest(Verb.EXPLAIN)
    assert arguments == {"pair": first.pair, "slice": first.slice}
    assert not desk.scene.hasOverlay("suggestion")
    desk.worker.answers(Verb.EXPLAIN, path=str(explanation(desk, tmp_path)), seconds=0.1)
    desk.study.tick()
    assert desk.scene.hasOverlay("suggestion")
    paint(desk.scene, first.slice, desk.label())
    desk.section.saveRequested.emit()
    assert desk.study.project.label(*first.key).suggestion_shown
    assert desk.section.last("showOverlays") == []
    second = desk.entry
    desk.section.noChangeRequested.emit()
    assert not desk.study.project.label(*second.key).suggestion_shown


def test_an_answer_that_comes_too_late_is_shown_on_no_other_slice(desk, tmp_path):
    desk.section.nextRequested.emit()
    desk.section.overlayToggled.emit("suggestion", True)
    path = explanation(desk, tmp_path)
    asked = desk.worker.newest(Verb.EXPLAIN)[0]
    desk.section.noChangeRequested.emit()
    second = desk.entry
    desk.worker.events.append(Event(EventKind.DONE, asked, {"result": {"path": str(path)}}))
    desk.study.tick()
    assert not desk.scene.hasOverlay("suggestion")
    desk.section.noChangeRequested.emit()
    assert not desk.study.project.label(*second.key).suggestion_shown


def showOther(desk):
    """Show another pair than the one in hand, as a click on it in the list does."""
    other = next(pair.id for pair in desk.study.project.pairs() if pair.id != desk.entry.pair)
    desk.scene.show(
        desk.scene.openPair(desk.study.project.pair_folder(other), desk.scene.shownPair.grid.axis)
    )


def test_an_answer_is_laid_over_no_other_patient_s_scan(desk, tmp_path):
    desk.section.nextRequested.emit()
    inHand = desk.scene.shownPair
    desk.section.overlayToggled.emit("suggestion", True)
    path = explanation(desk, tmp_path)
    showOther(desk)
    desk.study.tick()
    k = desk.scene.shownSlice()
    desk.worker.answers(Verb.EXPLAIN, path=str(path), seconds=0.1)
    desk.study.tick()
    assert not desk.scene.hasOverlay("suggestion")
    assert desk.scene.shownSlice() == k
    assert not inHand.suggestionsShown
    assert "do not show" in desk.message
    assert desk.section.last("showOverlays") == []


def test_with_another_pair_in_view_no_overlay_is_asked_for_or_laid(desk, tmp_path):
    desk.section.nextRequested.emit()
    first = desk.entry
    paint(desk.scene, first.slice, desk.label())
    desk.section.saveRequested.emit()
    desk.section.backRequested.emit()
    showOther(desk)
    for name in ("suggestion", "uncertainty", "attention", "earlier"):
        desk.section.overlayToggled.emit(name, True)
        assert "do not show" in desk.message
        assert desk.section.last("showOverlays") == []
    assert all(verb is not Verb.EXPLAIN for verb, _ in desk.worker.asked)
    assert not any(map(desk.scene.hasOverlay, desk.scene.overlays))
    desk.section.nextRequested.emit()
    desk.logic.open(*first.key)
    desk.section.overlayToggled.emit("earlier", True)
    assert desk.scene.hasOverlay("earlier labels")


def test_without_a_model_the_button_goes_out_with_the_reason(desk):
    desk.section.nextRequested.emit()
    desk.section.overlayToggled.emit("attention", True)
    asked = desk.worker.newest(Verb.EXPLAIN)[0]
    desk.worker.events.append(Event(EventKind.FAILED, asked, {"message": "there is no model yet"}))
    desk.study.tick()
    assert desk.message == "there is no model yet"
    assert desk.section.last("showOverlays") == []


def test_the_earlier_label_is_laid_over(desk):
    desk.section.nextRequested.emit()
    desk.section.overlayToggled.emit("earlier", True)
    assert "no earlier label" in desk.message
    paint(desk.scene, desk.entry.slice, desk.label())
    desk.section.saveRequested.emit()
    desk.section.backRequested.emit()
    desk.section.overlayToggled.emit("earlier", True)
    assert desk.scene.overlays["earlier labels"]
    assert desk.scene.hasOverlay("earlier labels")


def shownSuggestion(desk, tmp_path):
    desk.section.nextRequested.emit()
    desk.section.overlayToggled.emit("suggestion", True)
    desk.worker.answers(Verb.EXPLAIN, path=str(explanation(desk, tmp_path)), seconds=0.1)
    desk.study.tick()
    assert desk.scene.hasOverlay("suggestion")


def test_overlays_come_back_together_with_the_slice_in_hand(desk, tmp_path):
    shownSuggestion(desk, tmp_path)
    pair = desk.scene.shownPair
    desk.scene.views.jump(pair.grid, pair.followup, desk.entry.slice + 1)  # by the wheel
    desk.section.overlayToggled.emit("uncertainty", True)
    assert desk.scene.shownSlice() == desk.entry.slice
    assert desk.scene.hasOverlay("suggestion") and desk.scene.hasOverlay("uncertainty")


def test_a_button_goes_out_with_its_overlay(desk, tmp_path):
    shownSuggestion(desk, tmp_path)
    desk.scene.jump(desk.entry.slice + 1)  # as for a predicted change that is chosen in the list
    desk.study.tick()
    assert not desk.scene.hasOverlay("suggestion")
    assert desk.section.last("showOverlays") == []


def test_an_answer_in_another_project_is_not_taken_for_that_of_the_one_before(desk, preparedOnce, tmp_path):  # noqa: F811
    desk.section.nextRequested.emit()
    desk.section.overlayToggled.emit("suggestion", True)
    asked = desk.worker.newest(Verb.EXPLAIN)[0]
    desk.worker = ScriptedWorker()
    desk.study.open(shutil.copytree(preparedOnce, tmp_path / "second"))
    desk.study.tick()
    desk.worker.asked += [(Verb.STATUS, {})] * (int(asked) - 1)
    assert desk.study.request(Verb.PREPARE) == asked
    desk.worker.answers(Verb.PREPARE, prepared=1, slice_pairs=1, failed_pairs=0, failures=[])
    told = []
    desk.study.happened.connect(told.append)
    desk.study.tick()
    assert [event.id for event in told] == [asked]
