"""The annotator's own times: a cost model fitted to the labels of a project.

A label keeps how long was worked on it, pauses left out. The four numbers of the model are fitted by
non-negative least squares to relative errors (twice as long is as wrong at 5 seconds as at 50), leaning to
the assumed model as to a few further labels. Labels that took no time (they were imported), or longer than
anyone draws, say nothing. The fit is used when it predicts labels that it has not seen better than the
assumed model does; otherwise that one is, and says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import nnls

from longitudinal_al.errors import InvalidInput
from longitudinal_al.evaluation.annotation_cost import ASSUMED, CostModel, Work, expected_work, work_of
from longitudinal_al.evaluation.oracle import ANNOTATOR
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.records import Label

LEAST_LABELS = 30
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 900.0
"""Labels that took less or more are left out."""
LEANING = 1.0
"""The assumed model counts for each of its numbers as much as so many labels of that kind."""
TIMES_OFF, PASSES = 3.0, 6
"""A label that took so many times longer or shorter than fitted counts as no further off."""
FOLDS = 5


def fit_cost(work: Work, seconds: np.ndarray) -> CostModel:
    """Fit a cost model to times.

    Parameters
    ----------
    work : Work
        What was to do, (n,).
    seconds : numpy.ndarray
        How long it took, (n,).

    Returns
    -------
    CostModel
        Fitted, or `ASSUMED` with the reason.

    Raises
    ------
    InvalidInput
        When there are not as many times as slice pairs.
    """
    seconds = np.asarray(seconds, float)
    if seconds.shape != (len(work),):
        raise InvalidInput(f"{seconds.shape} times for {len(work)} slice pairs: give one for each")
    usable = (seconds >= SHORTEST_SECONDS) & (seconds <= LONGEST_SECONDS)
    count = int(np.count_nonzero(usable))
    if count < LEAST_LABELS:
        return replace(ASSUMED, reason=f"{count} labels with a usable time: {LEAST_LABELS} are the least")
    table, times = work.table()[usable], seconds[usable]
    ours, theirs = _error_on_unseen(table, times), _error(table @ ASSUMED.numbers, times)
    if not ours < theirs:
        return replace(
            ASSUMED, reason=f"fitted to {count} labels it would be no better on labels that it has not seen"
        )
    look, first, change, mm2 = (float(number) for number in _fit(table, times))
    return CostModel(f"fitted to {count} labels", look, first, change, mm2, labels=count)


def _fit(table: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return the four numbers, none below 0."""
    prior = ASSUMED.numbers
    usual = table @ prior
    leaning = np.sqrt(LEANING) * np.diag(1 / prior)
    numbers = prior * np.median(times / usual)
    for _ in range(PASSES):
        fitted = table @ numbers
        bounded = np.clip(times, fitted / TIMES_OFF, fitted * TIMES_OFF)
        rows = np.concatenate([table / usual[:, None], leaning])
        numbers = nnls(rows, np.concatenate([bounded / usual, np.full(len(prior), np.sqrt(LEANING))]))[0]
    return np.asarray(numbers, float)


def _error(predicted: np.ndarray, times: np.ndarray) -> float:
    """Return by which factor predictions are off, as the mean of its logarithm."""
    return float(np.mean(np.abs(np.log(np.maximum(predicted, 0.1) / times))))


def _error_on_unseen(table: np.ndarray, times: np.ndarray) -> float:
    """Return the error on each fifth of the labels of a fit to the others."""
    predicted = np.zeros(len(times))
    for fold in range(FOLDS):
        left_out = np.arange(len(times)) % FOLDS == fold
        predicted[left_out] = table[left_out] @ _fit(table[~left_out], times[~left_out])
    return _error(predicted, times)


def cost_of_log(labels: Sequence[Label], pool: Pool) -> CostModel:
    """Fit the cost model to the labels of whoever labelled last; those of a simulated annotator do not count.

    Parameters
    ----------
    labels : sequence of Label
        All labels of a project.
    pool : Pool
        Knows the size of a pixel; labels of other pairs are left out.
    """
    timed = [label for label in labels if label.pair in pool.pairs and label.annotator != ANNOTATOR]
    timed.sort(key=lambda label: label.ended)
    own = [label for label in timed if label.annotator == timed[-1].annotator]
    areas = [_pixel_mm2(pool, label.pair) for label in own]
    work = work_of([label.mask for label in own], areas, [label.pair for label in own])
    return fit_cost(work, np.array([(label.ended - label.started).total_seconds() for label in own], float))


def _pixel_mm2(pool: Pool, pair: str) -> float:
    """Return the area of a pixel of the pair's grid, on which labels are drawn."""
    _, row_mm, column_mm = pool.pairs[pair].record.spacing_mm
    return row_mm * column_mm


@dataclass(frozen=True)
class SecondsPredictor:
    """Predicts how long labelling takes.

    Attributes
    ----------
    pool : Pool
        Knows the size of the network's pixels.
    model : CostModel
        How long what takes, and where that comes from.
    opened : frozenset of str
        Pairs of which something is labelled.
    """

    pool: Pool
    model: CostModel
    opened: frozenset[str] = frozenset()

    def __call__(self, rows: Sequence[int], changed_pixels: np.ndarray) -> np.ndarray:
        """Return seconds, (n,), for rows of the pool and the pixels expected to have changed; NaN for NaN."""
        pixels = np.asarray(changed_pixels, float)
        usable = np.isfinite(pixels) & (pixels >= 0)
        sizes = [self.pool.voxel_mm(row) for row in rows]
        mm2 = np.where(usable, pixels, 0.0) * np.array([row * column for _, row, column in sizes], float)
        first = np.array([self.pool.entries[row].pair not in self.opened for row in rows], bool)
        return np.where(usable, self.model.seconds(expected_work(mm2, first)), np.nan)
