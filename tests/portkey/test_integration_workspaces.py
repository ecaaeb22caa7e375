"""Which workspaces may use an integration, through the front door.

Source of every rule that names none: identity-and-access, Integration workspaces.
"""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.catalogue import (
    ADMIN,
    BUDGET,
    GRANTED,
    INTEGRATIONS,
    PROVIDERS,
    RATE,
    VIRTUAL_KEYS,
    accesses,
    as_admin,
    as_asker,
    as_workspace,
    ask,
    grant,
    make_integration,
    make_provider,
    providers,
    read_integration,
)
from tests.portkey.team import (
    PRODUCTION,
    RESEARCH,
    SHARED,
    at,
    changes,
    done,
    make_workspace,
    read,
    refused,
    state,
    workspace_id,
)

PATH = f"{INTEGRATIONS}/ours/workspaces"
TEAM = {SHARED, PRODUCTION, RESEARCH}
FLAGS = ["override_existing_workspace_access", "override_existing_workspaces_access"]
"""As the published interface spells it, and as the SDKs do (sdk-call-map 6.1)."""


@pytest.fixture
def ours(client: Client) -> Client:
    """A world with an integration of OpenAI, in May 2026."""
    at(client, "2026-05-03T17:08:55Z")
    make_integration(client)
    return client


def put(client: Client, *rows: Record, **fields: Any) -> None:
    """Say who may use the integration."""
    done(client.put(PATH, {"workspaces": list(rows), **fields}))


def enabled(client: Client) -> dict[str, bool]:
    """Which workspaces may use the integration, and which may not any more."""
    return {slug: row["enabled"] for slug, row in accesses(client).items()}


def may_ask(client: Client, workspace: str) -> bool:
    """Whether the provider that a grant makes answers a key of the workspace."""
    return ask(as_asker(client, workspace), "@ours/gpt-4o").status_code == 200


# What is shown


def test_nobody_may_use_a_new_integration(ours: Client) -> None:
    assert read(ours, PATH) == {"workspaces": [], "total": 0, "global_workspace_access": None}


@pytest.mark.parametrize("form", ["id", "slug"])
def test_row_has_the_slug_of_its_workspace(ours: Client, form: str) -> None:
    grant(ours, {"id": workspace_id(ours), "slug": PRODUCTION}[form])
    assert read(ours, PATH)["workspaces"] == [
        {
            "id": PRODUCTION,
            "enabled": True,
            "usage_limits": None,
            "rate_limits": None,
            "created_at": "2026-05-03T17:08:55.000Z",
            "last_updated_at": "2026-05-03T17:08:55.000Z",
        }
    ]


def test_rows_are_newest_first(ours: Client) -> None:
    """Conventions: Lists."""
    grant(ours, PRODUCTION)
    grant(ours, RESEARCH)
    assert list(accesses(ours)) == [RESEARCH, PRODUCTION]
    assert read(ours, PATH)["total"] == 2


def test_integration_counts_who_may_use_it(ours: Client) -> None:
    grant(ours, PRODUCTION, RESEARCH, SHARED)
    grant(ours, RESEARCH, enabled=False)
    assert read_integration(ours)["workspace_count"] == 2


def test_limits_are_arrays(ours: Client) -> None:
    grant(ours, PRODUCTION, usage_limits=[BUDGET], rate_limits=[RATE])
    row = accesses(ours)[PRODUCTION]
    assert (row["usage_limits"], row["rate_limits"]) == ([BUDGET], [RATE])


def test_whole_limit_is_written_without_a_fraction(ours: Client) -> None:
    """Conventions, Common objects: the Terraform provider decodes an integer here; `10`, not `10.0`."""
    grant(ours, PRODUCTION, usage_limits=[{"type": "cost", "credit_limit": 10.0}])
    assert '"credit_limit":10}' in ours.get(PATH).text


@pytest.mark.parametrize("field", ["usage_limits", "rate_limits"])
@pytest.mark.parametrize("given", [None, [], ...], ids=["null", "empty", "absent"])
def test_limits_are_null_when_none(ours: Client, field: str, given: Any) -> None:
    grant(ours, PRODUCTION, **({} if given is ... else {field: given}))
    assert accesses(ours)[PRODUCTION][field] is None


# What is refused


@pytest.mark.parametrize(
    ("row", "pointer"),
    [
        ({"enabled": True}, "/workspaces/0/id"),
        ({"id": PRODUCTION}, "/workspaces/0/enabled"),
        ({"id": PRODUCTION, "enabled": 1}, "/workspaces/0/enabled"),
        ({"id": PRODUCTION, "enabled": True, "usage_limits": [BUDGET, BUDGET]}, "/workspaces/0/usage_limits"),
        ({"id": PRODUCTION, "enabled": True, "rate_limits": [RATE, RATE]}, "/workspaces/0/rate_limits"),
        ({"id": PRODUCTION, "enabled": True, "usage_limits": BUDGET}, "/workspaces/0/usage_limits"),
        ({"id": PRODUCTION, "enabled": True, "rate_limits": [{"type": "tokens"}]}, "/workspaces/0/rate_limits/0/unit"),
        ({"id": PRODUCTION, "enabled": True, "default_provider_slug": "a b"}, "/workspaces/0/default_provider_slug"),
    ],
)  # fmt: skip
def test_row_that_breaks_the_contract_is_refused(ours: Client, row: Record, pointer: str) -> None:
    before = state(ours)
    data = refused(ours.put(PATH, {"workspaces": [row]}), 400, "AB01")
    assert data["violations"][0]["pointer"] == pointer
    assert state(ours) == before


def test_limit_that_contradicts_itself_is_refused(ours: Client) -> None:
    limit = {"type": "cost", "credit_limit": 5, "periodic_reset": "weekly", "periodic_reset_days": 3}
    before = state(ours)
    data = refused(ours.put(PATH, {"workspaces": [{"id": PRODUCTION, "enabled": True, "usage_limits": [limit]}]}), 400, "AB01")
    assert data["violations"][0]["message"] == "Cannot set both periodic_reset and periodic_reset_days"
    assert state(ours) == before


def test_unknown_workspace_is_forbidden_and_nobody_is_let_in(ours: Client) -> None:
    """Errors: Missing-resource status."""
    before = state(ours)
    rows = [{"id": PRODUCTION, "enabled": True}, {"id": "ws-nowhere", "enabled": True}]
    refused(ours.put(PATH, {"workspaces": rows}), 403, "AB03")
    assert state(ours) == before


@pytest.mark.parametrize("field", ["_usage", "created_at", "_to_all", "status"])
def test_what_is_not_for_callers_is_ignored(ours: Client, field: str) -> None:
    """Conventions: Request tolerance."""
    grant(ours, PRODUCTION, usage_limits=[BUDGET], **{field: "much"})
    row = accesses(ours)[PRODUCTION]
    assert row.keys() == {"id", "enabled", "usage_limits", "rate_limits", "created_at", "last_updated_at"}
    assert (row["usage_limits"], row["created_at"]) == ([BUDGET], "2026-05-03T17:08:55.000Z")


@pytest.mark.parametrize(("method", "body"), [("GET", ...), ("PUT", {"workspaces": []})], ids=["list", "update"])
def test_only_an_admin_key_may(ours: Client, method: str, body: Any) -> None:
    make_integration(ours, "theirs", workspace_id=PRODUCTION)
    scopes = [*ADMIN, "workspace_integrations.read", "workspace_integrations.update"]
    for slug in ("ours", "theirs"):
        path = f"{INTEGRATIONS}/{slug}/workspaces"
        refused(as_workspace(ours, *scopes).call(method, path, body), 403, "AB03")
        assert as_admin(ours, *ADMIN).call(method, path, body).status_code == 200
        refused(
            as_admin(ours, "organisation_integrations.read", "organisation_integrations.update").call(method, path, body),
            403,
            "AB03",
        )


# One workspace after the other


def test_rows_that_are_not_named_stay(ours: Client) -> None:
    grant(ours, PRODUCTION, usage_limits=[BUDGET])
    before = accesses(ours)[PRODUCTION]
    at(ours, "2026-05-04T10:00:00Z")
    grant(ours, RESEARCH)
    assert accesses(ours)[PRODUCTION] == before


def test_terms_that_are_not_said_stay(ours: Client) -> None:
    grant(ours, PRODUCTION, usage_limits=[BUDGET], rate_limits=[RATE])
    before = accesses(ours)[PRODUCTION]
    at(ours, "2026-05-04T10:00:00Z")
    grant(ours, PRODUCTION, rate_limits=[{**RATE, "value": 5}])
    assert changes(before, accesses(ours)[PRODUCTION]) == {"rate_limits", "last_updated_at"}


@pytest.mark.parametrize("none", [None, []], ids=["null", "empty"])
@pytest.mark.parametrize("field", ["usage_limits", "rate_limits"])
def test_limits_are_cleared(ours: Client, field: str, none: Any) -> None:
    grant(ours, PRODUCTION, usage_limits=[BUDGET], rate_limits=[RATE])
    grant(ours, PRODUCTION, **{field: none})
    assert [name for name, value in accesses(ours)[PRODUCTION].items() if value is None] == [field]


def test_switched_off_row_stays(ours: Client) -> None:
    """The Terraform provider deletes this way and reads back."""
    grant(ours, PRODUCTION, usage_limits=[BUDGET])
    before = accesses(ours)[PRODUCTION]
    at(ours, "2026-05-04T10:00:00Z")
    grant(ours, PRODUCTION, enabled=False)
    row = accesses(ours)[PRODUCTION]
    assert row == before | {"enabled": False, "last_updated_at": "2026-05-04T10:00:00.000Z"}


def test_row_may_be_switched_off_before_it_was_on(ours: Client) -> None:
    grant(ours, PRODUCTION, enabled=False)
    assert enabled(ours) == {PRODUCTION: False}
    assert "ours" not in providers(ours)


def test_call_without_a_body_changes_nothing(ours: Client) -> None:
    grant(ours, PRODUCTION)
    before = read(ours, PATH), read_integration(ours)
    at(ours, "2026-05-04T10:00:00Z")
    done(ours.put(PATH))
    done(ours.put(PATH, {}))
    assert (read(ours, PATH), read_integration(ours)) == before


# What a grant brings along


def test_grant_makes_a_provider(ours: Client) -> None:
    """Recorded: slug and name of the integration, and this note; seen as a provider and as a virtual key."""
    grant(ours, PRODUCTION)
    common = {"slug": "ours", "name": "Ours", "note": GRANTED, "integration_id": "ours", "status": "active"}
    for path, kind in ((PROVIDERS, "provider"), (VIRTUAL_KEYS, "virtual-key")):
        shown = read(ours, f"{path}/ours", workspace_id=PRODUCTION)
        assert shown.items() >= (common | {"object": kind}).items()
        assert read(ours, path, workspace_id=PRODUCTION)["data"][0].items() >= (common | {"object": kind}).items()


def test_provider_of_a_grant_has_no_limits_of_its_own(ours: Client) -> None:
    grant(ours, PRODUCTION, usage_limits=[BUDGET], rate_limits=[RATE])
    shown = read(ours, f"{PROVIDERS}/ours")
    assert (shown["usage_limits"], shown["rate_limits"]) == (None, [])


@pytest.mark.parametrize("where", ["row", "call"])
def test_provider_may_be_left_out(ours: Client, where: str) -> None:
    row: Record = {"id": PRODUCTION, "enabled": True}
    put(ours, row | ({"create_default_provider": False} if where == "row" else {}), create_default_provider=where == "row")
    assert "ours" not in providers(ours)
    assert enabled(ours) == {PRODUCTION: True}


@pytest.mark.parametrize("where", ["row", "call"])
def test_provider_may_have_its_own_slug(ours: Client, where: str) -> None:
    named = {"default_provider_slug": "fast"}
    row: Record = {"id": PRODUCTION, "enabled": True}
    put(ours, row | (named if where == "row" else {}), **(named if where == "call" else {}))
    assert providers(ours)["fast"]["integration_id"] == "ours"


def test_slug_of_the_row_beats_that_of_the_call(ours: Client) -> None:
    put(ours, {"id": PRODUCTION, "enabled": True, "default_provider_slug": "one"}, {"id": RESEARCH, "enabled": True},
        default_provider_slug="two")  # fmt: skip
    assert "one" in providers(ours, PRODUCTION)
    assert "two" in providers(ours, RESEARCH)


def test_taken_slug_is_refused_and_nobody_is_let_in(ours: Client) -> None:
    before = state(ours)
    rows = [{"id": RESEARCH, "enabled": True}, {"id": PRODUCTION, "enabled": True}]
    body = {"workspaces": rows, "default_provider_slug": "openai-evaluations"}
    data = refused(ours.put(PATH, body), 400, "AB01")
    assert data["violations"][0]["pointer"] == "/default_provider_slug"
    assert state(ours) == before


def test_second_grant_makes_no_second_provider(ours: Client) -> None:
    grant(ours, PRODUCTION)
    before = providers(ours)
    grant(ours, PRODUCTION, enabled=False)
    grant(ours, PRODUCTION)
    assert providers(ours) == before


def test_deleted_provider_stays_away_while_access_lasts(ours: Client) -> None:
    grant(ours, PRODUCTION)
    done(ours.delete(f"{PROVIDERS}/ours"))
    grant(ours, PRODUCTION, rate_limits=[RATE])
    assert "ours" not in providers(ours)


def test_provider_keeps_its_workspace_from_deletion(ours: Client) -> None:
    """Workspaces: Delete; the providers of grants are to be removed first."""
    workspace = make_workspace(ours)["slug"]
    path = f"/v1/admin/workspaces/{workspace}"
    grant(ours, workspace)
    message = refused(ours.delete(path), 409, "AB07")["message"]
    assert message == "Unable to delete. Please ensure that all Virtual Keys are deleted"
    grant(ours, workspace, enabled=False)
    refused(ours.delete(path), 409, "AB07")
    done(ours.delete(f"{PROVIDERS}/ours", params={"workspace_id": workspace}))
    done(ours.delete(path))


def test_row_goes_with_its_workspace(ours: Client) -> None:
    workspace = make_workspace(ours)["slug"]
    grant(ours, workspace, PRODUCTION)
    done(ours.delete(f"{PROVIDERS}/ours", params={"workspace_id": workspace}))
    done(ours.delete(f"/v1/admin/workspaces/{workspace}"))
    assert enabled(ours) == {PRODUCTION: True}
    assert read_integration(ours)["workspace_count"] == 1


def test_provider_outlives_the_access_and_answers_no_more(ours: Client) -> None:
    """*chosen*: whether providers vanish is unknown."""
    grant(ours, PRODUCTION)
    assert may_ask(ours, PRODUCTION) is True
    grant(ours, PRODUCTION, enabled=False)
    assert providers(ours)["ours"]["status"] == "active"
    reply = ask(as_asker(ours), "@ours/gpt-4o")
    assert (reply.status_code, reply.json()["error"]["type"]) == (412, "model_not_allowed_error")
    grant(ours, PRODUCTION)
    assert may_ask(ours, PRODUCTION) is True


# Override


@pytest.mark.parametrize("flag", FLAGS)
def test_override_takes_away_what_is_not_named(ours: Client, flag: str) -> None:
    grant(ours, PRODUCTION, RESEARCH)
    put(ours, {"id": RESEARCH, "enabled": True}, {"id": SHARED, "enabled": True}, **{flag: True})
    assert enabled(ours) == {SHARED: True, RESEARCH: True}
    assert may_ask(ours, PRODUCTION) is False


@pytest.mark.parametrize("flag", FLAGS)
def test_override_with_nobody_takes_away_all(ours: Client, flag: str) -> None:
    """Since backend 1.11.1."""
    grant(ours, PRODUCTION, RESEARCH)
    put(ours, **{flag: True})
    assert read(ours, PATH)["workspaces"] == []
    assert read_integration(ours)["workspace_count"] == 0


@pytest.mark.parametrize("flag", FLAGS)
def test_flag_that_is_false_overrides_nothing(ours: Client, flag: str) -> None:
    grant(ours, PRODUCTION)
    put(ours, {"id": RESEARCH, "enabled": True}, **{flag: False})
    assert enabled(ours) == {PRODUCTION: True, RESEARCH: True}


def test_override_keeps_the_terms_of_who_is_named(ours: Client) -> None:
    grant(ours, PRODUCTION, rate_limits=[RATE])
    put(ours, {"id": PRODUCTION, "enabled": True}, override_existing_workspace_access=True)
    assert accesses(ours)[PRODUCTION]["rate_limits"] == [RATE]


# For all


def open_to_all(client: Client, **terms: Any) -> None:
    done(client.put(PATH, {"global_workspace_access": {"enabled": True, **terms}}))


def test_access_for_all_lets_every_workspace_in(ours: Client) -> None:
    open_to_all(ours, rate_limits=[RATE])
    assert enabled(ours) == dict.fromkeys(TEAM, True)
    assert {slug: row["rate_limits"] for slug, row in accesses(ours).items()} == {each: [RATE] for each in TEAM}
    assert [providers(ours, each)["ours"]["note"] for each in TEAM] == [GRANTED] * 3


def test_access_for_all_is_shown(ours: Client) -> None:
    open_to_all(ours, usage_limits=[BUDGET])
    shown = {"enabled": True, "usage_limits": [BUDGET], "rate_limits": None}
    assert read(ours, PATH)["global_workspace_access"] == shown
    integration = read_integration(ours)
    assert integration["global_workspace_access"] == integration["global_workspace_access_settings"] == shown
    assert integration["workspace_count"] == 3


def test_access_for_all_goes_to_later_workspaces(ours: Client) -> None:
    """Workspaces, Create: providers exist at once, so even an untouched workspace cannot be deleted."""
    open_to_all(ours, rate_limits=[RATE])
    workspace = make_workspace(ours)["slug"]
    assert accesses(ours)[workspace]["rate_limits"] == [RATE]
    assert providers(ours, workspace)["ours"]["note"] == GRANTED
    assert may_ask(ours, workspace) is True
    refused(ours.delete(f"/v1/admin/workspaces/{workspace}"), 409, "AB07")


@pytest.mark.parametrize("none", [None, {"enabled": False}], ids=["null", "false"])
def test_withdrawn_access_for_all_closes_every_workspace(ours: Client, none: Any) -> None:
    open_to_all(ours)
    done(ours.put(PATH, {"global_workspace_access": none}))
    assert enabled(ours) == dict.fromkeys(TEAM, False)
    assert (read(ours, PATH)["global_workspace_access"] or {"enabled": False})["enabled"] is False
    assert may_ask(ours, RESEARCH) is False


def test_withdrawn_access_for_all_does_not_go_to_later_workspaces(ours: Client) -> None:
    open_to_all(ours)
    done(ours.put(PATH, {"global_workspace_access": None}))
    workspace = make_workspace(ours)["slug"]
    assert workspace not in accesses(ours)
    assert providers(ours, workspace) == {}


def test_access_for_all_comes_back(ours: Client) -> None:
    open_to_all(ours)
    before = read(ours, PROVIDERS)["total"]
    done(ours.put(PATH, {"global_workspace_access": None}))
    open_to_all(ours)
    assert enabled(ours) == dict.fromkeys(TEAM, True)
    assert read(ours, PROVIDERS)["total"] == before


@pytest.mark.parametrize("allowed", [True, False])
def test_own_terms_beat_those_for_all(ours: Client, allowed: bool) -> None:
    grant(ours, PRODUCTION, enabled=allowed, rate_limits=[RATE])
    before = accesses(ours)[PRODUCTION]
    at(ours, "2026-05-04T10:00:00Z")
    open_to_all(ours)
    assert accesses(ours)[PRODUCTION] == before
    assert enabled(ours) == {SHARED: True, RESEARCH: True, PRODUCTION: allowed}


def test_own_terms_outlive_those_for_all(ours: Client) -> None:
    open_to_all(ours)
    grant(ours, PRODUCTION)
    done(ours.put(PATH, {"global_workspace_access": None}))
    assert enabled(ours) == {SHARED: False, RESEARCH: False, PRODUCTION: True}


def test_new_terms_for_all_replace_the_old(ours: Client) -> None:
    open_to_all(ours, usage_limits=[BUDGET])
    open_to_all(ours, rate_limits=[RATE])
    row = accesses(ours)[RESEARCH]
    assert (row["usage_limits"], row["rate_limits"]) == (None, [RATE])


def test_terms_for_all_stay_when_they_are_not_named(ours: Client) -> None:
    open_to_all(ours, rate_limits=[RATE])
    before = accesses(ours)
    at(ours, "2026-05-04T10:00:00Z")
    grant(ours, PRODUCTION, rate_limits=None)
    assert read(ours, PATH)["global_workspace_access"]["enabled"] is True
    assert {slug: row for slug, row in accesses(ours).items() if slug != PRODUCTION} == {
        slug: row for slug, row in before.items() if slug != PRODUCTION
    }


def test_override_leaves_what_is_for_all(ours: Client) -> None:
    """*chosen*: otherwise the integration would say that all may use it while nobody may."""
    open_to_all(ours)
    grant(ours, PRODUCTION, rate_limits=[RATE])
    grant(ours, SHARED, enabled=False)
    put(ours, override_existing_workspace_access=True)
    assert enabled(ours) == dict.fromkeys(TEAM, True)
    assert accesses(ours)[PRODUCTION]["rate_limits"] is None


def test_override_and_withdrawal_leave_nobody(ours: Client) -> None:
    open_to_all(ours)
    put(ours, global_workspace_access=None, override_existing_workspace_access=True)
    assert read(ours, PATH) == {"workspaces": [], "total": 0, "global_workspace_access": None}


def test_some_may_be_named_beside_all(ours: Client) -> None:
    put(ours, {"id": PRODUCTION, "enabled": False}, global_workspace_access={"enabled": True})
    assert enabled(ours) == {SHARED: True, RESEARCH: True, PRODUCTION: False}


def test_access_for_all_may_bring_no_providers(ours: Client) -> None:
    """*chosen*: nor to workspaces that come later."""
    body = {"global_workspace_access": {"enabled": True}, "create_default_provider": False}
    done(ours.put(PATH, body))
    workspace = make_workspace(ours)["slug"]
    assert enabled(ours) == dict.fromkeys(TEAM | {workspace}, True)
    assert [providers(ours, each).get("ours") for each in (*TEAM, workspace)] == [None] * 4
    done(ours.delete(f"/v1/admin/workspaces/{workspace}"))


def test_access_for_all_may_name_the_slug(ours: Client) -> None:
    """*chosen*: where it is taken, the provider gets another, since nobody can choose for all workspaces."""
    make_provider(ours, "fast", "openai-production")
    body = {"global_workspace_access": {"enabled": True}, "default_provider_slug": "fast"}
    done(ours.put(PATH, body))
    workspace = make_workspace(ours)["slug"]
    assert [providers(ours, each)["fast"]["integration_id"] for each in (RESEARCH, workspace)] == ["ours", "ours"]
    assert providers(ours)["fast"]["integration_id"] == "openai-production"
    assert providers(ours)["ours"]["integration_id"] == "ours"


@pytest.mark.parametrize(
    "terms",
    [{}, {"enabled": "yes"}, {"enabled": True, "rate_limits": [RATE, RATE]}, {"enabled": True, "usage_limits": BUDGET}, True],
    ids=["nothing", "text", "two rates", "object", "flag"],
)
def test_terms_for_all_keep_the_contract(ours: Client, terms: Any) -> None:
    before = state(ours)
    refused(ours.put(PATH, {"global_workspace_access": terms}), 400, "AB01")
    assert state(ours) == before


# Integrations of a workspace


def test_integration_of_a_workspace_is_for_it_alone(client: Client) -> None:
    make_integration(client, workspace_id=PRODUCTION)
    before = state(client)
    refused(client.put(PATH, {"workspaces": [{"id": RESEARCH, "enabled": True}]}), 403, "AB03")
    data = refused(client.put(PATH, {"global_workspace_access": {"enabled": True}}), 400, "AB01")
    assert data["violations"][0]["pointer"] == "/global_workspace_access"
    assert state(client) == before


def test_integration_of_a_workspace_may_be_switched_off(client: Client) -> None:
    make_integration(client, workspace_id=PRODUCTION)
    assert may_ask(client, PRODUCTION) is True
    grant(client, PRODUCTION, enabled=False)
    assert enabled(client) == {PRODUCTION: False}
    assert may_ask(client, PRODUCTION) is False


def test_integration_of_a_workspace_does_not_go_to_later_ones(client: Client) -> None:
    make_integration(client, workspace_id=PRODUCTION)
    done(client.put(PATH, {"global_workspace_access": None}))
    workspace = make_workspace(client)["slug"]
    assert enabled(client) == {PRODUCTION: True}
    assert providers(client, workspace) == {}


# The way of the Terraform provider


def test_terraform_sees_no_drift(ours: Client) -> None:
    """Quirk 12: a GET of the list after every PUT; the row is found by slug. Deletion switches off, and reads back."""
    production = workspace_id(ours)
    put(ours, {"id": production, "enabled": True, "usage_limits": [BUDGET], "rate_limits": [RATE]})
    created = accesses(ours)[PRODUCTION]
    assert created == {
        "id": PRODUCTION,
        "enabled": True,
        "usage_limits": [BUDGET],
        "rate_limits": [RATE],
        "created_at": "2026-05-03T17:08:55.000Z",
        "last_updated_at": "2026-05-03T17:08:55.000Z",
    }
    assert accesses(ours)[PRODUCTION] == created

    at(ours, "2026-05-04T10:00:00Z")
    more = {"type": "cost", "credit_limit": 50, "alert_threshold": 40}
    put(ours, {"id": production, "enabled": True, "usage_limits": [more], "rate_limits": [RATE]})
    changed = accesses(ours)[PRODUCTION]
    assert changed == created | {"usage_limits": [more], "last_updated_at": "2026-05-04T10:00:00.000Z"}
    assert accesses(ours)[PRODUCTION] == changed

    put(ours, {"id": production, "enabled": True, "usage_limits": None, "rate_limits": [RATE]})
    cleared = accesses(ours)[PRODUCTION]
    assert cleared == changed | {"usage_limits": None}

    put(ours, {"id": production, "enabled": False})
    assert accesses(ours)[PRODUCTION] == cleared | {"enabled": False}
