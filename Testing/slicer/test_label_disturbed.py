"""Bad moments of a label: nothing that was painted is lost."""

from __future__ import annotations

import numpy as np
import pytest
from label_desk import Desk, _desk, preparedOnce, projectFolder  # noqa: F401
from logic_host import paint

from longitudinal_al.errors import StorageFailed
from longitudinal_al.project.records import Label, utc_now
from longitudinal_al.project.store import Project


@pytest.mark.parametrize("role", ["baseline", "followup", "difference", "labels"])
def test_a_node_deleted_while_it_is_labelled_comes_back_with_the_strokes(desk, role):
    desk.section.nextRequested.emit()
    first, label = desk.entry, desk.label()
    paint(desk.scene, first.slice, label)
    desk.scene.mrmlScene.RemoveNode(desk.scene.shownPair.node(role))
    desk.study.tick()
    desk.section.nextRequested.emit()
    assert desk.scene.shownPair.isComplete()
    assert desk.entry.key == first.key
    assert desk.scene.shownSlice() == first.slice
    assert desk.section.last("showPaintedSlices") == [first.slice]
    desk.section.saveRequested.emit()
    (saved,) = desk.study.project.labels()
    assert np.array_equal(saved.mask, label)


def test_labels_deleted_before_they_are_saved_are_said(desk):
    desk.section.nextRequested.emit()
    paint(desk.scene, desk.entry.slice, desk.label())
    desk.scene.mrmlScene.RemoveNode(desk.scene.shownPair.segmentation)
    desk.section.saveRequested.emit()
    assert "no longer in the scene" in desk.message
    assert desk.study.project.labels() == []


def test_what_was_deleted_is_given_to_the_segment_editor_anew(desk):
    desk.section.nextRequested.emit()
    assert len(desk.editor.shown) == 1
    desk.section.nextRequested.emit()
    assert len(desk.editor.shown) == 1
    pair = desk.scene.shownPair
    desk.scene.mrmlScene.RemoveNode(pair.followup)
    desk.section.nextRequested.emit()
    pair.segmentation.GetSegmentation().RemoveSegment(desk.scene.segmentId())
    desk.section.nextRequested.emit()
    assert [len(desk.editor.shown), desk.editor.shown[-1][1:]] == [3, (pair.followup, "LongitudinalAL_1")]


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


def test_a_renamed_segment_is_saved_as_its_class(desk):
    desk.section.nextRequested.emit()
    first, label = desk.entry, desk.label()
    segmentation = desk.scene.shownPair.segmentation.GetSegmentation()
    segmentation.GetSegment(desk.scene.segmentId()).SetName("my lesions")
    paint(desk.scene, first.slice, label)
    desk.section.saveRequested.emit()
    assert np.array_equal(desk.study.project.label(*first.key).mask, label)


def test_a_second_segment_keeps_the_slice_pair_in_hand_until_it_is_gone(desk):
    desk.section.nextRequested.emit()
    first = desk.entry
    paint(desk.scene, first.slice, desk.label())
    segmentation = desk.scene.shownPair.segmentation.GetSegmentation()
    id_ = segmentation.AddEmptySegment("", "Segment_2")
    paint(desk.scene, first.slice + 1, desk.label((50, 70)), id_)
    for signal in (desk.section.saveRequested, desk.section.skipRequested):
        signal.emit()
        assert desk.message
        assert desk.entry.key == first.key
    desk.section.saveRequested.emit()
    assert "'Segment_2'" in desk.message
    assert desk.study.project.labels() == []
    segmentation.RemoveSegment(id_)
    desk.section.saveRequested.emit()
    assert len(desk.study.project.labels()) == 1


def test_a_changed_geometry_keeps_the_slice_pair_in_hand_until_it_is_right(desk):
    desk.section.nextRequested.emit()
    first = desk.entry
    paint(desk.scene, first.slice, desk.label())
    segmentation = desk.scene.shownPair.segmentation.GetSegmentation()
    segmentation.SetConversionParameter("Oversampling factor", "2")
    desk.section.saveRequested.emit()
    assert "oversampling is 2" in desk.message
    assert desk.entry.key == first.key
    assert desk.study.project.labels() == []
    desk.section.nextRequested.emit()
    desk.section.saveRequested.emit()
    assert len(desk.study.project.labels()) == 1


def test_a_scene_closed_in_the_middle_of_a_label_offers_the_strokes_again(desk):
    desk.section.nextRequested.emit()
    first, label = desk.entry, desk.label()
    paint(desk.scene, first.slice, label)
    paint(desk.scene, first.slice + 1, desk.label((50, 70)))
    desk.scene.mrmlScene.Clear(0)
    assert desk.study.project.labels() == []
    assert "kept" in desk.section.last("showNothingLeft")
    desk.study.tick()
    desk.section.saveRequested.emit()
    assert "press 'Next slice pair'" in desk.message
    desk.section.nextRequested.emit()
    assert desk.entry.key == first.key
    assert desk.section.last("showPaintedSlices") == [first.slice, first.slice + 1]
    desk.section.saveRequested.emit()
    assert np.array_equal(desk.study.project.label(*first.key).mask, label)
    assert len(desk.study.project.labels()) == 2


def test_a_correction_begun_outlives_the_scene_and_is_not_drawn_over(desk):
    desk.section.nextRequested.emit()
    first = desk.entry
    paint(desk.scene, first.slice, desk.label())
    desk.section.saveRequested.emit()
    desk.section.backRequested.emit()
    paint(desk.scene, first.slice, desk.label((70, 40)))
    both = desk.scene.readSliceLabel(first.slice)
    desk.scene.mrmlScene.Clear(0)
    desk.logic.open(*first.key)
    assert desk.section.last("showPaintedSlices") == [first.slice]
    assert np.array_equal(desk.scene.readSliceLabel(first.slice), both)


def test_strokes_that_went_with_the_scene_are_saved_when_the_project_is_closed(desk, projectFolder):  # noqa: F811
    desk.section.nextRequested.emit()
    first, label = desk.entry, desk.label()
    paint(desk.scene, first.slice, label)
    desk.scene.mrmlScene.Clear(0)
    desk.study.close()
    with Project.open(projectFolder) as project:
        assert np.array_equal(project.label(*first.key).mask, label)


def test_closing_the_project_saves_the_strokes_of_every_pair_and_says_which_it_could_not(desk, projectFolder):  # noqa: F811
    desk.section.nextRequested.emit()
    first, label = desk.entry, desk.label()
    paint(desk.scene, first.slice, label)
    painted = desk.scene.shownPair
    other = next(pair.id for pair in desk.study.project.pairs() if pair.id != first.pair)
    desk.logic.open(other, 9)
    paint(desk.scene, 9, desk.label((50, 50)))
    said = []
    desk.study.troubled.connect(said.append)
    paint(desk.scene, 10, desk.label((50, 50)))
    id_ = desk.scene.shownPair.segmentation.GetSegmentation().AddEmptySegment("", "Segment_2")
    paint(desk.scene, 10, desk.label((70, 70)), id_)
    assert painted.strokes() == [first.slice]
    desk.study.close()
    assert len(said) == 1 and "'Segment_2'" in said[0] and "slice 10" in said[0]
    with Project.open(projectFolder) as project:
        assert np.array_equal(project.label(*first.key).mask, label)
        assert {(each.pair, each.slice) for each in project.labels()} == {first.key, (other, 9)}


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


def test_a_full_disk_takes_no_label_and_keeps_the_slice_pair_in_hand(desk):
    desk.section.nextRequested.emit()
    first, project = desk.entry, desk.study.project
    noise = np.random.default_rng(0).integers(0, 2, desk.scene.shownPair.grid.sliceShape, dtype=np.uint8)
    paint(desk.scene, first.slice, noise)
    pages = project._database.value("PRAGMA page_count")
    project._database.value(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageFailed):  # somebody else fills what is left
        for _ in range(100):
            project.save_label(Label(first.pair, first.slice - 1, noise, "Bert", utc_now(), utc_now()))
    desk.section.saveRequested.emit()
    assert "disk is full" in desk.message
    assert desk.entry.key == first.key
    assert project.label(*first.key) is None
    assert np.array_equal(desk.scene.readSliceLabel(first.slice), noise)
    project._database.value(f"PRAGMA max_page_count = {pages + 100}")
    desk.section.saveRequested.emit()
    assert np.array_equal(project.label(*first.key).mask, noise)
