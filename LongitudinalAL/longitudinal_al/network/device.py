"""Where the network runs, in which precision, and what happens when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

from longitudinal_al.errors import OutOfMemory

Result = TypeVar("Result")


def pick_device() -> torch.device:
    """Return the first of CUDA, Apple's MPS and the CPU that there is."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def fast_dtype(device: torch.device) -> torch.dtype:
    """Return bfloat16 where the device computes in it natively, else float32."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    if device.type == "cpu":
        return torch.bfloat16 if _cpu_has_bfloat16() else torch.float32
    return torch.float32


def _cpu_has_bfloat16() -> bool:
    """Tell whether the processor multiplies bfloat16 itself; older PyTorch cannot tell, and counts as no."""
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16"))


@contextmanager
def fast_arithmetic(device: torch.device) -> Iterator[None]:
    """Run what is inside in bfloat16 where that pays."""
    dtype = fast_dtype(device)
    with torch.autocast(device.type, dtype=dtype, enabled=dtype is not torch.float32):
        yield


_SIGNS = ("out of memory", "DefaultCPUAllocator", "ALLOC_FAILED")
"""Said when the CPU, MPS, cuBLAS or cuDNN get no memory: these have no error of their own."""


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error means that memory ran out, on whatever device."""
    if isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _SIGNS)


def with_less_memory(
    device: torch.device, batch: int, tell: Callable[[str], None] = lambda message: None
) -> tuple[torch.device, int]:
    """Return where, and with how many slice pairs at a time, to go on after memory ran out.

    Half of the batch; when that does not help, the CPU.

    Parameters
    ----------
    device, batch
        With which it ran out.
    tell : callable
        Called with a sentence for the user.

    Raises
    ------
    OutOfMemory
        When one slice pair at a time did not fit on the CPU either.
    """
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if batch > 1:
        batch //= 2
        tell(f"out of memory on the {device.type}: going on with {batch} slice pairs at a time")
        return device, batch
    if device.type != "cpu":
        tell("out of memory on the GPU: going on on the CPU, which is slower")
        return torch.device("cpu"), 8
    raise OutOfMemory("there is no memory for a single slice pair: close other programs and run it again")


def within_memory(
    run: Callable[[torch.device, int], Result],
    device: torch.device,
    batch: int,
    tell: Callable[[str], None] = lambda message: None,
) -> Result:
    """Run a job; when memory runs out halve the batch, and when that does not help go on on the CPU.

    Parameters
    ----------
    run : callable
        Does the job on a device with a batch size; is called again after a failure.
    device : torch.device
        Where to begin.
    batch : int
        Slice pairs at a time to begin with.
    tell : callable
        Called with a sentence for the user whenever it had to change.

    Raises
    ------
    OutOfMemory
        When one slice pair at a time does not fit on the CPU either.
    """
    while True:
        try:
            return run(device, batch)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        # Only here, as what failed is held on to by its error.
        device, batch = with_less_memory(device, batch, tell)
