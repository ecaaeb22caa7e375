"""Who calls, and what they may: keys of every state against the operations on keys, workspaces and members.

`test_matrix` has every operation; here each call succeeds for the right key.

Source of every rule that names none: identity-and-access, Errors and API keys: Scopes; gateway-data-plane, Authentication.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from mockserver import data
from mockserver.app import App, Settings
from mockserver.portkey.scopes import ADMIN_SCOPES, KEY_KINDS, WORKSPACE_SCOPES
from mockserver.portkey.scopes import OPERATIONS as ALL_OPERATIONS
from mockserver.portkey.seeds import admin_key
from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.team import (
    DARA,
    NOBODY,
    PRODUCTION,
    at,
    make_key,
    make_workspace,
    private_world,
    read,
    refused,
    serve,
    state,
    user_id,
)

# One world for the matrix: a key of each kind in each state, and something for each operation to work on.

TARGET, OTHER = "ws-target-000001", "ws-other-000002"
TARGET_KEY = "11111111-1111-4111-8111-111111111111"
MEMBER, GUEST = "22222222-2222-1222-8222-222222222222", "33333333-3333-1333-8333-333333333333"
EVERYTHING = sorted({*ADMIN_SCOPES, *WORKSPACE_SCOPES})
BUDGET: Record = {"type": "cost", "credit_limit": 20}

WORLD: Record = {
    "users": [{"id": MEMBER, "email": "mara@example.com"}, {"id": GUEST, "email": "gil@example.com"}],
    "workspaces": [
        {"name": "Target", "slug": TARGET, "members": {"mara@example.com": "member"}},
        {"name": "Other", "slug": OTHER},
    ],
    "api_keys": [
        {"id": TARGET_KEY, "name": "Target", "type": "workspace-service", "workspace": TARGET, "scopes": ["logs.view"]},
        {"name": "Right", "type": "organisation-service", "scopes": EVERYTHING, "secret": "right-secret"},
        {
            "name": "Expired",
            "type": "organisation-service",
            "scopes": EVERYTHING,
            "secret": "expired-secret",
            "expires_at": "2025-02-01T00:00:00Z",
        },
        {
            "name": "Exhausted",
            "type": "organisation-service",
            "scopes": EVERYTHING,
            "secret": "exhausted-secret",
            "usage_limits": BUDGET,
            "usage": 20,
        },
        {"name": "Other", "type": "workspace-service", "workspace": OTHER, "scopes": EVERYTHING, "secret": "other-secret"},
    ],
}


class Sent(NamedTuple):
    """A call that the right key makes with success."""

    method: str
    path: str
    body: Any = ...


CALLS = {
    "createApiKey": Sent(
        "POST", "/v1/api-keys/workspace/service", {"name": "app", "scopes": ["logs.view"], "workspace_id": TARGET}
    ),
    "listApiKeys": Sent("GET", f"/v1/api-keys?workspace_id={TARGET}"),
    "getApiKey": Sent("GET", f"/v1/api-keys/{TARGET_KEY}"),
    "updateApiKey": Sent("PUT", f"/v1/api-keys/{TARGET_KEY}", {"name": "other"}),
    "deleteApiKey": Sent("DELETE", f"/v1/api-keys/{TARGET_KEY}"),
    "rotateApiKey": Sent("POST", f"/v1/api-keys/{TARGET_KEY}/rotate"),
    "createWorkspace": Sent("POST", "/v1/admin/workspaces", {"name": "Lab"}),
    "listWorkspaces": Sent("GET", "/v1/admin/workspaces"),
    "getWorkspace": Sent("GET", f"/v1/admin/workspaces/{TARGET}"),
    "updateWorkspace": Sent("PUT", f"/v1/admin/workspaces/{TARGET}", {"description": "Trials"}),
    "deleteWorkspace": Sent("DELETE", f"/v1/admin/workspaces/{TARGET}"),
    "addWorkspaceMembers": Sent("POST", f"/v1/admin/workspaces/{TARGET}/users", {"users": [{"id": GUEST}]}),
    "listWorkspaceMembers": Sent("GET", f"/v1/admin/workspaces/{TARGET}/users"),
    "getWorkspaceMember": Sent("GET", f"/v1/admin/workspaces/{TARGET}/users/{MEMBER}"),
    "updateWorkspaceMember": Sent("PUT", f"/v1/admin/workspaces/{TARGET}/users/{MEMBER}", {"role": "manager"}),
    "removeWorkspaceMember": Sent("DELETE", f"/v1/admin/workspaces/{TARGET}/users/{MEMBER}"),
}

OPERATIONS = {operation: [scope for (scope,) in ALL_OPERATIONS[operation]] for operation in CALLS}
"""Operation to the scopes of which any will do."""

ADMIN_ONLY = {"createWorkspace", "deleteWorkspace"}
"""Operations whose scope a workspace's key cannot hold."""


def wanted(operation: str) -> list[str]:
    """The scopes of which the call of `CALLS` needs one."""
    kinds = list(KEY_KINDS.values()) if operation == "listApiKeys" else ["workspace_service_api_keys"]
    return sorted({scope.format(kind=kind) for scope in OPERATIONS[operation] for kind in kinds})


def send(client: Client, operation: str) -> Any:
    call = CALLS[operation]
    return client.call(call.method, call.path, call.body)


@pytest.fixture(scope="module", params=["open", "strict"])
def matrix_app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> App:
    return serve(tmp_path_factory.mktemp("matrix"), WORLD, strict=request.param == "strict")


@pytest.fixture
def admin(matrix_app: App) -> Iterator[Client]:
    """A private copy of the matrix's world after the expired key has expired, called with the right key."""
    with private_world(matrix_app, "right-secret") as client:
        at(client, "2026-05-05T10:00:00Z")
        yield client


@pytest.mark.parametrize("operation", OPERATIONS)
def test_right_key_is_let_in(admin: Client, operation: str) -> None:
    """Conventions: every success is 200 with a JSON object."""
    reply = send(admin, operation)
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "application/json"
    assert isinstance(reply.json(), dict)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_call_without_a_key_is_refused(admin: Client, operation: str) -> None:
    before = state(admin)
    refused(send(admin.as_key(None), operation), 401, "AB05")
    assert state(admin) == before


@pytest.mark.parametrize("operation", OPERATIONS)
def test_expired_key_is_refused(admin: Client, operation: str) -> None:
    before = state(admin)
    answer = refused(send(admin.as_key("expired-secret"), operation), 401, "AB05")
    assert answer["message"] == "Portkey API Key Expired"
    assert state(admin) == before


@pytest.mark.parametrize("operation", OPERATIONS)
def test_exhausted_key_is_refused(admin: Client, operation: str) -> None:
    before = state(admin)
    answer = refused(send(admin.as_key("exhausted-secret"), operation), 412, "04")
    assert answer["message"] == "Portkey API Key Usage Limit Exceeded"
    assert state(admin) == before


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name != "listWorkspaces"])
def test_key_of_another_workspace_is_refused(admin: Client, operation: str) -> None:
    """AB03 when the object is not in the caller's workspace, though the key holds every scope."""
    before = state(admin)
    refused(send(admin.as_key("other-secret"), operation), 403, "AB03")
    assert state(admin) == before


@pytest.mark.parametrize("path", ["/v1/admin/workspaces", "/v1/api-keys"])
def test_lists_hide_other_workspaces(admin: Client, path: str) -> None:
    found = read(admin.as_key("other-secret"), path)
    assert [each["name"] for each in found["data"]] == ["Other"]
    assert found["total"] == 1


@pytest.mark.parametrize("operation", OPERATIONS)
def test_key_with_every_other_scope_is_refused(admin: Client, operation: str) -> None:
    scopes = [scope for scope in EVERYTHING if scope not in wanted(operation)]
    caller = admin.as_key(make_key(admin, "organisation/service", scopes=scopes).secret)
    before = state(admin)
    answer = refused(send(caller, operation), 403, "AB03")
    assert answer["message"] == "You do not have enough permissions to execute this request"
    assert state(admin) == before


@pytest.mark.parametrize(("operation", "scope"), [(name, scope) for name in OPERATIONS for scope in wanted(name)])
def test_key_with_this_scope_alone_is_let_in(admin: Client, operation: str, scope: str) -> None:
    caller = admin.as_key(make_key(admin, "organisation/service", scopes=[scope]).secret)
    assert send(caller, operation).status_code == 200


@pytest.mark.parametrize(
    ("operation", "scope"),
    [
        (name, scope)
        for name in OPERATIONS
        if name not in ADMIN_ONLY
        for scope in wanted(name)
        if not scope.startswith("organisation_")  # means nothing on a workspace's key
    ],
)
def test_workspace_key_is_let_into_its_own(admin: Client, operation: str, scope: str) -> None:
    caller = admin.as_key(make_key(admin, workspace_id=TARGET, scopes=[scope]).secret)
    assert send(caller, operation).status_code == 200


@pytest.mark.parametrize("operation", ["getApiKey", "updateApiKey", "deleteApiKey", "rotateApiKey"])
@pytest.mark.parametrize("other_kind", ["organisation_service_api_keys", "workspace_user_api_keys"])
def test_scope_for_another_kind_of_key_does_not_count(admin: Client, operation: str, other_kind: str) -> None:
    scopes = [scope.format(kind=other_kind) for scope in OPERATIONS[operation]]
    caller = admin.as_key(make_key(admin, "organisation/service", scopes=scopes).secret)
    refused(send(caller, operation), 403, "AB03")


@pytest.mark.parametrize(("path", "kind"), [(kind.replace("-", "/"), family) for kind, family in KEY_KINDS.items()])
def test_each_kind_of_key_needs_its_own_scope(admin: Client, path: str, kind: str) -> None:
    body = {"name": "app", "scopes": ["logs.view"], "workspace_id": TARGET, "user_id": MEMBER}
    right = make_key(admin, "organisation/service", scopes=[f"{kind}.create"])
    others = [f"{family}.create" for family in KEY_KINDS.values() if family != kind]
    wrong = make_key(admin, "organisation/service", scopes=others)
    assert admin.as_key(right.secret).post(f"/v1/api-keys/{path}", body).status_code == 200
    refused(admin.as_key(wrong.secret).post(f"/v1/api-keys/{path}", body), 403, "AB03")


def test_list_scope_is_no_read_scope(admin: Client) -> None:
    """Scopes: "`list` does not imply `read`"."""
    caller = admin.as_key(make_key(admin, "organisation/service", scopes=["workspace_service_api_keys.list"]).secret)
    refused(caller.get(f"/v1/api-keys/{TARGET_KEY}"), 403, "AB03")


@pytest.mark.parametrize("scopes", [ADMIN_SCOPES, WORKSPACE_SCOPES], ids=["admin", "workspace"])
def test_table_names_no_scope_twice(scopes: list[str]) -> None:
    assert len(scopes) == len(set(scopes))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_scopes_of_table_can_be_held(operation: str) -> None:
    for kind in KEY_KINDS.values():
        assert {scope.format(kind=kind) for scope in OPERATIONS[operation]} <= set(ADMIN_SCOPES)


# Which header counts


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-portkey-api-key": ""},
        {"x-portkey-api-key": "  "},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": "Basic YTpi"},
        {"authorization": "right-secret"},
        {"x-api-key": "right-secret"},
        {"x-portkey-api-key": "", "authorization": "Bearer OPENAI_API_KEY"},
    ],
    ids=repr,
)
def test_call_that_carries_no_key_is_refused(admin: Client, headers: dict[str, str]) -> None:
    """The last two as seen: `x-api-key` does not count; the Python client sends an empty key and a placeholder."""
    caller = Client(admin.app, admin.world_name, {"x-mock-world": admin.world_name, **headers})
    refused(caller.get("/v1/admin/workspaces"), 401, "AB05")


@pytest.mark.parametrize("word", ["Bearer", "bearer", "BEARER"])
def test_bearer_alone_is_the_key(admin: Client, word: str) -> None:
    headers = {"x-mock-world": admin.world_name, "authorization": f"{word} other-secret"}
    found = read(Client(admin.app, admin.world_name, headers), "/v1/admin/workspaces")
    assert [each["name"] for each in found["data"]] == ["Other"]


def test_key_header_counts_before_the_bearer(admin: Client) -> None:
    """The bearer is then for the provider, and is not looked at."""
    headers = {"authorization": "Bearer right-secret"}
    found = read(
        Client(admin.app, admin.world_name, {**admin.as_key("other-secret").headers, **headers}), "/v1/admin/workspaces"
    )
    assert [each["name"] for each in found["data"]] == ["Other"]


def test_same_key_in_both_headers_is_let_in(admin: Client) -> None:
    reply = admin.get("/v1/admin/workspaces", headers={"authorization": "Bearer right-secret"})
    assert reply.status_code == 200


# Open and strict


@pytest.mark.parametrize("secret", ["any", "pk-live-1", "OPENAI_API_KEY", "DUMMY-KEY"])
def test_open_takes_unknown_key_for_an_admin(client: Client, secret: str) -> None:
    assert client.as_key(secret).post("/v1/admin/workspaces", {"name": "Lab"}).status_code == 200


@pytest.mark.parametrize("operation", OPERATIONS)
def test_strict_refuses_unknown_key(strict: Client, operation: str) -> None:
    before = state(strict)
    answer = refused(send(strict.as_key("unknown"), operation), 401, "AB05")
    assert answer["message"] == "Invalid API key"
    assert state(strict) == before


def test_strict_takes_the_admin_key_of_the_seed(strict: Client) -> None:
    assert strict.post("/v1/admin/workspaces", {"name": "Lab"}).status_code == 200


@pytest.mark.parametrize("fixture", data.fixture_names())
def test_every_seed_has_an_admin_key(fixture: str) -> None:
    app = App(Settings(fixture=fixture, strict=True))
    client = Client(app).as_key(admin_key(app.worlds.get("default")))
    assert client.post("/v1/admin/workspaces", {"name": "Lab"}).status_code == 200


@pytest.mark.parametrize("mode", ["client", "strict"])
def test_known_key_is_held_to_its_scopes(mode: str, request: pytest.FixtureRequest) -> None:
    client: Client = request.getfixturevalue(mode)
    caller = client.as_key(make_key(client, scopes=["logs.view"]).secret)
    refused(caller.get("/v1/admin/workspaces"), 403, "AB03")


def test_masked_key_is_no_key(strict: Client) -> None:
    made = make_key(strict, "organisation/service", scopes=["workspaces.list"])
    refused(strict.as_key(f"{made.secret[:2]}*****{made.secret[-3:]}").get("/v1/admin/workspaces"), 401, "AB05")


def test_keys_of_one_world_are_unknown_in_another(strict: Client) -> None:
    made = make_key(strict, "organisation/service", scopes=["workspaces.list"])
    with private_world(strict.app, made.secret) as elsewhere:
        refused(elsewhere.get("/v1/admin/workspaces"), 401, "AB05")


def test_new_scopes_count_at_once(client: Client) -> None:
    made = make_key(client, scopes=["logs.view"])
    refused(client.as_key(made.secret).get("/v1/admin/workspaces"), 403, "AB03")
    client.put(f"/v1/api-keys/{made.id}", {"scopes": ["workspaces.list"]})
    assert client.as_key(made.secret).get("/v1/admin/workspaces").status_code == 200


# Time and order of the checks


@pytest.mark.parametrize("mode", ["client", "strict"])
def test_key_works_until_it_expires(mode: str, request: pytest.FixtureRequest) -> None:
    client: Client = request.getfixturevalue(mode)
    at(client, "2026-05-05T10:00:00Z")
    made = make_key(client, scopes=["workspaces.list"], expires_at="2026-05-05T10:10:00Z")
    at(client, "2026-05-05T10:09:59Z")
    assert client.as_key(made.secret).get("/v1/admin/workspaces").status_code == 200
    at(client, "2026-05-05T10:10:00Z")
    refused(client.as_key(made.secret).get("/v1/admin/workspaces"), 401, "AB05")


def test_expiry_shows_in_reads(client: Client) -> None:
    """Limit state machine; recorded: `last_updated_at` follows the expiry."""
    at(client, "2026-05-05T10:00:00Z")
    made = make_key(client, expires_at="2026-05-05T10:10:00Z")
    at(client, "2026-05-05T11:00:00Z")
    key = read(client, f"/v1/api-keys/{made.id}")
    assert (key["status"], key["last_updated_at"]) == ("expired", "2026-05-05T10:10:00.000Z")
    assert read(client, "/v1/api-keys", ids=made.id)["data"][0]["status"] == "expired"


def test_later_expiry_lets_the_key_in_again(client: Client) -> None:
    made = make_key(client, scopes=["workspaces.list"], expires_at="2020-01-01T00:00:00Z")
    client.put(f"/v1/api-keys/{made.id}", {"expires_at": "2099-01-01T00:00:00Z"})
    assert client.as_key(made.secret).get("/v1/admin/workspaces").status_code == 200


def test_identity_comes_before_the_contract(client: Client) -> None:
    """Who may not call learns nothing of what is wrong with the call."""
    caller = client.as_key(make_key(client, scopes=["logs.view"]).secret)
    refused(caller.post("/v1/admin/workspaces", {"name": ""}), 403, "AB03")
    refused(client.as_key(None).post("/v1/admin/workspaces", {"name": ""}), 401, "AB05")


def test_scope_comes_before_existence(client: Client) -> None:
    caller = client.as_key(make_key(client, scopes=["logs.view"]).secret)
    refused(caller.get(f"/v1/api-keys/{NOBODY}"), 403, "AB03")


def test_unknown_id_within_reach_is_not_found(client: Client) -> None:
    """Errors: 404 for unknown ids in the same scope."""
    caller = client.as_key(make_key(client, scopes=["workspace_service_api_keys.read"]).secret)
    refused(caller.get(f"/v1/api-keys/{NOBODY}"), 404, "AB08")


def test_organisation_key_is_out_of_a_workspace_keys_reach(client: Client) -> None:
    made = make_key(client, "organisation/service")
    caller = client.as_key(make_key(client, scopes=["organisation_service_api_keys.read"]).secret)
    refused(caller.get(f"/v1/api-keys/{made.id}"), 403, "AB03")


def test_workspace_key_makes_no_organisation_key(client: Client) -> None:
    caller = client.as_key(make_key(client, scopes=["organisation_service_api_keys.create"]).secret)
    before = state(client)
    refused(caller.post("/v1/api-keys/organisation/service", {"name": "app", "scopes": ["logs.view"]}), 403, "AB03")
    assert state(client) == before


def test_workspace_key_makes_no_key_elsewhere(client: Client) -> None:
    elsewhere = make_workspace(client)["id"]
    caller = client.as_key(make_key(client, scopes=["workspace_service_api_keys.create"]).secret)
    body = {"name": "app", "scopes": ["logs.view"], "workspace_id": elsewhere}
    refused(caller.post("/v1/api-keys/workspace/service", body), 403, "AB03")


@pytest.mark.parametrize("form", ["id", "slug"])
def test_own_workspace_is_reached_in_either_form(client: Client, form: str) -> None:
    caller = client.as_key(make_key(client, scopes=["workspaces.read"]).secret)
    known = client.world["workspaces"].find("slug", PRODUCTION)[form]
    assert caller.get(f"/v1/admin/workspaces/{known}").status_code == 200


def test_user_key_of_departed_member_is_refused_under_strict(strict: Client) -> None:
    dara = user_id(strict, DARA)
    made = make_key(strict, "workspace/user", user_id=dara, scopes=["workspaces.list"])
    strict.delete(f"/v1/admin/workspaces/{PRODUCTION}/users/{dara}")
    refused(strict.as_key(made.secret).get("/v1/admin/workspaces"), 401, "AB05")


# The envelope


@pytest.mark.parametrize(
    ("secret", "path", "status", "code", "kind", "problem"),
    [
        (None, "/v1/api-keys", 401, "AB05", "authentication_error", "unauthenticated"),
        ("other-secret", f"/v1/admin/workspaces/{TARGET}", 403, "AB03", "permission_error", "forbidden"),
        ("exhausted-secret", "/v1/api-keys", 412, "04", "usage_limit_error", "exhausted"),
        ("right-secret", f"/v1/api-keys/{NOBODY}", 404, "AB08", "not_found_error", "not-found"),
        ("right-secret", "/v1/api-keys?page_size=0", 400, "AB01", "invalid_request_error", "invalid-request"),
    ],
)
def test_refusal_says_the_same_to_all_clients(
    admin: Client, secret: str | None, path: str, status: int, code: str, kind: str, problem: str
) -> None:
    """Errors: `data`; the SDKs read `error` and `message` (sdk-call-map, 8.2)."""
    reply = admin.as_key(secret).get(path)
    body = reply.json()
    message = body["message"]
    assert (reply.status_code, reply.headers["x-mock-problem"]) == (status, problem)
    assert reply.headers["content-type"] == "application/json"
    assert (body["success"], body["data"]["message"], body["data"]["errorCode"]) == (False, message, code)
    assert {name: body["error"][name] for name in ("message", "type", "code")} == {
        "message": message,
        "type": kind,
        "code": code,
    }


def test_param_names_the_one_wrong_field(client: Client) -> None:
    reply = client.post("/v1/admin/workspaces", {"name": ""})
    assert reply.json()["error"]["param"] == "name"
