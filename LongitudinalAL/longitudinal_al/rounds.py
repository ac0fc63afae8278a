"""One round of active learning: learn from the labels, score the pool, choose what to label next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from longitudinal_al.acquisition.strategies import Needs, Strategy, beginning, cold_start_of, strategy
from longitudinal_al.choosing import SPACING_MM, CountProgress, RankedSlicePair, acquire, not_counting
from longitudinal_al.evaluation.annotation_cost import CostModel
from longitudinal_al.evaluation.annotation_log import SecondsPredictor, cost_of_log
from longitudinal_al.evidence import Evidence
from longitudinal_al.lessons import Lesson, learn_members, members_for, read_lesson, settings_for
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.checkpoint import newest_model, save_networks
from longitudinal_al.network.contrast_file import contrast_of_pool
from longitudinal_al.network.training import TrainingSettings
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.pairs.prepared import Prepared
from longitudinal_al.project.ranking_file import write_ranking
from longitudinal_al.project.records import Round, utc_now
from longitudinal_al.project.store import Project
from longitudinal_al.scoring_elsewhere import scorer_of

Progress = Callable[[str, float], None]
OPTIONS = ("pretraining", "consistency", "alignment")
"""Settings of the training that users can change, see `TrainingSettings`."""


def _silent(phase: str, share: float) -> None:
    """Report nothing."""


def train_round(
    project: Project,
    *,
    seed: int = 0,
    settings: TrainingSettings | None = None,
    strategy_name: str = "",
    members: int | None = None,
    otherwise: Mapping[str, float | None] | None = None,
    progress: Progress = _silent,
    tell: Callable[[str], None] = lambda message: None,
) -> Round:
    """Train a network, or several, on all labels of a project, and write that down as a round.

    Parameters
    ----------
    project : Project
        With prepared pairs and labels.
    seed : int
        Of everything random.
    settings : TrainingSettings, optional
        By default the product's own.
    strategy_name : str
        A strategy that will ask the network: it learns what that needs besides, such as its own loss.
    members : int, optional
        How many networks to train; by default as many as the strategy wants, and one without a strategy.
    otherwise : mapping of str to float, optional
        Settings by the names in `OPTIONS` that are to be others; None leaves one as it is.
    progress, tell : callable
        Called with the phase and the share that is done, and with sentences for the user.

    Raises
    ------
    NotReady
        When nothing is prepared or labelled.
    """
    asked = {name: value for name, value in (otherwise or {}).items() if value is not None}
    settings = replace(settings or TrainingSettings(), **asked)  # type: ignore[arg-type]
    if strategy_name:
        settings = settings_for(strategy(strategy_name), settings)
        members = members or members_for(strategy(strategy_name))

    def reading() -> None:
        progress("reading", 0.0)

    with project.writer_lock("training"):
        lesson = read_lesson(project, Pool.open(project, interrupt=reading), reading, tell)
        networks = learn_members(
            lesson,
            settings,
            members or 1,
            seed=seed,
            progress=lambda share: progress("training", share),
            tell=tell,
        )
        told = {name: getattr(settings, name) for name in ("steps", *OPTIONS)}
        return write_round(project, lesson, networks, seed, told)


def write_round(
    project: Project,
    lesson: Lesson,
    networks: Sequence[ChangeNetwork],
    seed: int,
    training: Mapping[str, float],
) -> Round:
    """Keep trained networks as the next round; to be called with the writer's lock held.

    Parameters
    ----------
    seed : int
        Of the training.
    training : mapping of str to float
        How it was trained: `steps`, and what else there is to tell.
    """
    number = project.next_round_number()
    path = project.folder / "models" / f"round-{number:03d}.safetensors"
    save_networks(networks, path, within=project.folder)
    figures = {
        "with_change": sum(bool(mask.any()) for mask in lesson.masks.values()),
        "labelling_seconds": lesson.labelling_seconds,
        "last_label": lesson.last_label,
        **training,
    }
    finished = Round(number, None, seed, len(lesson.masks), lesson.read, utc_now(), path, figures)
    project.add_round(finished)
    return finished


@dataclass(frozen=True)
class Batch:
    """What to label next.

    Attributes
    ----------
    entries : list of RankedSlicePair
        Best first.
    candidates : int
        How many slice pairs were scored to choose these.
    strategy : str
        What chose them: the strategy that was asked for, or the cold start.
    time_model : CostModel or None
        By what seconds were predicted, where they were needed.
    """

    entries: list[RankedSlicePair]
    candidates: int
    strategy: str
    time_model: CostModel | None = None


def rank(
    project: Project,
    strategy_name: str,
    batch: int,
    *,
    spacing_mm: float | None = None,
    seed: int = 0,
    progress: CountProgress = not_counting,
    cold_start: str = "",
    executor: Executor | None = None,
) -> Batch:
    """Choose the slice pairs of a project to label next.

    Parameters
    ----------
    project : Project
        With prepared pairs; strategies that need a model need a round of training too.
    strategy_name : str
        One of `STRATEGIES`.
    batch, spacing_mm, seed, progress
        See `choosing.acquire`; by default the spacing is `SPACING_MM`.
    cold_start : str
        Chooses as long as there is no model; by default what the strategy itself names for that time.
    executor : Executor, optional
        Where networks are asked; by default on this computer.
    """
    asked = strategy(strategy_name)
    wanted = _able_now(project, asked, beginning(cold_start) if cold_start else cold_start_of(asked))
    pool = Pool.open(project, interrupt=lambda: progress("reading", 0, 1))
    names = project.labelled()
    labelled = [row for row, entry in enumerate(pool.entries) if (entry.pair, entry.slice) in names]
    networks = newest_model(project) if Needs.MODEL in wanted.needs else []
    given = project_evidence(project, pool, wanted, progress)
    entries = acquire(
        pool,
        wanted,
        networks,
        labelled,
        batch,
        spacing_mm=_spacing_of(wanted.text, spacing_mm),
        seed=seed,
        progress=progress,
        given=given,
        scorer=scorer_of(executor, project),
    )
    return Batch(
        entries,
        len(pool) - len(labelled),
        strategy_name if wanted is asked else wanted.text,
        given.seconds.model if given.seconds else None,
    )


def _able_now(project: Project, wanted: Strategy, first: Strategy | None) -> Strategy:
    """Return the strategy, or its cold start as long as there is no model."""
    has_model = any(finished.model is not None for finished in project.rounds())
    return wanted if has_model or first is None or Needs.MODEL not in wanted.needs else first


def project_evidence(
    project: Project, pool: Pool, wanted: Strategy, progress: CountProgress = not_counting
) -> Evidence:
    """Return what a project knows besides its images, as far as a strategy needs it; never a reference.

    Parameters
    ----------
    project : Project
        With its labels.
    pool : Pool
        Its pool.
    wanted : Strategy
        Names what it needs.
    progress : callable
        The phases are "reading" and "comparing", which is when the contrastive encoders are trained.
    """
    labels: Mapping[int, np.ndarray] = {}
    if Needs.FITTED_MISALIGNMENT in wanted.needs:
        labels = read_lesson(project, pool, lambda: progress("reading", 0, 1)).masks

    def report(share: float) -> None:
        progress("comparing", round(share * len(pool)), len(pool))

    return Evidence(
        labels=labels,
        contrast=cache(lambda: contrast_of_pool(project.folder, pool, progress=report)),
        seconds=_seconds_of(project, pool) if Needs.COST in wanted.needs else None,
        round=project.next_round_number(),
    )


def _seconds_of(project: Project, pool: Pool) -> SecondsPredictor:
    """Return what predicts an annotator's seconds, fitted to the times of the labels so far."""
    labels = project.labels()
    return SecondsPredictor(pool, cost_of_log(labels, pool), frozenset(label.pair for label in labels))


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
        spacing_mm=_spacing_of(strategy_name, spacing_mm),
        thickness_mm={pair: record.spacing_mm[0] for pair, record in records.items() if record},
    )


def _spacing_of(strategy_name: str, asked_mm: float | None) -> float:
    """Return the distance between slices of a pair, which the queue keeps too: 0 where it is switched off."""
    if not strategy(strategy_name).minds_spacing:
        return 0.0
    return SPACING_MM if asked_mm is None else asked_mm
