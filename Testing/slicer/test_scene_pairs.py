"""Pairs beside each other, and what comes back of a pair that was disturbed."""

from __future__ import annotations

import numpy as np
import pytest
from host import Host, slicer
from logic_host import saveScene
from strokes import Painter

from longitudinal_al.errors import InvalidInput, NotReady
from LongitudinalALLib.Scene import Scene
from LongitudinalALLib.SceneLayout import TAGS


def test_two_pairs_are_open_and_keep_their_labels(host, scene, openPair):
    first = openPair("axial", pairName="first")
    one = np.eye(*first.grid.sliceShape, dtype=np.uint8)
    scene.writeSliceLabel(3, one)
    second = openPair("sagittal", pairName="second")
    scene.writeSliceLabel(3, 1 - np.eye(*second.grid.sliceShape, dtype=np.uint8))
    assert scene.shownPair is second
    assert (
        first.segmentation.GetDisplayNode().GetVisibility(),
        second.segmentation.GetDisplayNode().GetVisibility(),
    ) == (0, 1)
    np.testing.assert_array_equal(scene.readSliceLabel(3, first), one)
    scene.show(first, 3)
    assert scene.shownSlice() == 3
    assert host.sliceLogic(TAGS["baseline"]).GetBackgroundLayer().GetVolumeNode() is first.baseline
    scene.closePair(second)
    assert scene.pairs == [first]
    np.testing.assert_array_equal(scene.readSliceLabel(3), one)
    with pytest.raises(NotReady, match="'second' was closed"):
        scene.readSliceLabel(3, second)


def test_only_the_last_pairs_stay_open_but_none_with_strokes_is_closed(host, scene, openPair):
    painted = openPair(pairName="painted")
    Painter(host, painted).paint(6, np.eye(*painted.grid.sliceShape, dtype=bool))
    names = [f"pair{number}" for number in range(6)]
    for name in names:
        openPair(pairName=name)
    assert [pair.name for pair in scene.pairs] == ["painted", *names[-3:]]
    assert scene.readSliceLabel(6, painted).sum() == 40


def test_a_deleted_volume_comes_back_when_the_pair_is_opened_again(host, scene, openPair):
    pair = openPair()
    host.scene.RemoveNode(pair.baseline)
    with pytest.raises(NotReady, match="baseline of pair 'pair1' is no longer in the scene"):
        scene.show(pair)
    scene.openPair(pair.folder, pair.grid.axis)
    scene.show(pair)
    assert (
        host.sliceLogic(TAGS["baseline"]).GetSliceCompositeNode().GetBackgroundVolumeID()
        == pair.baseline.GetID()
    )


@pytest.mark.parametrize("role", ["baseline", "followup"])
def test_a_volume_that_came_back_is_linked_as_before(host, scene, openPair, role):
    pair = openPair("under a transform")
    scene.jump(4)
    host.scene.RemoveNode(pair.node(role))
    scene.openPair(pair.folder, pair.grid.axis)
    assert scene.shownSlice() == 4
    pair.node(role).GetDisplayNode().SetWindowLevel(7.0, 1.5)
    for each in ("baseline", "followup"):
        display = pair.node(each).GetDisplayNode()
        assert (display.GetWindow(), display.GetLevel()) == (7.0, 1.5)
        assert pair.node(each).GetParentTransformNode().GetName() == "Somewhere else"
    assert not scene.readSliceLabel(4).any()


def _closed(host, _tmp_path):
    host.scene.Clear(0)


def _anotherLoaded(host, tmp_path):
    other = slicer.vtkMRMLScene()
    other.AddNewNodeByClass("vtkMRMLTextNode", "Of another scene")
    assert other.Commit(str(tmp_path / "other.mrml"))
    host.scene.SetURL(str(tmp_path / "other.mrml"))
    host.scene.Connect()
    assert slicer.util.getNode("Of another scene")


@pytest.mark.parametrize("lose", [_closed, _anotherLoaded])
@pytest.mark.parametrize("name", ["oblique", "left-handed"])
def test_the_scene_closed_in_the_middle_of_a_label_keeps_every_stroke(
    host, scene, openPair, tmp_path, lose, name
):
    pair = openPair(name, classes=("new", "gone"))
    eye = np.eye(*pair.grid.sliceShape, dtype=bool)
    scene.writeSliceLabel(2, eye.astype(np.uint8))
    painter = Painter(host, pair)
    for k, segment in ((6, scene.segmentId(1)), (7, scene.segmentId(2))):
        scene.jump(k)
        painter.paint(k, eye, segment)
    told = []
    scene.afterClose.append(lambda: told.append(scene.pairs))
    lose(host, tmp_path)
    assert told == [[]]
    with pytest.raises(NotReady, match="the scene was: open the pair again"):
        scene.readSliceLabel(6, pair)
    with pytest.raises(NotReady, match="no pair is shown"):
        scene.jump(3)
    assert scene.unsavedStrokes() == [pair]
    again = scene.openPair(pair.folder, pair.grid.axis, ("new", "gone"))
    scene.show(again, 6)
    assert scene.sliceLabelsPainted() == [6, 7]
    for k, number in ((2, 1), (6, 1), (7, 2)):
        np.testing.assert_array_equal(scene.readSliceLabel(k), number * eye)
    Painter(host, again).paint(6, ~eye, scene.segmentId(1))
    assert scene.readSliceLabel(6).all()
    scene.markSaved(6)
    assert scene.sliceLabelsPainted() == [7]


def test_after_the_scene_was_closed_each_pair_has_its_own_nodes_and_strokes(host, scene, openPair):
    """MRML counts its ids from 1 again: another pair's nodes have those that this one's had."""
    pair = openPair(pairName="p1")
    eye = np.eye(*pair.grid.sliceShape, dtype=bool)
    Painter(host, pair).paint(6, eye)
    host.scene.Clear(0)
    other = openPair(pairName="p2")
    again = scene.openPair(pair.folder, pair.grid.axis)
    scene.show(again, 6)
    assert not {node.GetID() for node in again.nodes()} & {node.GetID() for node in other.nodes()}
    assert again.labels.node is again.segmentation
    assert host.sliceLogic(TAGS["followup"]).GetBackgroundLayer().GetVolumeNode().GetName() == "Follow-up p1"
    Painter(host, again).paint(7, eye)
    scene.jump(7)
    assert scene.sliceLabelsPainted() == [6, 7]
    assert scene.sliceLabelsPainted(other) == []
    assert not scene.readSliceLabel(7, other).any()


def test_after_the_scene_was_closed_nodes_of_the_user_stay_the_users(host, scene, openPair):
    pair = openPair()
    Painter(host, pair).paint(6, np.eye(*pair.grid.sliceShape, dtype=bool))
    host.scene.Clear(0)
    names = ["My CT", "My MR", "My PET"]
    theirs = [slicer.util.addVolumeFromArray(np.ones((4, 5, 6)), name=name) for name in names]
    theirs.append(host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "My organs"))
    again = scene.openPair(pair.folder, pair.grid.axis)
    assert not set(theirs) & set(again.nodes())
    scene.show(again, 6)
    scene.close()
    assert [node.GetName() for node in theirs if host.scene.IsNodePresent(node)] == [*names, "My organs"]
    assert [node.GetImageData().GetDimensions() for node in theirs[:3]] == [(6, 5, 4)] * 3


def test_a_node_that_comes_with_the_id_of_a_deleted_one_is_not_taken_for_it(host, scene, openPair, tmp_path):
    pair = openPair()
    id_ = pair.baseline.GetID()
    other = slicer.vtkMRMLScene()
    assert other.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "My CT").GetID() == id_
    assert other.Commit(str(tmp_path / "other.mrml"))
    host.scene.RemoveNode(pair.baseline)
    host.scene.SetURL(str(tmp_path / "other.mrml"))
    host.scene.Import()
    assert host.scene.GetNodeByID(id_).GetName() == "My CT"
    with pytest.raises(NotReady, match="baseline of pair 'pair1' is no longer in the scene"):
        scene.show(pair)
    scene.openPair(pair.folder, pair.grid.axis)
    scene.close()
    assert host.scene.GetNodeByID(id_).GetName() == "My CT"


def test_what_was_saved_is_not_kept_when_the_scene_is_closed(host, scene, openPair):
    pair = openPair()
    scene.writeSliceLabel(6, np.eye(*pair.grid.sliceShape, dtype=np.uint8))
    host.scene.Clear(0)
    assert scene.unsavedStrokes() == []
    scene.show(scene.openPair(pair.folder, pair.grid.axis), 6)
    assert not scene.readSliceLabel(6).any()


def test_closing_the_project_forgets_what_was_kept(host, scene, openPair):
    pair = openPair()
    Painter(host, pair).paint(6, np.eye(*pair.grid.sliceShape, dtype=bool))
    host.scene.Clear(0)
    scene.close()
    assert scene.unsavedStrokes() == []


def test_strokes_in_a_segment_that_is_no_class_outlive_the_scene_too(host, scene, openPair):
    pair = openPair()
    id_ = pair.segmentation.GetSegmentation().AddEmptySegment("", "Segment_2")
    Painter(host, pair).paint(6, np.eye(*pair.grid.sliceShape, dtype=bool), id_)
    assert scene.sliceLabelsPainted() == [6]
    host.scene.Clear(0)
    scene.show(scene.openPair(pair.folder, pair.grid.axis), 6)
    with pytest.raises(InvalidInput, match="40 pixels were painted in the segment 'Segment_2'"):
        scene.readSliceLabel(6)


@pytest.mark.parametrize("name", ["oblique", "left-handed", "anisotropic"])
def test_a_saved_scene_brings_project_and_strokes_back(host, scene, openPair, tmp_path, name):
    pair = openPair(name)
    eye = np.eye(*pair.grid.sliceShape, dtype=bool)
    scene.writeSliceLabel(3, eye.astype(np.uint8))
    scene.jump(6)
    Painter(host, pair).paint(6, eye)
    saved = tmp_path / "saved"
    saved.mkdir()
    assert host.applicationLogic.SaveSceneToSlicerDataBundleDirectory(str(saved), None)
    scene.release()
    host.close()

    other = Host()
    try:
        (mrml,) = saved.rglob("*.mrml")
        other.scene.SetURL(str(mrml))
        other.scene.Connect()
        again = Scene()
        assert again.projectFolders() == [pair.folder.parent.parent]
        count = other.scene.GetNumberOfNodes()
        opened = again.openPair(pair.folder, pair.grid.axis)
        assert other.scene.GetNumberOfNodes() == count
        assert again.sliceLabelsPainted(opened) == [6]
        again.show(opened, 6)
        for k in (3, 6):
            np.testing.assert_array_equal(again.readSliceLabel(k), eye)
        again.release()
        assert again.projectFolders() == []
    finally:
        other.close()
        host.install()


def _files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _asAnEarlierVersionHad(pair):
    """Let the volumes know the prepared files as theirs."""
    for role, node in pair.volumes().items():
        assert node.AddDefaultStorageNode(str(pair.folder / f"{role}.nii.gz"))


@pytest.mark.parametrize("isEarlier", [False, True])
def test_slicers_save_writes_nothing_into_the_project_and_its_scene_opens_again(
    host, scene, openPair, tmp_path, isEarlier
):
    pair = openPair()
    eye = np.eye(*pair.grid.sliceShape, dtype=bool)
    if isEarlier:
        _asAnEarlierVersionHad(pair)
        host.scene.SetRootDirectory(str(tmp_path))
        assert host.scene.Commit(str(tmp_path / "earlier.mrml"))
        scene.release()
        host.scene.SetURL(str(tmp_path / "earlier.mrml"))
        host.scene.Connect()
        pair = scene.openPair(pair.folder, pair.grid.axis)
        scene.show(pair)
    scene.jump(6)
    Painter(host, pair).paint(6, eye)
    project, saved = pair.folder.parent.parent, tmp_path / "saved"
    before = _files(project)
    saveScene(host, saved)
    assert _files(project) == before
    scene.close()
    host.scene.Clear(0)

    host.scene.SetURL(str(saved / "scene.mrml"))
    host.scene.Connect()
    count = host.scene.GetNumberOfNodes()
    again = scene.openPair(pair.folder, pair.grid.axis)
    assert host.scene.GetNumberOfNodes() == count
    scene.show(again, 6)
    np.testing.assert_array_equal(scene.readSliceLabel(6), eye)
