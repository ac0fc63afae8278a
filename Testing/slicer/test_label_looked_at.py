"""What the annotator looks at is what gets a label: lists, turned views, saved scenes, other projects."""

from __future__ import annotations

import shutil

import numpy as np
from label_desk import Desk, _desk, preparedOnce, projectFolder  # noqa: F401
from logic_host import PlainSection, disc, paint, saveScene

from longitudinal_al.project.records import Label, utc_now
from longitudinal_al.project.store import Project
from LongitudinalALLib.Logic.PairsLogic import showPair
from LongitudinalALLib.Logic.ProjectLogic import ProjectLogic

SAGITTAL = "Sagittal"


def otherPair(desk) -> str:
    return next(pair.id for pair in desk.study.project.pairs() if pair.id != desk.entry.pair)


def saveAndGoBack(desk):
    """Save a label of the first slice pair, and take it in hand again."""
    desk.section.nextRequested.emit()
    first, label = desk.entry, desk.label()
    paint(desk.scene, first.slice, label)
    desk.section.saveRequested.emit()
    desk.section.backRequested.emit()
    assert desk.entry.key == first.key
    return first, label


def test_a_correction_is_not_left_behind_by_next(desk):
    first, label = saveAndGoBack(desk)
    paint(desk.scene, first.slice, desk.label((70, 40)))
    desk.section.nextRequested.emit()
    assert "painted and not saved" in desk.message
    assert desk.entry.key == first.key
    desk.section.saveRequested.emit()
    assert desk.study.project.label(*first.key).mask.sum() > label.sum()
    assert desk.entry.key != first.key


def test_a_pair_that_is_chosen_in_the_list_has_its_labels(desk):
    first, label = saveAndGoBack(desk)
    showPair(desk.study, desk.scene, otherPair(desk))
    desk.scene.closePair(desk.scene.pairAt(desk.study.project.pair_folder(first.pair)))  # as for others
    showPair(desk.study, desk.scene, first.pair)
    assert np.array_equal(desk.scene.readSliceLabel(first.slice), label)
    desk.section.noChangeRequested.emit()
    assert "is painted" in desk.message
    assert desk.study.project.label(*first.key).mask.any()


def test_a_pair_with_a_label_of_another_size_can_be_looked_at_and_labelled_anew(desk):
    desk.section.nextRequested.emit()
    other, now = otherPair(desk), utc_now()
    larger = np.ones(
        np.add(desk.scene.shownPair.grid.sliceShape, 4), np.uint8
    )  # the scans were replaced since
    desk.study.project.save_label(Label(other, 9, larger, "Anna", now, now))
    showPair(desk.study, desk.scene, other)
    assert not desk.scene.readSliceLabel(9).any()
    desk.logic.open(other, 9)
    paint(desk.scene, 9, desk.label())
    desk.section.saveRequested.emit()
    assert np.array_equal(desk.study.project.label(other, 9).mask, disc(larger[4:, 4:].shape, 60, 60))


def test_turned_views_are_turned_back_for_the_next_slice_pair_of_the_same_pair(desk):
    desk.section.nextRequested.emit()
    for role in ("baseline", "followup", "difference"):
        desk.scene.views.sliceNode(role).SetOrientation(SAGITTAL)
    assert desk.scene.shownSlice() is None
    desk.logic.open(desk.entry.pair, 3)
    assert desk.scene.shownSlice() == 3


def test_where_nothing_is_left_the_brush_is_laid_down(desk):
    desk.section.nextRequested.emit()
    while desk.entry is not None:
        assert desk.editor.rested == 0
        desk.section.noChangeRequested.emit()
    assert desk.section.last("showNothingLeft")
    assert desk.editor.rested == 1


def sceneFromBefore(host, folder, directory):
    """Paint, save the scene, label the slice otherwise, and open project and scene again the next day."""
    desk = Desk(folder)
    desk.section.nextRequested.emit()
    first = desk.entry
    paint(desk.scene, first.slice, desk.label())
    mrml = saveScene(host, directory)
    paint(desk.scene, first.slice, desk.label((40, 40)))
    desk.section.saveRequested.emit()
    label = desk.study.project.label(*first.key).mask
    desk.study.close()
    desk.scene.release()
    host.scene.Clear(0)
    host.scene.SetURL(str(mrml))
    host.scene.Connect()
    return Desk(folder), first, label


def test_a_label_that_is_newer_than_the_saved_scene_stays(host, projectFolder, tmp_path):  # noqa: F811
    desk, first, label = sceneFromBefore(host, projectFolder, tmp_path / "saved")
    showPair(desk.study, desk.scene, first.pair)
    assert "labelled anew" in desk.message and str(first.slice) in desk.message
    assert np.array_equal(desk.scene.readSliceLabel(first.slice), label)
    desk.study.close()
    desk.scene.release()
    with Project.open(projectFolder) as project:
        assert np.array_equal(project.label(*first.key).mask, label)
        assert len(project.label_history(*first.key)) == 1


def withProjects(desk):
    """Return the section Project, in front of the desk's."""
    section = PlainSection("project")
    ProjectLogic(section, desk.study)
    return section


def test_another_project_is_opened_the_second_time_when_strokes_cannot_be_saved(desk, preparedOnce, tmp_path):  # noqa: F811
    section, other = withProjects(desk), shutil.copytree(preparedOnce, tmp_path / "second")
    desk.section.nextRequested.emit()
    first, folder = desk.entry, desk.study.project.folder
    paint(desk.scene, first.slice, desk.label())
    segmentation = desk.scene.shownPair.segmentation.GetSegmentation()
    segmentation.SetConversionParameter("Oversampling factor", "2")
    section.openRequested.emit(str(other))
    assert "oversampling" in section.last("showError")
    assert desk.study.project.folder == folder and desk.entry.key == first.key
    section.openRequested.emit(str(other))
    assert desk.study.project.folder == other
    assert "could not be saved" in section.last("showError")


def test_strokes_that_are_put_right_are_saved_as_another_project_is_opened(desk, preparedOnce, tmp_path):  # noqa: F811
    section, other = withProjects(desk), shutil.copytree(preparedOnce, tmp_path / "second")
    desk.section.nextRequested.emit()
    first, folder, label = desk.entry, desk.study.project.folder, desk.label()
    paint(desk.scene, first.slice, label)
    segmentation = desk.scene.shownPair.segmentation.GetSegmentation()
    segmentation.SetConversionParameter("Oversampling factor", "2")
    section.openRequested.emit(str(other))
    segmentation.SetConversionParameter("Oversampling factor", "1")
    section.openRequested.emit(str(other))
    assert desk.study.project.folder == other
    assert section.last("showError") == ""
    with Project.open(folder) as project:
        assert np.array_equal(project.label(*first.key).mask, label)


def labelElsewhere(desk, key, mask):
    """Save a label as another window does, and let the panel notice."""
    now = utc_now()
    with Project.open(desk.study.project.folder) as other:
        if mask is None:
            other.withdraw_label(*key, "Ben")
        else:
            other.save_label(Label(*key, mask, "Ben", now, now))
    desk.study.tick()


def test_a_label_from_elsewhere_is_shown_in_the_open_pair(desk):
    first, label = saveAndGoBack(desk)
    theirs = desk.label((70, 40))
    labelElsewhere(desk, first.key, theirs)
    assert np.array_equal(desk.scene.readSliceLabel(first.slice), theirs)
    assert "labelled elsewhere" in desk.message
    assert desk.scene.sliceLabelsPainted() == []
    labelElsewhere(desk, first.key, None)
    assert not desk.scene.readSliceLabel(first.slice).any()
    assert desk.section.last("showLabelled") is False
    labelElsewhere(desk, first.key, label)
    assert desk.section.last("showLabelled") is True


def test_one_s_own_label_is_no_news(desk):
    saveAndGoBack(desk)
    desk.study.tick()
    assert not any("elsewhere" in text for text in desk.section.shown.get("showMessage", []))


def test_strokes_stay_when_their_slice_is_labelled_elsewhere_and_replace_it_once_that_is_known(desk):
    desk.section.nextRequested.emit()
    first, mine = desk.entry, desk.label()
    paint(desk.scene, first.slice, mine)
    labelElsewhere(desk, first.key, desk.label((70, 40)))
    assert np.array_equal(desk.scene.readSliceLabel(first.slice), mine)
    assert "stays, and is not saved" in desk.message
    desk.section.saveRequested.emit()
    assert "Ben" in desk.message
    assert desk.study.project.label(*first.key).annotator == "Ben"
    desk.section.saveRequested.emit()
    assert desk.study.project.label(*first.key).annotator == "Anna"
    assert desk.entry.key != first.key


def test_closing_saves_strokes_over_a_label_from_elsewhere(desk):
    desk.section.nextRequested.emit()
    first, folder = desk.entry, desk.study.project.folder
    paint(desk.scene, first.slice, desk.label())
    labelElsewhere(desk, first.key, desk.label((70, 40)))
    desk.study.close()
    with Project.open(folder) as project:
        assert [one.annotator for one in project.label_history(*first.key)] == ["Ben", "Anna"]


def test_looking_with_the_mouse_is_work(desk):
    desk.section.nextRequested.emit()
    first = desk.entry
    crosshair = desk.scene.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    for second in range(0, 60, 10):
        desk.clock.now += 10
        crosshair.SetCursorPositionRAS([float(second), 2.0, 3.0])
        desk.study.tick()
    desk.clock.now += 300  # a pause
    desk.section.noChangeRequested.emit()
    label = desk.study.project.label(*first.key)
    assert 59 < (label.ended - label.started).total_seconds() < 61
