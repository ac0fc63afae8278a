"""What is laid over the slice in hand on request: the model's view of it, and earlier labels."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from slicer.i18n import tr as _

from longitudinal_al.errors import LongitudinalALError
from longitudinal_al.frontend.ranking import Entry
from longitudinal_al.protocol import Event, EventKind, Verb
from LongitudinalALLib.Logic.LabelShowing import notInView
from LongitudinalALLib.Logic.Study import Study

NAMES = {
    "suggestion": "suggestion",
    "uncertainty": "uncertainty",
    "attention": "attention",
    "earlier": "earlier labels",
}
"""Name in the section -> name in the scene."""
EXPLAINED = ("suggestion", "uncertainty", "attention")
"""Asked of the worker, all three at once."""


class LabelOverlays:
    """From the section's overlay buttons to the worker and the scene.

    The suggestion is never shown unless it is asked for; the scene remembers for which slices it was.
    """

    def __init__(self, section: Any, study: Study, scene: Any) -> None:
        self._section, self._study, self._scene = section, study, scene
        self._entry: Entry | None = None
        self._pair: Any = None
        self._on: set[str] = set()
        self._asked: str | None = None
        self._pictures: dict[str, np.ndarray] = {}
        section.overlayToggled.connect(self.toggle)
        study.happened.connect(self._onEvent)
        study.closing.connect(self._onClosing)

    def show(self, entry: Entry, pair: Any) -> None:
        """Take another slice pair; all overlays are off."""
        self._entry, self._pair, self._asked = entry, pair, None
        self._pictures = {}

    def switchOff(self) -> None:
        """Switch all off."""
        for name in NAMES.values():
            self._scene.switchOverlay(name, False)
        self._on.clear()
        self._section.showOverlays([])

    def noteCleared(self) -> None:
        """Let the buttons go out whose overlay went away, since another slice was shown."""
        gone = {name for name in self._on if not self._scene.hasOverlay(NAMES[name])}
        if gone and self._asked is None:
            self._on -= gone
            self._section.showOverlays(sorted(self._on))

    def toggle(self, name: str, isOn: bool) -> None:
        """Show an overlay or not; one of the model's is asked of the worker first."""
        try:
            self._toggle(name, isOn)
        except LongitudinalALError as error:
            self._on.discard(name)
            self._section.showOverlays(sorted(self._on))
            self._section.showMessage(str(error))

    def _toggle(self, name: str, isOn: bool) -> None:
        if self._entry is None:
            return
        if isOn:
            self._requireInView(self._entry)
        (self._on.add if isOn else self._on.discard)(name)
        if not isOn:
            self._scene.switchOverlay(NAMES[name], False)
        elif name in EXPLAINED and not self._pictures:
            self._ask()
        else:
            self._lay(name)

    def _ask(self) -> None:
        if self._asked is None and self._entry is not None:
            self._asked = self._study.request(Verb.EXPLAIN, pair=self._entry.pair, slice=self._entry.slice)
            self._section.showMessage(_("Asking the model ..."))

    def _lay(self, name: str) -> None:
        assert self._entry is not None
        self._requireInView(self._entry)
        k = self._entry.slice
        names = [name]
        if self._scene.shownSlice() != k:
            self._scene.jump(k)  # which takes away what is laid over
            names = [*sorted(self._on - {name}), name]
        for each in names:
            self._layOne(each, k)

    def _layOne(self, name: str, k: int) -> None:
        values = self._pictures.get(name) if name in EXPLAINED else self._earlier()
        if values is None:
            self._on.discard(name)
            self._section.showOverlays(sorted(self._on))
            self._section.showMessage(_("This slice has no earlier label."))
            return
        self._scene.setOverlay(NAMES[name], k, values, self._pair)
        self._scene.switchOverlay(NAMES[name], True)

    def _onClosing(self) -> None:
        """Forget what was asked: the next worker counts its requests anew."""
        self._entry = self._pair = self._asked = None
        self._pictures = {}
        self.switchOff()

    def _requireInView(self, entry: Entry) -> None:
        """Raise `NotReady` where the views show another pair: nothing is laid over that one's scans."""
        if self._scene.shownPair is not self._pair:
            raise notInView(entry)

    def _earlier(self) -> np.ndarray | None:
        label = self._study.session.saved_label()
        return None if label is None else label.mask

    def _onEvent(self, event: Event) -> None:
        if event.id is None or event.id != self._asked or not event.kind.is_terminal:
            return
        self._asked = None
        try:
            if event.kind is not EventKind.DONE:
                raise LongitudinalALError(
                    str(event.data.get("message") or _("The model was not asked to the end."))
                )
            self._pictures = _read(Path(event.data["result"]["path"]))
            self._section.showMessage("")
            for name in sorted(self._on & set(EXPLAINED)):
                self._lay(name)
        except LongitudinalALError as error:
            self._on -= set(EXPLAINED)
            self._section.showOverlays(sorted(self._on))
            self._section.showMessage(str(error))


def _read(path: Path) -> dict[str, np.ndarray]:
    """Read what the worker wrote: float32 (rows, columns) by name."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in EXPLAINED}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        words = _("{path} cannot be read ({reason}): ask again")
        raise LongitudinalALError(words.format(path=path, reason=error)) from error
