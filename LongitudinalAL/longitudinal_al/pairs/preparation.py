"""From scans to the pool of slice pairs: prepares what is new or has changed, pair by pair."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from longitudinal_al.errors import Cancelled, LongitudinalALError, StorageFailed
from longitudinal_al.interruption import Interrupt, never
from longitudinal_al.pairs.pair_preparation import Outcome, prepare_pair
from longitudinal_al.pairs.pixel_size import network_pixel_mm
from longitudinal_al.pairs.prepared import is_current, is_usable, missing_source, preparation_key
from longitudinal_al.project.records import Pair, PairState, Verdict
from longitudinal_al.project.store import Project

Progress = Callable[[str, float], None]
AT_ONCE = 2
"""Pairs prepared side by side: most steps use one core only."""


@dataclass(frozen=True)
class Failure:
    """A pair that could not be prepared, and why."""

    pair: str
    reason: str


def prepare_project(
    project: Project,
    *,
    progress: Progress | None = None,
    seed: int = 0,
    interrupt: Interrupt = never,
    executor: Executor | None = None,
    tell: Callable[[str], None] = lambda sentence: None,
) -> list[Failure]:
    """Prepare every pair that is not prepared yet, or whose scans have changed since.

    A pair that fails is set aside with its reason, and the others go on. One that is prepared stays so while
    its scans cannot be found, as on a share that is not connected.

    Parameters
    ----------
    project : Project
        An open project.
    progress : callable, optional
        Called with the pair's id and the share of all work that is done, from 0 to 1.
    seed : int
        Of the random steps of the registration.
    interrupt : callable
        Called several times a second, on any thread; what it raises ends the work between two steps of a
        pair. `Cancelled` is the error for that: the pairs at hand stay as they were.
    executor : Executor, optional
        Where pairs are prepared; by default two at a time on this computer. Another computer has to see the
        same files under the same paths, and is not interrupted in the middle of a pair.
    tell : callable
        Called with a sentence for the user about each prepared pair whose scans cannot be found.

    Returns
    -------
    list of Failure
        The pairs that could not be prepared now.

    Raises
    ------
    StorageFailed
        When the disk is full or gone.
    ProjectBusy
        When another process prepares or trains.
    """
    report = progress or (lambda pair, share: None)
    failures = []
    with project.writer_lock("preparing"):
        pixel_mm = network_pixel_mm(project)
        todo = _unprepared(project, pixel_mm, tell)
        report("", 0.0)
        for done, (pair, outcome) in enumerate(
            _prepare_all(project, todo, pixel_mm, seed, interrupt, executor), start=1
        ):
            if outcome.verdict is Verdict.FAILED:
                project.set_failed(pair.id, outcome.reason, outcome.figures, pair)
                failures.append(Failure(pair.id, outcome.reason))
            else:
                found = (outcome.verdict, outcome.reason, outcome.figures, outcome.slice_pairs)
                project.set_prepared(pair.id, *found, pair)
            report(pair.id, done / len(todo))
        report("", 1.0)
    return failures


def _unprepared(
    project: Project, pixel_mm: float, tell: Callable[[str], None]
) -> dict[str, tuple[Pair, str]]:
    """Return the pairs to prepare with their keys, by id."""
    todo = {}
    for pair in project.pairs():
        folder = project.pair_folder(pair.id)
        if pair.overruled is Verdict.FAILED:
            continue  # set aside by hand
        missing = missing_source(pair)
        if missing and pair.state is PairState.PREPARED and is_usable(folder):
            tell(f"pair {pair.id}: {missing} cannot be found; what was prepared of it is used as it is")
            continue
        key = preparation_key(pair, pixel_mm)
        if pair.state is not PairState.PREPARED or not is_current(folder, key, pair.reference is not None):
            todo[pair.id] = (pair, key)
    return todo


def _prepare_all(
    project: Project,
    todo: Mapping[str, tuple[Pair, str]],
    pixel_mm: float,
    seed: int,
    interrupt: Interrupt,
    executor: Executor | None,
) -> Iterator[tuple[Pair, Outcome]]:
    """Prepare pairs side by side and yield each as it is done; what is not begun is dropped on an error."""
    heard = never if executor else interrupt
    with nullcontext(executor) if executor else ThreadPoolExecutor(AT_ONCE) as place:
        running: dict[Future[Outcome], Pair] = {
            place.submit(
                _prepare_or_say_why, project.pair_folder(name), pair, key, pixel_mm, seed, heard
            ): pair
            for name, (pair, key) in todo.items()
        }
        try:
            for job in as_completed(running):
                yield running[job], job.result()
                interrupt()  # heard between two pairs where the pairs themselves cannot be
        finally:
            for job in running:
                job.cancel()


def _prepare_or_say_why(
    folder: Path, pair: Pair, key: str, pixel_mm: float, seed: int, interrupt: Interrupt
) -> Outcome:
    """Prepare a pair; an error in its data is an outcome, a full disk or the user's change of mind is not."""
    try:
        return prepare_pair(folder, pair, key, pixel_mm, seed, interrupt)
    except (StorageFailed, Cancelled):
        raise
    except LongitudinalALError as error:
        return Outcome(Verdict.FAILED, str(error), {}, 0)
