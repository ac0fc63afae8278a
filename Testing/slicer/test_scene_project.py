"""From the brush to the project's file and back: every pixel, in every geometry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scene_pairs import GEOMETRIES, projectWithPair
from strokes import Painter, stroke

from longitudinal_al.project.records import Label, utc_now
from longitudinal_al.project.store import Project

STROKES = 30
"""In each of seven geometries: 210."""


@pytest.mark.parametrize("name", GEOMETRIES)
def test_what_was_painted_is_in_the_projects_file_and_comes_back_from_it(
    host, scene, tmp_path, name, shownUnder
):
    geometry = GEOMETRIES[name]
    folder = projectWithPair(tmp_path / "prøject", geometry)
    pair = shownUnder(scene.openPair(folder / "pairs" / "pair1", geometry.axis, ("new", "gone")), geometry)
    painter, generator = Painter(host, pair), np.random.default_rng(23)
    expected = np.zeros((pair.grid.slices, *pair.grid.sliceShape), np.uint8)
    with Project.open(folder) as project:
        for number in range(STROKES):
            k, value = int(generator.integers(pair.grid.slices)), 1 + number % 2
            scene.jump(k)
            mask, erase = stroke(pair.grid.sliceShape, generator), number % 5 == 4
            if not erase:  # as the Segment Editor does when it overwrites all segments
                painter.paint(k, mask, scene.segmentId(3 - value), erase=True)
            painter.paint(k, mask, scene.segmentId(value), erase=erase)
            expected[k][mask & ((expected[k] == value) | (not erase))] = 0 if erase else value
            assert scene.sliceLabelsPainted() in ([k], [])
            _save(project, scene, k)
    for k, label in _stored(folder).items():
        np.testing.assert_array_equal(label, expected[k])
        expected[k] = 0
        scene.writeSliceLabel(k, label[::-1])
        scene.writeSliceLabel(k, label)
        np.testing.assert_array_equal(scene.readSliceLabel(k), label)
    assert not expected.any()


def _save(project: Project, scene, k: int) -> None:
    now = utc_now()
    project.save_label(Label("pair1", k, scene.readSliceLabel(k), "Anna", now, now))
    scene.markSaved(k)


def _stored(folder: Path) -> dict[int, np.ndarray]:
    """Return the labels as another process finds them, by slice."""
    with Project.open(folder) as project:
        return {each.slice: each.mask for each in project.labels()}
