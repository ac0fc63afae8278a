"""The command line: one small module a command, all of them in one visible dict."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from longitudinal_al.cli.ctrl_c import held_back

# Command and its summary; the module of the same name (in this folder) has its arguments and its work.
COMMANDS: dict[str, str] = {
    "register": "register a follow-up scan to its baseline",
    "synthesize": "write a synthetic cohort to try everything on",
    "create": "make an empty project",
    "add": "add pairs of scans to a project",
    "prepare": "register, check and difference the pairs, and cut the pool of slice pairs",
    "status": "say how far a project has come",
    "train": "train the network on all labels",
    "rank": "say which slice pairs to label next, and why",
    "label": "save the label of one slice pair, or withdraw it",
    "merge": "bring the labels of another copy of a project into it",
    "predict": "write the predicted masks of change",
    "export": "write labels, predictions or the model for other programs",
    "evaluate": "measure a predicted mask against a reference",
    "simulate": "compare strategies with a simulated annotator, and write a report",
    "experiment": "compare all strategies on several cohorts, in pieces that resume",
    "demo": "run the whole loop from nothing to a report, on synthetic or own scans",
    "worker": "work for a front end, which talks to it through pipes (see docs/protocol.md)",
    "ask": "start a worker, ask it one thing, and print its answer",
    "strategies": "list the strategies and where they come from",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status.

    0: done. 1: it could not be done, and the message says why. 2: wrong usage. 70: a fault of the program.
    130: stopped with Ctrl-C.
    """
    with held_back() as pressed:  # a Ctrl-C in the middle of an import can become any other error
        from longitudinal_al.cli.dispatch import STOPPED, STOPPED_WORDS, run
    if pressed:
        print(f"longitudinal-al: {STOPPED_WORDS}", file=sys.stderr)
        return STOPPED
    return run(COMMANDS, list(sys.argv[1:] if argv is None else argv))
