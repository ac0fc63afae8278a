"""Scoring a large pool on other computers: in parts, each by whoever is free."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, as_completed
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from longitudinal_al.acquisition.strategies import Needs, Strategy
from longitudinal_al.errors import NotReady
from longitudinal_al.evidence import Evidence, with_misalignment
from longitudinal_al.network.architecture import ChangeNetwork
from longitudinal_al.network.contrast import Contrast
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.store import Project
from longitudinal_al.scoring import NOTHING_KNOWN, Scored, score_rows

PART = 256
"""Slice pairs a piece of work: some seconds, so that little is lost with a computer."""


def scorer_of(executor: Executor | None, project: Project) -> Callable[..., Scored]:
    """Return what scores slice pairs of a project: `score_rows`, or the same on other computers.

    They have to see the project's folder under the same path. Passes with dropout draw other numbers there.
    """
    return score_rows if executor is None else partial(score_rows_elsewhere, executor, project.folder)


def score_rows_elsewhere(
    executor: Executor,
    folder: Path,
    pool: Pool,
    wanted: Strategy,
    networks: Sequence[ChangeNetwork],
    rows: Sequence[int],
    *,
    seed: int = 0,
    progress: Callable[[int], None] = lambda done: None,
    given: Evidence = NOTHING_KNOWN,
) -> Scored:
    """Do what `score_rows` does, in parts; what needs no network is done here.

    Parameters
    ----------
    executor : Executor
        Where.
    folder : Path
        The project's, whose pool `pool` is.
    pool, wanted, networks, rows, seed, progress, given
        See `score_rows`.
    """
    if Needs.MODEL not in wanted.needs or not len(rows):
        return score_rows(pool, wanted, networks, rows, seed=seed, progress=progress, given=given)
    given.check(wanted)
    known = _to_send(with_misalignment(given, wanted, networks, pool, lambda: progress(0)), wanted)
    wanted = replace(wanted, needs=wanted.needs & ~Needs.COST)  # which is asked here, when all are scored
    parts = [rows[start : start + PART] for start in range(0, len(rows), PART)]
    progress(0)
    where = (folder, _digest(pool))
    jobs: dict[Future[Scored], int] = {
        executor.submit(_score_part, *where, wanted, list(networks), list(part), seed + number, known): number
        for number, part in enumerate(parts)
    }
    done = 0
    try:
        for job in as_completed(jobs):
            done += len(job.result().score)
            progress(done)
    finally:
        for job in jobs:
            job.cancel()
    return _joined([job.result() for job in jobs])


def _to_send(given: Evidence, wanted: Strategy) -> Evidence:
    """Return the evidence as plain numbers: what it would find out by itself is found out here."""
    contrast = given.needed_contrast() if Needs.CONTRAST in wanted.needs else None
    return replace(
        given,
        labels={},
        contrast=None if contrast is None else partial(_as_it_is, contrast),
        seconds=None,
    )


def _as_it_is(contrast: Contrast) -> Contrast:
    return contrast


def _score_part(
    folder: Path,
    digest: str,
    wanted: Strategy,
    networks: list[ChangeNetwork],
    rows: list[int],
    seed: int,
    given: Evidence,
) -> Scored:
    """Score some rows on the computer that this runs on."""
    return score_rows(_pool(folder, digest), wanted, networks, rows, seed=seed, given=given)


@lru_cache(maxsize=1)
def _pool(folder: Path, digest: str) -> Pool:
    """Open a project's pool; the next part finds it open.

    Raises
    ------
    NotReady
        When this computer does not see the same: the rows would be other slice pairs.
    """
    with Project.open(folder) as project:
        pool = Pool.open(project)
    if _digest(pool) != digest:
        raise NotReady(
            f"{folder}: another computer sees other prepared pairs there: prepare, then rank again"
        )
    return pool


def _digest(pool: Pool) -> str:
    return hashlib.sha256(json.dumps(pool.contents()).encode()).hexdigest()


def _joined(parts: Sequence[Scored]) -> Scored:
    """Put the parts together in their order."""
    features = [part.features for part in parts if part.features is not None]
    return Scored(
        np.concatenate([part.score for part in parts]),
        np.concatenate(features) if features else None,
        {name: np.concatenate([part.also[name] for part in parts]) for name in parts[0].also},
    )
