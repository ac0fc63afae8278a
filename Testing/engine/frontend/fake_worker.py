"""A worker that behaves as its first argument says, well or badly; standard library only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable

OUT = sys.stdout.buffer


def say(event: str, id: str | None = None, **data: object) -> None:
    OUT.write(json.dumps({"event": event, "id": id, **data}).encode() + b"\n")
    OUT.flush()


def ready() -> None:
    say("ready", process=os.getpid(), version="0", protocol=1)


def answer(request: dict) -> None:
    id_, verb = request["id"], request["verb"]
    if verb == "train":
        for current in range(3):
            say("progress", id_, phase="training", current=current, maximum=3, seconds_left=None)
        say("state", doing="training", sentence="Learning, Zoë.", labels=3, since_seconds=0.1)
    say("done", id_, result={"asked": request["arguments"]})
    if verb == "shutdown":
        say("leaving", reason="asked to")
        sys.exit(0)


def serve(act: Callable[[dict], None] = answer) -> None:
    for line in sys.stdin.buffer:
        act(json.loads(line))


def good() -> None:
    ready()
    serve()


def hang() -> None:
    ready()
    time.sleep(60)


def stubborn() -> None:
    ready()
    while True:  # the end of standard input, and shutdown, mean nothing to it
        time.sleep(60)


def crash() -> None:
    def fall(request: dict) -> None:
        for number in range(80):
            print(f"line {number}", file=sys.stderr)
        print("ValueError: café", file=sys.stderr)
        sys.stderr.flush()
        os._exit(7)

    ready()
    serve(fall)


def garbage() -> None:
    for line in (b"Loading...", b"\xff\xfe\x00", b"[1]", b'{"event": "sing"}', b"x" * (3 << 20), b""):
        OUT.write(line + b"\n")
    for _ in range(500):
        OUT.write(b"again\n")
    OUT.flush()
    good()


def cut() -> None:
    """Write every byte by itself."""

    class Slow:
        def write(self, data: bytes) -> None:
            for byte in data:
                os.write(1, bytes([byte]))

        def flush(self) -> None:
            pass

    global OUT
    OUT = Slow()
    good()


def twice() -> None:
    def twice_over(request: dict) -> None:
        answer(request)
        say("done", request["id"], result={})
        say("failed", "no such request", message="?", error="?")

    ready()
    serve(twice_over)


def leave() -> None:
    say("leaving", reason="there is a worker already")
    sys.exit(3)


def family() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(900)"])
    ready()
    say("note", message=str(child.pid))
    serve()


def flood() -> None:
    ready()
    for number in range(20_000):
        say("progress", "1", phase="training", current=number, maximum=20_000, seconds_left=None)
    serve()


if __name__ == "__main__":
    globals()[sys.argv[1]]()
