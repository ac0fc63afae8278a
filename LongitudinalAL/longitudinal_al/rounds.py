"""One round of active learning: learn from the labels, score the pool, choose what to label next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates, LabelledSlices
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.acquisition.reasons import reasons
from longitudinal_al.acquisition.strategies import Needs, ScoreSource, Strategy, strategy
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.checkpoint import newest_model, save_networks
from longitudinal_al.network.prediction import predict
from longitudinal_al.network.training import TrainingSettings, train
from longitudinal_al.pairs.dataset import LabelledSlicePairs
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.pairs.prepared import Prepared
from longitudinal_al.project.ranking_file import write_ranking
from longitudinal_al.project.records import Label, Round, utc_now
from longitudinal_al.project.store import Project

Progress = Callable[[str, float], None]
SPACING_MM = 5.0
"""Slices of one pair that lie nearer than this to a labelled one show nearly the same."""
DROPOUT_PASSES = 6


def _silent(phase: str, share: float) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class RankedSlicePair:
    """An entry of a ranking, best first."""

    pair: str
    patient: str
    slice: int
    score: float | None
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Return the entry, for JSON."""
        return asdict(self)


def train_round(
    project: Project,
    *,
    seed: int = 0,
    settings: TrainingSettings | None = None,
    progress: Progress = _silent,
    tell: Callable[[str], None] = lambda message: None,
) -> Round:
    """Train a network on all labels of a project, and write it down as a round.

    Parameters
    ----------
    project : Project
        With prepared pairs and labels.
    seed : int
        Of everything random.
    settings : TrainingSettings, optional
        By default the product's own.
    progress, tell : callable
        Called with the phase and the share that is done, and with sentences for the user.

    Raises
    ------
    NotReady
        When nothing is prepared or labelled.
    """
    settings = settings or TrainingSettings()
    with project.writer_lock("train"):
        lesson = read_lesson(project, Pool.open(project))
        network = learn(
            lesson, settings, seed=seed, progress=lambda share: progress("training", share), tell=tell
        )
        return write_round(project, lesson, network, {"seed": seed, "steps": settings.steps})


@dataclass(frozen=True)
class Lesson:
    """All labels of a project at one moment: what a network learns from.

    Attributes
    ----------
    masks : mapping of int to numpy.ndarray
        The newest label of each labelled slice pair, by row of the pool.
    last_label : int
        The project's `last_label_number` then.
    labelling_seconds : float
        How long drawing these labels took.
    read : datetime
        When that was.
    """

    pool: Pool
    masks: dict[int, np.ndarray]
    last_label: int
    labelling_seconds: float
    read: datetime


def read_lesson(project: Project, pool: Pool) -> Lesson:
    """Read the labels of a project, for training."""
    number, read = project.last_label_number(), utc_now()  # before the labels: one that comes now is new
    labels = project.labels()
    spent = sum((label.ended - label.started).total_seconds() for label in labels)
    return Lesson(pool, masks_by_row(labels, pool), number, spent, read)


def learn(
    lesson: Lesson,
    settings: TrainingSettings,
    *,
    seed: int,
    start: ChangeNetwork | None = None,
    progress: Callable[[float], None] = lambda share: None,
    tell: Callable[[str], None] = lambda message: None,
) -> ChangeNetwork:
    """Train a network on a lesson, from random weights or going on from another network.

    Raises
    ------
    NotReady
        When nothing is labelled.
    """
    architecture = start.architecture if start else settings.architecture
    labelled = LabelledSlicePairs(lesson.pool, lesson.masks, architecture.neighbours)
    return train(labelled, settings, seed=seed, start=start, progress=progress, tell=tell)


def write_round(project: Project, lesson: Lesson, network: ChangeNetwork, given: Mapping[str, int]) -> Round:
    """Keep a trained network as the next round; to be called with the writer's lock held.

    Parameters
    ----------
    given : mapping of str to int
        `seed` and `steps` of the training.
    """
    number = project.next_round_number()
    path = project.folder / "models" / f"round-{number:03d}.safetensors"
    save_networks([network], path)
    figures = {
        "with_change": sum(bool(mask.any()) for mask in lesson.masks.values()),
        "steps": given["steps"],
        "labelling_seconds": lesson.labelling_seconds,
        "last_label": lesson.last_label,
    }
    finished = Round(number, None, given["seed"], len(lesson.masks), lesson.read, utc_now(), path, figures)
    project.add_round(finished)
    return finished


def masks_by_row(labels: Iterable[Label], pool: Pool) -> dict[int, np.ndarray]:
    """Return the masks of those labels whose slice pairs are in the pool, by row of the pool."""
    rows = ((pool.index.get((label.pair, label.slice)), label.mask) for label in labels)
    return {row: mask for row, mask in rows if row is not None}


def rank(
    project: Project,
    strategy_name: str,
    batch: int,
    *,
    spacing_mm: float | None = None,
    seed: int = 0,
    progress: Progress = _silent,
) -> list[RankedSlicePair]:
    """Choose the slice pairs of a project to label next.

    Parameters
    ----------
    project : Project
        With prepared pairs; strategies that need a model need a round of training too.
    strategy_name : str
        One of `STRATEGIES`.
    batch : int
        How many; fewer come back when the pool has no more that are far enough apart.
    spacing_mm : float, optional
        Smallest distance to labelled and chosen slices of the same pair; 0 switches this off.
    seed : int
        Of everything random.
    progress : callable
        Called with the phase and the share that is done.

    Returns
    -------
    list of RankedSlicePair
        Best first.
    """
    wanted = strategy(strategy_name)
    pool = Pool.open(project)
    names = project.labelled()
    labelled = [row for row, entry in enumerate(pool.entries) if (entry.pair, entry.slice) in names]
    networks = newest_model(project) if Needs.MODEL in wanted.needs else []
    return acquire(
        pool,
        wanted,
        networks,
        labelled,
        batch,
        spacing_mm=SPACING_MM if spacing_mm is None else spacing_mm,
        seed=seed,
        progress=progress,
    )


def write_batch(
    project: Project,
    ranking: Sequence[RankedSlicePair],
    strategy_name: str,
    *,
    spacing_mm: float | None = None,
    seed: int = 0,
) -> None:
    """Keep a batch in the project, so that front ends hand it out and labels say what asked for them."""
    records = {entry.pair: Prepared.read(project.pair_folder(entry.pair)) for entry in ranking}
    write_ranking(
        project.folder,
        strategy_name,
        seed,
        [entry.as_dict() for entry in ranking],
        spacing_mm=SPACING_MM if spacing_mm is None else spacing_mm,
        thickness_mm={pair: record.spacing_mm[0] for pair, record in records.items() if record},
    )


def acquire(
    pool: Pool,
    wanted: Strategy,
    networks: Sequence[ChangeNetwork],
    labelled: Sequence[int],
    batch: int,
    *,
    spacing_mm: float,
    seed: int,
    progress: Progress = _silent,
) -> list[RankedSlicePair]:
    """Score the unlabelled slice pairs of a pool, select a batch of them, and say why.

    No label and no reference is looked at: only which slice pairs are labelled.
    """
    done = set(labelled)
    open_rows = [row for row in range(len(pool)) if row not in done]
    scored = score_rows(pool, wanted, networks, open_rows, seed=seed, progress=progress)
    known = None
    if Needs.FEATURES in wanted.needs:
        known = score_rows(
            pool, replace(wanted, score=ScoreSource.NONE), networks, labelled, seed=seed
        ).features
    candidates = Candidates(
        **_columns(pool, open_rows),
        score=scored.score,
        features=scored.features,
        labelled=LabelledSlices(**_columns(pool, labelled), features=known),
    )
    generator = np.random.default_rng(seed)
    chosen = wanted.selector(candidates, batch, Neighbours(spacing_mm), generator)
    difference = np.array([pool.entries[row].difference_score for row in open_rows])
    sentences = reasons(wanted.name, candidates, chosen, difference)
    return [
        _entry(pool, open_rows[place], scored.score[place], why)
        for place, why in zip(chosen, sentences, strict=True)
    ]


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
    progress: Progress = _silent,
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
    for predicted in predict(networks, pool, rows, dropout_passes=passes, seed=seed):
        view = Predictions(predicted.members, predicted.difference, predicted.foreground)
        here = slice(done, done + len(view))
        if not isinstance(wanted.score, ScoreSource):
            score[here] = wanted.score(view).cpu().numpy()
        if features is not None:
            features[here] = predicted.features.cpu().numpy()
        done += len(view)
        progress("scoring", done / len(rows))
    return Scored(score, features)


def _columns(pool: Pool, rows: Sequence[int]) -> dict[str, Any]:
    entries = [pool.entries[row] for row in rows]
    return {
        "pair": np.array([entry.pair for entry in entries], dtype=np.str_),
        "patient": np.array([entry.patient for entry in entries], dtype=np.str_),
        "slice": np.array([entry.slice for entry in entries], dtype=np.int64),
        "position_mm": np.array([entry.position_mm for entry in entries], dtype=float),
    }


def _entry(pool: Pool, row: int, score: float, why: str) -> RankedSlicePair:
    entry = pool.entries[row]
    usable = float(score) if np.isfinite(score) else None
    return RankedSlicePair(entry.pair, entry.patient, entry.slice, usable, why)
