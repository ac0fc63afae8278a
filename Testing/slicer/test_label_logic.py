from __future__ import annotations

import numpy as np
import pytest
from logic_host import PlainSection, ScriptedWorker, disc, paint, preparedOnce, projectFolder  # noqa: F401

from longitudinal_al.project.store import Project
from longitudinal_al.protocol import Event, EventKind, Verb


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Desk:
    """A study with a section, a genuine scene, and a worker that says what it is told to."""

    def __init__(self, folder):
        from LongitudinalALLib.Logic.LabelLogic import LabelLogic
        from LongitudinalALLib.Logic.Study import Study
        from LongitudinalALLib.Scene import Scene

        self.clock = Clock()
        self.worker = ScriptedWorker()
        self.study = Study(lambda folder, strategy: self.worker, clock=self.clock)
        self.study.annotator = "Anna"
        self.section = PlainSection("label")
        self.scene = Scene()
        self.logic = LabelLogic(self.section, self.study, self.scene)
        self.study.open(folder)

    @property
    def entry(self):
        return self.study.session.in_hand

    @property
    def message(self):
        return self.section.last("showMessage")

    def label(self, at=(60, 60)):
        return disc(self.scene.shownPair.grid.sliceShape, *at)


@pytest.fixture
def desk(host, projectFolder):  # noqa: F811
    made = Desk(projectFolder)
    yield made
    made.study.close()
    made.scene.release()


def test_next_shows_the_slice_pair_that_is_asked_for_and_why(desk):
    desk.section.nextRequested.emit()
    pair, k, rank = desk.section.last("showInHand")
    assert (pair, k) == desk.entry.key
    assert desk.scene.shownPair.name == pair
    assert desk.scene.shownSlice() == k
    assert desk.entry.reason
    assert desk.entry.reason in desk.section.last("showReason")
    assert "difference" in rank


def test_what_is_painted_is_saved_to_the_pixel_and_the_next_one_comes(desk, projectFolder):  # noqa: F811
    desk.section.nextRequested.emit()
    first, label = desk.entry, desk.label()
    paint(desk.scene, first.slice, label)
    desk.clock.now += 12
    desk.section.saveRequested.emit()
    with Project.open(projectFolder) as other:
        saved = other.label(*first.key)
    assert np.array_equal(saved.mask, label)
    assert (saved.annotator, saved.strategy, saved.suggestion_shown) == ("Anna", "difference", False)
    assert (saved.ended - saved.started).total_seconds() == pytest.approx(12, abs=0.01)
    assert desk.entry.key != first.key
    assert desk.section.last("showInHand")[:2] == desk.entry.key


def test_neighbours_painted_meanwhile_are_saved_too_and_the_time_counts_once(desk):
    desk.section.nextRequested.emit()
    first = desk.entry
    paint(desk.scene, first.slice, desk.label())
    paint(desk.scene, first.slice + 1, desk.label((50, 70)))
    desk.clock.now += 8
    desk.study.tick()
    assert desk.section.last("showPaintedSlices") == [first.slice, first.slice + 1]
    desk.section.saveRequested.emit()
    labels = {(each.pair, each.slice): each for each in desk.study.project.labels()}
    neighbour = labels[first.pair, first.slice + 1]
    assert set(labels) == {first.key, (first.pair, first.slice + 1)}
    assert np.array_equal(neighbour.mask, disc(neighbour.mask.shape, 50, 70))
    assert neighbour.strategy is None
    times = [(each.ended - each.started).total_seconds() for each in labels.values()]
    assert sum(times) == pytest.approx(8, abs=0.01)


def test_nothing_painted_is_no_label_until_it_is_said(desk):
    desk.section.nextRequested.emit()
    first = desk.entry
    desk.section.saveRequested.emit()
    assert "No change" in desk.message
    assert desk.entry is first
    assert desk.study.project.labels() == []
    desk.section.noChangeRequested.emit()
    (saved,) = desk.study.project.labels()
    assert (saved.pair, saved.slice) == first.key
    assert not saved.mask.any()


def test_no_change_on_a_painted_slice_is_refused(desk):
    desk.section.nextRequested.emit()
    paint(desk.scene, desk.entry.slice, desk.label())
    desk.section.noChangeRequested.emit()
    assert "is painted" in desk.message
    assert desk.study.project.labels() == []


def test_skip_and_back_leave_no_stroke_behind(desk):
    desk.section.nextRequested.emit()
    first = desk.entry
    paint(desk.scene, first.slice, desk.label())
    desk.section.skipRequested.emit()
    assert "not saved" in desk.message
    assert desk.entry is first
    desk.section.saveRequested.emit()
    second = desk.entry
    desk.section.skipRequested.emit()
    assert desk.entry.key not in (first.key, second.key)
    desk.section.backRequested.emit()
    desk.section.backRequested.emit()
    assert desk.entry.key == first.key
    assert np.array_equal(desk.scene.readSliceLabel(first.slice), desk.label())
    assert desk.section.last("showPaintedSlices") == []


def test_a_label_is_corrected_as_a_new_version(desk):
    desk.section.nextRequested.emit()
    first = desk.entry
    paint(desk.scene, first.slice, desk.label())
    desk.section.saveRequested.emit()
    desk.section.backRequested.emit()
    paint(desk.scene, first.slice, desk.label((80, 40)))
    desk.section.saveRequested.emit()
    history = desk.study.project.label_history(*first.key)
    assert [each.label.mask.sum() for each in history] == [29, 58]
    assert history[1].label.strategy == "difference"


def test_labels_of_an_earlier_session_are_there_when_the_pair_is_shown(host, projectFolder):  # noqa: F811
    first = Desk(projectFolder)
    first.section.nextRequested.emit()
    key, label = first.entry.key, first.label()
    paint(first.scene, key[1], label)
    first.section.saveRequested.emit()
    first.study.close()
    first.scene.release()
    second = Desk(projectFolder)
    second.logic.open(*key)
    assert np.array_equal(second.scene.readSliceLabel(key[1]), label)
    assert second.section.last("showPaintedSlices") == []
    second.study.close()
    second.scene.release()


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


def test_a_deleted_follow_up_is_said_and_the_pair_comes_back(desk):
    desk.section.nextRequested.emit()
    first = desk.entry
    paint(desk.scene, first.slice, desk.label())
    desk.scene.mrmlScene.RemoveNode(desk.scene.shownPair.segmentation)
    desk.section.saveRequested.emit()
    assert desk.message
    assert desk.study.project.labels() == []
    desk.section.nextRequested.emit()
    assert desk.entry.key == first.key
    paint(desk.scene, first.slice, desk.label())
    desk.section.saveRequested.emit()
    assert len(desk.study.project.labels()) == 1


def test_a_deleted_segment_comes_back_with_the_next_showing(desk):
    desk.section.nextRequested.emit()
    desk.scene.shownPair.segmentation.GetSegmentation().RemoveSegment(desk.scene.segmentId())
    desk.study.tick()
    desk.section.saveRequested.emit()
    assert "deleted" in desk.message
    desk.section.nextRequested.emit()
    paint(desk.scene, desk.entry.slice, desk.label())
    desk.section.saveRequested.emit()
    assert len(desk.study.project.labels()) == 1


def test_a_scene_closed_in_the_middle_of_a_label_loses_nothing(desk):
    desk.section.nextRequested.emit()
    first, label = desk.entry, desk.label()
    paint(desk.scene, first.slice, label)
    desk.scene.mrmlScene.Clear(0)
    (saved,) = desk.study.project.labels()
    assert np.array_equal(saved.mask, label)
    assert "closed" in desk.section.last("showNothingLeft")
    desk.study.tick()
    desk.section.nextRequested.emit()
    assert desk.scene.shownPair is not None
    assert desk.entry.key != first.key


def test_closing_the_project_saves_strokes_and_leaves_the_scene_as_it_was(host, projectFolder):  # noqa: F811
    before = sorted(host.scene.GetNthNode(k).GetID() for k in range(host.scene.GetNumberOfNodes()))
    desk = Desk(projectFolder)
    desk.section.nextRequested.emit()
    key, label = desk.entry.key, desk.label()
    paint(desk.scene, key[1], label)
    desk.study.close()
    desk.scene.release()
    assert desk.worker.isClosed
    assert sorted(host.scene.GetNthNode(k).GetID() for k in range(host.scene.GetNumberOfNodes())) == before
    with Project.open(projectFolder) as project:
        assert np.array_equal(project.label(*key).mask, label)


def test_labels_of_others_are_not_asked_for_again(desk, projectFolder):  # noqa: F811
    desk.section.nextRequested.emit()
    with Project.open(projectFolder) as other:
        mask = np.zeros(desk.scene.shownPair.grid.sliceShape, np.uint8)
        from longitudinal_al.project.records import Label, utc_now

        now = utc_now()
        other.save_label(Label(*desk.entry.key, mask, "Ben", now, now))
    first = desk.entry
    desk.study.tick()
    desk.section.nextRequested.emit()
    assert desk.entry.key != first.key


def test_pauses_are_left_out_of_the_time(desk):
    desk.section.nextRequested.emit()
    first = desk.entry
    desk.study.tick()
    desk.clock.now += 6
    paint(desk.scene, first.slice, desk.label())
    desk.study.tick()
    desk.clock.now += 300
    paint(desk.scene, first.slice, desk.label((62, 62)))
    desk.study.tick()
    desk.clock.now += 4
    desk.section.saveRequested.emit()
    saved = desk.study.project.label(*first.key)
    assert (saved.ended - saved.started).total_seconds() == pytest.approx(10, abs=0.01)


def test_a_project_that_vanished_takes_no_label_and_keeps_the_slice_pair_in_hand(desk, projectFolder):  # noqa: F811
    desk.section.nextRequested.emit()
    first = desk.entry
    paint(desk.scene, first.slice, desk.label())
    away = projectFolder.with_name("away")
    projectFolder.rename(away)
    desk.section.saveRequested.emit()
    assert desk.message
    assert desk.entry.key == first.key
    assert desk.section.last("setBusy") is False
    away.rename(projectFolder)
    desk.study.open(projectFolder)
    desk.logic.open(*first.key)
    assert desk.entry.key == first.key
