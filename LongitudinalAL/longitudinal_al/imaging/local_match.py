"""Explain a follow-up by its baseline, place by place: what remains is change.

A scanner's protocol changes gain, offset and contrast, and coils shade each scan differently. In a window of a few
centimetres all of these are close to one straight line, which is fitted everywhere at once with box sums (the guided
filter of He, Sun and Tang, "Guided image filtering", TPAMI 2013, with its statistics at low resolution as in "Fast
guided filter", arXiv 1505.00996). Voxels that changed would bend the line, so they lose weight over a few rounds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from longitudinal_al.imaging.normalisation import centre_and_scale


@dataclass(frozen=True)
class LocalMatch:
    """Settings of the locally linear match; lengths in millimetres."""

    window_mm: float = 30.0
    window_across_mm: float = 15.0
    grid_mm: float = 3.0
    rounds: int = 3
    outlier: float = 2.0
    ridge: float = 0.01


def match_locally(
    baseline: np.ndarray,
    followup: np.ndarray,
    inside: np.ndarray,
    spacing: tuple[float, ...],
    settings: LocalMatch = LocalMatch(),
) -> np.ndarray:
    """Predict the follow-up from the baseline by a straight line that varies slowly over space.

    Parameters
    ----------
    baseline, followup : numpy.ndarray
        float32 (slices, rows, columns), on one grid.
    inside : numpy.ndarray
        Mask (bool) of the voxels that count.
    spacing : tuple of float
        Millimetres, in the order of the axes.
    settings : LocalMatch
        Window and robustness.

    Returns
    -------
    numpy.ndarray
        float32: what the follow-up would look like without any change.
    """
    weights = inside.astype(np.float32)
    predicted = baseline
    for _ in range(settings.rounds):
        gain, offset = fit_lines(baseline, followup, weights, spacing, settings)
        predicted = gain * baseline + offset
        residual = followup - predicted
        scale = centre_and_scale(residual[inside])[1]
        weights = inside / (1 + (residual / np.float32(settings.outlier * scale)) ** 2)
    return predicted


def fit_lines(
    baseline: np.ndarray,
    followup: np.ndarray,
    weights: np.ndarray,
    spacing: tuple[float, ...],
    settings: LocalMatch,
) -> tuple[np.ndarray, np.ndarray]:
    """Fit followup = gain x baseline + offset in a window around every voxel.

    Where a window holds little weight or contrast, its line leans towards the line of the whole foreground.

    Returns
    -------
    tuple of numpy.ndarray
        Gain and offset, float32, of the scans' shape.
    """
    step = max(1, int(settings.grid_mm / spacing[1]))
    size = _window(spacing, step, settings)

    def window_mean(values: np.ndarray) -> np.ndarray:
        return ndimage.uniform_filter(_block_means(values, step), size, mode="constant")

    weighted = weights * baseline
    total = window_mean(weights)
    safe = np.maximum(total, 1e-6)
    mean_b, mean_f = window_mean(weighted) / safe, window_mean(weights * followup) / safe
    variance = window_mean(weighted * baseline) / safe - mean_b**2
    covariance = window_mean(weighted * followup) / safe - mean_b * mean_f
    gain_all, variance_all = _line_of_all(baseline, followup, weights)
    lean = settings.ridge * variance_all * (1 + 0.01 / safe)
    gain = (covariance + lean * gain_all) / (np.maximum(variance, 0) + lean)
    offset = mean_f - gain * mean_b
    return _enlarge(gain, step, baseline.shape), _enlarge(offset, step, baseline.shape)


def _line_of_all(baseline: np.ndarray, followup: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    held = weights > 0
    w, b, f = weights[held].astype(np.float64), baseline[held], followup[held]
    mean_b, mean_f = np.average(b, weights=w), np.average(f, weights=w)
    variance = float(np.average((b - mean_b) ** 2, weights=w))
    covariance = float(np.average((b - mean_b) * (f - mean_f), weights=w))
    return covariance / max(variance, 1e-12), max(variance, 1e-12)


def _window(spacing: tuple[float, ...], step: int, settings: LocalMatch) -> list[int]:
    """Return the odd window sizes (slices, rows, columns) on the coarse grid."""
    lengths = (settings.window_across_mm, settings.window_mm, settings.window_mm)
    steps = (spacing[0], spacing[1] * step, spacing[2] * step)
    return [
        max(1, 2 * round((length / size - 1) / 2) + 1) for length, size in zip(lengths, steps, strict=True)
    ]


def _block_means(values: np.ndarray, step: int) -> np.ndarray:
    """Average blocks of step x step pixels in each slice; the borders are padded with zeros."""
    slices, rows, columns = values.shape
    padded = np.pad(values, ((0, 0), (0, -rows % step), (0, -columns % step)))
    blocks = padded.reshape(slices, padded.shape[1] // step, step, padded.shape[2] // step, step)
    return blocks.mean(axis=(2, 4), dtype=np.float32)


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
