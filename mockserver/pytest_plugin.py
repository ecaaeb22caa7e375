"""pytest fixtures: a private world for each test, on one server for the whole session.

def test_creates_a_key(portkey):
    key = portkey.client().api_keys.create(type="workspace", sub_type="service", name="ci", scopes=["logs.view"],
                                           workspace_id="ws-produc-71b04e")
    assert portkey.world["api_keys"].get(key.id) is not None
    assert portkey.calls[0].operation == "createApiKey"

Only hooks and fixtures are here; what they hand out is in `testing`, which is imported when a test first asks for it, so that
other sessions pay nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mockserver.testing.session import Session
    from mockserver.testing.wanted import Wanted
    from mockserver.testing.world import PortkeyWorld

__all__ = ["PortkeyWorld", "portkey", "portkey_factory", "portkey_session"]

_SESSION: pytest.StashKey[Session] = pytest.StashKey()
_DESK: pytest.StashKey[Any] = pytest.StashKey()
_PRIVATE: pytest.StashKey[PortkeyWorld] = pytest.StashKey()
_CHARGED: pytest.StashKey[bool] = pytest.StashKey()
_ADDRESS = "mockserver_desk"

_OPTIONS = {
    "fixture": "the world that worlds start from: a shipped one (empty, small_team) or a YAML file",
    "seed": "where ids, secrets and chance come from",
    "auth": "open takes any key, strict only keys that the world knows",
    "unknown_ids": "what a record that is not there gets: refuse or sample",
    "token": "a token of a failure report, or a file with one: worlds start from it",
    "now": "the time at which the clock of a world begins, standing still",
    "frozen": "whether the clock of a world stands still: true or false",
    "broken_contract": "whether a test fails when its client broke the contract: fail or allow",
    "unused_stubs": "whether a test fails when a stub, fault or script was never used: fail or allow",
}
"""Options and ini values, `--portkey-seed` and `portkey_seed`, that `testing.wanted` reads; it is not imported for them."""


def __getattr__(name: str) -> Any:
    if name == "PortkeyWorld":  # for type hints
        from mockserver.testing.world import PortkeyWorld

        return PortkeyWorld
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options and ini values."""
    group = parser.getgroup("portkey", "Portkey's mock (mockserver)")
    for name, told in _OPTIONS.items():
        group.addoption(f"--portkey-{name.replace('_', '-')}", dest=f"portkey_{name}", default=None, help=told)
        parser.addini(f"portkey_{name}", help=told, default=None)
    group.addoption(
        "--portkey-in-process",
        action="store_true",
        default=None,
        dest="portkey_in_process",
        help="under pytest-xdist, a server in each worker in the place of one for all of them",
    )
    parser.addini("portkey_in_process", type="bool", default=False, help="as --portkey-in-process")
    group.addoption(
        "--portkey-tokens", metavar="DIR", default=None, help="where tokens are kept that are too long for a report"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Say what the marker is for."""
    config.addinivalue_line("markers", f"portkey({', '.join(f'{name}=...' for name in _OPTIONS)}): settings of the world")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where servers are to be had."""
    config = node.config
    if _is_in_process(config) or not node.gateway.spec.popen:
        return  # another machine's workers have servers of their own
    if _DESK not in config.stash:
        from mockserver.testing.desk import Desk

        config.stash[_DESK] = Desk()
    node.workerinput[_ADDRESS] = config.stash[_DESK].address


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers."""
    for key in (_SESSION, _DESK):
        kept: Any = config.stash.get(key, None)
        if kept is not None:
            kept.close()
            del config.stash[key]


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Let a test fail whose client broke the contract, or that set what was never used."""
    result = yield
    session = item.config.stash.get(_SESSION, None)
    if session is not None:
        charges = session.judge(item.stash.get(_PRIVATE, None))
        if charges:
            item.stash[_CHARGED] = True
            pytest.fail(charges, pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Add to the report of a failure what the worlds have to say, and how to have them again."""
    report = yield
    session = item.config.stash.get(_SESSION, None)
    if session is not None and report.failed and call.when != "teardown":
        report.sections.extend(session.report(item.nodeid, charged=item.stash.get(_CHARGED, False)))
    return report


@pytest.fixture
def portkey(request: pytest.FixtureRequest) -> Iterator[PortkeyWorld]:
    """A private world, forked from the seed for this test and forgotten after it."""
    session = _session(request.config)
    world = _opened(session, lambda: session.wanted_by(request.node))
    request.node.stash[_PRIVATE] = world
    yield world
    session.forget(world)


@pytest.fixture(scope="session")
def portkey_session(portkey_factory: Callable[..., AbstractContextManager[PortkeyWorld]]) -> Iterator[PortkeyWorld]:
    """One world for the whole session, under pytest-xdist for each worker."""
    with portkey_factory() as world:
        yield world


@pytest.fixture(scope="session")
def portkey_factory(request: pytest.FixtureRequest) -> Callable[..., AbstractContextManager[PortkeyWorld]]:
    """Makes worlds for fixtures of other scopes: `with portkey_factory(auth="strict") as world: yield world`."""
    session = _session(request.config)

    @contextmanager
    def factory(**settings: Any) -> Iterator[PortkeyWorld]:
        from mockserver.testing.wanted import changed

        folder = request.config.rootpath
        world = _opened(session, lambda: changed(session.wanted, settings, "portkey_factory", folder))
        try:
            yield world
            charges = session.charge_at_end(world)
        finally:
            session.forget(world)
        if charges:
            pytest.fail(charges, pytrace=False)

    return factory


def _session(config: pytest.Config) -> Session:
    session = config.stash.get(_SESSION, None)
    if session is None:
        from mockserver.testing.session import Session

        desk = getattr(config, "workerinput", {}).get(_ADDRESS)
        session = config.stash[_SESSION] = Session(config, None if _is_in_process(config) else desk)
    return session


def _opened(session: Session, wanted: Callable[[], Wanted]) -> PortkeyWorld:
    from mockserver.testing.wanted import WrongSetting

    try:
        return session.world(wanted())
    except WrongSetting as error:
        wrong = str(error)
    pytest.fail(f"portkey: {wrong}", pytrace=False)


def _is_in_process(config: pytest.Config) -> bool:
    return bool(config.getoption("portkey_in_process") or config.getini("portkey_in_process"))
