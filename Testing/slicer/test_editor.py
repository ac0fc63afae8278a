"""The embedded Segment Editor: what it offers, and the brush in the hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("stand_ins")
from strokes import Painter

from LongitudinalALLib.Editor import EFFECTS, UNDO_STATES, Editor

NODES = ("vtkMRMLSegmentationNode", "vtkMRMLScalarVolumeNode")
WHOLE_VOLUME = {
    "Fill between slices",
    "Grow from seeds",
    "Threshold",
    "Margin",
    "Hollow",
    "Smoothing",
    "Islands",
    "Scissors",
    "Logical operators",
    "Mask volume",
}
"""Effects that change slices which nobody looks at."""


@pytest.fixture
def editor(host: Any) -> Any:
    made = Editor(host.scene)
    yield made
    made.cleanup()


def test_only_effects_of_one_slice_are_offered(editor: Any) -> None:
    assert ("setEffectNameOrder", list(EFFECTS)) in editor.widget.calls
    assert editor.widget.unorderedEffectsVisible is False
    assert not WHOLE_VOLUME & set(EFFECTS)
    assert EFFECTS[0] == "Paint"


def test_nothing_leads_to_another_geometry_segment_or_volume(editor: Any) -> None:
    for hidden in (
        "setSpecifyGeometryButtonVisible",
        "setAddRemoveSegmentButtonsVisible",
        "setSegmentationNodeSelectorVisible",
        "setSourceVolumeNodeSelectorVisible",
        "setShow3DButtonVisible",
    ):
        assert (hidden, False) in editor.widget.calls


def test_the_brush_is_laid_down_and_taken_up_with_the_module(host: Any, editor: Any) -> None:
    editor.enter()
    assert editor.widget.activeEffect() is None
    editor.show(*(host.scene.AddNewNodeByClass(name) for name in NODES), "LongitudinalAL_1")
    assert editor.widget.activeEffect() is not None
    editor.exit()
    assert editor.widget.activeEffect() is None
    editor.setBrush(5.0)
    editor.enter()
    assert editor.widget.effect.parameters["BrushAbsoluteDiameter"] == 5.0
    assert editor.widget.calls[-1] == ("setActiveEffectByName", "Paint")


def test_a_brush_that_was_laid_down_stays_so_until_something_is_edited_again(host: Any, editor: Any) -> None:
    nodes = [host.scene.AddNewNodeByClass(name) for name in NODES]
    editor.enter()
    editor.show(*nodes, "LongitudinalAL_1")
    editor.rest()
    editor.exit()
    editor.enter()
    assert editor.widget.activeEffect() is None
    editor.show(*nodes, "LongitudinalAL_1")
    assert editor.widget.activeEffect() is not None
    editor.exit()
    editor.enter()
    assert editor.widget.activeEffect() is not None


def test_with_the_scene_closed_no_brush_is_taken_up(host: Any, editor: Any) -> None:
    editor.show(*(host.scene.AddNewNodeByClass(name) for name in NODES), "LongitudinalAL_1")
    host.scene.Clear(0)
    editor.enter()
    assert editor.widget.calls[-1] != ("setActiveEffectByName", "Paint")


def test_what_was_done_so_far_can_be_put_beyond_undo(editor: Any) -> None:
    editor.forgetUndo()
    assert editor.widget.calls[-2:] == [
        ("setMaximumNumberOfUndoStates", 0),
        ("setMaximumNumberOfUndoStates", UNDO_STATES),
    ]


def test_slicer_s_own_history_forgets_when_it_may_keep_nothing(host: Any, openPair: Any) -> None:
    pair = openPair()
    painter = Painter(host, pair)
    painter.logic.SetMaximumNumberOfUndoStates(UNDO_STATES)
    mask = np.ones(pair.grid.sliceShape, bool)

    def painted() -> bool:
        return bool(pair.labels.read(2).any())

    painter.logic.SaveStateForUndo()
    painter.paint(2, mask)
    painter.logic.SetMaximumNumberOfUndoStates(0)
    painter.logic.SetMaximumNumberOfUndoStates(UNDO_STATES)
    painter.logic.Undo()
    assert painted()
    painter.logic.SaveStateForUndo()
    painter.paint(2, mask, erase=True)
    assert not painted()
    painter.logic.Undo()
    assert painted()
