"""The numbers that a strategy needs of slice pairs: what networks see, batch by batch, made into scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.acquisition.strategies import Needs, ScoreSource, Strategy
from longitudinal_al.evidence import Evidence, Masks, with_misalignment
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.misalignment_fit import as_tensor
from longitudinal_al.network.prediction import PredictedBatch, predict
from longitudinal_al.pairs.pool import Pool

DROPOUT_PASSES = 6
NOTHING_KNOWN = Evidence()
EXTRAS = {
    Needs.VARIANTS: "variants",
    Needs.ATTENTION: "attention",
    Needs.PREDICTED_LOSS: "predicted_loss",
    Needs.GRADIENTS: "gradients",
}
"""What a strategy needs -> what the prediction calls it."""


@dataclass(frozen=True)
class Scored:
    """What was found out about some slice pairs.

    Attributes
    ----------
    score : numpy.ndarray
        (n,).
    features : numpy.ndarray or None
        (n, d), where they were asked for.
    also : mapping of str to numpy.ndarray
        Further columns of the candidates, (n,) each: those of `Strategy.also`.
    """

    score: np.ndarray
    features: np.ndarray | None
    also: Mapping[str, np.ndarray] = field(default_factory=dict)


def score_rows(
    pool: Pool,
    wanted: Strategy,
    networks: Sequence[ChangeNetwork],
    rows: Sequence[int],
    *,
    seed: int = 0,
    progress: Callable[[int], None] = lambda done: None,
    given: Evidence = NOTHING_KNOWN,
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
    given : Evidence
        What is known besides.

    Raises
    ------
    NotReady
        When the strategy needs what is not there.
    """
    given.check(wanted)
    found = Scored(_by_source(pool, wanted, rows, given), _features_by_source(wanted, rows, given))
    if Needs.MODEL not in wanted.needs:
        return found
    if given.misalignment is None:
        given = with_misalignment(given, wanted, networks, pool, lambda: progress(0))
    return _score_by_networks(pool, wanted, networks, rows, seed, progress, given, found)


def _score_by_networks(
    pool: Pool,
    wanted: Strategy,
    networks: Sequence[ChangeNetwork],
    rows: Sequence[int],
    seed: int,
    progress: Callable[[int], None],
    given: Evidence,
    found: Scored,
) -> Scored:
    """Fill in what networks say, in place: pieces kept of each batch would hold on to the memory around."""
    wants_dropout = Needs.DROPOUT in wanted.needs or (Needs.ENSEMBLE in wanted.needs and len(networks) < 2)
    passes = DROPOUT_PASSES if wants_dropout else 0
    extras = [name for need, name in EXTRAS.items() if need in wanted.needs]
    score, features = found.score, found.features
    also = {name: np.zeros(len(rows)) for name in wanted.also}
    done = 0
    progress(done)
    for predicted in predict(networks, pool, rows, dropout_passes=passes, seed=seed, extras=extras):
        view = _view(predicted, pool, wanted, given)
        here = slice(done, done + len(view))
        if not isinstance(wanted.score, ScoreSource):
            score[here] = wanted.score(view).cpu().numpy()
        for name, column in wanted.also.items():
            also[name][here] = column(view).cpu().numpy()
        own = _own_features(predicted, wanted)
        if own is not None:
            features = np.zeros((len(rows), own.shape[1]), np.float32) if features is None else features
            features[here] = own.cpu().numpy()
        done += len(view)
        progress(done)
    if features is None and compares_features(wanted):
        features = np.zeros((len(rows), networks[0].features_size), np.float32)
    return Scored(score, features, also)


def compares_features(wanted: Strategy) -> bool:
    """Tell whether a strategy's selector gets features, of whatever kind."""
    return bool(wanted.needs & (Needs.FEATURES | Needs.GRADIENTS | Needs.CONTRAST))


def features_alone(wanted: Strategy) -> Strategy:
    """Return what gives slice pairs the features of a strategy, and no score."""
    needs = wanted.needs & (Needs.MODEL | Needs.FEATURES | Needs.GRADIENTS | Needs.CONTRAST)
    return replace(wanted, score=ScoreSource.NONE, also={}, needs=needs)


def _by_source(pool: Pool, wanted: Strategy, rows: Sequence[int], given: Evidence) -> np.ndarray:
    """Return the score that needs no network, (n,); 0 where a network gives it or nothing does."""
    if wanted.score is ScoreSource.DIFFERENCE:
        return np.array([pool.entries[row].difference_score for row in rows], float)
    if wanted.score is ScoreSource.CONTRAST:
        return given.needed_contrast().difference[list(rows)].astype(float)
    if wanted.score is ScoreSource.REFERENCE and given.references is not None:
        return np.array([np.count_nonzero(given.references[row]) for row in rows], float)
    return np.zeros(len(rows))


def _features_by_source(wanted: Strategy, rows: Sequence[int], given: Evidence) -> np.ndarray | None:
    if Needs.CONTRAST not in wanted.needs:
        return None
    return np.array(given.needed_contrast().features[list(rows)], np.float32)


def _own_features(predicted: PredictedBatch, wanted: Strategy) -> torch.Tensor | None:
    """Return the features that the network gives; those of the contrastive encoders come before them."""
    if Needs.CONTRAST in wanted.needs:
        return None
    if Needs.GRADIENTS in wanted.needs:
        return predicted.extras["gradients"]
    return predicted.features if Needs.FEATURES in wanted.needs else None


def _view(predicted: PredictedBatch, pool: Pool, wanted: Strategy, given: Evidence) -> Predictions:
    """Return what a score sees of a batch."""
    expected = given.misalignment
    is_simulated = Needs.LABELS in wanted.needs and given.references is not None
    return Predictions(
        predicted.members,
        predicted.difference,
        predicted.foreground,
        variants=predicted.extras.get("variants"),
        attention=predicted.extras.get("attention"),
        predicted_loss=predicted.extras.get("predicted_loss"),
        expected_misalignment=None if expected is None else as_tensor(expected, predicted.features),
        reference=_references(predicted, pool, given.references or {}) if is_simulated else None,
    )


def _references(predicted: PredictedBatch, pool: Pool, masks: Masks) -> torch.Tensor:
    """Return the references of a batch as the network sees them; bool, (n, rows, columns)."""
    seen = np.stack([pool.mask_to_network(row, masks[row]) for row in predicted.rows])
    return torch.from_numpy(seen).to(predicted.members.device)
