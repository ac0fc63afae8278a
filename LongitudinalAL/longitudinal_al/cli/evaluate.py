"""`evaluate`: measure a predicted mask of change against a reference."""

from __future__ import annotations

import argparse
from pathlib import Path

import SimpleITK as sitk

from longitudinal_al.cli.output import Output, measure
from longitudinal_al.errors import GeometryMismatch
from longitudinal_al.evaluation.evaluate import evaluate
from longitudinal_al.imaging.reading import read_mask, same_grid

EXAMPLE = "longitudinal-al evaluate masks/p1.nii.gz reference.nii.gz --json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `evaluate`."""
    parser.add_argument("prediction", metavar="PREDICTION", type=Path, help="the predicted mask of change")
    parser.add_argument("reference", metavar="REFERENCE", type=Path, help="the true one, on the same grid")


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Measure one mask."""
    prediction, reference = read_mask(arguments.prediction), read_mask(arguments.reference)
    if not same_grid(prediction, reference):
        raise GeometryMismatch(
            f"{arguments.prediction} is not on the grid of {arguments.reference}: "
            "resample one of them onto the other's grid (nearest neighbour), then evaluate again"
        )
    measures = evaluate(
        sitk.GetArrayViewFromImage(prediction),
        sitk.GetArrayViewFromImage(reference),
        prediction.GetSpacing()[::-1],
    ).as_dict()
    output.result(measures, [f"{name:20s} {_figure(value)}" for name, value in measures.items()])


def _figure(value: float | None) -> str:
    return str(value) if isinstance(value, int) else measure(value)
