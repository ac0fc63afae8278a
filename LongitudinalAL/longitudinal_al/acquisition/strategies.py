"""Every strategy by name: a score, a selector, and what they need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, Flag, auto

import torch

from longitudinal_al.acquisition.predictions import Predictions
from longitudinal_al.acquisition.scores.difference_entropy import difference_entropy
from longitudinal_al.acquisition.scores.disagreement import bald, dropout_entropy
from longitudinal_al.acquisition.scores.entropy import entropy
from longitudinal_al.acquisition.scores.least_confidence import least_confidence
from longitudinal_al.acquisition.scores.margin import margin
from longitudinal_al.acquisition.selectors.canonical import Selector
from longitudinal_al.acquisition.selectors.cluster_margin import cluster_margin
from longitudinal_al.acquisition.selectors.hybrid import hybrid
from longitudinal_al.acquisition.selectors.kcenter import kcenter
from longitudinal_al.acquisition.selectors.random import random
from longitudinal_al.acquisition.selectors.strided import strided
from longitudinal_al.acquisition.selectors.top import top
from longitudinal_al.errors import UnknownName

Score = Callable[[Predictions], torch.Tensor]


class Needs(Flag):
    """What must be there before a strategy can choose."""

    NOTHING = 0
    MODEL = auto()
    """A trained network, and so its predictions."""
    ENSEMBLE = auto()
    """At least two members; passes with dropout do as well."""
    DROPOUT = auto()
    """At least two passes of one network with dropout switched on."""
    FEATURES = auto()
    """Pooled bottleneck features of candidates and labelled slice pairs."""
    DIFFERENCE = auto()
    """The difference image."""
    LABELS = auto()
    """References of unlabelled slice pairs: a yardstick in simulations, never a strategy for users."""


class ScoreSource(Enum):
    """Where the score comes from when it is no function of predictions."""

    NONE = "none"
    """The selector looks at no score; the caller gives zeros."""
    DIFFERENCE = "difference"
    """The caller gives ``imaging.difference.difference_score`` of each slice pair."""


@dataclass(frozen=True)
class Strategy:
    """A named pair of score and selector.

    Parameters
    ----------
    name
        Its key in ``STRATEGIES``.
    score
        From predictions to (n,) numbers, higher is more informative; or where the number comes from instead.
    selector
        From candidates to a batch, best first.
    needs
        What must be there before.
    paper
        Where it comes from.
    summary
        What it asks for, in one line.
    """

    name: str
    score: Score | ScoreSource
    selector: Selector
    needs: Needs
    paper: str
    summary: str


_LMI_AL = "LMI-AL, IJCNN 2025 (arXiv 2511.18007)"
_MODEL = Needs.MODEL
_ALL = [
    Strategy("random", ScoreSource.NONE, random, Needs.NOTHING, "-", "slice pairs drawn at random"),
    Strategy("strided", ScoreSource.NONE, strided, Needs.NOTHING, "-", "every k-th slice pair of the pool"),
    Strategy(
        "difference", ScoreSource.DIFFERENCE, top, Needs.DIFFERENCE, "-", "largest difference; no network"
    ),
    Strategy(
        "entropy", entropy, top, _MODEL, "Settles, Active Learning Literature Survey, 2009", "highest entropy"
    ),
    Strategy(
        "difference_entropy",
        difference_entropy,
        top,
        _MODEL | Needs.DIFFERENCE,
        _LMI_AL,
        "highest entropy where the scans differ",
    ),
    Strategy(
        "least_confidence",
        least_confidence,
        top,
        _MODEL,
        "Lewis and Gale, SIGIR 1994",
        "least confident patch",
    ),
    Strategy(
        "margin",
        margin,
        top,
        _MODEL,
        "Scheffer et al., IDA 2001",
        "smallest margins between change and no change, wherever they lie",
    ),
    Strategy(
        "dropout_entropy",
        dropout_entropy,
        top,
        _MODEL | Needs.DROPOUT,
        "Gal and Ghahramani, ICML 2016",
        "highest entropy of the mean over passes with dropout",
    ),
    Strategy(
        "bald",
        bald,
        top,
        _MODEL | Needs.ENSEMBLE,
        "Houlsby et al., 2011 (arXiv 1112.5745)",
        "largest disagreement between the members of an ensemble",
    ),
    Strategy(
        "kcenter",
        ScoreSource.NONE,
        kcenter,
        _MODEL | Needs.FEATURES,
        "Sener and Savarese, ICLR 2018",
        "least like anything labelled or chosen",
    ),
    Strategy(
        "cluster_margin",
        margin,
        cluster_margin,
        _MODEL | Needs.FEATURES,
        "Citovsky et al., NeurIPS 2021",
        "small margins, in turns from different clusters",
    ),
    Strategy(
        "hybrid",
        entropy,
        hybrid,
        _MODEL | Needs.FEATURES,
        _LMI_AL,
        "highest entropy first, then the least redundant of them",
    ),
]
STRATEGIES: dict[str, Strategy] = {one.name: one for one in _ALL}


def strategy(name: str) -> Strategy:
    """Return the strategy of that name.

    Raises
    ------
    UnknownName
        There is none; the message lists the known ones.
    """
    if name not in STRATEGIES:
        raise UnknownName("strategy", name, STRATEGIES)
    return STRATEGIES[name]


def strategies_table() -> list[dict[str, str]]:
    """Return one row a strategy, for people: ``name``, ``summary``, ``needs`` and ``paper``."""
    return [
        {"name": one.name, "summary": one.summary, "needs": _in_words(one.needs), "paper": one.paper}
        for one in STRATEGIES.values()
    ]


def _in_words(needs: Needs) -> str:
    """Return what is needed as a list in words; "nothing" if so."""
    names = [flag.name.lower() for flag in Needs if flag.value and flag in needs and flag.name]
    return ", ".join(names) or "nothing"
