"""The plugin as pytest runs it: what a session prints of tests that use it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mockserver import pytest_plugin
from mockserver.testing.wanted import SETTINGS

BROKEN = 'portkey.http.post("/api-keys/workspace/service", json={"name": 3})'
FINE = 'assert portkey.http.get("/api-keys").status_code == 200'


def run(pytester: pytest.Pytester, source: str, *options: str) -> pytest.RunResult:
    """Run tests in a session of their own, in this process."""
    pytester.makepyfile("import pytest\n" + source)
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:xdist", "--strict-markers", *options)


def printed(result: pytest.RunResult) -> str:
    return result.stdout.str()


# A test fails for what its client did.


def test_broken_contract_fails_the_test(pytester: pytest.Pytester) -> None:
    result = run(pytester, f"def test_it(portkey):\n    {BROKEN}")
    result.assert_outcomes(failed=1)
    told = printed(result)
    assert "portkey: 1 call broke the contract" in told
    assert "#1 POST /v1/api-keys/workspace/service createApiKey -> 400 (invalid-request)" in told
    assert "body/name: must be string, not integer  [/components/schemas/ApiKeyName/type]" in told
    assert "body/scopes: is required" in told
    assert "Traceback" not in told


def test_refusal_for_the_state_fails_no_test(pytester: pytest.Pytester) -> None:
    source = """
def test_it(portkey):
    assert portkey.http.get("/api-keys/00000000-0000-4000-a000-000000000000").status_code == 404
"""
    run(pytester, source).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("decorator", "options", "ini"),
    [
        ('@pytest.mark.portkey(broken_contract="allow")', [], ""),
        ("", ["--portkey-broken-contract", "allow"], ""),
        ("", [], "portkey_broken_contract = allow"),
    ],
    ids=["marker", "option", "ini"],
)
def test_broken_contract_may_be_allowed(pytester: pytest.Pytester, decorator: str, options: list[str], ini: str) -> None:
    pytester.makeini(f"[pytest]\n{ini}\n")
    run(pytester, f"{decorator}\ndef test_it(portkey):\n    {BROKEN}", *options).assert_outcomes(passed=1)


def test_broken_contract_is_told_beside_a_failure_of_the_tests_own(pytester: pytest.Pytester) -> None:
    result = run(pytester, f"def test_it(portkey):\n    {BROKEN}\n    assert 1 == 2")
    result.assert_outcomes(failed=1)
    assert "assert 1 == 2" in printed(result)
    assert "portkey: 1 call broke the contract" in printed(result)


def test_expected_failure_stays_expected(pytester: pytest.Pytester) -> None:
    run(pytester, f"@pytest.mark.xfail(strict=True)\ndef test_it(portkey):\n    {BROKEN}").assert_outcomes(xfailed=1)


def test_calls_of_another_fixture_are_judged_with_the_test(pytester: pytest.Pytester) -> None:
    source = f"""
@pytest.fixture
def broken(portkey):
    {BROKEN}

def test_it(broken):
    pass
"""
    run(pytester, source).assert_outcomes(failed=1)


def test_shared_world_blames_the_test_that_called(pytester: pytest.Pytester) -> None:
    source = f"""
def test_before(portkey_session):
    portkey_session.http.get("/api-keys")

def test_guilty(portkey_session):
    portkey = portkey_session
    {BROKEN}

def test_after(portkey_session):
    assert len(portkey_session.calls) == 2
"""
    result = run(pytester, source, "-rA")
    result.assert_outcomes(passed=2, failed=1)
    assert "FAILED test_shared_world_blames_the_test_that_called.py::test_guilty" in printed(result)


def test_script_that_is_not_used_fails_the_test(pytester: pytest.Pytester) -> None:
    result = run(pytester, 'def test_it(portkey):\n    portkey.script({"text": "Four."}, match={"model": "m"})')
    result.assert_outcomes(failed=1)
    assert (
        'portkey: set, and never used\n  script script-1: {"match":{"model":"m"},"priority":0,"answer":{"text":"Four."}}'
        in printed(result)
    )


def test_refused_stub_is_told_at_the_line_of_the_test(pytester: pytest.Pytester) -> None:
    result = run(pytester, 'def test_it(portkey):\n    portkey.stub("listApiKeys", json={"total": 0})')
    result.assert_outcomes(failed=1)
    assert "AdminError: POST /worlds/" in printed(result)
    assert "body/response/jsonBody/object is required (GET /api-keys)" in printed(result)
    assert "mockserver/testing/world.py:" not in printed(result)


def test_unused_script_may_be_allowed(pytester: pytest.Pytester) -> None:
    source = '@pytest.mark.portkey(unused_stubs="allow")\ndef test_it(portkey):\n    portkey.script({"text": "Four."})'
    run(pytester, source).assert_outcomes(passed=1)


def test_unused_script_of_a_shared_world_is_told_at_its_end(pytester: pytest.Pytester) -> None:
    source = 'def test_it(portkey_session):\n    portkey_session.script({"text": "Four."})'
    result = run(pytester, source)
    result.assert_outcomes(passed=1, errors=1)
    assert "portkey: set, and never used" in printed(result)


# What a failure tells.


def test_failure_tells_the_calls_and_a_token(pytester: pytest.Pytester) -> None:
    made = 'portkey.http.post("/api-keys/organisation/service", json={"name": "ci", "scopes": ["logs.view"]}).json()["id"]'
    source = f"""
def test_fails(portkey):
    print("made", {made})
    assert 0
"""
    result = run(pytester, source)
    result.assert_outcomes(failed=1)
    told = printed(result)
    assert "#1 POST /v1/api-keys/organisation/service createApiKey -> 200" in told
    token = re.search(r"mockserver serve --token (mock1\.\S+)", told)
    key = re.search(r"^made (\S+)$", told, re.MULTILINE)
    assert token is not None
    assert key is not None

    again = f'def test_again(portkey):\n    assert portkey.http.get("/api-keys/{key[1]}").status_code == 200'
    run(pytester, again, "--portkey-token", token[1]).assert_outcomes(passed=1)


def test_long_token_is_kept_in_a_file(pytester: pytest.Pytester, tmp_path: Path) -> None:
    source = """
import hashlib

def test_fails(portkey):
    for number in range(30):
        name = hashlib.sha256(b"%d" % number).hexdigest()
        assert portkey.http.post("/admin/workspaces", json={"name": name, "slug": name}).status_code == 200
    assert 0
"""
    result = run(pytester, source, "--portkey-tokens", str(tmp_path))
    (path,) = tmp_path.iterdir()
    assert f"mockserver serve --token {path}" in printed(result)

    again = 'def test_again(portkey):\n    assert len(portkey.world["workspaces"]) > 30'
    run(pytester, again, f"--portkey-token={path}").assert_outcomes(passed=1)


def test_untouched_world_has_nothing_to_tell(pytester: pytest.Pytester) -> None:
    result = run(pytester, "def test_fails(portkey):\n    assert 0")
    assert "mock1." not in printed(result)


# Settings.


def test_marker_sets_server_and_world(pytester: pytest.Pytester) -> None:
    source = """
pytestmark = pytest.mark.portkey(now="2030-01-01T00:00:00Z", auth="strict")

def test_module(portkey):
    assert portkey.clock.timestamp() == "2030-01-01T00:00:00.000Z"
    assert portkey.clock.frozen
    assert portkey.http.get("/api-keys", headers={"x-portkey-api-key": "unknown"}).status_code == 401
    assert portkey.http.get("/api-keys").status_code == 200

@pytest.mark.portkey(auth="open", fixture="empty", frozen=False)
def test_nearest_wins(portkey):
    assert not portkey.clock.frozen
    assert portkey.http.get("/api-keys", headers={"x-portkey-api-key": "unknown"}).status_code == 200
    assert len(portkey.world["workspaces"]) == 0

@pytest.mark.portkey(unknown_ids="sample", seed=5)
def test_of_the_server(portkey):
    assert portkey.http.get("/api-keys/00000000-0000-4000-a000-000000000000").status_code == 200
"""
    run(pytester, source).assert_outcomes(passed=3)


def test_servers_are_shared_by_those_who_want_the_same(pytester: pytest.Pytester) -> None:
    source = """
@pytest.mark.portkey(auth="strict")
def test_first(portkey, request):
    request.config.first = portkey.url.partition("/worlds")[0]

def test_second(portkey, request):
    assert portkey.url.partition("/worlds")[0] != request.config.first

@pytest.mark.portkey(auth="strict", now="2030-01-01T00:00:00Z")
def test_third(portkey, request):
    assert portkey.url.partition("/worlds")[0] == request.config.first
"""
    run(pytester, source).assert_outcomes(passed=3)


def test_fixture_of_a_marker_lies_beside_the_test(pytester: pytest.Pytester) -> None:
    pytester.mkdir("sub")
    pytester.path.joinpath("sub", "team.yaml").write_text("workspaces: [{name: Ours}]\n")
    pytester.path.joinpath("sub", "test_it.py").write_text("""
import pytest

@pytest.mark.portkey(fixture="team.yaml")
def test_it(portkey):
    assert "Ours" in portkey.http.get("/admin/workspaces").text
""")
    pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:xdist").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("auht='strict'", "there is no setting auht; there are fixture, seed, auth, "),
        ("auth='sloppy'", "auth must be open or strict, not 'sloppy'"),
        ("seed='x'", "seed must be a whole number, not 'x'"),
        ("now='tomorrow'", "now must be a time with its zone, such as 2030-01-01T00:00:00Z, not 'tomorrow'"),
        ("now='2030-01-01T00:00:00'", "now must be a time with its zone"),
        ("frozen=1", "frozen must be true or false, not 1"),
        ("'strict'", "settings are keywords: fixture, seed, "),
        ("fixture='nowhere'", "nowhere: there is no such fixture; name one of empty, "),
        ("token='nowhere'", "nowhere is neither a token, which begins with `mock1.`, nor a file with one"),
    ],
)
def test_wrong_setting_is_told(pytester: pytest.Pytester, settings: str, message: str) -> None:
    result = run(pytester, f"@pytest.mark.portkey({settings})\ndef test_it(portkey):\n    pass")
    result.assert_outcomes(errors=1)
    assert message in printed(result)
    assert "Traceback" not in printed(result)


@pytest.mark.parametrize(("options", "ini"), [(["--portkey-seed=x"], ""), ([], "portkey_seed = x")], ids=["option", "ini"])
def test_wrong_option_is_told(pytester: pytest.Pytester, options: list[str], ini: str) -> None:
    pytester.makeini(f"[pytest]\n{ini}\n")
    result = run(pytester, "def test_it(portkey):\n    pass", *options)
    result.assert_outcomes(errors=1)
    assert f"{'command line' if options else 'ini'}: seed must be a whole number" in printed(result)


def test_options_beat_ini_values_and_markers_both(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nportkey_seed = 1\nportkey_fixture = empty\n")
    source = """
def settings(portkey):
    told = portkey.ask("GET", "/settings")
    return told["seed"], told["fixture"]

def test_option(portkey):
    assert settings(portkey) == (2, "empty")

@pytest.mark.portkey(seed=3)
def test_marker(portkey):
    assert settings(portkey) == (3, "empty")
"""
    run(pytester, source, "--portkey-seed", "2").assert_outcomes(passed=2)


def test_options_are_those_of_the_table() -> None:
    assert pytest_plugin._OPTIONS.keys() == SETTINGS.keys()


# Scopes.


def test_factory_makes_worlds_for_other_scopes(pytester: pytest.Pytester) -> None:
    source = """
@pytest.fixture(scope="module")
def shared(portkey_factory):
    with portkey_factory(auth="strict") as world:
        world.http.post("/admin/workspaces", json={"name": "Ours"})
        yield world

def test_first(shared):
    assert "Ours" in shared.http.get("/admin/workspaces").text

def test_second(shared, portkey):
    assert "Ours" in shared.http.get("/admin/workspaces").text
    assert "Ours" not in portkey.http.get("/admin/workspaces").text
"""
    run(pytester, source).assert_outcomes(passed=2)


def test_async_tests_need_no_plugin_of_ours(pytester: pytest.Pytester) -> None:
    source = """
import httpx

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test_async(portkey):
    async with httpx.AsyncClient(transport=portkey.transport, base_url="http://any/v1") as client:
        assert (await client.get("/nowhere")).status_code == 404

@pytest.mark.anyio
async def test_sync_within_async(portkey):
    assert portkey.http.get("/api-keys").status_code == 200
"""
    result = run(pytester, source)
    result.assert_outcomes(passed=1, failed=1)
    assert "GET /v1/nowhere -> 404 (no-such-path)" in printed(result)


def test_classes_of_unittest_may_use_it(pytester: pytest.Pytester) -> None:
    source = f"""
import unittest

@pytest.mark.usefixtures("portkey")
class TestIt(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _portkey(self, portkey):
        self.portkey = portkey

    def test_broken(self):
        portkey = self.portkey
        {BROKEN}

    def test_fine(self):
        portkey = self.portkey
        {FINE}
"""
    run(pytester, source).assert_outcomes(passed=1, failed=1)


# What it costs who does not use it.


def test_other_sessions_import_nothing() -> None:
    """Neither the mock, nor httpx, nor what it takes to serve."""
    code = (
        "import sys; before = set(sys.modules); import mockserver.pytest_plugin as p; p.PortkeyWorld.__name__ if 0 else None;"
        "import json; print(json.dumps(sorted(name for name in sys.modules if name.startswith('mockserver') "
        "or name in ('httpx', 'orjson', 'uvicorn', 'multiprocessing.connection'))))"
    )
    done = subprocess.run([sys.executable, "-c", "import pytest;" + code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["mockserver", "mockserver.pytest_plugin"]
