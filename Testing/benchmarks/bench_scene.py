"""Measure the scene on genuine MRML, without the application.

Run: `PYTHONPATH=LongitudinalAL python Testing/benchmarks/bench_scene.py [PROJECT]`; needs slicer-core, vtk.
PROJECT is a folder with prepared pairs; without one, pairs of the size of a clinical scan are made.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "slicer"))

from host import Host, canDraw, slicer
from scene_pairs import GEOMETRIES, Geometry, writePair
from scene_state import state
from strokes import Painter, stroke

from LongitudinalALLib.Scene import Scene
from LongitudinalALLib.SceneLayout import TAGS

LIMIT_MS = 100.0
STROKES = 200
LABELS = 60
SAME, OTHER = "another slice of the pair", "a slice of another pair"
MRML = "MRML without drawing"
CPU = "processor time of this process, for machines that do other work too"
VIEW = (430, 600)
"""Pixels of a view: three of them fill the width of a common screen beside the panel."""


def main() -> None:
    """Measure, and print a line for each figure."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(sys.argv[1]) if len(sys.argv) > 1 else _made(Path(folder))
        strokesAgree(Path(folder))
        nextSlicePair(project)
        besidesWholeVolumes(project)
        closedWithoutTrace(Path(folder))


def nextSlicePair(project: Path) -> None:
    """Label slice pairs one after the other, each of another pair, as a ranking asks for them."""
    pairs = [(each, _axis(each)) for each in sorted((project / "pairs").iterdir()) if each.is_dir()]
    host, generator = Host(), np.random.default_rng(0)
    scene = Scene()
    views, drawn = None, True
    seconds: dict[str, list[float]] = {name: [] for name in (SAME, OTHER, MRML, CPU)}
    for number in range(LABELS):
        folder, axis = pairs[(number // 2) % len(pairs)]
        following = pairs[((number + 2) // 2) % len(pairs)][0]
        k = int(generator.integers(*_range(scene, folder)))
        pair = scene.shownPair
        if pair is not None:
            Painter(host, pair).paint(scene.shownSlice() or 0, stroke(pair.grid.sliceShape, generator))
        kind = SAME if pair is not None and pair.folder == folder else OTHER
        start, cpu = time.perf_counter(), time.process_time()
        if pair is not None:
            for each in scene.sliceLabelsPainted():
                scene.readSliceLabel(each)
                scene.markSaved(each)
        opened = scene.openPair(folder, axis)
        scene.show(opened, min(k, opened.grid.slices - 1))
        mrml = time.perf_counter()
        if views is None and drawn:
            views = _views(host)
            drawn = views is not None
        for view in views or ():
            view.draw()
        end = time.perf_counter()
        if number > 1:
            seconds[kind].append(end - start)
            seconds[MRML].append(mrml - start)
            seconds[CPU].append(time.process_time() - cpu)
        _closeOld(scene, opened)
        scene.readAhead(following)
        _think(scene)
    what = "Save and next to the next slice pair on screen" + (
        "" if views else " (not drawn: neither EGL nor OSMesa)"
    )
    _print("Save and next to the next slice pair, MRML part", seconds.pop(MRML), LIMIT_MS)
    _print(what, seconds[SAME] + seconds[OTHER], LIMIT_MS)
    for name, values in seconds.items():
        _print(f"  {name}", values, None)
    scene.release()
    host.close()


def besidesWholeVolumes(project: Path) -> None:
    """Compare a slice with what slicer.util does for the volume, and opening a pair with Slicer's reader."""
    folder = next(each for each in sorted((project / "pairs").iterdir()) if each.is_dir())
    host = Host()
    scene = Scene()
    scene.readAhead(folder)
    _think(scene)
    opening = _once(lambda: scene.openPair(folder, _axis(folder)))
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
    """Paint random strokes in every geometry and read every slice back."""
    wrong = pixels = strokes = 0
    for name, geometry in GEOMETRIES.items():
        wrong_, pixels_, strokes_ = _strokesIn(folder / "strokes" / "pairs" / name, geometry)
        wrong, pixels, strokes = wrong + wrong_, pixels + pixels_, strokes + strokes_
    verdict = "ok" if wrong == 0 and strokes >= STROKES else "MISSED"
    print(
        f"{strokes} strokes in {len(GEOMETRIES)} geometries: {wrong} of {pixels} pixels read differ {verdict}"
    )


def _strokesIn(folder: Path, geometry: Geometry) -> tuple[int, int, int]:
    host, generator = Host(), np.random.default_rng(7)
    scene = Scene()
    pair = scene.openPair(writePair(folder, geometry), geometry.axis)
    scene.show(pair)
    if geometry.underTransform:
        from conftest import someTransform

        scene.setTransform(someTransform(host.scene))
    painter = Painter(host, pair)
    expected = np.zeros((pair.grid.slices, *pair.grid.sliceShape), np.uint8)
    count, wrong = -(-STROKES // len(GEOMETRIES)), 0
    for number in range(count):
        k = int(generator.integers(pair.grid.slices))
        mask, erase = stroke(pair.grid.sliceShape, generator), number % 5 == 4
        painter.paint(k, mask, erase=erase)
        expected[k][mask] = 0 if erase else 1
        read = np.stack([scene.readSliceLabel(each) for each in range(pair.grid.slices)])
        wrong += int(np.count_nonzero(read != expected))
    scene.release()
    host.close()
    return wrong, count * expected.size, count


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


def _closeOld(scene: Scene, shown: object) -> None:
    for pair in scene.pairs:
        if pair is not shown:
            scene.closePair(pair)


def _think(scene: Scene) -> None:
    """Let the reader finish, as it does in the seconds that an annotator takes."""
    for reading in list(scene._reader._ahead.values()):
        reading._thread.join()


def _range(scene: Scene, folder: Path) -> tuple[int, int]:
    pair = next((each for each in scene.pairs if each.folder == folder), None)
    slices = pair.grid.slices if pair else 40
    return slices // 5, slices * 4 // 5


def _axis(folder: Path) -> int:
    record = folder / "prepared.json"
    return int(json.loads(record.read_text())["slice_axis"]) if record.exists() else 0


def _made(folder: Path) -> Path:
    affine = GEOMETRIES["oblique"].ijkToRas
    for number in range(4):
        writePair(folder / "made" / "pairs" / f"pair{number}", Geometry((53, 334, 325), affine, 0), number)
    return folder / "made"


def _print(what: str, seconds: list[float], limit: float | None) -> None:
    middle, high = np.percentile(np.array(seconds) * 1000, [50, 95])
    verdict = "" if limit is None else f" (limit {limit:.0f}) {'ok' if high <= limit else 'MISSED'}"
    print(f"{what}: {middle:.0f} ms median, {high:.0f} ms 95th percentile of {len(seconds)}{verdict}")


if __name__ == "__main__":
    main()
