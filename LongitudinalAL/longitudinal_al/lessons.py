"""What a network learns from: all labels of a project at one moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from longitudinal_al.acquisition.strategies import Needs, Strategy
from longitudinal_al.interruption import Interrupt, never
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.pretraining import labels_alone, painting_for, start_of
from longitudinal_al.network.training import TrainingSettings, train
from longitudinal_al.pairs.dataset import LabelledSlicePairs
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.pairs.rehearsal import with_rehearsal
from longitudinal_al.project.records import utc_now
from longitudinal_al.project.store import Project


@dataclass(frozen=True)
class Lesson:
    """All labels of a project at one moment.

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
    models : Path or None
        Where a pretrained network is kept; None keeps none.
    """

    pool: Pool
    masks: dict[int, np.ndarray]
    last_label: int
    labelling_seconds: float
    read: datetime
    models: Path | None = None


def read_lesson(
    project: Project,
    pool: Pool,
    interrupt: Interrupt = never,
    tell: Callable[[str], None] = lambda message: None,
) -> Lesson:
    """Read the labels of a project, for training.

    Parameters
    ----------
    project : Project
        Where the labels are.
    pool : Pool
        Labels of other slice pairs count as time, and are not learned from.
    interrupt : callable
        Called at every label.
    tell : callable
        Called with a sentence for the user about each pair with labels of another size than its slices, which
        are not learned from: its scans were replaced since they were drawn.
    """
    number, read = project.last_label_number(), utc_now()  # before the labels: one that comes now is new
    masks, seconds = {}, 0.0
    other_size: Counter[str] = Counter()
    for pair, index in sorted(project.labelled()):
        interrupt()
        label = project.label(pair, index)
        if label is None:
            continue  # withdrawn just now
        seconds += (label.ended - label.started).total_seconds()
        row = pool.index.get((pair, index))
        if row is None:
            continue
        if label.mask.shape == pool.pairs[pair].grid_shape:
            masks[row] = label.mask
        else:
            other_size[pair] += 1
    for pair, count in other_size.items():
        tell(
            f"pair {pair}: {count} of its labels {'is' if count == 1 else 'are'} of another size than its "
            "slices and not learned from; its scans were replaced since: draw them again"
        )
    return Lesson(pool, masks, number, seconds, read, project.folder / "models")


def learn(
    lesson: Lesson,
    settings: TrainingSettings,
    *,
    seed: int,
    start: ChangeNetwork | None = None,
    progress: Callable[[float], None] = lambda share: None,
    tell: Callable[[str], None] = lambda message: None,
) -> ChangeNetwork:
    """Train a network on a lesson, going on from another network, the pretrained one, or random weights.

    Raises
    ------
    NotReady
        When nothing is labelled.
    """
    architecture = start.architecture if start else settings.architecture
    labelled = LabelledSlicePairs(
        lesson.pool, lesson.masks, architecture.neighbours, interrupt=lambda: progress(0.0)
    )
    return learn_labels(
        labelled, settings, seed=seed, start=start, models=lesson.models, progress=progress, tell=tell
    )


def learn_labels(
    labelled: LabelledSlicePairs,
    settings: TrainingSettings,
    *,
    seed: int,
    start: ChangeNetwork | None = None,
    models: Path | None = None,
    start_seed: int | None = None,
    progress: Callable[[float], None] = lambda share: None,
    tell: Callable[[str], None] = lambda message: None,
) -> ChangeNetwork:
    """Train on labels, beside painted changes where a network that knows those is gone on from.

    Parameters
    ----------
    labelled, settings, seed, tell
        See `train`.
    start : ChangeNetwork, optional
        Where to go on from; by default the pretrained network, or random weights if `settings` want none.
    models : Path, optional
        Where the pretrained network is kept; None keeps none.
    start_seed : int, optional
        Of the pretraining; by default `seed`.
    progress : callable
        Called with the share that is done, of pretraining and training together where both are needed.
    """
    begun, before_labels = 0.0, labels_alone(settings, labelled.pool).steps

    def before(share: float) -> None:
        nonlocal begun
        begun = share * before_labels / (before_labels + settings.steps)
        progress(begun)

    if start is None:
        chance = seed if start_seed is None else start_seed
        start = start_of(models, labelled.pool, settings, seed=chance, progress=before, tell=tell)
    rest = 1 - begun

    def after(share: float) -> None:
        progress(1.0 if share >= 1 else begun + rest * share)

    painting = painting_for(labelled.pool, settings)
    examples = with_rehearsal(labelled, settings.rehearsal if start else 0, painting)
    return train(examples, settings, seed=seed, start=start, progress=after, tell=tell)


def settings_for(wanted: Strategy, settings: TrainingSettings) -> TrainingSettings:
    """Return settings whose networks know what a strategy asks them for: their own loss, if it needs that."""
    if Needs.PREDICTED_LOSS not in wanted.needs:
        return settings
    return replace(settings, predicts_loss=True)


def members_for(wanted: Strategy) -> int:
    """Return how many networks a strategy wants to be trained: its setting `members`, else one."""
    return int(wanted.settings.get("members", 1))


def can_answer(network: ChangeNetwork, wanted: Strategy) -> bool:
    """Tell whether a network was trained for what a strategy asks it."""
    return network.loss_head is not None or Needs.PREDICTED_LOSS not in wanted.needs


def learn_members(
    lesson: Lesson,
    settings: TrainingSettings,
    members: int,
    *,
    seed: int,
    progress: Callable[[float], None] = lambda share: None,
    tell: Callable[[str], None] = lambda message: None,
) -> list[ChangeNetwork]:
    """Train an ensemble on a lesson: the same labels, other weights and other batches for each member.

    The first member is the network that `learn` gives for the same seed.
    """
    networks = []
    for member in range(members):

        def report(share: float, done: int = member) -> None:
            progress((done + share) / members)

        own = member_seed(seed, member)
        networks.append(learn(lesson, settings, seed=own, progress=report, tell=tell))
    return networks


def member_seed(seed: int, member: int) -> int:
    """Return the seed of a member of an ensemble; far from those of other experiments with seeds 0, 1, ..."""
    return seed + 1_000_003 * member
