"""5 Results: predict, go through the changes, export."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from longitudinal_al.errors import NotReady
from longitudinal_al.frontend.slice_grid import read_grid
from longitudinal_al.project.files import read_json
from longitudinal_al.project.records import Decision
from longitudinal_al.protocol import Event, EventKind, Verb
from LongitudinalALLib.Logic.Guard import guarded
from LongitudinalALLib.Logic.Study import Study
from LongitudinalALLib.SceneVolumes import readVolume
from LongitudinalALLib.Sections.Rows import ChangeRow
from LongitudinalALLib.Signal import Signal

RunCommand = Callable[[Sequence[str], Callable[[int, str], None]], None]
"""Runs `longitudinal-al` with these words beside all else, and calls back with exit status and output."""


class ResultsLogic:
    """From the section Results to the worker, the project and the scene.

    Signals
    -------
    correctionRequested(pair, slice)
        A change is to be drawn anew: for the section Label.

    Parameters
    ----------
    section : ResultsSection
    study : Study
    scene : Scene
    runCommand : callable, optional
        See `RunCommand`.
    """

    def __init__(self, section: Any, study: Study, scene: Any, runCommand: RunCommand | None = None) -> None:
        self._section, self._study, self._scene = section, study, scene
        self._runCommand = runCommand
        self.correctionRequested = Signal("pair", "slice")
        self._predicting: str | None = None
        self._wanted: str | None = None
        self._shown: str | None = None
        self._isListed = False
        self._changes: list[tuple[str, Mapping[str, Any]]] = []
        section.predictRequested.connect(self.predict)
        section.changeChosen.connect(self.choose)
        section.acceptRequested.connect(lambda index: self.decide(index, Decision.ACCEPTED))
        section.rejectRequested.connect(lambda index: self.decide(index, Decision.REJECTED))
        section.correctRequested.connect(self.correct)
        section.exportRequested.connect(self.export)
        study.opened.connect(self.refresh)
        study.closing.connect(self._onClosing)
        study.happened.connect(self._onEvent)
        study.ticked.connect(self._onTick)
        study.pairsChanged.connect(self._onPairsChanged)

    @guarded
    def predict(self, pair: str | None) -> None:
        """Have the worker predict a pair, or (None) every one."""
        self._predicting = self._study.request(Verb.PREDICT, pair=pair)
        self._wanted = pair
        self._section.setBusy(True)
        self._section.showMessage(_("Predicting ..."))

    @guarded
    def choose(self, index: int) -> None:
        """Show a change in the views."""
        pair, change = self._change(index)
        self._showPair(pair)
        self._scene.jumpTo(change["centre_ras_mm"])

    @guarded
    def decide(self, index: int, decision: Decision) -> None:
        """Accept or reject a change, for good: it is kept in the project."""
        pair, change = self._change(index)
        self._study.project.decide(pair, change["id"], decision, self._study.annotator)
        if self._isListed and pair == self._shown:
            self._scene.decideResult(self._place(pair, change), decision.value)
        self.refresh()

    @guarded
    def correct(self, index: int) -> None:
        """Draw a change anew: its largest slice is opened for labelling."""
        pair, change = self._change(index)
        self.decide(index, Decision.CORRECTED)
        self.correctionRequested.emit(pair, int(change["slice"]))

    @guarded
    def export(self, what: str, path: str) -> None:
        """Write labels, predictions or the model into a folder, beside everything else."""
        if self._runCommand is None:
            raise NotReady(_("exporting needs the worker's Python: install the packages first"))
        folder = str(self._study.project.folder)
        self._section.setBusy(True)
        self._section.showMessage(_("Exporting ..."))
        words = ["export", folder, "--what", what, "--out", path]
        self._runCommand(words, lambda status, said: self._onExported(path, status, said))

    @guarded
    def refresh(self) -> None:
        """List the changes of all pairs that were predicted, with what was decided."""
        project = self._study.project
        self._changes, rows = [], []
        for pair in project.pairs():
            decisions = project.decisions(pair.id)
            for change in readChanges(_folder(project, pair.id)):
                self._changes.append((pair.id, change))
                rows.append(rowOf(pair.id, change, decisions.get(change["id"])))
        self._section.showChanges(rows)

    def showError(self, text: str) -> None:
        """Show what went wrong."""
        self._section.setBusy(self._predicting is not None)
        self._section.showMessage(text)

    # What is behind it

    def _change(self, index: int) -> tuple[str, Mapping[str, Any]]:
        if not 0 <= index < len(self._changes):
            raise NotReady(_("that change is no longer listed: choose another one"))
        return self._changes[index]

    def _place(self, pair: str, change: Mapping[str, Any]) -> int:
        """Return the place of a change in its pair's own list."""
        own = [each["id"] for name, each in self._changes if name == pair]
        return own.index(change["id"])

    def _showPair(self, pair: str) -> None:
        """Show a pair with its predicted changes, unless they are shown already."""
        project = self._study.project
        grid = read_grid(project, pair)
        opened = self._scene.openPair(project.pair_folder(pair), grid.slice_axis, project.classes)
        if self._scene.shownPair is not opened:
            self._scene.show(opened)
            self._isListed = False
        if self._shown != pair or not self._isListed:
            self._list(pair)

    def _list(self, pair: str) -> None:
        """Put a pair's changes into the scene, as a table and a segmentation."""
        project = self._study.project
        volume = readVolume(_folder(project, pair) / "change.nii.gz")
        own = [change for name, change in self._changes if name == pair]
        self._scene.showResults([_forScene(change) for change in own], volume.voxels)
        decisions = project.decisions(pair)
        for place, change in enumerate(own):
            if change["id"] in decisions:
                self._scene.decideResult(place, decisions[change["id"]].value)
        self._shown, self._isListed = pair, True

    def _onEvent(self, event: Event) -> None:
        if event.id is None or event.id != self._predicting:
            return
        if event.kind is EventKind.PROGRESS:
            share = float(event.data["current"]) / max(float(event.data["maximum"]), 1e-9)
            words = _("Predicting ... {percent} %")
            self._section.showMessage(words.format(percent=round(100 * min(max(share, 0.0), 1.0))))
        if event.kind.is_terminal:
            self._onPredicted(event)

    def _onPredicted(self, event: Event) -> None:
        self._predicting = None
        self._section.setBusy(False)
        if event.kind is not EventKind.DONE:
            self._section.showMessage(str(event.data.get("message") or _("Called off.")))
            return
        self._isListed = False
        self.refresh()
        found = len([1 for name, _change in self._changes if self._wanted in (None, name)])
        words = _("1 change found.") if found == 1 else _("{number} changes found.")
        self._section.showMessage(words.format(number=found))

    def _onTick(self) -> None:
        """Tell the section which pair is shown; lists vanish from the scene when another one is."""
        shown = self._scene.shownPair.name if self._scene.shownPair is not None else None
        if shown != self._shown:
            self._shown, self._isListed = shown, False
            self._section.setPair(shown)

    def _onPairsChanged(self) -> None:
        """A pair that was prepared anew is shown without its list: it is made again when it is asked for."""
        self._isListed = False

    def _onExported(self, path: str, status: int, said: str) -> None:
        self._section.setBusy(self._predicting is not None)
        lines = said.strip().splitlines() or [_("exit status {status}").format(status=status)]
        self._section.showMessage(_("Exported to {path}.").format(path=path) if status == 0 else lines[-1])

    def _onClosing(self) -> None:
        self._predicting = self._shown = None
        self._changes, self._isListed = [], False
        self._section.setBusy(False)
        self._section.setPair(None)
        self._section.showChanges([])
        self._section.showMessage("")


def _folder(project: Any, pair: str) -> Path:
    return Path(project.folder) / "predictions" / pair


def readChanges(folder: Path) -> list[Mapping[str, Any]]:
    """Read the changes that `predict` listed; none where it has not been done."""
    stored = read_json(folder / "changes.json")
    changes = stored.get("changes") if isinstance(stored, dict) else None
    return changes if isinstance(changes, list) else []


def rowOf(pair: str, change: Mapping[str, Any], decision: Decision | None) -> ChangeRow:
    """Return a change as a row of the table."""
    right, anterior, superior = (float(value) for value in change["centre_ras_mm"])
    return ChangeRow(
        pair=pair,
        name=str(change["class"]),
        volume=float(change["volume_mm3"]),
        centre=(right, anterior, superior),
        diameter=float(change["largest_diameter_mm"]),
        decision=decision.value if decision else "",
    )


def _forScene(change: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "class": change["class"],
        "volume_mm3": change["volume_mm3"],
        "centre_mm": change["centre_ras_mm"],
        "diameter_mm": change["largest_diameter_mm"],
    }
