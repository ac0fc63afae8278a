import numpy as np
import pytest

from longitudinal_al.errors import NotReady
from longitudinal_al.pairs.frame import Frame
from longitudinal_al.pairs.stack import CHANNELS, FOREGROUND_FILE, STACK_FILE, open_stack, write_stack


@pytest.fixture
def written(tmp_path, generator):
    volumes = {name: generator.normal(0, 3, (6, 20, 24)) for name in CHANNELS}
    foreground = np.zeros((6, 20, 24), bool)
    foreground[1:5, 2:18, 4:20] = True
    frame = Frame.around(foreground.any(axis=0), (1.0, 1.0), 1.0)
    write_stack(tmp_path, frame, volumes, foreground, range(1, 5))
    return tmp_path, volumes


def test_slices_are_cropped_to_the_window_and_memory_mapped(written):
    folder, volumes = written
    stack, foreground = open_stack(folder)
    assert isinstance(stack, np.memmap)
    assert stack.shape == (4, 3, 16, 16)
    assert foreground.all()
    np.testing.assert_allclose(stack[0, 1], volumes["followup"][1, 2:18, 4:20].clip(-6, 10), atol=5e-3)


def test_values_beyond_the_limits_are_cut_off(tmp_path):
    volumes = {name: np.full((1, 8, 8), 1e6) for name in CHANNELS}
    frame = Frame.around(np.ones((8, 8), bool), (1.0, 1.0), 1.0)
    write_stack(tmp_path, frame, volumes, np.ones((1, 8, 8), bool), [0])
    stack, _ = open_stack(tmp_path)
    assert stack[0, :, 0, 0].tolist() == [10.0, 10.0, 200.0]


@pytest.mark.parametrize("name", [STACK_FILE, FOREGROUND_FILE])
@pytest.mark.parametrize("damage", ["missing", "truncated", "garbage", "another head"])
def test_a_damaged_file_says_what_to_do(written, name, damage):
    folder, _ = written
    file = folder / name
    if damage == "missing":
        file.unlink()
    elif damage == "another head":  # of the same length, so that the numbers are read as others
        content = file.read_bytes()
        file.write_bytes(content.replace(b"'<f2'", b"'<i2'").replace(b"(4, 16, 16)", b"(2, 32, 16)"))
    else:
        file.write_bytes(file.read_bytes()[:100] if damage == "truncated" else b"not an array")
    with pytest.raises(NotReady, match="run `prepare` again"):
        open_stack(folder)
