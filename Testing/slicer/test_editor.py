"""The embedded Segment Editor: what it offers, and the brush in the hand."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("stand_ins")
from LongitudinalALLib.Editor import EFFECTS, Editor

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


def test_with_the_scene_closed_no_brush_is_taken_up(host: Any, editor: Any) -> None:
    editor.show(*(host.scene.AddNewNodeByClass(name) for name in NODES), "LongitudinalAL_1")
    host.scene.Clear(0)
    editor.enter()
    assert editor.widget.calls[-1] != ("setActiveEffectByName", "Paint")
