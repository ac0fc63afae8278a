"""Draw learning curves of an experiment for `docs/benchmark.md`, from the results of one of its cohorts.

python Testing/benchmarks/picture_curves.py FOLDER/hard/report/results.json docs/pictures/curves-hard.png
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from longitudinal_al.experiments.curves import MEASURES
from longitudinal_al.experiments.plots import learning_curves_figure, png


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="results.json of a cohort's report")
    parser.add_argument("picture", type=Path)
    parser.add_argument("--measure", choices=MEASURES, default="dice")
    arguments = parser.parse_args()
    figure = learning_curves_figure(
        json.loads(arguments.results.read_text(encoding="utf-8")), arguments.measure
    )
    if figure is None:
        parser.error(f"{arguments.results}: {arguments.measure} is nowhere defined")
    arguments.picture.write_bytes(png(figure, 110))


if __name__ == "__main__":
    main()
