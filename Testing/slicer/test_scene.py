"""A pair's life in the scene: opened, shown, disturbed, closed without a trace."""

from __future__ import annotations

import numpy as np
import pytest
from host import Host, slicer, vtk
from scene_pairs import GEOMETRIES, writePair, writeVolume
from scene_state import state
from strokes import Painter

from longitudinal_al.errors import GeometryMismatch, InvalidInput, NotReady, UnknownName, UnreadableImage
from LongitudinalALLib.Scene import Scene
from LongitudinalALLib.SceneViews import LAYOUT, TAGS
from LongitudinalALLib.SceneVolumes import readVolume


@pytest.mark.parametrize("name", GEOMETRIES)
def test_our_reader_agrees_with_slicers(host, tmp_path, name):
    folder = writePair(tmp_path / "pair", GEOMETRIES[name])
    node = slicer.modules.volumes.logic().AddArchetypeVolume(str(folder / "followup.nii.gz"), "Followup", 0)
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    volume = readVolume(folder / "followup.nii.gz")
    theirs, theirMatrix = slicer.util.arrayFromVolume(node), slicer.util.arrayFromVTKMatrix(matrix)
    if np.linalg.det(volume.ijkToRas) < 0:
        theirs = theirs[::-1]
        theirMatrix[:3, 3] += theirMatrix[:3, 2] * (len(theirs) - 1)
        theirMatrix[:3, 2] *= -1
    np.testing.assert_array_equal(volume.voxels, theirs)
    np.testing.assert_allclose(volume.ijkToRas, theirMatrix, atol=1e-5)


def test_a_place_given_as_quaternion_is_read_too(host, tmp_path):
    voxels = np.random.default_rng(0).random((5, 6, 7)).astype(np.float32)
    rotated = GEOMETRIES["oblique"].ijkToRas.copy()
    writeVolume(tmp_path / "volume.nii.gz", voxels, rotated, qform=True)
    volume = readVolume(tmp_path / "volume.nii.gz")
    np.testing.assert_array_equal(volume.voxels, voxels)
    np.testing.assert_allclose(volume.ijkToRas, rotated, atol=1e-4)


@pytest.mark.parametrize("name", GEOMETRIES)
def test_every_slice_can_be_shown_in_the_plane_of_acquisition(host, scene, openPair, name):
    pair = openPair(name)
    for k in (0, 3, pair.grid.slices - 1):
        scene.jump(k)
        assert scene.shownSlice() == k
        for role, tag in TAGS.items():
            _assertLiesOnSlice(host.sliceNode(tag), pair, k)
            assert (
                host.sliceLogic(tag).GetSliceCompositeNode().GetBackgroundVolumeID()
                == pair.node(role).GetID()
            )


def _assertLiesOnSlice(node, pair, k):
    """Every corner of the slice must lie in the view's plane, to a thousandth of a millimetre."""
    corners = [[k if axis == pair.grid.axis else end for axis in range(3)] for end in (0, 10)]
    toWorld = vtk.vtkGeneralTransform()
    pair.followup.GetParentTransformNode() and pair.followup.GetParentTransformNode().GetTransformToWorld(
        toWorld
    )
    matrix = slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS())
    for z, y, x in corners:
        point = np.array(toWorld.TransformPoint((pair.grid.ijkToRas @ [x, y, z, 1.0])[:3]))
        assert abs((point - matrix[:3, 3]) @ matrix[:3, 2]) < 1e-3


def test_patients_are_seen_as_radiologists_see_them(host, openPair):
    """Axial: anterior up, right on the left; sagittal: superior up, anterior on the left."""
    expected = {
        "axial": ([-1, 0, 0], [0, 1, 0]),
        "sagittal": ([0, -1, 0], [0, 0, 1]),
        "coronal": ([-1, 0, 0], [0, 0, 1]),
    }
    for name, (right, up) in expected.items():
        openPair(name, pairName=name)
        matrix = slicer.util.arrayFromVTKMatrix(host.sliceNode(TAGS["followup"]).GetSliceToRAS())
        np.testing.assert_allclose(matrix[:3, 0], right, atol=1e-6)
        np.testing.assert_allclose(matrix[:3, 1], up, atol=1e-6)


def test_zoom_and_pan_stay_while_jumping_and_are_equal_in_the_three_views(host, scene, openPair):
    openPair()
    fields = [host.sliceNode(tag).GetFieldOfView()[:2] for tag in TAGS.values()]
    assert fields[0] == fields[1] == fields[2]
    node = host.sliceNode(TAGS["followup"])
    node.SetFieldOfView(20, 20, 1)
    node.SetXYZOrigin(4, 5, 0)
    scene.jump(2)
    assert node.GetFieldOfView()[:2] == (20, 20)
    assert node.GetXYZOrigin()[:2] == (4, 5)


def test_baseline_and_followup_share_window_and_level(openPair):
    pair = openPair()
    pair.baseline.GetDisplayNode().SetWindowLevel(7.0, 1.5)
    assert (pair.followup.GetDisplayNode().GetWindow(), pair.followup.GetDisplayNode().GetLevel()) == (
        7.0,
        1.5,
    )
    pair.followup.GetDisplayNode().SetWindowLevel(5.0, 2.0)
    assert (pair.baseline.GetDisplayNode().GetWindow(), pair.baseline.GetDisplayNode().GetLevel()) == (
        5.0,
        2.0,
    )
    assert pair.difference.GetDisplayNode().GetLevel() == 0.0


@pytest.mark.parametrize("name", GEOMETRIES)
def test_closing_leaves_nodes_layout_and_views_as_they_were(host, scene, openPair, tmp_path, name):
    mine = slicer.util.addVolumeFromArray(np.random.default_rng(0).random((9, 20, 20)), name="My own volume")
    for tag in ("Red", "Green"):
        host.sliceLogic(tag).GetSliceCompositeNode().SetBackgroundVolumeID(mine.GetID())
        host.sliceLogic(tag).FitSliceToAll()
    selection = host.scene.GetSingletonNode("Singleton", "vtkMRMLSelectionNode")
    selection.SetActiveVolumeID(mine.GetID())
    transform = None if not GEOMETRIES[name].underTransform else "Somewhere else"
    before = state(host)

    pair = openPair(name, classes=("new", "gone"))
    assert host.layoutLogic.GetLayoutNode().GetViewArrangement() == LAYOUT
    scene.writeSliceLabel(3, np.eye(*pair.grid.sliceShape, dtype=np.uint8))
    _useEverything(scene, pair)
    _asTheSegmentEditorDoes(host, pair)
    scene.close()

    if transform:
        host.scene.RemoveNode(slicer.util.getFirstNodeByName(transform))
    assert state(host) == before


def _useEverything(scene, pair):
    half = np.full(pair.grid.sliceShape, 0.6)
    k = scene.shownSlice()
    for name in scene.overlays:
        scene.setOverlay(name, k, half)
        scene.switchOverlay(name, True)
    scene.showResults(
        [{"class": 1, "volume_mm3": 31.4, "centre_mm": pair.grid.centre(3), "diameter_mm": 4.2}],
        np.zeros(pair.grid.shape, np.uint8),
    )
    for mode in ("flicker", "checkerboard", "edges"):
        scene.checkView(mode)


def _asTheSegmentEditorDoes(host, pair):
    """Put the painted volume into every view: qMRMLSegmentEditorWidget.setSourceVolumeNode does it."""
    selection = host.scene.GetSingletonNode("Singleton", "vtkMRMLSelectionNode")
    selection.SetActiveVolumeID(pair.followup.GetID())
    for node in host.sliceNodes():
        host.applicationLogic.GetSliceLogic(node).GetSliceCompositeNode().SetBackgroundVolumeID(
            pair.followup.GetID()
        )
    host.sliceLogic("Red").FitSliceToAll()


def test_closing_twice_and_opening_again_works(host, scene, openPair):
    before = state(host)
    for _ in range(2):
        openPair()
        scene.close()
        scene.close()
        assert state(host) == before


def test_the_views_are_ours_again_after_the_segment_editor_took_them(host, scene, openPair):
    red = host.sliceLogic("Red").GetSliceCompositeNode()
    pair = openPair()
    _asTheSegmentEditorDoes(host, pair)
    scene.reclaimViews()
    assert red.GetBackgroundVolumeID() is None
    for role, tag in TAGS.items():
        assert host.sliceLogic(tag).GetSliceCompositeNode().GetBackgroundVolumeID() == pair.node(role).GetID()


def test_what_the_user_changed_meanwhile_stays(host, scene, openPair):
    openPair()
    theirs = slicer.util.addVolumeFromArray(np.ones((4, 5, 6)), name="Loaded meanwhile")
    host.sliceLogic("Yellow").GetSliceCompositeNode().SetBackgroundVolumeID(theirs.GetID())
    scene.close()
    assert slicer.util.getNode("Loaded meanwhile") is theirs
    assert host.sliceLogic("Yellow").GetSliceCompositeNode().GetBackgroundVolumeID() == theirs.GetID()


def test_a_layout_chosen_meanwhile_stays(host, scene, openPair):
    openPair()
    host.application.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    scene.close()
    assert host.application.layoutManager().layout == slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView


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


def test_the_scene_closed_in_the_middle_of_a_label(host, scene, openPair):
    pair = openPair()
    Painter(host, pair).paint(6, np.eye(*pair.grid.sliceShape, dtype=bool))
    scene.jump(6)
    rescued, told = {}, []
    scene.beforeClose.append(
        lambda: rescued.update({k: scene.readSliceLabel(k) for k in scene.sliceLabelsPainted()})
    )
    scene.afterClose.append(lambda: told.append(scene.pairs))
    host.scene.Clear(0)
    np.testing.assert_array_equal(rescued[6], np.eye(*pair.grid.sliceShape))
    assert told == [[]]
    with pytest.raises(NotReady, match="the scene was: open the pair again"):
        scene.readSliceLabel(6, pair)
    with pytest.raises(NotReady, match="no pair is shown"):
        scene.jump(3)
    again = scene.openPair(pair.folder, pair.grid.axis)
    scene.show(again, 6)
    assert scene.shownSlice() == 6
    assert not scene.readSliceLabel(6).any()


def test_after_the_scene_was_closed_the_layout_still_goes_back(host, scene, openPair):
    before = state(host)["layout"]
    openPair()
    host.scene.Clear(0)
    scene.close()
    assert state(host)["layout"] == before
    assert not [node for node in host.sliceNodes() if node.GetLayoutName() in TAGS.values()]


def test_a_saved_scene_brings_project_and_strokes_back(host, scene, openPair, tmp_path):
    pair = openPair("oblique")
    Painter(host, pair).paint(6, np.eye(*pair.grid.sliceShape, dtype=bool))
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
        again.show(opened, 6)
        np.testing.assert_array_equal(again.readSliceLabel(6), np.eye(*pair.grid.sliceShape))
        again.release()
        assert again.projectFolders() == []
    finally:
        other.close()
        host.install()


def test_read_ahead_pairs_open_the_same(scene, tmp_path):
    geometry = GEOMETRIES["axial"]
    folder = writePair(tmp_path / "pairs" / "p", geometry)
    scene.readAhead(folder)
    pair = scene.openPair(folder, geometry.axis)
    np.testing.assert_array_equal(
        slicer.util.arrayFromVolume(pair.followup), readVolume(folder / "followup.nii.gz").voxels
    )


def test_missing_damaged_and_mismatched_files_are_named(scene, tmp_path):
    geometry = GEOMETRIES["axial"]
    folder = tmp_path / "pairs" / "p"
    with pytest.raises(NotReady, match=r"baseline\.nii\.gz is missing: prepare the pair"):
        scene.openPair(folder, 0)
    writePair(folder, geometry)
    whole = (folder / "difference.nii.gz").read_bytes()
    (folder / "difference.nii.gz").write_bytes(whole[: len(whole) // 2])
    scene.readAhead(folder)
    with pytest.raises(UnreadableImage, match=r"difference\.nii\.gz cannot be read"):
        scene.openPair(folder, 0)
    writeVolume(folder / "difference.nii.gz", np.zeros((12, 48, 41), np.float32), geometry.ijkToRas)
    with pytest.raises(GeometryMismatch, match=r"prepared difference has \(12, 48, 41\) voxels"):
        scene.openPair(folder, 0)
    assert scene.pairs == []


def test_overlays_are_seen_when_switched_on_and_the_suggestion_is_recorded(host, scene, openPair):
    pair = openPair()
    scene.jump(5)
    shape = pair.grid.sliceShape
    for name in scene.overlays:
        scene.setOverlay(name, 5, np.eye(*shape))
    assert not any(scene.overlays.values())
    assert not scene.suggestionWasShown(5)
    scene.switchOverlay("suggestion", True)
    assert scene.suggestionWasShown(5)
    composite = host.sliceLogic(TAGS["followup"]).GetSliceCompositeNode()
    scene.switchOverlay("uncertainty", True)
    assert composite.GetForegroundVolumeID() == slicer.util.getFirstNodeByName("Uncertainty").GetID()
    scene.switchOverlay("attention", True)
    assert scene.overlays == {
        "suggestion": True,
        "earlier labels": False,
        "uncertainty": False,
        "attention": True,
    }
    assert composite.GetForegroundVolumeID() == slicer.util.getFirstNodeByName("Attention").GetID()
    scene.jump(6)
    assert not scene.hasOverlay("suggestion")
    assert composite.GetForegroundVolumeID() is None
    assert not scene.suggestionWasShown(6)
    assert not scene.readSliceLabel(5).any()


def test_an_overlay_of_another_shape_or_name_is_refused(scene, openPair):
    pair = openPair()
    with pytest.raises(GeometryMismatch, match="suggestion has"):
        scene.setOverlay("suggestion", 3, np.zeros(pair.grid.sliceShape[::-1]))
    with pytest.raises(UnknownName, match="choose one of attention, earlier labels"):
        scene.switchOverlay("heat", True)


def test_results_are_listed_jumped_to_and_decided(scene, openPair):
    pair = openPair("sagittal", classes=("new", "gone"))
    mask = np.zeros(pair.grid.shape, np.uint8)
    mask[4, 10:14, 10:14] = 2
    centre = (pair.grid.ijkToRas @ [11.5, 11.5, 4, 1])[:3]
    table = scene.showResults(
        [{"class": 2, "volume_mm3": 40.0, "centre_mm": centre, "diameter_mm": 5.7}], mask
    )
    assert [table.GetCellText(0, column) for column in (0, 1, 5, 6)] == ["gone", "40", "5.7", ""]
    assert scene.jumpToResult(0) == 4
    assert scene.shownSlice() == 4
    np.testing.assert_array_equal(scene.predictedSlice(4), mask[4])
    scene.decideResult(0, "accepted")
    assert table.GetCellText(0, 6) == "accepted"
    for row, decision in ((1, "accepted"), (0, "perhaps")):
        with pytest.raises(InvalidInput):
            scene.decideResult(row, decision)
    shown = slicer.util.getFirstNodeByName("Predicted changes pair1")
    whole = slicer.util.arrayFromSegmentBinaryLabelmap(
        shown, shown.GetSegmentation().GetNthSegmentID(1), pair.followup
    )
    np.testing.assert_array_equal(whole, mask == 2)
    scene.removeResults()
    assert slicer.util.getFirstNodeByName("Predicted changes pair1") is None


def test_the_check_view_flickers_and_ends(host, scene, openPair):
    pair = openPair()
    composite = host.sliceLogic(TAGS["followup"]).GetSliceCompositeNode()
    scene.checkView("flicker")
    seen = []
    for _ in range(3):
        seen.append(
            (composite.GetForegroundVolumeID() == pair.baseline.GetID(), composite.GetForegroundOpacity())
        )
        scene.flick()
    assert seen == [(True, 1.0), (True, 0.0), (True, 1.0)]
    for mode in ("checkerboard", "edges"):
        scene.checkView(mode)
        assert composite.GetForegroundOpacity() == 1.0
    scene.checkView("off")
    assert composite.GetForegroundVolumeID() is None
    with pytest.raises(UnknownName, match="check view"):
        scene.checkView("wipe")


def test_only_the_last_pairs_stay_open_but_none_with_strokes_is_closed(host, scene, openPair):
    painted = openPair(pairName="painted")
    Painter(host, painted).paint(6, np.eye(*painted.grid.sliceShape, dtype=bool))
    names = [f"pair{number}" for number in range(6)]
    for name in names:
        openPair(pairName=name)
    assert [pair.name for pair in scene.pairs] == ["painted", *names[-3:]]
    assert scene.readSliceLabel(6, painted).sum() == 40
