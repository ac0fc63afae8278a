"""The worker beside an annotator: nobody waits, cancel is heard, memory stays flat, and no label is lost.

`--quick` takes fewer labels, cancels and hours; `--but lost` leaves a part out. Peers, measured in the same
run: a bare durable write for the labels, importing torch for the start, an idle computer for the tick.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import longitudinal_al
from longitudinal_al.frontend.annotation import AnnotationSession
from longitudinal_al.frontend.ranking import Entry
from longitudinal_al.frontend.worker_client import WorkerClient
from longitudinal_al.frontend.worker_state import WorkerState
from longitudinal_al.pairs.preparation import prepare_project
from longitudinal_al.project.records import Label, Pair, Verdict, utc_now
from longitudinal_al.project.store import Project
from longitudinal_al.project.table import read_pairs_table
from longitudinal_al.protocol import EventKind, Verb
from longitudinal_al.synthesis.cohort import synthesize

NEXT_LIMIT, CANCEL_LIMIT, START_LIMIT, TICK_LIMIT = 0.050, 2.0, 2.0, 2.0
RANKING_LIMIT = 30.0
ANSWER_LIMIT, GONE_LIMIT, HUNG_LIMIT, GROWTH_LIMIT = 0.200, 5.0, 10.0, 0.05
TICK = 0.020
PATIENCE = 600.0
CYCLES_AN_HOUR = 25
PACKAGE = Path(longitudinal_al.__file__).resolve().parents[1]

# The real worker with trainings of a few steps, so that hours of labelling pass in minutes.
HURRIED = """
import sys
from longitudinal_al.cli import main, worker
from longitudinal_al.serving import channel
taken = channel.take_pipes()
worker.take_pipes = lambda: taken
from longitudinal_al import rounds
from longitudinal_al.network.training import TrainingSettings
from longitudinal_al.live import loop
from longitudinal_al.live.settings import LiveSettings
short = TrainingSettings(steps=8, pretraining=0, batch=4, patch=64)
rounds.TrainingSettings = lambda: short
loop.LiveSettings = lambda: LiveSettings(first=short, quick=short, round=short, check=short)
sys.exit(main(sys.argv[1:]))
"""


def main() -> int:
    """Print the figures, one a line; 1 when one is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer labels, cancels and hours")
    parser.add_argument("--but", nargs="*", default=[], metavar="PART", help="leave these parts out")
    arguments = parser.parse_args()
    quick = arguments.quick
    missed = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        large, small = make_projects(folder)
        parts = {
            "starting": lambda: starting(small),
            "learning": lambda: learning(large),
            "labelling": lambda: labelling(large, 100 if quick else 500),
            "ticking": lambda: ticking(large, 5 if quick else 30),
            "cancelling": lambda: cancelling(large, 20 if quick else 100),
            "vanishing": lambda: vanishing(small),
            "hanging": lambda: hanging(small),
            "hours": lambda: hours(small, 1 if quick else 8),
            "lost": lost,
        }
        for figures in (part for name, part in parts.items() if name not in arguments.but):
            for what, value, limit, unit, remark in figures():
                word = "ok" if value <= limit else "MISSED"
                missed += word == "MISSED"
                print(f"{what:58s} {value:8.3f} {unit:2s} (<= {limit:g})  {remark:44s} {word}", flush=True)
    return int(missed > 0)


Figures = Iterator[tuple[str, float, float, str, str]]


def starting(folder: Path) -> Figures:
    """Start the worker, and import torch, in turns."""
    peer, own = [], []
    for _ in range(4):  # the first of each warms the computer's file cache
        peer.append(
            seconds_of(lambda: subprocess.run([sys.executable, "-c", "import torch, monai.networks"]))
        )
        begin = time.perf_counter()
        with worker_of(folder):
            own.append(time.perf_counter() - begin)
    ratio = float(np.median(own[1:]) / np.median(peer[1:]))
    remark = f"{np.median(own[1:]):.2f} s against {np.median(peer[1:]):.2f} s"
    yield "worker start to ready, against importing torch and monai", ratio, START_LIMIT, "x", remark


def learning(folder: Path) -> Figures:
    """Let a worker find the first labels of a project, and rank by a model that knows them."""
    with worker_of(folder) as worker:
        begin, said = time.perf_counter(), []

        def ranked_by_a_model() -> bool:
            said.extend(worker.poll())
            return any(event.kind is EventKind.RANKING and event.data["scored"] for event in said)

        wait_until(ranked_by_a_model)
        value = time.perf_counter() - begin
    yield "first labels to a ranking by a model", value, RANKING_LIMIT, "s", "a worker without a model"


def labelling(folder: Path, count: int) -> Figures:
    """Label as fast as the front end lets one, while the worker trains and trains."""
    bare = [seconds_of(lambda: durable_write(folder / "bare")) for _ in range(50)]
    with Project.open(folder) as project, worker_of(folder) as worker:
        answer(worker, worker.request(Verb.RANK, strategy="difference", batch=2 * count))
        session = AnnotationSession(project, worker, "bench")
        session.next()
        session.no_change()
        train, times, answers, asked = worker.request(Verb.TRAIN), [], [], None
        while len(times) < count:
            entry = session.next()
            if not isinstance(entry, Entry):
                print(f"only {len(times)} labels: {entry}")
                break
            mask = np.zeros((session.grid().rows, session.grid().columns), np.uint8)
            mask[40:60, 40:70] = 1
            begin = time.perf_counter()
            session.save(mask)
            session.next()
            times.append(time.perf_counter() - begin)
            for _ in range(5):  # what a front end's timer does meanwhile
                time.sleep(TICK)
                events = session.poll()
                if any(event.id == train and event.kind.is_terminal for event in events):
                    train = worker.request(Verb.TRAIN)
                if asked and any(event.id == asked[0] for event in events):
                    answers.append(time.perf_counter() - asked[1])
                    asked = None
                if asked is None:
                    asked = worker.request(Verb.STATUS), time.perf_counter()
    slow, word = percentile(times, 99), f"median {1e3 * np.median(times):.1f} ms, bare write"
    remark = f"{word} {1e3 * np.median(bare):.1f} ms"
    yield f"save to the next slice pair, 99 % of {len(times)} labels", slow, NEXT_LIMIT, "s", remark
    remark = f"median {1e3 * np.median(answers):.0f} ms, looked at every {1e3 * TICK:.0f} ms"
    yield (
        f"status answered while training, 99 % of {len(answers)}",
        percentile(answers, 99),
        ANSWER_LIMIT,
        "s",
        remark,
    )


def ticking(folder: Path, seconds: float) -> Figures:
    """Tick every 20 ms as a front end does: idle, then beside a worker in training."""
    idle = ticks(seconds, lambda: None)
    with worker_of(folder) as worker:
        answer(worker, worker.request(Verb.STATUS, labelling=True))
        train = worker.request(Verb.TRAIN)
        wait_until(lambda: any(event.kind is EventKind.PROGRESS for event in worker.poll()))

        def poll() -> None:
            nonlocal train
            if any(event.id == train and event.kind.is_terminal for event in worker.poll()):
                train = worker.request(Verb.TRAIN)

        busy = ticks(seconds, poll)
    before, after = percentile(idle, 99), percentile(busy, 99)
    remark = f"{1e3 * after:.1f} ms against {1e3 * before:.1f} ms idle"
    yield "a front end's 20 ms tick while the worker trains, 99 %", after / before, TICK_LIMIT, "x", remark


def cancelling(folder: Path, count: int) -> Figures:
    """Cancel every kind of work at a random moment, and wait for the answer and until the worker is idle."""
    work = [(Verb.TRAIN, {}), (Verb.RANK, {"strategy": "entropy", "batch": 50}), (Verb.PREDICT, {})]
    chance = random.Random(0)
    idle, heard, answers = [], [], []
    with Project.open(folder) as project, worker_of(folder) as worker:
        answer(worker, worker.request(Verb.TRAIN))
        for k in range(count):
            verb, arguments = (*work, (Verb.PREPARE, {}))[k % 4]
            if verb is Verb.PREPARE:
                (project.pair_folder("p0") / "prepared.json").unlink(missing_ok=True)
            asked = worker.request(verb, **arguments)
            time.sleep(chance.uniform(0, 4))
            answers.append(seconds_of(lambda: answer(worker, worker.request(Verb.STATUS))))
            begin = time.perf_counter()
            cancel = worker.request(Verb.CANCEL)
            answer(worker, cancel)
            heard.append(time.perf_counter() - begin)
            if asked in worker.conversation.pending:
                answer(worker, asked)
            idle.append(time.perf_counter() - begin)
            if verb is Verb.PREPARE:
                answer(worker, worker.request(verb))
    remark = f"median {np.median(idle):.2f} s, slowest {max(idle):.2f} s"
    yield f"from cancel to idle, 99 % of {count}", percentile(idle, 99), CANCEL_LIMIT, "s", remark
    for what, times in (("status answered in any work", answers), ("cancel answered in any work", heard)):
        remark = f"median {1e3 * np.median(times):.0f} ms, slowest {1e3 * max(times):.0f} ms"
        yield f"{what}, 99 % of {count}", percentile(times, 99), ANSWER_LIMIT, "s", remark


def vanishing(folder: Path) -> Figures:
    """Close the worker's standard input in the middle of a training, as a front end does that dies."""
    times = []
    for _ in range(3):
        with worker_of(folder) as worker:
            worker.request(Verb.TRAIN)
            wait_until(lambda worker=worker: any(e.kind is EventKind.PROGRESS for e in worker.poll()))
            begin = time.perf_counter()
            worker.transport.close_input()
            worker.transport._process.popen.wait()
            times.append(time.perf_counter() - begin)
    remark = f"slowest of {len(times)}, in the middle of a training"
    yield "a front end vanishes: the worker is gone after", max(times), GONE_LIMIT, "s", remark


def hanging(folder: Path) -> Figures:
    """Stop the worker's process, and wait until its client says so."""
    if os.name != "posix":
        return
    import signal

    with worker_of(folder) as worker:
        os.kill(worker.process_id, signal.SIGSTOP)
        begin = time.perf_counter()
        wait_until(lambda: worker.poll() is not None and worker.state is WorkerState.HUNG)
        yield "a worker hangs: noticed after", time.perf_counter() - begin, HUNG_LIMIT, "s", ""


def hours(folder: Path, count: int) -> Figures:
    """Label, train and rank again and again; the memory of the first tenth is that of the last."""
    import psutil

    memory = []
    command = [sys.executable, "-c", HURRIED, "worker", str(folder)]
    with Project.open(folder) as project, worker_of(folder, command) as worker:
        process = psutil.Process(worker.process_id)
        for cycle in range(count * CYCLES_AN_HOUR):
            for k in range(4):
                project.save_label(label(4 * cycle + k, project))
            answer(worker, worker.request(Verb.TRAIN, seed=cycle))
            answer(worker, worker.request(Verb.RANK, strategy="entropy", batch=20))
            memory.append(process.memory_info().rss / 2**20)
    tenth = max(len(memory) // 10, 1)
    before, after = np.median(memory[tenth : 2 * tenth]), np.median(memory[-tenth:])
    remark = f"{before:.0f} MiB after the first tenth, {after:.0f} at the end"
    yield (
        f"growth of memory over {count} h ({len(memory)} rounds)",
        after / before - 1,
        GROWTH_LIMIT,
        "",
        remark,
    )


def lost() -> Figures:
    """Run the fault tests, which count every label."""
    tests = Path(__file__).parents[1] / "engine" / "faults"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tests.parents[2], env=environment())
    remark = done.stdout.strip().splitlines()[-1][:44]
    yield "labels lost over all fault tests (short counts)", float(done.returncode != 0), 0, "", remark


def make_projects(folder: Path) -> tuple[Path, Path]:
    """Make a project of one synthetic pair, and one with many copies of it."""
    table = synthesize(folder / "cohort", patients=1, seed=1)
    small, large = folder / "small", folder / "large"
    with Project.create(small) as project:
        project.add_pairs(read_pairs_table(table))
        assert prepare_project(project) == []
        (pair, *_) = project.pairs()
        prepared, figures = project.pair_folder(pair.id), project.pair_figures(pair.id)
        for number in range(3):
            project.save_label(label(number, project))
    with Project.create(large) as project:
        scans = (pair.baseline, pair.followup, pair.reference)
        project.add_pairs([Pair(f"p{k}", f"patient {k}", *scans) for k in range(40)])
        for k in range(40):
            copy_by_links(prepared, project.folder / "pairs" / f"p{k}")
            project.set_prepared(f"p{k}", Verdict.GOOD, "", figures, pair.slice_pairs)
        for number in range(6):
            project.save_label(label(number, project))
    print(f"{40 * pair.slice_pairs} slice pairs of 40 pairs, and {pair.slice_pairs} of one")
    return large, small


def copy_by_links(source: Path, target: Path) -> None:
    """Copy a folder of files that are never changed in place."""
    target.mkdir(parents=True)
    for file in source.iterdir():
        (target / file.name).hardlink_to(file)


def label(number: int, project: Project) -> Label:
    """Make a label of a slice pair, with a small change."""
    pairs = project.pairs()
    pair = pairs[number % len(pairs)]
    grid = AnnotationSession(project, None, "bench")
    grid.open(pair.id, 0)
    mask = np.zeros((grid.grid().rows, grid.grid().columns), np.uint8)
    mask[60:75, 60 + number % 30 : 80 + number % 30] = 1
    index = pair.slice_pairs // 4 + 3 * number % (pair.slice_pairs // 2)
    return Label(pair.id, index, mask, "bench", utc_now(), utc_now())


@contextmanager
def worker_of(folder: Path, command: list[str] | None = None) -> Iterator[WorkerClient]:
    """Start a worker and wait until it is ready."""
    with WorkerClient(folder, command=command, environment=environment()) as worker:
        worker.start()
        wait_until(lambda: worker.poll() is not None and worker.state is not WorkerState.STARTING)
        assert worker.state is WorkerState.READY, worker.state
        yield worker


def environment() -> dict[str, str]:
    """Return this process's environment, in which the package is found."""
    return {**os.environ, "PYTHONPATH": str(PACKAGE)}


def answer(worker: WorkerClient, request: str) -> None:
    """Wait for the end of a request."""
    end = worker.wait(request, PATIENCE)
    assert end.kind in (EventKind.DONE, EventKind.CANCELLED), end


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for something that a worker does."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, "in vain"
        time.sleep(0.002)


def ticks(seconds: float, work: Callable[[], None]) -> list[float]:
    """Return how long each tick took that should take 20 ms."""
    lengths, last = [], time.perf_counter()
    end = last + seconds
    while last < end:
        work()
        time.sleep(max(0.0, last + TICK - time.perf_counter()))
        now = time.perf_counter()
        lengths.append(now - last)
        last = now
    return lengths


def durable_write(path: Path) -> None:
    """Do the least that any durable store has to do."""
    with path.open("wb") as file:
        file.write(bytes(4096))
        file.flush()
        os.fsync(file.fileno())


def seconds_of(action: Callable[[], object]) -> float:
    """Time an action once."""
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def percentile(values: list[float], share: float) -> float:
    """Return a percentile; NaN of nothing, which misses every figure."""
    return float(np.percentile(values, share)) if values else float("nan")


if __name__ == "__main__":
    sys.exit(main())
