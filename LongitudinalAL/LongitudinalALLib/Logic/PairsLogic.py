"""2 Pairs: add, prepare, and look at."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from longitudinal_al.errors import InvalidInput, NotReady
from longitudinal_al.frontend.slice_grid import RECORD_FILE, read_grid
from longitudinal_al.project.identifiers import check_pair_id
from longitudinal_al.project.records import Pair, PairState
from longitudinal_al.project.table import checked_pair, read_pairs_table
from longitudinal_al.protocol import Event, EventKind, Verb
from LongitudinalALLib.Logic.Guard import guarded
from LongitudinalALLib.Logic.PairsOfFolder import TABLE, pairsOfFolder
from LongitudinalALLib.Logic.ScanFiles import writeScan
from LongitudinalALLib.Logic.Study import Study
from LongitudinalALLib.Sections.Rows import PairRow

SampleData = Callable[[], Sequence[Pair]]
"""Fetches the sample data and returns its pairs."""


class PairsLogic:
    """From the section Pairs to the project, the worker and the scene.

    Parameters
    ----------
    section : PairsSection
    study : Study
    scene : Scene
    sampleData : callable, optional
        See `SampleData`.
    """

    def __init__(self, section: Any, study: Study, scene: Any, sampleData: SampleData | None = None) -> None:
        self._section, self._study, self._scene = section, study, scene
        self._sampleData = sampleData
        self._preparing: str | None = None
        section.addFromSceneRequested.connect(self.addFromScene)
        section.addTableRequested.connect(self.addTable)
        section.addFolderRequested.connect(self.addFolder)
        section.addSampleDataRequested.connect(self.addSampleData)
        section.prepareRequested.connect(self.prepare)
        section.cancelRequested.connect(self.cancel)
        section.pairChosen.connect(self.choose)
        study.opened.connect(self._onOpened)
        study.closing.connect(self._onClosing)
        study.happened.connect(self._onEvent)
        study.labelsChanged.connect(self.refresh)

    # Adding

    @guarded
    def addFromScene(self, baselineNodeId: str, followupNodeId: str, pair: str, patient: str) -> None:
        """Add two volumes of the scene as a pair; they are written into the project's folder."""
        name = pair or self._freeName()
        check_pair_id(name)  # before a file is written into a folder of that name
        known = {each.id.lower() for each in self._study.project.pairs()}
        if name.lower() in known:
            words = _("there is a pair '{name}' already: choose another name")
            raise InvalidInput(words.format(name=name))
        folder = self._study.project.folder / "scans" / name
        files = {"baseline": folder / "baseline.nrrd", "followup": folder / "followup.nrrd"}
        for path, node in zip(files.values(), (baselineNodeId, followupNodeId), strict=True):
            writeScan(self._scene.mrmlScene, node, path)
        cells = {"pair": name, "patient": patient or name, **{key: str(path) for key, path in files.items()}}
        self._add([checked_pair(cells)])

    @guarded
    def addTable(self, path: str) -> None:
        """Add the pairs of a table, all or none."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            pairs = read_pairs_table(Path(path))
        self._add(pairs, [str(each.message) for each in caught])

    @guarded
    def addFolder(self, path: str) -> None:
        """Add the pairs of a folder: those of its table, or those that its scans make."""
        table = Path(path) / TABLE
        if table.is_file():
            self.addTable(str(table))
        else:
            found = pairsOfFolder(Path(path))
            self._add(found.pairs, found.notes)

    @guarded
    def addSampleData(self) -> None:
        """Fetch the sample data and add its pairs."""
        if self._sampleData is None:
            raise NotReady(_("the sample data cannot be fetched here: add pairs by a table"))
        self._study.project  # noqa: B018 - asked before anything is downloaded
        self._add(self._sampleData())

    def _add(self, pairs: Sequence[Pair], notes: Sequence[str] = ()) -> None:
        new = self._study.project.add_pairs(pairs)
        known = len(pairs) - new
        said = _("{new} added, {known} were there already") if known else _("{new} added")
        self.show(". ".join([said.format(new=new, known=known), *notes]) + ".")

    def _freeName(self) -> str:
        known = {pair.id.lower() for pair in self._study.project.pairs()}
        return next(name for name in (f"pair{k}" for k in range(1, len(known) + 2)) if name not in known)

    # Preparing

    @guarded
    def prepare(self) -> None:
        """Have the worker prepare what is new or has changed."""
        self.prepareSaying("")

    def prepareSaying(self, message: str) -> None:
        """Do the same with a word on why; raises where there is no worker."""
        self._preparing = self._study.request(Verb.PREPARE)
        self._section.showMessage(message)
        self._section.showProgress(_("preparing"), 0.0, None)

    @guarded
    def cancel(self) -> None:
        """Call the preparation off; what is prepared stays."""
        if self._preparing is not None:
            self._study.request(Verb.CANCEL, request=self._preparing)

    def _onEvent(self, event: Event) -> None:
        if event.id is None or event.id != self._preparing:
            return
        if event.kind is EventKind.PROGRESS:
            share = float(event.data["current"]) / max(float(event.data["maximum"]), 1e-9)
            self._section.showProgress(str(event.data["phase"]), share, event.data.get("seconds_left"))
            self.refresh()
        elif event.kind.is_terminal:
            self._preparing = None
            self._section.showIdle()
            self.show(_outcome(event))
            self._renew()

    @guarded
    def _renew(self) -> None:
        """Show the pairs as they are prepared now."""
        self._scene.renewPairs()

    # Looking

    @guarded
    def choose(self, pair: str) -> None:
        """Show a pair, if it is prepared; one that failed as it was prepared last, if it ever was."""
        known = self._study.project.pair(pair)
        self._section.showMessage("" if known.state is PairState.PREPARED else known.reason)
        hasRecord = (self._study.project.pair_folder(pair) / RECORD_FILE).is_file()
        if known.state is PairState.PREPARED or (known.state is PairState.FAILED and hasRecord):
            showPair(self._study, self._scene, pair)
        elif known.state is PairState.FAILED:
            self._section.showMessage(_withAdvice(known.reason))

    # Showing

    def showError(self, text: str) -> None:
        """Show what went wrong."""
        self._section.showMessage(text)

    @guarded
    def refresh(self) -> None:
        """List the pairs anew."""
        self._section.showPairs(rowsOf(self._study.project))

    def show(self, message: str) -> None:
        """List the pairs anew, with a word on what came of something."""
        self.refresh()
        self._section.showMessage(message)
        self._study.pairsChanged.emit()

    def _onOpened(self) -> None:
        self._section.setProjectOpen(True)
        self.refresh()

    def _onClosing(self) -> None:
        self._preparing = None
        self._section.showIdle()
        self._section.showPairs([])
        self._section.showMessage("")
        self._section.setProjectOpen(False)


def showPair(study: Study, scene: Any, pair: str) -> None:
    """Show a pair that is prepared."""
    project = study.project
    grid = read_grid(project, pair)
    scene.show(scene.openPair(project.pair_folder(pair), grid.slice_axis, project.classes))


def _withAdvice(reason: str) -> str:
    """Say what can be done about a pair that was never prepared, as the check of its registration failed."""
    advice = _("To see how it was registered, or to correct it by hand, press 'Doubtful' and then 'Prepare'.")
    return f"{reason.rstrip('.')}. {advice}" if reason else advice


def rowsOf(project: Any) -> list[PairRow]:
    """Return the pairs of a project as rows of the table."""
    labelled = Counter(pair for pair, _slice in project.labelled())
    return [
        PairRow(
            id=pair.id,
            patient=pair.patient,
            state=pair.state.value,
            verdict=pair.verdict.value if pair.verdict else "",
            reason=pair.reason,
            slicePairs=pair.slice_pairs,
            labelled=labelled[pair.id],
        )
        for pair in project.pairs()
    ]


def _outcome(event: Event) -> str:
    """Say how a preparation went."""
    if event.kind is EventKind.CANCELLED:
        return _("Called off; pairs that were finished stay prepared.")
    if event.kind is not EventKind.DONE:
        return str(event.data.get("message", ""))
    failures = event.data["result"]["failures"]
    words = _("{pair} failed: {reason}.")
    return " ".join(words.format(pair=each["pair"], reason=each["reason"]) for each in failures)
