"""3 Label: from one slice pair to the next, with every stroke saved or asked about."""

from __future__ import annotations

from typing import Any

from longitudinal_al.errors import LongitudinalALError, NotReady
from longitudinal_al.frontend.ending import End
from longitudinal_al.frontend.ranking import Entry
from LongitudinalALLib.Logic.Guard import guarded
from LongitudinalALLib.Logic.LabelOverlays import LabelOverlays
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
        The embedded Segment Editor: `show(segmentation, volume, segmentId)` and `release()`.
    """

    def __init__(self, section: Any, study: Study, scene: Any, editor: Any = None) -> None:
        self._section, self._study, self._scene, self._editor = section, study, scene, editor
        self._overlays = LabelOverlays(section, study, scene)
        self._edited: Any = None
        self._filled: set[Any] = set()
        self._seen: tuple[Any, ...] = ()
        section.nextRequested.connect(self.next)
        section.saveRequested.connect(self.save)
        section.noChangeRequested.connect(self.noChange)
        section.skipRequested.connect(self.skip)
        section.backRequested.connect(self.back)
        study.closing.connect(self._onClosing)
        study.ticked.connect(self._onTick)
        scene.beforeClose.append(self._onSceneClosing)
        scene.afterClose.append(self._onSceneClosed)

    # What the annotator does

    @guarded
    def next(self) -> None:
        """Show the slice pair to label now."""
        self._show(self._study.session.next())

    @guarded
    def open(self, pair: str, sliceIndex: int) -> None:
        """Show a slice pair of the annotator's own choice."""
        self._show(self._study.session.open(pair, sliceIndex))

    @guarded
    def save(self) -> None:
        """Save what is painted, on all slices, and go on."""
        entry = self._held()
        painted = self._scene.sliceLabelsPainted(self._pair(entry))
        if (
            entry.slice not in painted
            and not self._scene.readSliceLabel(entry.slice, self._pair(entry)).any()
        ):
            raise NotReady(
                f"nothing is painted on slice {entry.slice}: paint the change, or say that there is none "
                "with 'No change and next'"
            )
        self._saveAndGoOn(entry, painted)

    @guarded
    def noChange(self) -> None:
        """Save that nothing has changed on the slice in hand, and go on."""
        entry = self._held()
        if self._scene.readSliceLabel(entry.slice, self._pair(entry)).any():
            raise NotReady(
                f"slice {entry.slice} is painted: save it, or erase the paint before you say 'No change'"
            )
        self._saveAndGoOn(entry, self._scene.sliceLabelsPainted(self._pair(entry)))

    @guarded
    def skip(self) -> None:
        """Put the slice pair off; what is painted and not saved is not left behind."""
        self._refuseUnsaved(self._held())
        self._study.session.skip()
        self._show(self._study.session.next())

    @guarded
    def back(self) -> None:
        """Show the slice pair before, with its label."""
        if self._study.session.in_hand is not None:
            self._refuseUnsaved(self._study.session.in_hand)
        self._show(self._study.session.back())

    def touch(self) -> None:
        """Note a sign of work, such as the mouse over the views; cheap."""
        if self._study.isOpen:
            self._study.session.touch()

    def showError(self, text: str) -> None:
        """Show what went wrong; the slice pair stays in hand."""
        self._section.showMessage(text)

    # Saving

    def _saveAndGoOn(self, entry: Entry, painted: list[int]) -> None:
        self._section.setBusy(True)
        try:
            self._saveSlices(entry, painted)
        finally:
            self._section.setBusy(False)
        self._study.tick()
        self._show(self._study.session.next())

    def _saveSlices(self, entry: Entry, painted: list[int]) -> None:
        """Save the slice in hand, which has all of the time, and then the others that were painted meanwhile.

        Everything is read and checked before anything is saved.
        """
        session, pair = self._study.session, self._pair(entry)
        slices = [entry.slice, *(k for k in painted if k != entry.slice)]
        labels = {k: self._scene.readSliceLabel(k, pair) for k in slices}
        for k, label in labels.items():
            if k != entry.slice:
                session.open(entry.pair, k)
            session.save(label, self._scene.suggestionWasShown(k, pair))
            self._scene.markSaved(k, pair)

    def _refuseUnsaved(self, entry: Entry) -> None:
        painted = self._scene.sliceLabelsPainted(self._pair(entry))
        if painted:
            raise NotReady(
                f"painted and not saved: {_slices(painted)}. Save, or undo it with Ctrl+Z, before you go on"
            )

    def _held(self) -> Entry:
        held = self._study.session.in_hand
        if held is None:
            raise NotReady("no slice pair is in hand: press 'Next slice pair'")
        return held

    def _pair(self, entry: Entry) -> Any:
        """Return the entry's open pair."""
        folder = self._study.project.pair_folder(entry.pair)
        for pair in self._scene.pairs:
            if pair.folder == folder:
                return pair
        raise NotReady(
            f"pair {entry.pair!r} is no longer in the scene: press 'Next slice pair' to show it again"
        )

    # Showing

    def _show(self, found: Entry | End) -> None:
        if isinstance(found, End):
            self._section.showNothingLeft(found.reason)
            return
        self._overlays.switchOff()
        grid, project = self._study.session.grid(), self._study.project
        pair = self._scene.openPair(project.pair_folder(found.pair), grid.slice_axis, project.classes)
        self._scene.show(pair, found.slice)
        self._fill(found.pair, pair)
        self._edit(pair)
        self._section.showInHand(found.pair, found.slice, _rank(found))
        self._section.showReason(_sentence(found))
        self._section.showPaintedSlices(self._scene.sliceLabelsPainted(pair))
        self._overlays.show(found, pair)

    def _fill(self, name: str, pair: Any) -> None:
        """Draw the labels that the project has of a pair that was just opened; strokes stay."""
        if pair.segmentation in self._filled:
            return
        self._filled = {node for node in self._filled if node.GetScene() is not None} | {pair.segmentation}
        for each, k in self._study.project.labelled():
            label = self._study.project.label(each, k) if each == name else None
            if label is not None:
                self._scene.writeSliceLabel(k, label.mask, pair)

    def _edit(self, pair: Any) -> None:
        """Point the Segment Editor at the pair, once; it puts its volume into every view, which is undone."""
        if self._editor is None or self._edited is pair.segmentation:
            return
        self._edited = pair.segmentation
        self._editor.show(pair.segmentation, pair.followup, self._scene.segmentId())
        self._scene.reclaimViews()

    # What happens around it

    def _onTick(self) -> None:
        """Take strokes and scrolling as signs of work, and show which slices are painted."""
        pair = self._scene.shownPair
        if self._study.session.in_hand is None or pair is None:
            return
        seen = self._signature(pair)
        if seen == self._seen:
            return
        self._seen = seen
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

    def _onSceneClosing(self) -> None:
        """Save what is painted while it is still there: the annotator can come back to it, or withdraw it."""
        entry = self._study.session.in_hand if self._study.isOpen else None
        if entry is None:
            return
        try:
            painted = self._scene.sliceLabelsPainted(self._pair(entry))
            if painted:
                self._saveStrokes(entry, painted)
        except LongitudinalALError as error:
            self.showError(f"What was painted could not be saved: {error}")

    def _saveStrokes(self, entry: Entry, painted: list[int]) -> None:
        pair = self._pair(entry)
        for k in sorted(painted, key=lambda each: each != entry.slice):
            label = self._scene.readSliceLabel(k, pair)
            self._study.session.open(entry.pair, k)
            self._study.session.save(label, self._scene.suggestionWasShown(k, pair))
            self._scene.markSaved(k, pair)

    def _onSceneClosed(self) -> None:
        self._edited, self._seen = None, ()
        self._filled.clear()
        if self._study.isOpen:
            self._section.showNothingLeft(
                "The scene was closed; what was painted is saved. Press 'Next slice pair' to go on."
            )

    def _onClosing(self) -> None:
        """Save what is painted, and take everything out of the scene."""
        self._onSceneClosing()
        if self._editor is not None:
            self._editor.release()
        self._scene.close()
        self._edited, self._seen = None, ()
        self._filled.clear()
        self._section.showNothingLeft("")


def _rank(entry: Entry) -> str:
    """Say what asked for a slice pair, for the line above the editor."""
    if entry.strategy is None:
        return "your own choice"
    return entry.strategy if entry.score is None else f"{entry.strategy}, score {entry.score:.3g}"


def _sentence(entry: Entry) -> str:
    return f"Patient {entry.patient}: {entry.reason}" if entry.patient and entry.reason else entry.reason


def _slices(indices: list[int]) -> str:
    return ("slice " if len(indices) == 1 else "slices ") + ", ".join(map(str, indices))
