"""Geometry from the scanner to the atlas and back, and what a scan adds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage

from longitudinal_al.synthesis.anatomy import load_atlas
from longitudinal_al.synthesis.scanner import acquire, develop, draw_protocols, to_image
from longitudinal_al.synthesis.warp import Pose, Warp, draw_pose, rigid_between


def test_a_ball_in_the_head_is_seen_where_the_transforms_say(generator):
    atlas = load_atlas()
    warp, pose = Warp(atlas, generator), draw_pose(generator)
    protocol, _ = draw_protocols(generator)
    centre = atlas.index((20.0, -15.0, 25.0))
    z, y, x = np.indices(atlas.shape)
    ball = ((z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2 < 8**2).astype(np.float32)
    seen = acquire(torch.from_numpy(ball)[None], atlas, warp, pose, protocol, 0.0)[0]
    k, j, i = ndimage.center_of_mass(seen)
    point = to_image(seen.astype(np.uint8), protocol).TransformContinuousIndexToPhysicalPoint((i, j, k))
    there = warp.to_atlas(pose.to_head(np.array([point])))[0]
    assert there == pytest.approx((-20, 15, 25), abs=1.0)


def test_two_positions_of_one_head_are_a_rigid_transform_apart(generator):
    first, second = draw_pose(generator), draw_pose(generator)
    matrix, shift = rigid_between(first, second)
    head = generator.normal(0, 50, (20, 3))
    seen = [head @ pose.rotation.T + pose.centre for pose in (first, second)]
    assert seen[1] @ matrix.T + shift == pytest.approx(seen[0], abs=1e-9)
    assert first.to_head(seen[0]) == pytest.approx(head, abs=1e-9)


def test_positions_stay_within_what_patients_do(generator):
    for _ in range(50):
        matrix, _ = rigid_between(draw_pose(generator), draw_pose(generator))
        assert np.degrees(np.arccos(np.clip((np.trace(matrix) - 1) / 2, -1, 1))) < 20


def test_atrophy_moves_the_ventricles_walls_by_less_than_two_millimetres(generator):
    atlas = load_atlas()
    warp = Warp(atlas, generator)
    points = generator.uniform(-50, 50, (500, 3))
    moved = np.linalg.norm(warp.to_atlas(points, 0.6) - warp.to_atlas(points), axis=1)
    assert 0.1 < np.median(moved) < 1 and moved.max() < 2.0


def test_noise_is_of_the_protocols_size(generator):
    protocol = replace(draw_protocols(generator)[0], noise=0.03, bias=0.0, gain=1000.0, gamma=1.0, blur=9.0)
    flat = develop(np.ones(protocol.shape, np.float32), protocol, generator)
    assert flat.dtype == np.int16
    assert flat.std() == pytest.approx(30, rel=0.1)
    assert flat.mean() == pytest.approx(1000, rel=0.01)


def test_a_pose_keeps_lengths():
    pose = Pose(np.eye(3), np.array([1.0, 2.0, 3.0]))
    assert pose.to_head(np.array([[1.0, 2.0, 3.0]])) == pytest.approx(np.zeros((1, 3)))
