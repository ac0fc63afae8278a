"""Messages between a front end and the worker: one JSON object a line, typed on both sides."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import PurePath
from typing import Any, NoReturn

from longitudinal_al.errors import ProtocolError

PROTOCOL = 1
"""Version of the protocol; a worker says it in `ready`."""
MAX_LINE_BYTES = 1 << 20
"""Longest message, without the end of its line; volumes and rankings travel as paths."""
MAX_ID_LETTERS = 100
_SHOWN_LETTERS = 60


class Verb(str, Enum):
    """What can be asked of the worker."""

    PREPARE = "prepare"
    TRAIN = "train"
    RANK = "rank"
    PREDICT = "predict"
    EXPLAIN = "explain"
    STATUS = "status"
    CANCEL = "cancel"
    SHUTDOWN = "shutdown"


@dataclass(frozen=True)
class Argument:
    """Type and range of an argument; one that is not required may be null where that is its default."""

    type: type
    required: bool = False
    default: Any = None
    least: float = 0
    most: float = 2**31 - 1


_SEED = Argument(int, default=0)

ARGUMENTS: dict[Verb, dict[str, Argument]] = {
    Verb.PREPARE: {"seed": _SEED},
    Verb.TRAIN: {
        "seed": _SEED,
        "pretraining": Argument(int),
        "consistency": Argument(float),
        "alignment": Argument(float),
    },
    Verb.RANK: {
        "strategy": Argument(str, required=True),
        "batch": Argument(int, default=50, least=1),
        "spacing_mm": Argument(float),
        "seed": _SEED,
    },
    Verb.PREDICT: {"pair": Argument(str), "out": Argument(str)},
    Verb.EXPLAIN: {"pair": Argument(str, required=True), "slice": Argument(int, required=True)},
    Verb.STATUS: {"labelling": Argument(bool, default=False)},
    Verb.CANCEL: {"request": Argument(str)},
    Verb.SHUTDOWN: {},
}


class EventKind(str, Enum):
    """What the worker says; docs/protocol.md lists what each carries."""

    READY = "ready"
    PROGRESS = "progress"
    RANKING = "ranking"
    ROUND = "round"
    STATE = "state"
    NOTE = "note"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"
    CRASHED = "crashed"
    LEAVING = "leaving"

    @property
    def is_terminal(self) -> bool:
        """Whether the request is answered with this: every request gets exactly one such event."""
        return self in _TERMINAL


_TERMINAL = frozenset({EventKind.DONE, EventKind.CANCELLED, EventKind.FAILED, EventKind.CRASHED})


@dataclass(frozen=True)
class Request:
    """Something asked of the worker; `id` is the asker's own and comes back in every event about it."""

    id: str
    verb: Verb
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """Something the worker says, about the request `id` or (`None`) by itself.

    A `done` carries what was asked for in ``data["result"]``.
    """

    kind: EventKind
    id: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


def encode(message: Request | Event) -> bytes:
    """Return a message as one line, its end included; NaN and infinities become null, paths text.

    Raises
    ------
    ProtocolError
        When the line is longer than `MAX_LINE_BYTES`: the other side would not read it.
    """
    fields: dict[str, Any]
    if isinstance(message, Request):
        fields = {"id": message.id, "verb": message.verb.value, "arguments": message.arguments}
    else:
        named = {"event": message.kind.value, "id": message.id}
        fields = {**named, **message.data, **named}
    # ASCII only, which is UTF-8 too: a line that is cut is never cut inside a letter.
    line = json.dumps(_plain(fields), ensure_ascii=True, allow_nan=False).encode("ascii")
    if len(line) > MAX_LINE_BYTES:
        raise ProtocolError(f"a message of {len(line)} bytes is too long: put it into a file", message.id)
    return line + b"\n"


def decode_request(line: bytes) -> Request:
    """Read a request; its arguments are checked, and those left out have their defaults.

    Raises
    ------
    ProtocolError
        When it is no request; it carries the id of the request where that could be read.
    """
    fields = _object(line)
    id_ = _id(fields.get("id"))
    unknown = set(fields) - {"id", "verb", "arguments"}
    if unknown:
        _refuse(f"unknown field {_shown(min(unknown))}: a request has id, verb and arguments", id_)
    try:
        verb = Verb(fields.get("verb"))
    except ValueError:
        known = ", ".join(each.value for each in Verb)
        _refuse(f"unknown verb {_shown(fields.get('verb'))}: choose one of {known}", id_)
    given = fields.get("arguments", {})
    if not isinstance(given, dict):
        _refuse(f"arguments of {verb.value} are {_shown(given)}: give an object of names and values", id_)
    return Request(id_, verb, checked_arguments(verb, given, id_))


def decode_event(line: bytes) -> Event:
    """Read an event.

    Raises
    ------
    ProtocolError
        When it is no event.
    """
    fields = _object(line)
    kind, id_ = fields.pop("event", None), fields.pop("id", None)
    if id_ is not None and not isinstance(id_, str):
        _refuse(f"the id of an event is {_shown(id_)}: it has to be text or null")
    try:
        return Event(EventKind(kind), id_, fields)
    except ValueError:
        _refuse(f"unknown event {_shown(kind)}: front end and worker are of different versions", id_)


def checked_arguments(verb: Verb, given: Mapping[str, Any], id: str | None = None) -> dict[str, Any]:
    """Return a verb's arguments, with the defaults of those left out.

    Raises
    ------
    ProtocolError
        When an argument is unknown, missing, of the wrong type or out of range; the message names it.
    """
    known = ARGUMENTS[verb]
    for name in given:
        if name not in known:
            choices = ", ".join(known) or "none"
            _refuse(f"unknown argument {_shown(name)} of {verb.value}: it has {choices}", id)
    arguments = {}
    for name, argument in known.items():
        if argument.required and name not in given:
            _refuse(f"{verb.value} needs the argument {name}", id)
        value = given.get(name, argument.default)
        problem = _problem(argument, value)
        if problem:
            _refuse(f"argument {name} of {verb.value} is {_shown(value)}: it has to be {problem}", id)
        arguments[name] = value
    return arguments


_TYPE_WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def _problem(argument: Argument, value: Any) -> str:
    """Say what a value has to be, or nothing when it is."""
    if value is None and not argument.required and argument.default is None:
        return ""
    accepted = (int, float) if argument.type is float else argument.type
    # Python counts true and false as whole numbers.
    if not isinstance(value, accepted) or isinstance(value, bool) != (argument.type is bool):
        return _TYPE_WORDS[argument.type]
    if isinstance(value, float) and not math.isfinite(value):
        return "a finite number"
    if isinstance(value, (int, float)) and not argument.least <= value <= argument.most:
        return f"{argument.least:.0f} to {argument.most:.0f}"
    return ""


@dataclass(frozen=True)
class TooLong:
    """Stands in the place of a line that was longer than allowed; what remains of it is passed over."""

    limit: int


class Lines:
    """Cuts bytes that come in pieces into lines, whatever the pieces; blank lines are passed over.

    Parameters
    ----------
    limit : int
        Longest line in bytes; for a longer one `TooLong` comes out as soon as it is known to be too long.
    """

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._limit = limit
        self._begun = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes | TooLong]:
        """Take the next bytes and return the lines that are complete now, without their ends."""
        *ended, rest = data.split(b"\n")
        found: list[bytes | TooLong] = []
        for piece in ended:
            found += self._add(piece)
            found += self._end()
        found += self._add(rest)
        return found

    def _add(self, piece: bytes) -> Iterator[TooLong]:
        if self._skipping:
            return
        self._begun += piece
        if len(self._begun) > self._limit:
            self._begun.clear()
            self._skipping = True
            yield TooLong(self._limit)

    def _end(self) -> Iterator[bytes]:
        line, self._skipping = bytes(self._begun).removesuffix(b"\r"), False
        self._begun.clear()
        if line.strip():
            yield line


def _object(line: bytes) -> dict[str, Any]:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        _refuse("a message is not UTF-8")
    try:
        fields = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        _refuse(f"a message is not JSON: {_shown(text)}")
    if not isinstance(fields, dict):
        _refuse(f"a message is {_shown(fields)}: it has to be a JSON object")
    return fields


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _id(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID_LETTERS:
        _refuse(f"the id of a request is {_shown(value)}: it has to be text of 1 to {MAX_ID_LETTERS} letters")
    return value


def _refuse(message: str, id: str | None = None) -> NoReturn:
    raise ProtocolError(message, id)


def _shown(value: Any) -> str:
    """Show what was given, or its beginning."""
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    text = value if isinstance(value, str) else json.dumps(value)
    return repr(text if len(text) <= _SHOWN_LETTERS else f"{text[:_SHOWN_LETTERS]}...")


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value
