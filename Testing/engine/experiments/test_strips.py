"""What the strips show is what was asked for first."""

from __future__ import annotations

from typing import Any

import numpy as np

from longitudinal_al.errors import NotReady
from longitudinal_al.experiments.strips import first_asked


class PairWithOrWithoutReference:
    def __init__(self, name: str) -> None:
        self.name = name

    def reference_slices(self) -> np.ndarray:
        if self.name == "pair-1":
            raise NotReady("no reference")
        return np.ones((80, 4, 5), dtype=np.uint8) * np.arange(80)[:, None, None]


class SmallPool:
    """The part of a pool that the strips read: channels that carry the row, and references."""

    def __init__(self) -> None:
        self.pairs = {f"pair-{k}": PairWithOrWithoutReference(f"pair-{k}") for k in range(9)}

    def find(self, pair: str, index: int) -> int:
        return 100 * int(pair[-1]) + index

    def stacks(self, rows: list[int]) -> np.ndarray:
        channels = np.array([1.0, 2.0, 3.0], dtype=np.float16)[:, None, None] * np.ones(
            (4, 5), dtype=np.float16
        )
        return (rows[0] * channels)[None, None]

    def mask_to_network(self, row: int, mask: np.ndarray) -> np.ndarray:
        return mask == row % 100


def test_first_slice_pairs_of_the_first_seed_in_order(made_up_results: dict[str, Any]) -> None:
    strips = first_asked(made_up_results, SmallPool(), count=9)
    assert list(strips) == ["random", "difference", "entropy", "hybrid"]
    # Round 1 asks for seven slice pairs, round 2 for the last two shown.
    assert [(one.pair, one.slice) for one in strips["hybrid"]][:2] == [("pair-1", 10), ("pair-2", 13)]
    assert [(one.pair, one.slice) for one in strips["hybrid"]][7:] == [("pair-2", 10), ("pair-3", 13)]
    assert len(first_asked(made_up_results, SmallPool(), count=99)["hybrid"]) == 6 * 7
    second = strips["hybrid"][1]
    row = 213
    assert (second.baseline[0, 0], second.followup[0, 0], second.difference[0, 0]) == (row, 2 * row, 3 * row)
    assert second.reference.all()


def test_pairs_without_a_reference_are_shown_without_outline(made_up_results: dict[str, Any]) -> None:
    assert first_asked(made_up_results, SmallPool())["random"][0].reference is None


def test_results_without_what_was_asked_give_empty_strips(made_up_results: dict[str, Any]) -> None:
    for entry in made_up_results["results"]:
        del entry["asked"]
    assert not any(first_asked(made_up_results, SmallPool()).values())
