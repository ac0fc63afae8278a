"""What the engine's tests share: the two real pairs, and a generator with a fixed seed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
OPEN_MS = Path(os.environ.get("LONGITUDINALAL_DATA", ROOT.parent / "shared" / "data" / "open_ms"))


@pytest.fixture(scope="session")
def open_ms() -> Path:
    """Folder of the two public pairs (see docs/benchmark.md); the test is skipped where it is missing."""
    if not OPEN_MS.is_dir():
        pytest.skip(f"the public pairs are not at {OPEN_MS}: set LONGITUDINALAL_DATA to their folder")
    return OPEN_MS


@pytest.fixture
def generator() -> np.random.Generator:
    """Return a generator with a fixed seed."""
    return np.random.default_rng(20)
