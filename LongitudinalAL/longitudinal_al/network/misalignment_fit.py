"""Expected misalignment of attention and change, learned from the labels: xGAL's fitted variant.

xGAL ("Learning to Select Like Humans: Explainable Active Learning for Medical Imaging", arXiv 2602.13308)
compares the network's attention with the expert's region on slice pairs that are not labelled yet, which no
user can do. Here the comparison is made where a label is, and carried over to the others by their features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from longitudinal_al.interruption import Interrupt, never
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.prediction import predict
from longitudinal_al.pairs.pool import Pool

LEAST_LABELS = 5
"""Fewer labelled slice pairs with change say nothing about features: all others get their mean."""
MOST_LABELS = 256
"""More would tell little, and take the attention of the network at each of them."""
STRENGTHS = np.logspace(0, 5, 11)
"""Of the ridge, on features of unit variance; the one with the smallest leave-one-out error is taken."""


@dataclass(frozen=True)
class ExpectedMisalignment:
    """A ridge regression of the misalignment on the pooled features.

    Attributes
    ----------
    mean, scale, weights : numpy.ndarray
        (d,): of the features, and what each counts.
    level : float
        Mean misalignment of the labelled slice pairs.
    labels : int
        How many it was learned from.
    """

    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    level: float
    labels: int

    def of(self, features: np.ndarray) -> np.ndarray:
        """Return the expected misalignment in [0, 1], float32 (n,), for features (n, d)."""
        standard = (np.asarray(features, np.float64) - self.mean) / self.scale
        return np.clip(self.level + standard @ self.weights, 0.0, 1.0).astype(np.float32)


def misalignment(attention: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Return 1 - Dice of two soft regions, (n, rows, columns) each: (n,) in [0, 1]; 1 if both are empty."""
    shared = 2.0 * (attention * region).sum((1, 2))
    total = attention.sum((1, 2)) + region.sum((1, 2))
    return 1.0 - np.divide(shared, total, out=np.zeros_like(total, dtype=float), where=total > 0)


def fit_misalignment(features: np.ndarray, found: np.ndarray) -> ExpectedMisalignment:
    """Learn the misalignment from features.

    Parameters
    ----------
    features : numpy.ndarray
        (m, d) of labelled slice pairs.
    found : numpy.ndarray
        Their misalignment, (m,). Without any, 1 is expected everywhere; what is not finite does not count.
    """
    width = features.shape[1]
    known = np.isfinite(found) & np.isfinite(features).all(axis=1)
    features, found = features[known], found[known]
    level = float(found.mean()) if len(found) else 1.0
    mean, scale, weights = np.zeros(width), np.ones(width), np.zeros(width)
    if len(found) >= LEAST_LABELS:
        from sklearn.linear_model import RidgeCV  # which takes seconds to import

        mean, scale = features.mean(0), features.std(0)
        scale = np.where(scale > 1e-6, scale, 1.0)
        weights = RidgeCV(STRENGTHS).fit((features - mean) / scale, found).coef_
    return ExpectedMisalignment(mean, scale, weights, level, len(found))


def expected_misalignment(
    networks: Sequence[ChangeNetwork],
    pool: Pool,
    masks: Mapping[int, np.ndarray],
    interrupt: Interrupt = never,
) -> ExpectedMisalignment:
    """Learn what misalignment to expect of a network from the labelled slice pairs with change.

    Those without change have no region to look at. Of more than `MOST_LABELS` an even selection is taken.

    Parameters
    ----------
    networks : sequence of ChangeNetwork
        The first one's attention and features are used.
    pool : Pool
        Where the images come from.
    masks : mapping of int to numpy.ndarray
        The labels on the pairs' grids, by row of the pool.
    interrupt : callable
        Called at each batch; what it raises ends the work.
    """
    rows = [row for row in sorted(masks) if pool.mask_to_network(row, masks[row]).any()]
    if len(rows) > MOST_LABELS:
        rows = [rows[place] for place in np.linspace(0, len(rows) - 1, MOST_LABELS).round().astype(int)]
    features = np.zeros((len(rows), networks[0].features_size))
    found = np.zeros(len(rows))
    done = 0
    for predicted in predict(networks[:1], pool, rows, extras=("attention",)):
        interrupt()
        here = slice(done, done + len(predicted.rows))
        regions = np.stack([pool.mask_to_network(row, masks[row]) for row in predicted.rows])
        features[here] = predicted.features.cpu().numpy()
        found[here] = misalignment(predicted.extras["attention"].cpu().numpy(), regions)
        done += len(predicted.rows)
    return fit_misalignment(features, found)


def as_tensor(fit: ExpectedMisalignment, features: torch.Tensor) -> torch.Tensor:
    """Return the expected misalignment of a predicted batch, float32 (n,), on the device of its features."""
    return torch.from_numpy(fit.of(features.cpu().numpy())).to(features.device)
