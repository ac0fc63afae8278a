"""The Segment Editor's own widget, embedded: on the follow-up, with paint in the right segment."""

from __future__ import annotations

from typing import Any

import slicer

UNDO_STATES = 20
EFFECT = "Paint"
EFFECTS = ("Paint", "Draw", "Erase", "Level tracing")
"""What is offered: all that draws on the one slice that is looked at.

The others work in the whole volume: "Fill between slices" and "Grow from seeds" make labels that nobody drew,
"Threshold", "Margin", "Hollow", "Smoothing", "Islands", "Scissors", "Logical operators" and "Mask volume"
change slices that are saved already. Names as in Slicer `Modules/Loadable/SegmentEditor/EditorEffects`."""


class Editor:
    """The embedded Segment Editor.

    Contract: Slicer `Modules/Loadable/Segmentations/Widgets/qMRMLSegmentEditorWidget.h`: the parameter node
    first, then the segmentation, then the source volume; observations and shortcuts are the embedding
    module's business in `enter` and `exit`; effects that setEffectNameOrder does not list are hidden when
    unorderedEffectsVisible is false. Brush:
    `Modules/Loadable/SegmentEditor/EditorEffects/Python/SegmentEditorEffects` and
    `qSlicerSegmentEditorPaintEffect.cxx`, common parameters.

    Parameters
    ----------
    scene : vtkMRMLScene
    """

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        self._node: Any = None
        self._segmentationId = ""
        self._brush = 3.0
        self._isEntered = False
        self._isResting = False
        self.widget: Any = slicer.qMRMLSegmentEditorWidget()
        self.widget.setMRMLScene(scene)
        self.widget.setSegmentationNodeSelectorVisible(False)
        self.widget.setSourceVolumeNodeSelectorVisible(False)
        self.widget.setAddRemoveSegmentButtonsVisible(False)
        self.widget.setSwitchToSegmentationsButtonVisible(False)
        # Another geometry than the pair's grid would put strokes on the neighbouring slices.
        self.widget.setSpecifyGeometryButtonVisible(False)
        # A surface that follows every stroke makes painting slow, and there is no 3-D view.
        self.widget.setShow3DButtonVisible(False)
        self.widget.setEffectNameOrder(list(EFFECTS))
        self.widget.unorderedEffectsVisible = False  # a property, whose setter is no slot
        # The three views show three volumes; by itself the widget puts its own into all of them.
        self.widget.setAutoShowSourceVolumeNode(False)
        self.widget.setMaximumNumberOfUndoStates(UNDO_STATES)

    def show(self, segmentationNode: Any, sourceVolumeNode: Any, segmentId: str) -> None:
        """Edit a segment; the backgrounds of the views have to be set again after this."""
        if self._node is None or self._node.GetScene() is None:
            self._node = self._addNode()
        self.widget.setMRMLSegmentEditorNode(self._node)
        self.widget.setSegmentationNode(segmentationNode)
        self.widget.setSourceVolumeNode(sourceVolumeNode)
        self.widget.setCurrentSegmentID(segmentId)
        self._segmentationId = segmentationNode.GetID()
        self._isResting = False
        self.paint()

    def paint(self) -> None:
        """Take the brush into the hand: flat, its diameter in mm."""
        self.widget.setActiveEffectByName(EFFECT)
        effect = self.widget.activeEffect()
        if effect is not None:
            effect.setCommonParameter("BrushDiameterIsRelative", 0)
            effect.setCommonParameter("BrushAbsoluteDiameter", self._brush)
            effect.setCommonParameter("BrushSphere", 0)

    def rest(self) -> None:
        """Lay the brush down until `show`: what is looked at is not what is edited."""
        self._isResting = True
        self.widget.setActiveEffectByName("")

    def forgetUndo(self) -> None:
        """Let nobody undo what was done so far: it is saved.

        Contract: Slicer `Libs/vtkSegmentationCore/vtkSegmentationHistory.cxx`, SetMaximumNumberOfStates drops
        the states above it.
        """
        self.widget.setMaximumNumberOfUndoStates(0)
        self.widget.setMaximumNumberOfUndoStates(UNDO_STATES)

    def setBrush(self, diameter: float) -> None:
        """Set the diameter of the brush in mm."""
        self._brush = diameter
        effect = self.widget.activeEffect() if self._node is not None else None
        if effect is not None:
            effect.setCommonParameter("BrushAbsoluteDiameter", diameter)

    def release(self) -> None:
        """Edit nothing, and remove the parameter node."""
        if self.widget is not None:
            self.widget.setActiveEffectByName("")
            self.widget.setSegmentationNode(None)
            self.widget.setMRMLSegmentEditorNode(None)
        if self._node is not None and self._node.GetScene() is not None:
            self._scene.RemoveNode(self._node)
        self._node, self._segmentationId = None, ""

    def enter(self) -> None:
        """The module is shown: hear the views and the keys, and take the brush up again, unless it rests."""
        if not self._isEntered:
            self._isEntered = True
            self.widget.setupViewObservations()
            self.widget.installKeyboardShortcuts()
            if not self._isResting and self._scene.GetNodeByID(self._segmentationId) is not None:
                self.paint()

    def exit(self) -> None:
        """The module is left: hear nothing, and lay the brush down."""
        if self._isEntered:
            self._isEntered = False
            self.widget.setActiveEffectByName("")
            self.widget.uninstallKeyboardShortcuts()
            self.widget.removeViewObservations()

    def cleanup(self) -> None:
        """Delete the widget: one that is alive when Slicer ends crashes it."""
        if self.widget is None:
            return
        self.exit()
        self.release()
        self.widget.setMRMLScene(None)
        self.widget.setParent(None)
        self.widget.deleteLater()
        self.widget = None

    def _addNode(self) -> Any:
        node = self._scene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
        node.UnRegister(None)
        node.SetSingletonTag("LongitudinalAL")
        node.SetHideFromEditors(True)
        node.SetSaveWithScene(False)
        node.SetOverwriteMode(slicer.vtkMRMLSegmentEditorNode.OverwriteAllSegments)
        return self._scene.AddNode(node)
