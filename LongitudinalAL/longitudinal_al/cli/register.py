"""`register`: find the transform that maps points of the follow-up's space to the baseline's."""

from __future__ import annotations

import argparse
from pathlib import Path

from longitudinal_al.cli.arguments import add_seed
from longitudinal_al.cli.output import Output
from longitudinal_al.cli.progress import Progress
from longitudinal_al.imaging.reading import read_scan
from longitudinal_al.imaging.registration import register
from longitudinal_al.imaging.registration_check import check_registration
from longitudinal_al.imaging.writing import write_transform

EXAMPLE = "longitudinal-al register 2023.nii.gz 2024.nii.gz --transform 2024_to_2023.tfm"
MODELS = ("rigid", "affine")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `register`."""
    parser.add_argument(
        "baseline", metavar="BASELINE", type=Path, help="the earlier scan (file or DICOM folder)"
    )
    parser.add_argument("followup", metavar="FOLLOWUP", type=Path, help="the later scan")
    parser.add_argument(
        "--transform", metavar="OUT.tfm", type=Path, required=True, help="the transform to write"
    )
    parser.add_argument("--model", choices=MODELS, default="rigid", help="what may differ (default: rigid)")
    add_seed(parser)


def run(arguments: argparse.Namespace, output: Output) -> None:
    """Register two scans, check the result, and write the transform with the verdict beside it."""
    baseline, followup = read_scan(arguments.baseline), read_scan(arguments.followup)
    with Progress("registering") as progress:
        found = register(baseline, followup, arguments.model, seed=arguments.seed, progress=progress.portion)
        check = check_registration(baseline, followup, found.transform)
    write_transform(found.transform, arguments.transform)
    result = {
        "seconds": found.seconds,
        "verdict": check.verdict,
        "similarity": check.similarity,
        "overlap": check.overlap,
        "reason": check.reason,
        "model": found.model,
        "transform": arguments.transform,
        "figures": check.figures,
    }
    lines = [
        f"verdict: {check.verdict} (similarity {check.similarity:.2f}, overlap {check.overlap:.0%})",
        check.reason,
        f"wrote {arguments.transform} in {found.seconds:.1f} s",
    ]
    output.result(result, lines)
