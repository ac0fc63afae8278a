"""Every strategy by name, and the text that asks for one with other settings than the defaults."""

from __future__ import annotations

from longitudinal_al.acquisition.catalogue import CATALOGUE
from longitudinal_al.acquisition.measured import FULL, SMALL, cost_in_words, efficiency_in_words
from longitudinal_al.acquisition.needs import Needs as Needs
from longitudinal_al.acquisition.needs import ScoreSource as ScoreSource
from longitudinal_al.acquisition.strategy import Strategy as Strategy
from longitudinal_al.acquisition.strategy import as_text, bound
from longitudinal_al.errors import InvalidInput, UnknownName

_DEFINED = {one.name: one for one in CATALOGUE}
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


def beginning(text: str) -> Strategy:
    """Return the strategy that a text asks for to choose with while there is no model.

    Raises
    ------
    InvalidInput
        It needs a model itself, and names nothing that chooses before there is one.
    """
    named = strategy(text)
    if Needs.MODEL not in named.needs:
        return named
    first = cold_start_of(named)
    if first is None:
        raise InvalidInput(
            f"cold start {text!r} needs a model itself: name a strategy that needs none, such as difference"
        )
    return first


def strategies_table() -> list[dict[str, str]]:
    """Return one row a strategy, for people.

    The columns are ``name``, ``family``, ``summary``, ``needs``, ``cost``, ``measured_cost``,
    ``efficiency`` and ``small_efficiency`` (see ``acquisition.measured``), ``settings`` and ``paper``.
    """
    return [
        {
            "name": one.name,
            "family": one.family,
            "summary": one.summary,
            "needs": one.needs.in_words() + (" (simulations only)" if Needs.LABELS in one.needs else ""),
            "cost": one.cost,
            "measured_cost": cost_in_words(one.name),
            "efficiency": efficiency_in_words(one.name, FULL),
            "small_efficiency": efficiency_in_words(one.name, SMALL),
            "settings": ", ".join(f"{name}={as_text(value)}" for name, value in one.settings.items()),
            "paper": one.paper,
        }
        for one in STRATEGIES.values()
    ]
