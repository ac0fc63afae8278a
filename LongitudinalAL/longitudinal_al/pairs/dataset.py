"""Labelled slice pairs as training examples: patches, half of them with change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from longitudinal_al.errors import NotReady
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.pairs.stack import CHANNELS

DIFFERENCE = CHANNELS.index("difference")
LARGE_DIFFERENCE = 8.0
"""In robust z."""


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

    Raises
    ------
    NotReady
        When nothing is labelled.
    """

    def __init__(self, pool: Pool, masks: Mapping[int, np.ndarray], neighbours: int = 1) -> None:
        if not masks:
            raise NotReady("nothing is labelled yet: label at least one slice pair first")
        self.pool = pool
        self.neighbours = neighbours
        self.rows = sorted(masks)
        self.masks = {row: pool.mask_to_network(row, masks[row]) for row in self.rows}
        self.with_change = [row for row in self.rows if self.masks[row].any()]
        self.difficulty = _difficulty([pool.entries[row].difference_score for row in self.rows])

    def __len__(self) -> int:
        return len(self.rows)

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
        stacks = self.pool.stacks(rows, self.neighbours)
        images, masks = [], []
        for place, row in enumerate(rows):
            centres = self.masks[row] if place < centred else self._unchanged(row, stacks[place])
            window = _window_around(_pick(centres, generator), centres.shape, patch, generator)
            images.append(stacks[place][(..., *window)])
            masks.append(self.masks[row][window])
        return torch.from_numpy(np.stack(images)).float(), torch.from_numpy(np.stack(masks)).float()

    def _unchanged(self, row: int, stack: np.ndarray) -> np.ndarray:
        """Return where a patch that is not centred on change may be: where the scans differ all the same.

        What differs and is no change (artefacts, edges) is what has to be learned; plain tissue comes along.
        """
        slice_itself = stack[self.neighbours]
        differs = (np.abs(slice_itself[DIFFERENCE]) > LARGE_DIFFERENCE) & ~self.masks[row]
        return differs if differs.any() else (slice_itself != 0).any(axis=0)


def _difficulty(difference_scores: Sequence[float]) -> np.ndarray:
    """Return how often slice pairs without regard to change are drawn: more often where more differs."""
    weights = np.sqrt(np.asarray(difference_scores) + 1.0)
    return weights / weights.sum()


def _pick(inside: np.ndarray, generator: np.random.Generator) -> tuple[int, int]:
    """Draw one of the true pixels; the centre where there is none."""
    hits = np.flatnonzero(inside)
    if not hits.size:
        return inside.shape[0] // 2, inside.shape[1] // 2
    row, column = divmod(int(hits[generator.integers(hits.size)]), inside.shape[1])
    return row, column


def _window_around(
    centre: tuple[int, int], shape: tuple[int, ...], patch: int, generator: np.random.Generator
) -> tuple[slice, slice]:
    """Return a window of the patch's size that holds the centre somewhere, and stays inside the image."""
    window = []
    for place, length in zip(centre, shape, strict=True):
        side = min(patch, length)
        start = place - side // 2 + int(generator.integers(-side // 3, side // 3 + 1))
        start = min(max(start, 0), length - side)
        window.append(slice(start, start + side))
    return window[0], window[1]
