"""Keeps exchanges as files: one HAR file each, whole or not at all, without secrets."""

from __future__ import annotations

import os
from pathlib import Path

from mockserver.contract.errors import SetupError
from mockserver.reporting.delivery import write
from mockserver.traffic.exchange import Exchange
from mockserver.traffic.writing import archive


class Recorder:
    """Writes exchanges, which have no secrets any more, into a folder; numbers of files go on from those that are there."""

    def __init__(self, folder: Path) -> None:
        """Raises `SetupError` when nothing can be written there."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SetupError(f"--record {folder}: {error.strerror}") from error
        if not os.access(folder, os.W_OK):
            raise SetupError(f"--record {folder}: permission denied")
        self._folder = folder
        self._next = 1 + max((int(each.stem) for each in folder.glob("*.har") if each.stem.isdigit()), default=0)

    def record(self, exchange: Exchange) -> Path:
        """Write an exchange; return its file. Raises `OSError`."""
        file = self._folder / f"{self._next:06d}.har"
        self._next += 1
        write(file, archive([exchange]).decode())
        return file
