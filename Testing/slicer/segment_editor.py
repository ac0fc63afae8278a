"""What the Segment Editor does to the views, which the host has not."""

from __future__ import annotations

from typing import Any


def asTheSegmentEditorDoes(host: Any, pair: Any) -> None:
    """Put the painted volume into every view: qMRMLSegmentEditorWidget.setSourceVolumeNode does it."""
    selection = host.scene.GetSingletonNode("Singleton", "vtkMRMLSelectionNode")
    selection.SetActiveVolumeID(pair.followup.GetID())
    for node in host.sliceNodes():
        host.applicationLogic.GetSliceLogic(node).GetSliceCompositeNode().SetBackgroundVolumeID(
            pair.followup.GetID()
        )
    host.sliceLogic("Red").FitSliceToAll()
