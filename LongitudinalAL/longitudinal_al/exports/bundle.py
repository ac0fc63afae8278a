"""The networks that decide on masks now, as a MONAI bundle."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import longitudinal_al
from longitudinal_al.errors import NotReady
from longitudinal_al.network.checkpoint import newest_committee, save_networks
from longitudinal_al.pairs.pixel_size import network_pixel_mm
from longitudinal_al.pairs.stack import CHANNELS, CLIP
from longitudinal_al.project.files import write_json, write_text
from longitudinal_al.project.records import Round
from longitudinal_al.project.store import Project

MODEL = "models/model.safetensors"
SCHEMA = (
    "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"
)
NETWORK = "longitudinal_al.exports.bundled_network.BundledNetwork"


def export_bundle(project: Project, folder: Path) -> list[Path]:
    """Write the networks of the newest rounds as a MONAI bundle: `configs/`, `models/`, `docs/`.

    The weights are a safetensors file, since nothing of this program writes or reads pickles; the network's
    class comes from the package longitudinal-al, which has to be installed where the bundle is used.
    """
    newest, committee, pixel_mm = _newest(project), newest_committee(project), network_pixel_mm(project)
    save_networks(committee.networks, folder / MODEL, weights=committee.weights)
    neighbours = committee.networks[0].architecture.neighbours
    metadata = _metadata(newest, neighbours, pixel_mm, project.classes)
    write_json(folder / "configs" / "metadata.json", metadata)
    write_json(folder / "configs" / "inference.json", _inference())
    write_text(folder / "docs" / "README.md", _readme(newest, pixel_mm))
    names = (MODEL, "configs/metadata.json", "configs/inference.json", "docs/README.md")
    return [folder / name for name in names]


def _newest(project: Project) -> Round:
    for finished in reversed(project.rounds()):
        if finished.model is not None:
            return finished
    raise NotReady(f"{project.folder}: there is no model yet; label a few slice pairs and train first")


def _inference() -> dict[str, Any]:
    """Return the bundle's config; `$` marks an expression of MONAI's config language."""
    return {
        "imports": ["$import torch"],
        "bundle_root": ".",
        "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "network_def": {"_target_": NETWORK, "weights": f"$@bundle_root + '/{MODEL}'"},
        "network": "$@network_def.to(@device).eval()",
    }


def _metadata(newest: Round, neighbours: int, pixel_mm: float, classes: Sequence[str]) -> dict[str, Any]:
    name = classes[0] if len(classes) == 1 else "change"
    slices = 1 + 2 * neighbours
    return {
        "schema": SCHEMA,
        "version": "0.1.0",
        "changelog": {"0.1.0": f"round {newest.number}, from {newest.labels} labelled slice pairs"},
        "monai_version": version("monai"),
        "pytorch_version": version("torch"),
        "numpy_version": version("numpy"),
        "required_packages_version": {"longitudinal-al": longitudinal_al.__version__},
        "task": "Change between two scans of a patient",
        "description": "Tells change from no change on slices of a registered pair of scans.",
        "authors": "made by a user of LongitudinalAL",
        "copyright": "of whoever labelled the scans",
        "intended_use": "Research only; this is no medical device.",
        "network_data_format": {
            "inputs": {"image": _input(slices, pixel_mm)},
            "outputs": {"pred": _output(name)},
        },
    }


def _input(slices: int, pixel_mm: float) -> dict[str, Any]:
    places = {1: ("",), 3: ("slice before, ", "slice, ", "slice after, ")}
    before = places.get(slices, tuple(f"slice {step - slices // 2:+d}, " for step in range(slices)))
    names = [f"{place}{channel}" for place in before for channel in CHANNELS]
    return {
        "type": "image",
        "format": "magnitude",
        "modality": "MR",
        "num_channels": len(names),
        "spatial_shape": ["16*n", "16*n"],
        "dtype": "float32",
        "value_range": [min(low for low, _ in CLIP.values()), max(high for _, high in CLIP.values())],
        "is_patch_data": False,
        "pixel_mm": pixel_mm,
        "channel_def": {str(number): each for number, each in enumerate(names)},
    }


def _output(name: str) -> dict[str, Any]:
    return {
        "type": "image",
        "format": "probability",
        "num_channels": 1,
        "spatial_shape": ["16*n", "16*n"],
        "dtype": "float32",
        "value_range": [0, 1],
        "is_patch_data": False,
        "channel_def": {"0": name},
    }


def _readme(newest: Round, pixel_mm: float) -> str:
    return f"""# Change between two scans

The network of round {newest.number}, which learned from {newest.labels} labelled slice pairs, and those of
the rounds just before it, each with a say by how many labels it knows.

Input: slices of both scans and of their difference, registered, on one grid, in robust z, with pixels of
{pixel_mm:g} mm, as `longitudinal-al prepare` makes them; each slice with its neighbours. The channels are
named in `configs/metadata.json`. Output: the probability of change.

The network's class comes from the package longitudinal-al {longitudinal_al.__version__}:
install that first.

```python
from monai.bundle import ConfigParser

parser = ConfigParser()
parser.read_config("configs/inference.json")
parser["bundle_root"] = "."  # this folder
network = parser.get_parsed_content("network")
```

For research only; this is no medical device.
"""
