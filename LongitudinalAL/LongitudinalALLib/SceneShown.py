"""The pair in the three views: brought in, moved through, left; window, level and seen slices followed."""

from __future__ import annotations

from typing import Any

import vtk

from LongitudinalALLib.SceneLayout import TAGS
from LongitudinalALLib.SceneNodes import Observations
from LongitudinalALLib.SceneOpenPair import OpenPair
from LongitudinalALLib.SceneViews import SliceViews
from LongitudinalALLib.SceneVolumes import ROLES

SCANS = ("baseline", "followup")


class ShownPair:
    """Which pair the three views show, and what follows from it."""

    def __init__(self, views: SliceViews) -> None:
        self._views = views
        self._slices, self._windows = Observations(), Observations()
        self.pair: OpenPair | None = None

    def watchSlices(self) -> None:
        """Note from now on which slices are in view, however the user gets there."""
        self._slices.release()
        for role in TAGS:
            node = self._views.sliceNode(role)
            self._slices.add(node, vtk.vtkCommand.ModifiedEvent, self._onSliceMoved)

    def unwatchSlices(self) -> None:
        """Note no more."""
        self._slices.release()

    def enter(self, pair: OpenPair) -> None:
        """Bring a pair into the views, in its plane of acquisition."""
        self._views.showVolumes(pair.volumes())
        self._views.turn(pair.grid, pair.followup)
        setVisible(pair, True)
        self.pair = pair
        for role in SCANS:
            display = pair.node(role).GetDisplayNode()
            self._windows.add(display, vtk.vtkCommand.ModifiedEvent, self._onWindowLevel)

    def leave(self) -> None:
        """Take it out of the views; they keep what they show until another pair comes."""
        self._windows.release()
        if self.pair is not None:
            setVisible(self.pair, False)
        self.pair = None

    def jump(self, pair: OpenPair, k: int) -> None:
        """Show slice `k`."""
        self._views.jump(pair.grid, pair.followup, k)
        pair.see(k)

    def slice(self, role: str = "followup") -> int | None:
        """Return the slice that a view shows, `None` if there is none or it was turned away."""
        pair = self.pair
        if pair is None or not pair.has("followup"):
            return None
        return self._views.sliceShown(pair.grid, pair.followup, role)

    def _onWindowLevel(self, caller: Any, _event: str) -> None:
        """Give baseline and follow-up the same window and level, whichever was changed."""
        wanted = (caller.GetWindow(), caller.GetLevel())
        for role in SCANS if self.pair is not None else ():
            display = self.pair.node(role).GetDisplayNode() if self.pair.has(role) else None
            if display is not None and (display.GetWindow(), display.GetLevel()) != wanted:
                display.SetAutoWindowLevel(False)
                display.SetWindowLevel(*wanted)

    def _onSliceMoved(self, caller: Any, _event: str) -> None:
        role = next((each for each in ROLES if TAGS[each] == caller.GetLayoutName()), "followup")
        k = self.slice(role)
        if k is not None and self.pair is not None:
            self.pair.see(k)


def setVisible(pair: OpenPair, visible: bool) -> None:
    """Show the labels of a pair or not; where their node is gone, nothing happens."""
    if pair.has("labels"):
        pair.segmentation.GetDisplayNode().SetVisibility(visible)
