"""Measure the scene on genuine MRML, without the application.

Run: `PYTHONPATH=LongitudinalAL python Testing/benchmarks/bench_scene.py`; needs slicer-core, vtk and pytest.
The pairs have the size of a clinical scan.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "slicer"))

from host import Host, canDraw, slicer
from label_desk import Desk
from scene_pairs import GEOMETRIES, Geometry, projectWithPair, writePair
from scene_state import state
from strokes import Painter, stroke

from longitudinal_al.project.files import write_json
from longitudinal_al.project.ranking_file import ranking_path
from longitudinal_al.project.records import Label, utc_now
from longitudinal_al.project.store import Project
from LongitudinalALLib.Scene import Scene
from LongitudinalALLib.SceneLayout import TAGS

LIMIT_MS = 100.0
STROKES = 200
LABELS = 48
CLINICAL = Geometry((53, 334, 325), GEOMETRIES["oblique"].ijkToRas, 0)
PAIRS = 6
"""More than stay open, so that every other one is opened anew, with the labels that it has by then."""
MRML = "Save and next to the next slice pair, MRML part"
SAVING = "  saving in the project, besides"
DRAWN = "  with the three views drawn in software, saving included"
SAME = "  without drawing, to another slice of the pair"
OTHER = "  without drawing, to a slice of another pair"
CPU = "  processor time of the same, saving included, for machines that do other work too"
VIEW = (430, 600)
"""Pixels of a view: three of them fill the width of a common screen beside the panel."""


def main() -> None:
    """Measure, and print a line for each figure."""
    with tempfile.TemporaryDirectory() as folder:
        project = projectWithPair(Path(folder) / "project", CLINICAL, PAIRS)
        strokesAgree(Path(folder))
        nextSlicePair(project)
        besidesWholeVolumes(project)
        closedWithoutTrace(Path(folder))


def nextSlicePair(project: Path) -> None:
    """Label slice pairs one after the other as a user does, in the order of a ranking.

    Timed from the signal of *Save and next*: the painted slice is read and checked, saved in the project, the
    next one taken from the queue, its pair opened, its labels drawn, its slice shown in the three views.
    """
    keys = _ranking(project)
    host, generator = Host(), np.random.default_rng(0)
    desk = Desk(project)
    seconds: dict[str, list[float]] = {name: [] for name in (MRML, CPU, SAVING, SAME, OTHER, DRAWN)}
    saving = _timed(desk.study.session)
    desk.section.nextRequested.emit()
    views = _views(host)
    for _ in keys[1:]:
        before, pair = desk.entry, desk.scene.shownPair
        _paint(host, desk, generator)
        _think(desk)
        del saving[:]
        start, cpu = time.perf_counter(), time.thread_time()
        desk.section.saveRequested.emit()
        mrml, cpu = time.perf_counter(), time.thread_time() - cpu
        for view in views or ():
            view.draw()
        end = time.perf_counter()
        assert desk.entry is not before, desk.message
        whole = mrml - start
        seconds[MRML].append(whole - sum(saving))
        seconds[SAVING].append(sum(saving))
        seconds[DRAWN].append(end - start)
        seconds[SAME if desk.scene.shownPair is pair else OTHER].append(whole)
        seconds[CPU].append(cpu)
    for name, values in seconds.items():
        note = "" if views or name != DRAWN else " (not drawn: neither EGL nor OSMesa)"
        _print(name + note, values, LIMIT_MS if name == MRML else None)
    desk.study.close()
    desk.scene.release()
    host.close()


def _ranking(project: Path) -> list[tuple[str, int]]:
    """Publish a ranking that asks for two slices of a pair, then two of the next one, and so on."""
    with Project.open(project) as opened:
        pairs = [each.id for each in opened.pairs()]
    rounds = [(8 + 6 * number, 11 + 6 * number) for number in range(LABELS // (2 * len(pairs)))]
    keys = [(pair, k) for both in rounds for pair in pairs for k in both]
    entries = [
        {"pair": pair, "patient": pair, "slice": k, "score": 1 - place / 100, "reason": "why"}
        for place, (pair, k) in enumerate(keys)
    ]
    head = {"strategy": "entropy", "spacing_mm": 5.0, "thickness_mm": dict.fromkeys(pairs, 3.3)}
    write_json(ranking_path(project), {**head, "total": len(entries), "ranking": entries})
    return keys


def _timed(session: Any) -> list[float]:
    """Let a session take down how long each of its savings takes."""
    seconds: list[float] = []
    save = session.save

    def timed(*arguments: Any) -> Any:
        start = time.perf_counter()
        try:
            return save(*arguments)
        finally:
            seconds.append(time.perf_counter() - start)

    session.save = timed
    return seconds


def _paint(host: Host, desk: Desk, generator: np.random.Generator) -> None:
    """Paint on the slice in hand, and on every third on its neighbour too."""
    pair, k = desk.scene.shownPair, desk.entry.slice
    painter = Painter(host, pair)
    painter.paint(k, np.eye(*pair.grid.sliceShape, dtype=bool) | stroke(pair.grid.sliceShape, generator))
    if k % 3 == 2:
        desk.scene.jump(k + 1)
        painter.paint(k + 1, stroke(pair.grid.sliceShape, generator))


def besidesWholeVolumes(project: Path) -> None:
    """Compare a slice with what slicer.util does for the volume, and opening a pair with Slicer's reader."""
    folder = next(each for each in sorted((project / "pairs").iterdir()) if each.is_dir())
    host = Host()
    scene = Scene()
    scene.readAhead(folder)
    scene._pairs.waitForReader()
    opening = _once(lambda: scene.openPair(folder, CLINICAL.axis))
    pair = scene.pairs[0]
    scene.show(pair)
    logic, k = host.logic("volumes"), pair.grid.slices // 2
    theirOpening = _once(
        lambda: [logic.AddArchetypeVolume(str(folder / f"{role}.nii.gz"), role, 0) for role in TAGS]
    )
    label = np.eye(*pair.grid.sliceShape, dtype=np.uint8)
    whole = np.zeros(pair.grid.shape, np.uint8)
    np.moveaxis(whole, pair.grid.axis, 0)[k] = label
    id_, node, source = scene.segmentId(), pair.segmentation, pair.followup
    writing = _once(lambda: scene.writeSliceLabel(k, label))
    reading = _once(lambda: scene.readSliceLabel(k))
    theirReading = _once(lambda: slicer.util.arrayFromSegmentBinaryLabelmap(node, id_, source))
    theirWriting = _once(lambda: slicer.util.updateSegmentBinaryLabelmapFromArray(whole, node, id_, source))
    for what, ours, theirs in (
        ("opening a pair that was read ahead, and by Slicer's reader", opening, theirOpening),
        ("writing a slice, and the volume by slicer.util", writing, theirWriting),
        ("reading a slice, and the volume by slicer.util", reading, theirReading),
    ):
        print(f"{what}: {ours * 1000:.1f} ms, {theirs * 1000:.1f} ms, {theirs / ours:.0f} times faster")
    scene.release()
    host.close()


def _once(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def strokesAgree(folder: Path) -> None:
    """Paint random strokes in every geometry, and read every slice back from the project's file."""
    wrong = pixels = strokes = 0
    for name, geometry in GEOMETRIES.items():
        wrong_, pixels_, strokes_ = _strokesIn(folder / "strokes" / name, geometry)
        wrong, pixels, strokes = wrong + wrong_, pixels + pixels_, strokes + strokes_
    verdict = "ok" if wrong == 0 and strokes >= STROKES else "MISSED"
    print(
        f"{strokes} strokes in {len(GEOMETRIES)} geometries: {wrong} of {pixels} pixels read differ {verdict}"
    )


def _strokesIn(folder: Path, geometry: Geometry) -> tuple[int, int, int]:
    host, generator = Host(), np.random.default_rng(7)
    scene = Scene()
    folder = projectWithPair(folder, geometry)
    pair = scene.openPair(folder / "pairs" / "pair1", geometry.axis)
    scene.show(pair)
    if geometry.underTransform:
        from conftest import someTransform

        scene.setTransform(someTransform(host.scene))
    painter = Painter(host, pair)
    expected = np.zeros((pair.grid.slices, *pair.grid.sliceShape), np.uint8)
    count, wrong = -(-STROKES // len(GEOMETRIES)), 0
    with Project.open(folder) as project:
        for number in range(count):
            k = int(generator.integers(pair.grid.slices))
            mask, erase = stroke(pair.grid.sliceShape, generator), number % 5 == 4
            painter.paint(k, mask, erase=erase)
            expected[k][mask] = 0 if erase else 1
            now = utc_now()
            project.save_label(Label("pair1", k, scene.readSliceLabel(k), "bench", now, now))
            wrong += _wrong(folder, expected)
    scene.release()
    host.close()
    return wrong, count * expected.size, count


def _wrong(folder: Path, expected: np.ndarray) -> int:
    """Count the pixels that another process finds otherwise in the project's file."""
    found = np.zeros_like(expected)
    with Project.open(folder) as project:
        for label in project.labels():
            found[label.slice] = label.mask
    return int(np.count_nonzero(found != expected))


def closedWithoutTrace(folder: Path) -> None:
    """Open, label and close, and compare the scene."""
    differing = []
    for name, geometry in GEOMETRIES.items():
        host = Host()
        before = state(host)
        scene = Scene()
        pair = scene.openPair(writePair(folder / "closing" / "pairs" / name, geometry), geometry.axis)
        scene.show(pair)
        scene.writeSliceLabel(2, np.eye(*pair.grid.sliceShape, dtype=np.uint8))
        scene.setOverlay("uncertainty", scene.shownSlice(), np.ones(pair.grid.sliceShape))
        scene.release()
        if state(host) != before:
            differing.append(name)
        host.close()
    verdict = "MISSED" if differing else "ok"
    print(
        f"scene after closing, {len(GEOMETRIES)} geometries: {', '.join(differing) or 'identical'} {verdict}"
    )


def _views(host: Host) -> list | None:
    if not canDraw():
        return None
    views = [host.view(tag, VIEW) for tag in TAGS.values()]
    for view in views:
        view.draw()
    return views


def _think(desk: Desk) -> None:
    """Let the reader and the timer do what they do in the seconds that an annotator takes."""
    desk.scene._pairs.waitForReader()
    desk.study.tick()


def _print(what: str, seconds: list[float], limit: float | None) -> None:
    middle, high = np.percentile(np.array(seconds) * 1000, [50, 95])
    verdict = "" if limit is None else f" (limit {limit:.0f}) {'ok' if high <= limit else 'MISSED'}"
    print(f"{what}: {middle:.0f} ms median, {high:.0f} ms 95th percentile of {len(seconds)}{verdict}")


if __name__ == "__main__":
    main()
