"""Invitations through the front door.

Source of every rule that names none: identity-and-access, User invites.
"""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from mockserver.portkey.scopes import ADMIN_SCOPES, WORKSPACE_SCOPES
from mockserver.values import Record
from mockserver.world.world import DEFAULT
from tests.conftest import Client
from tests.portkey.team import (
    ADA,
    DARA,
    NOBODY,
    PRODUCTION,
    RESEARCH,
    SHARED,
    answered,
    at,
    changes,
    done,
    make_key,
    make_workspace,
    read,
    refused,
    state,
    user_id,
    workspace_id,
)

INVITES = "/v1/admin/users/invites"
NOOR, OMAR = "noor@example.com", "omar@example.com"
FIELDS = [
    "object", "id", "email", "role", "created_at", "expires_at", "accepted_at", "status", "invited_by", "workspaces",
]  # fmt: skip
START, DAY_6, DAY_8 = "2026-05-04T07:45:00Z", "2026-05-10T07:45:00Z", "2026-05-12T07:45:00Z"


@pytest.fixture(autouse=True)
def _start(client: Client) -> None:
    at(client, START)


def invited(client: Client, email: str = NOOR, **fields: Any) -> Record:
    """Invite somebody; return the reply."""
    return answered(client.post(INVITES, {"email": email, "role": "member", **fields}))


def shown(client: Client, invite: Record) -> Record:
    """Read an invitation."""
    return read(client, f"{INVITES}/{invite['id']}")


def opened(client: Client, link: str) -> httpx.Response:
    """Open a link as a browser does: no key, no header that names the world."""
    parts = urlsplit(link)
    return Client(client.app, client.world_name, {}).get(parts.path, headers={"host": parts.netloc})


def accepted(client: Client, invite: Record) -> Record:
    """Open the link of an invitation, which must be accepted."""
    reply = opened(client, invite["invite_link"])
    assert reply.status_code == 200, reply.text[:500]
    found: Record = reply.json()
    return found


def mails(client: Client) -> list[Record]:
    """The mails that would have been sent, newest first."""
    found: list[Record] = read(client, "/__admin/events", kind="invite")["events"]
    return found


def addresses(client: Client, **query: Any) -> list[str]:
    """The addresses in a list."""
    return [each["email"] for each in read(client, INVITES, **query)["data"]]


def of_each_state(client: Client) -> dict[str, Record]:
    """An invitation in each state, by its state; it is eight days later then."""
    made = {name: invited(client, f"{name}@example.com") for name in ("expired", "cancelled", "accepted")}
    done(client.delete(f"{INVITES}/{made['cancelled']['id']}"))
    accepted(client, made["accepted"])
    at(client, DAY_8)
    return {**made, "pending": invited(client, "pending@example.com", role="admin")}


# Create


def test_create_tells_id_and_link_alone(client: Client) -> None:
    made = invited(client, workspaces=[{"id": PRODUCTION, "role": "manager"}])
    assert list(made) == ["id", "invite_link"]
    assert uuid.UUID(made["id"]).version == 4


def test_invitation_is_shown_whole(client: Client) -> None:
    made = invited(client, workspaces=[{"id": PRODUCTION, "role": "manager"}])
    assert shown(client, made) == {
        "object": "invite",
        "id": made["id"],
        "email": NOOR,
        "role": "member",
        "created_at": "2026-05-04T07:45:00.000Z",
        "expires_at": "2026-05-11T07:45:00.000Z",
        "accepted_at": None,
        "status": "pending",
        "invited_by": user_id(client, ADA),
        "workspaces": [{"id": PRODUCTION, "workspace_id": workspace_id(client), "role": "manager"}],
    }


def test_fields_have_their_order(client: Client) -> None:
    assert list(shown(client, invited(client))) == FIELDS


@pytest.mark.parametrize("role", ["admin", "member"])
def test_role_is_kept(client: Client, role: str) -> None:
    assert shown(client, invited(client, role=role))["role"] == role


@pytest.mark.parametrize("workspaces", [{}, {"workspaces": []}, {"workspaces": None}], ids=repr)
def test_workspaces_may_be_left_out(client: Client, workspaces: Record) -> None:
    """The Terraform provider omits them when unset, though the published document requires them."""
    assert shown(client, invited(client, **workspaces))["workspaces"] == []


def test_id_of_a_workspace_is_as_it_was_submitted(client: Client) -> None:
    """Else the Terraform provider plans a replacement."""
    by_id = workspace_id(client, RESEARCH)
    made = invited(client, workspaces=[{"id": PRODUCTION, "role": "admin"}, {"id": by_id, "role": "member"}])
    rows = shown(client, made)["workspaces"]
    assert [each["id"] for each in rows] == [PRODUCTION, by_id]
    assert [each["workspace_id"] for each in rows] == [workspace_id(client), by_id]


@pytest.mark.parametrize("unknown", [NOBODY, "ws-nobody-000000"])
def test_unknown_workspace_is_refused(client: Client, unknown: str) -> None:
    """Errors: unknown workspaces are 403 everywhere."""
    before = state(client)
    body = {
        "email": NOOR,
        "role": "member",
        "workspaces": [{"id": SHARED, "role": "member"}, {"id": unknown, "role": "member"}],
    }
    refused(client.post(INVITES, body), 403, "AB03")
    assert state(client) == before
    assert mails(client) == []


def test_archived_workspace_is_refused(client: Client) -> None:
    gone = make_workspace(client)["slug"]
    done(client.delete(f"/v1/admin/workspaces/{gone}"))
    body = {"email": NOOR, "role": "member", "workspaces": [{"id": gone, "role": "member"}]}
    refused(client.post(INVITES, body), 403, "AB03")


@pytest.mark.parametrize("email", [ADA, DARA])
def test_user_is_not_invited(client: Client, email: str) -> None:
    before = state(client)
    refused(client.post(INVITES, {"email": email, "role": "member"}), 409, "AB07")
    assert state(client) == before


def test_address_is_not_invited_twice(client: Client) -> None:
    made = invited(client)
    before = state(client)
    refused(client.post(INVITES, {"email": NOOR, "role": "admin"}), 409, "AB07")
    assert state(client) == before
    assert shown(client, made)["role"] == "member"


@pytest.mark.parametrize("end", ["cancelled", "expired"])
def test_address_is_invited_again_when_nothing_is_pending(client: Client, end: str) -> None:
    first = invited(client)
    if end == "cancelled":
        done(client.delete(f"{INVITES}/{first['id']}"))
    else:
        at(client, DAY_8)
    second = invited(client)
    assert [shown(client, each)["status"] for each in (first, second)] == [end, "pending"]
    assert first["invite_link"] != second["invite_link"]


def test_user_who_was_removed_is_invited_again(client: Client) -> None:
    done(client.delete(f"/v1/admin/users/{user_id(client, DARA)}"))
    again = accepted(client, invited(client, DARA))
    assert user_id(client, DARA) == again["user_id"]


@pytest.mark.parametrize(
    "body",
    [
        {"role": "member"},
        {"email": NOOR},
        {"email": "noor", "role": "member"},
        {"email": NOOR, "role": "owner"},
        {"email": NOOR, "role": "manager"},
        {"email": NOOR, "role": "member", "workspaces": [{"id": PRODUCTION}]},
        {"email": NOOR, "role": "member", "workspaces": [{"role": "member"}]},
        {"email": NOOR, "role": "member", "workspaces": [{"id": PRODUCTION, "role": "owner"}]},
        {"email": NOOR, "role": "member", "workspaces": [PRODUCTION]},
        {"email": NOOR, "role": "member", "workspace_api_key_details": {}},
        {"email": NOOR, "role": "member", "workspace_api_key_details": {"scopes": []}},
        {"email": NOOR, "role": "member", "workspace_api_key_details": {"scopes": ["logs.view"], "expiry": "soon"}},
        {"email": NOOR, "role": "member", "workspace_api_key_details": {"scopes": ["a"], "expiry": "2026-06-30T23:59:60Z"}},
        {"email": NOOR, "role": "member", "workspace_api_key_details": {"scopes": ["logs.view"], "metadata": {"a": 1}}},
    ],
    ids=repr,
)
def test_wrong_body_invites_nobody(client: Client, body: Record) -> None:
    before = state(client)
    refused(client.post(INVITES, body), 400, "AB01")
    assert (state(client), mails(client)) == (before, [])


def test_scopes_of_the_keys_are_never_shown(client: Client) -> None:
    made = invited(client, workspace_api_key_details={"name": "Noor's", "scopes": ["logs.view"]})
    for text in (json.dumps(shown(client, made)), client.get(INVITES).text):
        assert "scopes" not in text
        assert "Noor's" not in text


def test_names_are_taken_and_not_shown(client: Client) -> None:
    """The admin tools send them; no read has them."""
    assert list(shown(client, invited(client, first_name="Noor", last_name="Haddad"))) == FIELDS


# The link


def test_link_leads_to_the_host_that_was_called(client: Client) -> None:
    reply = client.post(INVITES, {"email": NOOR, "role": "member"}, headers={"host": "portkey.test:8787"})
    link = urlsplit(reply.json()["invite_link"])
    assert (link.scheme, link.netloc) == ("http", "portkey.test:8787")


@pytest.mark.parametrize("host", ["[::1]:8787", "127.0.0.1", "mock_1"])
def test_link_takes_every_form_of_host(client: Client, host: str) -> None:
    reply = client.post(INVITES, {"email": NOOR, "role": "member"}, headers={"host": host})
    assert reply.json()["invite_link"].startswith(f"http://{host}/")


@pytest.mark.parametrize("host", ["a b", "evil/path?", "x:y", ""])
def test_host_that_is_none_is_not_repeated(client: Client, host: str) -> None:
    reply = client.post(INVITES, {"email": NOOR, "role": "member"}, headers={"host": host})
    assert reply.json()["invite_link"].startswith("http://localhost/")


def test_link_leads_into_the_world(client: Client) -> None:
    """Whoever opens it sends no header that names the world."""
    assert urlsplit(invited(client)["invite_link"]).path.startswith(f"/worlds/{client.world_name}/v1/")


def test_link_into_the_default_world_names_none(client: Client) -> None:
    default = Client(client.app, DEFAULT)
    before = default.world.snapshot()
    try:
        made = invited(default)
        assert urlsplit(made["invite_link"]).path.startswith("/v1/")
        assert opened(default, made["invite_link"]).status_code == 200
    finally:
        default.world.restore(before)


def test_link_cannot_be_guessed_from_what_is_listed(client: Client) -> None:
    made = invited(client)
    token = made["invite_link"].rpartition("/")[2]
    assert len(token) >= 24
    assert token not in client.get(INVITES).text
    assert token not in json.dumps(shown(client, made))


def test_id_is_no_link(client: Client) -> None:
    made = invited(client)
    refused(client.get(f"/v1/invites/{made['id']}"), 404, "AB08")
    assert shown(client, made)["status"] == "pending"


# Mails


def test_invitation_is_mailed(client: Client) -> None:
    made = invited(client)
    (mail,) = mails(client)
    assert mail["kind"] == "invite"
    assert mail["details"] == {
        "to": [NOOR],
        "about": {"object": "invite", "id": made["id"]},
        "link": made["invite_link"],
        "expires_at": "2026-05-11T07:45:00.000Z",
    }


def test_refused_invitation_is_not_mailed(client: Client) -> None:
    client.post(INVITES, {"email": DARA, "role": "member"})
    assert mails(client) == []


def test_resent_invitation_is_mailed_again(client: Client) -> None:
    made = invited(client)
    at(client, DAY_6)
    link = client.post(f"{INVITES}/{made['id']}/resend").json()["inviteLink"]
    newest, oldest = mails(client)
    assert newest["details"] == {**oldest["details"], "expires_at": "2026-05-17T07:45:00.000Z"}
    assert newest["details"]["link"] == link
    assert newest["request"] > oldest["request"]


# List


def test_list_has_invitations_newest_first(client: Client) -> None:
    invited(client)
    at(client, DAY_6)
    invited(client, OMAR)
    found = read(client, INVITES)
    assert (found["object"], found["total"]) == ("list", 2)
    assert [each["email"] for each in found["data"]] == [OMAR, NOOR]


def test_list_without_invitations_has_data(client: Client) -> None:
    """The Python client needs it (sdk-call-map 7)."""
    assert read(client, INVITES) == {"object": "list", "total": 0, "data": []}


def test_list_and_read_agree(client: Client) -> None:
    of_each_state(client)
    for item in read(client, INVITES)["data"]:
        assert item == shown(client, item)


@pytest.mark.parametrize("status", ["pending", "expired", "cancelled", "accepted"])
def test_list_of_a_state(client: Client, status: str) -> None:
    """Each address here is named for its state."""
    of_each_state(client)
    found = read(client, INVITES, status=status)
    assert ([each["email"] for each in found["data"]], found["total"]) == ([f"{status}@example.com"], 1)


@pytest.mark.parametrize(("role", "count"), [("admin", 1), ("member", 3)])
def test_list_of_a_role(client: Client, role: str, count: int) -> None:
    of_each_state(client)
    found = read(client, INVITES, role=role)
    assert (found["total"], {each["role"] for each in found["data"]}) == (count, {role})


def test_list_of_an_address_has_all_its_invitations(client: Client) -> None:
    first = invited(client)
    invited(client, OMAR)
    done(client.delete(f"{INVITES}/{first['id']}"))
    invited(client, role="admin")
    assert addresses(client, email=NOOR) == [NOOR, NOOR]
    assert addresses(client, email=NOOR, role="admin") == [NOOR]
    assert addresses(client, email="noor") == []


@pytest.mark.parametrize(
    "query",
    [{"pageSize": 1, "currentPage": 1}, {"page_size": 1, "current_page": 1}, {"pageSize": 1, "current_page": 1}],
    ids=repr,
)
def test_pages_are_asked_for_in_both_casings(client: Client, query: Record) -> None:
    for email in (NOOR, OMAR, "pia@example.com"):
        invited(client, email)
    found = read(client, INVITES, **query)
    assert ([each["email"] for each in found["data"]], found["total"]) == ([OMAR], 3)


@pytest.mark.parametrize("query", [{"role": "owner"}, {"status": "gone"}, {"pageSize": 0}], ids=repr)
def test_wrong_query_is_refused(client: Client, query: Record) -> None:
    refused(client.get(INVITES, params=query), 400, "AB01")


@pytest.mark.parametrize(("method", "end"), [("GET", ""), ("DELETE", ""), ("POST", "/resend")])
def test_unknown_invitation_is_not_found(client: Client, method: str, end: str) -> None:
    refused(client.call(method, f"{INVITES}/{NOBODY}{end}"), 404, "AB08")


def test_invitation_cannot_be_changed(client: Client) -> None:
    """There is no PUT; as for every path, another method is 405 (docs/deviations.md)."""
    made = invited(client)
    assert client.put(f"{INVITES}/{made['id']}", {"role": "admin"}).status_code == 405


# States


@pytest.mark.parametrize(
    ("time", "status"), [("2026-05-11T07:44:59Z", "pending"), ("2026-05-11T07:45:00Z", "expired"), (DAY_8, "expired")]
)
def test_time_ends_an_invitation(client: Client, time: str, status: str) -> None:
    made = invited(client)
    before = shown(client, made)
    at(client, time)
    assert shown(client, made) == {**before, "status": status}


def test_deleting_cancels(client: Client) -> None:
    made = invited(client)
    before = shown(client, made)
    done(client.delete(f"{INVITES}/{made['id']}"))
    assert shown(client, made) == {**before, "status": "cancelled"}


def test_cancelled_invitation_does_not_expire(client: Client) -> None:
    made = invited(client)
    done(client.delete(f"{INVITES}/{made['id']}"))
    at(client, DAY_8)
    assert shown(client, made)["status"] == "cancelled"


@pytest.mark.parametrize("status", ["expired", "cancelled", "accepted"])
def test_deleting_leaves_what_is_not_pending(client: Client, status: str) -> None:
    """*chosen*: it succeeds, so that who clears up need not look first."""
    made = of_each_state(client)[status]
    before = state(client)
    done(client.delete(f"{INVITES}/{made['id']}"))
    assert state(client) == before
    assert shown(client, made)["status"] == status


def test_body_of_a_delete_is_ignored(client: Client) -> None:
    """The Node SDK repeats the id there (sdk-call-map 4, row 8)."""
    made = invited(client)
    done(client.delete(f"{INVITES}/{made['id']}", {"invite_id": made["id"]}))
    assert shown(client, made)["status"] == "cancelled"


@pytest.mark.parametrize("options", [{}, {"headers": {"content-type": "application/json"}}, {"json": {}}], ids=repr)
def test_resending_needs_no_body(client: Client, options: Any) -> None:
    """sdk-call-map 4, rows 6 and 7: no body at all, or a type without one. Whichever mail is opened, its link works."""
    made = invited(client)
    reply = client.post(f"{INVITES}/{made['id']}/resend", **options)
    assert (reply.status_code, reply.json()) == (200, {"inviteLink": made["invite_link"]})


def test_resending_gives_more_time(client: Client) -> None:
    made = invited(client)
    before = shown(client, made)
    at(client, DAY_6)
    client.post(f"{INVITES}/{made['id']}/resend")
    assert shown(client, made) == {**before, "expires_at": "2026-05-17T07:45:00.000Z"}
    at(client, DAY_8)
    assert shown(client, made)["status"] == "pending"
    accepted(client, made)


@pytest.mark.parametrize("status", ["expired", "cancelled", "accepted"])
def test_what_is_not_pending_is_not_resent(client: Client, status: str) -> None:
    made = of_each_state(client)[status]
    before, sent = state(client), mails(client)
    data = refused(client.post(f"{INVITES}/{made['id']}/resend"), 400, "AB01")
    assert status in data["message"]
    assert (state(client), mails(client)) == (before, sent)


# Accept


def test_accepting_shows_the_invitation_accepted(client: Client) -> None:
    made = invited(client)
    before = shown(client, made)
    at(client, DAY_6)
    reply = accepted(client, made)
    after = {**before, "status": "accepted", "accepted_at": "2026-05-10T07:45:00.000Z"}
    assert shown(client, made) == after
    assert reply == {**after, "user_id": user_id(client, NOOR), "api_keys": []}


@pytest.mark.parametrize("role", ["admin", "member"])
def test_accepting_makes_a_user(client: Client, role: str) -> None:
    made = invited(client, role=role, first_name="Noor", last_name="Haddad")
    at(client, DAY_6)
    person = read(client, f"/v1/admin/users/{accepted(client, made)['user_id']}")
    assert uuid.UUID(person["id"]).version == 1
    assert {name: value for name, value in person.items() if name not in ("id", "workspace_ids")} == {
        "object": "user",
        "first_name": "Noor",
        "last_name": "Haddad",
        "role": role,
        "email": NOOR,
        "created_at": "2026-05-10T07:45:00.000Z",
        "last_updated_at": "2026-05-10T07:45:00.000Z",
    }


def test_accepted_person_is_listed_first(client: Client) -> None:
    accepted(client, invited(client))
    found = read(client, "/v1/admin/users")
    assert (found["total"], found["data"][0]["email"], found["data"][0]["first_name"]) == (6, NOOR, "")


def test_accepting_makes_memberships(client: Client) -> None:
    wanted = [{"id": PRODUCTION, "role": "manager"}, {"id": workspace_id(client, RESEARCH), "role": "member"}]
    person = accepted(client, invited(client, workspaces=wanted))["user_id"]
    roles = {slug: read(client, f"/v1/admin/workspaces/{slug}/users/{person}")["role"] for slug in (PRODUCTION, RESEARCH)}
    assert roles == {PRODUCTION: "manager", RESEARCH: "member"}
    assert set(read(client, f"/v1/admin/users/{person}")["workspace_ids"]) == {PRODUCTION, RESEARCH}
    refused(client.get(f"/v1/admin/workspaces/{SHARED}/users/{person}"), 404, "AB08")


def test_accepting_makes_no_key_without_details(client: Client) -> None:
    before = read(client, "/v1/api-keys")
    assert accepted(client, invited(client, workspaces=[{"id": PRODUCTION, "role": "member"}]))["api_keys"] == []
    assert read(client, "/v1/api-keys") == before


def test_accepting_makes_a_key_for_each_workspace(client: Client) -> None:
    details = {
        "name": "Noor's",
        "scopes": ["logs.view", "workspaces.list"],
        "expiry": "2027-01-01T00:00:00+01:00",
        "metadata": {"team": "care"},
    }
    wanted = [{"id": PRODUCTION, "role": "manager"}, {"id": RESEARCH, "role": "member"}]
    reply = accepted(client, invited(client, workspaces=wanted, workspace_api_key_details=details))
    assert [each["workspace_id"] for each in reply["api_keys"]] == [workspace_id(client), workspace_id(client, RESEARCH)]
    for told in reply["api_keys"]:
        key = read(client, f"/v1/api-keys/{told['id']}")
        assert (key["type"], key["user_id"], key["status"]) == ("workspace-user", reply["user_id"], "active")
        assert (key["workspace_id"], key["name"], key["scopes"]) == (told["workspace_id"], "Noor's", details["scopes"])
        assert (key["expires_at"], key["defaults"]["metadata"]) == ("2026-12-31T23:00:00.000Z", {"team": "care"})
        assert (key["creation_mode"], key["key"]) == ("auto", f"{told['key'][:2]}*****{told['key'][-3:]}")


def test_key_is_named_as_those_that_joining_makes(client: Client) -> None:
    """API keys, Side effects: as recorded."""
    wanted = [{"id": PRODUCTION, "role": "member"}]
    made = invited(client, workspaces=wanted, workspace_api_key_details={"scopes": ["logs.view"]})
    key = read(client, f"/v1/api-keys/{accepted(client, made)['api_keys'][0]['id']}")
    assert (key["name"], key["description"]) == ("default_user_key", "Created by portkey on joining organisation")
    assert (key["expires_at"], key["defaults"]["metadata"]) == (None, None)


def test_key_works_in_its_workspace_alone(client: Client) -> None:
    details = {"scopes": ["workspaces.list", "workspaces.read"]}
    made = invited(client, workspaces=[{"id": PRODUCTION, "role": "member"}], workspace_api_key_details=details)
    caller = client.as_key(accepted(client, made)["api_keys"][0]["key"])
    assert [each["slug"] for each in read(caller, "/v1/admin/workspaces")["data"]] == [PRODUCTION]
    refused(caller.get(f"/v1/admin/workspaces/{RESEARCH}"), 403, "AB03")


def test_key_falls_back_to_the_config_of_its_workspace(client: Client) -> None:
    """API keys, Create body: as for every user's key made without a config."""
    done(client.put(f"/v1/admin/workspaces/{PRODUCTION}", {"defaults": {"user_api_key_config": "pc-fallback"}}))
    wanted = [{"id": PRODUCTION, "role": "member"}]
    made = invited(client, workspaces=wanted, workspace_api_key_details={"scopes": ["logs.view"]})
    key = read(client, f"/v1/api-keys/{accepted(client, made)['api_keys'][0]['id']}")
    assert key["defaults"]["config_id"] == "pc-fallback"


def test_secrets_are_kept_out_of_the_journal(client: Client) -> None:
    wanted = [{"id": PRODUCTION, "role": "member"}]
    made = invited(client, workspaces=wanted, workspace_api_key_details={"scopes": ["logs.view"]})
    secret = accepted(client, made)["api_keys"][0]["key"]
    assert secret not in client.get("/__admin/requests").text


def test_workspace_named_twice_is_joined_once(client: Client) -> None:
    """The role that was named last counts."""
    wanted = [{"id": PRODUCTION, "role": "member"}, {"id": workspace_id(client), "role": "manager"}]
    reply = accepted(client, invited(client, workspaces=wanted, workspace_api_key_details={"scopes": ["logs.view"]}))
    assert len(reply["api_keys"]) == 1
    assert read(client, f"/v1/admin/workspaces/{PRODUCTION}/users/{reply['user_id']}")["role"] == "manager"


def test_workspace_that_is_gone_is_passed_over(client: Client) -> None:
    gone = make_workspace(client)
    wanted = [{"id": gone["slug"], "role": "member"}, {"id": PRODUCTION, "role": "member"}]
    made = invited(client, workspaces=wanted, workspace_api_key_details={"scopes": ["logs.view"]})
    done(client.delete(f"/v1/admin/workspaces/{gone['id']}"))
    reply = accepted(client, made)
    assert [each["workspace_id"] for each in reply["api_keys"]] == [workspace_id(client)]
    assert read(client, f"/v1/admin/users/{reply['user_id']}")["workspace_ids"] == [PRODUCTION]


def test_accepted_admin_has_every_workspace(client: Client) -> None:
    person = accepted(client, invited(client, role="admin"))["user_id"]
    assert len(read(client, f"/v1/admin/users/{person}")["workspace_ids"]) == 3


@pytest.mark.parametrize("status", ["expired", "cancelled", "accepted"])
def test_link_of_what_is_not_pending_is_refused(client: Client, status: str) -> None:
    """The refusal says why."""
    made = of_each_state(client)[status]
    before = state(client)
    data = refused(opened(client, made["invite_link"]), 400, "AB01")
    assert f"belongs to an invitation that is {status}" in data["message"]
    assert state(client) == before


def test_unknown_link_is_refused(client: Client) -> None:
    refused(client.get("/v1/invites/none"), 404, "AB08")


def test_link_works_under_strict_without_a_key(strict: Client) -> None:
    accepted(strict, invited(strict))
    assert read(strict, "/v1/admin/users", email=NOOR)["total"] == 1


def test_key_of_whoever_opens_the_link_is_not_asked_for(client: Client) -> None:
    """Not even one that could do nothing else."""
    made = invited(client)
    caller = client.as_key(make_key(client, scopes=["logs.view"]).secret)
    assert caller.get(urlsplit(made["invite_link"]).path).status_code == 200


def test_worlds_do_not_share_invitations(client: Client) -> None:
    made = invited(client)
    token = made["invite_link"].rpartition("/")[2]
    refused(Client(client.app, f"{client.world_name}-2").get(f"/v1/invites/{token}"), 404, "AB08")
    client.app.worlds.delete(f"{client.world_name}-2")
    assert shown(client, made)["status"] == "pending"


# Who invites


def test_inviter_is_the_owner_for_a_service_key(client: Client) -> None:
    """*chosen*: no person stands behind an organisation's key."""
    key = make_key(client, "organisation/service", scopes=["organisation_users.create"])
    made = invited(client.as_key(key.secret))
    assert shown(client, made)["invited_by"] == user_id(client, ADA)


@pytest.mark.parametrize(
    ("method", "end", "body"),
    [
        ("POST", "", {"email": OMAR, "role": "member"}),
        ("GET", "", ...),
        ("GET", "/{}", ...),
        ("DELETE", "/{}", ...),
        ("POST", "/{}/resend", ...),
    ],
    ids=["create", "list", "read", "delete", "resend"],
)
def test_workspace_key_is_refused(client: Client, method: str, end: str, body: Any) -> None:
    made = invited(client)
    caller = client.as_key(make_key(client, scopes=sorted({*ADMIN_SCOPES, *WORKSPACE_SCOPES})).secret)
    before = state(client)
    refused(caller.call(method, INVITES + end.format(made["id"]), body), 403, "AB03")
    assert state(client) == before


@pytest.mark.parametrize(
    ("scope", "method", "end", "body"),
    [
        ("create", "POST", "", {"email": OMAR, "role": "member"}),
        ("list", "GET", "", ...),
        ("read", "GET", "/{}", ...),
        ("delete", "DELETE", "/{}", ...),
        ("create", "POST", "/{}/resend", ...),
        ("update", "POST", "/{}/resend", ...),
    ],
)
def test_each_verb_has_its_scope(client: Client, scope: str, method: str, end: str, body: Any) -> None:
    """*chosen* for resending: create or update, since nothing is known."""
    made = invited(client)
    key = make_key(client, "organisation/service", scopes=[f"organisation_users.{scope}"])
    assert client.as_key(key.secret).call(method, INVITES + end.format(made["id"]), body).status_code == 200
    bare = make_key(client, "organisation/service", scopes=["workspace_users.create"])
    refused(client.as_key(bare.secret).call(method, INVITES + end.format(made["id"]), body), 403, "AB03")


# As Terraform does


def test_invitation_through_a_whole_life(client: Client) -> None:
    """Created, read twice, replaced (nothing can be changed), read, cancelled: every field is compared at each step."""
    wanted = [{"id": PRODUCTION, "role": "manager"}]
    made = invited(client, workspaces=wanted, workspace_api_key_details={"scopes": ["logs.view"]})
    first = {
        "object": "invite",
        "id": made["id"],
        "email": NOOR,
        "role": "member",
        "created_at": "2026-05-04T07:45:00.000Z",
        "expires_at": "2026-05-11T07:45:00.000Z",
        "accepted_at": None,
        "status": "pending",
        "invited_by": user_id(client, ADA),
        "workspaces": [{"id": PRODUCTION, "workspace_id": workspace_id(client), "role": "manager"}],
    }
    assert shown(client, made) == first
    assert shown(client, made) == first
    done(client.delete(f"{INVITES}/{made['id']}"))
    at(client, DAY_6)
    second = invited(client, role="admin")
    replaced = {
        **first,
        "id": second["id"],
        "role": "admin",
        "created_at": "2026-05-10T07:45:00.000Z",
        "expires_at": "2026-05-17T07:45:00.000Z",
        "workspaces": [],
    }
    assert shown(client, second) == replaced
    assert shown(client, made) == {**first, "status": "cancelled"}
    done(client.delete(f"{INVITES}/{second['id']}"))
    assert shown(client, second) == {**replaced, "status": "cancelled"}
    assert changes(first, shown(client, made)) == {"status"}


def test_same_calls_give_the_same_invitation(client: Client) -> None:
    """But for the world in its link."""
    twin = Client(client.app, f"{client.world_name}-twin")
    at(twin, START)
    first, second = (invited(each, workspaces=[{"id": PRODUCTION, "role": "member"}]) for each in (client, twin))
    assert first["id"] == second["id"]
    assert first["invite_link"] == second["invite_link"].replace("-twin", "")
    assert shown(client, first) == shown(twin, second)
    client.app.worlds.delete(twin.world_name)
