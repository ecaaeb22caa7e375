"""Prompts, their versions and the labels of these, through the front door.

Source of every rule that names none: prompts-configs-guardrails, Prompts.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.shelf import (
    CHAT,
    LABELS,
    PROMPTS,
    VERSION,
    default_collection,
    foreigner,
    keyed,
    make_collection,
    make_label,
    make_prompt,
    names,
)
from tests.portkey.team import NOBODY, PRODUCTION, RESEARCH, answered, at, changes, done, read, refused, state, workspace_id

READ_FIELDS = {
    "id", "collection_id", "name", "slug", "status", "created_at", "last_updated_at", "model", "virtual_key", "string",
    "parameters", "prompt_version", "prompt_version_id", "prompt_version_status", "prompt_version_description",
    "prompt_version_label_id", "prompt_version_label_name", "prompt_version_labels", "functions", "tools", "tool_choice",
    "template_metadata", "is_raw_template", "variable_components", "access_level", "allow_all_workspaces",
    "prompt_owning_workspace_id", "share_organisation_id", "shared_at", "shared_by_user_id", "shared_from_version_id",
    "forked_from_prompt_id", "forked_from_prompt_version_id", "object",
}  # fmt: skip
ITEM_FIELDS = {
    "id", "collection_id", "name", "slug", "created_at", "last_updated_at", "status", "access_level",
    "share_organisation_id", "shared_at", "shared_by_user_id", "shared_from_version_id", "forked_from_prompt_id",
    "forked_from_prompt_version_id", "allow_all_workspaces", "prompt_owning_workspace_id", "model", "object",
}  # fmt: skip
"""Both as recorded."""

TOOLS = [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}]


def revise(client: Client, prompt: Record, **fields: Any) -> Record:
    """Give a prompt a new version by `patch` and return the reply."""
    return answered(client.put(f"{PROMPTS}/{prompt['slug']}", {"patch": True, **fields}))


def publish(client: Client, prompt: Record, number: int) -> None:
    done(client.put(f"{PROMPTS}/{prompt['slug']}/makeDefault", {"version": number}))


def shown(client: Client, prompt: Record, **query: Any) -> Record:
    return read(client, f"{PROMPTS}/{prompt['slug']}", **query)


def rows(client: Client, prompt: Record) -> list[Record]:
    return list(read(client, f"{PROMPTS}/{prompt['slug']}/versions")["data"])


def put_label(client: Client, prompt: Record, version_id: str, label_id: str | None) -> None:
    done(client.put(f"{PROMPTS}/{prompt['slug']}/versions/{version_id}", {"label_id": label_id}))


def labels(client: Client, prompt: Record, version: str = "default") -> list[str]:
    """The names of the labels that a version bears."""
    return [label["name"] for label in shown(client, prompt, version=version)["prompt_version_labels"]]


# Create and read


@pytest.mark.parametrize(
    ("name", "start"), [("PEA Client", "pp-pea-client-"), ("what-they-offer", "pp-what-they-"), ("研究", "pp-")]
)
def test_created_prompt_tells_ids_and_slug(client: Client, name: str, start: str) -> None:
    told = make_prompt(client, name=name)
    assert set(told) == {"id", "slug", "version_id", "object"}
    assert re.fullmatch(f"{start}[0-9a-f]{{6}}", told["slug"])
    assert [uuid.UUID(told[name]).version for name in ("id", "version_id")] == [4, 4]


def test_prompt_is_read_as_recorded(client: Client) -> None:
    at(client, "2026-04-12T17:07:59Z")
    told = make_prompt(client, version_description="First draft")
    read_back = shown(client, told)
    assert set(read_back) == READ_FIELDS
    assert read_back == {
        "id": told["id"],
        "collection_id": default_collection(client)["id"],
        "name": "Support reply",
        "slug": told["slug"],
        "status": "active",
        "created_at": "2026-04-12T17:07:59.000Z",
        "last_updated_at": "2026-04-12T17:07:59.000Z",
        "model": "gpt-4o",
        "virtual_key": "openai-production",
        "string": CHAT,
        "parameters": {"temperature": 0, "model": "gpt-4o"},
        "prompt_version": 1,
        "prompt_version_id": told["version_id"],
        "prompt_version_status": "active",
        "prompt_version_description": "First draft",
        "prompt_version_label_id": None,
        "prompt_version_label_name": None,
        "prompt_version_labels": [],
        "functions": None,
        "tools": None,
        "tool_choice": None,
        "template_metadata": {},
        "is_raw_template": 0,
        "variable_components": {
            "partials": [],
            "sections": [],
            "variables": ["question"],
            "sectionVariables": {},
            "variablePartials": [],
        },
        "access_level": "workspace",
        "allow_all_workspaces": 0,
        "prompt_owning_workspace_id": workspace_id(client),
        "share_organisation_id": None,
        "shared_at": None,
        "shared_by_user_id": None,
        "shared_from_version_id": None,
        "forked_from_prompt_id": None,
        "forked_from_prompt_version_id": None,
        "object": "prompt",
    }


def test_flags_are_numbers_not_booleans(client: Client) -> None:
    """Go clients fail on a boolean."""
    read_back = shown(client, make_prompt(client, is_raw_template=1))
    assert [type(read_back[name]) for name in ("is_raw_template", "allow_all_workspaces")] == [int, int]
    assert read_back["is_raw_template"] == 1


@pytest.mark.parametrize("string", ["Hello {{name}}", " two\nlines\t", "", '{"a": "é"}', "{{#s}"])
def test_text_comes_back_as_it_was(client: Client, string: str) -> None:
    told = make_prompt(client, string=string)
    assert (shown(client, told)["string"], rows(client, told)[0]["prompt_template"]) == (string, {"string": string})


def test_model_is_added_to_the_parameters(client: Client) -> None:
    """`{}` comes back with the model in it."""
    assert shown(client, make_prompt(client, parameters={}))["parameters"] == {"model": "gpt-4o"}


@pytest.mark.parametrize("name", ["model", "ai_model_id", "finetune_id"])
def test_model_is_named_in_one_of_three_ways(client: Client, name: str) -> None:
    told = make_prompt(client, **{"model": None, name: "gpt-4o-mini"})
    assert shown(client, told)["model"] == "gpt-4o-mini"


@pytest.mark.parametrize("fields", [{"model": None}, {"ai_model_id": "gpt-4o"}], ids=["none", "two"])
def test_model_is_named_once(client: Client, fields: Record) -> None:
    given = {"name": "a", "collection_id": default_collection(client)["id"], **VERSION, **fields}
    assert refused(client.post(PROMPTS, given), 400, "AB01")["violations"][0]["pointer"] == "/model"


@pytest.mark.parametrize("said", ["slug", "id", "at"])
@pytest.mark.parametrize("name", ["virtual_key", "provider_api_key_id"])
def test_virtual_key_comes_back_as_slug(client: Client, name: str, said: str) -> None:
    provider = client.world["providers"].find("_handle", f"{workspace_id(client)}/openai-production")
    key = {"slug": "openai-production", "id": provider["id"], "at": "@openai-production"}[said]
    told = make_prompt(client, **{"virtual_key": None, name: key})
    assert shown(client, told)["virtual_key"] == "openai-production"


def test_virtual_key_may_be_unknown_or_missing(client: Client) -> None:
    assert shown(client, make_prompt(client, virtual_key="my-key"))["virtual_key"] == "my-key"
    assert shown(client, make_prompt(client, virtual_key=None))["virtual_key"] is None


def test_all_of_a_version_is_kept(client: Client) -> None:
    given = {
        "functions": [{"name": "look_up"}],
        "tools": TOOLS,
        "tool_choice": "auto",
        "template_metadata": {"owner": "care"},
    }
    read_back = shown(client, make_prompt(client, **given))
    assert {name: read_back[name] for name in given} == given


def test_workspace_follows_from_the_collection(client: Client) -> None:
    care = make_collection(client, workspace_id=RESEARCH)
    read_back = shown(client, make_prompt(client, collection_id=care["slug"]))
    assert read_back["collection_id"] == care["id"]
    assert read_back["prompt_owning_workspace_id"] == workspace_id(client, RESEARCH)


def test_prompt_needs_its_collection(client: Client) -> None:
    given = {"name": "a", **VERSION}
    assert refused(client.post(PROMPTS, given), 400, "AB01")["violations"][0]["pointer"] == "/collection_id"
    refused(client.post(PROMPTS, {**given, "collection_id": NOBODY}), 400, "AB01")
    refused(foreigner(client).post(PROMPTS, {**given, "collection_id": default_collection(client)["id"]}), 403, "AB03")
    assert not len(client.world["prompts"])


@pytest.mark.parametrize("by", ["id", "slug"])
def test_prompt_is_addressed_by_id_or_slug(client: Client, by: str) -> None:
    told = make_prompt(client)
    assert read(client, f"{PROMPTS}/{told[by]}")["id"] == told["id"]


def test_names_may_repeat(client: Client) -> None:
    assert make_prompt(client)["slug"] != make_prompt(client)["slug"]


# List


def test_list_shows_no_texts(client: Client) -> None:
    told = make_prompt(client)
    listed = read(client, PROMPTS)
    assert (listed["object"], listed["total"]) == ("list", 1)
    assert set(listed["data"][0]) == ITEM_FIELDS
    read_back = shown(client, told)
    assert listed["data"][0] == {name: read_back[name] for name in ITEM_FIELDS}


def test_list_is_filtered_and_paged(client: Client) -> None:
    care = make_collection(client)
    make_prompt(client, name="Reply")
    make_prompt(client, name="Answer", collection_id=care["id"])
    make_prompt(client, name="Reply in Research", collection_id=default_collection(client, RESEARCH)["id"])
    assert names(client, PROMPTS) == ["Reply in Research", "Answer", "Reply"]
    assert names(client, PROMPTS, workspace_id=PRODUCTION) == ["Answer", "Reply"]
    assert names(client, PROMPTS, collection_id=care["id"]) == names(client, PROMPTS, collection_id=care["slug"]) == ["Answer"]
    assert names(client, PROMPTS, collection_id=care["id"], workspace_id=RESEARCH) == []
    assert names(client, PROMPTS, search="REPLY") == ["Reply in Research", "Reply"]
    assert names(client, PROMPTS, search="reply", workspace_id=PRODUCTION) == ["Reply"]
    assert names(client, PROMPTS, page_size=1, current_page=1) == ["Answer"]
    assert names(foreigner(client), PROMPTS) == ["Reply in Research"]


def test_list_shows_the_model_of_the_default_version(client: Client) -> None:
    told = make_prompt(client)
    revise(client, told, model="gpt-4o-mini")
    assert read(client, PROMPTS)["data"][0]["model"] == "gpt-4o"
    publish(client, told, 2)
    assert read(client, PROMPTS)["data"][0]["model"] == "gpt-4o-mini"


# Update


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({"name": "Answer"}, {"name"}),
        ({"name": "Answer", "parameters": None}, {"name"}),
        ({"virtual_key": "openai-evaluations", "parameters": None}, {"virtual_key"}),
        ({"status": "archived"}, {"status"}),
        ({"version_description": "Better"}, {"prompt_version_description"}),
        ({"patch": True, "name": "Answer"}, {"name"}),
    ],
    ids=["name", "name as Terraform", "key as Terraform", "status", "description", "name by patch"],
)
def test_metadata_alone_make_no_version(client: Client, fields: Record, changed: set[str]) -> None:
    """The reply is an empty object; Terraform sends `parameters: null` along."""
    told = make_prompt(client)
    before = shown(client, told)
    done(client.put(f"{PROMPTS}/{told['id']}", fields))
    after = shown(client, told)
    assert changes(before, after) == changed
    assert len(rows(client, told)) == 1


def test_prompt_moves_within_its_workspace(client: Client) -> None:
    told, care = make_prompt(client), make_collection(client)
    done(client.put(f"{PROMPTS}/{told['id']}", {"collection_id": care["slug"]}))
    assert shown(client, told)["collection_id"] == care["id"]
    assert names(client, PROMPTS, collection_id=care["id"]) == ["Support reply"]
    for collection_id in (NOBODY, default_collection(client, RESEARCH)["id"]):
        refused(client.put(f"{PROMPTS}/{told['id']}", {"collection_id": collection_id}), 400, "AB01")


def test_all_together_make_a_version(client: Client) -> None:
    told = make_prompt(client, tools=TOOLS)
    reply = client.put(f"{PROMPTS}/{told['id']}", {**VERSION, "string": "New", "version_description": "Second"}).json()
    assert set(reply) == {"id", "slug", "prompt_version_id", "object"}
    newest = shown(client, told, version="latest")
    assert (newest["prompt_version"], newest["prompt_version_id"]) == (2, reply["prompt_version_id"])
    assert (newest["string"], newest["prompt_version_description"], newest["tools"]) == ("New", "Second", None)


@pytest.mark.parametrize("missing", sorted(VERSION))
def test_version_must_be_complete(client: Client, missing: str) -> None:
    told = make_prompt(client)
    fields = {name: value for name, value in VERSION.items() if name != missing}
    before = state(client)
    data = refused(client.put(f"{PROMPTS}/{told['id']}", fields), 400, "AB01")
    assert [each["pointer"] for each in data["violations"]] == [f"/{missing}"]
    assert state(client) == before


def test_all_that_is_missing_is_told(client: Client) -> None:
    told = make_prompt(client)
    data = refused(client.put(f"{PROMPTS}/{told['id']}", {"tools": TOOLS}), 400, "AB01")
    assert {each["pointer"] for each in data["violations"]} == {f"/{name}" for name in VERSION}


def test_patch_takes_the_rest_from_the_latest_version(client: Client) -> None:
    """From the latest, not from the default one."""
    told = make_prompt(client, tools=TOOLS, template_metadata={"a": 1})
    revise(client, told, string="Second", version_description="Second")
    revise(client, told, parameters={"temperature": 1})
    default, third = shown(client, told), shown(client, told, version="3")
    assert (third["string"], third["parameters"]) == ("Second", {"temperature": 1, "model": "gpt-4o"})
    assert (third["tools"], third["template_metadata"], third["model"]) == (TOOLS, {"a": 1}, "gpt-4o")
    assert third["prompt_version_description"] is None
    assert (default["prompt_version"], default["string"]) == (1, CHAT)


@pytest.mark.parametrize("name", ["prompt_metadata", "template_metadata"])
def test_metadata_have_two_names_on_update(client: Client, name: str) -> None:
    told = make_prompt(client)
    revise(client, told, **{name: {"owner": "care"}})
    assert shown(client, told, version="latest")["template_metadata"] == {"owner": "care"}


def test_components_follow_the_text(client: Client) -> None:
    told = make_prompt(client)
    revise(client, told, string="{{a.b}}{{#c}}{{d}}{{/c}}{{>pl-sig-000001@3}}{{>>e}}")
    assert shown(client, told, version="latest")["variable_components"] == {
        "partials": ["pl-sig-000001@3"],
        "sections": ["c"],
        "variables": ["a", "d"],
        "sectionVariables": {"c": ["d"]},
        "variablePartials": ["e"],
    }
    assert shown(client, told)["variable_components"]["variables"] == ["question"]


def test_update_names_one_model(client: Client) -> None:
    told = make_prompt(client)
    refused(client.put(f"{PROMPTS}/{told['id']}", {"patch": True, "model": "a", "finetune_id": "b"}), 400, "AB01")
    revise(client, told, finetune_id="ft:gpt-4o:care")
    assert shown(client, told, version="latest")["parameters"]["model"] == "ft:gpt-4o:care"


# Versions


def test_version_is_published_by_its_number(client: Client) -> None:
    told = make_prompt(client)
    revise(client, told, string="Second")
    assert [(row["prompt_version"], row["status"]) for row in rows(client, told)] == [(2, "archived"), (1, "active")]
    publish(client, told, 2)
    assert [(row["prompt_version"], row["status"]) for row in rows(client, told)] == [(2, "active"), (1, "archived")]
    assert (shown(client, told)["string"], shown(client, told, version="1")["prompt_version_status"]) == ("Second", "archived")


@pytest.mark.parametrize("body", [{"version": 2}, {"version": "1"}, {}], ids=["unknown", "text", "none"])
def test_what_is_no_version_is_not_published(client: Client, body: Record) -> None:
    told = make_prompt(client)
    data = refused(client.put(f"{PROMPTS}/{told['id']}/makeDefault", body), 400, "AB01")
    assert [each["pointer"] for each in data["violations"]] == ["/version"]


def test_there_is_no_publish(client: Client) -> None:
    """404 observed, `makeDefault` works."""
    refused(client.put(f"{PROMPTS}/{make_prompt(client)['id']}/publish", {"version": 1}), 404, "AB08")


def test_versions_are_listed_as_documented(client: Client) -> None:
    at(client, "2026-04-12T17:07:59Z")
    told = make_prompt(client, version_description="First draft")
    listed = read(client, f"{PROMPTS}/{told['id']}/versions")
    assert listed == {
        "object": "list",
        "total": 1,
        "data": [
            {
                "id": told["version_id"],
                "prompt_id": told["id"],
                "prompt_template": {"string": CHAT},
                "prompt_version": 1,
                "prompt_description": "First draft",
                "label_id": None,
                "created_at": "2026-04-12T17:07:59.000Z",
                "status": "active",
                "object": "prompt",
            }
        ],
    }


@pytest.mark.parametrize(("asked", "number"), [("default", 2), ("latest", 3), ("1", 1), ("3", 3)])
def test_version_is_asked_for(client: Client, asked: str, number: int) -> None:
    told = make_prompt(client)
    revise(client, told, string="Second")
    revise(client, told, string="Third")
    publish(client, told, 2)
    assert shown(client, told, version=asked)["prompt_version"] == number


def test_unknown_version_is_not_found(client: Client) -> None:
    told, other = make_prompt(client), make_prompt(client)
    refused(client.get(f"{PROMPTS}/{told['id']}", params={"version": "2"}), 404, "AB08")
    refused(client.get(f"{PROMPTS}/{told['id']}/versions/{NOBODY}"), 404, "AB08")
    refused(client.get(f"{PROMPTS}/{told['id']}/versions/{other['version_id']}"), 404, "AB08")
    refused(client.put(f"{PROMPTS}/{told['id']}/versions/{other['version_id']}", {"label_id": None}), 404, "AB08")


def test_version_is_read_by_its_id(client: Client) -> None:
    told = make_prompt(client)
    second = revise(client, told, string="Second")["prompt_version_id"]
    assert read(client, f"{PROMPTS}/{told['id']}/versions/{second}") == shown(client, told, version="2")


def test_addresses_with_a_version_are_for_calls_only(client: Client) -> None:
    """No source tells of them on reads."""
    refused(client.get(f"{PROMPTS}/{make_prompt(client)['slug']}@1"), 404, "AB08")


# Labels of versions


def test_label_is_put_on_and_taken_off(client: Client) -> None:
    told, canary = make_prompt(client), make_label(client)
    put_label(client, told, told["version_id"], canary)
    read_back = shown(client, told)
    assert (read_back["prompt_version_label_id"], read_back["prompt_version_label_name"]) == (canary, "canary")
    assert read_back["prompt_version_labels"] == [{"id": canary, "name": "canary"}]
    assert rows(client, told)[0]["label_id"] == canary
    put_label(client, told, told["version_id"], None)
    assert labels(client, told) == []
    assert shown(client, told)["prompt_version_label_id"] is None


def test_version_bears_several_labels(client: Client) -> None:
    told, canary, beta = make_prompt(client), make_label(client), make_label(client, "beta")
    for label_id in (canary, beta):
        put_label(client, told, told["version_id"], label_id)
    assert labels(client, told) == ["canary", "beta"]
    assert rows(client, told)[0]["label_id"] == beta


def test_label_moves_to_the_version_it_is_put_on(client: Client) -> None:
    told, canary = make_prompt(client), make_label(client)
    second = revise(client, told, string="Second")["prompt_version_id"]
    put_label(client, told, told["version_id"], canary)
    put_label(client, told, second, canary)
    assert (labels(client, told, "1"), labels(client, told, "2")) == ([], ["canary"])


def test_label_is_on_one_version_of_each_prompt(client: Client) -> None:
    one, two, canary = make_prompt(client), make_prompt(client), make_label(client)
    for told in (one, two):
        put_label(client, told, told["version_id"], canary)
    assert labels(client, one) == labels(client, two) == ["canary"]


def test_update_of_a_version_takes_nothing_else(client: Client) -> None:
    """Versions never change."""
    told = make_prompt(client)
    before = shown(client, told)
    done(client.put(f"{PROMPTS}/{told['id']}/versions/{told['version_id']}", {"string": "other", "description": "x"}))
    assert shown(client, told) == before


def test_universal_labels_are_for_all(client: Client) -> None:
    told = make_prompt(client)
    (label,) = read(client, LABELS, name="staging")["data"]
    put_label(client, told, told["version_id"], label["id"])
    assert labels(client, told) == ["staging"]


def test_label_must_be_of_the_workspace(client: Client) -> None:
    told = make_prompt(client)
    path = f"{PROMPTS}/{told['id']}/versions/{told['version_id']}"
    for label_id in (NOBODY, make_label(client, workspace_id=RESEARCH)):
        refused(client.put(path, {"label_id": label_id}), 400, "AB01")
    assert labels(client, told) == []


def test_deleted_label_is_taken_off(client: Client) -> None:
    """A bug that was fixed in 1.3.2."""
    told, canary = make_prompt(client), make_label(client)
    put_label(client, told, told["version_id"], canary)
    done(client.delete(f"{LABELS}/{canary}"))
    assert labels(client, told) == []


# Delete and reach


def test_deleted_prompt_is_not_found(client: Client) -> None:
    told, canary = make_prompt(client), make_label(client)
    put_label(client, told, told["version_id"], canary)
    path = f"{PROMPTS}/{told['id']}"
    done(client.delete(path))
    assert {reply.status_code for reply in calls(client, path, told["version_id"])} == {404}
    assert names(client, PROMPTS) == []
    assert [len(client.world[name]) for name in ("prompt_versions", "prompt_labels")] == [0, 0]


def test_prompt_of_another_workspace_is_forbidden(client: Client) -> None:
    told = make_prompt(client)
    replies = calls(foreigner(client), f"{PROMPTS}/{told['id']}", told["version_id"])
    assert {reply.status_code for reply in replies} == {403}


def calls(client: Client, path: str, version_id: str) -> list[Any]:
    """The replies of all operations on one prompt."""
    return [
        client.get(path),
        client.put(path, {"name": "x"}),
        client.get(f"{path}/versions"),
        client.get(f"{path}/versions/{version_id}"),
        client.put(f"{path}/versions/{version_id}", {}),
        client.put(f"{path}/makeDefault", {"version": 1}),
        client.post(f"{path}/render", {}),
        client.post(f"{path}/completions", {}),
        client.post(f"/v1{path}/generate", {}),
        client.delete(path),
    ]


def test_key_of_the_workspace_may_do_all(client: Client) -> None:
    own = keyed(client)
    told = make_prompt(client)
    for reply in calls(own, f"{PROMPTS}/{told['id']}", told["version_id"]):
        assert reply.status_code == 200, reply.text


# Sequences of clients


def test_terraform_sees_no_difference(client: Client) -> None:
    """The provider's way: update, find the number of the new version by its id, publish, read by the slug of before.

    Source: prompts-configs-guardrails, Quirks 11; Prompts: Update.
    """
    at(client, "2026-04-12T17:07:59Z")
    told = make_prompt(client, string="Hello {{name}}", version_description="First draft")
    path = f"{PROMPTS}/{told['slug']}"
    first = read(client, path)
    assert read(client, path) == first
    at(client, "2026-04-13T17:07:59Z")
    planned = {**VERSION, "string": "Bye {{name}}", "version_description": "Second", "name": "Farewell"}
    version_id = client.put(path, planned).json()["prompt_version_id"]
    versions = read(client, f"{path}/versions")["data"]
    (number,) = [row["prompt_version"] for row in versions if row["id"] == version_id]
    done(client.put(f"{path}/makeDefault", {"version": number}))
    second = first | {
        "name": "Farewell",
        "string": "Bye {{name}}",
        "prompt_version": 2,
        "prompt_version_id": version_id,
        "prompt_version_description": "Second",
        "last_updated_at": "2026-04-13T17:07:59.000Z",
    }
    assert read(client, path) == second
    done(client.put(path, {"name": "Adieu", "parameters": None}))
    assert read(client, path) == second | {"name": "Adieu"}
    done(client.put(path, {"version_description": "", "parameters": None}))
    assert read(client, path) == second | {"name": "Adieu", "prompt_version_description": ""}
    done(client.delete(path))
    refused(client.get(path), 404, "AB08")
