"""Workspaces through the front door.

Source of every rule that names none: identity-and-access, Workspaces.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.team import (
    ADA,
    CHIE,
    DARA,
    NOBODY,
    PRODUCTION,
    RESEARCH,
    SHARED,
    at,
    changes,
    done,
    make_key,
    make_workspace,
    read,
    read_workspace,
    refused,
    state,
    user_id,
    workspace_id,
)

READ_FIELDS = [
    "id", "name", "description", "created_at", "last_updated_at", "is_default", "defaults", "slug", "icon", "usage_limits",
    "rate_limits", "security_settings", "settings", "organisation_id", "last_reset_at", "created_by", "creation_source",
    "users", "object",
]  # fmt: skip
ITEM_FIELDS = [
    "id", "slug", "name", "icon", "description", "created_at", "last_updated_at", "defaults", "is_default",
    "scim_source_id", "usage_limits", "rate_limits", "security_settings", "status", "object",
]  # fmt: skip
USER_FIELDS = [
    "first_name", "last_name", "org_role", "role", "created_at", "last_updated_at", "status", "workspace_id", "id",
]  # fmt: skip
"""All three as recorded, in this order."""

WORKSPACES = "/v1/admin/workspaces"
RATE: Record = {"type": "requests", "unit": "rpm", "value": 60}
BUDGET: Record = {"type": "cost", "credit_limit": 20, "alert_threshold": 15}
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z")


def listed(client: Client, **query: Any) -> list[str]:
    """The names in a list."""
    return [item["name"] for item in read(client, WORKSPACES, **query)["data"]]


# Create


def test_create_gives_what_a_read_shows(client: Client) -> None:
    """The Terraform provider takes its state from this reply and reads nothing."""
    made = make_workspace(client, description="Trials", defaults={"metadata": {"team": "a"}}, usage_limits=[BUDGET])
    assert made == read_workspace(client, made["id"])
    assert list(made) == READ_FIELDS


def test_plain_workspace_is_as_recorded(client: Client) -> None:
    at(client, "2026-05-03T17:08:55Z")
    made = make_workspace(client, name="Lab")
    shown = {name: value for name, value in made.items() if name not in ("id", "slug", "organisation_id", "security_settings")}
    assert shown == {
        "name": "Lab",
        "description": None,
        "created_at": "2026-05-03T17:08:55.000Z",
        "last_updated_at": "2026-05-03T17:08:55.000Z",
        "is_default": 0,
        "defaults": None,
        "icon": None,
        "usage_limits": None,
        "rate_limits": None,
        "settings": {
            "debug_log": 1,
            "user_api_key_ttl": 0,
            "user_key_metadata": 1,
            "user_api_key_count": -1,
            "user_api_key_max_ttl": 0,
            "user_key_metadata_override": 1,
        },
        "last_reset_at": None,
        "created_by": None,
        "creation_source": "api",
        "users": [],
        "object": "workspace",
    }


def test_flags_are_numbers_not_booleans(client: Client) -> None:
    """Conventions, Integer booleans."""
    made = make_workspace(client)
    assert {type(value) for value in [made["is_default"], *made["settings"].values()]} == {int}


def test_security_settings_are_as_recorded(client: Client) -> None:
    settings = make_workspace(client)["security_settings"]
    roles = [re.match(r"members|managers|organisationAdmins", name) for name in settings]
    assert [sum(role is not None and role[0] == wanted for role in roles) for wanted in ("members", "managers")] == [14, 19]
    assert len(settings) == 35
    assert {name for name, value in settings.items() if value is not True} == {"membersWriteConfigs", "membersWriteGuardrails"}


def test_ids_have_recorded_versions(client: Client) -> None:
    """Conventions, Ids."""
    made = make_workspace(client)
    assert [uuid.UUID(made[name]).version for name in ("id", "organisation_id")] == [4, 4]


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("Shared Team Workspace", "ws-shared-"),
        ("Test Automation", "ws-test-a-"),
        ("Production", "ws-produc-"),
        ("Main App", "ws-main-a-"),
        ("QA", "ws-qa-"),
        ("A & B", "ws-a-b-"),
        ("Hello World", "ws-hello-"),
        ("研究", "ws-"),
    ],
)
def test_slug_is_made_of_name_and_six_digits(client: Client, name: str, start: str) -> None:
    """Identity: `ws-`, the slugified name cut to six characters, six hexadecimal digits."""
    assert re.fullmatch(start + "[0-9a-f]{6}", make_workspace(client, name=name)["slug"])


def test_slugs_of_twins_differ(client: Client) -> None:
    assert make_workspace(client)["slug"] != make_workspace(client)["slug"]


def test_slug_may_be_given(client: Client) -> None:
    """*chosen*: the admin tools send one."""
    made = make_workspace(client, slug="lab_1")
    assert made["slug"] == "lab_1"
    assert read_workspace(client, "lab_1")["id"] == made["id"]


def test_taken_slug_is_a_conflict(client: Client) -> None:
    before = state(client)
    refused(client.post(WORKSPACES, {"name": "Lab", "slug": PRODUCTION}), 409, "AB07")
    assert state(client) == before


@pytest.mark.parametrize("form", ["id", "slug"])
def test_every_path_takes_id_or_slug(client: Client, form: str) -> None:
    known = make_workspace(client)[form]
    path = f"{WORKSPACES}/{known}"
    assert client.get(path).json()[form] == known
    done(client.put(path, {"description": "Trials"}))
    assert client.get(f"{path}/users").status_code == 200
    done(client.delete(path))


@pytest.mark.parametrize("description", [None, "", "Trials"], ids=["null", "empty", "text"])
def test_description_is_kept_as_given(client: Client, description: str | None) -> None:
    assert make_workspace(client, description=description)["description"] == description


@pytest.mark.parametrize("field", ["usage_limits", "rate_limits"])
@pytest.mark.parametrize("given", [None, []], ids=["null", "empty"])
def test_limits_are_null_when_none(client: Client, field: str, given: Any) -> None:
    assert make_workspace(client, **{field: given})[field] is None


@pytest.mark.parametrize(("field", "given"), [("usage_limits", [BUDGET]), ("rate_limits", [RATE])])
def test_limits_are_lists(client: Client, field: str, given: Any) -> None:
    """Conventions, Common objects: lists on workspaces, where keys have one object."""
    assert make_workspace(client, **{field: given})[field] == given


def test_whole_limit_is_written_without_a_fraction(client: Client) -> None:
    """Conventions, Common objects: the Terraform provider decodes a workspace's limit as an integer; `10`, not `10.0`."""
    reply = client.post(WORKSPACES, {"name": "Lab", "usage_limits": [{"type": "cost", "credit_limit": 10.0}]})
    assert '"credit_limit":10}' in reply.text


def test_people_named_on_creation_are_members(client: Client) -> None:
    people = [user_id(client, CHIE), user_id(client, DARA)]
    made = make_workspace(client, users=people)
    assert {(user["id"], user["role"]) for user in made["users"]} == {(person, "member") for person in people}


def test_owner_named_on_creation_is_admin(client: Client) -> None:
    """Workspace members: owners of the organisation are always admin."""
    assert make_workspace(client, users=[user_id(client, ADA)])["users"][0]["role"] == "admin"


def test_unknown_person_on_creation_makes_nothing(client: Client) -> None:
    before = state(client)
    data = refused(client.post(WORKSPACES, {"name": "Lab", "users": [user_id(client, DARA), NOBODY]}), 400, "AB01")
    assert data["violations"][0]["pointer"] == "/users/1"
    assert state(client) == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", None),
        ("name", 5),
        ("description", 5),
        ("icon", 5),
        ("defaults", {"metadata": {"team": 5}}),
        ("defaults", {"input_guardrails": "pg-a"}),
        ("usage_limits", BUDGET),
        ("usage_limits", [BUDGET | {"type": "calls"}]),
        ("usage_limits", [BUDGET | {"credit_limit": 0}]),
        ("usage_limits", [BUDGET | {"periodic_reset": "weekly", "periodic_reset_days": 3}]),
        ("usage_limits", [BUDGET | {"alert_threshold": 21}]),
        ("rate_limits", RATE),
        ("rate_limits", [RATE | {"unit": "rpy"}]),
    ],
    ids=repr,
)
@pytest.mark.parametrize("call", ["create", "update"])
def test_wrong_field_is_refused_and_nothing_changes(client: Client, call: str, field: str, value: Any) -> None:
    before = state(client)
    if call == "create":
        reply = client.post(WORKSPACES, {"name": "Lab", field: value})
    else:
        reply = client.put(f"{WORKSPACES}/{PRODUCTION}", {field: value})
    assert refused(reply, 400, "AB01")["violations"][0]["pointer"].startswith(f"/{field}")
    assert state(client) == before


@pytest.mark.parametrize(("field", "value"), [("slug", "with space"), ("slug", ""), ("users", "dara"), ("users", [5])])
def test_create_refuses_wrong_slug_and_users(client: Client, field: str, value: Any) -> None:
    before = state(client)
    data = refused(client.post(WORKSPACES, {"name": "Lab", field: value}), 400, "AB01")
    assert data["violations"][0]["pointer"].startswith(f"/{field}")
    assert state(client) == before


def test_create_needs_a_name(client: Client) -> None:
    assert refused(client.post(WORKSPACES, {}), 400, "AB01")["violations"][0]["pointer"] == "/name"


def test_create_ignores_unknown_fields(client: Client) -> None:
    """Conventions, Request tolerance."""
    assert "colour" not in make_workspace(client, colour="blue")


# Read


@pytest.mark.parametrize("form", ["id", "slug"])
def test_read_echoes_uuid_for_either_form(client: Client, form: str) -> None:
    known = workspace_id(client)
    shown = read_workspace(client, known if form == "id" else PRODUCTION)
    assert (shown["id"], shown["slug"]) == (known, PRODUCTION)


def test_seed_workspaces_look_like_made_ones(client: Client) -> None:
    for slug in (SHARED, PRODUCTION, RESEARCH):
        shown = read_workspace(client, slug)
        assert list(shown) == READ_FIELDS
        assert TIMESTAMP.fullmatch(shown["created_at"])


def test_members_in_a_workspace_have_recorded_fields(client: Client) -> None:
    """In this order: neither an address nor an object."""
    assert [list(user) for user in read_workspace(client, PRODUCTION)["users"]] == [USER_FIELDS] * 3


def test_members_in_a_workspace_name_it_by_uuid(client: Client) -> None:
    assert {user["workspace_id"] for user in read_workspace(client, PRODUCTION)["users"]} == {workspace_id(client)}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("unknown", [NOBODY, "ws-nobody-000000", "NOT_GIVEN"])
def test_unknown_workspace_is_forbidden(client: Client, method: str, unknown: str) -> None:
    """Errors, Missing-resource status: 403 AB03, not 404."""
    body = {"name": "other"} if method == "PUT" else ...
    refused(client.call(method, f"{WORKSPACES}/{unknown}", body), 403, "AB03")


# List


def test_list_has_recorded_envelope(client: Client) -> None:
    found = read(client, WORKSPACES)
    assert list(found) == ["object", "total", "data"]
    assert (found["object"], found["total"], len(found["data"])) == ("list", 3, 3)


def test_list_item_has_recorded_fields(client: Client) -> None:
    assert [list(item) for item in read(client, WORKSPACES)["data"]] == [ITEM_FIELDS] * 3


def test_list_item_agrees_with_a_read(client: Client) -> None:
    made = make_workspace(
        client, name="🧪 Lab", usage_limits=[BUDGET], rate_limits=[RATE], defaults={"metadata": {"team": "a"}}
    )
    item = read(client, WORKSPACES)["data"][0]
    assert (item.pop("status"), item.pop("scim_source_id")) == ("active", None)
    assert item == {name: made[name] for name in item}


def test_list_is_newest_first(client: Client) -> None:
    for minute in (1, 2, 2, 3):
        at(client, f"2030-01-01T00:0{minute}:00Z")
        make_workspace(client, name=f"Lab {len(listed(client))}")
    assert listed(client)[:4] == ["Lab 6", "Lab 5", "Lab 4", "Lab 3"]


@pytest.mark.parametrize(
    ("size", "page"),
    [("page_size", "current_page"), ("pageSize", "currentPage"), ("page_size", "currentPage"), ("pageSize", "current_page")],
)
def test_pages_are_zero_based_in_both_casings(client: Client, size: str, page: str) -> None:
    """Conventions, Paging: the Python client writes one casing, the document the other."""
    everything = listed(client)
    pages = [read(client, WORKSPACES, **{size: 2, page: number}) for number in range(3)]
    assert [[item["name"] for item in found["data"]] for found in pages] == [everything[:2], everything[2:], []]
    assert {found["total"] for found in pages} == {3}


def test_second_page_without_size_is_empty(client: Client) -> None:
    """All records are on page 0; who walks pages until one is short must come to an end."""
    assert listed(client, currentPage=1) == []


@pytest.mark.parametrize(
    "query", ["?", "?currentPage=0", "?pageSize=None&currentPage=None", "?name=None&exact_name=None&status=None"]
)
def test_none_in_a_query_is_absent(client: Client, query: str) -> None:
    """What the Python client writes for arguments that were not given."""
    assert client.get(f"{WORKSPACES}{query}").json() == read(client, WORKSPACES)


@pytest.mark.parametrize(
    "query", ["page_size=0", "pageSize=x", "current_page=-1", "status=deleted", "status=active,", "status="]
)
def test_list_refuses_impossible_queries(client: Client, query: str) -> None:
    refused(client.get(f"{WORKSPACES}?{query}"), 400, "AB01")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"name": "rod"}, ["Production"]),
        ({"name": "Prod"}, ["Production"]),
        ({"name": "prod"}, []),
        ({"name": "e"}, ["Research", "Shared Team Workspace"]),
        ({"exact_name": "Production"}, ["Production"]),
        ({"exact_name": "Prod"}, []),
        ({"exact_name": "production"}, []),
        ({"name": "Team", "exact_name": "Shared Team Workspace"}, ["Shared Team Workspace"]),
        ({"name": "Prod", "exact_name": "Research"}, []),
    ],
    ids=repr,
)
def test_list_filters_by_name(client: Client, query: Record, names: list[str]) -> None:
    """`name` is contained, in the same case; `exact_name` is the whole of it."""
    assert listed(client, **query) == names
    assert read(client, WORKSPACES, **query)["total"] == len(names)


def test_filtered_list_pages(client: Client) -> None:
    found = read(client, WORKSPACES, name="e", page_size=1, current_page=1)
    assert (found["total"], [item["name"] for item in found["data"]]) == (2, ["Shared Team Workspace"])


def test_workspace_key_lists_its_own_alone(client: Client) -> None:
    caller = client.as_key(make_key(client, scopes=["workspaces.list"]).secret)
    found = read(caller, WORKSPACES)
    assert (found["total"], [item["name"] for item in found["data"]]) == (1, ["Production"])


# Icons


def test_emoji_before_the_name_becomes_the_icon(client: Client) -> None:
    made = make_workspace(client, name="🚀 Rockets")
    assert (made["icon"], made["name"]) == ("🚀", "🚀 Rockets")
    assert client.get(f"{WORKSPACES}/{made['id']}?name_format=plain").json()["name"] == "Rockets"


@pytest.mark.parametrize("icon", ["🚀", "❤️", "👩‍🔬", "🇩🇪", "👍🏽"])
def test_icon_is_one_emoji_of_any_make(client: Client, icon: str) -> None:
    assert make_workspace(client, name=f"{icon} Lab")["icon"] == icon


@pytest.mark.parametrize("name", ["Lab", "1 Lab", "Lab 🚀", "Étude", "研究"])
def test_name_without_emoji_first_has_no_icon(client: Client, name: str) -> None:
    made = make_workspace(client, name=name)
    assert (made["icon"], made["name"]) == (None, name)


def test_icon_stands_before_the_name(client: Client) -> None:
    """Icon quirk: icon, one space, name, wherever the name is shown."""
    made = make_workspace(client, name="Rockets", icon="🚀")
    assert made["name"] == "🚀 Rockets"
    assert read_workspace(client, made["id"])["name"] == "🚀 Rockets"
    assert listed(client)[0] == "🚀 Rockets"


@pytest.mark.parametrize(("name_format", "name"), [("plain", "Rockets"), ("display", "🚀 Rockets"), ("None", "🚀 Rockets")])
def test_read_gives_the_name_as_asked(client: Client, name_format: str, name: str) -> None:
    made = make_workspace(client, name="Rockets", icon="🚀")
    assert read(client, f"{WORKSPACES}/{made['id']}", name_format=name_format)["name"] == name


def test_read_refuses_unknown_name_format(client: Client) -> None:
    refused(client.get(f"{WORKSPACES}/{PRODUCTION}?name_format=short"), 400, "AB01")


@pytest.mark.parametrize("cleared", ["", None], ids=["empty", "null"])
def test_icon_can_be_cleared(client: Client, cleared: str | None) -> None:
    made = make_workspace(client, name="Rockets", icon="🚀")
    done(client.put(f"{WORKSPACES}/{made['id']}", {"icon": cleared}))
    shown = read_workspace(client, made["id"])
    assert (shown["icon"], shown["name"]) == (None, "Rockets")


def test_renaming_keeps_the_icon(client: Client) -> None:
    made = make_workspace(client, name="Rockets", icon="🚀")
    done(client.put(f"{WORKSPACES}/{made['id']}", {"name": "Space"}))
    assert read_workspace(client, made["id"])["name"] == "🚀 Space"


def test_renaming_with_emoji_sets_the_icon(client: Client) -> None:
    done(client.put(f"{WORKSPACES}/{PRODUCTION}", {"name": "🚀 Rockets"}))
    shown = read(client, f"{WORKSPACES}/{PRODUCTION}", name_format="plain")
    assert (shown["icon"], shown["name"]) == ("🚀", "Rockets")


def test_writing_back_what_was_read_changes_no_name(client: Client) -> None:
    """A client that reads, changes a field and writes all of it back."""
    made = make_workspace(client, name="Rockets", icon="🚀")
    done(client.put(f"{WORKSPACES}/{made['id']}", {"name": made["name"], "icon": made["icon"]}))
    shown = read_workspace(client, made["id"])
    assert (shown["icon"], shown["name"]) == ("🚀", "🚀 Rockets")


def test_filter_finds_workspace_with_icon(client: Client) -> None:
    make_workspace(client, name="Rockets", icon="🚀")
    assert listed(client, name="Rock") == listed(client, exact_name="Rockets") == ["🚀 Rockets"]


# Update


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Staging"),
        ("description", "Trials"),
        ("description", None),
        ("defaults", {"metadata": {"team": "a"}}),
        ("usage_limits", [BUDGET]),
        ("rate_limits", [RATE]),
    ],
)
def test_update_changes_only_what_is_sent(client: Client, field: str, value: Any) -> None:
    before = read_workspace(client, PRODUCTION)
    at(client, "2029-01-01T00:00:00Z")
    done(client.put(f"{WORKSPACES}/{PRODUCTION}", {field: value}))
    after = read_workspace(client, PRODUCTION)
    assert changes(before, after) == {field, "last_updated_at"}
    assert (after[field], after["last_updated_at"]) == (value, "2029-01-01T00:00:00.000Z")


def test_update_replaces_defaults_as_a_whole(client: Client) -> None:
    """Observed: sending only input guardrails wiped the output guardrails."""
    made = make_workspace(client, defaults={"metadata": {"team": "a"}, "output_guardrails": ["pg-a"]})
    done(client.put(f"{WORKSPACES}/{made['id']}", {"defaults": {"input_guardrails": ["pg-b"]}}))
    assert read_workspace(client, made["id"])["defaults"] == {"input_guardrails": ["pg-b"]}


@pytest.mark.parametrize("field", ["usage_limits", "rate_limits", "defaults", "description"])
def test_null_clears_a_field(client: Client, field: str) -> None:
    given: Record = {"usage_limits": [BUDGET], "rate_limits": [RATE], "defaults": {"metadata": {}}, "description": "Trials"}
    made = make_workspace(client, **given)
    done(client.put(f"{WORKSPACES}/{made['id']}", {field: None}))
    shown = read_workspace(client, made["id"])
    assert {name: shown[name] for name in given} == given | {field: None}


@pytest.mark.parametrize("field", ["usage_limits", "rate_limits"])
def test_empty_list_clears_like_null(client: Client, field: str) -> None:
    made = make_workspace(client, usage_limits=[BUDGET], rate_limits=[RATE])
    done(client.put(f"{WORKSPACES}/{made['id']}", {field: []}))
    assert read_workspace(client, made["id"])[field] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", NOBODY),
        ("slug", "ws-other-000000"),
        ("organisation_id", NOBODY),
        ("is_default", 1),
        ("status", "archived"),
        ("users", []),
        ("created_at", "2020-01-01T00:00:00.000Z"),
        ("settings", {}),
    ],
)
def test_update_ignores_immutable_fields(client: Client, field: str, value: Any) -> None:
    before = read_workspace(client, PRODUCTION)
    at(client, "2029-01-01T00:00:00Z")
    done(client.put(f"{WORKSPACES}/{PRODUCTION}", {field: value}))
    assert read_workspace(client, PRODUCTION) == before


def test_renaming_keeps_the_slug(client: Client) -> None:
    done(client.put(f"{WORKSPACES}/{PRODUCTION}", {"name": "Staging"}))
    shown = read_workspace(client, PRODUCTION)
    assert (shown["name"], shown["slug"]) == ("Staging", PRODUCTION)


@pytest.mark.parametrize("options", [{}, {"json": {}}, {"headers": {"content-type": "application/json"}}])
def test_update_without_fields_changes_nothing(client: Client, options: Record) -> None:
    before = read_workspace(client, PRODUCTION)
    at(client, "2029-01-01T00:00:00Z")
    done(client.put(f"{WORKSPACES}/{PRODUCTION}", **options))
    assert read_workspace(client, PRODUCTION) == before


def test_security_settings_cannot_be_overridden(client: Client) -> None:
    """400 AB01 with this text, unless the organisation allows it."""
    given = read_workspace(client, PRODUCTION)["security_settings"]
    before = state(client)
    data = refused(client.put(f"{WORKSPACES}/{PRODUCTION}", {"security_settings": given, "name": "Staging"}), 400, "AB01")
    assert "Workspace override is not enabled" in data["message"]
    assert state(client) == before


@pytest.mark.parametrize("own", [{"_usage": 7}, {"_usage": "abc"}, {"id": NOBODY}], ids=str)
def test_create_says_nothing_of_what_is_the_services(client: Client, own: Record) -> None:
    made = make_workspace(client, usage_limits=[{"type": "cost", "credit_limit": 5}], **own)
    assert made["id"] != NOBODY
    assert read_workspace(client, made["id"])["usage_limits"] == [{"type": "cost", "credit_limit": 5}]


@pytest.mark.parametrize("form", ["id", "slug"])
def test_config_of_user_keys_comes_back_as_slug(client: Client, form: str) -> None:
    config = client.post(
        "/v1/configs", {"name": "Cheap", "config": {"retry": {"attempts": 2}}, "workspace_id": PRODUCTION}
    ).json()
    done(client.put(f"{WORKSPACES}/{PRODUCTION}", {"defaults": {"user_api_key_config": config[form]}}))
    assert read_workspace(client, PRODUCTION)["defaults"] == {"user_api_key_config": config["slug"]}


def test_null_clears_config_of_user_keys(client: Client) -> None:
    made = make_workspace(client, defaults={"user_api_key_config": "pc-a"})
    done(client.put(f"{WORKSPACES}/{made['id']}", {"defaults": {"user_api_key_config": None}}))
    assert read_workspace(client, made["id"])["defaults"].get("user_api_key_config") is None


# Delete


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"json": {}},
        {"json": {"name": "Lab"}},
        {"json": {"name": "Lab", "force_delete": True}},
        {"json": {"name": "Lab", "workspace_id": NOBODY}},
        {"json": {"name": None}},
        {"headers": {"content-type": "application/json"}},
    ],
    ids=repr,
)
def test_delete_takes_what_clients_send_along(client: Client, options: Record) -> None:
    """Nothing, as in the document; the name, as the Python client and the Terraform provider do."""
    made = make_workspace(client, name="Lab")
    done(client.delete(f"{WORKSPACES}/{made['id']}", **options))


@pytest.mark.parametrize("name", ["🚀 Rockets", "Rockets"])
def test_delete_takes_name_with_and_without_icon(client: Client, name: str) -> None:
    made = make_workspace(client, name="🚀 Rockets")
    done(client.delete(f"{WORKSPACES}/{made['id']}", {"name": name}))


@pytest.mark.parametrize("name", ["lab", "La", ""])
def test_delete_refuses_another_name(client: Client, name: str) -> None:
    made = make_workspace(client, name="Lab")
    before = state(client)
    data = refused(client.delete(f"{WORKSPACES}/{made['id']}", {"name": name}), 400, "AB01")
    assert data["violations"][0]["pointer"] == "/name"
    assert state(client) == before


def test_default_workspace_cannot_be_deleted(client: Client) -> None:
    before = state(client)
    refused(client.delete(f"{WORKSPACES}/{SHARED}"), 400, "AB01")
    assert state(client) == before


DEPENDENTS: dict[str, tuple[str, Record]] = {
    "Virtual Keys": ("/v1/virtual-keys", {"name": "one", "provider": "openai", "key": "sk-example-1"}),
    "Configs": ("/v1/configs", {"name": "one", "config": {"retry": {"attempts": 2}}}),
    "Prompt Partials": ("/v1/prompts/partials", {"name": "one", "string": "Be brief."}),
    "Guardrails": ("/v1/guardrails", {"name": "one", "checks": [{"id": "default.isAllLowerCase"}], "actions": {}}),
}
"""What a refusal calls a dependent, and how one is made."""


@pytest.mark.parametrize("called", DEPENDENTS)
@pytest.mark.parametrize("force", [False, True])
def test_dependents_keep_a_workspace(client: Client, called: str, force: bool) -> None:
    """409 AB07 with this text; `force_delete` does not cascade (the newer of two reports)."""
    made = make_workspace(client, name="Lab")
    path, fields = DEPENDENTS[called]
    dependent = client.post(path, {**fields, "workspace_id": made["id"]}).json()
    before = state(client)
    reply = client.delete(f"{WORKSPACES}/{made['id']}", {"name": "Lab", "force_delete": force})
    assert refused(reply, 409, "AB07")["message"] == f"Unable to delete. Please ensure that all {called} are deleted"
    assert state(client) == before
    assert client.delete(f"{path}/{dependent['slug']}").status_code == 200
    done(client.delete(f"{WORKSPACES}/{made['id']}", {"name": "Lab"}))


def test_prompt_keeps_a_workspace(client: Client) -> None:
    made = make_workspace(client, name="Lab")
    collection = client.post("/v1/collections", {"name": "Mine", "workspace_id": made["id"]}).json()
    fields = {
        "name": "one",
        "collection_id": collection["id"],
        "string": "Hello",
        "parameters": {},
        "virtual_key": "a",
        "model": "m",
    }
    prompt = client.post("/v1/prompts", fields).json()
    reply = client.delete(f"{WORKSPACES}/{made['id']}")
    assert refused(reply, 409, "AB07")["message"] == "Unable to delete. Please ensure that all Prompts are deleted"
    done(client.delete(f"/v1/prompts/{prompt['slug']}"))
    done(client.delete(f"{WORKSPACES}/{made['id']}"))


def test_provider_of_the_seed_keeps_its_workspace(client: Client) -> None:
    refused(client.delete(f"{WORKSPACES}/{PRODUCTION}", {"name": "Production"}), 409, "AB07")


def test_keys_do_not_keep_a_workspace(client: Client) -> None:
    """They are not among the dependents that the service names."""
    made = make_workspace(client, users=[user_id(client, DARA)])
    make_key(client, workspace_id=made["id"])
    done(client.delete(f"{WORKSPACES}/{made['id']}"))


@pytest.mark.parametrize("form", ["id", "slug"])
@pytest.mark.parametrize(
    ("method", "end", "body"),
    [
        ("GET", "", ...),
        ("PUT", "", {"name": "Other"}),
        ("DELETE", "", ...),
        ("GET", "/users", ...),
        ("POST", "/users", {"users": [{"id": NOBODY}]}),
        ("GET", f"/users/{NOBODY}", ...),
    ],
)
def test_deleted_workspace_is_forbidden(client: Client, form: str, method: str, end: str, body: Any) -> None:
    """Errors, Missing-resource status: 403 AB03."""
    made = make_workspace(client)
    done(client.delete(f"{WORKSPACES}/{made['id']}"))
    refused(client.call(method, f"{WORKSPACES}/{made[form]}{end}", body), 403, "AB03")


def test_deleted_workspace_takes_no_keys(client: Client) -> None:
    made = make_workspace(client)
    done(client.delete(f"{WORKSPACES}/{made['id']}"))
    body = {"name": "app", "scopes": ["logs.view"], "workspace_id": made["id"]}
    refused(client.post("/v1/api-keys/workspace/service", body), 403, "AB03")


def test_deleted_workspace_is_listed_as_archived(client: Client) -> None:
    """Soft delete."""
    at(client, "2029-01-01T00:00:00Z")
    done(client.delete(f"{WORKSPACES}/{RESEARCH}"))
    item = read(client, WORKSPACES, status="archived")["data"][0]
    assert (item["slug"], item["status"]) == (RESEARCH, "archived")
    assert item["last_updated_at"] == "2029-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("status", "names"),
    [
        (None, ["Production", "Shared Team Workspace"]),
        ("active", ["Production", "Shared Team Workspace"]),
        ("archived", ["Research"]),
        ("active,archived", ["Research", "Production", "Shared Team Workspace"]),
        ("archived,active", ["Research", "Production", "Shared Team Workspace"]),
    ],
)
def test_list_filters_by_status(client: Client, status: str | None, names: list[str]) -> None:
    done(client.delete(f"{WORKSPACES}/{RESEARCH}"))
    query = {} if status is None else {"status": status}
    found = read(client, WORKSPACES, **query)
    assert ([item["name"] for item in found["data"]], found["total"]) == (names, len(names))


def test_archived_workspaces_are_for_admins(client: Client) -> None:
    caller = client.as_key(make_key(client, scopes=["workspaces.list"]).secret)
    done(client.delete(f"{WORKSPACES}/{RESEARCH}"))
    assert listed(caller, status="archived") == []
    assert listed(caller, status="active,archived") == ["Production"]


def test_archived_workspace_can_be_found_by_name(client: Client) -> None:
    done(client.delete(f"{WORKSPACES}/{RESEARCH}"))
    assert listed(client, name="Res") == []
    assert listed(client, name="Res", status="archived") == ["Research"]


def test_keys_go_with_their_workspace(client: Client) -> None:
    """*chosen*: a key of no workspace could do nothing."""
    made = make_workspace(client)
    key = make_key(client, workspace_id=made["id"])
    done(client.delete(f"{WORKSPACES}/{made['id']}"))
    assert client.get(f"/v1/api-keys/{key.id}").status_code in (403, 404)
    assert key.id not in client.get("/v1/api-keys").text


@pytest.mark.parametrize("mode", ["client", "strict"])
def test_secrets_of_deleted_workspace_are_refused(mode: str, request: pytest.FixtureRequest) -> None:
    """Under open as well: they are no unknown keys, and must not become an admin's."""
    client: Client = request.getfixturevalue(mode)
    made = make_workspace(client)
    key = make_key(client, workspace_id=made["id"], scopes=["workspaces.list"])
    done(client.delete(f"{WORKSPACES}/{made['id']}"))
    refused(client.as_key(key.secret).get(WORKSPACES), 401, "AB05")


def test_slug_of_archived_workspace_stays_taken(client: Client) -> None:
    """*chosen*: it is still shown, so a second one would be ambiguous."""
    done(client.delete(f"{WORKSPACES}/{RESEARCH}"))
    refused(client.post(WORKSPACES, {"name": "Research", "slug": RESEARCH}), 409, "AB07")


# Who may


def test_workspace_key_makes_no_workspace(client: Client) -> None:
    caller = client.as_key(make_key(client, scopes=["workspaces.create"]).secret)
    before = state(client)
    refused(caller.post(WORKSPACES, {"name": "Lab"}), 403, "AB03")
    assert state(client) == before


@pytest.mark.parametrize(("method", "body"), [("GET", ...), ("PUT", {"name": "Other"}), ("DELETE", ...)])
@pytest.mark.parametrize("form", ["id", "slug"])
def test_workspace_key_reaches_no_other_workspace(client: Client, form: str, method: str, body: Any) -> None:
    """Errors: 403 AB03 for what is not in the caller's workspace."""
    scopes = [f"workspaces.{verb}" for verb in ("read", "update", "delete")]
    caller = client.as_key(make_key(client, scopes=scopes).secret)
    before = state(client)
    other = RESEARCH if form == "slug" else workspace_id(client, RESEARCH)
    refused(caller.call(method, f"{WORKSPACES}/{other}", body), 403, "AB03")
    assert state(client) == before


def test_workspace_key_reads_and_changes_its_own(client: Client) -> None:
    caller = client.as_key(make_key(client, scopes=["workspaces.read", "workspaces.update"]).secret)
    done(caller.put(f"{WORKSPACES}/{PRODUCTION}", {"description": "Trials"}))
    assert read_workspace(caller, PRODUCTION)["description"] == "Trials"


# As the Terraform provider goes about it


def test_terraform_lives_through_a_workspace(client: Client) -> None:
    """Create (and trust the reply), read twice, change one field, clear another, delete with the name, read."""
    at(client, "2026-05-05T10:00:00Z")
    body = {"name": "Lab", "description": "By Terraform", "defaults": {"metadata": {"team": "a"}}, "rate_limits": [RATE]}
    first = make_workspace(client, **body)
    assert {name: first[name] for name in body} == body
    path = f"{WORKSPACES}/{first['id']}"
    assert client.get(path).json() == client.get(path).json() == first

    at(client, "2026-05-05T10:01:00Z")
    done(client.put(path, {"name": "Laboratory"}))
    second = client.get(path).json()
    assert changes(first, second) == {"name", "last_updated_at"}

    at(client, "2026-05-05T10:02:00Z")
    done(client.put(path, {"rate_limits": None}))
    third = client.get(path).json()
    assert changes(second, third) == {"rate_limits", "last_updated_at"}

    done(client.delete(path, {"name": "Laboratory", "force_delete": True}))
    refused(client.get(path), 403, "AB03")
