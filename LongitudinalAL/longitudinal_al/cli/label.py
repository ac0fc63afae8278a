"""`label`: save the label of one slice pair, or withdraw it."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from longitudinal_al.cli.arguments import add_project, whole_number
from longitudinal_al.cli.output import Output, counted
from longitudinal_al.errors import GeometryMismatch, InvalidInput, NotReady
from longitudinal_al.frontend.login import login_name
from longitudinal_al.imaging.reading import read_mask, same_grid
from longitudinal_al.pairs.pool import PreparedPair
from longitudinal_al.pairs.prepared import Prepared
from longitudinal_al.pairs.slices import slices_of
from longitudinal_al.project.ranking_file import request_for
from longitudinal_al.project.records import Label, PairState, utc_now
from longitudinal_al.project.store import Project

EXAMPLE = "longitudinal-al label my-project --pair p1 --slice 20 --mask drawn.nii.gz"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `label`."""
    add_project(parser)
    parser.add_argument("--pair", metavar="ID", required=True, help="the pair")
    parser.add_argument(
        "--slice",
        metavar="K",
        type=whole_number,
        required=True,
        help="index of the slice in the pair's grid, from 0",
    )
    mask = parser.add_mutually_exclusive_group(required=True)
    mask.add_argument(
        "--mask", metavar="FILE", type=Path, help="a volume on the pair's grid, of which slice K counts"
    )
    mask.add_argument("--no-change", action="store_true", help="nothing has changed on this slice")
    mask.add_argument("--from-reference", action="store_true", help="take the pair's reference, to simulate")
    mask.add_argument(
        "--withdraw", action="store_true", help="let the label count no more; it stays in the history"
    )
    parser.add_argument(
        "--annotator", metavar="NAME", help="who drew it (default: the user who is logged in)"
    )


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Save one label, or withdraw it."""
    if arguments.withdraw:
        _withdraw(arguments, output)
    else:
        _save(arguments, output)


def _withdraw(arguments: argparse.Namespace, output: Output) -> None:
    with Project.open(arguments.project) as project:
        pair = project.pair(arguments.pair)
        annotator = _annotator(arguments)
        project.withdraw_label(pair.id, arguments.slice, annotator)
        labelled = project.status()["labelled"]
    result = {"pair": pair.id, "slice": arguments.slice, "annotator": annotator, "labelled": labelled}
    what = f"withdrew the label of pair {pair.id}, slice {arguments.slice}"
    output.result({**result, "withdrawn": True}, [f"{what}; {counted(labelled, 'slice pair')} labelled"])


def _save(arguments: argparse.Namespace, output: Output) -> None:
    started = utc_now()
    with Project.open(arguments.project) as project:
        pair = _prepared_pair(project, arguments.pair)
        mask = _mask(pair, arguments, len(project.classes))
        request = request_for(project.folder, pair.pair.id, arguments.slice)
        label = Label(
            pair=pair.pair.id,
            slice=arguments.slice,
            mask=mask,
            annotator=_annotator(arguments),
            started=started,
            ended=max(started, utc_now()),  # the clock may be set back meanwhile
            strategy=request.strategy if request else None,
            score=request.score if request else None,
        )
        project.save_label(label)
        labelled = project.status()["labelled"]
    if arguments.slice not in pair.record.slices:
        output.note(
            f"note: slice {arguments.slice} is outside the pool; its label is kept but not trained on"
        )
    changed = int(np.count_nonzero(mask))
    result = {
        "pair": label.pair,
        "slice": label.slice,
        "changed_pixels": changed,
        "annotator": label.annotator,
        "strategy": label.strategy,
        "score": label.score,
        "labelled": labelled,
    }
    what = f"saved pair {label.pair}, slice {label.slice}: {counted(changed, 'pixel')} of change"
    output.result(result, [f"{what}; {counted(labelled, 'slice pair')} labelled"])


def _prepared_pair(project: Project, pair_id: str) -> PreparedPair:
    pair = project.pair(pair_id)
    record = Prepared.read(project.pair_folder(pair.id)) if pair.state is PairState.PREPARED else None
    if record is None:
        why = f" (it failed: {pair.reason})" if pair.state is PairState.FAILED else ""
        raise NotReady(
            f"pair {pair.id!r} is not prepared{why}: run longitudinal-al prepare {project.folder} first"
        )
    return PreparedPair(pair, project.pair_folder(pair.id), record)


def _mask(pair: PreparedPair, arguments: argparse.Namespace, classes: int) -> np.ndarray:
    """Return the label's mask, uint8 (rows, columns)."""
    grid = pair.grid()
    slices = grid.GetSize()[2 - pair.record.slice_axis]
    if arguments.slice >= slices:
        raise InvalidInput(
            f"--slice {arguments.slice}: pair {pair.pair.id!r} has the slices 0 to {slices - 1} on its grid"
        )
    if arguments.no_change:
        return np.zeros(pair.grid_shape, np.uint8)
    if arguments.from_reference:
        mask = pair.reference_slices()[arguments.slice]
        return np.ascontiguousarray(np.minimum(mask, classes), np.uint8)
    given = read_mask(arguments.mask, largest_class=classes)
    if not same_grid(given, grid):
        raise GeometryMismatch(
            f"--mask {arguments.mask}: not on the grid of pair {pair.pair.id!r} ({_grid(given)} against "
            f"{_grid(grid)}): draw on {pair.folder / 'followup.nii.gz'}, or resample the mask onto it"
        )
    return np.ascontiguousarray(slices_of(given, pair.record.slice_axis)[arguments.slice], np.uint8)


def _grid(image: object) -> str:
    size, spacing = image.GetSize(), image.GetSpacing()  # type: ignore[attr-defined]
    return f"{' x '.join(map(str, size))} voxels of {' x '.join(f'{each:.3g}' for each in spacing)} mm"


def _annotator(arguments: argparse.Namespace) -> str:
    if arguments.annotator:
        return str(arguments.annotator)
    if arguments.from_reference:
        return "reference"
    return login_name()
