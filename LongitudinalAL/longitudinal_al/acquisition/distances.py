"""Distances and similarities between features, a slab of rows at a time: O(N) memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from longitudinal_al.acquisition.candidates import Features

ROWS_AT_ONCE = 512


def slabs(count: int, rows: int = ROWS_AT_ONCE) -> Iterator[slice]:
    """Yield the slices of so many rows that cover 0 to count - 1."""
    for start in range(0, count, rows):
        yield slice(start, min(count, start + rows))


def unit_rows(features: Features) -> Features:
    """Return a copy with every row at length 1; rows of length 0 and rows that are not finite become 0."""
    rows = np.nan_to_num(features, nan=0.0, posinf=0.0, neginf=0.0)
    rows[~np.isfinite(features).all(axis=1)] = 0.0
    largest = np.abs(rows).max(axis=1, initial=0.0)[:, None]
    rows /= np.where(largest > 0, largest, 1.0)  # else the squares of large numbers overflow
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    rows /= np.where(length > 0, length, 1.0)
    return np.asarray(rows, dtype=np.float32)


def squared_distances(
    rows: Features, squares: NDArray[np.float32], others: Features, their_squares: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the squared distance of each row to each other, (n, m), from their squared lengths too."""
    away = rows @ others.T
    away *= -2.0
    away += squares[:, None]
    away += their_squares
    return np.maximum(away, 0.0, out=away)


def squared_lengths(features: Features) -> NDArray[np.float32]:
    """Return the squared length of each row, (n,)."""
    return np.asarray(np.einsum("ij,ij->i", features, features), dtype=np.float32)
