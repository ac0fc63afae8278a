"""Draw the README's picture: a public pair as the engine prepares it, with the reference outlined."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from bench_prepare import pair_of
from matplotlib.figure import Figure

from longitudinal_al.imaging.reading import read_scan
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.pairs.preparation import prepare_project
from longitudinal_al.pairs.slices import slices_of
from longitudinal_al.project.store import Project

VIEWS = {"baseline": (-3, 5, "gray"), "followup": (-3, 5, "gray"), "difference": (-15, 15, "gray")}
TITLES = {"baseline": "Baseline", "followup": "Follow-up", "difference": "Difference"}


def main() -> None:
    """Write the picture to the path on the command line."""
    target = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder, Project.create(Path(folder) / "p") as project:
        project.add_pairs([pair_of("patient01")])
        assert not prepare_project(project)
        prepared = Pool.open(project).pairs["patient01"]
        reference = prepared.reference_slices() > 0
        index = int(reference.sum((1, 2)).argmax())
        inside = slices_of(prepared.grid(), prepared.record.slice_axis)[index]
        rows, columns = np.nonzero(inside)
        figure = Figure(figsize=(10.5, 4.2), facecolor="black")
        for place, (name, (low, high, colours)) in enumerate(VIEWS.items(), start=1):
            axes = figure.add_subplot(1, 3, place)
            volume = slices_of(read_scan(prepared.folder / f"{name}.nii.gz"), prepared.record.slice_axis)
            axes.imshow(volume[index], cmap=colours, vmin=low, vmax=high, interpolation="bilinear")
            axes.contour(reference[index], levels=[0.5], colors="#ff7f0e", linewidths=1.2)
            axes.set_xlim(columns.min() - 25, columns.max() + 25)
            axes.set_ylim(rows.max() + 20, rows.min() - 20)
            axes.set_title(TITLES[name], color="white", fontsize=13)
            axes.set_axis_off()
        figure.subplots_adjust(left=0.01, right=0.99, bottom=0.02, top=0.9, wspace=0.02)
        target.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(target, dpi=110)


if __name__ == "__main__":
    main()
