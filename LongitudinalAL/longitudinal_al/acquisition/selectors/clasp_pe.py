"""ClaSP PE: class-stratified, scheduled power predictive entropy."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import UNUSABLE, Candidates, Floats
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.acquisition.selectors.power import power_order
from longitudinal_al.acquisition.shares import Stratum, take_by_shares
from longitudinal_al.interruption import Interrupt

PLANNED_ROUNDS = 5
"""Over so many rounds the noise fades where nobody said how many there will be."""


@canonical
def clasp_pe(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
    stratified: float = 2 / 3,
    first_beta: float = 1.0,
    last_beta: float = 100.0,
) -> list[int]:
    """Take two thirds by p_c * H and one third by H, each with noise that fades over the rounds; O(N log N).

    Each stratum is drawn by log-score + Gumbel(0, 1 / beta), beta rising from 1 in its first round, which is
    the one after the cold start, to 100 in the last, by the same factor each round. With one class, change,
    the class strata are one: p * H. No near-duplicates: the spacing between slices stands for it. Use it as
    the strongest published evidence for 3-D medical images. Paper: Lüth, Traub et al., "Finally outshining
    the random baseline", TMLR 2026 (arXiv 2601.13677); how beta rises between its ends is ours.

    Raises
    ------
    NotReady
        The score for predicted change is missing.
    """
    beta = beta_of(candidates.round, candidates.rounds, first_beta, last_beta)
    by_class = usable(candidates.needed("change_score", "clasp_pe"))
    strata = [
        Stratum(power_order(by_class, beta, generator), stratified),
        Stratum(power_order(candidates.ranking_score(), beta, generator), 1.0 - stratified),
    ]
    choice = neighbours.start(candidates, interrupt)
    return take_by_shares(choice, strata, batch, taken_before=len(candidates.labelled))


def beta_of(round_number: int, rounds: int | None, first: float, last: float) -> float:
    """Return beta in a round: geometrically from the first to the last, and the last after that.

    Examples
    --------
    >>> [round(beta_of(number, 4, 1.0, 100.0)) for number in (1, 2, 3, 4, 5)]
    [1, 1, 10, 100, 100]
    """
    return float(first * (last / first) ** passed(round_number, rounds))


def passed(round_number: int, rounds: int | None) -> float:
    """Return how far the rounds with a network have come: 0 in the first of them, 1 in the last and after it.

    The first of all rounds is the cold start's, so theirs begin with the second; a single one is the last.
    """
    planned = PLANNED_ROUNDS if rounds is None else rounds
    return min(1.0, max(0, round_number - 2) / (planned - 2)) if planned > 2 else 1.0


def usable(values: Floats) -> Floats:
    """Return a column of scores with -inf for what is ``UNUSABLE`` or not finite, (n,)."""
    return np.where(np.isfinite(values) & (values != UNUSABLE), values, -np.inf)
