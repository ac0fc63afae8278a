"""Nodes of pairs in a scene: how they are known, what is observed of them, and how they are removed."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

PAIR, ROLE = "LongitudinalAL.Pair", "LongitudinalAL.Role"
"""Attributes of every node: by them a pair is found again in a scene that was saved and loaded."""


def pairNodes(scene: Any) -> list[Any]:
    """Return every node in a scene that belongs to a pair, from this session or from one that was saved."""
    nodes = (scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes()))
    return [node for node in nodes if node.GetAttribute(PAIR)]


def removeNode(scene: Any, node: Any) -> None:
    """Remove a node with its display and storage nodes.

    Contract: Slicer `Libs/MRML/Core/vtkMRMLDisplayableNode.h`, `vtkMRMLStorableNode.h`: else they are left.
    """
    attached = []
    if node.IsA("vtkMRMLDisplayableNode"):
        attached += [node.GetNthDisplayNode(index) for index in range(node.GetNumberOfDisplayNodes())]
    if node.IsA("vtkMRMLStorableNode"):
        attached += [node.GetNthStorageNode(index) for index in range(node.GetNumberOfStorageNodes())]
    scene.RemoveNode(node)
    for each in attached:
        if each is not None and scene.IsNodePresent(each):
            scene.RemoveNode(each)


class Observations:
    """What is observed, so that all of it can be let go; it keeps no observer alive."""

    def __init__(self) -> None:
        self._tags: list[tuple[Any, int]] = []

    def add(self, observed: Any, event: Any, callback: Callable[..., None]) -> None:
        """Call a method `callback(caller, event)` at an event, as long as its object lives."""
        method = weakref.WeakMethod(callback)

        def call(caller: Any, name: str) -> None:
            living = method()
            if living is not None:
                living(caller, name)

        self._tags.append((observed, observed.AddObserver(event, call)))

    def release(self) -> None:
        """Let all go."""
        for observed, tag in self._tags:
            observed.RemoveObserver(tag)
        self._tags.clear()
