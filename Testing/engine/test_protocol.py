"""Messages on the wire, with cut, long, foreign and malformed ones."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longitudinal_al.errors import ProtocolError
from longitudinal_al.protocol import (
    ARGUMENTS,
    MAX_LINE_BYTES,
    Event,
    EventKind,
    Lines,
    Request,
    TooLong,
    Verb,
    checked_arguments,
    decode_event,
    decode_request,
    encode,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"
VALUES = {str: "pair ä", int: 3, float: 2.5, bool: True}


def request_line(**fields: object) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize("verb", Verb)
def test_a_request_comes_back_as_it_was_sent(verb):
    arguments = {name: VALUES[argument.type] for name, argument in ARGUMENTS[verb].items()}
    request = Request("7", verb, arguments)
    assert decode_request(encode(request).removesuffix(b"\n")) == request


def test_what_is_left_out_has_its_default():
    given = {"strategy": "entropy"}
    filled = {"strategy": "entropy", "batch": 50, "spacing_mm": None, "seed": 0}
    assert decode_request(encode(Request("1", Verb.RANK, given))).arguments == filled
    assert decode_request(request_line(id="1", verb="status")).arguments == {"labelling": False}
    assert checked_arguments(Verb.RANK, {**given, "spacing_mm": 5})["spacing_mm"] == 5


@pytest.mark.parametrize("kind", EventKind)
def test_an_event_comes_back_as_it_was_sent(kind):
    event = Event(kind, "7", {"message": "größer \n\x00 \udc80 𝄞", "figures": {"dice": 0.5, "none": None}})
    line = encode(event)
    assert line.count(b"\n") == 1
    assert line.isascii()
    assert decode_event(line) == event
    assert decode_event(encode(Event(kind))) == Event(kind)


def test_names_and_numbers_that_json_does_not_know():
    path = Path("projekt") / "ä"
    data = decode_event(encode(Event(EventKind.DONE, "1", {"path": path, "dice": float("nan"), "id": "2"})))
    assert data == Event(EventKind.DONE, "1", {"path": str(path), "dice": None})


def test_four_kinds_of_event_end_a_request():
    ends = {kind for kind in EventKind if kind.is_terminal}
    assert ends == {EventKind.DONE, EventKind.CANCELLED, EventKind.FAILED, EventKind.CRASHED}


RANK = {"id": "9", "verb": "rank"}


@pytest.mark.parametrize(
    ("line", "id", "words"),
    [
        (b"\xff\xfe{}", None, "not UTF-8"),
        (b'{"id": "1", "ver', None, "not JSON"),
        (b"hello", None, "not JSON: 'hello'"),
        (b"[" * 100_000, None, "not JSON"),
        (b"9" * 5000, None, "a message is"),
        (b'{"id": "1", "verb": "train", "arguments": {"seed": NaN}}', None, "not JSON"),
        (b"[1, 2]", None, "a list: it has to be a JSON object"),
        (b"null", None, "'null': it has to be a JSON object"),
        (request_line(verb="status"), None, "id of a request is 'null'"),
        (request_line(id=5, verb="status"), None, "id of a request is '5'"),
        (request_line(id="", verb="status"), None, "1 to 100 letters"),
        (request_line(id="x" * 101, verb="status"), None, "1 to 100 letters"),
        (request_line(id="9"), "9", "unknown verb 'null'"),
        (request_line(id="9", verb="eval"), "9", "unknown verb 'eval': choose one of prepare, train"),
        (request_line(id="9", verb=["rank"]), "9", "unknown verb a list"),
        (request_line(id="9", verb="status", code="x"), "9", "unknown field 'code'"),
        (request_line(id="9", verb="train", arguments=[]), "9", "arguments of train are a list"),
        (request_line(id="9", verb="train", arguments={"sed": 1}), "9", "unknown argument 'sed' of train"),
        (request_line(**RANK), "9", "rank needs the argument strategy"),
        (request_line(**RANK, arguments={"strategy": None}), "9", "strategy of rank is 'null'"),
        (request_line(**RANK, arguments={"strategy": 1}), "9", "strategy of rank is '1': it has to be text"),
        (request_line(**RANK, arguments={"strategy": "a", "batch": 2.0}), "9", "a whole number"),
        (request_line(**RANK, arguments={"strategy": "a", "batch": True}), "9", "a whole number"),
        (request_line(**RANK, arguments={"strategy": "a", "batch": 0}), "9", "1 to 2147483647"),
        (request_line(**RANK, arguments={"strategy": "a", "spacing_mm": -1}), "9", "spacing_mm of rank"),
        (b'{"id":"9","verb":"rank","arguments":{"strategy":"a","spacing_mm":1e999}}', "9", "a finite number"),
        (request_line(id="9", verb="train", arguments={"seed": 2**31}), "9", "seed of train"),
        (request_line(id="9", verb="train", arguments={"seed": None}), "9", "seed of train is 'null'"),
        (request_line(id="9", verb="status", arguments={"labelling": 1}), "9", "true or false"),
    ],
)
def test_a_bad_request_is_refused_in_words(line, id, words):
    with pytest.raises(ProtocolError) as refused:
        decode_request(line)
    assert refused.value.id == id
    assert words in str(refused.value)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    "line", [b'{"event": "dance"}', b'{"id": "1"}', b'{"event": "done", "id": 4}', b"[]"]
)
def test_a_bad_event_is_refused(line):
    with pytest.raises(ProtocolError):
        decode_event(line)


@given(st.binary(max_size=200))
def test_no_line_ends_in_another_error(line):
    with suppress(ProtocolError):
        decode_request(line)
    with suppress(ProtocolError):
        decode_event(line)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.sampled_from(["1", None, 3, ""]),
    st.sampled_from([*(verb.value for verb in Verb), "eval", 0]),
    JSON | st.dictionaries(st.sampled_from(["strategy", "batch", "pair", "slice", "seed"]), JSON),
)
def test_whatever_is_accepted_has_the_types_of_the_protocol(id, verb, arguments):
    line = json.dumps({"id": id, "verb": verb, "arguments": arguments}).encode()
    try:
        request = decode_request(line)
    except ProtocolError:
        return
    table = ARGUMENTS[request.verb]
    assert set(request.arguments) == set(table)
    for name, value in request.arguments.items():
        accepted = (int, float) if table[name].type is float else (table[name].type,)
        assert type(value) in accepted or (value is None and not table[name].required)


@given(st.lists(st.sampled_from([b"a", b"{}", b"xy" * 30, "ü".encode(), b" "])), st.data())
def test_lines_do_not_depend_on_where_the_bytes_are_cut(sent, data):
    stream = b"".join(line + ending for line, ending in zip(sent, [b"\n", b"\r\n"] * len(sent), strict=False))
    expected = [TooLong(20) if len(line) > 20 else line for line in sent if line.strip()]
    lines, found = Lines(limit=20), []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        found += lines.feed(stream[:cut])
        stream = stream[cut:]
    assert found == expected


def test_a_line_that_never_ends_is_known_to_be_too_long_and_takes_no_memory():
    lines = Lines()
    assert lines.feed(b"x" * MAX_LINE_BYTES) == []
    assert lines.feed(b"x") == [TooLong(MAX_LINE_BYTES)]
    assert lines.feed(b"x" * MAX_LINE_BYTES * 3) == []
    assert lines.feed(b"x\nnext\n") == [b"next"]


def test_an_event_that_nobody_could_read_is_not_sent():
    with pytest.raises(ProtocolError, match="too long") as refused:
        encode(Event(EventKind.DONE, "4", {"result": "x" * MAX_LINE_BYTES}))
    assert refused.value.id == "4"


def test_the_page_names_every_verb_argument_and_event():
    page = PAGE.read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    for verb, arguments in ARGUMENTS.items():
        for name in arguments:
            assert f"`{name}`" in rows[verb.value]
    assert {kind.value for kind in EventKind} <= set(rows)


def test_the_conversation_on_the_page_is_one():
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:2] in ("> ", "< ")]
    requests = [decode_request(line[2:].encode()) for line in lines if line.startswith(">")]
    events = [decode_event(line[2:].encode()) for line in lines if line.startswith("<")]
    assert {request.verb for request in requests} == set(Verb)
    ends = [event.id for event in events if event.kind.is_terminal]
    assert sorted(ends) == sorted(request.id for request in requests)
    assert (events[0].kind, events[-1].kind) == (EventKind.READY, EventKind.LEAVING)
