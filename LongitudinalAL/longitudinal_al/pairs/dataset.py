"""Labelled slice pairs as training examples: patches, half of them with change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import torch
from scipy.ndimage import label, mean

from longitudinal_al.errors import NotReady
from longitudinal_al.interruption import Interrupt, never
from longitudinal_al.pairs.patches import window_around
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.pairs.stack import CHANNELS

DIFFERENCE = CHANNELS.index("difference")
LARGE_DIFFERENCE = 8.0
"""In robust z."""
CENTRES = 256
"""Places that are remembered of a slice pair, spread evenly, to centre patches on."""
BOTH_WAYS = 0.1
"""Labels count as marking both directions of change when this share of their pieces goes the rarer way."""


class LabelledSlicePairs:
    """The labelled slice pairs of a pool, drawn from as batches of patches.

    Parameters
    ----------
    pool : Pool
        Where the images come from.
    masks : mapping of int to numpy.ndarray
        For each labelled row of the pool, its mask on the pair's grid (rows, columns); 0 = no change.
    neighbours : int
        How many slices on either side belong to an example.
    interrupt : callable
        Called at every mask.

    Raises
    ------
    NotReady
        When nothing is labelled.
    """

    def __init__(
        self,
        pool: Pool,
        masks: Mapping[int, np.ndarray],
        neighbours: int = 1,
        interrupt: Interrupt = never,
    ) -> None:
        if not masks:
            raise NotReady("nothing is labelled yet: label at least one slice pair first")
        self.pool = pool
        self.neighbours = neighbours
        self.rows = sorted(masks)
        self.masks = {}
        for row in self.rows:
            interrupt()
            self.masks[row] = pool.mask_to_network(row, masks[row])
        self.with_change = [row for row in self.rows if self.masks[row].any()]
        self._patches = pool.patch_reader(neighbours)
        self._change_at: dict[int, np.ndarray] = {}
        self._no_change_at: dict[int, np.ndarray] = {}
        self.difficulty = _difficulty([pool.entries[row].difference_score for row in self.rows])

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def exchangeable(self) -> bool:
        """Whether labels would be the same with the two times exchanged.

        They are where both lesions that appear and lesions that vanish are marked; where new lesions alone
        count, as in MSSEG-2, all pieces differ in one direction.
        """
        return self.pieces > 0 and BOTH_WAYS <= self._directions.mean() <= 1 - BOTH_WAYS

    @property
    def patients(self) -> int:
        """Of how many patients anything is labelled."""
        return len({self.pool.entries[row].patient for row in self.rows})

    @property
    def pieces(self) -> int:
        """How many connected pieces of change are labelled, slice by slice."""
        return len(self._directions)

    @cached_property
    def _directions(self) -> np.ndarray:
        """Whether each piece of change is brighter in the follow-up; boolean, (pieces,)."""
        return np.concatenate([self._rising(row) for row in self.with_change] or [np.zeros(0, bool)])

    def _rising(self, row: int) -> np.ndarray:
        """Tell for each piece of change in a slice pair whether it is brighter in the follow-up."""
        pieces, count = label(self.masks[row])
        difference = self.pool.stacks([row])[0, 0, DIFFERENCE].astype(np.float32)
        return np.asarray(mean(difference, pieces, range(1, count + 1))) > 0

    def draw(
        self, batch: int, patch: int, change_share: float, generator: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw a batch of patches.

        Parameters
        ----------
        batch, patch : int
            How many, and their side in pixels.
        change_share : float
            Share of the batch that is centred on change, as long as any slice pair has some; the rest is
            centred where the scans differ without change.
        generator : numpy.random.Generator
            Where chance comes from.

        Returns
        -------
        stacks : torch.Tensor
            float32, (batch, slices, channels, patch, patch).
        masks : torch.Tensor
            float32, (batch, patch, patch).
        """
        centred = round(batch * change_share) if self.with_change else 0
        rows = [int(row) for row in generator.choice(self.with_change, centred)] if centred else []
        rows += [int(row) for row in generator.choice(self.rows, batch - centred, p=self.difficulty)]
        windows = []
        for place, row in enumerate(rows):
            centres = self._change(row) if place < centred else self._no_change(row)
            windows.append(window_around(_pick(centres, generator), self.pool.size, patch, generator))
        masks = [self.masks[row][window] for row, window in zip(rows, windows, strict=True)]
        stacks = self._patches.read(rows, windows)
        return torch.from_numpy(stacks), torch.from_numpy(np.stack(masks).astype(np.float32))

    def _change(self, row: int) -> np.ndarray:
        """Return where the change of a slice pair is; (n, 2) rows and columns."""
        if row not in self._change_at:
            self._change_at[row] = np.argwhere(self.masks[row])
        return self._change_at[row]

    def _no_change(self, row: int) -> np.ndarray:
        """Return where a patch that is not centred on change may be: where the scans differ all the same.

        What differs and is no change (artefacts, edges) is what has to be learned; plain tissue comes along.
        """
        if row not in self._no_change_at:
            slice_itself = self.pool.stacks([row])[0, 0]
            differs = (np.abs(slice_itself[DIFFERENCE]) > LARGE_DIFFERENCE) & ~self.masks[row]
            places = np.argwhere(differs if differs.any() else (slice_itself != 0).any(axis=0))
            self._no_change_at[row] = places[:: 1 + len(places) // CENTRES]
        return self._no_change_at[row]


def _difficulty(difference_scores: Sequence[float]) -> np.ndarray:
    """Return how often slice pairs without regard to change are drawn: more often where more differs."""
    weights = np.sqrt(np.asarray(difference_scores) + 1.0)
    return weights / weights.sum()


def _pick(places: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draw one of the places, (n, 2)."""
    return places[generator.integers(len(places))]
