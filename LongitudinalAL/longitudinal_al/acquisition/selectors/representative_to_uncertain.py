"""From representative to uncertain: first what is typical, later what is unclear."""

from __future__ import annotations

import numpy as np

from longitudinal_al.acquisition.candidates import Candidates
from longitudinal_al.acquisition.neighbours import Neighbours
from longitudinal_al.acquisition.selectors.canonical import canonical
from longitudinal_al.acquisition.selectors.clasp_pe import passed
from longitudinal_al.acquisition.selectors.typiclust import typical_order
from longitudinal_al.acquisition.shares import Stratum, descending, take_by_shares
from longitudinal_al.interruption import Interrupt


@canonical
def representative_to_uncertain(
    candidates: Candidates,
    batch: int,
    neighbours: Neighbours,
    generator: np.random.Generator,
    interrupt: Interrupt,
) -> list[int]:
    """Take 1 - t of the batch by TypiClust and t by the highest scores, t rising from 0 to 1 over the rounds.

    t = (round - 2) / (rounds - 2), as the first round is the cold start's; of 5 rounds where nobody said how
    many are planned. Cost as ``typiclust``. Use it when one strategy has to do from the first label to the
    last. Paper: the finding is Hacohen, Dekel and Weinshall's (ICML 2022, arXiv 2202.02794), that low budgets
    want typical and high ones uncertain samples; the straight line between is ours.

    Raises
    ------
    NotReady
        There are no features.
    """
    uncertain = passed(candidates.round, candidates.rounds)
    choice = neighbours.start(candidates, interrupt)
    strata = [Stratum(descending(candidates.ranking_score()), uncertain)]
    if uncertain < 1.0:
        typical = typical_order(candidates, batch, choice.open, generator, interrupt)
        strata.append(Stratum(typical, 1.0 - uncertain))
    return take_by_shares(choice, strata, batch, taken_before=len(candidates.labelled))
