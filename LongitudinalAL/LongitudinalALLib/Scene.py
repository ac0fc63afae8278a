"""The only place where data pass between MRML nodes and the project: pairs, labels, views, overlays, results.

MRML only, no Qt; it adds nodes, changes no others, and takes away exactly what it added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk

from longitudinal_al.errors import LongitudinalALError, NotReady
from LongitudinalALLib.SceneCheck import CHECK_MODES, CheckView
from LongitudinalALLib.SceneGrid import Grid
from LongitudinalALLib.SceneOpenPair import PAIR, Observations, OpenPair, pairNodes, removeNode
from LongitudinalALLib.SceneOverlays import OVERLAYS, Overlays
from LongitudinalALLib.SceneResults import DECISIONS, Results
from LongitudinalALLib.SceneViews import TAGS, SliceViews
from LongitudinalALLib.SceneVolumes import (
    DIFFERENCE_WINDOW,
    ROLES,
    PairReader,
    PreparedPair,
    setWindowLevel,
)

MOST_OPEN = 4
"""So many pairs stay open, besides those with strokes that are not saved."""
__all__ = ["CHECK_MODES", "DECISIONS", "OVERLAYS", "OpenPair", "Scene"]


class Scene:
    """The pairs of a project in an MRML scene.

    Parameters
    ----------
    mrmlScene : vtkMRMLScene, optional
        The application's own if not given.
    applicationLogic : vtkMRMLApplicationLogic, optional
        The application's own if not given.

    Attributes
    ----------
    beforeClose : list of callable
        Called without arguments while the scene is about to be closed by the user, everything still in it:
        the last chance to save what was painted.
    afterClose : list of callable
        Called once the scene was closed by the user, and every pair with it.
    """

    def __init__(self, mrmlScene: Any = None, applicationLogic: Any = None) -> None:
        self.mrmlScene = mrmlScene if mrmlScene is not None else slicer.mrmlScene
        self.beforeClose: list[Callable[[], None]] = []
        self.afterClose: list[Callable[[], None]] = []
        logic = applicationLogic if applicationLogic is not None else slicer.app.applicationLogic()
        self.views = SliceViews(self.mrmlScene, logic)
        self._reader = PairReader()
        self._pairs: dict[Path, OpenPair] = {}
        self._shown: OpenPair | None = None
        self._overlays = Overlays(self.mrmlScene, self.views)
        self._check = CheckView(self.mrmlScene, self.views)
        self._results = Results(self.mrmlScene)
        self._viewObservations, self._displayObservations = Observations(), Observations()
        self._sceneObservations = Observations()
        self._sceneObservations.add(self.mrmlScene, slicer.vtkMRMLScene.StartCloseEvent, self._onStartClose)
        self._sceneObservations.add(self.mrmlScene, slicer.vtkMRMLScene.EndCloseEvent, self._onEndClose)

    # Pairs
    # Each takes the memory of its three volumes, so that only the last few stay open.

    @property
    def pairs(self) -> list[OpenPair]:
        """The pairs that are open."""
        return list(self._pairs.values())

    @property
    def shownPair(self) -> OpenPair | None:
        """The pair in the three views."""
        return self._shown

    def readAhead(self, pairFolder: Path | str) -> None:
        """Begin to read a pair on a thread: opening it soon after does not wait for the disk."""
        folder = Path(pairFolder)
        if folder not in self._pairs:
            self._reader.readAhead(folder)

    def openPair(
        self, pairFolder: Path | str, thicknessAxis: int, classes: Sequence[str] = ("change",)
    ) -> OpenPair:
        """Load a prepared pair; one that is open is given back, with what was removed from it put back.

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
            When the prepared volumes are not on one grid.
        """
        folder = Path(pairFolder)
        pair = self._pairs.get(folder)
        if pair is not None and pair.isComplete():
            pair.labels.lock(pair.followup)
            return pair
        prepared = self._reader.take(folder)
        grid = _gridOf(prepared, thicknessAxis)
        if pair is None:
            pair = OpenPair(self.mrmlScene, folder, grid, classes)
        pair.fill(prepared, (prepared.window, prepared.level))
        setWindowLevel(pair.difference, DIFFERENCE_WINDOW, 0.0)
        self._pairs[folder] = pair
        self._setVisible(pair, pair is self._shown)
        if pair is self._shown:
            self.show(pair)
        self._closeOldest(pair)
        return pair

    def _closeOldest(self, newest: OpenPair) -> None:
        """Close pairs beyond `MOST_OPEN`, the oldest first; never one with strokes that are not saved."""
        spare = len(self._pairs) - MOST_OPEN
        for pair in self.pairs:
            if spare > 0 and pair is not newest and pair is not self._shown and not _holdsStrokes(pair):
                self.closePair(pair)
                spare -= 1

    def closePair(self, pair: OpenPair) -> None:
        """Take a pair out of the scene; the layout stays."""
        if pair is self._shown:
            self._leaveShown()
        for node in pair.nodes():
            removeNode(self.mrmlScene, node)
        self._pairs.pop(pair.folder, None)

    def close(self) -> None:
        """Take out everything that was added, and show what was shown before."""
        self._leaveShown()
        self._viewObservations.release()
        self.views.giveBack(self._isOurs)
        self.views.restore()
        for pair in self.pairs:
            self.closePair(pair)
        self._reader.forget()

    def release(self) -> None:
        """Close, and stop observing the scene: nothing is left of this object."""
        self.close()
        self._sceneObservations.release()

    def projectFolders(self) -> list[Path]:
        """Return the projects whose pairs are in the scene, also from a scene that was saved and loaded."""
        folders = {Path(node.GetAttribute(PAIR)).parent.parent for node in pairNodes(self.mrmlScene)}
        return sorted(folders)

    # Showing

    def setLayout(self) -> None:
        """Show the three views side by side."""
        self.views.set()
        if self._viewObservations.isEmpty:
            for role in TAGS:
                node = self.views.sliceNode(role)
                self._viewObservations.add(node, vtk.vtkCommand.ModifiedEvent, self._onSliceMoved)

    def restoreLayout(self) -> None:
        """Show the layout from before again; the pairs stay open."""
        self._leaveShown()
        self._viewObservations.release()
        self.views.giveBack(self._isOurs)
        self.views.restore()

    def show(self, pair: OpenPair, k: int | None = None) -> None:
        """Show a pair in the three views, at a slice (the middle one if none is given).

        Raises
        ------
        NotReady
            When the pair was closed, or one of its volumes removed: open it again.
        """
        self._require(pair)
        volumes = pair.volumes()
        with self.views.drawnOnce():
            if self._shown is not pair or not self.views.isSet:
                self._enter(pair)
            self.views.showVolumes(volumes)
            self.jump(pair.grid.slices // 2 if k is None else k)

    def jump(self, k: int) -> None:
        """Show slice `k` of the pair shown in all three views; zoom and pan stay."""
        pair = self._current(None)
        pair.grid.checkSlice(k)
        with self.views.drawnOnce():
            if self.shownSlice() != k:
                self._overlays.clear()
            self.views.jump(pair.grid, pair.followup, k)
        pair.shownSlices.add(k)

    def jumpTo(self, ras: Sequence[float]) -> int | None:
        """Show the slice nearest to a point of the pair, in mm RAS; return it, `None` if it lies outside."""
        k = self._current(None).grid.sliceAt(np.asarray(ras, float))
        if k is not None:
            self.jump(k)
        return k

    def shownSlice(self) -> int | None:
        """Return the slice in the follow-up's view, `None` if there is none or it was turned away."""
        pair = self._shown
        if pair is None or not pair.has("followup"):
            return None
        return self.views.sliceShown(pair.grid, pair.followup)

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
        for node in [*pair.nodes(), *self._overlays.nodes()]:
            node.SetAndObserveTransformNodeID(id_)
        if pair is self._shown:
            k = self.shownSlice()
            self.views.turn(pair.grid, pair.followup)
            self.jump(k if k is not None else pair.grid.slices // 2)

    # Labels

    def readSliceLabel(self, k: int, pair: OpenPair | None = None) -> np.ndarray:
        """Return what is painted on slice `k`: uint8 (rows, columns), 0 = no change, else the class's number.

        Raises
        ------
        NotReady
            When the pair was closed, its labels or the segment of a class removed.
        GeometryMismatch
            When what is painted, or the follow-up it was painted on, is not on the pair's grid.
        InvalidInput
            When something is painted that is no class, or two classes overlap.
        """
        return self._checkedLabels(pair).read(k)

    def writeSliceLabel(self, k: int, label: np.ndarray, pair: OpenPair | None = None) -> None:
        """Replace what is painted on slice `k`, and nothing else; raises as `readSliceLabel`."""
        self._checkedLabels(pair).write(k, label)

    def sliceLabelsPainted(self, pair: OpenPair | None = None) -> list[int]:
        """Return the slices painted on since they were written or marked as saved, and seen by the annotator.

        What "Fill between slices" filled on slices that were never in view is no label of a human: left out.
        """
        pair = self._current(pair)
        return [k for k in self._checkedLabels(pair).painted() if k in pair.shownSlices]

    def sliceLabelsUnseen(self, pair: OpenPair | None = None) -> list[int]:
        """Return the slices on which something appeared that was never in view."""
        pair = self._current(pair)
        return [k for k in self._checkedLabels(pair).painted() if k not in pair.shownSlices]

    def markSaved(self, k: int, pair: OpenPair | None = None) -> None:
        """Note that slice `k` is saved as it is painted now."""
        self._checkedLabels(pair).noteSaved(k)

    def restoreSegments(self, pair: OpenPair | None = None) -> None:
        """Make the segments of classes that the user deleted anew, empty, and lock the grid again."""
        pair = self._current(pair)
        pair.labels.lock(pair.followup)

    def segmentId(self, number: int = 1) -> str:
        """Return the id of the segment of class `number`, for the Segment Editor."""
        return self._current(None).labels.segmentId(number)

    # Overlays, results, check view

    @property
    def overlays(self) -> dict[str, bool]:
        """Which overlays are switched on, by name."""
        return self._overlays.on

    def setOverlay(self, name: str, k: int, values: np.ndarray, pair: OpenPair | None = None) -> None:
        """Give what an overlay of `OVERLAYS` shows on slice `k`: (rows, columns), 0 to 1 or classes."""
        self._overlays.set(name, self._current(pair), k, values)

    def switchOverlay(self, name: str, on: bool) -> None:
        """Switch an overlay on or off; showing the suggestion is remembered for the slice."""
        self._overlays.switch(name, on)

    def hasOverlay(self, name: str) -> bool:
        """Tell whether there is something to show for the slice shown."""
        return self._overlays.holds(name)

    def suggestionWasShown(self, k: int, pair: OpenPair | None = None) -> bool:
        """Tell whether the model's suggestion was shown on slice `k`."""
        return k in self._current(pair).suggestionsShown

    def showResults(self, changes: Sequence[Mapping[str, Any]], mask: np.ndarray | None = None) -> Any:
        """Show predicted changes as a table, which is returned, and a segmentation; see `Results.show`."""
        self._results.show(self._current(None), changes, mask)
        return self._results.table

    def jumpToResult(self, row: int) -> int | None:
        """Show the slice of a predicted change."""
        return self.jumpTo(self._results.centre(row))

    def decideResult(self, row: int, decision: str) -> None:
        """Note what was decided on a predicted change, one of `DECISIONS`."""
        self._results.decide(row, decision)

    def predictedSlice(self, k: int) -> np.ndarray | None:
        """Return the prediction of slice `k` of the pair shown, uint8 (rows, columns); `None` without one."""
        return self._results.predictedSlice(self._current(None), k)

    def removeResults(self) -> None:
        """Take the list of changes away."""
        self._results.clear()

    def checkView(self, mode: str) -> None:
        """Lay the baseline over the follow-up to check the registration: one of `CHECK_MODES`."""
        self._overlays.clear()
        self._check.show(self._current(None), mode)

    def flick(self) -> None:
        """Show the other of the two scans in the check view "flicker"; for a timer."""
        self._check.flick()

    # What is behind it

    def _current(self, pair: OpenPair | None) -> OpenPair:
        chosen = pair if pair is not None else self._shown
        if chosen is None:
            raise NotReady("no pair is shown: open one and show it")
        self._require(chosen)
        return chosen

    def _require(self, pair: OpenPair) -> None:
        if self._pairs.get(pair.folder) is not pair:
            raise NotReady(f"pair {pair.name!r} was closed, or the scene was: open the pair again")

    def _checkedLabels(self, pair: OpenPair | None) -> Any:
        """Return the labels of a pair after checking that they lie on its grid; the follow-up may be gone."""
        pair = self._current(pair)
        pair.segmentation  # noqa: B018  # raises when the user removed it
        pair.labels.check(pair.followup if pair.has("followup") else None)
        return pair.labels

    def _enter(self, pair: OpenPair) -> None:
        """Bring a pair into the views that another one, or none, was in."""
        self._leaveShown()
        self.setLayout()
        self.views.showVolumes(pair.volumes())
        self.views.turn(pair.grid, pair.followup)
        self._setVisible(pair, True)
        self._shown = pair
        for role in ("baseline", "followup"):
            display = pair.node(role).GetDisplayNode()
            self._displayObservations.add(display, vtk.vtkCommand.ModifiedEvent, self._onWindowLevel)

    def _leaveShown(self) -> None:
        """Take the pair shown out of the views, with all that belongs to its slice."""
        self._displayObservations.release()
        self._overlays.clear()
        self._check.clear()
        self._results.clear()
        if self._shown is not None:
            self._setVisible(self._shown, False)
        self._shown = None

    def _setVisible(self, pair: OpenPair, visible: bool) -> None:
        if pair.has("labels"):
            pair.segmentation.GetDisplayNode().SetVisibility(visible)

    def _isOurs(self, id_: str) -> bool:
        owned = [node for pair in self.pairs for node in pair.nodes()]
        owned += [*self._overlays.nodes(), *self._check.nodes(), *self._results.nodes()]
        return any(node.GetID() == id_ for node in owned)

    def _onWindowLevel(self, caller: Any, _event: str) -> None:
        """Give baseline and follow-up the same window and level, whichever was changed."""
        pair = self._shown
        if pair is None:
            return
        for role in ("baseline", "followup"):
            display = pair.node(role).GetDisplayNode() if pair.has(role) else None
            wanted = (caller.GetWindow(), caller.GetLevel())
            if display is not None and (display.GetWindow(), display.GetLevel()) != wanted:
                display.SetAutoWindowLevel(False)
                display.SetWindowLevel(*wanted)

    def _onSliceMoved(self, caller: Any, _event: str) -> None:
        """Note which slices were in view."""
        pair = self._shown
        if pair is None or not pair.has("followup"):
            return
        role = next((each for each in ROLES if TAGS[each] == caller.GetLayoutName()), "followup")
        k = self.views.sliceShown(pair.grid, pair.followup, role)
        if k is not None:
            pair.shownSlices.add(k)

    def _onStartClose(self, _caller: Any, _event: str) -> None:
        for callback in list(self.beforeClose):
            callback()

    def _onEndClose(self, _caller: Any, _event: str) -> None:
        """Forget the pairs: their nodes are gone. The layout is the user's until `close`."""
        self._displayObservations.release()
        self._shown = None
        self._pairs.clear()
        self._overlays.clear()
        self._check.clear()
        self._results.clear()
        for callback in list(self.afterClose):
            callback()


def _holdsStrokes(pair: OpenPair) -> bool:
    """Tell whether strokes would be lost with a pair; what cannot be read counts as strokes."""
    if not pair.has("labels"):
        return False
    try:
        return bool(pair.labels.painted())
    except LongitudinalALError:
        return True


def _gridOf(prepared: PreparedPair, axis: int) -> Grid:
    """Return the grid of a pair; all of its volumes must lie on it."""
    followup = prepared.volumes["followup"]
    grid = Grid(followup.voxels.shape, followup.ijkToRas, axis)
    for role in ROLES:
        volume = prepared.volumes[role]
        grid.checkSame(volume.voxels.shape, volume.ijkToRas, f"the prepared {role}")
    return grid
