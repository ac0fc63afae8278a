"""From one slice pair to the next: every stroke saved, or asked about."""

from __future__ import annotations

import numpy as np
import pytest
from host import slicer
from label_desk import Desk, _desk, preparedOnce, projectFolder  # noqa: F401
from logic_host import ScriptedWorker, disc, paint

from longitudinal_al.project.store import Project
from longitudinal_al.protocol import Verb
from LongitudinalALLib.SceneLayout import LAYOUT


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


def test_no_change_tells_of_other_slices_before_it_saves_them(desk):
    desk.section.nextRequested.emit()
    first = desk.entry
    desk.scene.jump(first.slice + 1)
    paint(desk.scene, first.slice + 1, desk.label((50, 70)))
    desk.scene.jump(first.slice)
    desk.section.noChangeRequested.emit()
    assert f"slice {first.slice + 1} of this pair" in desk.message
    assert desk.study.project.labels() == []
    assert desk.entry is first
    desk.section.noChangeRequested.emit()
    saved = {each.slice: bool(each.mask.any()) for each in desk.study.project.labels()}
    assert saved == {first.slice: False, first.slice + 1: True}


def test_what_is_saved_cannot_be_undone(desk):
    desk.section.nextRequested.emit()
    paint(desk.scene, desk.entry.slice, desk.label())
    assert desk.editor.forgotten == 0
    desk.section.saveRequested.emit()
    assert desk.editor.forgotten == 1


def test_what_is_not_looked_at_gets_no_label(desk):
    desk.section.nextRequested.emit()
    first = desk.entry
    folder = desk.study.project.folder
    other = next(pair.id for pair in desk.study.project.pairs() if pair.id != first.pair)
    desk.scene.show(desk.scene.openPair(folder / "pairs" / other, desk.scene.shownPair.grid.axis))
    desk.study.tick()
    assert other in desk.message and first.pair in desk.message
    assert desk.editor.rested == 1
    for signal in (desk.section.noChangeRequested, desk.section.saveRequested):
        signal.emit()
        assert "do not show" in desk.message
    assert desk.study.project.labels() == []
    shown = len(desk.editor.shown)
    desk.section.nextRequested.emit()
    assert desk.scene.shownPair.name == first.pair
    assert len(desk.editor.shown) == shown + 1  # the brush is taken up again
    desk.section.noChangeRequested.emit()
    (saved,) = desk.study.project.labels()
    assert (saved.pair, saved.slice) == first.key


def test_every_slice_pair_comes_into_view_whatever_layout_was_chosen(desk):
    layoutManager = slicer.app.layoutManager()
    held = desk.section
    for signal in (held.nextRequested, held.noChangeRequested, held.skipRequested, held.backRequested):
        layoutManager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
        signal.emit()
        assert layoutManager.layout == LAYOUT
        assert desk.scene.shownSlice() == desk.entry.slice


def _nameAnother(desk):
    desk.study.setAnnotator("Ben")


def _startAnotherWorker(desk):
    desk.worker = ScriptedWorker()
    desk.study.restartWorker()
    desk.study.tick()
    assert desk.study.worker is desk.worker


@pytest.mark.parametrize("change", [_nameAnother, _startAnotherWorker])
def test_another_name_or_worker_changes_nothing_of_the_slice_pair_in_hand(desk, change):
    desk.section.nextRequested.emit()
    skipped = desk.entry
    desk.section.skipRequested.emit()
    held = desk.entry
    desk.clock.now += 7
    change(desk)
    assert desk.entry is held
    desk.clock.now += 5
    desk.section.noChangeRequested.emit()
    saved = desk.study.project.label(*held.key)
    assert held.score is not None
    assert (saved.annotator, saved.strategy, saved.score) == (
        desk.study.annotator,
        held.strategy,
        pytest.approx(held.score),
    )
    assert (saved.ended - saved.started).total_seconds() == pytest.approx(12, abs=0.01)
    assert desk.entry.key != skipped.key
    assert desk.worker.newest(Verb.STATUS)[1] == {"labelling": True}


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
    paint(desk.scene, first.slice, desk.label((70, 40)))
    desk.section.saveRequested.emit()
    history = desk.study.project.label_history(*first.key)
    assert [each.label.mask.sum() for each in history] == [29, 58]
    assert history[1].label.strategy == "difference"


def test_a_label_can_be_withdrawn_and_stays_in_the_history(desk):
    desk.section.nextRequested.emit()
    first = desk.entry
    assert desk.section.last("showLabelled") is False
    paint(desk.scene, first.slice, desk.label())
    desk.section.saveRequested.emit()
    desk.section.backRequested.emit()
    assert desk.entry.key == first.key
    assert desk.section.last("showLabelled") is True
    paint(desk.scene, first.slice, desk.label((50, 70)))
    desk.section.withdrawRequested.emit()
    assert "not saved" in desk.message
    assert desk.study.project.label(*first.key) is not None
    desk.scene.writeSliceLabel(first.slice, desk.label())
    desk.section.withdrawRequested.emit()
    assert "withdrawn" in desk.message
    assert desk.study.project.label(*first.key) is None
    assert len(desk.study.project.label_history(*first.key)) == 2
    assert not desk.scene.readSliceLabel(first.slice).any()
    assert desk.section.last("showPaintedSlices") == []
    assert desk.section.last("showLabelled") is False
    assert desk.entry.key == first.key  # to be labelled anew
    desk.section.noChangeRequested.emit()
    assert not desk.study.project.label(*first.key).mask.any()


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


def test_the_pairs_that_come_next_are_read_while_one_is_labelled(desk):
    asked = []
    desk.scene.readAhead = asked.append
    desk.section.nextRequested.emit()
    others = [each.id for each in desk.study.project.pairs() if each.id != desk.entry.pair]
    assert asked == [desk.study.project.pair_folder(each) for each in others]
    del asked[:]
    desk.logic.open(others[0], 9)
    assert asked == []
