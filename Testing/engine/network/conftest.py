"""A pool in memory, small enough to train on in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter


@dataclass(frozen=True)
class Entry:
    """What drawing examples asks of a slice pair."""

    difference_score: float


class PatchesInMemory:
    """What `PatchReader` gives, from arrays."""

    def __init__(self, pool: PoolInMemory, neighbours: int) -> None:
        self.pool = pool
        self.neighbours = neighbours

    def read(self, rows: Sequence[int], windows: Sequence[tuple[slice, slice]]) -> np.ndarray:
        stacks = self.pool.stacks(rows, self.neighbours).astype(np.float32)
        return np.stack([stack[(..., *window)] for stack, window in zip(stacks, windows, strict=True)])


class PoolInMemory:
    """Slices with bright balls that are only there at follow-up; what `Pool` gives, from arrays."""

    def __init__(self, count: int, seed: int, size: tuple[int, int] = (48, 64)) -> None:
        generator = np.random.default_rng(seed)
        self.size = size
        self.entries = [Entry(float(place % 5)) for place in range(count)]
        row, column = np.mgrid[: size[0], : size[1]]
        anatomy = gaussian_filter(generator.standard_normal((count, *size)), (0, 3, 3)) * 6
        self.masks = {}
        self._stacks = np.zeros((count, 3, 3, *size), np.float16)
        for place in range(count):
            centre = generator.uniform(12, 36), generator.uniform(12, 52)
            change = (row - centre[0]) ** 2 + (column - centre[1]) ** 2 < 30
            change &= bool(place % 3)  # every third slice pair has no change
            distractor = (row - generator.uniform(8, 40)) ** 2 + (column - generator.uniform(8, 56)) ** 2 < 4
            noise = generator.normal(0, 0.3, (2, *size))
            baseline = anatomy[place] + noise[0]
            followup = anatomy[place] + noise[1] + 4 * change + 4 * distractor
            self.masks[place] = change
            self._stacks[place] = np.stack([baseline, followup, 2 * (followup - baseline)])

    @property
    def patients(self) -> int:
        return len(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def stacks(self, rows: Sequence[int], neighbours: int = 0) -> np.ndarray:
        middle = [1] * (2 * neighbours + 1)
        return self._stacks[list(rows)][:, middle]

    def patch_reader(self, neighbours: int) -> PatchesInMemory:
        return PatchesInMemory(self, neighbours)

    def foreground(self, rows: Sequence[int]) -> np.ndarray:
        inside = np.ones((len(rows), *self.size), bool)
        inside[:, :, :4] = False
        return inside

    def voxel_mm(self, row: int) -> tuple[float, float, float]:
        return 3.0, 1.0, 1.0

    def mask_to_network(self, row: int, mask: np.ndarray) -> np.ndarray:
        return mask

    def to_grid(self, row: int, image: np.ndarray) -> np.ndarray:
        return image


@pytest.fixture(scope="session")
def training_pool() -> PoolInMemory:
    return PoolInMemory(24, seed=1)


@pytest.fixture(scope="session")
def unseen_pool() -> PoolInMemory:
    return PoolInMemory(12, seed=2)
