"""Masks come back as they were, and damage does not go unnoticed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from longitudinal_al.project.mask_coding import decode_mask, encode_mask


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40), elements=st.integers(0, 3)))
@settings(max_examples=100, deadline=None)
def test_any_mask_comes_back(mask: np.ndarray) -> None:
    decoded = decode_mask(encode_mask(mask))
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, mask)


def test_a_view_comes_back_in_its_own_order() -> None:
    mask = np.arange(12, dtype=np.uint8).reshape(3, 4).T[::2]
    np.testing.assert_array_equal(decode_mask(encode_mask(mask)), mask)


def test_a_binary_mask_takes_few_bytes() -> None:
    mask = np.zeros((512, 512), np.uint8)
    mask[200:230, 100:140] = 1
    assert encode_mask(mask).coding == "bits"
    assert len(encode_mask(mask).data) < 400


@pytest.mark.parametrize("values", [1, 3])
def test_every_flipped_byte_is_noticed(values: int) -> None:
    mask = np.zeros((20, 30), np.uint8)
    mask[5:9, 7:20] = values
    coded = encode_mask(mask)
    for position in range(len(coded.data)):
        data = bytearray(coded.data)
        data[position] ^= 0x10
        try:
            decoded = decode_mask(replace(coded, data=bytes(data)))
        except ValueError:
            continue
        np.testing.assert_array_equal(decoded, mask)  # zlib's own header has a few bits without meaning


def test_a_wrong_shape_or_coding_is_noticed() -> None:
    coded = encode_mask(np.ones((8, 8), np.uint8))
    for changed in (replace(coded, rows=9), replace(coded, columns=7), replace(coded, coding="rot13")):
        with pytest.raises(ValueError, match=r"pixels|coding|checksum"):
            decode_mask(changed)
