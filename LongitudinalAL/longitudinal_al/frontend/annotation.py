"""An annotator's session: the next slice pair, its time, its label, and the way back."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import numpy as np

from longitudinal_al.errors import GeometryMismatch, InvalidInput, LongitudinalALError, NotReady
from longitudinal_al.frontend.ending import End
from longitudinal_al.frontend.hints import LabellingHints, Worker
from longitudinal_al.frontend.queue import LabellingQueue
from longitudinal_al.frontend.queue_feed import QueueFeed
from longitudinal_al.frontend.ranking import Entry
from longitudinal_al.frontend.slice_grid import SliceGrid, read_grid
from longitudinal_al.frontend.work_timer import WorkTimer
from longitudinal_al.project.records import Label, PairState, utc_now
from longitudinal_al.project.store import Project
from longitudinal_al.protocol import Event, EventKind


class AnnotationSession:
    """Hands out slice pairs and saves their labels; works with a worker, without one, and after its crash.

    Attributes
    ----------
    annotator : str
        Who labels from now on; what is in hand stays there when that changes.

    Parameters
    ----------
    project : Project
        Open, on this thread.
    client : Worker or None
        The worker's client, which the session polls; `None` where rankings come from elsewhere.
    annotator : str
        Who labels.
    clock : callable
        Seconds that only ever grow; times of labels do not depend on the wall clock but for their end.
    """

    def __init__(
        self,
        project: Project,
        client: Worker | None,
        annotator: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.queue = LabellingQueue()
        self.annotator = annotator
        self._project = project
        self._clock = clock
        self._timer = WorkTimer(clock)
        self._timed: Entry | None = None
        self._number = 0  # of the label that the slice pair in hand had when it was looked at
        self._grids: dict[str, SliceGrid] = {}
        self._hints = LabellingHints(client, clock)
        self._feed = QueueFeed(project, self.queue, clock)

    @property
    def in_hand(self) -> Entry | None:
        """The slice pair that is being labelled."""
        return self.queue.in_hand

    def take_client(self, client: Worker | None) -> None:
        """Go on with another worker, or with none: what is in hand, skipped and timed stays as it is."""
        self._hints = LabellingHints(client, self._clock)

    def poll(self) -> list[Event]:
        """Return what the worker said, and look for rankings and labels; for a timer, a few times a second.

        Returns
        -------
        list of Event
            For the user; the session's own requests are left out.

        Raises
        ------
        StorageFailed, ProjectDamaged
            When the project cannot be read; never in place of what the worker said.
        """
        events = self._hints.hear()
        if any(event.kind is EventKind.RANKING for event in events):
            self._feed.look_soon()
        try:
            self._feed.refresh()
        except LongitudinalALError:
            if not events:  # else it is said the next time, and what the worker said is not lost
                raise
        return events

    def next(self) -> Entry | End:
        """Return the slice pair to label now, or why there is none; the one in hand until it is done.

        A pair that was set aside, or whose files are gone, is passed over, and named at the end.

        Raises
        ------
        StorageFailed
            When the whole project's folder is gone.
        """
        self._feed.refresh()
        while isinstance(entry := self.queue.next(), Entry):
            problem = self._problem(entry.pair)
            if not problem:
                return self._begun(entry)
            self.queue.leave_out(entry.pair, problem)
        return entry

    def save(self, mask: np.ndarray, suggestion_shown: bool = False, *, replace: bool = False) -> Label:
        """Save the label of the slice pair in hand; when this returns, it is on the disk.

        Parameters
        ----------
        mask : numpy.ndarray
            uint8 or boolean, (rows, columns) of the pair's grid; 0 = no change, k = class k.
        suggestion_shown : bool
            Whether the model's suggestion was shown meanwhile.
        replace : bool
            Whether a label that came from elsewhere meanwhile is replaced without a word.

        Returns
        -------
        Label
            As saved: `ended` is now, and `started` so long before as was worked on it, pauses left out.

        Raises
        ------
        NotReady
            When no slice pair is in hand; once, when it was labelled elsewhere meanwhile.
        GeometryMismatch
            When the mask is not on the pair's grid.
        StorageFailed, ProjectBusy, ProjectDamaged
            When it could not be saved: the slice pair stays in hand, do the same again.
        """
        entry = self._held()
        grid = self._grid(entry.pair)
        if mask.shape != (grid.rows, grid.columns):
            raise GeometryMismatch(
                f"the mask has {mask.shape} pixels, a slice of pair {entry.pair!r} ({grid.rows}, "
                f"{grid.columns}) (rows, columns): draw on the pair's own grid"
            )
        if not replace:
            self._heed_others(entry)
        ended = utc_now()
        label = Label(
            pair=entry.pair,
            slice=entry.slice,
            mask=np.ascontiguousarray(mask.astype(np.uint8) if mask.dtype == bool else mask),
            annotator=self.annotator,
            started=ended - timedelta(seconds=self._timer.seconds()),
            ended=ended,
            suggestion_shown=suggestion_shown,
            strategy=entry.strategy,
            score=entry.score,
        )
        self._project.save_label(label)
        self._note_own(entry)
        self.queue.labelled(*entry.key)
        self._hints.tell()
        return label

    def no_change(self, suggestion_shown: bool = False) -> Label:
        """Save that nothing has changed on the slice pair in hand; see `save`."""
        grid = self.grid()
        return self.save(np.zeros((grid.rows, grid.columns), np.uint8), suggestion_shown)

    def skip(self) -> None:
        """Put the slice pair in hand off to the end."""
        self.queue.skip()

    def back(self) -> Entry:
        """Take the slice pair before into the hand again, also one of an earlier session.

        Raises
        ------
        NotReady
            When there was none before.
        """
        entry = self.queue.back()
        if not entry.patient or entry.strategy is None:
            entry = self._recalled(entry)
            self.queue.in_hand = entry
        return self._begun(entry)

    def open(self, pair: str, slice_index: int) -> Entry:
        """Take a slice pair of the annotator's own choice into the hand.

        Raises
        ------
        InvalidInput, NotReady
            When there is no such pair, or it is not prepared.
        """
        known = self._project.pair(pair)
        self._read_grid(known.id)
        if slice_index < 0:
            raise InvalidInput(f"pair {known.id!r}: the slice index {slice_index} is negative")
        self.queue.open(self._recalled(Entry(known.id, slice_index)))
        return self._begun(self._held())

    def withdraw(self) -> None:
        """Withdraw the label of the slice pair in hand, which stays there to be labelled anew or skipped.

        Raises
        ------
        NotReady
            When none is in hand.
        InvalidInput
            When it has no label.
        """
        entry = self._held()
        self._project.withdraw_label(*entry.key, self.annotator)
        self._note_own(entry)
        self.queue.withdrawn(*entry.key)
        self._hints.tell()

    def saved_label(self) -> Label | None:
        """Return the label that the slice pair in hand has, to show it again."""
        return self._project.label(*self._held().key)

    def grid(self) -> SliceGrid:
        """Return the grid on which the slice pair in hand is drawn."""
        return self._grid(self._held().pair)

    def touch(self) -> None:
        """Note a sign of work, such as a key or the mouse; cheap enough for every event of the mouse."""
        self._timer.touch()
        self._hints.remind()

    # What is behind it

    def _held(self) -> Entry:
        if self.queue.in_hand is None:
            raise NotReady("no slice pair is in hand: ask for the next one first")
        return self.queue.in_hand

    def _note_own(self, entry: Entry) -> None:
        """Note what was saved here as seen; it is saved, whether or not that can be read just now."""
        with suppress(LongitudinalALError):
            self._number = self._project.label_number(*entry.key)

    def _heed_others(self, entry: Entry) -> None:
        """Refuse, once, to replace a label that nobody here has seen."""
        before, self._number = self._number, self._project.label_number(*entry.key)
        if self._number == before:
            return
        theirs = self._project.label(*entry.key)
        if theirs is not None:
            raise NotReady(
                f"pair {entry.pair!r}, slice {entry.slice} was labelled by {theirs.annotator or 'someone'} "
                "meanwhile: look at that label, or save once more to replace it"
            )

    def _problem(self, pair: str) -> str:
        """Say why nothing of a pair can be shown, nothing when it can."""
        try:
            known = self._project.pair(pair)
            self._read_grid(pair)
        except (NotReady, InvalidInput) as error:
            return str(error)
        return known.reason or "it was set aside" if known.state is PairState.FAILED else ""

    def _read_grid(self, pair: str) -> SliceGrid:
        try:
            self._grids[pair] = read_grid(self._project, pair)
        except NotReady:
            self._project.require_file()  # more than the pair may be gone
            raise
        return self._grids[pair]

    def _grid(self, pair: str) -> SliceGrid:
        """Return a pair's grid, the last one known where its files are gone: what was drawn can be saved."""
        try:
            return self._read_grid(pair)
        except NotReady:
            if pair not in self._grids:
                raise
            return self._grids[pair]

    def _begun(self, entry: Entry) -> Entry:
        if entry is not self._timed:
            self._timed = entry
            self._timer.begin()
            self._number = self._project.label_number(*entry.key)
        return entry

    def _recalled(self, entry: Entry) -> Entry:
        """Complete an entry from the project: whose it is, and what had asked for its label."""
        patient = self._project.pair(entry.pair).patient
        label = self._project.label(*entry.key)
        if label is None:
            return replace(entry, patient=patient)
        return replace(entry, patient=patient, strategy=label.strategy, score=label.score)
