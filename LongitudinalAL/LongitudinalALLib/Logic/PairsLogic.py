"""2 Pairs: add, prepare, look at, judge and correct."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from longitudinal_al.errors import InvalidInput, NotReady
from longitudinal_al.frontend.slice_grid import read_grid
from longitudinal_al.project.records import GivenRegistration, Pair, PairState, Verdict
from longitudinal_al.project.table import checked_pair, read_pairs_table
from longitudinal_al.protocol import Event, EventKind, Verb
from LongitudinalALLib.Logic.Guard import guarded
from LongitudinalALLib.Logic.PairsOfFolder import TABLE, pairsOfFolder
from LongitudinalALLib.Logic.RegistrationByHand import poseByHand
from LongitudinalALLib.Logic.ScanFiles import writeScan
from LongitudinalALLib.Logic.Study import Study
from LongitudinalALLib.Sections.Rows import PairRow

FLICKER_SECONDS = 0.5
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
        self._flickAt: float | None = None
        self._checked: str | None = None
        section.addFromSceneRequested.connect(self.addFromScene)
        section.addTableRequested.connect(self.addTable)
        section.addFolderRequested.connect(self.addFolder)
        section.addSampleDataRequested.connect(self.addSampleData)
        section.prepareRequested.connect(self.prepare)
        section.cancelRequested.connect(self.cancel)
        section.pairChosen.connect(self.choose)
        section.overruleRequested.connect(self.overrule)
        section.registerFromTransformRequested.connect(self.registerFromTransform)
        section.useTransformRequested.connect(self.useTransform)
        section.checkViewRequested.connect(self.checkView)
        study.opened.connect(self._onOpened)
        study.closing.connect(self._onClosing)
        study.happened.connect(self._onEvent)
        study.ticked.connect(self._onTick)
        study.labelsChanged.connect(self.refresh)

    # Adding

    @guarded
    def addFromScene(self, baselineNodeId: str, followupNodeId: str, pair: str, patient: str) -> None:
        """Add two volumes of the scene as a pair; they are written into the project's folder."""
        name = pair or self._freeName()
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
        self._show(". ".join([said.format(new=new, known=known), *notes]) + ".")

    def _freeName(self) -> str:
        known = {pair.id.lower() for pair in self._study.project.pairs()}
        return next(name for name in (f"pair{k}" for k in range(1, len(known) + 2)) if name not in known)

    # Preparing

    @guarded
    def prepare(self) -> None:
        """Have the worker prepare what is new or has changed."""
        self._prepare("")

    def _prepare(self, message: str) -> None:
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
            self._show(_outcome(event))

    # Looking, judging, correcting

    @guarded
    def choose(self, pair: str) -> None:
        """Show a pair, if it is prepared."""
        known = self._study.project.pair(pair)
        self._section.showMessage("" if known.state is PairState.PREPARED else known.reason)
        if known.state is PairState.PREPARED:
            self._showPair(pair)

    @guarded
    def checkView(self, pair: str, mode: str) -> None:
        """Lay the baseline over the follow-up: `flicker`, `checkerboard`, `edges` or `off`."""
        if self._scene.shownPair is None or self._scene.shownPair.name != pair:
            self._showPair(pair)
        self._scene.checkView(mode)
        self._flickAt = self._study.clock() + FLICKER_SECONDS if mode == "flicker" else None
        self._checked = None if mode == "off" else pair

    @guarded
    def endCheck(self) -> None:
        """Take the check view away, as something else is to be looked at."""
        if self._checked is None:
            return
        self._noteCheckEnded()
        if self._scene.shownPair is not None:
            self._scene.checkView("off")

    @guarded
    def overrule(self, pair: str, verdict: str) -> None:
        """Put the annotator's verdict above that of the check."""
        project = self._study.project
        project.overrule(pair, Verdict(verdict), self._study.annotator)
        waits = project.pair(pair).state is PairState.ADDED
        self._show(_("It takes part again once it is prepared.") if waits else "")

    @guarded
    def useTransform(self, pair: str, transformNodeId: str) -> None:
        """Take a transform of the baseline as the registration, as it is."""
        self._takeTransform(pair, transformNodeId, refine=False)
        self._prepare(_("The transform is kept as the registration; the pair is being prepared with it."))

    @guarded
    def registerFromTransform(self, pair: str, transformNodeId: str) -> None:
        """Take a transform of the baseline as where the search for the registration begins."""
        self._takeTransform(pair, transformNodeId, refine=True)
        self._prepare(_("The transform is kept; the pair is being registered from it."))

    def _takeTransform(self, pair: str, transformNodeId: str, refine: bool) -> None:
        node = self._scene.mrmlScene.GetNodeByID(transformNodeId)
        if node is None:
            raise NotReady(_("the transform is no longer in the scene: choose another one"))
        project = self._study.project
        pose = poseByHand(node, project.pair_folder(pair) / "transform.tfm")
        given = GivenRegistration(tuple(pose.ravel().tolist()), refine)
        project.set_registration(pair, given, self._study.annotator)
        self.refresh()
        self._study.pairsChanged.emit()

    def _showPair(self, pair: str) -> None:
        project = self._study.project
        grid = read_grid(project, pair)
        self._scene.show(self._scene.openPair(project.pair_folder(pair), grid.slice_axis, project.classes))

    # Showing

    def showError(self, text: str) -> None:
        """Show what went wrong."""
        self._section.showMessage(text)

    @guarded
    def refresh(self) -> None:
        """List the pairs anew."""
        self._section.showPairs(rowsOf(self._study.project))

    def _show(self, message: str) -> None:
        self.refresh()
        self._section.showMessage(message)
        self._study.pairsChanged.emit()

    def _onOpened(self) -> None:
        self._section.setProjectOpen(True)
        self.refresh()

    def _onClosing(self) -> None:
        self._preparing = self._flickAt = self._checked = None
        self._section.showIdle()
        self._section.showPairs([])
        self._section.showMessage("")
        self._section.setProjectOpen(False)

    def _noteCheckEnded(self) -> None:
        self._checked = self._flickAt = None
        self._section.showCheckView("off")

    def _onTick(self) -> None:
        shown = self._scene.shownPair.name if self._scene.shownPair is not None else None
        if self._checked is not None and self._checked != shown:  # it went with the pair that was shown
            self._noteCheckEnded()
        if self._flickAt is not None and self._study.clock() >= self._flickAt:
            self._flickAt = self._study.clock() + FLICKER_SECONDS
            self._scene.flick()


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
