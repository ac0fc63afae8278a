"""3 Label: from one slice pair to the next, with every stroke saved or asked about."""

from __future__ import annotations

from typing import Any

import numpy as np
from slicer.i18n import tr as _

from longitudinal_al.errors import LongitudinalALError, NotReady
from longitudinal_al.frontend.ending import End
from longitudinal_al.frontend.labelled_slices import Key
from longitudinal_al.frontend.ranking import Entry
from LongitudinalALLib.Logic.Guard import guarded
from LongitudinalALLib.Logic.LabelOverlays import LabelOverlays
from LongitudinalALLib.Logic.LabelSaving import LabelSaving, sliceNames
from LongitudinalALLib.Logic.LabelShowing import LabelShowing, notInView
from LongitudinalALLib.Logic.Study import Study

BINARY = "Binary labelmap"


class LabelLogic:
    """From the section Label to the session and the scene.

    Parameters
    ----------
    section : LabelSection
    study : Study
    scene : Scene
    editor : Editor, optional
        The embedded Segment Editor; see `LabelShowing`.
    """

    def __init__(self, section: Any, study: Study, scene: Any, editor: Any = None) -> None:
        self._section, self._study, self._scene = section, study, scene
        self._overlays = LabelOverlays(section, study, scene)
        self._saving = LabelSaving(study, scene)
        self._showing = LabelShowing(study, scene, editor)
        self._seen: tuple[Any, ...] = ()
        self._told: tuple[Any, ...] = ()
        self._cursor: tuple[float, ...] | None = None
        section.nextRequested.connect(self.next)
        section.saveRequested.connect(self.save)
        section.noChangeRequested.connect(self.noChange)
        section.skipRequested.connect(self.skip)
        section.backRequested.connect(self.back)
        section.withdrawRequested.connect(self.withdraw)
        study.closing.connect(self._onClosing)
        study.ticked.connect(self._onTick)
        study.labelsChanged.connect(self._onLabelsChanged)
        scene.afterClose.append(self._onSceneClosed)
        scene.afterOpen.append(self._onPairOpened)
        study.objections.append(self._saving.refused)

    # What the annotator does

    @guarded
    def next(self) -> None:
        """Show the slice pair to label now; a correction that is not saved is not left behind."""
        session = self._study.session
        held = session.in_hand
        if held is not None and self._showing.isShown(held) and session.saved_label() is not None:
            self._saving.refuseStrokes(held)
        self._show(session.next())

    @guarded
    def open(self, pair: str, sliceIndex: int) -> None:
        """Show a slice pair of the annotator's own choice."""
        self._show(self._study.session.open(pair, sliceIndex))

    @guarded
    def save(self) -> None:
        """Save what is painted, on all slices, and go on."""
        entry = self._heldInView()
        painted = self._saving.painted(entry)
        if entry.slice not in painted and self._saving.isEmpty(entry):
            words = _(
                "nothing is painted on slice {slice}: paint the change, or say that there is none with "
                "'No change and next'"
            )
            raise NotReady(words.format(slice=entry.slice))
        self._saveAndGoOn(entry, painted)

    @guarded
    def noChange(self) -> None:
        """Save that nothing has changed on the slice in hand, and go on; others painted are told before."""
        entry = self._heldInView()
        if not self._saving.isEmpty(entry):
            words = _("slice {slice} is painted: save it, or erase the paint before you say 'No change'")
            raise NotReady(words.format(slice=entry.slice))
        painted = self._saving.painted(entry)
        self._tellOthers(entry, painted)
        self._saveAndGoOn(entry, painted)

    @guarded
    def skip(self) -> None:
        """Put the slice pair off; what is painted and not saved is not left behind."""
        self._saving.refuseStrokes(self._held())
        self._study.session.skip()
        self._show(self._study.session.next())

    @guarded
    def back(self) -> None:
        """Show the slice pair before, with its label."""
        if self._study.session.in_hand is not None:
            self._saving.refuseStrokes(self._study.session.in_hand)
        self._show(self._study.session.back())

    @guarded
    def withdraw(self) -> None:
        """Withdraw the label of the slice pair in hand, which stays there, with nothing painted on it."""
        entry = self._heldInView()
        self._saving.refuseStrokes(entry)
        pair = self._saving.pairOf(entry)
        nothing = np.zeros_like(self._scene.readSliceLabel(entry.slice, pair))
        self._study.session.withdraw()
        self._scene.writeSliceLabels({entry.slice: nothing}, pair)
        self._showing.noteSaved()
        self._study.tick()
        self._section.showLabelled(False)
        words = _("The label of {pair}, slice {slice}, is withdrawn; the project keeps it in its history.")
        self._section.showMessage(words.format(pair=entry.pair, slice=entry.slice))

    def touch(self) -> None:
        """Note a sign of work, such as the mouse over the views; cheap."""
        if self._study.isOpen:
            self._study.session.touch()

    def showError(self, text: str) -> None:
        """Show what went wrong; the slice pair stays in hand."""
        self._section.showMessage(text)

    # What is behind it

    def _held(self) -> Entry:
        held = self._study.session.in_hand
        if held is None:
            raise NotReady(_("no slice pair is in hand: press 'Next slice pair'"))
        return held

    def _heldInView(self) -> Entry:
        """Return the slice pair in hand; what is not looked at gets no label."""
        held = self._held()
        if not self._showing.isShown(held):
            raise notInView(held)
        return held

    def _tellOthers(self, entry: Entry, painted: list[int]) -> None:
        """Raise `NotReady`, once, when other slices would be saved than the one that is spoken of."""
        others = [k for k in painted if k != entry.slice]
        if others and self._told != (entry.key, *others):
            self._told = (entry.key, *others)
            words = _(
                "{slices} of this pair: painted and not saved. Press 'No change and next' once more to save "
                "that with slice {slice}, on which there is no change; or undo it with Ctrl+Z"
            )
            raise NotReady(words.format(slices=sliceNames(others), slice=entry.slice))

    def _saveAndGoOn(self, entry: Entry, painted: list[int]) -> None:
        self._section.setBusy(True)
        try:
            self._saving.saveSlices(entry, painted)
            self._showing.noteSaved()
        finally:
            self._section.setBusy(False)
        self._told = ()
        self._study.tick()
        self._show(self._study.session.next())

    def _show(self, found: Entry | End) -> None:
        self._overlays.switchOff()
        if isinstance(found, End):
            self._showing.rest()
            self._section.showNothingLeft(found.reason)
            return
        pair = self._showing.show(found)
        self._section.showInHand(found.pair, found.slice, _rank(found))
        self._section.showLabelled(self._study.session.saved_label() is not None)
        self._section.showReason(_sentence(found))
        self._section.showPaintedSlices(self._scene.sliceLabelsPainted(pair))
        self._overlays.show(found, pair)
        self._showing.readAhead()

    # What happens around it

    def _onTick(self) -> None:
        """Take strokes, scrolling and the mouse as signs of work, and show which slices are painted."""
        pair, held = self._scene.shownPair, self._study.session.in_hand
        self._overlays.noteCleared()
        if (cursor := self._scene.cursor()) != self._cursor:
            self._cursor = cursor
            self.touch()
        if held is None or pair is None:
            return
        seen = self._signature(pair)
        if seen == self._seen:
            return
        self._seen = seen
        if not self._showing.isShown(held):
            self._showing.rest()
            words = _("The views show {other}. Press 'Next slice pair' to go on with {pair}, slice {slice}.")
            self._section.showMessage(words.format(other=pair.name, pair=held.pair, slice=held.slice))
            return
        self.touch()
        try:
            self._section.showPaintedSlices(self._scene.sliceLabelsPainted(pair))
        except LongitudinalALError as error:
            self.showError(str(error))

    def _signature(self, pair: Any) -> tuple[Any, ...]:
        """Return what changes with every stroke and every other slice shown; no voxel is read."""
        if not pair.has("labels"):
            return ("gone",)
        segmentation = pair.segmentation.GetSegmentation()
        segments = (segmentation.GetNthSegment(k) for k in range(segmentation.GetNumberOfSegments()))
        images = (segment.GetRepresentation(BINARY) for segment in segments)
        return (
            pair.name,
            self._scene.shownSlice(),
            *(image.GetMTime() for image in images if image is not None),
        )

    def _onPairOpened(self, pair: Any) -> None:
        """Draw the labels that the project has of it."""
        if self._study.isOpen and (renewed := self._showing.fill(pair)):
            words = _(
                "{pair}, {slices}: labelled anew since this scene was saved. The project's label is shown, "
                "and what the scene had there is left out."
            )
            self._section.showMessage(words.format(pair=pair.name, slices=sliceNames(renewed)))

    def _onLabelsChanged(self) -> None:
        """Draw what was labelled elsewhere, in another window or by `merge`, and tell of it."""
        try:
            drawn, kept = self._showing.renew()
        except LongitudinalALError as error:
            self.showError(str(error))
            return
        held = self._study.session.in_hand
        if held is not None and held.key in drawn + kept:
            self._section.showLabelled(self._study.session.saved_label() is not None)
        if kept:
            words = _(
                "{slices}: labelled elsewhere meanwhile. What you painted there stays, and is not saved."
            )
            self._section.showMessage(words.format(slices=_names(kept)))
        elif drawn:
            words = _("{slices}: labelled elsewhere meanwhile; that label is shown now.")
            self._section.showMessage(words.format(slices=_names(drawn)))

    def _onSceneClosed(self) -> None:
        """The scene keeps what was painted: shown again, the slice pair in hand has it."""
        self._seen = ()
        self._showing.forget()
        if self._study.isOpen:
            self._section.showNothingLeft(
                _("The scene was closed. What was painted is kept: press 'Next slice pair' to go on with it.")
            )

    def _onClosing(self) -> None:
        """Save what is painted, and take everything out of the scene."""
        problems = self._saving.saveAll()
        if problems:
            words = _("What was painted could not be saved: {problems}")
            self._study.troubled.emit(words.format(problems="; ".join(problems)))
        self._showing.release()
        self._seen = ()
        self._section.showNothingLeft("")


def _rank(entry: Entry) -> str:
    """Say what asked for a slice pair, for the line above the editor."""
    if entry.strategy is None:
        return _("your own choice")
    if entry.score is None:
        return entry.strategy
    return _("{strategy}, score {score}").format(strategy=entry.strategy, score=f"{entry.score:.3g}")


def _sentence(entry: Entry) -> str:
    if not (entry.patient and entry.reason):
        return entry.reason
    return _("Patient {patient}: {reason}").format(patient=entry.patient, reason=entry.reason)


def _names(slices: list[Key]) -> str:
    """Return "pair1, slice 4; pair2, slices 3, 7"."""
    by_pair: dict[str, list[int]] = {}
    for pair, k in sorted(slices):
        by_pair.setdefault(pair, []).append(k)
    return "; ".join(f"{pair}, {sliceNames(found)}" for pair, found in by_pair.items())
