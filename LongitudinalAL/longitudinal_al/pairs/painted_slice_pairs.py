"""Slice pairs that nobody has labelled, with synthetic changes painted into them: examples to pretrain on.

New, growing, shrinking and vanished lesions are painted into real slices, half of which have their times
swapped first. What differs strongly without being painted may be a real change or an artefact: nothing is
learned there (NaN in the mask), so that the network neither unlearns changes nor believes artefacts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import binary_dilation, binary_erosion, binary_opening

from longitudinal_al.pairs.painted_changes import paint, times_swapped
from longitudinal_al.pairs.painted_difference import (
    DIFFERENCE,
    bright_tissue,
    difference_gain,
    ordinary_tissue,
)
from longitudinal_al.pairs.painted_lesions import INCREASING, Fate, PaintedLesion, Painting, draw_lesion
from longitudinal_al.pairs.patches import window_around
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.pairs.unlabelled import UnlabelledSlicePairs

PLACES = 128
"""So many places are remembered of a slice pair, spread evenly, to paint on."""
LEAST_TISSUE, TRIES = 50, 100
"""In pixels: slice pairs with less ordinary tissue are not painted on, another one is looked for."""
DOUBTFUL = 6.0
"""In robust z: a larger difference that was not painted may be a change."""
SECOND, STABLE = 0.3, 0.3
"""Shares of the examples with a second change, and with a lesion that does not change."""
GAIN_SPREAD = 0.35
"""Standard deviation of the logarithm of what the difference's answer is multiplied by."""


@dataclass(frozen=True)
class _Canvas:
    """What is known of a slice pair: places (n, 2) to paint on, and how its difference answers.

    `bright` are places (n, 2) on lesions, beside ventricles and the like.
    """

    places: np.ndarray
    bright: np.ndarray
    gain: float


class PaintedSlicePairs:
    """Slice pairs of a pool with painted changes, drawn from as batches of patches; no label is needed.

    Parameters
    ----------
    pool : Pool
        Where the images come from.
    neighbours : int
        How many slices on either side belong to an example.
    painting : Painting, optional
        What is painted; `pairs.variety` tells what a pool of few patients needs.

    Raises
    ------
    NotReady
        When the pool is empty.
    """

    def __init__(self, pool: Pool, neighbours: int = 1, painting: Painting | None = None) -> None:
        self.pool = pool
        self.rows: Sequence[int] = range(len(pool))
        self.painting = painting or Painting()
        self._middle = neighbours
        self._plain = UnlabelledSlicePairs(pool, self.rows, neighbours)
        self._canvases: dict[int, _Canvas] = {}

    exchangeable = False
    """Half of the examples have their times exchanged as they are painted; that is not done again."""

    def draw(
        self, batch: int, patch: int, change_share: float, generator: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw a batch of patches.

        Parameters
        ----------
        batch, patch : int
            How many, and their side in pixels.
        change_share : float
            Share of the batch that is painted with change.
        generator : numpy.random.Generator
            Where chance comes from.

        Returns
        -------
        stacks : torch.Tensor
            float32, (batch, slices, channels, patch, patch).
        masks : torch.Tensor
            float32, (batch, patch, patch): 1 = painted change, NaN = not known.
        """
        examples = []
        for number in range(batch):
            row = int(generator.integers(len(self.pool)))
            changes = 0
            if number < round(batch * change_share):
                row = self._with_tissue(row, generator)
                changes = 1 + int(generator.random() < SECOND)
            examples.append(self._example(row, patch, changes, generator))
        stacks, masks = zip(*examples, strict=True)
        return torch.from_numpy(np.stack(stacks)), torch.from_numpy(np.stack(masks))

    def _example(
        self, row: int, patch: int, changes: int, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Cut a patch and paint it; returns its stack and mask."""
        places = self._places(row, generator) if changes else ()
        if len(places):
            centre = places[generator.integers(len(places))].astype(int)
            window = window_around(centre, self.pool.size, patch, generator)
        else:
            window = self._plain.window(row, patch, generator, differing=bool(generator.random() < 0.5))
            centre = None
        stack = self._plain.read([row], [window])[0]
        if generator.random() < 0.5:
            stack = times_swapped(stack)
        lesions = [draw_lesion(self.painting, generator) for _ in range(changes)]
        if generator.random() < STABLE:
            lesions.append(draw_lesion(self.painting, generator, stable=True))
        first = None if centre is None else centre - [side.start for side in window]
        return self._painted(row, stack, lesions, first, generator)

    def _painted(
        self,
        row: int,
        stack: np.ndarray,
        lesions: Sequence[PaintedLesion],
        first: np.ndarray | None,
        generator: np.random.Generator,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Paint lesions into a patch, the first one where it is asked for, the others in ordinary tissue."""
        spacing = self.pool.voxel_mm(row)
        gain = self._canvas(row).gain * float(np.exp(GAIN_SPREAD * generator.standard_normal()))
        doubtful = binary_dilation(np.abs(stack[self._middle, DIFFERENCE]) > DOUBTFUL)
        mask = np.where(doubtful, np.nan, 0.0).astype(np.float32)
        for lesion in lesions:
            centre = _ordinary_place(stack[self._middle], generator) if first is None else first
            first = None
            if centre is None:
                continue
            stack, changed = paint(stack, lesion, centre, spacing, gain, generator.uniform(-0.6, 0.6))
            counts = lesion.fate in INCREASING or not self.painting.only_increasing
            if counts and lesion.fate is not Fate.STABLE:
                mask[changed[self._middle]] = 1.0
        return stack, mask

    def _places(self, row: int, generator: np.random.Generator) -> np.ndarray:
        """Return where the first change may be painted, (n, 2)."""
        canvas, share = self._canvas(row), self.painting.on_bright
        on_bright = share > 0 and generator.random() < share
        return canvas.bright if on_bright and len(canvas.bright) else canvas.places

    def _with_tissue(self, row: int, generator: np.random.Generator) -> int:
        """Return the row, or another one that has tissue to paint on, if one is found."""
        for _ in range(TRIES):
            if len(self._canvas(row).places):
                break
            row = int(generator.integers(len(self.pool)))
        return row

    def _canvas(self, row: int) -> _Canvas:
        if row not in self._canvases:
            channels = self.pool.stacks([row])[0, 0].astype(np.float32)
            quiet, inside = np.abs(channels[DIFFERENCE]) < DOUBTFUL, self.pool.foreground([row])[0]
            places = np.argwhere(binary_erosion(quiet & ordinary_tissue(channels)) & inside)
            places = places if len(places) >= LEAST_TISSUE else places[:0]
            bright = places[:0]
            if self.painting.on_bright > 0:
                candidates = quiet & bright_tissue(channels) & inside
                bright = np.argwhere(binary_opening(candidates, np.ones((2, 2))))
            gain = difference_gain(channels, self.pool.voxel_mm(row)[1:])
            self._canvases[row] = _Canvas(_some(places), _some(bright), gain)
        return self._canvases[row]


def _some(places: np.ndarray) -> np.ndarray:
    """Return places that are spread evenly over the given ones, (n, 2)."""
    return places[:: 1 + len(places) // PLACES].astype(np.int16)


def _ordinary_place(channels: np.ndarray, generator: np.random.Generator) -> np.ndarray | None:
    """Draw a place in ordinary tissue of a slice (channels, rows, columns), if there is any."""
    places = np.argwhere(ordinary_tissue(channels))
    return places[generator.integers(len(places))] if len(places) else None
