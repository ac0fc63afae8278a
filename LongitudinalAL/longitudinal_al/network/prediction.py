"""Prediction over a pool, batch by batch: memory does not grow with the pool."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn.utils.fusion import fuse_conv_bn_eval

from longitudinal_al.errors import NotReady
from longitudinal_al.network.architecture import ChangeNetwork, Reading, network_input
from longitudinal_al.network.attention import attention
from longitudinal_al.network.committee import Committee
from longitudinal_al.network.device import fast_dtype, is_out_of_memory, pick_device, with_less_memory
from longitudinal_al.network.input_variants import predicted_variants
from longitudinal_al.network.last_layer_gradients import last_layer_gradients
from longitudinal_al.network.normed_convolution import NormedConvolution
from longitudinal_al.network.upside_down import probability_of_both
from longitudinal_al.pairs.pool import Pool

BATCH = 16


@dataclass(frozen=True)
class PredictedBatch:
    """What the networks say about a few slice pairs.

    Attributes
    ----------
    rows : list of int
        Rows of the pool.
    members : torch.Tensor
        float32, (members, n, rows, columns): probability of change, 0 outside of the foreground.
    features : torch.Tensor
        float32, (n, features): pooled bottleneck features of the first member.
    difference : torch.Tensor
        float32, (n, rows, columns): the difference, in robust z.
    foreground : torch.Tensor
        bool, (n, rows, columns).
    extras : mapping of str to torch.Tensor
        What was asked for besides, see `EXTRAS`.
    """

    rows: list[int]
    members: torch.Tensor
    features: torch.Tensor
    difference: torch.Tensor
    foreground: torch.Tensor
    extras: Mapping[str, torch.Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Looked:
    """A batch that has been read, for what is asked for besides.

    Attributes
    ----------
    networks : list of ChangeNetwork
        The members, or as many passes of one.
    stacks, foreground : torch.Tensor
        What was read.
    reading : Reading
        What the first member found.
    """

    networks: list[ChangeNetwork]
    stacks: torch.Tensor
    foreground: torch.Tensor
    reading: Reading


def _attention(looked: Looked) -> torch.Tensor:
    return attention(looked.networks[0], looked.reading, looked.foreground)


def _gradients(looked: Looked) -> torch.Tensor:
    return last_layer_gradients(looked.networks[0], looked.reading, looked.foreground)


def _predicted_loss(looked: Looked) -> torch.Tensor:
    head = looked.networks[0].loss_head
    if head is None:
        raise NotReady(
            "this model does not predict its own loss, as it was not trained for that: run "
            "`longitudinal-al train --strategy learning_loss` first"
        )
    predicted: torch.Tensor = head([*looked.reading.levels, looked.reading.activations])
    return predicted.float()


def _variants(looked: Looked) -> torch.Tensor:
    return predicted_variants(looked.networks, looked.stacks, looked.foreground)


EXTRAS: dict[str, Callable[[Looked], torch.Tensor]] = {
    "attention": _attention,
    "gradients": _gradients,
    "predicted_loss": _predicted_loss,
    "variants": _variants,
}
"""What can be asked for besides the prediction, float32. `attention` (n, rows, columns), `gradients` (n,
weights of the last layer) and `predicted_loss` (n,) are the first member's; `variants` (variants, n, rows,
columns) the mean's."""


def predict(
    networks: Sequence[ChangeNetwork],
    pool: Pool,
    rows: Sequence[int],
    *,
    dropout_passes: int = 0,
    seed: int = 0,
    device: torch.device | None = None,
    batch: int = BATCH,
    extras: Collection[str] = (),
    turned: bool = False,
) -> Iterator[PredictedBatch]:
    """Predict slice pairs of a pool.

    Parameters
    ----------
    networks : sequence of ChangeNetwork
        The members of the ensemble; one is enough.
    pool : Pool
        Where the images come from.
    rows : sequence of int
        Which slice pairs.
    dropout_passes : int
        If above 0, the members are this many passes of the first network with dropout switched on
        (Gal & Ghahramani, "Dropout as a Bayesian approximation", ICML 2016).
    seed : int
        Of the dropout.
    device : torch.device, optional
        Where to run; by default the best there is.
    batch : int
        Slice pairs at a time; fewer where memory runs out, and then on the CPU.
    extras : collection of str
        What is wanted besides, names of `EXTRAS`.
    turned : bool
        Whether each member also looks at the slice pairs upside down, and its probability is the mean of
        both: better masks in twice the time.

    Yields
    ------
    PredictedBatch
        In the order of ``rows``.

    Raises
    ------
    NotReady
        When the loss is asked for, and the network was not trained to predict it.
    OutOfMemory
        When a single slice pair does not fit on the CPU.
    """
    device = device or pick_device()
    with torch.inference_mode(), torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        ready: list[ChangeNetwork] = []
        start = 0
        while start < len(rows):
            some = list(rows[start : start + batch])
            try:
                ready = ready or _members(networks, device, dropout_passes)
                predicted = _predict_batch(ready, pool, some, device, extras, turned)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                predicted = None
            if predicted is None:
                ready = []
                device, batch = with_less_memory(device, len(some))
                continue
            yield predicted
            start += len(some)


def _members(
    networks: Sequence[ChangeNetwork], device: torch.device, dropout_passes: int
) -> list[ChangeNetwork]:
    """Return the members on a device, or the first as often as it is asked with dropout."""
    ready = [_ready(network, device, dropout_passes > 0) for network in networks]
    return ready[:1] * dropout_passes if dropout_passes else ready


def _ready(network: ChangeNetwork, device: torch.device, with_dropout: bool) -> ChangeNetwork:
    """Return a copy in the device's fast precision and layout, its normalisation folded into the weights."""
    ready = _fused(copy.deepcopy(network).eval()).to(
        device, fast_dtype(device), memory_format=torch.channels_last
    )
    ready.drop.train(with_dropout)
    return ready


def _fused(network: ChangeNetwork) -> ChangeNetwork:
    """Fold each batch normalisation into the convolution before it: two passes over memory less a layer."""
    for block in network.modules():
        if isinstance(block, NormedConvolution):
            block.conv = fuse_conv_bn_eval(block.conv, block.adn.N)
            block.adn.N = torch.nn.Identity()
    return network


def _predict_batch(
    networks: list[ChangeNetwork],
    pool: Pool,
    rows: list[int],
    device: torch.device,
    extras: Collection[str],
    turned: bool,
) -> PredictedBatch:
    neighbours = networks[0].architecture.neighbours
    stacks = torch.from_numpy(pool.stacks(rows, neighbours)).to(device, fast_dtype(device))
    image = network_input(stacks).contiguous(memory_format=torch.channels_last)
    foreground = torch.from_numpy(pool.foreground(rows)).to(device)
    first = networks[0].read(image)
    logits = [first.logits, *(network(image)[0] for network in networks[1:])]
    if turned:
        looks = zip(networks, logits, strict=True)
        said = [probability_of_both(network, image, each) for network, each in looks]
    else:
        said = [torch.sigmoid(each).float() for each in logits]
    members = torch.stack(said)
    members *= foreground
    looked = Looked(networks, stacks, foreground, first)
    return PredictedBatch(
        rows=rows,
        members=members,
        features=first.features.float(),
        difference=stacks[:, neighbours, 2].float(),
        foreground=foreground,
        extras={name: EXTRAS[name](looked) for name in extras},
    )


def predicted_probabilities(
    committee: Committee, pool: Pool, rows: Sequence[int], *, turned: bool = True
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each row with its probability of change on the pair's grid; float32, (rows, columns)."""
    for predicted in predict(committee.networks, pool, rows, turned=turned):
        mean = committee.mean(predicted.members).cpu().numpy()
        for row, probability in zip(predicted.rows, mean, strict=True):
            yield row, pool.to_grid(row, probability)


def predicted_masks(
    committee: Committee, pool: Pool, rows: Sequence[int], threshold: float = 0.5
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each row with its own mask of change; boolean, on the grid. For whole pairs: `sure_pieces`."""
    for row, probability in predicted_probabilities(committee, pool, rows):
        yield row, probability >= threshold
