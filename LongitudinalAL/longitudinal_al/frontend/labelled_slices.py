"""Which slices are labelled, and which lie so near to one that they show nearly the same."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection

Key = tuple[str, int]
"""What names a slice pair: its pair and its slice."""


class LabelledSlices:
    """The labelled slice pairs, sorted by pair, so that the nearest label is found at once."""

    def __init__(self) -> None:
        self._keys: set[Key] = set()
        self._slices: dict[str, list[int]] = {}

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: Key) -> None:
        """Note a label; one that is known already changes nothing."""
        if key not in self._keys:
            self._keys.add(key)
            insort(self._slices.setdefault(key[0], []), key[1])

    def remove(self, key: Key) -> bool:
        """Forget a label, and tell whether there was one."""
        if key not in self._keys:
            return False
        self._keys.remove(key)
        self._slices[key[0]].remove(key[1])
        return True

    def replace(self, keys: Collection[Key]) -> bool:
        """Know exactly these labels, and tell whether some are gone."""
        gone = self._keys.difference(keys)
        for key in gone:
            self.remove(key)
        for key in set(keys) - self._keys:
            self.add(key)
        return bool(gone)

    def is_near(self, key: Key, reach: float) -> bool:
        """Tell whether a slice pair is labelled, or less than `reach` slices from a label of its pair."""
        if key in self._keys:
            return True
        slices = self._slices.get(key[0], [])
        place = bisect_left(slices, key[1])
        return any(abs(each - key[1]) < reach for each in slices[max(place - 1, 0) : place + 1])
