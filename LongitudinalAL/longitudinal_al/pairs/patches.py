"""Patches of slice pairs, read without the rest of the slice: what a step of training costs least with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from longitudinal_al.pairs.stack import CHANNELS, open_stack

Window = tuple[slice, slice]


def window_in(size: tuple[int, ...], inner: tuple[int, ...]) -> Window:
    """Return where a window of size ``inner`` lies in a slice of the network's ``size``: in its centre."""
    top, left = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    return slice(top, top + inner[0]), slice(left, left + inner[1])


def window_around(
    centre: np.ndarray, shape: tuple[int, int], patch: int, generator: np.random.Generator
) -> Window:
    """Return a window that holds the centre somewhere, and stays inside the image.

    Parameters
    ----------
    centre : numpy.ndarray
        Row and column.
    shape : tuple of int
        Rows and columns of the image.
    patch : int
        Side of the window, if the image is as large.
    generator : numpy.random.Generator
        Where in the window the centre lies.
    """
    window = []
    for place, length in zip(centre, shape, strict=True):
        side = min(patch, length)
        start = int(place) - side // 2 + int(generator.integers(-side // 3, side // 3 + 1))
        start = min(max(start, 0), length - side)
        window.append(slice(start, start + side))
    return window[0], window[1]


class PatchReader:
    """Reads windows of a pool's slices; the files stay mapped as long as the reader lives.

    Parameters
    ----------
    size : tuple of int
        Rows and columns of the network's input.
    locate : callable
        Gives for a row of the pool its pair's folder, and its place in the pair's stack.
    neighbours : int
        How many slices on either side come along; beyond the first and the last slice the end repeats.
    """

    def __init__(
        self, size: tuple[int, int], locate: Callable[[int], tuple[Path, int]], neighbours: int
    ) -> None:
        self.size = size
        self.neighbours = neighbours
        self._locate = locate
        self._stacks: dict[Path, np.ndarray] = {}

    def read(self, rows: Sequence[int], windows: Sequence[Window]) -> np.ndarray:
        """Read a window of each slice pair.

        Parameters
        ----------
        rows : sequence of int
            Rows of the pool.
        windows : sequence of tuple of slice
            For each row, rows and columns of the network's input; all of one size.

        Returns
        -------
        numpy.ndarray
            float32, (n, 1 + 2 neighbours, channels, rows, columns), the slice itself in the middle, 0
            outside of the pair's window.
        """
        sides = [part.stop - part.start for part in windows[0]]
        patches = np.zeros((len(rows), 1 + 2 * self.neighbours, len(CHANNELS), *sides), np.float32)
        for patch, row, window in zip(patches, rows, windows, strict=True):
            self._fill(patch, row, window)
        return patches

    def _fill(self, patch: np.ndarray, row: int, window: Window) -> None:
        folder, place = self._locate(row)
        stack = self._stack(folder)
        steps = range(-self.neighbours, self.neighbours + 1)
        slices = [min(max(place + step, 0), len(stack) - 1) for step in steps]
        source: list[slice] = []
        target: list[slice] = []
        for part, own in zip(window, window_in(self.size, stack.shape[-2:]), strict=True):
            first, last = max(part.start, own.start), min(part.stop, own.stop)
            if first >= last:
                return
            source.append(slice(first - own.start, last - own.start))
            target.append(slice(first - part.start, last - part.start))
        for number, index in enumerate(slices):
            patch[number][:, target[0], target[1]] = stack[index][:, source[0], source[1]]

    def _stack(self, folder: Path) -> np.ndarray:
        if folder not in self._stacks:
            self._stacks[folder] = open_stack(folder)[0].view(np.ndarray)  # slices of a memmap are slow
        return self._stacks[folder]
