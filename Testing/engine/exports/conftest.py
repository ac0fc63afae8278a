"""A prepared project with labels of two kinds of change."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

from longitudinal_al.network.architecture import Architecture, ChangeNetwork
from longitudinal_al.network.checkpoint import save_networks
from longitudinal_al.pairs.prepared import Prepared
from longitudinal_al.project.records import Label, Round, utc_now

NOON = datetime(2026, 3, 4, 12, tzinfo=timezone.utc)


def label(project, pair, index, mask, **more):
    given = {"annotator": "Ärztin", "started": NOON, "ended": NOON + timedelta(seconds=21), **more}
    project.save_label(Label(pair, index, mask, **given))


@pytest.fixture
def labelled(small_project):
    """Slices 10 and 12 of p0 and slice 9 of the test pair p3 are labelled; slice 11 of p0 was withdrawn."""
    for pair in ("p0", "p3"):
        frame = Prepared.read(small_project.pair_folder(pair)).frame
        mask = np.zeros((frame.grid_rows, frame.grid_columns), np.uint8)
        mask[30:34, 20:25] = 1
        for index in (10, 11, 12) if pair == "p0" else (9,):
            label(small_project, pair, index, mask, strategy="entropy", score=0.25 * index)
    small_project.withdraw_label("p0", 11, "Ärztin")
    label(small_project, "p0", 12, np.zeros_like(mask), suggestion_shown=True)
    return small_project


@pytest.fixture
def with_model(labelled):
    network = ChangeNetwork(Architecture(widths=(8, 8, 16, 16))).eval()
    path = labelled.folder / "models" / "made.safetensors"
    save_networks([network, ChangeNetwork(Architecture(widths=(8, 8, 16, 16))).eval()], path)
    labelled.add_round(Round(1, None, 0, 4, utc_now(), utc_now(), path))
    return labelled
