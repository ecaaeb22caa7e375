"""The real `portkey-ai` for Node over a real socket, with prompts, partials, labels and collections: every method.

`node/all_calls.mjs` makes the calls. Without Node or npm these tests are skipped, under CI=true they fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mockserver.pytest_plugin import PortkeyWorld
from tests.clients import test_node_sdk
from tests.clients.test_all_node_calls import NodeClient
from tests.clients.test_node_sdk import Refused
from tests.clients.test_prompts_python import CHAT, NAMESPACES, PRODUCTION, VERSION

node = test_node_sdk.node


@pytest.fixture
def sdk(node: str, portkey: PortkeyWorld) -> Iterator[NodeClient]:
    """The SDK in a private world."""
    client = NodeClient(node, portkey)
    yield client
    client.close()


@pytest.fixture
def collection(sdk: NodeClient) -> Any:
    return sdk.call("collections.create", {"name": "Care", "workspace_id": PRODUCTION})


@pytest.fixture
def prompt(sdk: NodeClient, collection: Any) -> Any:
    return sdk.call("prompts.create", {"name": "Reply", "collection_id": collection["id"], **VERSION})


def missing(sdk: NodeClient, method: str, *given: Any) -> bool:
    with pytest.raises(Refused) as caught:
        sdk.call(method, *given)
    return bool(caught.value.type == "NotFoundError" and caught.value.status == 404)


def test_namespaces_have_the_methods_tested_here(sdk: NodeClient) -> None:
    """A method that the SDK gains wants its tests beside these."""
    found = set(sdk.call("methods"))
    wanted = {f"{namespace}.{method}" for namespace, methods in NAMESPACES.items() for method in methods}
    assert {name for name in found if name.startswith(("collections.", "labels.", "prompts."))} == wanted


def test_collection_goes_from_creation_to_deletion(sdk: NodeClient, collection: Any) -> None:
    child = sdk.call("collections.create", {"name": "Refunds", "parent_collection_id": collection["slug"]})
    assert sdk.call("collections.update", child["id"], {"name": "Returns"}) == {}
    assert sdk.call("collections.retrieve", collection["id"])["child_collections"][0]["name"] == "Returns"
    listed = sdk.call("collections.list", {"workspace_id": PRODUCTION, "search": "ret"})
    assert (listed["total"], listed["data"][0]["id"]) == (1, child["id"])
    assert sdk.call("collections.delete", child["id"]) == {}
    assert missing(sdk, "collections.retrieve", child["id"])


def test_label_goes_from_creation_to_deletion(sdk: NodeClient) -> None:
    label = sdk.call("labels.create", {"name": "canary", "workspace_id": PRODUCTION, "colorCode": "#fff"})
    assert sdk.call("labels.update", label["id"], {"description": "One in ten"}) == {}
    read = sdk.call("labels.retrieve", label["id"])
    assert (read["name"], read["description"], read["color_code"]) == ("canary", "One in ten", "#fff")
    assert sdk.call("labels.list", {"search": "can"})["total"] == 1
    assert sdk.call("labels.delete", label["id"]) == {}
    assert missing(sdk, "labels.retrieve", label["id"])


def test_prompt_goes_from_creation_to_deletion(sdk: NodeClient, prompt: Any, collection: Any) -> None:
    assert sdk.call("prompts.update", prompt["slug"], {"name": "Answer"}) == {}
    read = sdk.call("prompts.retrieve", prompt["slug"])
    assert (read["name"], read["string"], read["prompt_version"]) == ("Answer", CHAT, 1)
    listed = sdk.call("prompts.list", {"collection_id": collection["id"]})
    assert [row["name"] for row in listed["data"]] == ["Answer"]
    assert sdk.call("prompts.delete", prompt["slug"]) == {}
    assert missing(sdk, "prompts.retrieve", prompt["slug"])


def test_versions_are_published_and_labelled(sdk: NodeClient, prompt: Any) -> None:
    """Top-level names may be camel case."""
    made = sdk.call("prompts.update", prompt["slug"], {**VERSION, "isRawTemplate": 1, "string": "Hello"})
    rows = sdk.call("prompts.versions.list", prompt["slug"])["data"]
    assert [(row["prompt_version"], row["status"]) for row in rows] == [(2, "archived"), (1, "active")]
    assert sdk.call("prompts.publish", prompt["slug"], {"version": 2}) == {}
    label = sdk.call("labels.create", {"name": "canary", "workspace_id": PRODUCTION})
    version = made["prompt_version_id"]
    assert sdk.call("prompts.versions.update", prompt["slug"], version, {"label_id": label["id"]}) == {}
    read = sdk.call("prompts.versions.retrieve", prompt["slug"], version)
    assert (read["string"], read["prompt_version_label_name"], read["is_raw_template"]) == ("Hello", "canary", 1)


def test_partial_goes_from_creation_to_deletion(sdk: NodeClient) -> None:
    partial = sdk.call("prompts.partials.create", {"name": "Bye", "string": "Yours", "workspace_id": PRODUCTION})
    slug = partial["slug"]
    sdk.call("prompts.partials.update", slug, {"string": "Bye"})
    rows = sdk.call("prompts.partials.versions.list", slug)["data"]
    assert [(row["version"], row["string"]) for row in rows] == [(2, "Bye"), (1, "Yours")]
    assert sdk.call("prompts.partials.publish", slug, {"version": 2}) == {}
    assert sdk.call("prompts.partials.retrieve", slug)["string"] == "Bye"
    assert sdk.call("prompts.partials.list", {})["data"][0]["slug"] == slug
    assert sdk.call("prompts.partials.delete", slug) == {}
    assert missing(sdk, "prompts.partials.retrieve", slug)


def test_prompt_is_rendered(sdk: NodeClient, prompt: Any) -> None:
    """The SDK leaves `prompt_id` in the body. Source: prompts-configs-guardrails, Body."""
    made = sdk.call("prompts.render", {"promptID": prompt["slug"], "variables": {"question": "Where?"}, "maxTokens": 9})
    assert made["success"] is True
    assert made["data"] == {
        "model": "gpt-4o",
        "temperature": 0,
        "max_tokens": 9,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where?"}],
    }


def test_prompt_of_the_documents_samples_is_rendered(sdk: NodeClient, prompt: Any) -> None:
    """`promptId` goes into the body, `undefined` into the path. Source: prompts-configs-guardrails, Quirks 6."""
    made = sdk.call("prompts.render", {"promptId": prompt["slug"], "variables": {"question": "Where?"}})
    assert made["data"]["messages"][1]["content"] == "Where?"


def test_prompt_is_completed_and_streamed(sdk: NodeClient, prompt: Any) -> None:
    asked = {"promptID": f"{prompt['slug']}@latest", "variables": {"question": "Where?"}}
    whole = sdk.call("prompts.completions.create", asked)
    assert (whole["object"], whole["model"]) == ("chat.completion", "gpt-4o")
    events = sdk.call("prompts.completions.create", {**asked, "stream": True})
    text = "".join(event["choices"][0]["delta"].get("content", "") for event in events)
    assert text == whole["choices"][0]["message"]["content"]


def test_generation_holds_its_answer_in_data(sdk: NodeClient, prompt: Any) -> None:
    """Source: sdk-call-map 5.3."""
    made = sdk.call("generations.create", {"promptID": prompt["slug"], "variables": {"question": "Where?"}})
    assert made["success"] is True
    assert made["data"]["choices"][0]["message"]["content"]


def test_refusal_becomes_the_error_of_its_status(sdk: NodeClient, prompt: Any) -> None:
    with pytest.raises(Refused) as caught:
        sdk.call("prompts.render", {"promptID": f"{prompt['slug']}@nobody", "variables": {}})
    assert (caught.value.type, caught.value.message) == ("NotFoundError", "Prompt version nobody not found")
