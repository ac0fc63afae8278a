"""A slice pair is brought into the views and the Segment Editor, with the labels that its pair has."""

from __future__ import annotations

from typing import Any

import numpy as np
from slicer.i18n import tr as _

from longitudinal_al.errors import LongitudinalALError, NotReady
from longitudinal_al.frontend.labelled_slices import Key
from longitudinal_al.frontend.ranking import Entry
from longitudinal_al.project.records import Label
from LongitudinalALLib.Logic.Study import Study

PAIRS_AHEAD = 2
"""So many of the pairs that come next are read while the annotator draws."""
LOOKED_AT = 20
"""So many of the slice pairs that come next are looked at to find them."""


def notInView(entry: Entry) -> NotReady:
    """Say that the views show another pair than an entry's."""
    words = _("the views do not show {pair}: press 'Next slice pair' to see it again")
    return NotReady(words.format(pair=entry.pair))


class LabelShowing:
    """Shows slice pairs.

    Parameters
    ----------
    study : Study
    scene : Scene
    editor : Editor or None
        The embedded Segment Editor: `show(segmentation, volume, segmentId)`, `rest()`, `forgetUndo()` and
        `release()`.
    """

    def __init__(self, study: Study, scene: Any, editor: Any) -> None:
        self._study, self._scene, self._editor = study, scene, editor
        self._edited: tuple[Any, ...] = ()
        self._filled: set[Any] = set()
        self._number = 0  # of the newest label that open pairs were drawn with

    def show(self, entry: Entry) -> Any:
        """Show a slice pair, ready to be drawn on; return its open pair."""
        grid, project = self._study.session.grid(), self._study.project
        pair = self._scene.openPair(project.pair_folder(entry.pair), grid.slice_axis, project.classes)
        self._scene.show(pair, entry.slice)
        self._edit(pair)
        return pair

    def fill(self, pair: Any) -> list[int]:
        """Draw the labels that the project has of a pair that was just opened, whoever opened it.

        Strokes stay, but for those of a saved scene on a slice that was labelled since: returns these slices.
        Labels of another size are left out, as the scans were replaced since; the engine tells of them.
        """
        project = self._study.project
        if pair.segmentation in self._filled or pair.folder != project.pair_folder(pair.name):
            return []
        if not self._filled:
            self._number = project.last_label_number()
        strokes = self._scene.sliceLabelsPainted(pair)
        found = {k: project.label(name, k) for name, k in project.labelled() if name == pair.name}
        shape = pair.grid.sliceShape
        labels = {k: each.mask for k, each in found.items() if each is not None and each.mask.shape == shape}
        self._scene.writeSliceLabels({k: mask for k, mask in labels.items() if k not in strokes}, pair)
        renewed = [k for k in strokes if k in labels and not self._isCorrection(pair, k, labels[k])]
        self._filled = {node for node in self._filled if node.GetScene() is not None} | {pair.segmentation}
        return renewed

    def renew(self) -> tuple[list[Key], list[Key]]:
        """Draw what was labelled or withdrawn elsewhere since open pairs were drawn; strokes stay.

        Returns
        -------
        drawn, kept : list of tuple
            Pair and slice of what is drawn anew, and of the strokes that stay over another label.
        """
        project = self._study.project
        drawn: list[Key] = []
        kept: list[Key] = []
        number = project.last_label_number()
        changes = project.label_changes_since(self._number)
        pairs = {pair.name: pair for pair in self._scene.pairs if self._isFilled(pair)}
        for name, k in [key for key in changes if key[0] in pairs]:
            pair = pairs[name]
            if k in self._scene.sliceLabelsPainted(pair):
                kept.append((name, k))
            elif self._redraw(pair, k, project.label(name, k)):
                drawn.append((name, k))
        self._number = number
        if drawn:
            self.noteSaved()
        return drawn, kept

    def _isFilled(self, pair: Any) -> bool:
        """Tell whether a pair is of this project, and has its labels drawn."""
        return pair.has("labels") and pair.segmentation in self._filled

    def _redraw(self, pair: Any, k: int, label: Label | None) -> bool:
        """Draw a slice's label where it is not drawn already; one of another size is left out."""
        shown = self._scene.readSliceLabel(k, pair)
        wanted = np.zeros_like(shown) if label is None else label.mask
        if wanted.shape != shown.shape or np.array_equal(wanted, shown):
            return False
        self._scene.writeSliceLabel(k, wanted, pair)
        return True

    def _isCorrection(self, pair: Any, k: int, label: np.ndarray) -> bool:
        """Tell whether strokes go on from the project's label; where they do not, the label is drawn."""
        try:
            strokes = self._scene.readSliceLabel(k, pair)
        except LongitudinalALError:  # painted in a segment of the annotator's own: told when it is saved
            return True
        before = pair.labels.saved.get(k)
        self._scene.writeSliceLabel(k, label, pair)
        if pair.labels.saved[k] != before:
            return False
        pair.labels.write(k, strokes)
        return True

    def readAhead(self) -> None:
        """Begin to read the pairs that come next."""
        here = {pair.name for pair in self._scene.pairs}
        coming = dict.fromkeys(each.pair for each in self._study.session.queue.coming(LOOKED_AT))
        for name in [each for each in coming if each not in here][:PAIRS_AHEAD]:
            self._scene.readAhead(self._study.project.pair_folder(name))

    def isShown(self, entry: Entry) -> bool:
        """Tell whether the views show an entry's pair."""
        shown = self._scene.shownPair
        return shown is not None and shown.folder == self._study.project.pair_folder(entry.pair)

    def rest(self) -> None:
        """Lay the brush down, until a slice pair is shown to be labelled."""
        if self._editor is not None and self._edited:
            self._editor.rest()
        self._edited = ()

    def noteSaved(self) -> None:
        """What is saved is not undone: undone by mistake, it would be saved once more as nothing."""
        if self._editor is not None:
            self._editor.forgetUndo()

    def forget(self) -> None:
        """The nodes are gone."""
        self._edited = ()
        self._filled.clear()

    def release(self) -> None:
        """Take all that was shown out of the scene."""
        if self._editor is not None:
            self._editor.release()
        self._scene.close()
        self.forget()

    def _edit(self, pair: Any) -> None:
        """Point the Segment Editor at the pair, once; it puts its volume into every view, which is undone.

        What was deleted and made anew has to be pointed at anew.
        """
        segment = pair.segmentation.GetSegmentation().GetSegment(self._scene.segmentId())
        wanted = (pair.segmentation, pair.followup, segment)
        if self._editor is None or self._edited == wanted:
            return
        self._edited = wanted
        self._editor.show(pair.segmentation, pair.followup, self._scene.segmentId())
        self._scene.reclaimViews()
