"""The real `portkey-ai` for Python, sync and async, with prompts, partials, labels and collections.

Every method of these namespaces is used, over a real socket.
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
from portkey_ai import Portkey
from portkey_ai.api_resources import exceptions

from mockserver.pytest_plugin import PortkeyWorld

Call: TypeAlias = Callable[..., Any]

NAMESPACES = {
    "collections": {"create", "list", "retrieve", "update", "delete"},
    "labels": {"create", "list", "retrieve", "update", "delete"},
    "prompts": {"create", "list", "retrieve", "update", "delete", "publish", "render"},
    "prompts.versions": {"list", "retrieve", "update"},
    "prompts.partials": {"create", "list", "retrieve", "update", "delete", "publish"},
    "prompts.partials.versions": {"list"},
    "prompts.completions": {"create"},
}

PRODUCTION = "ws-produc-71b04e"
CHAT = '[{"role":"system","content":"Be brief."},{"role":"user","content":"{{question}}"}]'
VERSION: dict[str, Any] = {
    "string": CHAT,
    "parameters": {"temperature": 0},
    "model": "gpt-4o",
    "virtual_key": "openai-production",
}


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest, portkey: PortkeyWorld) -> Iterator[Call]:
    """Calls a method of the SDK by its name, on `Portkey` or on `AsyncPortkey`; a stream comes as the list of its chunks."""
    if request.param == "sync":
        client = portkey.client()

        def run(method: str, **arguments: Any) -> Any:
            reply = operator.attrgetter(method)(client)(**arguments)
            return list(reply) if arguments.get("stream") else reply

        yield run
        return
    async_client = portkey.async_client()

    async def run_async(method: str, arguments: dict[str, Any]) -> Any:
        reply = await operator.attrgetter(method)(async_client)(**arguments)
        return [chunk async for chunk in reply] if arguments.get("stream") else reply

    with asyncio.Runner() as runner:
        yield lambda method, **arguments: runner.run(run_async(method, arguments))
        runner.run(async_client.close())


@pytest.fixture
def collection(call: Call) -> Any:
    return call("collections.create", name="Care", workspace_id=PRODUCTION)


@pytest.fixture
def prompt(call: Call, collection: Any) -> Any:
    return call("prompts.create", name="Reply", collection_id=collection.id, version_description="First", **VERSION)


@pytest.fixture
def partial(call: Call) -> Any:
    return call("prompts.partials.create", name="Bye", string="Yours, {{us}}", workspace_id=PRODUCTION)


@pytest.fixture
def label(call: Call) -> Any:
    return call("labels.create", name="canary", workspace_id=PRODUCTION, description="One in twenty", color_code="#fff")


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_namespaces_have_the_methods_tested_here(namespace: str) -> None:
    """A method that the SDK gains wants its tests beside these."""
    client = Portkey(base_url="http://127.0.0.1:1/v1", api_key="any")
    methods = vars(type(operator.attrgetter(namespace)(client)))
    functions = {name for name, value in methods.items() if callable(value) and not name.startswith("_")}
    assert functions - {"stream_create", "normal_create"} == NAMESPACES[namespace]


def test_collection_goes_from_creation_to_deletion(call: Call, collection: Any) -> None:
    child = call("collections.create", name="Refunds", workspace_id=PRODUCTION, parent_collection_id=collection.slug)
    call("collections.update", collection_id=child.id, name="Returns")
    read = call("collections.retrieve", collection_id=collection.id)
    assert (read.name, read.is_default, read.child_collections[0]["name"]) == ("Care", 0, "Returns")
    listed = call("collections.list")
    assert (listed.total, listed.data[0]["collection_details"]["prompts_count"]) == (5, 0)
    assert call("collections.list", workspace_id=PRODUCTION, search="ret", page_size=1).data[0]["id"] == child.id
    call("collections.delete", collection_id=child.id)
    with pytest.raises(exceptions.NotFoundError):
        call("collections.retrieve", collection_id=child.id)


def test_label_goes_from_creation_to_deletion(call: Call, label: Any) -> None:
    organisation = call("labels.retrieve", label_id=label.id).organisation_id
    call("labels.update", label_id=label.id, color_code="#000")
    read = call("labels.retrieve", label_id=label.id)
    assert (read.name, read.description, read.color_code, read.is_universal) == ("canary", "One in twenty", "#000", False)
    listed = call("labels.list", organization_id=organisation, workspace_id=PRODUCTION, page_size=1)
    assert (listed.total, [row["name"] for row in listed.data]) == (4, ["canary"])
    call("labels.delete", label_id=label.id)
    with pytest.raises(exceptions.NotFoundError):
        call("labels.retrieve", label_id=label.id)


def test_universal_label_is_not_deleted(call: Call) -> None:
    (row,) = [row for row in call("labels.list").data if row["name"] == "production"]
    with pytest.raises(exceptions.PermissionDeniedError):
        call("labels.delete", label_id=row["id"])


def test_prompt_goes_from_creation_to_deletion(call: Call, prompt: Any, collection: Any) -> None:
    read = call("prompts.retrieve", prompt_slug=prompt.slug)
    assert (read.name, read.string, read.prompt_version) == ("Reply", CHAT, 1)
    assert read.parameters == {"temperature": 0, "model": "gpt-4o"}
    assert read.variable_components["variables"] == ["question"]
    call("prompts.update", prompt_slug=prompt.slug, name="Answer")
    listed = call("prompts.list", collection_id=collection.id, search="answ")
    assert (listed.total, listed.data[0]["slug"]) == (1, prompt.slug)
    call("prompts.delete", prompt_slug=prompt.slug)
    with pytest.raises(exceptions.NotFoundError):
        call("prompts.retrieve", prompt_slug=prompt.slug)


def test_new_version_needs_more_than_update_can_send(call: Call, prompt: Any) -> None:
    """The method has neither `patch` nor `is_raw_template`; the raw `put` has.

    Source: prompts-configs-guardrails, Prompts: Update; sdk-call-map 6.1.
    """
    with pytest.raises(exceptions.BadRequestError, match="is_raw_template is required for a new version without patch"):
        call("prompts.update", prompt_slug=prompt.slug, **VERSION)
    call("put", path=f"/prompts/{prompt.slug}", body={**VERSION, "is_raw_template": 0})
    assert call("prompts.versions.list", prompt_slug=prompt.slug).total == 2


def test_versions_are_published_and_labelled(call: Call, prompt: Any, label: Any) -> None:
    call("put", path=f"/prompts/{prompt.slug}", body={"patch": True, "string": "Hello"})
    rows = call("prompts.versions.list", prompt_slug=prompt.slug).data
    assert [(row["prompt_version"], row["status"]) for row in rows] == [(2, "archived"), (1, "active")]
    call("prompts.publish", prompt_slug=prompt.slug, version=2)
    assert call("prompts.retrieve", prompt_slug=prompt.slug).string == "Hello"
    version = {"prompt_slug": prompt.slug, "version_id": rows[0]["id"]}
    call("prompts.versions.update", **version, label_id=label.id)
    assert call("prompts.versions.retrieve", **version).prompt_version_label_name == "canary"


def test_partial_goes_from_creation_to_deletion(call: Call, partial: Any) -> None:
    call("prompts.partials.update", partial_slug=partial.slug, string="Bye, {{us}}", description="dropped", status="active")
    rows = call("prompts.partials.versions.list", partial_slug=partial.slug).data
    assert [(row["version"], row["string"]) for row in rows] == [(2, "Bye, {{us}}"), (1, "Yours, {{us}}")]
    assert call("prompts.partials.retrieve", partial_slug=partial.slug).version == 1
    call("prompts.partials.publish", partial_slug=partial.slug, version=2)
    assert call("prompts.partials.retrieve", partial_slug=partial.slug).string == "Bye, {{us}}"
    listed = call("prompts.partials.list")
    assert (listed.total, listed.data[0]["object"]) == (1, "partial")
    call("prompts.partials.delete", partial_slug=partial.slug)
    with pytest.raises(exceptions.NotFoundError):
        call("prompts.partials.retrieve", partial_slug=partial.slug)


def test_rendered_prompt_has_the_attributes_users_read(call: Call, prompt: Any) -> None:
    made = call("prompts.render", prompt_id=prompt.slug, variables={"question": "Where?"}, max_tokens=9, top_p=0.5)
    assert made.success is True
    assert [(message.role, message.content) for message in made.data.messages] == [("system", "Be brief."), ("user", "Where?")]
    assert (made.data.model, made.data.max_tokens, made.data.top_p, made.data.temperature) == ("gpt-4o", 9, 0.5, 0)
    assert made.data.model_dump(exclude_unset=True)["stream"] is False  # the SDK always sends it


def test_empty_variable_takes_the_default(call: Call, collection: Any) -> None:
    """The SDK drops empty texts from a body. Source: prompts-configs-guardrails, Quirks 3."""
    fields = {**VERSION, "parameters": {"question": "How?"}}
    prompt = call("prompts.create", name="Reply", collection_id=collection.id, **fields)
    made = call("prompts.render", prompt_id=prompt.slug, variables={"question": ""})
    assert made.data.messages[1].content == "How?"


def test_completed_prompt_has_the_attributes_users_read(call: Call, prompt: Any) -> None:
    made = call("prompts.completions.create", prompt_id=f"{prompt.slug}@1", variables={"question": "Where?"}, max_tokens=3)
    assert (made.object, made.model, made.choices[0].finish_reason) == ("chat.completion", "gpt-4o", "length")
    assert made.choices[0].message.content
    assert made.usage.total_tokens == made.usage.prompt_tokens + made.usage.completion_tokens
    assert made.usage.completion_tokens == 3


def test_completed_prompt_streams(call: Call, prompt: Any) -> None:
    """`variables` may be left out."""
    whole = call("prompts.completions.create", prompt_id=prompt.slug)
    pieces = call("prompts.completions.create", prompt_id=prompt.slug, stream=True)
    assert {piece.object for piece in pieces} == {"chat.completion.chunk"}
    text = "".join(piece.choices[0]["delta"].get("content") or "" for piece in map(plain, pieces))
    assert text == whole.choices[0].message.content


def plain(piece: Any) -> Any:
    """A chunk whose choices are plain data, whichever of its two types the SDK took them for."""
    piece.choices = [choice.model_dump() for choice in piece.choices]
    return piece


def test_text_prompt_completes_text(call: Call, collection: Any) -> None:
    fields = {**VERSION, "string": "Hello {{name}}", "model": "gpt-3.5-turbo-instruct"}
    prompt = call("prompts.create", name="Hello", collection_id=collection.id, **fields)
    assert call("prompts.render", prompt_id=prompt.slug, variables={"name": "Ines"}).data.prompt == "Hello Ines"
    made = call("prompts.completions.create", prompt_id=prompt.slug, variables={"name": "Ines"})
    assert made.object == "text_completion"
    assert made.choices[0].text
