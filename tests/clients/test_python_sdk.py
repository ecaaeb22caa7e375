"""The real `portkey-ai` for Python, sync and async, over a real socket: every method of the families that are served."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, TypeAlias

import pytest
from portkey_ai import AsyncPortkey, Portkey
from portkey_ai.api_resources import exceptions

from mockserver import cli
from mockserver.pytest_plugin import PortkeyWorld

Call: TypeAlias = Callable[..., Any]

NAMESPACES = ("api_keys", "admin.workspaces", "admin.workspaces.users")
METHODS = {"create", "retrieve", "list", "update", "delete"}

PRODUCTION = "ws-produc-71b04e"
RESEARCH = "ws-resear-c52d88"
NOBODY = "00000000-0000-4000-a000-000000000000"

WITHOUT_WORKSPACE = {"type": "workspace", "sub_type": "service", "name": "ci", "scopes": ["logs.view"]}
STRANGER = {"workspace_id": PRODUCTION, "user_id": NOBODY}
STRANGER_JOINS = {"workspace_id": PRODUCTION, "users": [{"id": NOBODY, "role": "member"}]}

NO_PERMISSION = "You do not have enough permissions to execute this request"
NOT_THERE = "Resource not found"
NEEDS_WORKSPACE = "Invalid request: body/workspace_id is required for a key of a workspace"
NOT_A_USER = "Invalid request: body/{} is nobody of the organisation"
HAS_DEPENDENTS = "Unable to delete. Please ensure that all Virtual Keys are deleted"
ERRORS = {
    400: exceptions.BadRequestError,
    403: exceptions.PermissionDeniedError,
    404: exceptions.NotFoundError,
    409: exceptions.ConflictError,
}


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest, portkey: PortkeyWorld) -> Iterator[Call]:
    """Calls a method of the SDK by its name, on `Portkey` or on `AsyncPortkey`."""
    if request.param == "sync":
        client = portkey.client()
        yield lambda method, **arguments: operator.attrgetter(method)(client)(**arguments)
        return
    client = portkey.async_client()
    with asyncio.Runner() as runner:
        yield lambda method, **arguments: runner.run(operator.attrgetter(method)(client)(**arguments))
        runner.run(client.close())


@pytest.fixture
def service_key(call: Call) -> Any:
    """A workspace's service key, as its creation shows it."""
    return call(
        "api_keys.create",
        type="workspace",
        sub_type="service",
        name="ci",
        description="Runs the checks",
        workspace_id=PRODUCTION,
        scopes=["logs.view", "completions.write"],
        rate_limits=[{"type": "requests", "unit": "rpm", "value": 600}],
        usage_limits={"type": "cost", "credit_limit": 25, "alert_threshold": 20},
        defaults={"metadata": {"team": "tools"}},
        expires_at="2030-01-01T00:00:00Z",
    )


@pytest.fixture
def workspace(call: Call) -> Any:
    """A new workspace, as its creation shows it."""
    return call(
        "admin.workspaces.create", name="Evaluation", description="Measures", defaults={"metadata": {"cost_centre": "7"}}
    )


def user_id(portkey: PortkeyWorld, name: str) -> str:
    """The id of a person of the seed."""
    user = portkey.world["users"].find("email", f"{name}@example.com")
    assert user is not None
    return str(user["id"])


def workspace_id(portkey: PortkeyWorld, slug: str) -> str:
    """The id of a workspace of the seed."""
    found = portkey.world["workspaces"].find("slug", slug)
    assert found is not None
    return str(found["id"])


@pytest.mark.parametrize("namespace", NAMESPACES)
@pytest.mark.parametrize("client_type", [Portkey, AsyncPortkey], ids=["sync", "async"])
def test_namespaces_have_the_methods_tested_here(client_type: Any, namespace: str) -> None:
    """A method that the SDK gains wants its tests beside these."""
    client = client_type(base_url="http://127.0.0.1:1/v1", api_key="any")
    methods = vars(type(operator.attrgetter(namespace)(client)))
    assert {name for name in methods if not name.startswith("_")} == METHODS


def test_client_without_settings_looks_where_serve_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client without key and base URL finds the mock by itself. The port is compared, not taken: it may be in use.

    Source: sdk-call-map, Pointing a client at a mock.
    """
    for name in ("PORTKEY_API_KEY", "PORTKEY_BASE_URL", "PORTKEY_PROXY"):
        monkeypatch.delenv(name, raising=False)
    port = next(parameter.default for parameter in cli.serve.params if parameter.name == "port")
    assert Portkey().base_url == f"http://localhost:{port}/v1"


@pytest.mark.parametrize("ending", ["/v1", "/v1/", "/v1//", "", "/"])
def test_base_url_may_end_in_any_way(portkey: PortkeyWorld, ending: str) -> None:
    """Source: sdk-call-map, Pointing a client at a mock (no `/v1` is added; a trailing slash doubles)."""
    client = portkey.client(base_url=portkey.url.removesuffix("/v1") + ending)
    assert client.api_keys.list().total == 7


def test_created_key_shows_its_secret(service_key: Any) -> None:
    assert service_key.object == "api-key"
    assert len(service_key.key) > 8
    assert "*" not in service_key.key
    assert service_key.get_headers() == {}


def test_created_key_is_in_the_world(portkey: PortkeyWorld, service_key: Any) -> None:
    record = portkey.world["api_keys"].get(service_key.id)
    assert record is not None
    assert record["workspace_id"] == workspace_id(portkey, PRODUCTION)
    assert portkey.calls[-1]["operation"] == "createApiKey"


def test_created_key_is_held_to_its_scopes(portkey: PortkeyWorld, service_key: Any) -> None:
    with pytest.raises(exceptions.PermissionDeniedError):
        portkey.client(api_key=service_key.key).admin.workspaces.list()


def test_retrieved_key_has_the_attributes_users_read(call: Call, portkey: PortkeyWorld, service_key: Any) -> None:
    key = call("api_keys.retrieve", id=service_key.id)
    assert (key.id, key.object, key.name, key.description) == (service_key.id, "api-key", "ci", "Runs the checks")
    assert (key.type, key.status, key.creation_mode) == ("workspace-service", "active", "api")
    assert (key.workspace_id, key.user_id) == (workspace_id(portkey, PRODUCTION), None)
    assert key.scopes == ["logs.view", "completions.write"]
    assert key.rate_limits == [{"type": "requests", "unit": "rpm", "value": 600}]
    assert key.usage_limits == {"type": "cost", "credit_limit": 25, "alert_threshold": 20}
    assert key.defaults == {"metadata": {"team": "tools"}, "config_id": None, "allow_config_override": True}
    assert key.expires_at == "2030-01-01T00:00:00.000Z"
    assert key.created_at == key.last_updated_at


def test_retrieved_key_masks_its_secret(call: Call, service_key: Any) -> None:
    """Source: identity-and-access, API keys: Secret and mask."""
    key = call("api_keys.retrieve", id=service_key.id)
    assert key.key == f"{service_key.key[:2]}*****{service_key.key[-3:]}"


def test_key_of_an_organisation_has_no_workspace(call: Call) -> None:
    made = call("api_keys.create", type="organisation", sub_type="service", name="admin", scopes=["workspaces.list"])
    key = call("api_keys.retrieve", id=made.id)
    assert (key.type, key.workspace_id) == ("organisation-service", None)


def test_key_of_a_user_names_them(call: Call, portkey: PortkeyWorld) -> None:
    dara = user_id(portkey, "dara")
    made = call(
        "api_keys.create",
        type="workspace",
        sub_type="user",
        name="dara",
        workspace_id=workspace_id(portkey, PRODUCTION),
        user_id=dara,
        scopes=["completions.write"],
    )
    key = call("api_keys.retrieve", id=made.id)
    assert (key.type, key.user_id) == ("workspace-user", dara)


def test_create_takes_fields_the_sdk_does_not_name(call: Call) -> None:
    """Source: sdk-call-map 6.2 (reachable through keyword arguments)."""
    policy = {"rotation_period": "weekly", "key_transition_period_ms": 3_600_000}
    made = call(
        "api_keys.create",
        type="organisation",
        sub_type="service",
        name="turning",
        scopes=["workspaces.list"],
        alert_emails=["ops@example.com"],
        rotation_policy=policy,
    )
    key = call("api_keys.retrieve", id=made.id)
    assert key.alert_emails == ["ops@example.com"]
    assert key.rotation_policy.items() >= policy.items()


def test_listed_keys_come_newest_first(call: Call, service_key: Any) -> None:
    keys = call("api_keys.list")
    assert (keys.object, keys.total, len(keys.data)) == ("list", 8, 8)
    assert keys.data[0]["id"] == service_key.id
    assert "*****" in keys.data[0]["key"]


def test_listed_keys_are_paged_from_zero(call: Call) -> None:
    pages = [call("api_keys.list", page_size=3, current_page=page) for page in range(4)]
    assert [len(page.data) for page in pages] == [3, 3, 1, 0]
    assert {page.total for page in pages} == {7}


def test_listed_keys_are_those_of_a_workspace(call: Call, portkey: PortkeyWorld) -> None:
    by_slug = call("api_keys.list", workspace_id=RESEARCH)
    by_id = call("api_keys.list", workspace_id=workspace_id(portkey, RESEARCH))
    assert [key["name"] for key in by_slug.data] == ["Summer school", "Nightly evaluation", "Research service"]
    assert by_slug.data == by_id.data


def test_none_in_a_query_is_no_filter(call: Call) -> None:
    """The SDK writes `page_size=None`. Source: sdk-call-map 4, row 3."""
    keys = call("api_keys.list", page_size=None, current_page=None, workspace_id=None)
    assert len(keys.data) == 7


def test_updated_key_keeps_what_was_not_sent(call: Call, service_key: Any) -> None:
    before = call("api_keys.retrieve", id=service_key.id)
    call("api_keys.update", id=service_key.id, name="ci-2", scopes=["logs.view"])
    key = call("api_keys.retrieve", id=service_key.id)
    assert (key.name, key.scopes) == ("ci-2", ["logs.view"])
    assert (key.description, key.usage_limits, key.key) == (before.description, before.usage_limits, before.key)


def test_null_takes_limits_away(call: Call, service_key: Any) -> None:
    """Source: identity-and-access, API keys: Update."""
    call("api_keys.update", id=service_key.id, rate_limits=None, usage_limits=None, expires_at=None)
    key = call("api_keys.retrieve", id=service_key.id)
    assert (key.rate_limits, key.usage_limits, key.expires_at) == ([], None, None)


def test_defaults_of_a_key_merge(call: Call, service_key: Any) -> None:
    """Source: identity-and-access, API keys: Update."""
    call("api_keys.update", id=service_key.id, defaults={"allow_config_override": False})
    key = call("api_keys.retrieve", id=service_key.id)
    assert key.defaults == {"metadata": {"team": "tools"}, "config_id": None, "allow_config_override": False}


def test_reset_usage_revives_an_exhausted_key(call: Call) -> None:
    (spent,) = [key for key in call("api_keys.list").data if key["status"] == "exhausted"]
    call("api_keys.update", id=spent["id"], reset_usage=True)
    key = call("api_keys.retrieve", id=spent["id"])
    assert (key.status, key.reset_usage) == ("active", None)
    assert key.last_reset_at is not None


def test_deleted_key_is_gone(call: Call, service_key: Any) -> None:
    call("api_keys.delete", id=service_key.id)
    with pytest.raises(exceptions.NotFoundError) as caught:
        call("api_keys.retrieve", id=service_key.id)
    assert caught.value.message == "Error code: 404 - Resource not found"


def test_raw_post_rotates_a_key(call: Call, portkey: PortkeyWorld, service_key: Any) -> None:
    """No method rotates; the client's own `post` does. Source: sdk-call-map 1."""
    rotated = call("post", url=f"/api-keys/{service_key.id}/rotate")
    assert rotated.id == service_key.id
    assert rotated.key != service_key.key
    assert rotated.key_transition_expires_at > portkey.clock.timestamp()


def test_created_workspace_shows_what_a_read_shows(call: Call, workspace: Any) -> None:
    read = call("admin.workspaces.retrieve", workspace_id=workspace.id)
    assert workspace.slug.startswith("ws-evalua-")
    assert (workspace.object, workspace.name, workspace.description) == ("workspace", "Evaluation", "Measures")
    assert workspace.defaults == {"metadata": {"cost_centre": "7"}}
    assert (workspace.users, workspace.created_at) == ([], workspace.last_updated_at)
    assert read.model_dump() == {**workspace.model_dump(), "is_default": 0}


def test_workspace_is_created_with_members(call: Call, portkey: PortkeyWorld) -> None:
    made = call("admin.workspaces.create", name="Pair", users=[user_id(portkey, "chie"), user_id(portkey, "eli")])
    assert {user["first_name"] for user in made.users} == {"Chie", "Eli"}
    assert {user["role"] for user in made.users} == {"member"}


@pytest.mark.parametrize("form", ["id", "slug"])
def test_workspace_is_retrieved_by_id_or_slug(call: Call, portkey: PortkeyWorld, form: str) -> None:
    production = workspace_id(portkey, PRODUCTION)
    read = call("admin.workspaces.retrieve", workspace_id={"id": production, "slug": PRODUCTION}[form])
    assert (read.id, read.slug, read.name, read.is_default) == (production, PRODUCTION, "Production", 0)
    assert {(user["first_name"], user["role"]) for user in read.users} == {
        ("Ada", "admin"),
        ("Ben", "manager"),
        ("Dara", "member"),
    }


def test_listed_workspaces_come_newest_first(call: Call, workspace: Any) -> None:
    workspaces = call("admin.workspaces.list")
    assert (workspaces.object, workspaces.total) == ("list", 4)
    assert workspaces.data[0].id == workspace.id
    assert [each.slug for each in workspaces.data[1:]] == [RESEARCH, PRODUCTION, "ws-shared-3f9c1a"]
    assert workspaces.data[3].is_default == 1


def test_listed_workspaces_are_paged_from_zero(call: Call) -> None:
    """The SDK writes `pageSize` and `currentPage` here. Source: identity-and-access, Paging."""
    pages = [call("admin.workspaces.list", page_size=2, current_page=page) for page in range(3)]
    assert [len(page.data) for page in pages] == [2, 1, 0]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"name": "Team"}, ["Shared Team Workspace"]),
        ({"name": "team"}, []),
        ({"exact_name": "Research"}, ["Research"]),
        ({"exact_name": "Resear"}, []),
        ({"status": "archived"}, []),
    ],
    ids=["part of the name", "another case", "exact name", "part as exact name", "archived"],
)
def test_listed_workspaces_fit_the_filter(call: Call, filters: dict[str, str], names: list[str]) -> None:
    assert [each.name for each in call("admin.workspaces.list", **filters).data] == names


def test_updated_workspace_keeps_what_was_not_sent(call: Call, workspace: Any) -> None:
    call("admin.workspaces.update", workspace_id=workspace.slug, name="Measuring")
    read = call("admin.workspaces.retrieve", workspace_id=workspace.id)
    assert (read.name, read.slug, read.description) == ("Measuring", workspace.slug, "Measures")
    assert read.defaults == workspace.defaults


def test_defaults_of_a_workspace_are_replaced(call: Call, workspace: Any) -> None:
    """Source: identity-and-access, Workspaces: Update (as a whole, other than those of a key)."""
    call("admin.workspaces.update", workspace_id=workspace.id, defaults={"input_guardrails": ["pg-1"]})
    read = call("admin.workspaces.retrieve", workspace_id=workspace.id)
    assert read.defaults == {"input_guardrails": ["pg-1"]}


def test_deleted_workspace_is_forbidden(call: Call, workspace: Any) -> None:
    """The SDK sends a body with the deletion. Source: identity-and-access, Workspaces: Delete; Errors (403 AB03)."""
    call("admin.workspaces.delete", workspace_id=workspace.id, name="Evaluation")
    with pytest.raises(exceptions.PermissionDeniedError) as caught:
        call("admin.workspaces.retrieve", workspace_id=workspace.id)
    assert caught.value.message == f"Error code: 403 - {NO_PERMISSION}"
    assert [each.id for each in call("admin.workspaces.list", status="archived").data] == [workspace.id]


def test_created_members_have_their_roles(call: Call, portkey: PortkeyWorld, workspace: Any) -> None:
    ben, dara = user_id(portkey, "ben"), user_id(portkey, "dara")
    call(
        "admin.workspaces.users.create",
        workspace_id=workspace.id,
        users=[{"id": ben, "role": "manager"}, {"id": dara, "role": "member"}],
    )
    members = call("admin.workspaces.users.list", workspace_id=workspace.slug)
    assert members.total == 2
    assert {(member["id"], member["role"]) for member in members.data} == {(ben, "manager"), (dara, "member")}


def test_retrieved_member_has_the_attributes_users_read(call: Call, portkey: PortkeyWorld) -> None:
    member = call("admin.workspaces.users.retrieve", workspace_id=PRODUCTION, user_id=user_id(portkey, "ben"))
    assert member.object == "workspace-user"
    assert (member.first_name, member.last_name, member.email) == ("Ben", "Lindqvist", "ben@example.com")
    assert (member.role, member.org_role, member.status) == ("manager", "admin", "active")
    assert (member.id, member.workspace_id) == (user_id(portkey, "ben"), workspace_id(portkey, PRODUCTION))
    assert member.created_at == member.last_updated_at


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, ["Dara", "Ben", "Ada"]),
        ({"role": "manager"}, ["Ben"]),
        ({"email": "ada@example.com"}, ["Ada"]),
        ({"email": "eli@example.com"}, []),
        ({"page_size": 2}, ["Dara", "Ben"]),
        ({"page_size": 2, "current_page": 1}, ["Ada"]),
    ],
    ids=["none", "role", "address", "address elsewhere", "first page", "second page"],
)
def test_listed_members_fit_the_filter(call: Call, filters: dict[str, Any], names: list[str]) -> None:
    members = call("admin.workspaces.users.list", workspace_id=PRODUCTION, **filters)
    assert [member["first_name"] for member in members.data] == names


def test_updated_member_has_another_role(call: Call, portkey: PortkeyWorld) -> None:
    dara = user_id(portkey, "dara")
    call("admin.workspaces.users.update", workspace_id=PRODUCTION, user_id=dara, role="manager")
    member = call("admin.workspaces.users.retrieve", workspace_id=PRODUCTION, user_id=dara)
    assert member.role == "manager"


def test_deleted_member_is_forbidden(call: Call, portkey: PortkeyWorld) -> None:
    """Source: identity-and-access, Errors (a departed member: 403 AB03)."""
    dara = user_id(portkey, "dara")
    call("admin.workspaces.users.delete", workspace_id=PRODUCTION, user_id=dara)
    with pytest.raises(exceptions.PermissionDeniedError):
        call("admin.workspaces.users.retrieve", workspace_id=PRODUCTION, user_id=dara)
    assert call("admin.workspaces.users.list", workspace_id=PRODUCTION).data[0]["first_name"] == "Ben"


def test_deleted_member_loses_their_keys(call: Call, portkey: PortkeyWorld) -> None:
    """Source: identity-and-access, API keys: Side effects."""
    (key,) = [each for each in call("api_keys.list").data if each["name"] == "Dara"]
    call("admin.workspaces.users.delete", workspace_id=PRODUCTION, user_id=user_id(portkey, "dara"))
    with pytest.raises(exceptions.PermissionDeniedError):
        call("api_keys.retrieve", id=key["id"])


@pytest.mark.parametrize(
    ("method", "arguments", "status", "message"),
    [
        pytest.param(method, arguments, status, message, id=f"{method} {status}")
        for method, arguments, status, message in (
            ("api_keys.create", WITHOUT_WORKSPACE, 400, NEEDS_WORKSPACE),
            ("api_keys.create", {**WITHOUT_WORKSPACE, "workspace_id": "ws-nowhere"}, 403, NO_PERMISSION),
            ("api_keys.retrieve", {"id": NOBODY}, 404, NOT_THERE),
            ("api_keys.update", {"id": NOBODY}, 404, NOT_THERE),
            ("api_keys.delete", {"id": NOBODY}, 404, NOT_THERE),
            ("api_keys.list", {"workspace_id": "ws-nowhere"}, 403, NO_PERMISSION),
            ("admin.workspaces.create", {"name": "Pair", "users": [NOBODY]}, 400, NOT_A_USER.format("users/0")),
            ("admin.workspaces.retrieve", {"workspace_id": "ws-nowhere"}, 403, NO_PERMISSION),
            ("admin.workspaces.update", {"workspace_id": "ws-nowhere", "name": "Elsewhere"}, 403, NO_PERMISSION),
            ("admin.workspaces.delete", {"workspace_id": "ws-nowhere", "name": "Elsewhere"}, 403, NO_PERMISSION),
            ("admin.workspaces.delete", {"workspace_id": PRODUCTION, "name": "Production"}, 409, HAS_DEPENDENTS),
            ("admin.workspaces.users.create", STRANGER_JOINS, 400, NOT_A_USER.format("users/0/id")),
            ("admin.workspaces.users.retrieve", STRANGER, 404, NOT_THERE),
            (
                "admin.workspaces.users.update",
                {"workspace_id": PRODUCTION, "user_id": NOBODY, "role": "member"},
                404,
                NOT_THERE,
            ),
            ("admin.workspaces.users.delete", STRANGER, 404, NOT_THERE),
            ("admin.workspaces.users.list", {"workspace_id": "ws-nowhere"}, 403, NO_PERMISSION),
        )
    ],
)
def test_refusal_becomes_the_exception_of_its_status(
    call: Call, method: str, arguments: dict[str, Any], status: int, message: str
) -> None:
    """Source: sdk-call-map 8.1 and 8.2."""
    with pytest.raises(ERRORS[status]) as caught:
        call(method, **arguments)
    assert (caught.value.status_code, caught.value.response.status_code) == (status, status)
    assert caught.value.message == f"Error code: {status} - {message}"
    assert caught.value.body == message


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("api_keys.create", {}),
        ("api_keys.create", {"type": "workspace", "sub_type": "service"}),
        ("api_keys.create", {"type": "organisation", "sub_type": "service", "name": "ci", "scopes": []}),
        ("api_keys.update", {"name": "no id"}),
        ("api_keys.retrieve", {"id": None}),
        ("api_keys.list", {"page_size": "many"}),
        ("admin.workspaces.create", {}),
        ("admin.workspaces.list", {"current_page": -1}),
        ("admin.workspaces.users.create", {"workspace_id": PRODUCTION}),
        ("admin.workspaces.users.update", {"workspace_id": PRODUCTION, "user_id": NOBODY, "role": "king"}),
        ("admin.workspaces.users.list", {"workspace_id": PRODUCTION, "role": "king"}),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value) or "nothing",
)
def test_wrong_arguments_are_a_bad_request(call: Call, method: str, arguments: dict[str, Any]) -> None:
    """Missing ids become the text NOT_GIVEN or None in the path. Source: sdk-call-map 4, row 4."""
    with pytest.raises(exceptions.BadRequestError) as caught:
        call(method, **arguments)
    assert caught.value.message.startswith("Error code: 400 - Invalid request: ")
    assert caught.value.response.json()["data"]["errorCode"] == "AB01"
    assert caught.value.response.json()["data"]["violations"]


def test_empty_key_is_an_authentication_error(portkey: PortkeyWorld) -> None:
    """The SDK sends an empty header. Source: sdk-call-map, Pointing a client at a mock."""
    with pytest.raises(exceptions.AuthenticationError) as caught:
        portkey.client(api_key="").api_keys.list()
    assert caught.value.message == "Error code: 401 - Unauthorised Request"


def test_expired_key_is_an_authentication_error(call: Call, portkey: PortkeyWorld) -> None:
    portkey.clock.freeze()
    soon = portkey.clock.now() + timedelta(hours=1)
    made = call(
        "api_keys.create",
        type="organisation",
        sub_type="service",
        name="brief",
        scopes=["workspaces.list"],
        expires_at=soon.isoformat(),
    )
    client = portkey.client(api_key=made.key)
    assert client.admin.workspaces.list().total == 3
    portkey.clock.move(timedelta(hours=1))
    with pytest.raises(exceptions.AuthenticationError) as caught:
        client.admin.workspaces.list()
    assert caught.value.message == "Error code: 401 - Portkey API Key Expired"


def test_second_call_of_a_slow_key_is_rate_limited(call: Call, portkey: PortkeyWorld) -> None:
    portkey.clock.freeze()
    made = call(
        "api_keys.create",
        type="organisation",
        sub_type="service",
        name="slow",
        scopes=["workspaces.list"],
        rate_limits=[{"type": "requests", "unit": "rpm", "value": 1}],
    )
    client = portkey.client(api_key=made.key)
    client.admin.workspaces.list()
    with pytest.raises(exceptions.RateLimitError) as caught:
        client.admin.workspaces.list()
    assert int(caught.value.response.headers["retry-after"]) > 0
    portkey.clock.move(timedelta(minutes=1))
    assert client.admin.workspaces.list().total == 3


def test_refused_call_is_not_repeated(portkey: PortkeyWorld) -> None:
    """The SDK repeats what looks like a failure of the server. Source: sdk-call-map 8.3."""
    with pytest.raises(exceptions.NotFoundError):
        portkey.client().api_keys.retrieve(id=NOBODY)
    assert [each["status"] for each in portkey.calls] == [404]
