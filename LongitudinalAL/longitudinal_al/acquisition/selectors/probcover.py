"""ProbCover: balls around the chosen slice pairs that cover as much of the pool as they can."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from longitudinal_al.acquisition.candidates import Candidates, Features, Integers, finite_rows
from longitudinal_al.acquisition.clustering import kmeans
from longitudinal_al.acquisition.distances import slabs, squared_distances, squared_lengths, unit_rows
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.interruption import Interrupt, never

PURITY = 0.95
PSEUDO_CLASSES = 10
SAMPLE = 1024
"""So many slice pairs, drawn at random, decide the radius."""
FARTHEST = 4.0
"""Squared distance of two opposite directions."""


@canonical
def probcover(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
    delta: float = 0.0,
) -> list[int]:
    """Take again and again the candidate whose ball of radius delta holds the most that is not covered yet.

    Labelled slice pairs cover too. Features have length 1, so delta lies between 0 and 2; at 0 it is
    estimated as in the paper: the largest radius at which 95 % of the balls are pure, that is, hold one
    pseudo-class (of 10, by k-means) only. When everything is covered, the rest is drawn at random. Exact,
    with distances computed anew rather than kept: O(N * N * d) time in products of matrices, O(N) memory. Use
    it for the first rounds. Paper: Yehuda, Dekel, Hacohen and Weinshall, "Active learning through a covering
    lens", NeurIPS 2022 (arXiv 2205.11320), whose features come from self-supervised training:
    ``features=contrast``.

    Raises
    ------
    NotReady
        There are no features.
    """
    features, labelled = candidates.needed_features("probcover")
    finite = finite_rows(features)
    pool, known = _Rows(unit_rows(features)), _Rows(unit_rows(labelled[finite_rows(labelled)]))
    squared = delta**2 if delta > 0 else pure_radius(pool.rows[finite], generator, interrupt)
    uncovered = finite & (_within(pool, known, squared, interrupt) == 0)
    degree = _degrees(pool, uncovered, squared, interrupt)
    chance = generator.permutation(len(candidates))
    choice = neighbours.start(candidates, interrupt)
    while len(choice.chosen) < batch and choice.open.any():
        gain = np.where(choice.open, np.where(finite, degree, -1), -2)
        best = int(gain.argmax())
        if gain[best] <= 0:
            best = int(chance[np.flatnonzero((gain == gain[best])[chance])[0]])
        choice.add(best)
        newly = uncovered & (pool.distances(slice(None), pool.some([best]))[:, 0] <= squared)
        uncovered &= ~newly
        if uncovered.any():
            degree -= _within(pool, pool.some(np.flatnonzero(newly)), squared, interrupt)
        else:
            degree[:] = 0
    return choice.chosen


class _Rows:
    """Rows with their squared lengths, which all distances need."""

    def __init__(self, rows: Features, squares: NDArray[np.float32] | None = None) -> None:
        self.rows = rows
        self.squares = squared_lengths(rows) if squares is None else squares

    def some(self, which: Integers | list[int] | slice) -> _Rows:
        """Return some of the rows."""
        return _Rows(self.rows[which], self.squares[which])

    def distances(self, part: slice, others: _Rows) -> NDArray[np.float32]:
        """Return the squared distances of a part of the rows to others, (part, others)."""
        return squared_distances(self.rows[part], self.squares[part], others.rows, others.squares)


def pure_radius(rows: Features, generator: np.random.Generator, interrupt: Interrupt = never) -> float:
    """Return the largest squared radius at which 95 % of the balls hold one pseudo-class only.

    The ball of a row is pure as long as it does not reach the nearest row of another class: so the radius is
    the 5 % quantile of these distances.
    """
    if len(rows) < 2:
        return FARTHEST
    cluster = kmeans(rows, min(PSEUDO_CLASSES, len(rows)), generator, interrupt)
    sample = np.sort(generator.permutation(len(rows))[:SAMPLE])
    pool = _Rows(rows)
    drawn = pool.some(sample)
    nearest = np.full(len(sample), FARTHEST, dtype=np.float32)
    for part in slabs(len(rows)):
        interrupt()
        away = pool.distances(part, drawn)
        away[cluster[part, None] == cluster[sample]] = FARTHEST
        np.minimum(nearest, away.min(axis=0), out=nearest)
    reached = np.sort(nearest)[int((1.0 - PURITY) * len(nearest))]
    return float(np.nextafter(reached, np.float32(0)))


def _degrees(
    pool: _Rows, uncovered: NDArray[np.bool_], squared: float, interrupt: Interrupt
) -> NDArray[np.int64]:
    """Return how many uncovered rows lie within the radius of each row, (n,); each pair is looked at once."""
    degree = np.zeros(len(pool.rows), dtype=np.int64)
    for part in slabs(len(pool.rows)):
        interrupt()
        near = pool.distances(part, pool.some(slice(part.start, None))) <= squared
        degree[part] += np.count_nonzero(near[:, uncovered[part.start :]], axis=1)
        degree[part.stop :] += np.count_nonzero(near[uncovered[part], part.stop - part.start :], axis=0)
    return degree


def _within(pool: _Rows, others: _Rows, squared: float, interrupt: Interrupt) -> NDArray[np.int64]:
    """Return how many others lie within the radius of each row, (n,)."""
    counts = np.zeros(len(pool.rows), dtype=np.int64)
    if len(others.rows):
        for part in slabs(len(pool.rows)):
            interrupt()
            counts[part] = np.count_nonzero(pool.distances(part, others) <= squared, axis=1)
    return counts
