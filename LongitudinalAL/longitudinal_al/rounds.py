"""One round of active learning: learn from the labels, score the pool, choose what to label next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from longitudinal_al.acquisition.strategies import Needs, strategy
from longitudinal_al.choosing import SPACING_MM, CountProgress, RankedSlicePair, acquire, not_counting
from longitudinal_al.lessons import Lesson, learn, read_lesson
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.checkpoint import newest_model, save_networks
from longitudinal_al.network.training import TrainingSettings
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.pairs.prepared import Prepared
from longitudinal_al.project.ranking_file import write_ranking
from longitudinal_al.project.records import Round, utc_now
from longitudinal_al.project.store import Project

Progress = Callable[[str, float], None]


def _silent(phase: str, share: float) -> None:
    """Report nothing."""


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

    def reading() -> None:
        progress("reading", 0.0)

    with project.writer_lock("train"):
        lesson = read_lesson(project, Pool.open(project, interrupt=reading), reading)
        network = learn(
            lesson, settings, seed=seed, progress=lambda share: progress("training", share), tell=tell
        )
        return write_round(project, lesson, network, {"seed": seed, "steps": settings.steps})


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


@dataclass(frozen=True)
class Batch:
    """What to label next.

    Attributes
    ----------
    entries : list of RankedSlicePair
        Best first.
    candidates : int
        How many slice pairs were scored to choose these.
    """

    entries: list[RankedSlicePair]
    candidates: int


def rank(
    project: Project,
    strategy_name: str,
    batch: int,
    *,
    spacing_mm: float | None = None,
    seed: int = 0,
    progress: CountProgress = not_counting,
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
    """
    wanted = strategy(strategy_name)
    pool = Pool.open(project, interrupt=lambda: progress("reading", 0, 1))
    names = project.labelled()
    labelled = [row for row, entry in enumerate(pool.entries) if (entry.pair, entry.slice) in names]
    networks = newest_model(project) if Needs.MODEL in wanted.needs else []
    entries = acquire(
        pool,
        wanted,
        networks,
        labelled,
        batch,
        spacing_mm=SPACING_MM if spacing_mm is None else spacing_mm,
        seed=seed,
        progress=progress,
    )
    return Batch(entries, len(pool) - len(labelled))


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
