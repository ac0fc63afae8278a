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
SEED = 0
"""The same for every ranking of a project, whatever its own seed: it is learned once."""
_DIFFERENCE, _FEATURES = "pool/difference", "pool/features"


def contrast_path(folder: Path) -> Path:
    """Return where a project keeps it."""
    return folder / "models" / "contrast.safetensors"


def contrast_of_pool(
    folder: Path,
    pool: Pool,
    *,
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
    settings : ContrastSettings, optional
        By default the product's own.
    progress : callable
        Called with the share that is done; not at all when nothing is to be learned.
    """
    settings = settings or ContrastSettings()
    path, digest = contrast_path(folder), _digest(pool, settings)
    kept = _read(path, digest)
    if kept is None:
        encoders = train_contrast(pool, settings, seed=SEED, progress=lambda share: progress(0.9 * share))
        kept = modality_difference(encoders, pool, progress=lambda share: progress(0.9 + 0.1 * share))
        _write(path, digest, encoders, kept)
    return kept


def _digest(pool: Pool, settings: ContrastSettings) -> str:
    """Stand for the prepared slice pairs and the settings: with others all has to be learned anew."""
    pairs = [[name, pair.record.key, pair.record.slices] for name, pair in pool.pairs.items()]
    return hashlib.sha256(json.dumps([pairs, asdict(settings), SEED]).encode()).hexdigest()


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
