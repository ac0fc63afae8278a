"""A mask as a few bytes: bits where it is binary, then zlib, with a checksum of the pixels."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

_LEVEL = 6


@dataclass(frozen=True)
class CodedMask:
    """A mask of `rows` x `columns` pixels; `crc` is the CRC-32 of its pixels as uint8, row by row."""

    rows: int
    columns: int
    coding: str
    crc: int
    data: bytes


def encode_mask(mask: np.ndarray) -> CodedMask:
    """Code a uint8 mask of shape (rows, columns) without loss."""
    pixels = np.ascontiguousarray(mask)
    if pixels.max(initial=0) <= 1:
        coding, raw = "bits", np.packbits(pixels).tobytes()
    else:
        coding, raw = "bytes", pixels.tobytes()
    rows, columns = pixels.shape
    return CodedMask(rows, columns, coding, zlib.crc32(pixels.tobytes()), zlib.compress(raw, _LEVEL))


def decode_mask(coded: CodedMask) -> np.ndarray:
    """Return the uint8 mask of shape (rows, columns).

    Raises
    ------
    ValueError
        When the bytes are not those that `encode_mask` wrote.
    """
    pixels = _pixels(coded)
    if zlib.crc32(pixels.tobytes()) != coded.crc:
        raise ValueError("its checksum does not match")
    return pixels.reshape(coded.rows, coded.columns)


def _pixels(coded: CodedMask) -> np.ndarray:
    count = coded.rows * coded.columns
    if coded.coding == "bits":
        raw = _inflate(coded.data, (count + 7) // 8)
        return np.unpackbits(np.frombuffer(raw, np.uint8), count=count)
    if coded.coding == "bytes":
        return np.frombuffer(_inflate(coded.data, count), np.uint8).copy()
    raise ValueError(f"its coding {coded.coding!r} is unknown")


def _inflate(data: bytes, size: int) -> bytes:
    """Decompress to exactly `size` bytes and never more, whatever a damaged file claims."""
    try:
        raw = zlib.decompressobj().decompress(data, size + 1)
    except zlib.error as error:
        raise ValueError(f"it cannot be decompressed ({error})") from error
    if len(raw) != size:
        raise ValueError("it does not have the number of pixels that its shape says")
    return raw
