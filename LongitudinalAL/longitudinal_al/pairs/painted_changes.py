"""Synthetic changes painted into slice pairs that nobody has labelled: examples to pretrain on.

New, growing, shrinking and vanished lesions (`painted_lesions`) are painted into real slices, into the
baseline, the follow-up or both, and the difference answers as it would (`painted_difference`). Half of the
pairs have their times swapped first. What differs strongly without being painted may be a real change or an
artefact: nothing is learned there (NaN in the mask), so that the network neither unlearns changes nor
believes artefacts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import binary_dilation, binary_erosion

from longitudinal_al.errors import NotReady
from longitudinal_al.pairs.painted_difference import (
    BASELINE,
    DIFFERENCE,
    FOLLOWUP,
    ORDINARY_Z,
    difference_gain,
    ordinary_tissue,
    painted_difference,
)
from longitudinal_al.pairs.painted_lesions import (
    INCREASING,
    Fate,
    PaintedLesion,
    Painting,
    draw_lesion,
    shares,
)
from longitudinal_al.pairs.patches import window_around
from longitudinal_al.pairs.pool import Pool

PLACES = 128
"""So many places are remembered of a slice pair, spread evenly, to paint on."""
DOUBTFUL = 6.0
"""In robust z: a larger difference that was not painted may be a change."""
SECOND, STABLE = 0.3, 0.3
"""Shares of the examples with a second change, and with a lesion that does not change."""
GAIN_SPREAD = 0.35
"""Standard deviation of the logarithm of what the difference's answer is multiplied by."""
SUBSLICES = np.array([-1 / 3, 0.0, 1 / 3])
"""Where a slice's thickness is sampled."""


@dataclass(frozen=True)
class _Canvas:
    """What is known of a slice pair: places (n, 2) to paint on, and how its difference answers."""

    places: np.ndarray
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
        What is painted.

    Raises
    ------
    NotReady
        When the pool is empty.
    """

    def __init__(self, pool: Pool, neighbours: int = 1, painting: Painting | None = None) -> None:
        if not len(pool):
            raise NotReady("there is no slice pair to paint on: prepare at least one pair first")
        self.pool = pool
        self.rows: Sequence[int] = range(len(pool))
        self.painting = painting or Painting()
        self._middle = neighbours
        self._patches = pool.patch_reader(neighbours)
        self._canvases: dict[int, _Canvas] = {}

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
        rows = [int(row) for row in generator.choice(len(self.pool), batch)]
        centres = [self._centre(row, generator) for row in rows]
        windows = [window_around(centre, self.pool.size, patch, generator) for centre in centres]
        stacks = self._patches.read(rows, windows)
        masks = np.zeros((batch, *stacks.shape[-2:]), np.float32)
        for number, (row, centre, window) in enumerate(zip(rows, centres, windows, strict=True)):
            changes = 0
            if number < round(batch * change_share):
                changes = 1 + int(generator.random() < SECOND)
            inner = centre - [side.start for side in window]
            stacks[number], masks[number] = self._example(row, stacks[number], inner, changes, generator)
        return torch.from_numpy(stacks), torch.from_numpy(masks)

    def _example(
        self, row: int, stack: np.ndarray, centre: np.ndarray, changes: int, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Paint one patch; returns its stack and mask."""
        if generator.random() < 0.5:
            stack = times_swapped(stack)
        spacing = self.pool.voxel_mm(row)
        gain = self._canvas(row).gain * float(np.exp(GAIN_SPREAD * generator.standard_normal()))
        doubtful = binary_dilation(np.abs(stack[self._middle, DIFFERENCE]) > DOUBTFUL)
        mask = np.where(doubtful, np.nan, 0.0).astype(np.float32)
        lesions = [draw_lesion(self.painting, generator) for _ in range(changes)]
        if generator.random() < STABLE:
            lesions.append(draw_lesion(self.painting, generator, stable=True))
        for number, lesion in enumerate(lesions):
            here = centre if number == 0 else _other_place(stack[self._middle], centre, generator)
            stack, changed = paint(stack, lesion, here, spacing, gain, generator.uniform(-0.6, 0.6))
            counts = lesion.fate in INCREASING or not self.painting.only_increasing
            if counts and lesion.fate is not Fate.STABLE:
                mask[changed[self._middle]] = 1.0
        return stack, mask

    def _centre(self, row: int, generator: np.random.Generator) -> np.ndarray:
        """Draw a place to paint on; row and column."""
        places = self._canvas(row).places
        return places[generator.integers(len(places))].astype(int)

    def _canvas(self, row: int) -> _Canvas:
        if row not in self._canvases:
            channels = self.pool.stacks([row])[0, 0].astype(np.float32)
            quiet = ordinary_tissue(channels) & (np.abs(channels[DIFFERENCE]) < DOUBTFUL)
            places = np.argwhere(binary_erosion(quiet) & self.pool.foreground([row])[0])
            if not len(places):
                places = np.array([self.pool.size]) // 2
            gain = difference_gain(channels, self.pool.voxel_mm(row)[1:])
            self._canvases[row] = _Canvas(places[:: 1 + len(places) // PLACES].astype(np.int16), gain)
        return self._canvases[row]


def times_swapped(stack: np.ndarray) -> np.ndarray:
    """Return slices (slices, channels, rows, columns) with baseline and follow-up exchanged."""
    swapped = stack[:, [FOLLOWUP, BASELINE, DIFFERENCE]]
    swapped[:, DIFFERENCE] *= -1
    return swapped


def paint(
    stack: np.ndarray,
    lesion: PaintedLesion,
    centre: np.ndarray,
    spacing_mm: tuple[float, float, float],
    gain: float,
    height: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Paint a lesion into slices.

    Parameters
    ----------
    stack : numpy.ndarray
        float32, (slices, channels, rows, columns), robust z; not changed.
    lesion : PaintedLesion
        What to paint.
    centre : numpy.ndarray
        Row and column of its centre, in pixels of the stack.
    spacing_mm : tuple of float
        Size of a voxel: across the slices, along rows and columns.
    gain : float
        How the difference answers, see `difference_gain`.
    height : float
        Of the lesion's centre over the middle slice, in its radii.

    Returns
    -------
    stack : numpy.ndarray
        The painted slices.
    changed : numpy.ndarray
        bool, (slices, rows, columns): where more than half of a voxel is lesion at one time only.
    """
    rows, columns = (
        _reached(float(place), (lesion.reach_mm + 3) / size, length)
        for place, size, length in zip(centre, spacing_mm[1:], stack.shape[-2:], strict=True)
    )
    box = stack[:, :, rows, columns]
    places = _places_mm(len(stack), (rows, columns), centre, spacing_mm, height * lesion.radius_mm)
    before, after = (share.mean(axis=0) for share in shares(lesion, places))
    added, level = _added(box, lesion, (before, after))
    painted, changed = stack.copy(), np.zeros((len(stack), *stack.shape[-2:]), bool)
    painted[:, :DIFFERENCE, rows, columns] += added
    painted[:, DIFFERENCE, rows, columns] = painted_difference(box, added, level, gain, spacing_mm[1:])
    changed[:, rows, columns] = np.abs(after - before) > 0.5
    return painted, changed


def _reached(place: float, reach: float, length: int) -> slice:
    """Return the pixels that lie so near."""
    return slice(max(0, int(place - reach)), min(length, int(place + reach) + 2))


def _places_mm(
    slices: int,
    near: tuple[slice, slice],
    centre: np.ndarray,
    spacing_mm: tuple[float, ...],
    height_mm: float,
) -> np.ndarray:
    """Return where voxels lie from the lesion's centre, (subslices, slices, rows, columns, 3)."""
    across = np.arange(slices) - slices // 2
    heights = (across + SUBSLICES[:, None]) * spacing_mm[0] - height_mm
    rows, columns = (
        (np.arange(part.start, part.stop) - place) * size
        for part, place, size in zip(near, centre, spacing_mm[1:], strict=True)
    )
    return np.stack(np.broadcast_arrays(heights[..., None, None], rows[:, None], columns), axis=-1)


def _added(
    box: np.ndarray, lesion: PaintedLesion, share: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, float]:
    """Return what is added to both times, (slices, 2, rows, columns), and the brightness around."""
    around = (np.abs(box[:, :DIFFERENCE]) < ORDINARY_Z).all(axis=1) & (share[0] + share[1] < 0.1)
    added, levels = np.zeros_like(box[:, :DIFFERENCE]), []
    for time in (BASELINE, FOLLOWUP):
        scan = box[:, time]
        levels.append(float(scan[around].mean()) if around.any() else 0.0)
        own = (1 - lesion.texture) * (scan - levels[time])
        added[:, time] = share[time] * (lesion.contrast[time] - own) * (scan != 0)
    return added, float(np.mean(levels))


def _other_place(channels: np.ndarray, otherwise: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draw another place in ordinary tissue of a slice (channels, rows, columns)."""
    places = np.argwhere(ordinary_tissue(channels))
    return places[generator.integers(len(places))] if len(places) else otherwise
