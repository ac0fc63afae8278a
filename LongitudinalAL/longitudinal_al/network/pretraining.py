"""Pretraining on synthetic changes in the project's own pairs: a network that knows change before any label.

The changes are painted (`pairs.painted_slice_pairs`), so no label is needed, and none is looked at. Each
round of training goes on from these weights. Whether it pays is measured with and without it
(`Testing/benchmarks/bench_pretraining.py`); on a cohort whose own changes are made up too, it is flattered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from longitudinal_al.errors import NotReady
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.checkpoint import load_networks, save_networks
from longitudinal_al.network.training import Progress, TrainingSettings, train
from longitudinal_al.pairs.painted_lesions import Painting
from longitudinal_al.pairs.painted_slice_pairs import PaintedSlicePairs
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.pairs.variety import fewer_steps, varied
from longitudinal_al.project.files import json_text

RECIPE = 2
"""Raised whenever the same pool and settings give another network: kept ones are then made again."""


def pretrain(
    pool: Pool,
    settings: TrainingSettings,
    *,
    seed: int,
    painting: Painting | None = None,
    device: torch.device | None = None,
    progress: Progress = lambda share: None,
    tell: Callable[[str], None] = lambda message: None,
) -> ChangeNetwork:
    """Train a network on painted changes alone.

    Parameters
    ----------
    pool : Pool
        The slice pairs to paint on.
    settings : TrainingSettings
        ``pretraining`` says how many updates; what else is learned beside the labels does not count here.
    seed : int
        Of everything random.
    painting : Painting, optional
        What is painted; by default what the pool needs, see `pairs.variety`.
    device : torch.device, optional
        Where to train; by default the best there is.
    progress, tell : callable
        Called with the share that is done, and with sentences for the user.

    Returns
    -------
    ChangeNetwork
        In evaluation mode, on the CPU.

    Raises
    ------
    NotReady
        When the pool is empty.
    """
    painting = painting or painting_for(pool, settings)
    examples = PaintedSlicePairs(pool, settings.architecture.neighbours, painting)
    how = labels_alone(settings, pool)
    return train(examples, how, seed=seed, device=device, progress=progress, tell=tell)


def painting_for(pool: Pool, settings: TrainingSettings) -> Painting:
    """Return what is painted into a pool's slice pairs: more variously where few patients are known."""
    return varied(Painting(), settings.missing_variety(pool))


def labels_alone(settings: TrainingSettings, pool: Pool) -> TrainingSettings:
    """Return how to pretrain a pool: nothing needs labels or a teacher, and few patients need less."""
    return replace(
        settings,
        steps=fewer_steps(settings.pretraining, settings.missing_variety(pool)),
        pretraining=0,
        consistency=0.0,
        alignment=0.0,
        rehearsal=0,
        predicts_loss=False,
    )


def pretrained(
    folder: Path,
    pool: Pool,
    settings: TrainingSettings,
    *,
    seed: int,
    progress: Progress = lambda share: None,
    tell: Callable[[str], None] = lambda message: None,
) -> ChangeNetwork:
    """Return the pretrained network of a pool, from a file if it was made before.

    It is made again for other settings, another seed, and whenever the number of pairs, or of patients up
    to four, has grown to the next power of two; weights that have seen most of the pairs are as good a
    beginning.

    Parameters
    ----------
    folder : Path
        Where it is kept: the project's `models`, say.
    pool, settings, seed, progress, tell
        As for `pretrain`.
    """
    kept = folder / f"pretrained-{_key(pool, settings, seed)}.safetensors"
    if kept.is_file():
        try:
            return load_networks(kept)[0]
        except NotReady:
            pass  # damaged: it is made again
    tell(f"pretraining on synthetic changes in {len(pool.pairs)} pairs; rounds then begin there")
    network = pretrain(pool, settings, seed=seed, progress=progress, tell=tell)
    save_networks([network], kept, within=folder.parent)
    return network


def _key(pool: Pool, settings: TrainingSettings, seed: int) -> str:
    """Return a digest of all that the pretrained network depends on."""
    how, painting = labels_alone(settings, pool), painting_for(pool, settings)
    told = [RECIPE, seed, len(pool.pairs).bit_length(), repr(how), repr(painting)]
    return hashlib.sha256(json_text(told).encode()).hexdigest()[:16]


def start_of(
    folder: Path | None,
    pool: Pool,
    settings: TrainingSettings,
    *,
    seed: int,
    progress: Progress = lambda share: None,
    tell: Callable[[str], None] = lambda message: None,
) -> ChangeNetwork | None:
    """Return where a training begins: at the pretrained network, or None (random weights) without it.

    Parameters
    ----------
    folder : Path or None
        Where the pretrained network is kept; None keeps none.
    pool, settings, seed, progress, tell
        As for `pretrain`.
    """
    if settings.pretraining <= 0:
        return None
    if folder is None:
        return pretrain(pool, settings, seed=seed, progress=progress, tell=tell)
    return pretrained(folder, pool, settings, seed=seed, progress=progress, tell=tell)
