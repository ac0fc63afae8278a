"""Pairs in the scene: opened, shown in the three views, closed without a trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from longitudinal_al.errors import NotReady
from LongitudinalALLib.SceneNodes import Observations
from LongitudinalALLib.SceneOpenPair import OpenPair
from LongitudinalALLib.ScenePairs import OpenPairs
from LongitudinalALLib.SceneShown import ShownPair, setVisible
from LongitudinalALLib.SceneViews import SliceViews


class SceneOfPairs:
    """The pairs of a project in an MRML scene, without what is drawn and laid over them: see `Scene`."""

    def __init__(self, mrmlScene: Any = None, applicationLogic: Any = None) -> None:
        self.mrmlScene = mrmlScene if mrmlScene is not None else slicer.mrmlScene
        self.afterClose: list[Callable[[], None]] = []
        self.afterOpen: list[Callable[[OpenPair], None]] = []
        logic = applicationLogic if applicationLogic is not None else slicer.app.applicationLogic()
        self.views = SliceViews(self.mrmlScene, logic)
        self._pairs = OpenPairs(self.mrmlScene)
        self._shown = ShownPair(self.views)
        self._observations = Observations()
        events = slicer.vtkMRMLScene
        self._observations.add(self.mrmlScene, events.StartCloseEvent, self._onStartClose)
        self._observations.add(self.mrmlScene, events.EndCloseEvent, self._onEndClose)

    # Pairs

    @property
    def pairs(self) -> list[OpenPair]:
        """The pairs that are open."""
        return self._pairs.all

    @property
    def shownPair(self) -> OpenPair | None:
        """The pair in the three views."""
        return self._shown.pair

    def pairAt(self, pairFolder: Path | str) -> OpenPair | None:
        """Return the pair of a folder, if it is open."""
        return self._pairs.at(Path(pairFolder))

    def readAhead(self, pairFolder: Path | str) -> None:
        """Begin to read a pair on a thread: opening it soon after does not wait for the disk."""
        self._pairs.readAhead(Path(pairFolder))

    def openPair(
        self, pairFolder: Path | str, thicknessAxis: int, classes: Sequence[str] = ("change",)
    ) -> OpenPair:
        """Load a prepared pair; one that is open is given back, with what was removed from it put back.

        Where it was prepared anew meanwhile its volumes are read again; what is painted stays. On another
        grid it is opened afresh, unless something is painted that is not saved.

        Parameters
        ----------
        pairFolder : pathlib.Path
            Folder of the prepared volumes, `PROJECT/pairs/<pair>`.
        thicknessAxis : int
            Array axis across which the slices lie: 0 = z, 1 = y, 2 = x (`slice_axis` of `prepared.json`).
        classes : sequence of str
            Names of the kinds of change.

        Raises
        ------
        NotReady, UnreadableImage
            When a prepared file is missing or damaged.
        GeometryMismatch
            When the prepared volumes are not on one grid, or not on that of what is painted and not saved.
        """
        shown = self._shown.pair
        wasWhole = shown is not None and shown.isComplete() and shown.isCurrent()
        pair = self._pairs.open(Path(pairFolder), thicknessAxis, classes)
        if shown is not None and shown.folder == pair.folder and not (pair is shown and wasWhole):
            k = self.shownSlice() if pair is shown else None  # on another grid there are other slices
            self._leaveShown()
            self.show(pair, k)
        setVisible(pair, pair is self._shown.pair)
        for callback in list(self.afterOpen):
            callback(pair)
        for old in self._pairs.tooMany([each for each in (pair, self._shown.pair) if each is not None]):
            self.closePair(old)
        return pair

    def renewPair(self, pairFolder: Path | str) -> bool:
        """Read a pair again that is open and was prepared anew; tell whether it was. Raises as `openPair`."""
        pair = self.pairAt(pairFolder)
        if pair is None or pair.isCurrent():
            return False
        self.openPair(pair.folder, pair.grid.axis, pair.classes)
        return True

    def renewPairs(self) -> None:
        """Read all open pairs again that were prepared anew; raises as `openPair`."""
        for pair in self.pairs:
            self.renewPair(pair.folder)

    def closePair(self, pair: OpenPair) -> None:
        """Take a pair out of the scene, with its strokes; the layout stays."""
        if pair is self._shown.pair:
            self._leaveShown()
        self._pairs.close(pair)

    def close(self) -> None:
        """Take out everything that was added, and show what was shown before."""
        self.restoreLayout()
        self._pairs.forget()

    def release(self) -> None:
        """Close, and stop observing the scene: nothing is left of this object."""
        self.close()
        self._observations.release()

    def projectFolders(self) -> list[Path]:
        """Return the projects whose pairs are in the scene, also from a scene that was saved and loaded."""
        return self._pairs.projectFolders()

    # Showing

    def setLayout(self) -> None:
        """Show the three views side by side."""
        self.views.set()
        self._shown.watchSlices()

    def restoreLayout(self) -> None:
        """Show the layout from before again; the pairs stay open."""
        self._leaveShown()
        self._shown.unwatchSlices()
        self.views.giveBack(self._isOurs)
        self.views.restore()

    def show(self, pair: OpenPair, k: int | None = None) -> None:
        """Show a pair in the three views, at a slice (the middle one if none is given).

        Raises
        ------
        NotReady
            When the pair was closed, or one of its volumes removed: open it again.
        """
        self._pairs.require(pair)
        volumes = pair.volumes()
        with self.views.drawnOnce():
            if self._shown.pair is not pair or not self.views.isSet:
                self._leaveShown()
                self.setLayout()
                self._shown.enter(pair)
            elif not self.views.isShown:
                self.setLayout()
            if self.shownSlice() is None:  # the user has turned the views
                self.views.turn(pair.grid, pair.followup)
            self.views.showVolumes(volumes)
            self.jump(pair.grid.slices // 2 if k is None else k)

    def jump(self, k: int) -> None:
        """Show slice `k` of the pair shown in all three views; zoom and pan stay."""
        pair = self._current(None)
        pair.grid.checkSlice(k)
        with self.views.drawnOnce():
            if self.shownSlice() != k:
                self._clearSlice()
            self._shown.jump(pair, k)

    def jumpTo(self, ras: Sequence[float]) -> int | None:
        """Show the slice nearest to a point of the pair, in mm RAS; return it, `None` if it lies outside."""
        pair = self._current(None)
        k = pair.grid.sliceAt(np.asarray(ras, float))
        if k is not None:
            self.show(pair, k)
        return k

    def shownSlice(self) -> int | None:
        """Return the slice in the follow-up's view, `None` if there is none or it was turned away."""
        return self._shown.slice()

    def reclaimViews(self) -> None:
        """Put the three volumes back into their views, and the user's own views back to what they showed.

        Call it after the Segment Editor was given a source volume: it puts that volume into every view.
        """
        pair = self._current(None)
        with self.views.drawnOnce():
            self.views.showVolumes(pair.volumes())
            self.views.giveBack(self._isOurs)

    def setTransform(self, transformNode: Any, pair: OpenPair | None = None) -> None:
        """Put all nodes of a pair under one transform (or none): labels and scans stay together."""
        pair = self._current(pair)
        id_ = transformNode.GetID() if transformNode is not None else None
        for node in [*pair.nodes(), *self._addedNodes()]:
            if node.IsA("vtkMRMLTransformableNode"):
                node.SetAndObserveTransformNodeID(id_)
        if pair is self._shown.pair:
            k = self.shownSlice()
            self.views.turn(pair.grid, pair.followup)
            self.jump(k if k is not None else pair.grid.slices // 2)

    # What is behind it

    def _clearSlice(self) -> None:
        """Take away what is laid over the slice shown, when another one comes."""

    def _clearPair(self) -> None:
        """Take away all that belongs to the pair shown but its own nodes."""

    def _addedNodes(self) -> list[Any]:
        """Return the nodes that are there besides those of the pairs."""
        return []

    def _current(self, pair: OpenPair | None) -> OpenPair:
        chosen = pair if pair is not None else self._shown.pair
        if chosen is None:
            raise NotReady("no pair is shown: open one and show it")
        self._pairs.require(chosen)
        return chosen

    def _leaveShown(self) -> None:
        self._clearPair()
        self._shown.leave()

    def _isOurs(self, id_: str) -> bool:
        owned = [node for pair in self.pairs for node in pair.nodes()]
        return any(node.GetID() == id_ for node in [*owned, *self._addedNodes()])

    def _onStartClose(self, _caller: Any, _event: str) -> None:
        self._pairs.keepStrokes()

    def _onEndClose(self, _caller: Any, _event: str) -> None:
        """The nodes of all pairs are gone. The layout is the user's until `close`."""
        self._pairs.nodesAreGone()
        self._leaveShown()
        for callback in list(self.afterClose):
            callback()
