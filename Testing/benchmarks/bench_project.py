"""How long saving a label and opening a large project take, against a bare durable write."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from longitudinal_al.project.database import Database
from longitudinal_al.project.mask_coding import encode_mask
from longitudinal_al.project.records import Label, Pair, Verdict, utc_now
from longitudinal_al.project.store import PROJECT_FILE, Project

PAIRS, SLICES, LABELS = 1_000, 100, 20_000
SAVE_LIMIT, OPEN_LIMIT = 0.050, 1.0


def main() -> None:
    """Print the figures, one a line."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        small, large = folder / "small", folder / "large"
        make_project(small, pairs=2, labels=0)
        make_project(large, PAIRS, LABELS)
        megabytes = (large / PROJECT_FILE).stat().st_size / 1e6
        print(
            f"large project: {PAIRS} pairs, {PAIRS * SLICES} slice pairs, {LABELS} labels, {megabytes:.1f} MB"
        )
        peer = seconds_of(lambda: durable_write(folder / "peer.bin", 20_000), 50)
        print(f"peer: write and fsync of 20 kB          median {1e3 * np.median(peer):7.2f} ms")
        for which in (small, large):
            report_saving(which, float(np.median(peer)))
        report_opening(large)


def report_saving(folder: Path, peer: float) -> None:
    """Save 512 x 512 labels, mostly empty as real ones are, and busy ones as no human draws them."""
    noise = np.random.default_rng(1)
    lesion = np.zeros((512, 512), np.uint8)
    lesion[200:260, 220:300] = noise.integers(0, 2, (60, 80))
    busy = noise.integers(0, 2, (512, 512), dtype=np.uint8)
    with Project.open(folder) as project:
        for word, mask in (("lesion", lesion), ("worst", busy)):
            times = seconds_of(lambda mask=mask: project.save_label(label(0, 5, mask)), 100)
            slow = float(np.percentile(times, 95))
            print(
                f"save a label ({folder.name}, {word:6s})           median {1e3 * np.median(times):7.2f} ms, "
                f"95 % {1e3 * slow:7.2f} ms, {np.median(times) / peer:5.2f} x peer   "
                f"{verdict(slow, SAVE_LIMIT)} (<= {1e3 * SAVE_LIMIT:.0f} ms)"
            )


def report_opening(folder: Path) -> None:
    """Open the large project, and ask what a front end asks first."""

    def first_look() -> None:
        with Project.open(folder) as project:
            project.status()
            project.pairs()
            project.labelled()

    for word, action in (
        ("open", lambda: Project.open(folder).close()),
        ("open, status, pairs, labelled", first_look),
    ):
        times = seconds_of(action, 10)
        print(
            f"{word:39s} median {1e3 * np.median(times):7.2f} ms, worst {1e3 * max(times):7.2f} ms   "
            f"{verdict(max(times), OPEN_LIMIT)} (<= {OPEN_LIMIT:.0f} s)"
        )
    with Project.open(folder) as project:
        median = 1e3 * np.median(seconds_of(project.status, 10))
        print(f"{'status alone':39s} median {median:7.2f} ms")


def make_project(folder: Path, pairs: int, labels: int) -> None:
    """Make a project whose labels are there from the start (in one transaction, or it would take minutes)."""
    with Project.create(folder) as project:
        project.add_pairs(
            [Pair(f"p{k}", f"P{k // 2}", folder / f"{k}a", folder / f"{k}b") for k in range(pairs)]
        )
        for k in range(min(pairs, 20)):
            project.set_prepared(f"p{k}", Verdict.GOOD, "", {}, SLICES)
    noise = np.random.default_rng(0)
    database = Database(folder / PROJECT_FILE)
    with database.transaction() as connection:
        connection.execute(
            "UPDATE pairs SET state = 'prepared', verdict = 'good', slice_pairs = ?", (SLICES,)
        )
        for k in range(labels):
            mask = np.zeros((256, 256), np.uint8)
            mask[100:120, 90:120] = noise.integers(0, 2, (20, 30))
            coded = encode_mask(mask)
            connection.execute(
                "INSERT INTO labels (pair, slice, withdrawn, annotator, saved, started, ended, "
                "suggestion_shown, rows, columns, coding, crc, mask) "
                "VALUES (?, ?, 0, 'bench', ?, ?, ?, 0, ?, ?, ?, ?, ?)",
                (f"p{k % pairs}", k // pairs, *[utc_now().isoformat()] * 3, *vars(coded).values()),
            )
    database.close()


def label(pair: int, slice_index: int, mask: np.ndarray) -> Label:
    """Make a label of now."""
    return Label(f"p{pair}", slice_index, mask, "bench", utc_now(), utc_now())


def durable_write(path: Path, size: int) -> None:
    """Do the least that any durable store has to do."""
    with path.open("wb") as file:
        file.write(bytes(size))
        file.flush()
        os.fsync(file.fileno())


def seconds_of(action: Callable[[], object], times: int) -> list[float]:
    """Time an action again and again."""
    result = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        result.append(time.perf_counter() - start)
    return result


def verdict(value: float, limit: float) -> str:
    """Say whether a figure is reached."""
    return "ok" if value <= limit else "MISSED"


if __name__ == "__main__":
    main()
