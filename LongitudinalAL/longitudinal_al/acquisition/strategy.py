"""A strategy: a score, a selector, what they need, and the settings they can be asked for with."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from inspect import signature
from typing import Any

import torch

from longitudinal_al.acquisition.needs import Needs, ScoreSource
from longitudinal_al.acquisition.selectors.canonical import Selector
from longitudinal_al.errors import InvalidInput, UnknownName

Score = Callable[..., torch.Tensor]
"""From `Predictions` (and settings by name) to (n,) numbers, higher is more informative."""
Value = bool | int | float | str
BOOLEANS = {"on": True, "off": False, "true": True, "false": False, "yes": True, "no": False}


@dataclass(frozen=True)
class Option:
    """A setting of a strategy.

    Parameters
    ----------
    default
        Its value unless another is asked for; a value has the type of the default.
    meaning
        In one line.
    choices
        For texts: what it can be, and what each needs beside the strategy's own needs.
    lowest, highest
        For numbers: the limits, themselves allowed.
    """

    default: Value
    meaning: str
    choices: Mapping[str, Needs] = field(default_factory=dict)
    lowest: float = -math.inf
    highest: float = math.inf


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
        What must be there before, with the present settings.
    paper
        Where it comes from.
    summary
        What it asks for, in one line.
    family
        Of the survey (arXiv 2310.14230).
    cost
        Of scoring and selecting, in words.
    also
        Further columns of the candidates, by name, that are scored beside the score.
    options
        The settings there are.
    settings
        Their present values.
    cold_start
        The strategy that chooses while there is no model; "" leaves that to the caller.
    """

    name: str
    score: Score | ScoreSource
    selector: Selector
    needs: Needs
    paper: str
    summary: str
    family: str = ""
    cost: str = ""
    also: Mapping[str, Score] = field(default_factory=dict, hash=False)
    options: Mapping[str, Option] = field(default_factory=dict, hash=False)
    settings: Mapping[str, Value] = field(default_factory=dict, hash=False)
    cold_start: str = ""

    @property
    def minds_spacing(self) -> bool:
        """Whether slices of a pair are to lie apart; there may be a setting that switches this off."""
        return bool(self.settings.get("spacing", True))

    @property
    def text(self) -> str:
        """The text that asks for it: its name, and the settings that are not the default.

        It names results and tells arms of an experiment apart; it is no file name (":" and "=").
        """
        changed = [
            f"{name}={as_text(self.settings[name])}"
            for name, option in self.options.items()
            if name in self.settings and self.settings[name] != option.default
        ]
        return self.name + (":" + ",".join(changed) if changed else "")


def bound(one: Strategy, given: Mapping[str, str]) -> Strategy:
    """Return a strategy with its settings set: the given ones, and the defaults of the others.

    Parameters
    ----------
    one
        As it is defined, its parts not bound to settings yet.
    given
        Values as texts, by name.

    Raises
    ------
    UnknownName
        There is no such setting, or no such choice; the message lists the known ones.
    InvalidInput
        A value has the wrong type or lies outside the limits.
    """
    for name in given:
        if name not in one.options:
            known = one.options or ["none: it has no settings"]
            raise UnknownName(f"setting of {one.name}", name, known)
    settings = {
        name: _value(one.name, name, option, given[name]) if name in given else option.default
        for name, option in one.options.items()
    }
    needs = one.needs
    for name, option in one.options.items():
        needs |= option.choices.get(str(settings[name]), Needs.NOTHING)
    score = one.score if isinstance(one.score, ScoreSource) else _with(one.score, settings)
    also = {column: _with(each, settings) for column, each in one.also.items()}
    selector = _with(one.selector, settings)
    return replace(one, score=score, also=also, selector=selector, needs=needs, settings=settings)


def as_text(value: Value) -> str:
    """Return a value as it is asked for.

    Examples
    --------
    >>> as_text(False), as_text(0.5), as_text("fitted")
    ('off', '0.5', 'fitted')
    """
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def _with(part: Callable[..., Any], settings: Mapping[str, Value]) -> Any:
    """Return a score or selector with those settings bound that it takes."""
    taken = {name: value for name, value in settings.items() if name in signature(part).parameters}
    return partial(part, **taken) if taken else part


def _value(strategy: str, name: str, option: Option, text: str) -> Value:
    """Return a value from its text, of the default's type and inside the limits."""
    if option.choices:
        if text not in option.choices:
            raise UnknownName(f"{name} of {strategy}", text, option.choices)
        return text
    if isinstance(option.default, bool):
        if text.lower() not in BOOLEANS:
            raise UnknownName(f"{name} of {strategy}", text, ["on", "off"])
        return BOOLEANS[text.lower()]
    if isinstance(option.default, str):
        return text
    return _number(f"{name} of {strategy}", option, text)


def _number(what: str, option: Option, text: str) -> Value:
    kind = "a whole number" if isinstance(option.default, int) else "a number"
    try:
        number = int(text) if isinstance(option.default, int) else float(text)
    except ValueError:
        raise InvalidInput(f"{what} is {text!r}: give {kind}") from None
    if not (option.lowest <= number <= option.highest and math.isfinite(number)):
        raise InvalidInput(f"{what} is {text}: give {kind} from {option.lowest:g} to {option.highest:g}")
    return number
