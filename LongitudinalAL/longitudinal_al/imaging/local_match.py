"""Explain a follow-up by its baseline, place by place: what remains is change.

A scanner's protocol changes gain, offset and contrast, and coils shade each scan differently. In a window of
a few centimetres all of these are close to one straight line, which is fitted everywhere at once with box
sums (the guided filter of He, Sun and Tang, "Guided image filtering", TPAMI 2013, with its statistics at low
resolution as in "Fast guided filter", arXiv 1505.00996). Voxels that changed would bend the line, so they
lose their weight (Tukey's biweight), and each round corrects what the round before predicted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from longitudinal_al.imaging.normalisation import centre_and_scale
from longitudinal_al.interruption import Interrupt, never


@dataclass(frozen=True)
class LocalMatch:
    """Settings of the locally linear match.

    Windows and the working grid are in mm; `reject` is the residual, in robust standard deviations, from
    which a voxel has no weight; `prior` is the part of a window that must count before its line is trusted
    by half, and `ridge` the part of the foreground's variance that a window needs before its slope is.
    """

    window_mm: float = 30.0
    window_across_mm: float = 15.0
    grid_mm: float = 3.0
    rounds: int = 3
    reject: float = 4.0
    prior: float = 0.02
    ridge: float = 0.01


DEFAULT = LocalMatch()


def match_locally(
    baseline: np.ndarray,
    followup: np.ndarray,
    inside: np.ndarray,
    spacing: tuple[float, ...],
    settings: LocalMatch = DEFAULT,
    interrupt: Interrupt = never,
) -> np.ndarray:
    """Predict the follow-up from the baseline by a straight line that varies slowly over space.

    Parameters
    ----------
    baseline, followup : numpy.ndarray
        float32 (slices, rows, columns), on one grid and one scale (matched histograms): the first weights
        come from their plain difference, so that a large change never bends the first line.
    inside : numpy.ndarray
        Mask (bool) of the voxels that count.
    spacing : tuple of float
        Millimetres, in the order of the axes.
    settings : LocalMatch
        Window and robustness.
    interrupt : callable
        Called between the steps.

    Returns
    -------
    numpy.ndarray
        float32: what the follow-up would look like without any change.
    """
    predicted = baseline
    for _ in range(settings.rounds):
        residual = followup - predicted
        interrupt()
        weights = biweight(residual, inside, settings.reject)
        interrupt()
        slope, offset = _fit_lines(predicted, residual, weights, spacing, settings)
        predicted = predicted + slope * predicted + offset
    return predicted


def biweight(residual: np.ndarray, inside: np.ndarray, reject: float) -> np.ndarray:
    """Weigh voxels by Tukey's biweight: 1 without a residual, 0 from `reject` deviations on."""
    scale = centre_and_scale(residual[inside])[1]
    ratio = residual / np.float32(reject * scale)
    return np.where(inside, np.maximum(1 - ratio * ratio, 0) ** 2, 0).astype(np.float32)


def _fit_lines(
    expected: np.ndarray,
    residual: np.ndarray,
    weights: np.ndarray,
    spacing: tuple[float, ...],
    settings: LocalMatch,
) -> tuple[np.ndarray, np.ndarray]:
    """Fit residual = slope x expected + offset around every voxel; both lean to 0 without evidence."""
    step = max(1, round(settings.grid_mm / spacing[1]))
    size = _window(spacing, step, settings)

    def window_mean(values: np.ndarray) -> np.ndarray:
        return ndimage.uniform_filter(_block_means(values, step), size, mode="constant")

    weighted = weights * expected
    total = window_mean(weights)
    safe = np.maximum(total, 1e-4)
    mean_e, mean_r = window_mean(weighted) / safe, window_mean(weights * residual) / safe
    variance = np.maximum(window_mean(weighted * expected) / safe - mean_e**2, 0)
    covariance = window_mean(weighted * residual) / safe - mean_e * mean_r
    trust = total / (total + settings.prior)
    slope = trust * covariance / (variance + settings.ridge * _variance(expected, weights))
    offset = trust * mean_r - slope * mean_e
    return _enlarge(slope, step, expected.shape), _enlarge(offset, step, expected.shape)


def _variance(values: np.ndarray, weights: np.ndarray) -> float:
    held = weights > 0
    w, v = weights[held].astype(np.float64), values[held].astype(np.float64)
    centre = np.average(v, weights=w)
    return max(float(np.average((v - centre) ** 2, weights=w)), 1e-12)


def _window(spacing: tuple[float, ...], step: int, settings: LocalMatch) -> list[int]:
    """Return the odd window sizes (slices, rows, columns) on the coarse grid."""
    lengths = (settings.window_across_mm, settings.window_mm, settings.window_mm)
    steps = (spacing[0], spacing[1] * step, spacing[2] * step)
    return [max(1, round(length / size) | 1) for length, size in zip(lengths, steps, strict=True)]


def _block_means(values: np.ndarray, step: int) -> np.ndarray:
    """Average blocks of step x step pixels in each slice; the borders are padded with zeros."""
    _, rows, columns = values.shape
    padded = np.pad(values, ((0, 0), (0, -rows % step), (0, -columns % step)))
    lines = padded[:, ::step].copy()
    for part in range(1, step):
        lines += padded[:, part::step]
    blocks = lines[:, :, ::step].copy()
    for part in range(1, step):
        blocks += lines[:, :, part::step]
    return blocks / np.float32(step * step)


def _enlarge(coarse: np.ndarray, step: int, shape: tuple[int, ...]) -> np.ndarray:
    """Bring a coarse in-plane grid back to `shape`, linearly between the centres of its blocks."""
    for axis in (1, 2):
        position = (np.arange(shape[axis], dtype=np.float32) + 0.5) / step - 0.5
        lower = np.clip(np.floor(position).astype(int), 0, max(coarse.shape[axis] - 2, 0))
        upper = np.minimum(lower + 1, coarse.shape[axis] - 1)
        part = np.clip(position - lower, 0, 1).astype(np.float32)
        part = part.reshape([-1 if other == axis else 1 for other in range(3)])
        coarse = coarse.take(lower, axis) * (1 - part) + coarse.take(upper, axis) * part
    return coarse.astype(np.float32)
