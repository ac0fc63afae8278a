"""Power sampling: scores drawn with noise, so that a batch is no row of equals."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates, Floats, Integers
from longitudinal_al.acquisition.neighbours import Neighbours, take_in_order
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.interruption import Interrupt


@canonical
def power(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
    beta: float = 1.0,
) -> list[int]:
    """Return the highest log-scores after Gumbel noise of scale 1 / beta; O(N log N).

    The same as drawing without replacement with probabilities in proportion to score^beta: beta 0 draws at
    random, a large one takes the highest. With BALD it is PowerBALD. Use it for batches of an uncertainty
    that would else ask for many of one kind. Paper: Kirsch, Farquhar, Atighehchian, Jesson, Branchaud-Charron
    and Gal, "Stochastic batch acquisition: a simple baseline for deep active learning", TMLR 2023 (arXiv
    2106.12059), with beta = 1.
    """
    order = power_order(candidates.ranking_score(), beta, generator)
    return take_in_order(neighbours.start(candidates, interrupt), order.tolist(), batch)


def power_order(score: Floats, beta: float, generator: np.random.Generator) -> Integers:
    """Return the indices by beta * log score + Gumbel(0, 1), the highest first.

    After all scores above 0 come those of 0 and below, then what has no score (-inf), each at random.
    """
    noise = generator.gumbel(size=len(score))
    positive = score > 0
    noisy = noise + beta * np.log(np.where(positive, score, 1.0))
    return np.lexsort((-noisy, ~positive, score == -np.inf))
