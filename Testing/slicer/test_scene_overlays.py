"""What is laid over a slice: overlays, results, the check of a registration."""

from __future__ import annotations

import numpy as np
import pytest
from host import slicer

from longitudinal_al.errors import GeometryMismatch, InvalidInput, UnknownName
from LongitudinalALLib.SceneLayout import TAGS


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
    assert scene.jumpTo(centre) == 4
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
    scene.close()
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
