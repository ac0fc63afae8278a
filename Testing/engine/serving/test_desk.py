"""The desk alone: every request gets exactly one end, whatever comes in which order."""

import threading
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from longitudinal_al.errors import Cancelled, Interrupted
from longitudinal_al.protocol import EventKind, Request, Verb, encode
from longitudinal_al.serving.desk import MOST_WAITING, Desk

HANDLED = {Verb.TRAIN, Verb.RANK}


class Heard:
    """Takes the place of the channel: what was sent, in order."""

    def __init__(self) -> None:
        self.events = []

    def send(self, kind, id=None, **data):
        self.events.append((kind, id, data))

    def close(self) -> None:
        """As the channel's, of which nothing is left to be written."""

    def ends(self) -> Counter:
        return Counter(id for kind, id, _ in self.events if kind.is_terminal)

    def kind_of(self, wanted: str) -> EventKind:
        (kind,) = (kind for kind, id, _ in self.events if kind.is_terminal and id == wanted)
        return kind


def desk_and_channel():
    channel = Heard()
    return Desk(channel, HANDLED, lambda: {"doing": "idle"}), channel


def ask(desk: Desk, id: str, verb: Verb, **arguments) -> None:
    desk.take(encode(Request(id, verb, arguments)).removesuffix(b"\n"))


def interruption(desk: Desk) -> type[Exception] | None:
    try:
        desk.interrupt()
    except Cancelled as error:
        return type(error)
    return None


MOVES = st.one_of(
    st.sampled_from(["take", "finish", "cancel all", "status", "bad", "same id", "unhandled"]),
    st.tuples(st.just("ask"), st.sampled_from(sorted(HANDLED))),
    st.tuples(st.just("cancel"), st.integers(0, 12)),
)


@given(st.lists(MOVES, max_size=40))
def test_every_request_gets_exactly_one_end(moves):
    desk, channel = desk_and_channel()
    asked, job = [], None
    for number, move in enumerate(moves):
        id = str(number)
        if move == "take" and job is None:
            job = desk.next(0)
        elif move == "finish" and job is not None:
            desk.finish(EventKind.DONE, result={})
            job = None
        elif move in ("cancel all", "status"):
            ask(desk, id, Verb.CANCEL if move == "cancel all" else Verb.STATUS)
            asked.append(id)
        elif move == "bad":
            desk.take(b'{"id": "%s", "verb": "dance"}' % id.encode())
            asked.append(id)
        elif move == "unhandled":
            ask(desk, id, Verb.PREPARE)
            asked.append(id)
        elif move == "same id" and job is not None:
            ask(desk, job.request.id, Verb.STATUS)
        elif move[0] == "cancel":
            ask(desk, id, Verb.CANCEL, request=str(move[1]))
            asked.append(id)
        elif move[0] == "ask":
            ask(desk, id, move[1], **({"strategy": "random"} if move[1] is Verb.RANK else {}))
            asked.append(id)
    while job or (job := desk.next(0)):
        desk.finish(EventKind.DONE, result={})
        job = None
    ends = channel.ends()
    ends.pop(None, None)
    assert ends == Counter(asked)


def test_thoughts_make_room_for_a_request_and_stop_when_all_is_called_off():
    desk, channel = desk_and_channel()
    assert interruption(desk) is None
    ask(desk, "1", Verb.TRAIN)
    assert interruption(desk) is Interrupted
    ask(desk, "2", Verb.CANCEL)
    assert interruption(desk) is Cancelled
    assert desk.resting
    ask(desk, "3", Verb.STATUS)
    assert desk.resting
    desk.wake()
    assert interruption(desk) is None
    assert channel.kind_of("1") is EventKind.CANCELLED


def test_calling_off_one_request_lets_thoughts_go_on():
    desk, _ = desk_and_channel()
    ask(desk, "1", Verb.TRAIN)
    ask(desk, "2", Verb.CANCEL, request="1")
    assert interruption(desk) is None


def test_more_requests_than_anyone_needs_are_refused():
    desk, channel = desk_and_channel()
    for number in range(MOST_WAITING + 5):
        ask(desk, str(number), Verb.TRAIN)
    assert channel.ends() == {str(number): 1 for number in range(MOST_WAITING, MOST_WAITING + 5)}
    assert "too many" in channel.events[0][2]["message"]


def test_a_result_that_cannot_be_sent_ends_the_request_all_the_same():
    desk, channel = desk_and_channel()

    def refuse_done(kind, id=None, **data):
        if kind is EventKind.DONE:
            raise TypeError("no JSON")
        Heard.send(channel, kind, id, **data)

    channel.send = refuse_done
    ask(desk, "1", Verb.TRAIN)
    desk.next(0)
    desk.finish(EventKind.DONE, result=object())
    assert channel.kind_of("1") is EventKind.FAILED


def test_work_that_does_not_stop_in_time_gets_its_end_before_the_process_does(monkeypatch):
    monkeypatch.setattr("longitudinal_al.serving.desk.SECONDS_TO_LEAVE", 0.0)
    channel, ended = Heard(), threading.Event()
    desk = Desk(channel, HANDLED, lambda: {}, end=lambda status: ended.set())
    ask(desk, "1", Verb.TRAIN)
    desk.next(0)
    desk.leave("the project's folder is gone", 4)
    assert ended.wait(30)
    assert channel.kind_of("1") is EventKind.CANCELLED
    assert channel.events[-1][0] is EventKind.LEAVING
    desk.finish(EventKind.DONE)  # too late: the request has its one end
    assert channel.ends() == {"1": 1}
