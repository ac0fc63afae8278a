"""Every strategy by name: a score, a selector, and what they need."""

from __future__ import annotations

from longitudinal_al.acquisition.needs import Needs as Needs
from longitudinal_al.acquisition.needs import ScoreSource as ScoreSource
from longitudinal_al.acquisition.scores.difference_entropy import difference_entropy
from longitudinal_al.acquisition.scores.disagreement import bald, dropout_entropy
from longitudinal_al.acquisition.scores.entropy import entropy
from longitudinal_al.acquisition.scores.least_confidence import least_confidence
from longitudinal_al.acquisition.scores.margin import margin
from longitudinal_al.acquisition.selectors.cluster_margin import cluster_margin
from longitudinal_al.acquisition.selectors.hybrid import hybrid
from longitudinal_al.acquisition.selectors.kcenter import kcenter
from longitudinal_al.acquisition.selectors.random import random
from longitudinal_al.acquisition.selectors.strided import strided
from longitudinal_al.acquisition.selectors.top import top
from longitudinal_al.acquisition.strategy import Strategy as Strategy
from longitudinal_al.acquisition.strategy import as_text, bound
from longitudinal_al.errors import InvalidInput, UnknownName

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
_DEFINED = {one.name: one for one in _ALL}
STRATEGIES: dict[str, Strategy] = {name: bound(one, {}) for name, one in _DEFINED.items()}
"""Every strategy with the defaults of its settings."""


def strategy(text: str) -> Strategy:
    """Return the strategy that a text asks for: "name", or "name:setting=value,setting=value".

    Raises
    ------
    UnknownName
        There is no such strategy, setting or choice; the message lists the known ones.
    InvalidInput
        A setting is written in another way, is given twice, or has a value it cannot have.

    Examples
    --------
    >>> strategy("entropy").text
    'entropy'
    """
    name, _, rest = text.partition(":")
    if name not in _DEFINED:
        raise UnknownName("strategy", name, _DEFINED)
    given: dict[str, str] = {}
    for each in rest.split(",") if rest else []:
        key, equals, value = (part.strip() for part in each.partition("="))
        if not (key and equals and value) or key in given:
            raise InvalidInput(f"strategy {text!r}: write its settings once each, as {name}:setting=value")
        given[key] = value
    return bound(_DEFINED[name], given)


def cold_start_of(one: Strategy) -> Strategy | None:
    """Return what chooses while there is no model, with the settings they share; None: the caller decides."""
    if not one.cold_start:
        return None
    first = _DEFINED[one.cold_start]
    shared = {name: as_text(value) for name, value in one.settings.items() if name in first.options}
    return bound(first, shared)


def strategies_table() -> list[dict[str, str]]:
    """Return one row a strategy, for people: ``name``, ``summary``, ``needs`` and ``paper``."""
    return [
        {"name": one.name, "summary": one.summary, "needs": one.needs.in_words(), "paper": one.paper}
        for one in STRATEGIES.values()
    ]
