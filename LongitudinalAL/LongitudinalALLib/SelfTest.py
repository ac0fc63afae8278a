"""The module's self test: from a synthetic project to an export, as a user would go, each step asserted."""

from __future__ import annotations

import tempfile
import time
import unittest
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import slicer
from vtk.util.numpy_support import vtk_to_numpy

from longitudinal_al.project.records import PairState
from longitudinal_al.protocol import EventKind
from LongitudinalALLib.Logic.Commands import Commands
from LongitudinalALLib.SceneLabelmap import sliceImage

PATIENTS = 2
LABELS = 3
RADIUS_MM = 3.0
SECONDS = 150.0
"""So long may one step take, on a slow computer."""
_NAP_SECONDS = 0.02


class SelfTest:
    """Presses the panel's signals, paints, waits, and looks at what came of it; in Slicer or without windows.

    Parameters
    ----------
    say : callable, optional
        Gets a sentence for each step.
    wiring : Wiring, optional
        The module at work, with no project open; by default one of its own, which is taken apart at the end.
    folder : Path, optional
        Empty; gets all that is written. By default a temporary one.
    pump : callable, optional
        Lets the application breathe: `slicer.app.processEvents`.
    """

    def __init__(
        self,
        say: Callable[[str], Any] = lambda sentence: None,
        wiring: Any = None,
        folder: Path | None = None,
        pump: Callable[[], Any] | None = None,
    ) -> None:
        self._tell, self._wiring, self._folder = say, wiring, folder or Path()
        self._isOwnFolder = folder is None
        self._pump = pump or slicer.app.processEvents
        self._before: list[str] = []
        self._ranking: Mapping[str, Any] = {}

    def run(self) -> None:
        """Run all steps; `unittest.SkipTest` after those that need no torch, where the worker cannot run."""
        with ExitStack() as stack:
            if self._isOwnFolder:
                named = tempfile.TemporaryDirectory(prefix="LongitudinalAL-", ignore_cleanup_errors=True)
                self._folder = Path(stack.enter_context(named))
            self._before = self._nodes()
            if self._wiring is None:
                self._wiring = _ownWiring()
                stack.callback(self._wiring.cleanup)
            self._runSteps()
        self._assert(self._nodes() == self._before, "the scene is as it was before")

    def _runSteps(self) -> None:
        self._study, self._scene, self._panel = self._wiring.study, self._wiring.scene, self._wiring.panel
        python = self._wiring.interpreter
        self._commands = Commands(self._study, lambda: python().path, lambda: python().environmentMapping())
        self._study.happened.connect(self._onEvent)
        try:
            self.addFromTheScene()
            self.checkTheWorker()
            self.synthesize()
            self.prepare()
            self.label()
            self.learn()
            self.predict()
            self.export()
        finally:
            self.close()

    # Steps

    def addFromTheScene(self) -> None:
        """Make a project and add two volumes of the scene: needs nothing but Slicer."""
        self._tell("A project with a pair from the scene")
        nodes = [
            self._volume(name, seed)
            for seed, name in enumerate(("Self test baseline", "Self test follow-up"))
        ]
        try:
            self._panel.project.createRequested.emit(str(self._folder / "from the scene"))
            self._assert(self._study.isOpen, "the project is open")
            ids = [node.GetID() for node in nodes]
            self._panel.pairs.addFromSceneRequested.emit(*ids, "scan", "somebody")
            (pair,) = self._study.project.pairs()
            self._assert((pair.id, pair.patient) == ("scan", "somebody"), "the pair is in the project")
            self._assert(pair.baseline.is_file() and pair.followup.is_file(), "its scans are in the project")
        finally:
            self._study.close()
            for node in nodes:
                storage, display = node.GetStorageNode(), node.GetDisplayNode()
                for each in (node, storage, display):
                    if each is not None:
                        slicer.mrmlScene.RemoveNode(each)

    def checkTheWorker(self) -> None:
        """Skip the rest, visibly, where the worker's Python lacks what it needs."""
        self._tell("The worker's Python")
        self._panel.project.openRequested.emit(str(self._folder / "from the scene"))
        try:
            self._wait(lambda: self._study.worker or self._study.workerProblem, "there is a worker, or none")
            problem = self._study.workerProblem
            status, said = (1, problem) if problem else self._command("train", "--help")
        finally:
            self._study.close()
        if status != 0:
            last = said.strip().splitlines()[-1] if said.strip() else f"exit status {status}"
            raise unittest.SkipTest(f"the part that needs torch is skipped: {last}")

    def synthesize(self) -> None:
        """Make a synthetic cohort, and a project of it."""
        self._tell("A synthetic cohort")
        self._panel.project.createRequested.emit(str(self._folder / "project"))
        cohort = self._folder / "project" / "cohort"
        status, said = self._command("synthesize", str(cohort), "--patients", str(PATIENTS), "--seed", "1")
        self._assert(status == 0, f"the cohort is made: {said}")
        self._panel.pairs.addTableRequested.emit(str(cohort / "pairs.csv"))
        self._assert(len(self._study.project.pairs()) == PATIENTS, "its pairs are in the project")

    def prepare(self) -> None:
        """Prepare the pairs."""
        self._tell("Preparing")
        self._panel.pairs.prepareRequested.emit()
        self._wait(
            lambda: all(pair.state is not PairState.ADDED for pair in self._study.project.pairs()),
            "it is prepared",
        )
        states = [pair.state for pair in self._study.project.pairs()]
        self._assert(states == [PairState.PREPARED] * PATIENTS, f"every pair is prepared: {states}")

    def label(self) -> None:
        """Label three slice pairs that are asked for, and go back to the first one."""
        self._tell("Labelling")
        self._wait(self._hasNext, "a slice pair is asked for")
        done = []
        for _ in range(LABELS):
            entry = self._study.session.in_hand
            self._assert(bool(entry.reason), "there is a reason for it")
            self._assert(self._scene.shownSlice() == entry.slice, "its slice is shown")
            self._paint(entry.slice)
            painted = self._scene.readSliceLabel(entry.slice)
            self._panel.label.saveRequested.emit()
            saved = self._study.project.label(*entry.key)
            self._assert(
                saved is not None and np.array_equal(saved.mask, painted), "the label is saved as painted"
            )
            self._wait(
                lambda entry=entry: self._hasNext() and self._study.session.in_hand != entry, "the next comes"
            )
            done.append((entry.key, painted))
        self._panel.label.backRequested.emit()
        key, painted = done[-1]
        self._assert(self._study.session.in_hand.key == key, "Back leads to the last label")
        self._assert(np.array_equal(self._scene.readSliceLabel(key[1]), painted), "and shows it")

    def learn(self) -> None:
        """Wait until the worker, by itself, has learned from the labels and ranked with what it learned."""
        self._tell("Learning")
        self._wait(lambda: bool(self._ranking.get("model")), "the worker has ranked with a model")
        self._assert(self._ranking["labels"] >= 1, "the model has learned from labels")
        self._panel.label.nextRequested.emit()
        self._wait(self._hasNext, "the next is asked for")
        held = self._study.session.in_hand
        self._assert(held.key not in self._study.project.labelled(), "and it has no label yet")

    def predict(self) -> None:
        """Predict one pair, and go through its changes."""
        self._tell("Predicting")
        pair = self._study.project.pairs()[0].id
        folder = self._study.project.folder / "predictions" / pair
        self._panel.results.predictRequested.emit(pair)
        self._wait(lambda: (folder / "changes.json").is_file(), "its changes are listed")
        self._assert((folder / "change.nii.gz").is_file(), "its mask is written")

    def export(self) -> None:
        """Export the labels and where they come from."""
        self._tell("Exporting")
        for what, file in (("csv", "labels.csv"), ("nnunet", "Dataset800_LongitudinalAL/dataset.json")):
            out = self._folder / f"export {what}"
            self._panel.results.exportRequested.emit(what, str(out))
            self._wait(lambda out=out, file=file: (out / file).is_file(), f"{file} is exported")

    def close(self) -> None:
        """Close the project, and end its worker."""
        self._tell("Closing")
        worker = self._study.worker
        self._study.close()
        self._study.happened.disconnect(self._onEvent)
        self._assert(worker is None or worker.state.is_over, "the worker has ended")

    # What is behind it

    def _assert(self, isTrue: bool, what: str) -> None:
        if not isTrue:
            raise AssertionError(f"self test: not true that {what}")

    def _nodes(self) -> list[str]:
        scene = slicer.mrmlScene
        return sorted(scene.GetNthNode(k).GetID() for k in range(scene.GetNumberOfNodes()))

    def _wait(self, isDone: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + SECONDS
        while not isDone():
            self._assert(time.monotonic() < end, f"{what}, within {SECONDS:.0f} s")
            self._study.tick()
            self._pump()
            time.sleep(_NAP_SECONDS)

    def _command(self, *words: str) -> tuple[int, str]:
        ended: list[tuple[int, str]] = []
        self._commands.run(words, lambda status, said: ended.append((status, said)))
        self._wait(lambda: bool(ended), f"{words[0]} has ended")
        return ended[0]

    def _onEvent(self, event: Any) -> None:
        if event.kind is EventKind.RANKING:
            self._ranking = event.data

    def _hasNext(self) -> bool:
        """Press *Next slice pair* until there is one."""
        if self._study.session.in_hand is None:
            self._panel.label.nextRequested.emit()
        return self._study.session.in_hand is not None

    def _volume(self, name: str, seed: int) -> Any:
        voxels = np.random.default_rng(seed).normal(100, 10, (8, 24, 24)).astype(np.float32)
        return slicer.util.addVolumeFromArray(voxels, name=name)

    def _paint(self, k: int) -> None:
        """Paint a disc where the difference is largest, into the segment of class 1.

        Contract: Slicer `Modules/Loadable/Segmentations/Logic/vtkSlicerSegmentationsModuleLogic.h`,
        `SetBinaryLabelmapToSegment`, which the effects of the Segment Editor call too.
        """
        pair = self._scene.shownPair
        shape = pair.grid.shape
        scalars = pair.difference.GetImageData().GetPointData().GetScalars()
        difference = np.take(vtk_to_numpy(scalars).reshape(shape), k, pair.grid.axis)
        row, column = np.unravel_index(np.abs(difference).argmax(), difference.shape)
        spacing = [mm for axis, mm in enumerate(pair.grid.spacing) if axis != pair.grid.axis]
        rows, columns = np.indices(difference.shape)
        away = ((rows - row) * spacing[0]) ** 2 + ((columns - column) * spacing[1]) ** 2
        image = sliceImage(pair.grid, away <= RADIUS_MM**2, k)
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        logic.SetBinaryLabelmapToSegment(
            image, pair.segmentation, self._scene.segmentId(), logic.MODE_MERGE_MASK, image.GetExtent()
        )


class _Settings(dict[str, Any]):
    """Settings of the self test: the user's own are neither read nor changed."""

    def value(self, name: str) -> Any:
        """Return a setting."""
        return self[name]

    def setValue(self, name: str, value: Any) -> None:
        """Keep a setting as long as the test lasts."""
        self[name] = value

    def all(self) -> dict[str, Any]:
        """Return all settings."""
        return dict(self)


def _ownWiring() -> Any:
    """Make a panel of the test's own; with Qt, which the rest of this file does without."""
    from LongitudinalALLib.Settings import DEFAULTS
    from LongitudinalALLib.Wiring import Wiring

    return Wiring(slicer.mrmlScene, settings=_Settings({**DEFAULTS, "annotator": "self test"}))
