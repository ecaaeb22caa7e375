"""What is made of prompts: rendering and completing them, through the front door.

The template language itself is tested in test_templates.py.
Source of every rule that names none: prompts-configs-guardrails, Prompt render and prompt completions.
"""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.shelf import (
    CHAT,
    LABELS,
    PARTIALS,
    PROMPTS,
    default_collection,
    keyed,
    make_label,
    make_partial,
    make_prompt,
)
from tests.portkey.team import NOBODY, PRODUCTION, RESEARCH, at, barred, done, make_key, read, state, turned_down, workspace_id
from tests.portkey.test_prompts import TOOLS, publish, put_label, revise

ASKED = {"variables": {"question": "Where is it?"}}


def messages_of(*contents: str) -> str:
    """A template of messages."""
    return json.dumps([{"role": "user", "content": content} for content in contents])


def rendered(client: Client, prompt: Record | str, /, **body: Any) -> Record:
    """The body of the call that a completion would make."""
    address = prompt if isinstance(prompt, str) else prompt["slug"]
    reply = client.post(f"{PROMPTS}/{address}/render", body)
    assert reply.status_code == 200, reply.text
    told: Record = reply.json()
    assert (set(told), told["success"]) == ({"success", "data"}, True)
    return dict(told["data"])


def content(client: Client, prompt: Record | str, **variables: Any) -> Any:
    """The content of the last message."""
    return rendered(client, prompt, variables=variables)["messages"][-1]["content"]


def complete(client: Client, prompt: Record | str, /, **body: Any) -> httpx.Response:
    address = prompt if isinstance(prompt, str) else prompt["slug"]
    reply = client.post(f"{PROMPTS}/{address}/completions", body)
    assert reply.status_code == 200, reply.text
    return reply


def completed(client: Client, prompt: Record | str, /, **body: Any) -> Record:
    return dict(complete(client, prompt, **body).json())


def chunks(reply: httpx.Response) -> list[Record]:
    """The events of a stream, which must end as OpenAI's do."""
    *events, last, nothing = reply.text.split("\n\n")
    assert (last, nothing) == ("data: [DONE]", "")
    assert all(event.startswith("data: {") for event in events)
    return [json.loads(event.removeprefix("data: ")) for event in events]


# What is rendered


def test_rendered_prompt_is_ready_for_openai(client: Client) -> None:
    assert rendered(client, make_prompt(client), **ASKED) == {
        "model": "gpt-4o",
        "temperature": 0,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is it?"}],
    }


@pytest.mark.parametrize("body", [{}, {"variables": None}, {"variables": {}}], ids=["left out", "null", "empty"])
def test_variables_may_be_missing(client: Client, body: Record) -> None:
    assert rendered(client, make_prompt(client), **body)["messages"][-1]["content"] == ""


def test_call_wins_over_the_prompt(client: Client) -> None:
    """Shallow, for the one call."""
    told = make_prompt(client, parameters={"temperature": 0, "logit_bias": {"1": 2}, "max_tokens": 9})
    data = rendered(client, told, temperature=0.5, logit_bias={"7": 1}, model="gpt-4o-mini", top_k=3, anything={"a": 1})
    assert {name: value for name, value in data.items() if name != "messages"} == {
        "model": "gpt-4o-mini",
        "temperature": 0.5,
        "logit_bias": {"7": 1},
        "max_tokens": 9,
        "top_k": 3,
        "anything": {"a": 1},
    }
    assert rendered(client, told)["temperature"] == 0


def test_null_wins_over_nothing(client: Client) -> None:
    assert rendered(client, make_prompt(client), temperature=None)["temperature"] == 0


def test_call_brings_its_own_messages(client: Client) -> None:
    told = make_prompt(client)
    own = [{"role": "user", "content": "Hi {{question}}"}]
    assert rendered(client, told, **ASKED, messages=own)["messages"] == own


def test_call_about_the_prompt_is_not_rendered(client: Client) -> None:
    """Node leaves `prompt_id` in the body; hyperparameters count at the top only."""
    told = make_prompt(client)
    data = rendered(client, told, **ASKED, prompt_id=told["slug"], promptID="x", hyperparameters={"temperature": 1})
    assert set(data) == {"model", "temperature", "messages"}
    assert data["temperature"] == 0


def test_tools_of_the_version_come_along(client: Client) -> None:
    told = make_prompt(client, tools=TOOLS, tool_choice="auto")
    data = rendered(client, told, **ASKED)
    assert (data["tools"], data["tool_choice"]) == (TOOLS, "auto")
    assert "functions" not in data


def test_what_no_model_takes_is_rendered_too(client: Client) -> None:
    """A prompt may hold anything, and a read of it must not break."""
    told = make_prompt(client, parameters={"temperature": "hot", "n": {}}, tools=[{"a": 1}], string='[{"role": 3}]')
    data = rendered(client, told)
    assert (data["temperature"], data["tools"], data["messages"]) == ("hot", [{"a": 1}], [{"role": 3}])
    assert client.post(f"{PROMPTS}/{told['slug']}/completions", {}).status_code == 400


def test_parameters_named_as_variables_are_their_defaults(client: Client) -> None:
    """As in the recorded prompt, whose parameters hold each variable."""
    told = make_prompt(client, parameters={"question": "How?", "temperature": 0, "model": "x"})
    data = rendered(client, told)
    assert data["messages"][-1]["content"] == "How?"
    assert set(data) == {"model", "temperature", "messages"}
    assert content(client, told, question="") == ""


@pytest.mark.parametrize("value", ['say "hi"', "two\nlines", "C:\\temp", "{{question}}", "é🙂"])
@pytest.mark.parametrize("is_raw_template", [0, 1])
def test_message_shows_the_value_verbatim(client: Client, value: str, is_raw_template: int) -> None:
    told = make_prompt(client, is_raw_template=is_raw_template)
    assert content(client, told, question=value) == value


def test_blocks_keep_their_form(client: Client) -> None:
    blocks = [{"type": "text", "text": "See {{what}}"}, {"type": "image_url", "image_url": {"url": "{{url}}"}}]
    told = make_prompt(client, string=json.dumps([{"role": "user", "content": blocks}]))
    assert content(client, told, what="this", url="https://example.com/a.png") == [
        {"type": "text", "text": "See this"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]


SHOTS = [{"role": "user", "content": 'A "b"?'}, {"role": "assistant", "content": "No\nway."}]


@pytest.mark.parametrize("is_raw_template", [0, 1])
def test_array_brings_messages(client: Client, is_raw_template: int) -> None:
    """Few-shot prompting: the template itself is no JSON."""
    string = '[{"role":"system","content":"Be brief."}, {{shots}}, {"role":"user","content":"{{question}}"}]'
    told = make_prompt(client, string=string, is_raw_template=is_raw_template)
    data = rendered(client, told, variables={"shots": SHOTS, "question": 'Say "x"'})
    assert data["messages"] == [
        {"role": "system", "content": "Be brief."},
        *SHOTS,
        {"role": "user", "content": 'Say "x"'},
    ]


def test_section_holds_whole_messages(client: Client) -> None:
    string = '[{{#formal}}{"role":"system","content":"Be formal."},{{/formal}}{"role":"user","content":"Hi"}]'
    told = make_prompt(client, string=string, is_raw_template=1)
    assert [len(rendered(client, told, variables={"formal": formal})["messages"]) for formal in (True, False)] == [2, 1]


@pytest.mark.parametrize("is_raw_template", [0, 1])
@pytest.mark.parametrize("string", ["Hello {{name}}", '{"role": "user", "content": "{{name}}"}', '["{{name}}"]', "[]", "3"])
def test_what_is_no_list_of_messages_is_text(client: Client, string: str, is_raw_template: int) -> None:
    told = make_prompt(client, string=string, is_raw_template=is_raw_template)
    text = string.replace("{{name}}", 'In"es')
    assert rendered(client, told, variables={"name": 'In"es'})["messages"] == [{"role": "user", "content": text}]


@pytest.mark.parametrize("model", ["gpt-3.5-turbo-instruct", "davinci-002", "@openai/babbage-002"])
def test_text_is_a_prompt_for_models_that_complete_texts(client: Client, model: str) -> None:
    data = rendered(client, make_prompt(client, string="Hello {{name}}", model=model), variables={"name": "Ines"})
    assert (data["prompt"], "messages" in data) == ("Hello Ines", False)


def test_call_brings_its_own_prompt(client: Client) -> None:
    data = rendered(client, make_prompt(client), prompt="Hello")
    assert (data["prompt"], "messages" in data) == ("Hello", False)


# Which version is meant


def test_address_names_a_version(client: Client) -> None:
    told = make_prompt(client, string=messages_of("one"))
    revise(client, told, string=messages_of("two"))
    revise(client, told, string=messages_of("three"))
    publish(client, told, 2)
    for name in (told["slug"], told["id"]):
        assert content(client, name) == "two"
        assert [content(client, f"{name}@{mark}") for mark in ("1", "3", "latest")] == ["one", "three", "three"]
        assert content(client, f"{name}%401") == "one"


def test_address_names_a_label(client: Client) -> None:
    told, canary = make_prompt(client, string=messages_of("one")), make_label(client)
    second = revise(client, told, string=messages_of("two"))["prompt_version_id"]
    (staging,) = read(client, LABELS, name="staging")["data"]
    put_label(client, told, told["version_id"], canary)
    put_label(client, told, second, staging["id"])
    assert [content(client, f"{told['slug']}@{mark}") for mark in ("canary", "staging")] == ["one", "two"]
    put_label(client, told, second, canary)
    assert content(client, f"{told['slug']}@canary") == "two"
    done(client.put(f"{LABELS}/{canary}", {"name": "beta"}))
    assert content(client, f"{told['slug']}@beta") == "two"


@pytest.mark.parametrize("call", ["render", "completions"])
@pytest.mark.parametrize("mark", ["2", "0", "nobody", "unassigned", "deleted"])
def test_unknown_version_or_label_is_not_found(client: Client, mark: str, call: str) -> None:
    """A label that was deleted, or that no version bears, is none."""
    told = make_prompt(client)
    make_label(client, "unassigned")
    deleted = make_label(client, "deleted")
    put_label(client, told, told["version_id"], deleted)
    done(client.delete(f"{LABELS}/{deleted}"))
    before = state(client)
    turned_down(client.post(f"{PROMPTS}/{told['slug']}@{mark}/{call}", {}), 404)
    assert state(client) == before


@pytest.mark.parametrize("call", ["render", "completions"])
def test_unknown_prompt_is_not_found(client: Client, call: str) -> None:
    turned_down(client.post(f"{PROMPTS}/{NOBODY}/{call}", {}), 404)


def test_prompt_may_be_named_in_the_body(client: Client) -> None:
    """The samples of the document make the Node client ask for `undefined`.

    Source: prompts-configs-guardrails, Quirks 6.
    """
    told = make_prompt(client)
    assert rendered(client, "undefined", **ASKED, prompt_id=told["slug"]) == rendered(client, told, **ASKED)
    turned_down(client.post(f"{PROMPTS}/undefined/render", {"prompt_id": 3}), 404)


# Partials


def test_published_partial_is_in_prompts_at_once(client: Client) -> None:
    """A version that is pinned stays; `@latest` is the newest, published or not."""
    partial = make_partial(client, string="one {{question}}")
    slug = partial["slug"]
    template = f"{{{{>{slug}}}}}|{{{{>{slug}@1}}}}|{{{{>{slug}@latest}}}}|{{{{>{slug}@9}}}}|{{{{>{slug}@canary}}}}"
    told = make_prompt(client, string=messages_of(template))
    client.put(f"{PARTIALS}/{slug}", {"string": "two"})
    assert content(client, told, question="?") == "one ?|one ?|two||"
    done(client.put(f"{PARTIALS}/{slug}/makeDefault", {"version": 2}))
    assert content(client, told, question="?") == "two|one ?|two||"


def test_deleted_partial_leaves_nothing(client: Client) -> None:
    partial = make_partial(client)
    told = make_prompt(client, string=messages_of(f"a{{{{>{partial['slug']}}}}}b"))
    done(client.delete(f"{PARTIALS}/{partial['id']}"))
    assert content(client, told) == "ab"


def test_partial_of_another_workspace_is_none(client: Client) -> None:
    partial = make_partial(client, workspace_id=RESEARCH)
    assert content(client, make_prompt(client, string=messages_of(f"a{{{{>{partial['slug']}}}}}b"))) == "ab"


def test_partials_without_end_are_refused(client: Client) -> None:
    partial = make_partial(client)
    client.put(f"{PARTIALS}/{partial['slug']}", {"string": f"{{{{>{partial['slug']}}}}}"})
    done(client.put(f"{PARTIALS}/{partial['slug']}/makeDefault", {"version": 2}))
    told = make_prompt(client, string=f"{{{{>{partial['slug']}}}}}")
    turned_down(client.post(f"{PROMPTS}/{told['slug']}/render", {}), 400)


# Completions


def test_completion_is_a_plain_chat_completion(client: Client) -> None:
    """Not wrapped in status, headers and body, as published."""
    at(client, "2026-04-12T17:07:59Z")
    answer = completed(client, make_prompt(client), **ASKED)
    assert answer["id"].startswith("chatcmpl-")
    assert (answer["object"], answer["created"], answer["model"]) == ("chat.completion", 1776013679, "gpt-4o")
    (choice,) = answer["choices"]
    assert (choice["index"], choice["finish_reason"], choice["message"]["role"]) == (0, "stop", "assistant")
    assert choice["message"]["content"]


def test_usage_adds_up(client: Client) -> None:
    """By the rule of tokens; `test_tokens` has it."""
    usage = completed(client, make_prompt(client), **ASKED)["usage"]
    assert usage["prompt_tokens"] == 18
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_same_request_gets_the_same_text(client: Client) -> None:
    told = make_prompt(client)
    first, again = completed(client, told, **ASKED), completed(client, told, **ASKED)
    assert (first["choices"], first["usage"]) == (again["choices"], again["usage"])
    assert first["id"] != again["id"]
    others = {json.dumps(completed(client, told, variables={"question": str(n)})["choices"]) for n in range(9)}
    assert len(others) > 3


def test_choices_and_length_are_as_asked(client: Client) -> None:
    answer = completed(client, make_prompt(client), **ASKED, n=3, max_tokens=2)
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]
    assert {choice["finish_reason"] for choice in answer["choices"]} == {"length"}
    assert answer["usage"]["completion_tokens"] == 6


def test_text_is_completed_as_text(client: Client) -> None:
    told = make_prompt(client, string="Hello {{name}}", model="gpt-3.5-turbo-instruct")
    answer = completed(client, told, variables={"name": "Ines"})
    assert (answer["object"], answer["id"][:5]) == ("text_completion", "cmpl-")
    assert answer["choices"][0]["text"]
    assert answer["usage"]["prompt_tokens"] == 2


@pytest.mark.parametrize(
    ("prompt", "choices", "tokens"), [("a b", 1, 2), (["a b", "c"], 2, 3), ([1, 2, 3], 1, 3), ([[1, 2], [3]], 2, 3), ([], 1, 0)]
)
def test_each_text_gets_its_answer(client: Client, prompt: Any, choices: int, tokens: int) -> None:
    answer = completed(client, make_prompt(client), prompt=prompt)
    assert (len(answer["choices"]), answer["usage"]["prompt_tokens"]) == (choices, tokens)


def test_stream_is_openais(client: Client) -> None:
    """Source: gateway-data-plane, /chat/completions: Stream."""
    told = make_prompt(client)
    reply = complete(client, told, **ASKED, stream=True, n=2)
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    events = chunks(reply)
    assert {(event["object"], event["id"], event["model"]) for event in events} == {
        ("chat.completion.chunk", events[0]["id"], "gpt-4o")
    }
    whole = completed(client, told, **ASKED, n=2)
    for index in (0, 1):
        own = [event["choices"][0] for event in events if event["choices"][0]["index"] == index]
        assert own[0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
        assert (own[-1]["delta"], own[-1]["finish_reason"]) == ({}, "stop")
        assert {each["finish_reason"] for each in own[:-1]} == {None}
        text = "".join(each["delta"]["content"] for each in own[:-1])
        assert text == whole["choices"][index]["message"]["content"]
    assert not any("usage" in event for event in events)


def test_stream_tells_usage_when_asked(client: Client) -> None:
    told = make_prompt(client)
    events = chunks(complete(client, told, **ASKED, stream=True, stream_options={"include_usage": True}))
    assert [event["usage"] for event in events[:-1]] == [None] * (len(events) - 1)
    assert (events[-1]["choices"], events[-1]["usage"]) == ([], completed(client, told, **ASKED)["usage"])


def test_text_streams_as_text(client: Client) -> None:
    told = make_prompt(client, string="Hello", model="gpt-3.5-turbo-instruct")
    events = chunks(complete(client, told, stream=True))
    text = "".join(event["choices"][0]["text"] for event in events)
    assert (events[0]["object"], events[-1]["choices"][0]["finish_reason"]) == ("text_completion", "length")
    assert text == completed(client, told)["choices"][0]["text"]


def test_generation_holds_its_answer_in_data(client: Client) -> None:
    """Source: sdk-call-map 5.3; it never streams."""
    told = make_prompt(client, parameters={"stream": True})
    reply = client.post(f"/v1/v1/prompts/{told['slug']}/generate", {**ASKED, "max_tokens": 1})
    assert reply.status_code == 200
    assert (reply.json()["success"], reply.json()["data"]["object"]) == (True, "chat.completion")
    assert reply.json()["data"]["usage"]["completion_tokens"] == 1


# Scopes, limits and accounts


def test_rendering_and_completing_have_scopes_of_their_own(client: Client) -> None:
    told = make_prompt(client)
    in_production = {"workspace_id": workspace_id(client)}
    renders = client.as_key(make_key(client, scopes=["prompts.render"], **in_production).secret)
    completes = client.as_key(make_key(client, scopes=["completions.write"], **in_production).secret)
    path = f"{PROMPTS}/{told['slug']}"
    assert renders.post(f"{path}/render", {}).status_code == completes.post(f"{path}/completions", {}).status_code == 200
    assert barred(renders.post(f"{path}/completions", {}), 403, "033") == "Forbidden!"
    assert barred(completes.post(f"{path}/render", {}), 403, "033") == "Forbidden!"


def budgeted(client: Client, limit: int, **fields: Any) -> Record:
    """A prompt of a provider that may use so many tokens."""
    given = {"name": "Few", "slug": "few", "workspace_id": PRODUCTION, "integration_id": "openai-production"}
    budget = {"type": "tokens", "credit_limit": limit}
    reply = client.post("/v1/providers", {**given, "usage_limits": budget})
    assert reply.status_code == 200, reply.text
    return make_prompt(client, virtual_key="few", **fields)


@pytest.mark.parametrize("stream", [False, True])
def test_completion_counts_against_the_prompts_provider(client: Client, stream: bool) -> None:
    told = budgeted(client, 1000)
    own = keyed(client)
    usage = completed(own, told, **ASKED)["usage"]["total_tokens"]
    complete(own, told, **ASKED, stream=stream)
    provider = client.world["providers"].find("_handle", f"{workspace_id(client)}/few")
    assert provider["_usage"] == 2 * usage


@pytest.mark.parametrize("stream", [False, True])
def test_completion_counts_against_the_key(client: Client, stream: bool) -> None:
    told = make_prompt(client)
    budget = {"type": "tokens", "credit_limit": 100000}
    key = make_key(client, scopes=["completions.write"], usage_limits=budget, workspace_id=workspace_id(client))
    complete(client.as_key(key.secret), told, **ASKED, stream=stream)
    usage = completed(client, told, **ASKED)["usage"]["total_tokens"]
    assert client.world["api_keys"].get(key.id)["_usage"] == usage


def test_cost_follows_from_the_model_of_the_prompt(client: Client) -> None:
    """A model without a price costs nothing."""
    spent = []
    for model in ("gpt-4o", "gpt-nobody-prices"):
        budget = {"type": "cost", "credit_limit": 10}
        key = make_key(client, scopes=["completions.write"], usage_limits=budget, workspace_id=workspace_id(client))
        usage = completed(client.as_key(key.secret), make_prompt(client, model=model), **ASKED)["usage"]
        spent.append(client.world["api_keys"].get(key.id)["_usage"])
        if model == "gpt-4o":
            cents = usage["prompt_tokens"] * 0.00025 + usage["completion_tokens"] * 0.001
    assert spent == [pytest.approx(cents / 100), 0]


def test_used_up_provider_refuses_its_prompts(client: Client) -> None:
    told = budgeted(client, 1)
    own = keyed(client)
    complete(own, told, **ASKED)
    reply = own.post(f"{PROMPTS}/{told['slug']}/completions", ASKED)
    assert (reply.status_code, reply.json()["error"]["type"]) == (412, "virtual_key_exhaust_error")
    assert own.post(f"{PROMPTS}/{told['slug']}/render", ASKED).status_code == 200


def test_unknown_provider_is_refused_to_keys_that_are_known(client: Client) -> None:
    """As with all calls to a provider; a key that nobody knows may name any."""
    told = make_prompt(client, virtual_key="nowhere")
    turned_down(keyed(client).post(f"{PROMPTS}/{told['slug']}/completions", ASKED), 400)
    assert completed(client, told, **ASKED)["model"] == "gpt-4o"


def test_model_of_the_call_may_bring_its_provider(client: Client) -> None:
    told = make_prompt(client, virtual_key="nowhere")
    assert completed(keyed(client), told, **ASKED, model="@openai-production/gpt-4o-mini")["model"] == "gpt-4o-mini"


def test_model_with_an_at_sign_of_its_own_gets_the_prompts_provider(client: Client) -> None:
    told = budgeted(client, 1000, model="@cf/meta/llama-3")
    assert completed(keyed(client), told, **ASKED)["model"] == "@cf/meta/llama-3"
    assert client.world["providers"].find("_handle", f"{workspace_id(client)}/few")["_usage"] > 0


@pytest.mark.parametrize("stream", [False, True])
def test_completion_is_logged_with_its_prompt(client: Client, stream: bool) -> None:
    told = make_prompt(client)
    complete(client, f"{told['slug']}@latest", **ASKED, stream=stream)
    log = next(client.world["logs"].newest())
    usage = completed(client, told, **ASKED)["usage"]
    assert (log["prompt_id"], log["prompt_slug"]) == (told["id"], told["slug"])
    assert (log["req_units"], log["res_units"]) == (usage["prompt_tokens"], usage["completion_tokens"])


def test_render_leaves_the_world_as_it_was(client: Client) -> None:
    told = make_prompt(client, collection_id=default_collection(client)["id"], string=CHAT)
    before = state(client)
    rendered(client, told, **ASKED)
    assert state(client) == before
