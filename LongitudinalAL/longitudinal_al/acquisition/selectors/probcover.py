"""ProbCover: balls around the chosen slice pairs that cover as much of the pool as they can."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from longitudinal_al.acquisition.candidates import Candidates, Features, finite_rows
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
    rows, known = unit_rows(features), unit_rows(labelled[finite_rows(labelled)])
    squared = delta**2 if delta > 0 else pure_radius(rows[finite], generator, interrupt)
    uncovered = finite & ~_near_any(rows, known, squared, interrupt)
    degree = _neighbours_within(rows, rows[uncovered], squared, interrupt)
    chance = generator.permutation(len(candidates))
    choice = neighbours.start(candidates, interrupt)
    while len(choice.chosen) < batch and choice.open.any():
        gain = np.where(choice.open, np.where(finite, degree, -1), -2)
        best = int(gain.argmax())
        if gain[best] <= 0:
            best = int(chance[np.flatnonzero((gain == gain[best])[chance])[0]])
        choice.add(best)
        newly = uncovered & (_distances_to(rows, rows[best : best + 1], slice(None))[:, 0] <= squared)
        uncovered &= ~newly
        degree -= _neighbours_within(rows, rows[newly], squared, interrupt)
    return choice.chosen


def pure_radius(rows: Features, generator: np.random.Generator, interrupt: Interrupt = never) -> float:
    """Return the largest squared radius at which 95 % of the balls hold one pseudo-class only.

    The ball of a row is pure as long as it does not reach the nearest row of another class: so the radius is
    the 5 % quantile of these distances.
    """
    if len(rows) < 2:
        return FARTHEST
    cluster = kmeans(rows, min(PSEUDO_CLASSES, len(rows)), generator, interrupt)
    sample = np.sort(generator.permutation(len(rows))[:SAMPLE])
    nearest = np.full(len(sample), FARTHEST, dtype=np.float32)
    for part in slabs(len(rows)):
        interrupt()
        away = _distances_to(rows, rows[sample], part)
        away[cluster[part, None] == cluster[sample]] = FARTHEST
        np.minimum(nearest, away.min(axis=0), out=nearest)
    reached = np.sort(nearest)[int((1.0 - PURITY) * len(nearest))]
    return float(np.nextafter(reached, np.float32(0)))


def _distances_to(rows: Features, others: Features, part: slice) -> NDArray[np.float32]:
    """Return the squared distances of a part of the rows to others, (part, others)."""
    return squared_distances(rows[part], squared_lengths(rows[part]), others, squared_lengths(others))


def _neighbours_within(
    rows: Features, others: Features, squared: float, interrupt: Interrupt
) -> NDArray[np.int64]:
    """Return how many others lie within the radius of each row, (n,)."""
    counts = np.zeros(len(rows), dtype=np.int64)
    if len(others):
        for part in slabs(len(rows)):
            interrupt()
            counts[part] = np.count_nonzero(_distances_to(rows, others, part) <= squared, axis=1)
    return counts


def _near_any(rows: Features, known: Features, squared: float, interrupt: Interrupt) -> NDArray[np.bool_]:
    """Return which rows lie within the radius of any labelled slice pair, (n,)."""
    return _neighbours_within(rows, known, squared, interrupt) > 0
