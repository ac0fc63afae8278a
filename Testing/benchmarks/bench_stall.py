"""Measure how long the panel's thread stands still while a real worker prepares, trains and ranks beside it.

Run: `PYTHONPATH=LongitudinalAL python Testing/benchmarks/bench_stall.py`; needs slicer-core and PySide6.

The panel, its wiring and its QProcess are the module's own, on genuine MRML, with stand-ins for the widgets
of ctk and Slicer. A timer of 10 ms ticks on the event loop; what a tick comes late is a stall. Beside it
stands the processor time that the thread took between two ticks: where cores are busy with other work, a
stall without it is theirs. Projects and labels are made by processes of their own, so that this one, as
Slicer, loads no torch.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "slicer"))
os.environ["LONGITUDINALAL_PYTHON"] = sys.executable

import stand_ins  # first: `qt`
from host import Host
from PySide6 import QtCore

from longitudinal_al.frontend.ranking import Entry
from longitudinal_al.frontend.worker_state import WorkerState
from longitudinal_al.project.records import Pair, PairState, Verdict
from longitudinal_al.project.store import Project
from longitudinal_al.protocol import EventKind, Verb
from LongitudinalALLib.Settings import DEFAULTS
from LongitudinalALLib.Wiring import Wiring

TICK_MS = 10
LIMIT_MS = 50.0
IDLE_SECONDS = 15.0
ENOUGH_SECONDS = 60.0
PATIENCE = 300.0
PREPARED, NEW, LABELS = 12, 1, 6
"""Pairs, and labels on as many of the prepared ones; later as many again."""


class Ticks:
    """Ticks on the event loop, and how late they come."""

    def __init__(self) -> None:
        self._timer = QtCore.QTimer()
        self._timer.setTimerType(QtCore.Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._loop = QtCore.QEventLoop()
        self._is_done: Callable[[], bool] = lambda: True

    def until(self, is_done: Callable[[], bool], begin: Callable[[], Any] = lambda: None) -> np.ndarray:
        """Do something, let Qt run until something is so, and return a row for each tick.

        Returns
        -------
        numpy.ndarray
            (ticks, 2): by how many ms it was late, and the processor's ms since the tick before.
        """
        self._is_done, self._late, self._end = is_done, [], time.monotonic() + PATIENCE
        self._last, self._worked = time.perf_counter(), time.thread_time()
        begin()  # a click is handled on the event loop too: the time it takes is part of the first tick
        self._timer.start(TICK_MS)
        self._loop.exec()
        assert self._is_done(), "in vain"
        return np.array(self._late)

    def _tick(self) -> None:
        now, worked = time.perf_counter(), time.thread_time()
        self._late.append((max(0.0, 1e3 * (now - self._last) - TICK_MS), 1e3 * (worked - self._worked)))
        self._last, self._worked = now, worked
        if self._is_done() or time.monotonic() > self._end:
            self._timer.stop()
            self._loop.quit()


class Memory(dict):
    """Settings that are not the user's."""

    def value(self, name: str) -> Any:
        return self[name]

    setValue = dict.__setitem__

    def all(self) -> dict[str, Any]:
        return dict(self)


class NothingMissing:
    """Packages of Slicer's own Python, which is not used here."""

    def missing(self) -> None:
        return None


def main() -> None:
    """Measure, and print a line for each figure."""
    if len(sys.argv) > 1:
        {"make": make, "save": save}[sys.argv[1]](Path(sys.argv[2]))
        return
    stand_ins.install()
    with tempfile.TemporaryDirectory() as folder:
        beside("make", Path(folder)).wait()
        project = Path(folder) / "project"
        host = Host()
        wiring = Wiring(host.scene, Memory({**DEFAULTS, "annotator": "bench"}), NothingMissing())
        wiring.enter()
        try:
            measured(wiring, project)
        finally:
            wiring.cleanup()
            host.close()


def measured(wiring: Wiring, project: Path) -> None:
    """Go through the worker's kinds of work, with a slice pair on the screen."""
    ticks, study, panel = Ticks(), wiring.study, wiring.panel
    panel.project.openRequested.emit(str(project))
    ticks.until(lambda: is_in(study, WorkerState.READY))
    ticks.until(lambda: has_next(wiring))
    quiet = time.monotonic() + IDLE_SECONDS
    idle = ticks.until(lambda: time.monotonic() > quiet)
    begin = time.thread_time()
    gc.collect()
    collecting = 1e3 * (time.thread_time() - begin)
    print(f"idle: a tick is late by {words(idle)}; Python's collection of garbage takes {collecting:.1f} ms")
    for what, begin, is_done in (
        ("preparing", panel.pairs.prepareRequested.emit, lambda: all_prepared(study)),
        ("learning by itself, and ranking with what it learned", *new_labels(study)),
        ("ranking when asked to", *asked(study, Verb.RANK, strategy="entropy", batch=50)),
        ("training", *asked(study, Verb.TRAIN)),
        (
            "changing the strategy at work",
            *changed(study, lambda: change_strategy(wiring)),
        ),
        ("changing the Python at work", *changed(study, lambda: change_python(wiring))),
    ):
        late = ticks.until(is_done, begin)
        beyond = float(late[:, 0].max() - idle[:, 0].max())
        verdict = "ok" if beyond <= LIMIT_MS else "MISSED"
        print(
            f"{what}: largest stall {max(beyond, 0):.1f} ms beyond idle (limit {LIMIT_MS:.0f}) {verdict};",
            words(late),
            flush=True,
        )


def words(late: np.ndarray) -> str:
    """Say how late ticks were."""
    high, most = np.percentile(late[:, 0], 99), late[:, 0].max()
    worked = f"processor time at the most {late[:, 1].max():.1f} ms"
    return f"{high:.1f} ms at the 99th percentile, {most:.1f} at the most, of {len(late)} ticks; {worked}"


def is_in(study: Any, state: WorkerState) -> bool:
    """Tell whether there is a worker in a state."""
    return study.worker is not None and not study.isWaiting and study.worker.state is state


def has_next(wiring: Wiring) -> bool:
    """Show the next slice pair, as soon as there is one."""
    if wiring.study.session.in_hand is None and isinstance(wiring.study.session.next(), Entry):
        wiring.panel.label.nextRequested.emit()
    return wiring.study.session.in_hand is not None


def all_prepared(study: Any) -> bool:
    """Tell whether nothing is left to prepare."""
    return all(pair.state is not PairState.ADDED for pair in study.project.pairs())


def asked(study: Any, verb: Verb, **arguments: Any) -> tuple[Callable[[], None], Callable[[], bool]]:
    """Return how to ask the worker for something, and whether it has answered, or it was enough."""
    ids: list[str] = []
    ended: set[str | None] = set()
    study.happened.connect(lambda event: ended.add(event.id) if event.kind.is_terminal else None)
    end = 0.0

    def begin() -> None:
        nonlocal end
        ids.append(study.request(verb, **arguments))
        end = time.monotonic() + ENOUGH_SECONDS

    return begin, lambda: ids[0] in ended or time.monotonic() > end


def new_labels(study: Any) -> tuple[Callable[[], None], Callable[[], bool]]:
    """Return how somebody else labels, and whether the worker has learned from that and ranked."""
    ranked: list[Any] = []
    study.happened.connect(lambda event: ranked.append(event) if event.kind is EventKind.RANKING else None)

    def begin() -> None:
        ranked.clear()
        beside("save", study.project.folder)

    return begin, lambda: any((event.data.get("labels") or 0) >= 2 * LABELS for event in ranked)


def changed(study: Any, change: Callable[[], None]) -> tuple[Callable[[], None], Callable[[], bool]]:
    """Return how to change what needs another worker while this one trains, and whether that is ready."""
    before: list[Any] = []

    def begin() -> None:
        before.append(study.worker)
        if study.worker.state is not WorkerState.BUSY:
            study.request(Verb.TRAIN)
        QtCore.QTimer.singleShot(3000, change)

    return begin, lambda: study.worker not in (*before, None) and is_in(study, WorkerState.READY)


def change_strategy(wiring: Wiring) -> None:
    """Choose another strategy: it needs another worker."""
    wiring.panel.learning.strategyChosen.emit("entropy")


def change_python(wiring: Wiring) -> None:
    """Name a Python under Advanced: it is checked, and then runs the worker."""
    wiring.panel.learning.ui.pythonEdit.setText(sys.executable)
    wiring.panel.learning.ui.pythonEdit.editingFinished.emit()


def beside(what: str, folder: Path) -> subprocess.Popen[bytes]:
    """Start this file in another process, to `make` a project or to `save` labels in one."""
    return subprocess.Popen([sys.executable, __file__, what, str(folder)])


def save(folder: Path) -> None:
    """Label as many slice pairs again."""
    from bench_worker import label

    with Project.open(folder) as project:
        for number in range(LABELS, 2 * LABELS):
            project.save_label(label(number, project))


def make(folder: Path) -> None:
    """Make a project of many prepared pairs, one that is not prepared, and some labels."""
    from bench_worker import copy_by_links, label

    from longitudinal_al.pairs.preparation import prepare_project
    from longitudinal_al.project.table import read_pairs_table
    from longitudinal_al.synthesis.cohort import synthesize

    table = synthesize(folder / "cohort", patients=1, seed=1)
    with Project.create(folder / "one") as source, Project.create(folder / "project") as project:
        source.add_pairs(read_pairs_table(table))
        assert prepare_project(source) == []
        (pair,) = source.pairs()
        scans = (pair.baseline, pair.followup, pair.reference)
        names = [f"p{k}" for k in range(PREPARED)]
        project.add_pairs([Pair(name, name, *scans) for name in (*names, *(f"new{k}" for k in range(NEW)))])
        for name in names:
            copy_by_links(source.pair_folder(pair.id), project.folder / "pairs" / name)
            project.set_prepared(name, Verdict.GOOD, "", source.pair_figures(pair.id), pair.slice_pairs)
        for number in range(LABELS):
            project.save_label(label(number, project))


if __name__ == "__main__":
    main()
