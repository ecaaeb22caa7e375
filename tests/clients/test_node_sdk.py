"""The real `portkey-ai` for Node over a real socket: every method of the families that are served.

`node/calls.mjs` makes the calls. Without Node or npm these tests are skipped, under CI=true they fail.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import pytest

from mockserver.pytest_plugin import PortkeyWorld

NODE = Path(__file__).parent / "node"
OLDEST_NODE = 18

METHODS = {"create", "retrieve", "list", "update", "delete"}
PRODUCTION = "ws-produc-71b04e"
RESEARCH = "ws-resear-c52d88"
NOBODY = "00000000-0000-4000-a000-000000000000"
STRANGER = {"workspaceId": PRODUCTION, "userId": NOBODY}
NO_PERMISSION = "You do not have enough permissions to execute this request"
NOT_THERE = "Resource not found"
HAS_DEPENDENTS = "Unable to delete. Please ensure that all Virtual Keys are deleted"
ERRORS = {403: "PermissionDeniedError", 404: "NotFoundError", 409: "ConflictError"}


class Refused(Exception):
    """The error that a method of the SDK threw: the name of its class, `status`, `message` and `body`."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.type = error["type"]
        self.status = error["status"]
        self.message = error["message"]
        self.body = error["body"]


class NodeClient:
    """The SDK in a Node process, with a client for one world.

    A process is used again for the next client, since it takes longer to start than most tests do.
    """

    script = "calls.mjs"
    idle: ClassVar[dict[str, list[subprocess.Popen[str]]]] = {}

    def __init__(self, node: str, world: PortkeyWorld, **environment: str) -> None:
        waiting = self.idle.setdefault(self.script, [])
        self._process = waiting.pop() if waiting else _started(node, self.script)
        self._is_busy = False
        self._send({"environment": {"PORTKEY_BASE_URL": world.url, "PORTKEY_API_KEY": world.api_key, **environment}})

    def call(self, method: str, *given: Any) -> Any:
        """Return what a method gives. Raises `Refused`."""
        self._is_busy = True
        self._send({"method": method, "arguments": given})
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "node has ended; it says why above"
        self._is_busy = False
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer.get("result")

    def close(self) -> None:
        """Leave the process to the next client, unless it still works on a call or has ended."""
        if self._is_busy:
            _end(self._process)
        else:
            self.idle[self.script].append(self._process)

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()


def _started(node: str, script: str) -> subprocess.Popen[str]:
    environment = {"PATH": os.environ["PATH"]}
    process = subprocess.Popen(
        [node, str(NODE / script)], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(_end, process)
    return process


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def unavailable(reason: str) -> NoReturn:
    """Skip what needs Node; where all must run, fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}, and CI=true", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of Node, once the SDK is installed."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        unavailable(f"{'node' if node is None else 'npm'} is not installed, so the SDK for Node is not tested")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        unavailable(f"node is {version}, so the SDK for Node is not tested: it needs {OLDEST_NODE} or newer")
    # Workers of one run install once: the first holds the lock, the others find it done.
    with (tmp_path_factory.getbasetemp().parent / "npm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_installed():
            done = subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=NODE, capture_output=True, text=True, check=False)
            if done.returncode:
                unavailable(f"npm cannot install the SDK for Node: {done.stderr.strip()}")
    return node


def is_installed() -> bool:
    """Whether node_modules holds what the lock file says."""
    done = NODE / "node_modules" / ".package-lock.json"  # npm writes it last
    if not done.is_file():
        return False
    wanted, found = (json.loads(file.read_text())["packages"] for file in (NODE / "package-lock.json", done))
    return all(path in found and found[path]["version"] == each["version"] for path, each in wanted.items() if path)


@pytest.fixture
def sdk(node: str, portkey: PortkeyWorld) -> Iterator[NodeClient]:
    """The SDK in a private world."""
    client = NodeClient(node, portkey)
    yield client
    client.close()


@pytest.fixture
def key_id(sdk: NodeClient) -> str:
    """The id of a new service key of a workspace."""
    made = sdk.call(
        "apiKeys.create",
        {
            "type": "workspace",
            "sub-type": "service",
            "name": "ci",
            "description": "Runs the checks",
            "workspace_id": PRODUCTION,
            "scopes": ["logs.view"],
            "usage_limits": {"type": "cost", "credit_limit": 25},
        },
    )
    return str(made["id"])


@pytest.fixture
def workspace(sdk: NodeClient) -> Any:
    """A new workspace, as its creation shows it."""
    fields = {"name": "Evaluation", "description": "Measures", "defaults": {"metadata": {"cost_centre": "7"}}}
    return sdk.call("admin.workspaces.create", fields)


def user_id(portkey: PortkeyWorld, name: str) -> str:
    """The id of a person of the seed."""
    user = portkey.world["users"].find("email", f"{name}@example.com")
    assert user is not None
    return str(user["id"])


def test_lock_file_names_no_registry() -> None:
    """Whoever installs, installs from the registry of their own settings."""
    packages = json.loads((NODE / "package-lock.json").read_text())["packages"]
    assert [path for path, package in packages.items() if "resolved" in package] == []
    assert packages["node_modules/portkey-ai"]["version"].startswith("3.")


@pytest.mark.parametrize("namespace", ["apiKeys", "admin.workspaces", "admin.workspaces.users"])
def test_namespaces_have_the_methods_tested_here(sdk: NodeClient, namespace: str) -> None:
    """A method that the SDK gains wants its tests beside these."""
    assert set(sdk.call(f"{namespace}.methods")) - {"constructor"} == METHODS


@pytest.mark.parametrize("ending", ["/v1", "/v1/", ""])
def test_base_url_may_end_in_any_way(node: str, portkey: PortkeyWorld, ending: str) -> None:
    """Source: sdk-call-map, Pointing a client at a mock (no `/v1` is added; a trailing slash doubles)."""
    sdk = NodeClient(node, portkey, PORTKEY_BASE_URL=portkey.url.removesuffix("/v1") + ending)
    try:
        assert sdk.call("apiKeys.list", {})["total"] == 7
    finally:
        sdk.close()


def test_created_key_shows_its_secret(sdk: NodeClient, portkey: PortkeyWorld) -> None:
    fields = {"type": "organisation", "sub-type": "service", "name": "admin", "scopes": ["workspaces.list"]}
    made = sdk.call("apiKeys.create", fields)
    assert set(made) == {"id", "key", "object"}
    assert "*" not in made["key"]
    assert portkey.world["api_keys"].get(made["id"]) is not None


def test_top_level_names_may_be_camel_case(sdk: NodeClient) -> None:
    """The SDK writes them in snake case. Source: sdk-call-map 4, row 21."""
    fields = {"type": "workspace", "sub-type": "service", "name": "ci", "scopes": ["logs.view"], "workspaceId": PRODUCTION}
    made = sdk.call("apiKeys.create", fields | {"expiresAt": "2030-01-01T00:00:00Z"})
    assert sdk.call("apiKeys.retrieve", {"id": made["id"]})["expires_at"] == "2030-01-01T00:00:00.000Z"


def test_retrieved_key_has_the_attributes_users_read(sdk: NodeClient, key_id: str) -> None:
    key = sdk.call("apiKeys.retrieve", {"id": key_id})
    assert (key["id"], key["object"], key["name"], key["description"]) == (key_id, "api-key", "ci", "Runs the checks")
    assert (key["type"], key["status"], key["creation_mode"]) == ("workspace-service", "active", "api")
    assert (key["scopes"], key["rate_limits"]) == (["logs.view"], [])
    assert key["usage_limits"] == {"type": "cost", "credit_limit": 25}
    assert key["key"][2:7] == "*****"


def test_listed_keys_come_newest_first(sdk: NodeClient, key_id: str) -> None:
    keys = sdk.call("apiKeys.list", {})
    assert (keys["object"], keys["total"], len(keys["data"])) == ("list", 8, 8)
    assert keys["data"][0]["id"] == key_id


def test_listed_keys_fit_page_and_workspace(sdk: NodeClient) -> None:
    keys = sdk.call("apiKeys.list", {"page_size": 2, "current_page": 1, "workspace_id": RESEARCH})
    assert (keys["total"], [key["name"] for key in keys["data"]]) == (3, ["Research service"])


def test_updated_key_keeps_what_was_not_sent(sdk: NodeClient, key_id: str) -> None:
    assert sdk.call("apiKeys.update", {"id": key_id, "name": "ci-2", "usage_limits": None}) == {}
    key = sdk.call("apiKeys.retrieve", {"id": key_id})
    assert (key["name"], key["usage_limits"], key["description"]) == ("ci-2", None, "Runs the checks")


def test_deleted_key_is_gone(sdk: NodeClient, key_id: str) -> None:
    """The SDK sends the id in the body as well. Source: sdk-call-map 4, row 8."""
    assert sdk.call("apiKeys.delete", {"id": key_id}) == {}
    with pytest.raises(Refused) as caught:
        sdk.call("apiKeys.retrieve", {"id": key_id})
    assert caught.value.status == 404


def test_created_workspace_shows_what_a_read_shows(sdk: NodeClient, workspace: Any) -> None:
    assert workspace["slug"].startswith("ws-evalua-")
    assert (workspace["object"], workspace["name"], workspace["description"]) == ("workspace", "Evaluation", "Measures")
    assert (workspace["defaults"], workspace["users"]) == ({"metadata": {"cost_centre": "7"}}, [])
    assert sdk.call("admin.workspaces.retrieve", {"workspaceId": workspace["id"]}) == workspace


def test_workspace_is_retrieved_by_its_slug(sdk: NodeClient) -> None:
    read = sdk.call("admin.workspaces.retrieve", {"workspaceId": PRODUCTION})
    assert (read["slug"], read["name"], read["description"]) == (PRODUCTION, "Production", "What customers use")
    assert {user["first_name"] for user in read["users"]} == {"Ada", "Ben", "Dara"}


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, ["Research", "Production", "Shared Team Workspace"]),
        ({"page_size": 2, "current_page": 1}, ["Shared Team Workspace"]),
        ({"name": "Team"}, ["Shared Team Workspace"]),
        ({"exact_name": "Research"}, ["Research"]),
        ({"status": "archived"}, []),
    ],
    ids=["none", "second page", "part of the name", "exact name", "archived"],
)
def test_listed_workspaces_fit_the_filter(sdk: NodeClient, filters: dict[str, Any], names: list[str]) -> None:
    listed = sdk.call("admin.workspaces.list", filters)
    assert [each["name"] for each in listed["data"]] == names


def test_updated_workspace_keeps_what_was_not_sent(sdk: NodeClient, workspace: Any) -> None:
    assert sdk.call("admin.workspaces.update", {"workspaceId": workspace["slug"], "name": "Measuring"}) == {}
    read = sdk.call("admin.workspaces.retrieve", {"workspaceId": workspace["id"]})
    assert (read["name"], read["description"], read["slug"]) == ("Measuring", "Measures", workspace["slug"])


def test_deleted_workspace_is_forbidden(sdk: NodeClient, workspace: Any) -> None:
    """Source: identity-and-access, Workspaces: Delete; Errors (403 AB03)."""
    assert sdk.call("admin.workspaces.delete", {"workspaceId": workspace["id"], "name": "Evaluation"}) == {}
    with pytest.raises(Refused) as caught:
        sdk.call("admin.workspaces.retrieve", {"workspaceId": workspace["id"]})
    assert (caught.value.status, caught.value.message) == (403, NO_PERMISSION)


def test_created_members_have_their_roles(sdk: NodeClient, portkey: PortkeyWorld, workspace: Any) -> None:
    people = [{"id": user_id(portkey, "ben"), "role": "manager"}, {"id": user_id(portkey, "dara"), "role": "member"}]
    assert sdk.call("admin.workspaces.users.create", {"workspaceId": workspace["id"], "users": people}) == {}
    members = sdk.call("admin.workspaces.users.list", {"workspaceId": workspace["slug"]})
    assert (members["object"], members["total"]) == ("list", 2)
    assert {(member["first_name"], member["role"]) for member in members["data"]} == {("Ben", "manager"), ("Dara", "member")}


def test_retrieved_member_has_the_attributes_users_read(sdk: NodeClient, portkey: PortkeyWorld) -> None:
    member = sdk.call("admin.workspaces.users.retrieve", {"workspaceId": PRODUCTION, "userId": user_id(portkey, "ben")})
    assert (member["first_name"], member["last_name"], member["email"]) == ("Ben", "Lindqvist", "ben@example.com")
    assert (member["role"], member["org_role"], member["status"]) == ("manager", "admin", "active")


def test_listed_members_fit_the_filter(sdk: NodeClient) -> None:
    """The SDK repeats the workspace in the query. Source: sdk-call-map 6.1."""
    members = sdk.call("admin.workspaces.users.list", {"workspaceId": PRODUCTION, "role": "member"})
    assert [member["first_name"] for member in members["data"]] == ["Dara"]


def test_updated_member_has_another_role(sdk: NodeClient, portkey: PortkeyWorld) -> None:
    dara = {"workspaceId": PRODUCTION, "userId": user_id(portkey, "dara")}
    assert sdk.call("admin.workspaces.users.update", {**dara, "role": "manager"}) == {}
    assert sdk.call("admin.workspaces.users.retrieve", dara)["role"] == "manager"


def test_deleted_member_is_forbidden(sdk: NodeClient, portkey: PortkeyWorld) -> None:
    """Source: identity-and-access, Errors (a departed member: 403 AB03)."""
    dara = {"workspaceId": PRODUCTION, "userId": user_id(portkey, "dara")}
    assert sdk.call("admin.workspaces.users.delete", dara) == {}
    with pytest.raises(Refused) as caught:
        sdk.call("admin.workspaces.users.retrieve", dara)
    assert caught.value.status == 403


@pytest.mark.parametrize(
    ("method", "given", "status", "message"),
    [
        pytest.param(method, given, status, message, id=f"{method} {status}")
        for method, given, status, message in (
            ("apiKeys.retrieve", {"id": NOBODY}, 404, NOT_THERE),
            ("apiKeys.update", {"id": NOBODY, "name": "new"}, 404, NOT_THERE),
            ("apiKeys.delete", {"id": NOBODY}, 404, NOT_THERE),
            ("apiKeys.list", {"workspace_id": "ws-nowhere"}, 403, NO_PERMISSION),
            ("admin.workspaces.retrieve", {"workspaceId": "ws-nowhere"}, 403, NO_PERMISSION),
            ("admin.workspaces.delete", {"workspaceId": PRODUCTION}, 409, HAS_DEPENDENTS),
            ("admin.workspaces.users.retrieve", STRANGER, 404, NOT_THERE),
            ("admin.workspaces.users.delete", STRANGER, 404, NOT_THERE),
        )
    ],
)
def test_refusal_becomes_the_error_of_its_status(
    sdk: NodeClient, method: str, given: dict[str, Any], status: int, message: str
) -> None:
    """Source: sdk-call-map 8.1 and 8.2 (`message` at the top is what it reads)."""
    with pytest.raises(Refused) as caught:
        sdk.call(method, given)
    assert (caught.value.type, caught.value.status, caught.value.message) == (ERRORS[status], status, message)
    assert caught.value.body["success"] is False


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("apiKeys.create", {"scopes": []}),
        ("apiKeys.create", {"type": "organisation", "sub-type": "service", "name": "ci", "scopes": []}),
        ("apiKeys.update", {"name": "no id"}),
        ("admin.workspaces.create", {}),
        ("admin.workspaces.users.update", {**STRANGER, "role": "king"}),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value) or "nothing",
)
def test_wrong_arguments_are_a_bad_request(sdk: NodeClient, method: str, given: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        sdk.call(method, given)
    assert (caught.value.type, caught.value.status) == ("BadRequestError", 400)
    assert caught.value.body["data"]["violations"]


def test_missing_key_is_an_authentication_error(node: str, portkey: PortkeyWorld) -> None:
    """The SDK leaves the header out. Source: sdk-call-map, Pointing a client at a mock."""
    sdk = NodeClient(node, portkey, PORTKEY_API_KEY="")
    try:
        with pytest.raises(Refused) as caught:
            sdk.call("apiKeys.list", {})
    finally:
        sdk.close()
    assert (caught.value.type, caught.value.status) == ("AuthenticationError", 401)


def test_refused_call_is_not_repeated(sdk: NodeClient, portkey: PortkeyWorld) -> None:
    """The SDK repeats what looks like a failure of the server. Source: sdk-call-map 8.3."""
    with pytest.raises(Refused):
        sdk.call("apiKeys.retrieve", {"id": NOBODY})
    assert [each["status"] for each in portkey.calls] == [404]
