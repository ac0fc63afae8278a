"""What a scene looks like, to be compared before and after."""

from __future__ import annotations

from typing import Any

import numpy as np


def state(host: Any) -> dict[str, Any]:
    """Return the node list, the layout and the slice settings of a scene."""
    scene = host.scene
    nodes = [scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes())]
    return {
        "nodes": sorted((node.GetID(), node.GetClassName(), node.GetName()) for node in nodes),
        "layout": host.layoutLogic.GetLayoutNode().GetViewArrangement(),
        "slices": {node.GetID(): _sliceState(host, node) for node in host.sliceNodes()},
        "active": scene.GetSingletonNode("Singleton", "vtkMRMLSelectionNode").GetActiveVolumeID(),
    }


def _sliceState(host: Any, node: Any) -> dict[str, Any]:
    composite = host.applicationLogic.GetSliceLogic(node).GetSliceCompositeNode()
    matrix = node.GetSliceToRAS()
    return {
        "matrix": [round(matrix.GetElement(row, column), 6) for row in range(4) for column in range(4)],
        "field of view": tuple(np.round(node.GetFieldOfView(), 6)),
        "origin": node.GetXYZOrigin(),
        "orientation": node.GetOrientation(),
        "volumes": (
            composite.GetBackgroundVolumeID(),
            composite.GetForegroundVolumeID(),
            composite.GetLabelVolumeID(),
        ),
        "opacity": composite.GetForegroundOpacity(),
        "linked": composite.GetLinkedControl(),
    }
