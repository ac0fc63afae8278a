"""The labelling queue: which slice pair comes next, whatever was labelled, skipped or ranked meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain, islice

from longitudinal_al.errors import NotReady
from longitudinal_al.frontend.ending import End, Rest, end_of, no_ranking
from longitudinal_al.frontend.labelled_slices import Key, LabelledSlices
from longitudinal_al.frontend.ranking import SPACING_MM, Entry, Ranking

ROUNDING_MM = 1e-3
"""Exactly the spacing is far enough, whatever the rounding."""
UNKNOWN_THICKNESS_MM = 1.0
_REMEMBERED = 500


class LabellingQueue:
    """Hands out one slice pair after the other; knows no clock, no file and no window.

    One slice pair is *in hand* at most: it stays there, whatever ranking comes, until it is labelled or
    skipped. What is handed out anew by `next` is never labelled, and never nearer to a labelled slice of the
    same pair than the ranking's spacing. Skipped slice pairs are offered once more after all others.
    """

    def __init__(self) -> None:
        self.in_hand: Entry | None = None
        self._ranking: Ranking | None = None
        self._place = 0  # all entries before it were handed out, skipped, labelled or near
        self._labels = LabelledSlices()
        self._past: dict[Key, Entry] = {}  # what was in hand before, the newest last
        self._ahead: list[Entry] = []  # what was in hand when the annotator went back, the next last
        self._skipped: dict[Key, Entry] = {}  # to be offered once more
        self._aside: dict[Key, Entry] = {}  # offered once more already
        self._left_out: dict[str, str] = {}

    # What happens around the queue

    def take_ranking(self, ranking: Ranking) -> None:
        """Replace what is still to come; the slice pair in hand stays, and what was skipped stays skipped."""
        self._ranking = ranking
        self._place = 0
        self._left_out.clear()

    def take_labels(self, labelled: Collection[Key]) -> None:
        """Take the labelled slice pairs as they are now, by whomever."""
        if self._labels.replace(labelled):
            self._place = 0

    def labelled(self, pair: str, slice_index: int) -> None:
        """Note that a slice pair was labelled, here or elsewhere; that it was skipped before is forgotten."""
        key = (pair, slice_index)
        self._labels.add(key)
        self._skipped.pop(key, None)
        self._aside.pop(key, None)

    def withdrawn(self, pair: str, slice_index: int) -> None:
        """Note that a label was withdrawn: the slice pair and its neighbours may come again."""
        if self._labels.remove((pair, slice_index)):
            self._place = 0

    def leave_out(self, pair: str, reason: str) -> None:
        """Hand out nothing of a pair that cannot be shown, until the next ranking; the end says why."""
        self._left_out[pair] = reason
        if self.in_hand is not None and self.in_hand.pair == pair:
            self._put_away()

    # What the annotator does

    def next(self, labelled: Collection[Key] | None = None) -> Entry | End:
        """Return the slice pair to label now; the one in hand, until it is labelled or skipped.

        Parameters
        ----------
        labelled : collection of (pair, slice), optional
            All labelled slice pairs, where they may have changed (see `take_labels`).
        """
        if labelled is not None:
            self.take_labels(labelled)
        if self.in_hand is not None and self.in_hand.key not in self._labels:
            return self.in_hand
        self._put_away()
        entry = next(self._candidates(), None)
        return self._end() if entry is None else self._take(entry)

    def skip(self) -> None:
        """Put the slice pair in hand off to the end; one that has a label is only left as it is.

        Raises
        ------
        NotReady
            When none is in hand.
        """
        entry = self._held()
        if entry.key not in self._labels and entry.key not in self._aside:
            self._skipped[entry.key] = entry
        self._put_away()

    def back(self) -> Entry:
        """Take the slice pair before into the hand again, labelled or not; the one in hand comes next.

        Raises
        ------
        NotReady
            When there was none before.
        """
        before = self._before()
        if before is None:
            raise NotReady("there is no earlier slice pair to go back to: this is the first one")
        self._put_ahead()
        return self._take(before)

    @property
    def can_go_back(self) -> bool:
        """Whether there is an earlier slice pair."""
        return self._before() is not None

    def open(self, entry: Entry) -> None:
        """Take a slice pair of the annotator's own choice into the hand; the one in hand comes next."""
        if self.in_hand is not None and self.in_hand.key == entry.key:
            return
        self._put_ahead(keep_labelled=False)
        self._take(entry)

    def remember(self, entry: Entry) -> None:
        """Let `back` lead to a slice pair of an earlier session."""
        self._past[entry.key] = entry

    def coming(self, count: int) -> list[Entry]:
        """Return what `next` will most likely hand out after the one in hand; nothing changes."""
        held = None if self.in_hand is None else self.in_hand.key
        ranked = self._ranking.entries[self._place :] if self._ranking else ()
        following = (each for each in chain(reversed(self._ahead), ranked) if each.key != held)
        return list(islice(filter(self._is_new, following), count))

    # How it is chosen

    def _held(self) -> Entry:
        if self.in_hand is None:
            raise NotReady("no slice pair is in hand: ask for the next one first")
        return self.in_hand

    def _before(self) -> Entry | None:
        return next((each for each in reversed(self._past.values()) if each.pair not in self._left_out), None)

    def _take(self, entry: Entry) -> Entry:
        self._past.pop(entry.key, None)
        self.in_hand = entry
        return entry

    def _put_away(self) -> None:
        """Make the slice pair in hand the last of the past."""
        if self.in_hand is not None:
            self._past.pop(self.in_hand.key, None)
            self._past[self.in_hand.key] = self.in_hand
            if len(self._past) > _REMEMBERED:
                del self._past[next(iter(self._past))]
            self.in_hand = None

    def _put_ahead(self, keep_labelled: bool = True) -> None:
        """Let the slice pair in hand come next; a labelled one is only of the past."""
        held, self.in_hand = self.in_hand, None
        if held is None:
            return
        if held.key in self._labels and not keep_labelled:
            self._past[held.key] = held
            return
        self._ahead.append(held)
        if self._aside.pop(held.key, None):  # it was not skipped this time
            self._skipped[held.key] = held

    def _candidates(self) -> Iterator[Entry]:
        """Yield what may be handed out, in this order: left by going back, ranked, withdrawn, skipped."""
        while self._ahead:
            entry = self._ahead.pop()
            if self._is_new(entry):
                yield entry
            else:
                self._past.setdefault(entry.key, entry)
        entries = self._ranking.entries if self._ranking else ()
        while self._place < len(entries):
            entry = entries[self._place]
            self._place += 1
            if self._is_new(entry):
                yield entry
        for entry in [each for each in self._past.values() if self._is_new(each)]:
            yield entry
        for key, entry in list(self._skipped.items()):
            if self._is_open(entry):
                self._aside[key] = self._skipped.pop(key)
                yield entry

    def _is_new(self, entry: Entry) -> bool:
        return entry.key not in self._skipped and entry.key not in self._aside and self._is_open(entry)

    def _is_open(self, entry: Entry) -> bool:
        """Tell whether a slice pair is neither labelled, nor nearly the same as a labelled one."""
        if entry.pair in self._left_out:
            return False
        return not self._labels.is_near(entry.key, self._reach(entry.pair))

    def _reach(self, pair: str) -> float:
        """Return how many slices away from a label a slice has to be, at least."""
        spacing = SPACING_MM if self._ranking is None else self._ranking.spacing_mm
        thickness = {} if self._ranking is None else self._ranking.thickness_mm
        return (spacing - ROUNDING_MM) / thickness.get(pair, UNKNOWN_THICKNESS_MM)

    def _end(self) -> End:
        ranking = self._ranking
        if ranking is None or not (ranking.entries or len(self._labels)):
            return no_ranking()
        hidden = [entry for entry in ranking.entries if not self._is_open(entry)]
        shown = [entry for entry in hidden if entry.pair not in self._left_out]
        return end_of(
            Rest(
                labelled=len(self._labels),
                near=sum(entry.key not in self._labels for entry in shown),
                skipped=sum(self._is_open(entry) for entry in self._aside.values()),
                left_out=self._left_out,
                spacing_mm=ranking.spacing_mm,
                batch=0 if ranking.complete else len(ranking.entries),
            )
        )
