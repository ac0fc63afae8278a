"""The two encoders and what they say of the pool, kept in the project: learned once, not at every ranking."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from longitudinal_al.network.contrast import (
    Contrast,
    ContrastEncoders,
    ContrastSettings,
    modality_difference,
    train_contrast,
)
from longitudinal_al.pairs.pool import Pool
from longitudinal_al.project.files import write_bytes

FORMAT = "longitudinal-al-contrast-1"
_DIFFERENCE, _FEATURES = "pool/difference", "pool/features"


def contrast_path(folder: Path, seed: int = 0) -> Path:
    """Return where a project keeps what was learned with a seed."""
    return folder / "models" / ("contrast.safetensors" if seed == 0 else f"contrast-seed{seed}.safetensors")


def contrast_of_pool(
    folder: Path,
    pool: Pool,
    *,
    seed: int = 0,
    settings: ContrastSettings | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Contrast:
    """Return what two encoders say of a pool; they are trained the first time, and whenever the pool changes.

    Parameters
    ----------
    folder : Path
        The project's.
    pool : Pool
        Its pool.
    seed : int
        Of the training. In use it is always the same, whatever the seed of a ranking: it is learned once.
    settings : ContrastSettings, optional
        By default the product's own.
    progress : callable
        Called with the share that is done; not at all when nothing is to be learned.
    """
    settings = settings or ContrastSettings()
    path, digest = contrast_path(folder, seed), _digest(pool, settings, seed)
    kept = _read(path, digest)
    if kept is None:
        encoders = train_contrast(pool, settings, seed=seed, progress=lambda share: progress(0.9 * share))
        kept = modality_difference(encoders, pool, progress=lambda share: progress(0.9 + 0.1 * share))
        _write(path, digest, encoders, kept)
    return kept


def _digest(pool: Pool, settings: ContrastSettings, seed: int) -> str:
    """Stand for the prepared slice pairs and the settings: with others all has to be learned anew."""
    return hashlib.sha256(json.dumps([pool.contents(), asdict(settings), seed]).encode()).hexdigest()


def _write(path: Path, digest: str, encoders: ContrastEncoders, contrast: Contrast) -> None:
    tensors = {f"encoders/{name}": value.contiguous() for name, value in encoders.state_dict().items()}
    tensors[_DIFFERENCE] = torch.from_numpy(contrast.difference)
    tensors[_FEATURES] = torch.from_numpy(np.ascontiguousarray(contrast.features))
    write_bytes(path, save(tensors, {"format": FORMAT, "digest": digest}), within=path.parents[1])


def _read(path: Path, digest: str) -> Contrast | None:
    """Read what is kept; None where it is missing, damaged or of another pool, as it can be learned again."""
    try:
        with safe_open(str(path), "pt") as file:
            header = file.metadata() or {}
            if header.get("format") != FORMAT or header.get("digest") != digest:
                return None
            return Contrast(file.get_tensor(_DIFFERENCE).numpy(), file.get_tensor(_FEATURES).numpy())
    except (OSError, SafetensorError, KeyError):
        return None
