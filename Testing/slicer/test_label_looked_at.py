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
