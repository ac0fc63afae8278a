"""
Intervals over seeds and patients, by the bootstrap.

The values of an experiment form a table: a row for each seed, a column for each test patient. The same
patients are tested with every seed, so a replicate draws seeds, and draws patients once for all its seeds
(Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 2007). Drawing patients afresh within each
seed would treat five seeds on ten patients as fifty patients: the interval would shrink with every further
seed, although nobody was added.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from longitudinal_al.errors import InvalidInput

RESAMPLES = 2000


@dataclass(frozen=True)
class Interval:
    """
    A mean with its bootstrap interval (95 % unless asked otherwise).

    With a single seed and a single patient there is nothing to draw from: `low` and `high` equal the mean,
    and say nothing about certainty.
    """

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"

    @property
    def signed(self) -> str:
        """The same with signs, as a difference is written."""
        return f"{self.mean:+.3f} ({self.low:+.3f} to {self.high:+.3f})"


def bootstrap_interval(
    values: np.ndarray, generator: np.random.Generator, *, resamples: int = RESAMPLES, level: float = 0.95
) -> Interval:
    """
    Return the mean over seeds and patients with its percentile interval.

    Parameters
    ----------
    values : numpy.ndarray of float, shape (seeds, patients)
        One measure; NaN where it is not defined (a patient without change has no Dice). Such cells are left
        out.
    generator : numpy.random.Generator
    resamples : int
        Number of replicates.
    level : float
        Share of the replicates inside the interval.

    Raises
    ------
    InvalidInput
        If the table has no defined value.
    """
    table = np.asarray(values, dtype=float)
    if table.ndim != 2 or not np.isfinite(table).any():
        raise InvalidInput(f"no defined value in a table of shape {table.shape} (seeds, patients)")
    means = _replicate_means(table, generator, resamples)
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(means, [tail, 100 - tail])
    return Interval(float(np.nanmean(table)), float(low), float(high))


def paired_difference(
    first: np.ndarray, second: np.ndarray, generator: np.random.Generator, *, resamples: int = RESAMPLES
) -> Interval:
    """
    Return the mean of `first` − `second` with its 95 % interval, cell by cell on the same seeds and patients.

    Parameters
    ----------
    first, second : numpy.ndarray of float, shape (seeds, patients)
        The same measure of two strategies; rows and columns mean the same in both.
    generator : numpy.random.Generator
    """
    if np.shape(first) != np.shape(second):
        raise InvalidInput(
            f"tables of shape {np.shape(first)} and {np.shape(second)} cannot be paired: "
            "give both strategies the same seeds and patients"
        )
    return bootstrap_interval(np.subtract(first, second), generator, resamples=resamples)


def draw_counts(
    seeds: int, patients: int, generator: np.random.Generator, resamples: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return how often each replicate draws each seed, (resamples, seeds), and each patient."""
    seed_counts = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples)
    patient_counts = generator.multinomial(patients, np.full(patients, 1 / patients), size=resamples)
    return seed_counts, patient_counts


def replicate_curves(table: np.ndarray, by_seed: np.ndarray, by_patient: np.ndarray) -> np.ndarray:
    """
    Return each replicate's mean at each round, (resamples, rounds); NaN where it drew nothing defined.

    Parameters
    ----------
    table : numpy.ndarray of float, shape (seeds, rounds, patients)
        NaN where the measure is not defined.
    by_seed, by_patient : numpy.ndarray
        See `draw_counts`.
    """
    defined = np.isfinite(table)
    sums = np.einsum("bs,srp,bp->br", by_seed, np.where(defined, table, 0.0), by_patient, optimize=True)
    cells = np.einsum("bs,srp,bp->br", by_seed, defined.astype(float), by_patient, optimize=True)
    return np.where(cells > 0, sums / np.maximum(cells, 1), np.nan)


def _replicate_means(table: np.ndarray, generator: np.random.Generator, resamples: int) -> np.ndarray:
    """
    Return the mean of each replicate that drew at least one defined value.

    Drawing with replacement is drawing how often each row and column counts; the means are then two matrix
    products.
    """
    seeds, patients = table.shape
    seed_counts, patient_counts = draw_counts(seeds, patients, generator, resamples)
    defined = np.isfinite(table)
    sums = ((seed_counts @ np.where(defined, table, 0.0)) * patient_counts).sum(axis=1)
    cells = ((seed_counts @ defined.astype(float)) * patient_counts).sum(axis=1)
    return sums[cells > 0] / cells[cells > 0]
