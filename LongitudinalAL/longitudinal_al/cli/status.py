"""`status`: count what a project holds, and check it."""

from __future__ import annotations

import argparse
from typing import Any

from longitudinal_al.cli.arguments import add_project
from longitudinal_al.cli.output import Output
from longitudinal_al.pairs.prepared import is_usable
from longitudinal_al.project.records import Pair, PairState, Verdict
from longitudinal_al.project.store import Project

EXAMPLE = "longitudinal-al status my-project --check"

_WORDS = {
    "pairs": "pairs",
    "patients": "patients",
    "slice_pairs": "slice pairs",
    "labelled": "of them labelled",
    "rounds": "rounds of training",
    "failed_pairs": "failed pairs",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `status`."""
    add_project(parser)
    parser.add_argument(
        "--check", action="store_true", help="check the project's file, every label and the folders"
    )


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Print the counts; 1 when the check finds problems."""
    with Project.open(arguments.project) as project:
        counts: dict[str, Any] = dict(project.status())
        pairs = project.pairs()
        problems = [*project.check(), *_damaged(project, pairs)] if arguments.check else []
    for word, keep in (("failures", PairState.FAILED), ("looks", Verdict.LOOK)):
        counts[word] = [
            {"pair": pair.id, "reason": pair.reason} for pair in pairs if keep in (pair.state, pair.verdict)
        ]
    lines = [f"{counts[key]:7d} {words}" for key, words in _WORDS.items()]
    waiting = sum(pair.state is PairState.ADDED for pair in pairs)
    if waiting:
        lines.append(f"{waiting:7d} {'pair' if waiting == 1 else 'pairs'} to prepare")
    lines += [f"failed: pair {each['pair']}: {each['reason']}" for each in counts["failures"]]
    lines += [f"look at: pair {each['pair']}: {each['reason']}" for each in counts["looks"]]
    if arguments.check:
        counts["problems"] = problems
        lines += [f"problem: {problem}" for problem in problems] or ["the check found no problem"]
    output.result(counts, lines)
    return 1 if problems else 0


def _damaged(project: Project, pairs: list[Pair]) -> list[str]:
    """Return a sentence for each prepared pair some of whose files are missing or cut off."""
    return [
        f"pair {pair.id!r}: its prepared files are missing or damaged; run prepare to make them again"
        for pair in pairs
        if pair.state is PairState.PREPARED
        and (folder := project.pair_folder(pair.id)).is_dir()
        and not is_usable(folder)
    ]
