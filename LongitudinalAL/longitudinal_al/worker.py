"""The worker: what is done for each verb that a front end asks for."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from longitudinal_al.acquisition.strategies import strategy as known_strategy
from longitudinal_al.errors import NotReady
from longitudinal_al.live.loop import LiveLoop
from longitudinal_al.live.models import current_committee
from longitudinal_al.network.explanation import explain
from longitudinal_al.network.predicted_pairs import predict_pairs
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.pairs.preparation import prepare_project
from longitudinal_al.project.files import write_atomically
from longitudinal_al.project.ranking_file import ranking_path
from longitudinal_al.project.store import Project
from longitudinal_al.protocol import EventKind, Verb
from longitudinal_al.rounds import OPTIONS, rank, train_round, write_batch
from longitudinal_al.serving.channel import Channel
from longitudinal_al.serving.job import Job
from longitudinal_al.serving.priority import lower_priority
from longitudinal_al.serving.service import Service, Task

Result = dict[str, Any]


def prepare(job: Job, project: Project) -> Result:
    """Prepare every pair that is new or has changed."""
    if not project.status()["pairs"]:
        raise NotReady(f"{project.folder}: there are no pairs yet; add some first")
    failures = prepare_project(
        project, progress=job.progress, seed=job.arguments["seed"], interrupt=job.interrupt, tell=job.note
    )
    counts = project.status()
    return {
        "prepared": counts["pairs"] - counts["unprepared_pairs"] - counts["failed_pairs"],
        "slice_pairs": counts["slice_pairs"],
        "failed_pairs": counts["failed_pairs"],
        "failures": [{"pair": failure.pair, "reason": failure.reason} for failure in failures],
    }


def train(job: Job, project: Project, strategy: str = "") -> Result:
    """Train on all labels, as the next round, for the strategy that the worker ranks by."""
    done = train_round(
        project,
        seed=job.arguments["seed"],
        strategy_name=strategy,
        otherwise={name: job.arguments[name] for name in OPTIONS},
        progress=job.progress,
        tell=job.note,
    )
    job.send(EventKind.ROUND, number=done.number, figures=done.figures)
    return {
        "round": done.number,
        "labelled": done.labels,
        "seed": done.seed,
        "train_seconds": (done.ended - done.started).total_seconds(),
        "model": done.model,
        "figures": done.figures,
    }


def rank_pool(job: Job, project: Project, cold_start: str = "") -> Result:
    """Rank the unlabelled slice pairs, and write the ranking."""
    given = job.arguments
    chosen = {"spacing_mm": given["spacing_mm"], "seed": given["seed"]}
    batch = rank(
        project, given["strategy"], given["batch"], progress=job.report, cold_start=cold_start, **chosen
    )
    job.interrupt()
    write_batch(project, batch.entries, batch.strategy, **chosen)
    counts, rounds = project.status(), project.rounds()
    told = {
        "path": ranking_path(project.folder),
        "strategy": batch.strategy,
        "labels": counts["labelled"],
        "scored": batch.candidates,
        "total": batch.candidates,
        "chosen": len(batch.entries),
        "model": rounds[-1].model if rounds else None,
    }
    job.send(EventKind.RANKING, **told)
    return told


def predict(job: Job, project: Project) -> Result:
    """Write the predicted masks of one pair, or of all, by the model that knows the newest labels."""
    pair, out = job.arguments["pair"], job.arguments["out"]
    wanted = None if pair is None else [project.pair(pair).id]
    folder = project.folder / ("predictions" if out is None else out)
    return {"files": predict_pairs(project, wanted, folder, job.progress, current_committee)}


def explain_slice_pair(job: Job, project: Project) -> Result:
    """Write what the newest model sees in a slice pair, as arrays on the pair's grid."""
    started = time.monotonic()
    pool = Pool.open(project, split=None)
    row = pool.find(project.pair(job.arguments["pair"]).id, job.arguments["slice"])
    pictures = asdict(explain(current_committee(project), pool, row))
    entry = pool.entries[row]
    path = project.folder / "rounds" / "explanations" / f"{entry.pair}-{entry.slice}.npz"
    write_atomically(
        path, lambda temporary: np.savez_compressed(temporary, **pictures), within=project.folder
    )
    return {"path": path, "seconds": round(time.monotonic() - started, 3)}


TASKS: dict[Verb, Task] = {
    Verb.PREPARE: Task(prepare, "preparing", "Preparing the pairs.", replaces_pairs=True),
    Verb.TRAIN: Task(train, "training", "Training on all labels."),
    Verb.RANK: Task(rank_pool, "ranking", "Ranking the slice pairs that are not labelled."),
    Verb.PREDICT: Task(predict, "predicting", "Predicting masks of change."),
    Verb.EXPLAIN: Task(explain_slice_pair, "explaining", "Explaining a slice pair."),
}
"""Verb -> handler; `status`, `cancel` and `shutdown` are answered by the `Desk`, whatever goes on here."""


def serve(
    folder: Path,
    strategy: str,
    channel: Channel,
    requests: int,
    spacing_mm: float | None = None,
    cold_start: str = "",
) -> int:
    """Be the worker of a project until the front end has no more use for it.

    Parameters
    ----------
    folder : Path
        The project's folder.
    strategy : str
        By which the live loop ranks.
    channel : Channel
        To the front end.
    requests : int
        File descriptor of the requests.
    spacing_mm : float, optional
        Between the slices of a pair that it asks for; by default that of `LiveSettings`.
    cold_start : str
        By which it ranks as long as there is no model; by default as the strategy itself says.

    Returns
    -------
    int
        The exit status: 0 when asked to leave, `serving.service.VANISHED` when the project is gone.
    """
    known_strategy(strategy)  # a wrong name is better known now than after an hour
    lower_priority()
    own = {
        Verb.TRAIN: replace(TASKS[Verb.TRAIN], handler=partial(train, strategy=strategy)),
        Verb.RANK: replace(TASKS[Verb.RANK], handler=partial(rank_pool, cold_start=cold_start)),
    }
    service = Service(folder, channel, {**TASKS, **own})
    loop = LiveLoop(folder, strategy, service.publish, spacing_mm=spacing_mm, cold_start=cold_start)
    return service.run(requests, loop)
