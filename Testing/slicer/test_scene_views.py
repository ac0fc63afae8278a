"""The three views: the plane of acquisition, linked, the same window and level, and ours."""

from __future__ import annotations

import numpy as np
import pytest
from host import slicer, vtk
from scene_pairs import GEOMETRIES
from segment_editor import asTheSegmentEditorDoes

from LongitudinalALLib.SceneLayout import TAGS


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


def test_the_views_are_ours_again_after_the_segment_editor_took_them(host, scene, openPair):
    red = host.sliceLogic("Red").GetSliceCompositeNode()
    pair = openPair()
    asTheSegmentEditorDoes(host, pair)
    scene.reclaimViews()
    assert red.GetBackgroundVolumeID() is None
    for role, tag in TAGS.items():
        assert host.sliceLogic(tag).GetSliceCompositeNode().GetBackgroundVolumeID() == pair.node(role).GetID()


@pytest.mark.parametrize("role", TAGS)
def test_each_view_takes_the_others_along_in_slice_zoom_and_pan(host, scene, openPair, role):
    pair = openPair("oblique")
    scene.jump(3)
    logic, node = host.sliceLogic(TAGS[role]), host.sliceNode(TAGS[role])
    logic.StartSliceOffsetInteraction()
    logic.SetSliceOffset(logic.GetSliceOffset() + 2 * pair.grid.spacing[pair.grid.axis])
    logic.EndSliceOffsetInteraction()
    shown = [scene.views.sliceShown(pair.grid, pair.followup, each) for each in TAGS]
    assert len(set(shown)) == 1 and shown[0] in (1, 5)
    logic.StartSliceNodeInteraction(node.FieldOfViewFlag)
    node.SetFieldOfView(21.0, 21.0, 1.0)
    logic.EndSliceNodeInteraction()
    logic.StartSliceNodeInteraction(node.XYZOriginFlag)
    node.SetXYZOrigin(4.0, 5.0, 0.0)
    logic.EndSliceNodeInteraction()
    for each in TAGS.values():
        assert host.sliceNode(each).GetFieldOfView()[0] == pytest.approx(21.0)
        assert host.sliceNode(each).GetXYZOrigin()[:2] == (4.0, 5.0)
    assert host.sliceNode("Red").GetFieldOfView()[0] != pytest.approx(21.0)
