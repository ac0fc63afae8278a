"""Any order of ranking, next, label, skip, back, withdraw, merge and crash keeps the queue's promises."""

from __future__ import annotations

import os

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from longitudinal_al.frontend.ending import End, EndKind
from longitudinal_al.frontend.queue import LabellingQueue
from longitudinal_al.frontend.ranking import SPACING_MM, Entry, Ranking

PAIRS = {"a": 1.0, "b": 3.0, "c": 5.0}
SLICES = 8
SOAK = bool(os.environ.get("LONGITUDINALAL_SOAK"))
KEYS = st.tuples(st.sampled_from(sorted(PAIRS)), st.integers(0, SLICES - 1))
Key = tuple[str, int]


class Labelling(RuleBasedStateMachine):
    """A queue against plain sets: what is labelled, what was skipped, what is in hand."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = LabellingQueue()
        self.labels: set[Key] = set()
        self.ranking: Ranking | None = None
        self.skipped: list[Key] = []
        self.left_out: set[str] = set()
        self.seen: set[Key] = set()
        self.hand: Key | None = None

    # What happens around the queue

    @rule(keys=st.lists(KEYS, unique=True, max_size=20), spacing=st.sampled_from([0.0, 3.0, 5.0]))
    def new_ranking(self, keys: list[Key], spacing: float) -> None:
        entries = tuple(Entry(*key, strategy="entropy") for key in keys)
        self.ranking = Ranking(entries, "entropy", spacing, PAIRS)
        self.queue.take_ranking(self.ranking)
        self.left_out.clear()

    @rule(key=KEYS)
    def someone_else_labels(self, key: Key) -> None:
        self.labels.add(key)

    @rule(key=KEYS)
    def someone_else_withdraws(self, key: Key) -> None:
        self.labels.discard(key)

    @rule(
        keys=st.sets(KEYS, max_size=6), withdrawn=st.sets(KEYS, max_size=3), is_told_one_by_one=st.booleans()
    )
    def merge(self, keys: set[Key], withdrawn: set[Key], is_told_one_by_one: bool) -> None:
        """Many labels and withdrawals of a copy come at once; also what is in hand may be among them."""
        self.labels = (self.labels | keys) - withdrawn
        if not is_told_one_by_one:
            self.queue.take_labels(self.labels)
            return
        for key in sorted(withdrawn):
            self.queue.withdrawn(*key)
        for key in sorted(keys - withdrawn):
            self.queue.labelled(*key)

    @rule()
    def crash(self) -> None:
        """All that the queue knew is gone; a new session knows the labels, and has to read the ranking."""
        self.queue = LabellingQueue()
        self.ranking, self.hand, self.skipped = None, None, []
        self.left_out.clear()
        recent = sorted(self.labels)[:3]
        for key in recent:
            self.queue.remember(Entry(*key))
        self.queue.take_labels(self.labels)
        self.seen = set(recent)

    @rule(pair=st.sampled_from(sorted(PAIRS)))
    def a_pair_cannot_be_shown(self, pair: str) -> None:
        self.queue.leave_out(pair, "its files are gone")
        self.left_out.add(pair)
        if self.hand and self.hand[0] == pair:
            self.hand = None

    # What the annotator does

    @rule()
    def next(self) -> None:
        given = self.queue.next(self.labels)
        if self.hand is not None and self.hand not in self.labels:
            assert given.key == self.hand, "the slice pair in hand is not taken away"
            return
        self.hand = None
        if isinstance(given, End):
            self.check_end(given)
            return
        assert given.key not in self.labels
        assert given.key[0] not in self.left_out
        assert not self.is_near(given.key), "nearly the same as a labelled one"
        if given.key in self.skipped:
            assert not self.fresh(), "skipped ones come after all others"
        self.take(given.key)

    @precondition(lambda self: self.hand is not None)
    @rule()
    def label(self) -> None:
        self.labels.add(self.hand)
        self.queue.labelled(*self.hand)
        if self.hand in self.skipped:
            self.skipped.remove(self.hand)

    @precondition(lambda self: self.hand is not None)
    @rule()
    def skip(self) -> None:
        self.queue.take_labels(self.labels)
        self.queue.skip()
        if self.hand not in self.labels and self.hand not in self.skipped:
            self.skipped.append(self.hand)
        self.hand = None

    @precondition(lambda self: self.queue.can_go_back)
    @rule()
    def back(self) -> None:
        before = self.hand
        self.hand = self.queue.back().key
        assert self.hand != before
        assert self.hand in self.seen
        assert self.hand[0] not in self.left_out

    @precondition(lambda self: self.hand in self.labels)
    @rule()
    def withdraw(self) -> None:
        self.labels.discard(self.hand)
        self.queue.withdrawn(*self.hand)

    @rule(key=KEYS)
    def choose_freely(self, key: Key) -> None:
        self.queue.open(Entry(*key))
        self.take(key)

    @invariant()
    def holds_what_it_gave(self) -> None:
        assert (self.queue.in_hand and self.queue.in_hand.key) == self.hand

    # What has to be true

    def take(self, key: Key) -> None:
        self.hand = key
        self.seen.add(key)

    def is_near(self, key: Key) -> bool:
        spacing = self.ranking.spacing_mm if self.ranking else SPACING_MM
        pair, index = key
        thickness = PAIRS[pair] if self.ranking else 1.0  # nobody has told yet: rather too far away
        return any(
            other == pair and abs(each - index) * thickness < spacing - 1e-9 for other, each in self.labels
        )

    def is_open(self, key: Key) -> bool:
        return key not in self.labels and key[0] not in self.left_out and not self.is_near(key)

    def fresh(self) -> list[Key]:
        """Return what may be handed out, since it is ranked or was in hand, and was never skipped."""
        keys = {entry.key for entry in self.ranking.entries} if self.ranking else set()
        return [key for key in keys | self.seen if self.is_open(key) and key not in self.skipped]

    def check_end(self, end: End) -> None:
        assert not self.fresh(), "it is not the end while something is left"
        assert end.reason.endswith(".")
        if self.ranking is None:
            assert end.kind is EndKind.NO_RANKING
            return
        waiting = [key for key in self.skipped if self.is_open(key)]
        assert (end.kind is EndKind.SKIPPED) == bool(waiting and end.kind is not EndKind.NO_RANKING)
        unlabelled = [entry.key for entry in self.ranking.entries if entry.key not in self.labels]
        near = [key for key in unlabelled if key[0] not in self.left_out and self.is_near(key)]
        assert bool(near) == ("nearly the same" in end.reason)


TestLabelling = Labelling.TestCase
TestLabelling.settings = settings(
    max_examples=3000 if SOAK else 80, stateful_step_count=60 if SOAK else 30, deadline=None
)
