import pytest
import torch

from longitudinal_al.errors import OutOfMemory
from longitudinal_al.network.device import fast_arithmetic, is_out_of_memory, pick_device, within_memory

CPU = torch.device("cpu")


def memory_for(limit: int, on: str = "cpu"):
    """A job that runs out of memory above a batch size, or on another device."""

    def run(device: torch.device, batch: int) -> tuple[str, int]:
        if device.type != on or batch > limit:
            raise torch.cuda.OutOfMemoryError("made up")
        return device.type, batch

    return run


def test_batch_is_halved_until_it_fits():
    told = []
    assert within_memory(memory_for(5), CPU, 32, told.append) == ("cpu", 4)
    assert len(told) == 3
    assert "4 slice pairs at a time" in told[-1]


def test_a_gpu_that_is_too_small_gives_way_to_the_cpu():
    told = []
    assert within_memory(memory_for(100), torch.device("meta"), 4, told.append) == ("cpu", 8)
    assert "CPU" in told[-1]


def test_no_memory_at_all_is_said_in_words():
    with pytest.raises(OutOfMemory, match="close other programs"):
        within_memory(memory_for(0), CPU, 2)


def test_python_running_out_counts_too():
    calls = []

    def run(device: torch.device, batch: int) -> int:
        calls.append(batch)
        if batch > 1:
            raise MemoryError
        return batch

    assert within_memory(run, CPU, 4) == 1
    assert calls == [4, 2, 1]


def test_other_errors_pass_through():
    def run(device: torch.device, batch: int) -> None:
        raise KeyError("other")

    with pytest.raises(KeyError):
        within_memory(run, CPU, 4)


def test_fast_arithmetic_stays_close_to_float32():
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(4, 4, 3)
    image = torch.randn(1, 4, 16, 16)
    exact = layer(image)
    with fast_arithmetic(pick_device()):
        fast = layer(image)
    assert (fast.float() - exact).norm() / exact.norm() < 0.02


@pytest.mark.parametrize(
    ("error", "is_memory"),
    [
        (MemoryError(), True),
        (torch.cuda.OutOfMemoryError("CUDA out of memory."), True),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:119] DefaultCPUAllocator: can't allocate memory"),
            True,
        ),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_which_errors_mean_that_memory_ran_out(error: Exception, is_memory: bool):
    assert is_out_of_memory(error) is is_memory
    calls = []

    def run(device: torch.device, batch: int) -> int:
        calls.append(batch)
        if len(calls) == 1:
            raise error
        return batch

    if is_memory:
        assert within_memory(run, CPU, 4) == 2
    else:
        with pytest.raises(type(error)):
            within_memory(run, CPU, 4)
