"""What the tests of the logic share: sections without widgets, a project, a scripted worker."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import slicer_python  # noqa: F401 - Slicer's Python modules, which the logic imports; skips without slicer-core

from longitudinal_al.frontend.worker_state import WorkerState
from longitudinal_al.protocol import Event, EventKind, Verb
from LongitudinalALLib.Signal import Signal

ROOT = Path(__file__).resolve().parents[2]
SIGNALS = {
    "project": {"createRequested": 1, "openRequested": 1, "installRequested": 0, "annotatorNamed": 1},
    "pairs": {
        "addFromSceneRequested": 4,
        "addFolderRequested": 1,
        "addTableRequested": 1,
        "addSampleDataRequested": 0,
        "prepareRequested": 0,
        "cancelRequested": 0,
        "pairChosen": 1,
        "overruleRequested": 2,
        "registerFromTransformRequested": 2,
        "useTransformRequested": 2,
        "checkViewRequested": 2,
    },
    "label": {
        "nextRequested": 0,
        "saveRequested": 0,
        "noChangeRequested": 0,
        "skipRequested": 0,
        "backRequested": 0,
        "withdrawRequested": 0,
        "overlayToggled": 2,
        "suggestionRequested": 0,
    },
    "learning": {"cancelRequested": 0, "restartRequested": 0, "strategyChosen": 1, "settingsChanged": 1},
    "results": {
        "predictRequested": 1,
        "changeChosen": 1,
        "acceptRequested": 1,
        "correctRequested": 1,
        "rejectRequested": 1,
        "exportRequested": 2,
    },
}
"""Section -> its signals, and how many values each tells, as `LongitudinalALLib.Sections` has them."""


class PlainSection:
    """A section without widgets: its signals are real, and what it is told to show is kept.

    `section.shown["showMessage"]` is the list of what was given to `showMessage`, the newest last.
    """

    def __init__(self, name: str) -> None:
        self.shown: dict[str, list[Any]] = {}
        for signal, values in SIGNALS[name].items():
            setattr(self, signal, Signal(*(f"value{k}" for k in range(values))))

    def __getattr__(self, name: str) -> Callable[..., None]:
        if not name.startswith(("show", "set")):
            raise AttributeError(name)
        return lambda *values: self.shown.setdefault(name, []).append(
            values[0] if len(values) == 1 else values
        )

    def last(self, name: str) -> Any:
        """Return what was shown last, None when nothing was."""
        return self.shown.get(name, [None])[-1]


@dataclass
class ScriptedWorker:
    """Stands in for a worker's client: keeps what it is asked, and says what a test puts into `events`."""

    asked: list[tuple[Verb, dict[str, Any]]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    state: WorkerState = WorkerState.READY
    doing: str = ""
    isClosed: bool = False
    isSlow: bool = False
    """Whether it stays when it is asked to leave, until `leave` is called."""
    is_gone: bool = False

    def request(self, verb: Verb, **arguments: Any) -> str:
        self.asked.append((verb, arguments))
        return str(len(self.asked))

    def poll(self) -> list[Event]:
        said, self.events = self.events, []
        if self.state is WorkerState.STOPPING and not self.isSlow:
            self.leave()
        return said

    def stop(self) -> None:
        self.state = WorkerState.STOPPING

    kill = stop

    def leave(self) -> None:
        self.state, self.is_gone = WorkerState.STOPPED, True

    def close(self) -> None:
        self.leave()
        self.isClosed = True

    def newest(self, verb: Verb) -> tuple[str, dict[str, Any]]:
        """Return id and arguments of the newest request of a verb."""
        places = [place for place, (asked, _) in enumerate(self.asked) if asked is verb]
        return str(places[-1] + 1), self.asked[places[-1]][1]

    def answers(self, verb: Verb, **result: Any) -> None:
        """Say `done` to the newest request of a verb."""
        self.events.append(Event(EventKind.DONE, self.newest(verb)[0], {"result": result}))


def engine() -> str:
    """Return a Python that has the whole engine; the test is skipped visibly where there is none."""
    python = os.environ.get("LONGITUDINALAL_PYTHON") or str(ROOT / ".venv" / "bin" / "python")
    if not Path(python).is_file():
        pytest.skip("no Python with the engine: set LONGITUDINALAL_PYTHON")
    return python


def engineEnvironment() -> dict[str, str]:
    """Return the environment for it: it finds this checkout's package."""
    return {**os.environ, "PYTHONPATH": str(ROOT / "LongitudinalAL"), "PYTHONIOENCODING": "utf-8"}


@pytest.fixture(scope="session")
def preparedOnce(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two tiny patients, prepared and ranked; take `projectFolder` to write to."""
    return _preparedOnce(tmp_path_factory.getbasetemp())


@functools.cache
def _preparedOnce(base: Path) -> Path:
    """Make it once for all modules, and for all processes where tests run in several."""
    isOneOfSeveral = "PYTEST_XDIST_WORKER" in os.environ
    folder = (base.parent if isOneOfSeveral else base) / "scans-ö"
    done = folder.with_name("scans are ready")
    try:
        folder.mkdir()
    except FileExistsError:
        end = time.monotonic() + 120
        while not done.exists():
            assert time.monotonic() < end, "the process that makes the tiny project has not finished it"
            time.sleep(0.1)
    else:
        words = [engine(), str(ROOT / "Testing" / "slicer" / "tiny_project.py"), str(folder)]
        subprocess.run(words, env=engineEnvironment(), check=True, timeout=100)
        done.touch()
    return folder / "project"


@pytest.fixture
def projectFolder(preparedOnce: Path, tmp_path: Path) -> Path:
    """A prepared project of one's own."""
    return Path(shutil.copytree(preparedOnce, tmp_path / "project"))


def disc(shape: tuple[int, int], row: int, column: int, radius: int = 3) -> np.ndarray:
    """Return a label of one disc of class 1."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return (((rows - row) ** 2 + (columns - column) ** 2) <= radius**2).astype(np.uint8)


def paint(scene: Any, k: int, label: np.ndarray, segmentId: str = "") -> None:
    """Paint into the shown pair as the Segment Editor does: only a labelmap changes (class 1's)."""
    import slicer

    from LongitudinalALLib.SceneLabelmap import sliceImage

    pair = scene.shownPair
    scene.jump(k)
    image = sliceImage(pair.grid, label > 0, k)
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    logic.SetBinaryLabelmapToSegment(
        image, pair.segmentation, segmentId or scene.segmentId(), logic.MODE_MERGE_MASK, image.GetExtent()
    )


def saveScene(host: Any, directory: Path) -> Path:
    """Save as Slicer's Save dialog proposes to: what is ticked, where it says; return the scene's file.

    Contract: Slicer `Base/QTGUI/qSlicerSaveDataDialog.cxx` (populateNode, nodeFileInfo): a node that has a
    file is written under its own name into that file's folder, any other one into that of the scene.
    """
    import slicer

    directory.mkdir(exist_ok=True)
    host.scene.SetRootDirectory(str(directory))
    for node in slicer.util.getNodesByClass("vtkMRMLStorableNode"):
        if node.GetHideFromEditors() or not node.GetSaveWithScene() or not node.AddDefaultStorageNode():
            continue
        storage = node.GetStorageNode()
        if storage is not None:
            folder = Path(storage.GetFileName()).parent if storage.GetFileName() else directory
            storage.SetFileName(str(folder / f"{node.GetName()}.{storage.GetDefaultWriteFileExtension()}"))
            assert storage.WriteData(node)
    assert host.scene.Commit(str(directory / "scene.mrml"))
    return directory / "scene.mrml"


def waitFor(study: Any, isDone: Callable[[], bool], seconds: float = 120) -> None:
    """Let the study tick until something is true."""
    end = time.monotonic() + seconds
    while not isDone():
        assert time.monotonic() < end, f"nothing came within {seconds} s"
        study.tick()
        time.sleep(0.02)


class PlainWiring:
    """What `LongitudinalALLib.Wiring` puts together, with sections without widgets."""

    def __init__(self, startWorker: Callable[[Path, str | None], Any]) -> None:
        from LongitudinalALLib.Logic.Commands import Commands
        from LongitudinalALLib.Logic.LabelLogic import LabelLogic
        from LongitudinalALLib.Logic.LearningLogic import LearningLogic
        from LongitudinalALLib.Logic.PairsLogic import PairsLogic
        from LongitudinalALLib.Logic.ProjectLogic import ProjectLogic
        from LongitudinalALLib.Logic.RegistrationLogic import RegistrationLogic
        from LongitudinalALLib.Logic.ResultsLogic import ResultsLogic
        from LongitudinalALLib.Logic.Study import Study
        from LongitudinalALLib.Scene import Scene

        self.panel = SimpleNamespace(**{name: PlainSection(name) for name in SIGNALS})
        self.study, self.scene = Study(startWorker), Scene()
        commands = Commands(self.study, engine, engineEnvironment)
        self.project = ProjectLogic(self.panel.project, self.study)
        self.pairs = PairsLogic(self.panel.pairs, self.study, self.scene)
        self.registration = RegistrationLogic(self.panel.pairs, self.study, self.scene, self.pairs)
        self.label = LabelLogic(self.panel.label, self.study, self.scene)
        self.learning = LearningLogic(self.panel.learning, self.study)
        self.results = ResultsLogic(self.panel.results, self.study, self.scene, commands.run)
        self.results.correctionRequested.connect(self.label.open)

    def interpreter(self) -> SimpleNamespace:
        return SimpleNamespace(path=engine(), environmentMapping=engineEnvironment)

    def cleanup(self) -> None:
        self.study.close()
        self.scene.release()
