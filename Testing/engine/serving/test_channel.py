"""Sending to front ends that read slowly, or not at all."""

import os
import threading
from contextlib import suppress

import pytest

from longitudinal_al.protocol import EventKind, Lines, decode_event
from longitudinal_al.serving.channel import SPARE_BYTES, Channel


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    yield reader, writer
    for descriptor in (reader, writer):
        with suppress(OSError):  # closed by the test
            os.close(descriptor)


def read_all(reader: int) -> list:
    lines, events = Lines(), []
    while data := os.read(reader, 65536):
        events += [decode_event(line) for line in lines.feed(data)]
    return events


def test_nobody_who_sends_waits_for_a_front_end_that_does_not_read(pipe):
    reader, writer = pipe
    channel = Channel(writer)
    message = "x" * 1000
    for number in range(3000):  # far more than a pipe holds
        channel.send(EventKind.DONE, str(number), message=message)
    events: list = []
    reading = threading.Thread(target=lambda: events.extend(read_all(reader)))
    reading.start()
    channel.close(seconds=60)
    os.close(writer)
    reading.join()
    assert [event.id for event in events] == [str(number) for number in range(3000)]


def test_progress_is_left_out_when_much_waits_and_answers_are_not(pipe):
    reader, writer = pipe
    channel = Channel(writer)
    filling = SPARE_BYTES // 1000 + 200
    for _ in range(filling):
        channel.send(EventKind.NOTE, message="x" * 1000)
    for _ in range(100):
        channel.send(EventKind.PROGRESS, "1", current=1)
    channel.send(EventKind.DONE, "1", result={})
    events: list = []
    reading = threading.Thread(target=lambda: events.extend(read_all(reader)))
    reading.start()
    channel.close(seconds=60)
    os.close(writer)
    reading.join()
    kinds = [event.kind for event in events]
    assert kinds == [EventKind.NOTE] * filling + [EventKind.DONE]


def test_a_front_end_that_is_gone_is_noticed_once(pipe):
    reader, writer = pipe
    gone = threading.Semaphore(0)
    channel = Channel(writer)
    channel.when_broken(gone.release)
    os.close(reader)
    channel.send(EventKind.NOTE, message="anyone there?")
    assert gone.acquire(timeout=60)
    for _ in range(100):
        channel.send(EventKind.NOTE, message="x" * 500_000)  # dropped: waiting for space would never end
    channel.close(seconds=60)
    assert not gone.acquire(blocking=False)
