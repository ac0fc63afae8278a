"""Slice pairs as they are, without labels: patches where the scans differ, and patches anywhere in tissue."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from longitudinal_al.errors import NotReady
from longitudinal_al.pairs.patches import Window, window_around
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.pairs.stack import CHANNELS

DIFFERENCE = CHANNELS.index("difference")
LARGE_DIFFERENCE = 8.0
"""In robust z."""
PLACES = 64
"""So many places of each kind are remembered of a slice pair, spread evenly, to centre patches on."""
DIFFERING_SHARE = 0.5


class UnlabelledSlicePairs:
    """Slice pairs of a pool, drawn from as batches of patches.

    Parameters
    ----------
    pool : Pool
        Where the images come from.
    rows : sequence of int
        Which of its slice pairs.
    neighbours : int
        How many slices on either side belong to an example.

    Raises
    ------
    NotReady
        When there is no slice pair.
    """

    def __init__(self, pool: Pool, rows: Sequence[int], neighbours: int = 1) -> None:
        if not rows:
            raise NotReady("there is no slice pair to learn from: prepare at least one pair first")
        self.pool = pool
        self.rows = list(rows)
        self._patches = pool.patch_reader(neighbours)
        self._places: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def draw(self, batch: int, patch: int, generator: np.random.Generator) -> torch.Tensor:
        """Draw patches: half where the scans differ, as far as they do, half anywhere.

        Parameters
        ----------
        batch, patch : int
            How many, and their side in pixels.
        generator : numpy.random.Generator
            Where chance comes from.

        Returns
        -------
        torch.Tensor
            float32, (batch, slices, channels, patch, patch).
        """
        rows = [int(row) for row in generator.choice(self.rows, batch)]
        windows = [
            self.window(row, patch, generator, differing=place < round(batch * DIFFERING_SHARE))
            for place, row in enumerate(rows)
        ]
        return torch.from_numpy(self.read(rows, windows))

    def window(self, row: int, patch: int, generator: np.random.Generator, *, differing: bool) -> Window:
        """Draw a window of a slice pair, around a place where the scans differ or around any."""
        anywhere, where_differing = self._places_of(row)
        places = where_differing if differing and len(where_differing) else anywhere
        return window_around(places[generator.integers(len(places))], self.pool.size, patch, generator)

    def read(self, rows: Sequence[int], windows: Sequence[Window]) -> np.ndarray:
        """Read windows; see `PatchReader.read`."""
        return self._patches.read(rows, windows)

    def _places_of(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Return places (n, 2) in the foreground (the centre, without any), and where the scans differ."""
        if row not in self._places:
            tissue = np.argwhere(self.pool.foreground([row])[0])
            differing = np.argwhere(np.abs(self.pool.stacks([row])[0, 0, DIFFERENCE]) > LARGE_DIFFERENCE)
            centre = np.array([self.pool.size]) // 2
            self._places[row] = (_spread(tissue) if len(tissue) else centre, _spread(differing))
        return self._places[row]


def _spread(places: np.ndarray) -> np.ndarray:
    """Return some of the places, spread evenly; int16, as there are thousands of slice pairs."""
    return places[:: 1 + len(places) // PLACES].astype(np.int16)
