"""Who may use secret references, and what keeps them from being deleted: through MCP integrations, which map them.

Source of every rule that names none: governance-mcp-observability, Secret references (Create, Update, Referenced by).
"""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.contract.problems import Problem
from mockserver.portkey.secret_mappings import checked_mappings
from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.team import NOBODY, PRODUCTION, RESEARCH, answered, done, read, refused, workspace_id

REFERENCES = "/v1/secret-references"


def make(client: Client, **fields: Any) -> str:
    """Make a reference; return its id."""
    given = {"name": "Key", "manager_type": "aws_sm", "secret_path": "p", "auth_config": {"aws_auth_type": "serviceRole"}}
    return str(answered(client.post(REFERENCES, given | fields))["id"])


def show(client: Client, id_or_slug: str) -> Record:
    return read(client, f"{REFERENCES}/{id_or_slug}")


def map_to(client: Client, reference: str, **fields: Any) -> Any:
    """Make an MCP integration that uses a reference; return the reply."""
    mapping = {"target_field": "configurations.custom_headers", "secret_reference_id": reference}
    integration = {"name": "Desk", "url": "https://mcp.example.com", "auth_type": "headers", "transport": "http"}
    return client.post("/v1/mcp-integrations", integration | {"secret_mappings": [mapping]} | fields)


def may_use(client: Client, reference: str, workspace: str) -> bool:
    """Whether what lies in a workspace may use a reference."""
    return bool(map_to(client, reference, workspace_id=workspace).status_code == 200)


# Which workspaces


@pytest.mark.parametrize(
    ("given", "production", "research"),
    [
        ({}, True, True),
        ({"allow_all_workspaces": True}, True, True),
        ({"allow_all_workspaces": False}, False, False),
        ({"allowed_workspaces": [PRODUCTION]}, True, False),
        ({"allowed_workspaces": [PRODUCTION], "allow_all_workspaces": False}, True, False),
    ],
    ids=str,
)
def test_workspaces_that_may_use_it(client: Client, given: Record, production: bool, research: bool) -> None:
    reference = make(client, **given)
    assert show(client, reference)["allow_all_workspaces"] is (production and research)
    assert may_use(client, reference, PRODUCTION) is production
    assert may_use(client, reference, RESEARCH) is research


def test_workspaces_may_be_named_by_id(client: Client) -> None:
    reference = make(client, allowed_workspaces=[workspace_id(client, RESEARCH)])
    assert (may_use(client, reference, PRODUCTION), may_use(client, reference, RESEARCH)) == (False, True)


def test_new_list_takes_the_place_of_the_old(client: Client) -> None:
    reference = make(client, allowed_workspaces=[PRODUCTION])
    done(client.put(f"{REFERENCES}/{reference}", {"allowed_workspaces": [RESEARCH]}))
    assert (may_use(client, reference, PRODUCTION), may_use(client, reference, RESEARCH)) == (False, True)


@pytest.mark.parametrize("more", [{}, {"allow_all_workspaces": False}, {"allow_all_workspaces": True}], ids=str)
def test_list_ends_access_of_all(client: Client, more: Record) -> None:
    """Update: a list forces `allow_all_workspaces` to false, whatever is sent beside it."""
    reference = make(client)
    done(client.put(f"{REFERENCES}/{reference}", {"allowed_workspaces": [RESEARCH], **more}))
    assert show(client, reference)["allow_all_workspaces"] is False
    assert may_use(client, reference, PRODUCTION) is False


def test_access_of_all_forgets_the_list(client: Client) -> None:
    reference = make(client, allowed_workspaces=[PRODUCTION])
    done(client.put(f"{REFERENCES}/{reference}", {"allow_all_workspaces": True}))
    assert may_use(client, reference, RESEARCH) is True
    done(client.put(f"{REFERENCES}/{reference}", {"allow_all_workspaces": False}))
    assert may_use(client, reference, PRODUCTION) is False


def test_list_stays_when_nothing_is_said(client: Client) -> None:
    reference = make(client, allowed_workspaces=[PRODUCTION])
    done(client.put(f"{REFERENCES}/{reference}", {"allow_all_workspaces": False, "name": "Other"}))
    assert (may_use(client, reference, PRODUCTION), may_use(client, reference, RESEARCH)) == (True, False)


# Delete, and what maps a reference


@pytest.mark.parametrize("form", ["id", "slug"])
def test_mapped_one_is_not_deleted(client: Client, form: str) -> None:
    reference = show(client, make(client))
    integration = map_to(client, reference[form]).json()["id"]
    refused(client.delete(f"{REFERENCES}/{reference['id']}"), 400, "AB01")
    done(client.put(f"/v1/mcp-integrations/{integration}", {"secret_mappings": []}))
    done(client.delete(f"{REFERENCES}/{reference['id']}"))


def test_deleted_holder_maps_nothing(client: Client) -> None:
    reference = make(client)
    done(client.delete(f"/v1/mcp-integrations/{map_to(client, reference).json()['id']}"))
    done(client.delete(f"{REFERENCES}/{reference}"))


def test_another_one_is_deleted(client: Client) -> None:
    map_to(client, make(client, name="Used"))
    done(client.delete(f"{REFERENCES}/{make(client, name='Unused')}"))
    assert [row["name"] for row in read(client, REFERENCES)["data"]] == ["Used"]


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        ("configurations.custom_headers", "configurations.custom_headers"),
        ("configurations.a.b", "configurations.a.b"),
        ("custom_headers", "configurations.custom_headers"),
        ("key", "configurations.key"),
        ("model_config.region", None),
        ("configurations.", None),
        (".x", None),
    ],
)
def test_targets_of_mcp_integrations(client: Client, target: str, kept: str | None) -> None:
    """Referenced by: below `configurations` only; bare names get the prefix."""
    reference = make(client)
    reply = map_to(client, reference, secret_mappings=[{"target_field": target, "secret_reference_id": reference}])
    if kept is None:
        assert refused(reply, 400, "AB01")["violations"][0]["pointer"] == "/secret_mappings/0/target_field"
    else:
        shown = read(client, f"/v1/mcp-integrations/{reply.json()['id']}")
        assert [mapping["target_field"] for mapping in shown["secret_mappings"]] == [kept]


def test_targets_are_told_apart(client: Client) -> None:
    reference = make(client)
    twice = [{"target_field": name, "secret_reference_id": reference} for name in ("configurations.x", "x")]
    said = refused(map_to(client, reference, secret_mappings=twice), 400, "AB01")
    assert said["violations"][0]["pointer"] == "/secret_mappings/1/target_field"


def test_mapping_reads_back_as_written(client: Client) -> None:
    make(client, slug="ours")
    integration = map_to(
        client,
        "ours",
        secret_mappings=[
            {"target_field": "configurations.a", "secret_reference_id": "ours"},
            {"target_field": "configurations.b", "secret_reference_id": "ours", "secret_key": "k", "value_format": "json"},
        ],
    ).json()["id"]
    a: Record = {"target_field": "configurations.a", "secret_reference_id": "ours", "secret_key": None, "value_format": None}
    b = a | {"target_field": "configurations.b", "secret_key": "k", "value_format": "json"}
    assert read(client, f"/v1/mcp-integrations/{integration}")["secret_mappings"] == [a, b]


def test_mapped_reference_must_be_there(client: Client) -> None:
    said = refused(map_to(client, NOBODY), 400, "AB01")
    assert said["violations"][0]["pointer"] == "/secret_mappings/0/secret_reference_id"


def test_mapped_reference_must_be_active(client: Client) -> None:
    reference = make(client)
    records = client.world["secret_references"]
    records.replace({**records.get(reference), "status": "ARCHIVED"})
    refused(map_to(client, reference), 400, "AB01")


def test_organisation_uses_any_reference(client: Client) -> None:
    """*chosen*: what is the organisation's lies in no workspace."""
    assert map_to(client, make(client, allowed_workspaces=[PRODUCTION])).status_code == 200


@pytest.mark.parametrize(
    ("targets", "field", "kept"),
    [
        (("key", "configurations."), "key", "key"),
        (("key", "configurations."), "aws_region", "configurations.aws_region"),
        (("key", "configurations."), "model_config.key", None),
        (("key", "model_config."), "model_config.awsRegion", "model_config.awsRegion"),
        (("key", "model_config."), "key", "key"),
        (("key", "model_config."), "configurations.key", None),
    ],
)
def test_targets_of_other_holders(client: Client, targets: tuple[str, ...], field: str, kept: str | None) -> None:
    """Source: identity-and-access, Integrations: Create, and Virtual keys: Create."""
    given = [{"target_field": field, "secret_reference_id": make(client)}]
    if kept is None:
        with pytest.raises(Problem, match="must be key or"):
            checked_mappings(given, targets, None, client.world)
    else:
        mappings = checked_mappings(given, targets, None, client.world)
        assert mappings is not None
        assert mappings[0]["target_field"] == kept
