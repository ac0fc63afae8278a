"""Closed without a trace: nodes, layout, views and what the user changed meanwhile."""

from __future__ import annotations

import numpy as np
import pytest
from host import Host, slicer
from scene_pairs import GEOMETRIES
from scene_state import state
from segment_editor import asTheSegmentEditorDoes
from strokes import Painter

from LongitudinalALLib.Scene import Scene
from LongitudinalALLib.SceneLayout import LAYOUT, TAGS


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
    asTheSegmentEditorDoes(host, pair)
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


def test_closing_twice_and_opening_again_works(host, scene, openPair):
    before = state(host)
    for _ in range(2):
        openPair()
        scene.close()
        scene.close()
        assert state(host) == before


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


def test_the_next_slice_pair_brings_the_three_views_back_with_their_zoom(host, scene, openPair):
    pair = openPair()
    node = host.sliceNode(TAGS["followup"])
    node.SetFieldOfView(20, 20, 1)
    oneUp = slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView
    host.application.layoutManager().setLayout(oneUp)
    assert scene.views.isSet and not scene.views.isShown
    scene.show(pair, 3)
    assert host.application.layoutManager().layout == LAYOUT
    assert (scene.shownSlice(), node.GetFieldOfView()[:2]) == (3, (20, 20))
    scene.close()
    assert host.application.layoutManager().layout == oneUp


def test_a_point_of_the_pair_brings_the_three_views_back(host, scene, openPair):
    pair = openPair()
    host.application.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    assert scene.jumpTo(pair.grid.centre(4)) == 4
    assert scene.views.isShown
    assert scene.shownSlice() == 4


def test_after_the_scene_was_closed_the_layout_still_goes_back(host, scene, openPair):
    before = state(host)["layout"]
    openPair()
    host.scene.Clear(0)
    scene.close()
    assert state(host)["layout"] == before
    assert not [node for node in host.sliceNodes() if node.GetLayoutName() in TAGS.values()]


def test_a_reloaded_module_begins_anew_and_the_old_one_is_deaf(host, openPair, scene):
    before = state(host)
    pair = openPair()
    Painter(host, pair).paint(6, np.eye(*pair.grid.sliceShape, dtype=bool))
    told = []
    scene.afterClose.append(lambda: told.append("old"))
    scene.release()
    again = Scene()
    again.afterClose.append(lambda: told.append("new"))
    opened = again.openPair(pair.folder, pair.grid.axis)
    again.show(opened, 6)
    assert not again.readSliceLabel(6).any()
    again.release()
    for node in host.scene.GetNodesByClass("vtkMRMLSegmentEditorNode"):
        host.scene.RemoveNode(node)
    assert state(host) == before
    third = Scene()
    third.afterClose.append(lambda: told.append("third"))
    host.scene.Clear(0)
    assert told == ["third"]
    third.release()


def test_a_scene_saved_with_our_layout_gives_a_standard_one_back(host, scene, openPair, tmp_path):
    pair = openPair()
    assert host.scene.Commit(str(tmp_path / "saved.mrml"))
    scene.release()
    host.close()

    other = Host()
    try:
        other.scene.SetURL(str(tmp_path / "saved.mrml"))
        other.scene.Connect()
        layout = other.layoutLogic.GetLayoutNode()
        assert layout.GetViewArrangement() == LAYOUT
        again = Scene()
        for _ in range(2):
            again.show(again.openPair(pair.folder, pair.grid.axis), 3)
            assert (layout.GetViewArrangement(), again.shownSlice()) == (LAYOUT, 3)
            again.close()
            assert layout.GetViewArrangement() == layout.SlicerLayoutFourUpView
            assert not [node for node in other.sliceNodes() if node.GetLayoutName() in TAGS.values()]
        again.release()
    finally:
        other.close()
        host.install()


@pytest.mark.parametrize("role", TAGS)
def test_a_view_that_went_missing_in_our_layout_is_made_again(host, scene, openPair, role):
    pair = openPair()
    host.scene.RemoveNode(host.sliceNode(TAGS[role]))
    scene.show(pair, 4)
    assert scene.shownSlice() == 4
    composite = host.sliceLogic(TAGS[role]).GetSliceCompositeNode()
    assert composite.GetBackgroundVolumeID() == pair.node(role).GetID()
