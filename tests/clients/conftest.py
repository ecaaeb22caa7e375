"""Clients for Python, and what they run in."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients.callers import Caller

YOUNG = 1
"""The younger generations of the collector: what is made in a test is in them for a million objects to come."""


@pytest.fixture(scope="package", autouse=True)
def without_certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nobody is called by TLS. A client reads the certificates that the environment names for longer than most tests take."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SSL_CERT_FILE", raising=False)
        patch.setenv("SSL_CERT_DIR", str(tmp_path_factory.mktemp("certificates")))
        yield


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """Runs coroutines. What a client forgot to close or to await is reported within the test that made it.

    It is young then: garbage is looked for among what was made since the test began, and not in all that a session holds.
    """
    gc.collect(YOUNG)
    with asyncio.Runner() as made:
        yield made
    gc.collect(YOUNG)


@pytest.fixture(params=["portkey", "portkey-async", "openai", "openai-async"])
def call(request: pytest.FixtureRequest, portkey: PortkeyWorld, runner: asyncio.Runner) -> Iterator[Caller]:
    """Each client in turn."""
    made = Caller(request.param, portkey, runner)
    yield made
    made.close()


@pytest.fixture(params=["openai", "openai-async"])
def openai(request: pytest.FixtureRequest, portkey: PortkeyWorld, runner: asyncio.Runner) -> Iterator[Caller]:
    made = Caller(request.param, portkey, runner)
    yield made
    made.close()


@pytest.fixture(params=["portkey", "portkey-async"])
def own(request: pytest.FixtureRequest, portkey: PortkeyWorld, runner: asyncio.Runner) -> Iterator[Caller]:
    made = Caller(request.param, portkey, runner)
    yield made
    made.close()
