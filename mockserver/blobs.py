"""Bytes that are kept whole however many they are: small ones in memory, large ones in temporary files of their own.

A blob never changes. Its file goes with the last that holds the blob, and with the process.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b
from io import BytesIO
from typing import BinaryIO

IN_MEMORY = 2**20
"""The size, in bytes, up to which a blob stays in memory."""
PIECE = 2**16
"""How many bytes are read from a file at once."""


class _File:
    """A temporary file, there as long as this is."""

    __slots__ = ("__weakref__", "path")

    def __init__(self) -> None:
        descriptor, self.path = tempfile.mkstemp(prefix="mockserver-")
        os.close(descriptor)
        weakref.finalize(self, _remove, self.path)


def _remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


class Blob:
    """Bytes, their number `size`, and their `digest`, which no other bytes have."""

    __slots__ = ("_kept", "digest", "size")

    def __init__(self, kept: bytes | _File, size: int, digest: str) -> None:
        self._kept = kept
        self.size = size
        self.digest = digest

    @classmethod
    def of(cls, data: bytes) -> Blob:
        """Return the blob of these bytes."""
        writer = Writer()
        writer.write(data)
        return writer.finish()

    @property
    def in_memory(self) -> bool:
        """Whether it is held in memory."""
        return isinstance(self._kept, bytes)

    def open(self) -> BinaryIO:
        """Return a file to read from, which the caller closes."""
        return BytesIO(self._kept) if isinstance(self._kept, bytes) else open(self._kept.path, "rb")

    def read(self) -> bytes:
        """Return all bytes."""
        with self.open() as file:
            return file.read()

    def pieces(self) -> Iterator[bytes]:
        """All bytes, `PIECE` at a time."""
        with self.open() as file:
            while piece := file.read(PIECE):
                yield piece

    def lines(self, start: int = 0) -> Iterator[bytes]:
        """The lines from a place on, each with its end."""
        with self.open() as file:
            file.seek(start)
            yield from file


class Writer:
    """Takes the bytes of a blob as they come. Those of one that is never finished are forgotten, and so is their file."""

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        """`in_memory` is how many bytes may be held in memory."""
        self._in_memory = in_memory
        self._hash = blake2b(digest_size=32)
        self._held: list[bytes] = []
        self._file: _File | None = None
        self._out: BinaryIO | None = None
        self.size = 0

    def write(self, data: bytes) -> None:
        """Take bytes."""
        self._hash.update(data)
        self.size += len(data)
        if self._out is None:
            self._held.append(data)
            if self.size > self._in_memory:
                self._file = _File()
                self._out = open(self._file.path, "wb")  # noqa: SIM115  it stays open until `finish`
                self._out.write(b"".join(self._held))
                self._held.clear()
        else:
            self._out.write(data)

    def finish(self) -> Blob:
        """Return the blob; nothing may be written any more."""
        if self._out is not None and self._file is not None:
            self._out.close()
            return Blob(self._file, self.size, self._hash.hexdigest())
        return Blob(b"".join(self._held), self.size, self._hash.hexdigest())
