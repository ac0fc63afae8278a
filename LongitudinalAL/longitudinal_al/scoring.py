"""The numbers that a strategy needs of slice pairs: what networks see, batch by batch, made into scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.acquisition.strategies import Needs, ScoreSource, Strategy
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.prediction import predict
from longitudinal_al.pairs.pool import Pool

DROPOUT_PASSES = 6


@dataclass(frozen=True)
class Scored:
    """The scores of some slice pairs, (n,), and their features, (n, d), where they were asked for."""

    score: np.ndarray
    features: np.ndarray | None


def score_rows(
    pool: Pool,
    wanted: Strategy,
    networks: Sequence[ChangeNetwork],
    rows: Sequence[int],
    *,
    seed: int = 0,
    progress: Callable[[int], None] = lambda done: None,
) -> Scored:
    """Give slice pairs the numbers that a strategy needs, batch by batch.

    Parameters
    ----------
    pool : Pool
        Where the images come from.
    wanted : Strategy
        Names the score and what it needs.
    networks : sequence of ChangeNetwork
        The members of the ensemble; a single one is asked repeatedly, with dropout, where several are needed.
    rows : sequence of int
        Rows of the pool.
    seed : int
        Of the dropout.
    progress : callable
        Called before and after each batch with the number of slice pairs that are done.
    """
    if Needs.MODEL not in wanted.needs:
        by_difference = wanted.score is ScoreSource.DIFFERENCE
        scores = [pool.entries[row].difference_score if by_difference else 0.0 for row in rows]
        return Scored(np.array(scores, float), None)
    wants_dropout = Needs.DROPOUT in wanted.needs or (Needs.ENSEMBLE in wanted.needs and len(networks) < 2)
    passes = DROPOUT_PASSES if wants_dropout else 0
    # Filled in place: small pieces kept from every batch would hold on to the memory around them.
    score = np.zeros(len(rows))
    wants_features = Needs.FEATURES in wanted.needs
    features = np.zeros((len(rows), networks[0].features_size), np.float32) if wants_features else None
    done = 0
    progress(done)
    for predicted in predict(networks, pool, rows, dropout_passes=passes, seed=seed):
        view = Predictions(predicted.members, predicted.difference, predicted.foreground)
        here = slice(done, done + len(view))
        if not isinstance(wanted.score, ScoreSource):
            score[here] = wanted.score(view).cpu().numpy()
        if features is not None:
            features[here] = predicted.features.cpu().numpy()
        done += len(view)
        progress(done)
    return Scored(score, features)
