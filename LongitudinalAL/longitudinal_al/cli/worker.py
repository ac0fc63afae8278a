"""`worker`: work for a front end, which asks on standard input and hears on standard output."""

from __future__ import annotations

import argparse
import importlib
import os
import sys

from longitudinal_al.cli.arguments import add_cold_start, add_project, millimetres
from longitudinal_al.cli.output import Output
from longitudinal_al.errors import LongitudinalALError, ProjectBusy
from longitudinal_al.project.lock import worker_lock
from longitudinal_al.project.store import Project
from longitudinal_al.protocol import EventKind
from longitudinal_al.serving.channel import Channel, Pipes, take_pipes

EXAMPLE = "longitudinal-al worker my-project"
UNUSABLE, SECOND = 1, 3
STRATEGY = "recipe"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `worker`."""
    add_project(parser)
    parser.add_argument(
        "--strategy",
        metavar="NAME",
        default=STRATEGY,
        help=f"by which it ranks when it is not asked (default: {STRATEGY})",
    )
    add_cold_start(parser)
    parser.add_argument(
        "--spacing-mm",
        metavar="MM",
        type=millimetres,
        help="slices of a pair nearer than this to a labelled one are not asked for (default: 5)",
    )


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Serve until the front end leaves; the process ends here."""
    pipes = take_pipes()
    channel = Channel(pipes.output)
    if hasattr(sys.stderr, "reconfigure"):
        sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        status = _serve(arguments, channel, pipes)
    except LongitudinalALError as error:
        channel.send(EventKind.LEAVING, reason=str(error))
        status = SECOND if isinstance(error, ProjectBusy) else UNUSABLE
    channel.close()
    sys.stderr.flush()
    os._exit(status)  # nothing is left to do, and a thread that reads a pipe can hold up an orderly end


def _serve(arguments: argparse.Namespace, channel: Channel, pipes: Pipes) -> int:
    Project.open(arguments.project).close()
    folder = arguments.project.resolve()
    # Threads that spin while they wait for each other take the processor from the front end, for nothing.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with worker_lock(folder):
        # Only now: a second worker leaves at once, and what libraries print finds the pipes taken.
        worker = importlib.import_module("longitudinal_al.worker")
        chosen = (arguments.spacing_mm, arguments.cold_start)
        return int(worker.serve(folder, arguments.strategy, channel, pipes.input, *chosen))
