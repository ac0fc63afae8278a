"""The front end's side of the conversation: bytes in, events out, and a clock that is moved by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longitudinal_al.errors import NotReady, ProtocolError
from longitudinal_al.frontend.conversation import HUNG_SECONDS, PING_SECONDS, START_SECONDS, Conversation
from longitudinal_al.frontend.worker_state import MOVES, IllegalMove, WorkerState, crash_message
from longitudinal_al.protocol import Event, EventKind, Verb, decode_request, encode


@pytest.fixture
def talk(clock: Any) -> Conversation:
    """Return a conversation with a worker that is ready."""
    talk = Conversation(clock)
    talk.starting()
    assert talk.received(line(EventKind.READY))[0].kind is EventKind.READY
    assert talk.state is WorkerState.READY
    return talk


def line(kind: EventKind, id: str | None = None, **data: object) -> bytes:
    return encode(Event(kind, id, data))


def pass_time(talk: Conversation, clock: Any, seconds: float, step: float = 0.5) -> tuple[bytes, list[Event]]:
    """Let time pass while the front end ticks; returns all that was to be sent, and all events."""
    sent, events = b"", []
    for _ in range(round(seconds / step)):
        clock.now += step
        tick = talk.tick()
        sent += tick.send
        events += tick.events
    return sent, events


def test_a_request_makes_it_busy_until_it_is_answered_once(talk: Conversation) -> None:
    id_, sent = talk.request(Verb.TRAIN, seed=3)
    request = decode_request(sent.rstrip())
    assert (request.id, request.verb, request.arguments["seed"]) == (id_, Verb.TRAIN, 3)
    assert talk.state is WorkerState.BUSY
    assert talk.pending == {id_: Verb.TRAIN}
    (event,) = talk.received(line(EventKind.DONE, id_, result={"round": 1}))
    assert event.data["result"] == {"round": 1}
    assert (talk.state, talk.pending) == (WorkerState.READY, {})
    assert talk.received(line(EventKind.FAILED, id_, message="no")) == [], "nothing is answered twice"


def test_asking_for_status_makes_nobody_busy(talk: Conversation) -> None:
    talk.request(Verb.STATUS, labelling=True)
    assert talk.state is WorkerState.READY


def test_a_wrong_argument_is_refused_before_it_is_sent(talk: Conversation) -> None:
    with pytest.raises(ProtocolError, match="speed"):
        talk.request(Verb.TRAIN, speed=3)
    assert talk.pending == {}


def test_without_a_worker_nothing_can_be_asked() -> None:
    with pytest.raises(NotReady, match="stopped: start it first"):
        Conversation().request(Verb.STATUS)


@settings(deadline=None)
@given(st.lists(st.integers(1, 40), max_size=30))
def test_bytes_may_be_cut_anywhere(cuts: list[int]) -> None:
    talk = Conversation()
    talk.starting()
    data = line(EventKind.READY) + line(EventKind.NOTE, message="Zoë ü") + b"\r\n" + line(EventKind.NOTE)
    events = []
    for cut in cuts:
        events += talk.received(data[:cut])
        data = data[cut:]
    events += talk.received(data)
    assert [event.kind for event in events] == [EventKind.READY, EventKind.NOTE, EventKind.NOTE]
    assert events[1].data["message"] == "Zoë ü"


def test_what_cannot_be_read_is_told_a_few_times(talk: Conversation) -> None:
    events = talk.received(
        b"Loading...\n" * 100 + b"x" * (2 << 20) + b"\n" + line(EventKind.NOTE, message="ok")
    )
    assert len(events) == 21
    assert "not JSON" in events[0].data["message"]
    assert events[-1].data["message"] == "ok"


def test_silence_is_answered_with_a_question_and_its_answer_is_kept_back(
    talk: Conversation, clock: Any
) -> None:
    sent, events = pass_time(talk, clock, PING_SECONDS + 1)
    ping = decode_request(sent.rstrip())
    assert (ping.verb, events) == (Verb.STATUS, [])
    assert talk.pending == {}
    assert talk.received(line(EventKind.DONE, ping.id, result={})) == []
    sent, events = pass_time(talk, clock, PING_SECONDS - 1)
    assert (sent, events) == (b"", [])


def test_a_worker_that_answers_nothing_is_said_to_hang_within_10_s(talk: Conversation, clock: Any) -> None:
    sent, events = pass_time(talk, clock, 9.5)
    assert sent.count(b"\n") == 1
    assert [event.data["hung"] for event in events] == [True]
    assert talk.state is WorkerState.HUNG
    talk.received(line(EventKind.STATE, doing="training", sentence="Training."))
    assert talk.state is WorkerState.READY, "it spoke again"
    assert talk.doing == "Training."


def test_a_busy_worker_that_speaks_does_not_hang(talk: Conversation, clock: Any) -> None:
    id_, _ = talk.request(Verb.TRAIN)
    for _ in range(20):
        assert pass_time(talk, clock, 2) == (b"", [])
        talk.received(line(EventKind.PROGRESS, id_, phase="training", current=1, maximum=9))
    assert talk.state is WorkerState.BUSY


def test_a_front_end_that_stood_still_blames_nobody(talk: Conversation, clock: Any) -> None:
    clock.now += 8 * 3600  # the lid was closed
    assert talk.tick().events == []
    assert talk.state is WorkerState.READY
    _, events = pass_time(talk, clock, HUNG_SECONDS - 2.5)
    assert events == []


def test_a_clock_that_goes_back_changes_nothing(talk: Conversation, clock: Any) -> None:
    clock.now -= 5000
    assert talk.tick().events == []
    _, events = pass_time(talk, clock, 9)
    assert len(events) == 1


def test_a_start_may_take_long_but_not_for_ever(clock: Any) -> None:
    talk = Conversation(clock)
    talk.starting()
    assert pass_time(talk, clock, START_SECONDS - 5, step=1) == (b"", [])
    assert len(pass_time(talk, clock, 10, step=1)[1]) == 1


def test_a_crash_answers_all_that_is_pending(talk: Conversation) -> None:
    ids = [talk.request(verb)[0] for verb in (Verb.TRAIN, Verb.STATUS)]
    events = talk.closed(7, ["Traceback", "ValueError: café", ""])
    assert [(event.kind, event.id) for event in events] == [(EventKind.CRASHED, id_) for id_ in [*ids, None]]
    assert events[0].data["exit_status"] == 7
    assert events[0].data["last_lines"] == ["Traceback", "ValueError: café", ""]
    assert "exit status 7; its last words: ValueError: café" in events[0].data["message"]
    assert (talk.state, talk.pending) == (WorkerState.CRASHED, {})
    assert talk.closed(7) == []


def test_an_end_that_was_asked_for_is_no_crash(talk: Conversation) -> None:
    id_, _ = talk.request(Verb.SHUTDOWN)
    assert talk.state is WorkerState.STOPPING
    with pytest.raises(NotReady):
        talk.request(Verb.TRAIN)
    talk.received(line(EventKind.DONE, id_, result={}) + line(EventKind.LEAVING, reason="asked to"))
    assert talk.closed(0) == []
    assert talk.state is WorkerState.STOPPED


def test_a_worker_that_leaves_says_why(talk: Conversation) -> None:
    id_, _ = talk.request(Verb.RANK, strategy="entropy")
    (event,) = talk.received(line(EventKind.LEAVING, reason="there is one already"))
    assert (event.kind, talk.state) == (EventKind.LEAVING, WorkerState.LEFT)
    (event,) = talk.closed(3)
    assert (event.id, event.data["message"]) == (id_, "the worker left: there is one already")
    assert talk.state is WorkerState.LEFT
    talk.starting()
    assert talk.state is WorkerState.STARTING


def test_an_answer_to_a_line_that_could_not_be_read_is_handed_on(talk: Conversation) -> None:
    assert len(talk.received(line(EventKind.FAILED, message="not JSON"))) == 1


def test_starting_twice_is_refused(talk: Conversation) -> None:
    with pytest.raises(IllegalMove, match="ready and cannot become starting"):
        talk.starting()


def test_every_state_can_be_left_and_reached() -> None:
    assert set(MOVES) == set(WorkerState) == set().union(*MOVES.values())
    assert all(MOVES.values())


def test_being_killed_is_explained() -> None:
    assert "memory" in crash_message(-9, [])
    assert "labels are saved" in crash_message(None, [])
