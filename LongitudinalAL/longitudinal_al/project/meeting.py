"""The versions of one thing in two copies of a project, and which of them counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Generic, Protocol, TypeVar


class Version(Protocol):
    """One of the rows about a thing; rows are only ever added, and the newest counts."""

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from other versions of the thing, in all copies of a project."""

    @property
    def age(self) -> tuple[datetime, str]:
        """What orders versions that were made without knowing each other, the same way on both sides."""


V = TypeVar("V", bound=Version)


class Meeting(Generic[V]):
    """The versions of one thing in both projects, oldest first, and what becomes of them.

    `ours` may be empty, `theirs` not.
    """

    def __init__(self, ours: Sequence[V], theirs: Sequence[V]) -> None:
        self.ours = ours
        self.theirs = theirs
        self._our_keys = {version.key for version in ours}
        self._their_keys = {version.key for version in theirs}

    @property
    def new(self) -> list[V]:
        """What we do not have yet; each once, also where a merge had to add it again."""
        unlike = {version.key: version for version in self.theirs}
        return [version for key, version in unlike.items() if key not in self._our_keys]

    @property
    def to_add(self) -> list[V]:
        """What is to be added, so that all is there and the last one is the one that counts.

        The one that counts is added once more where others would follow it: rows are never changed, and the
        newest row of a thing counts.
        """
        new = self.new
        last = (*self.ours, *new)[-1]
        return new if last.key == self.winner.key else [*new, self.winner]

    @property
    def winner(self) -> V:
        """The version that counts afterwards."""
        theirs = self.theirs[-1]
        if not self.ours:
            return theirs
        ours = self.ours[-1]
        they_know, we_know = ours.key in self._their_keys, theirs.key in self._our_keys
        if they_know != we_know:
            return theirs if they_know else ours
        return max(ours, theirs, key=lambda version: version.age)

    @property
    def is_independent(self) -> bool:
        """Whether neither side's newest version was made knowing the other's."""
        if not self.ours:
            return False
        return self.ours[-1].key not in self._their_keys and self.theirs[-1].key not in self._our_keys
