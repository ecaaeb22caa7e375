"""Tokens: a world as one line of text, to be put up again elsewhere.

`mock1.` and the URL-safe base64 of a compressed JSON object: what the server was made with, which document and which seed it
stands on, and what tells the world from that seed. It holds the world whole, and so the secrets that were sent to it.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

from mockserver import values
from mockserver.contract.errors import SetupError
from mockserver.values import JSON, Record
from mockserver.world.difference import apply, difference, of_all, weight
from mockserver.world.packing import Packer, Unpackable
from mockserver.world.world import World, Worlds

_FORM = "mock1."
_LARGEST = 256 * 2**20
"""Bytes that a token may come to: more is none of ours, and should not fill the memory."""


_LARGEST_FILES = 16 * 2**20
"""Bytes of all files that a token holds."""


class TokenError(SetupError):
    """A token that cannot be used here; the message says why."""


@dataclass(frozen=True)
class Token:
    """What a token says, not yet held to a server. `settings` has `fixture`, `seed`, `auth` and `unknown_ids`."""

    settings: Record
    document: str
    base: str
    state: JSON


def read(given: str) -> Token:
    """Read a token, or the file that a path leads to. Raises `TokenError`."""
    given = given.strip()
    if not given.startswith("mock"):
        return parse(_read_file(given))
    return parse(given)


def parse(text: str) -> Token:
    """Read a token. Raises `TokenError` for what is none, is damaged, or was made by another version."""
    if not text.startswith(_FORM):
        raise TokenError(f"{_short(text)} is no token that this version of mockserver reads: those begin with `{_FORM}`")
    try:
        unzip = zlib.decompressobj()
        told = unzip.decompress(base64.urlsafe_b64decode(text.removeprefix(_FORM)), _LARGEST)
        if not unzip.eof:
            raise TokenError("the token is damaged: its end is missing")
        # Not as requests are read: a world may hold what none of them brings, such as NUL in a key of its own.
        fields = json.loads(told)
        return Token(dict(fields["settings"]), fields["document"], fields["base"], fields["state"])
    except (zlib.error, KeyError, TypeError, ValueError, RecursionError) as error:
        raise TokenError("the token is damaged: copy it whole, from `mock1.` to its end") from error


class Tokens:
    """Writes and reads the tokens of one server's worlds."""

    def __init__(self, settings: Record, document: Record, worlds: Worlds, packer: Packer) -> None:
        """Tokens stand on the base of the worlds: what fixture, seed and stubs give, whatever worlds start from."""
        self._settings = {name: settings[name] for name in ("fixture", "seed", "auth", "unknown_ids")}
        self._document = document
        self._worlds = worlds
        self._packer = packer

    def write(self, world: World) -> str:
        """Return the token of a world as it is now. Raises `TokenError` when it holds too large files."""
        if (size := weight(world, self._worlds.base)) > _LARGEST_FILES:
            raise TokenError(f"the world holds files of {size / 2**20:.0f} MiB, and a token takes {_LARGEST_FILES // 2**20}")
        state = difference(world, self._worlds.base, self._packer)
        fields = {"settings": self._settings, "document": self._document_hash, "base": self._base_hash, "state": state}
        return _FORM + base64.urlsafe_b64encode(zlib.compress(values.dump(fields), 9)).decode()

    def restore(self, token: Token, world: World) -> None:
        """Put a world into the state of a token. Raises `TokenError`; the world is then as before."""
        if token.document != self._document_hash:
            raise TokenError("the token is of a server of another document, or of another version of it")
        if token.base != self._base_hash:
            told = {name: token.settings.get(name) for name in ("fixture", "seed")}
            here = {name: self._settings[name] for name in told}
            if told != here:
                raise TokenError(f"the token stands on {_shown(told)}, and this server on {_shown(here)}")
            changed = "the fixture, the stubs of the server (`--stubs`) or mockserver itself has changed since"
            raise TokenError(f"the token stands on {_shown(told)} as it was: {changed}")
        before = world.snapshot()
        try:
            apply(token.state, world, self._worlds.base, self._packer)
        except Unpackable as error:
            world.restore(before)
            raise TokenError(f"the token is damaged: it {error}") from error

    @cached_property
    def _document_hash(self) -> str:
        return _hash(self._document)

    @cached_property
    def _base_hash(self) -> str:
        return _hash(of_all(self._worlds.base, self._packer))


def _read_file(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise TokenError(
            f"{_short(path)} is neither a token, which begins with `{_FORM}`, nor a file with one: {reason}"
        ) from None


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def _hash(value: JSON) -> str:
    return blake2b(values.dump(value), digest_size=12).hexdigest()


def _shown(told: Record) -> str:
    return f"the fixture {told['fixture'] or '(none)'} with seed {told['seed']}"
