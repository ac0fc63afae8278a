"""The network's view of a slice: a window on the grid, with its own pixel size."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.ndimage import affine_transform

SAME_PIXEL = 0.02
"""Pixel sizes that differ by less than this share are taken as equal: then nothing is interpolated."""


@dataclass(frozen=True)
class Frame:
    """Where the pixels of the network's slices lie on the slices of the pair's grid.

    The centre of network pixel ``(r, c)`` lies at grid row ``row + (r + 0.5) * row_step - 0.5``, and
    likewise for columns.

    Attributes
    ----------
    grid_rows, grid_columns : int
        Size of a slice of the pair's grid, in its own pixels.
    row, column : float
        First edge of the window, in pixels of the grid.
    row_step, column_step : float
        Size of a network pixel, in pixels of the grid.
    rows, columns : int
        Size of the window, in network pixels.
    """

    grid_rows: int
    grid_columns: int
    row: float
    column: float
    row_step: float
    column_step: float
    rows: int
    columns: int

    @classmethod
    def around(cls, inside: np.ndarray, spacing_mm: tuple[float, float], pixel_mm: float) -> Frame:
        """Fit a window of pixels of ``pixel_mm`` around all that is true.

        Parameters
        ----------
        inside : numpy.ndarray
            Boolean, (rows, columns): the foreground, united over all slices.
        spacing_mm : tuple of float
            Size of a grid pixel (row, column), in mm.
        pixel_mm : float
            Size of a network pixel, in mm.
        """
        starts, steps, sizes = [], [], []
        for axis, spacing in enumerate(spacing_mm):
            hit = np.flatnonzero(inside.any(axis=1 - axis))
            first, last = (int(hit[0]), int(hit[-1]) + 1) if hit.size else (0, inside.shape[axis])
            step = pixel_mm / spacing
            step = 1.0 if abs(step - 1) < SAME_PIXEL else step
            size = int(np.ceil((last - first) / step - 1e-6))
            starts.append(first if step == 1.0 else (first + last - size * step) / 2)
            steps.append(step)
            sizes.append(size)
        rows, columns = inside.shape
        return cls(rows, columns, starts[0], starts[1], steps[0], steps[1], sizes[0], sizes[1])

    @property
    def is_a_plain_crop(self) -> bool:
        """Whether network pixels are grid pixels, so that nothing is interpolated."""
        whole = float(self.row).is_integer() and float(self.column).is_integer()
        return self.row_step == 1.0 and self.column_step == 1.0 and whole

    def to_network(self, image: np.ndarray) -> np.ndarray:
        """Take a slice of the grid to the network's window, linearly.

        Parameters
        ----------
        image : numpy.ndarray
            Float, (grid_rows, grid_columns).

        Returns
        -------
        numpy.ndarray
            float32, (rows, columns).
        """
        image = np.asarray(image, np.float32)
        if self.is_a_plain_crop:
            top, left = int(self.row), int(self.column)
            return image[top : top + self.rows, left : left + self.columns]
        offset = (self.row + 0.5 * self.row_step - 0.5, self.column + 0.5 * self.column_step - 0.5)
        steps = (self.row_step, self.column_step)
        return affine_transform(image, steps, offset, (self.rows, self.columns), order=1, mode="nearest")

    def to_grid(self, image: np.ndarray) -> np.ndarray:
        """Take a slice of the network's window back to the grid, linearly; 0 outside of the window.

        Parameters
        ----------
        image : numpy.ndarray
            Float, (rows, columns).

        Returns
        -------
        numpy.ndarray
            float32, (grid_rows, grid_columns).
        """
        image = np.asarray(image, np.float32)
        size = (self.grid_rows, self.grid_columns)
        if self.is_a_plain_crop:
            whole = np.zeros(size, np.float32)
            top, left = int(self.row), int(self.column)
            whole[top : top + self.rows, left : left + self.columns] = image
            return whole
        steps = (1 / self.row_step, 1 / self.column_step)
        offset = ((0.5 - self.row) * steps[0] - 0.5, (0.5 - self.column) * steps[1] - 0.5)
        whole = affine_transform(image, steps, offset, size, order=1, mode="nearest")
        height, width = self.rows * self.row_step, self.columns * self.column_step
        rows = _within(self.grid_rows, self.row, self.row + height)
        columns = _within(self.grid_columns, self.column, self.column + width)
        return whole * (rows[:, None] & columns[None, :])

    def mask_to_network(self, mask: np.ndarray) -> np.ndarray:
        """Take a mask of the grid to the network's window; boolean, (rows, columns)."""
        return self.to_network(np.asarray(mask, bool).astype(np.float32)) >= 0.5

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, for JSON."""
        return asdict(self)


def _within(length: int, first_edge: float, last_edge: float) -> np.ndarray:
    """Tell which of the pixels 0 to length - 1 have their centre between two edges; boolean."""
    centres = np.arange(length) + 0.5
    return (centres >= first_edge) & (centres <= last_edge)
