"""Every k-th slice pair: as blind as chance, but never two neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from longitudinal_al.acquisition.candidates import Candidates
from longitudinal_al.acquisition.neighbours import Neighbours, take_in_order
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.interruption import Interrupt


@canonical
def strided(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
) -> list[int]:
    """Return every k-th candidate of the pool, k = N / batch, from a random first one; O(N log N).

    The pool lies in the order patient, pair, slice, so every patient gets his share (systematic sampling).
    Within the batch the order jumps across the pool, so a batch that is cut short is still spread. Where a
    choice is closed (too near to a labelled slice pair), the strides are walked again, each time shifted. Use
    it as the yardstick that looks at nothing. Paper: Madow and Madow, "On the theory of systematic sampling",
    Annals of Mathematical Statistics 15 (1944).
    """
    line = np.lexsort((candidates.slice, candidates.pair, candidates.patient))
    stride = stride_of(len(line), batch)
    first = int(generator.integers(max(1, int(stride))))
    order: list[int] = []
    for shift in bit_reversed(int(np.ceil(stride))):
        steps = first + shift + np.floor(np.arange(min(batch, len(line))) * stride).astype(np.int64)
        order.extend(line[steps[bit_reversed(len(steps))] % len(line)].tolist())
    return take_in_order(neighbours.start(candidates, interrupt), dict.fromkeys(order), batch)


def stride_of(pool: int, batch: int) -> float:
    """Return k in "every k-th slice pair", at least 1."""
    return max(1.0, pool / batch)


def bit_reversed(count: int) -> NDArray[np.int64]:
    """Return 0 to count - 1 in the order of their reversed bits: 0, 4, 2, 6, 1, 5, 3, 7 for 8."""
    bits = max(1, (count - 1).bit_length())
    reversed_numbers = [int(f"{number:0{bits}b}"[::-1], 2) for number in range(1 << bits)]
    return np.array([number for number in reversed_numbers if number < count], dtype=np.int64)
