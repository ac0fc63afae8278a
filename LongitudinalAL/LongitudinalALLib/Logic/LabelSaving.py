"""What is painted is brought into the project: the slice in hand, its neighbours, and what is left behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from slicer.i18n import tr as _

from longitudinal_al.errors import LongitudinalALError, NotReady
from longitudinal_al.frontend.ranking import Entry
from LongitudinalALLib.Logic.Study import Study


class LabelSaving:
    """Saves strokes; decides nothing about what is shown.

    Parameters
    ----------
    study : Study
    scene : Scene
    """

    def __init__(self, study: Study, scene: Any) -> None:
        self._study, self._scene = study, scene

    def pairOf(self, entry: Entry) -> Any:
        """Return an entry's open pair; `NotReady` when it is no longer in the scene."""
        pair = self._scene.pairAt(self._study.project.pair_folder(entry.pair))
        if pair is not None:
            return pair
        words = _("pair {pair!r} is no longer in the scene: press 'Next slice pair' to show it again")
        raise NotReady(words.format(pair=entry.pair))

    def painted(self, entry: Entry) -> list[int]:
        """Return the slices of an entry's pair that wait to be saved."""
        found: list[int] = self._scene.sliceLabelsPainted(self.pairOf(entry))
        return found

    def isEmpty(self, entry: Entry) -> bool:
        """Tell whether nothing is painted on the slice in hand."""
        return not self._scene.readSliceLabel(entry.slice, self.pairOf(entry)).any()

    def saveSlices(self, entry: Entry, painted: list[int]) -> None:
        """Save the slice in hand, which has all of the time, and then the others that were painted meanwhile.

        Everything is read and checked before anything is saved.
        """
        session, pair = self._study.session, self.pairOf(entry)
        slices = [entry.slice, *(k for k in painted if k != entry.slice)]
        labels = {k: self._scene.readSliceLabel(k, pair) for k in slices}
        for k, label in labels.items():
            if k != entry.slice:
                session.open(entry.pair, k)
            session.save(label, self._scene.suggestionWasShown(k, pair))
            self._scene.markSaved(k, pair)

    def refuseStrokes(self, entry: Entry) -> None:
        """Raise `NotReady` when something is painted that is not saved."""
        painted = self.painted(entry)
        if painted:
            words = _("painted and not saved: {slices}. Save, or undo it with Ctrl+Z, before you go on")
            raise NotReady(words.format(slices=sliceNames(painted)))

    def refused(self) -> list[str]:
        """Return why strokes could not be saved if everything was closed now; nothing is saved."""
        return [problem for pair, k in self._strokes() if (problem := self._problem(_labelOf, pair, k))]

    def saveAll(self) -> list[str]:
        """Save every stroke of every pair, before they go with the project; return what could not be saved.

        The slice in hand comes first, since it has all of the time. Whatever cannot be saved keeps nothing
        else from being saved.
        """
        held = self._study.session.in_hand
        inHand = held.key if held is not None else None
        found = sorted(self._strokes(), key=lambda each: (each[0].name, each[1]) != inHand)
        return [problem for pair, k in found if (problem := self._problem(self._saveOne, pair, k))]

    def _strokes(self) -> list[tuple[Any, int]]:
        """Return pair and slice of everything that is painted and not saved."""
        return [(pair, k) for pair in self._scene.unsavedStrokes() for k in pair.strokes()]

    def _problem(self, act: Callable[[Any, int], Any], pair: Any, k: int) -> str:
        """Do something with a slice; say why it could not be done, or nothing."""
        try:
            act(pair, k)
        except LongitudinalALError as error:
            words = _("{pair}, {slice}: {reason}")
            return words.format(pair=pair.name, slice=sliceNames([k]), reason=error)
        return ""

    def _saveOne(self, pair: Any, k: int) -> None:
        label = _labelOf(pair, k)
        self._study.session.open(pair.name, k)
        self._study.session.save(label, k in pair.suggestionsShown, replace=True)
        pair.noteSaved(k)


def _labelOf(pair: Any, k: int) -> np.ndarray:
    """Read a slice of a pair whose follow-up may be gone."""
    pair.labels.check(None)
    label: np.ndarray = pair.labels.read(k)
    return label


def sliceNames(indices: list[int]) -> str:
    """Return "slice 4" or "slices 4, 5"."""
    words = _("slice {numbers}") if len(indices) == 1 else _("slices {numbers}")
    return words.format(numbers=", ".join(map(str, indices)))
