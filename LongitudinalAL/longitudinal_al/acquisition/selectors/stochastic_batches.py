"""Stochastic batches: many batches drawn at random, of which the most uncertain is taken."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates
from longitudinal_al.acquisition.neighbours import Neighbours, take_in_order
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.interruption import Interrupt


@canonical
def stochastic_batches(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
    batches: int = 100,
) -> list[int]:
    """Draw so many batches at random, and return the one with the highest mean score, best first.

    Each draw keeps to the spacing. The batch is as diverse as chance, and more uncertain than chance, the
    more the more batches are drawn. O(batches * N) time, O(N) memory. Use it as a first step beyond
    ``random``. Paper: Gaillochet, Desrosiers and Lombaert, "Active learning for medical image segmentation
    with stochastic batches", Medical Image Analysis 2023 (arXiv 2301.07670).
    """
    score = candidates.ranking_score()
    start = neighbours.start(candidates, interrupt)
    best: list[int] = []
    highest = (-1, -1, -np.inf)  # how many, how many of them with a score, their mean
    for _ in range(batches):
        chosen = take_in_order(start.copy(), generator.permutation(len(candidates)).tolist(), batch)
        usable = score[chosen][np.isfinite(score[chosen])]
        value = (len(chosen), len(usable), float(usable.mean()) if len(usable) else -np.inf)
        if value > highest:
            best, highest = chosen, value
    return sorted(best, key=lambda index: -score[index])
