"""The pairs that are open: opened, read ahead, kept while they hold strokes, closed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from longitudinal_al.errors import GeometryMismatch, NotReady
from LongitudinalALLib.SceneGrid import Grid
from LongitudinalALLib.SceneNodes import PAIR, pairNodes, removeNode
from LongitudinalALLib.SceneOpenPair import OpenPair
from LongitudinalALLib.SceneVolumes import ROLES, PairReader, PreparedPair

MOST_OPEN = 4
"""So many pairs stay open, besides those with strokes that are not saved: each takes three volumes."""


class OpenPairs:
    """Pairs by the folder of their prepared volumes.

    A pair whose nodes went with a closed scene is *kept* as long as it holds strokes that are not saved:
    opened again, it has them.
    """

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        self._reader = PairReader()
        self._open: dict[Path, OpenPair] = {}
        self._kept: dict[Path, OpenPair] = {}

    @property
    def all(self) -> list[OpenPair]:
        """The pairs that are open, in the order in which they were opened."""
        return list(self._open.values())

    @property
    def kept(self) -> list[OpenPair]:
        """The pairs that are not in the scene any more, but hold strokes that are not saved."""
        return list(self._kept.values())

    def at(self, folder: Path) -> OpenPair | None:
        """Return the pair of a folder, if it is open."""
        return self._open.get(folder)

    def readAhead(self, folder: Path) -> None:
        """Begin to read a pair on a thread, unless it is open."""
        if folder not in self._open:
            self._reader.readAhead(folder)

    def waitForReader(self) -> None:
        """Wait until all that was asked for ahead is read."""
        self._reader.wait()

    def open(self, folder: Path, thicknessAxis: int, classes: Sequence[str]) -> OpenPair:
        """Return a pair with all of its nodes in the scene, as it is prepared now; see `Scene.openPair`."""
        pair = self._open.get(folder)
        if pair is not None and pair.isComplete() and pair.isCurrent():
            pair.labels.lock(pair.followup)
            return pair
        prepared = self._reader.take(folder)
        grid = _gridOf(prepared, thicknessAxis)
        pair = self._fitting(pair or self._kept.get(folder), grid) or OpenPair(
            self._scene, folder, grid, classes
        )
        pair.fill(prepared)
        self._kept.pop(folder, None)
        self._open[folder] = pair
        return pair

    def _fitting(self, pair: OpenPair | None, grid: Grid) -> OpenPair | None:
        """Return a pair that lies on a grid; another one is closed, or refused while it holds strokes."""
        if pair is None:
            return None
        try:
            pair.grid.checkSame(grid.shape, grid.ijkToRas, "what was prepared anew")
        except GeometryMismatch:
            if pair.strokes():
                raise
            self.close(pair)
            return None
        return pair

    def require(self, pair: OpenPair) -> None:
        """Raise `NotReady` unless a pair is open."""
        if self._open.get(pair.folder) is not pair:
            raise NotReady(f"pair {pair.name!r} was closed, or the scene was: open the pair again")

    def tooMany(self, needed: Sequence[OpenPair]) -> list[OpenPair]:
        """Return those to close, the oldest first: none that is needed, and none with strokes."""
        spare = len(self._open) - MOST_OPEN
        free = (pair for pair in self.all if pair not in needed and not pair.strokes())
        return [pair for pair, _ in zip(free, range(spare), strict=False)]

    def close(self, pair: OpenPair) -> None:
        """Take a pair's nodes out of the scene, and forget its strokes."""
        for node in pair.nodes():
            removeNode(self._scene, node)
        self._open.pop(pair.folder, None)

    def forget(self) -> None:
        """Close all, and drop what was kept or read ahead."""
        for pair in self.all:
            self.close(pair)
        self._kept.clear()
        self._reader.forget()

    def keepStrokes(self) -> None:
        """The scene is about to lose all nodes: remember the pairs that hold strokes."""
        self._kept.update({pair.folder: pair for pair in self.all if pair.strokes()})

    def nodesAreGone(self) -> None:
        """The scene has lost all nodes: ids are given anew, to others, and lead to none of these any more."""
        for pair in [*self.all, *self.kept]:
            pair.nodesAreGone()
        self._open.clear()

    def projectFolders(self) -> list[Path]:
        """Return the projects whose pairs are in the scene, also from a scene that was saved and loaded."""
        return sorted({Path(node.GetAttribute(PAIR)).parent.parent for node in pairNodes(self._scene)})


def _gridOf(prepared: PreparedPair, axis: int) -> Grid:
    """Return the grid of a pair; all of its volumes must lie on it."""
    followup = prepared.volumes["followup"]
    grid = Grid(followup.voxels.shape, followup.ijkToRas, axis)
    for role in ROLES:
        volume = prepared.volumes[role]
        grid.checkSame(volume.voxels.shape, volume.ijkToRas, f"the prepared {role}")
    return grid
