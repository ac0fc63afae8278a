"""The only place where data pass between MRML nodes and the project: pairs, labels, views, overlays, results.

MRML only, no Qt; it adds nodes, changes no others, and takes away exactly what it added. This file is what
all others call; what is behind each of its parts is in the `Scene*` file of that name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from LongitudinalALLib.SceneCheck import CHECK_MODES, CheckView
from LongitudinalALLib.SceneLabels import SliceLabels
from LongitudinalALLib.SceneOfPairs import SceneOfPairs
from LongitudinalALLib.SceneOpenPair import OpenPair
from LongitudinalALLib.SceneOverlays import OVERLAYS, Overlays
from LongitudinalALLib.SceneResults import DECISIONS, Results

__all__ = ["CHECK_MODES", "DECISIONS", "OVERLAYS", "OpenPair", "Scene"]


class Scene(SceneOfPairs):
    """The pairs of a project in an MRML scene, their labels, and what is laid over them.

    Pairs are opened, shown and closed by the methods of `SceneOfPairs`. Where a method takes a pair, it is
    the shown one if none is given.

    Parameters
    ----------
    mrmlScene : vtkMRMLScene, optional
        The application's own if not given.
    applicationLogic : vtkMRMLApplicationLogic, optional
        The application's own if not given.

    Attributes
    ----------
    afterOpen : list of callable
        Called with each pair that is opened, or opened again.
    afterClose : list of callable
        Called without arguments once the scene was closed by the user, and every pair with it. Strokes that
        were not saved are kept: they are there again when their pair is opened.
    """

    def __init__(self, mrmlScene: Any = None, applicationLogic: Any = None) -> None:
        super().__init__(mrmlScene, applicationLogic)
        self._overlays = Overlays(self.mrmlScene, self.views)
        self._check = CheckView(self.mrmlScene, self.views)
        self._results = Results(self.mrmlScene)

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
        self.writeSliceLabels({k: label}, pair)

    def writeSliceLabels(self, labels: Mapping[int, np.ndarray], pair: OpenPair | None = None) -> None:
        """Replace what is painted on several slices (slice -> label); raises as `readSliceLabel`."""
        checked = self._checkedLabels(pair)
        for k, label in labels.items():
            checked.write(k, label)
        self._current(pair).noteSaved(*labels)

    def sliceLabelsPainted(self, pair: OpenPair | None = None) -> list[int]:
        """Return the slices painted on since they were written or marked as saved, and seen by the annotator.

        What "Fill between slices" filled on slices that were never in view is no label of a human: left out.
        """
        pair = self._current(pair)
        return [k for k in self._checkedLabels(pair).painted() if k in pair.shownSlices]

    def unsavedStrokes(self) -> list[OpenPair]:
        """Return the pairs with strokes that are not saved, those too that went with a closed scene."""
        return [*(pair for pair in self.pairs if pair.strokes()), *self._pairs.kept]

    def markSaved(self, k: int, pair: OpenPair | None = None) -> None:
        """Note that slice `k` is saved as it is painted now."""
        self._checkedLabels(pair)
        self._current(pair).noteSaved(k)

    def segmentId(self, number: int = 1) -> str:
        """Return the id of the segment of class `number`, for the Segment Editor."""
        return self._current(None).labels.segmentId(number)

    def cursor(self) -> tuple[float, ...] | None:
        """Return where the mouse points in the slice views (RAS, mm), None outside of them.

        Contract: Slicer `Libs/MRML/Core/vtkMRMLCrosshairNode.h` (GetCursorPositionRAS).
        """
        crosshair, place = self.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode"), [0.0, 0.0, 0.0]
        return tuple(place) if crosshair is not None and crosshair.GetCursorPositionRAS(place) else None

    # Overlays

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

    # Results and the check of a registration

    def showResults(self, changes: Sequence[Mapping[str, Any]], mask: np.ndarray | None = None) -> Any:
        """Show predicted changes as a table, which is returned, and a segmentation; see `Results.show`."""
        self._results.show(self._current(None), changes, mask)
        return self._results.table

    def decideResult(self, row: int, decision: str) -> None:
        """Note what was decided on a predicted change, one of `DECISIONS`."""
        self._results.decide(row, decision)

    def predictedSlice(self, k: int) -> np.ndarray | None:
        """Return the prediction of slice `k` of the pair shown, uint8 (rows, columns); `None` without one."""
        return self._results.predictedSlice(self._current(None), k)

    def checkView(self, mode: str) -> None:
        """Lay the baseline over the follow-up to check the registration: one of `CHECK_MODES`."""
        self._overlays.clear()
        self._check.show(self._current(None), mode)

    def flick(self) -> None:
        """Show the other of the two scans in the check view "flicker"; for a timer."""
        self._check.flick()

    # What is behind it

    def _checkedLabels(self, pair: OpenPair | None) -> SliceLabels:
        """Return the labels of a pair after checking that they lie on its grid; the follow-up may be gone."""
        pair = self._current(pair)
        pair.segmentation  # noqa: B018  # raises when the user removed it
        pair.labels.check(pair.followup if pair.has("followup") else None)
        return pair.labels

    def _clearSlice(self) -> None:
        self._overlays.clear()

    def _clearPair(self) -> None:
        self._overlays.clear()
        self._check.clear()
        self._results.clear()

    def _addedNodes(self) -> list[Any]:
        return [*self._overlays.nodes(), *self._check.nodes(), *self._results.nodes()]
