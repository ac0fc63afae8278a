"""`ask`: start a worker, ask it one thing, and print the answer; what front ends do, for scripts."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from typing import Any

from longitudinal_al.cli.arguments import add_project
from longitudinal_al.cli.output import Output
from longitudinal_al.cli.progress import Progress
from longitudinal_al.errors import InvalidInput, NotReady, UnknownName
from longitudinal_al.frontend.worker_client import WorkerClient
from longitudinal_al.frontend.worker_state import WorkerState
from longitudinal_al.project.files import json_text
from longitudinal_al.project.store import Project
from longitudinal_al.protocol import ARGUMENTS, Event, EventKind, Verb

EXAMPLE = "longitudinal-al ask my-project explain pair=p1 slice=23"
VERBS = [verb.value for verb in Verb if verb not in (Verb.CANCEL, Verb.SHUTDOWN)]
SWITCH = {"true": True, "yes": True, "false": False, "no": False}
NAP_SECONDS = 0.02


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ask`."""
    add_project(parser)
    parser.add_argument("verb", metavar="VERB", choices=VERBS, help=", ".join(VERBS))
    parser.add_argument(
        "given", metavar="NAME=VALUE", nargs="*", help="the verb's arguments, see docs/protocol.md"
    )


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Ask; the worker leaves with the answer."""
    verb = Verb(arguments.verb)
    given = typed(verb, arguments.given)
    with Project.open(arguments.project) as project:
        folder = project.folder
    with WorkerClient(folder) as worker, Progress(f"{verb.value}:") as progress:
        worker.start()
        _wait_until_ready(worker)
        end = _answer(worker, worker.request(verb, **given), output, progress)
    if end.kind is not EventKind.DONE:
        raise NotReady(str(end.data.get("message") or f"the worker has not answered {verb.value}"))
    result: Mapping[str, Any] = end.data["result"]
    output.result(result, [f"{name}: {_shown(value)}" for name, value in result.items()])


def typed(verb: Verb, given: Sequence[str]) -> dict[str, Any]:
    """Return a verb's arguments, each of its type, from words such as `slice=23`.

    Raises
    ------
    UnknownName
        The verb has no such argument; the message lists those it has.
    InvalidInput
        A word is no NAME=VALUE, or the value is of another type.
    """
    found = {}
    for word in given:
        name, equals, text = word.partition("=")
        if not equals:
            raise InvalidInput(f"{word!r}: write the arguments of {verb.value} as NAME=VALUE")
        if name not in ARGUMENTS[verb]:
            raise UnknownName(f"argument of {verb.value}", name, ARGUMENTS[verb])
        found[name] = _value(name, text, ARGUMENTS[verb][name].type)
    return found


def _value(name: str, text: str, kind: type) -> Any:
    try:
        return SWITCH[text.lower()] if kind is bool else kind(text)
    except (ValueError, KeyError) as error:
        wanted = {int: "a whole number", float: "a number", bool: "yes or no"}[kind]
        raise InvalidInput(f"{name}={text}: give {wanted}") from error


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json_text(value, indent=None)


def _wait_until_ready(worker: WorkerClient) -> None:
    said: list[Event] = []
    while worker.state is WorkerState.STARTING:
        said += worker.poll()
        time.sleep(NAP_SECONDS)
    if worker.state.is_over:
        reasons = [str(event.data.get("reason")) for event in said if event.kind is EventKind.LEAVING]
        raise NotReady(f"the worker left before it was ready: {' '.join(reasons) or 'it gave no reason'}")


def _answer(worker: WorkerClient, request: str, output: Output, progress: Progress) -> Event:
    """Show how far the worker is, and return how the request ended; every request does."""
    while True:
        for event in worker.poll():
            if event.kind is EventKind.NOTE:
                output.note(str(event.data.get("message", "")))
            if event.id != request:
                continue
            if event.kind.is_terminal:
                return event
            if event.kind is EventKind.PROGRESS:
                progress.count(str(event.data["phase"]), event.data["current"], event.data["maximum"])
        time.sleep(NAP_SECONDS)
