"""Tools in responses: functions that the caller runs, tools that the provider runs. Source: gateway-data-plane, /responses."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import jsonschema_rs
import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.gateway.calling import ANTHROPIC, error, script
from tests.portkey.test_responses import kinds, made, respond, text_of

TIDE = {
    "type": "object",
    "properties": {
        "port": {"type": "string", "minLength": 3},
        "hours": {"type": "array", "items": {"type": "integer"}, "minItems": 1},
    },
    "required": ["port", "hours"],
    "additionalProperties": False,
}
FIND: Record = {"type": "function", "name": "find_tide", "description": "Finds tides", "parameters": TIDE, "strict": True}
BOOK: Record = {"type": "function", "name": "book_boat", "parameters": {"type": "object", "properties": {}}}
ASK = "Find the tide and book the boat"

PROVIDERS_TOOLS: dict[str, Record] = {
    "web_search_call": {"type": "web_search"},
    "file_search_call": {"type": "file_search", "vector_store_ids": ["vs_1"]},
    "code_interpreter_call": {"type": "code_interpreter", "container": {"type": "auto"}},
    "image_generation_call": {"type": "image_generation", "size": "64x32"},
}
CALLERS_TOOLS: dict[str, Record] = {
    "computer_call": {"type": "computer_use_preview", "display_width": 80, "display_height": 60, "environment": "linux"},
    "local_shell_call": {"type": "local_shell"},
    "shell_call": {"type": "shell"},
    "apply_patch_call": {"type": "apply_patch"},
}
SERVER: Record = {
    "type": "mcp",
    "server_label": "charts",
    "server_url": "https://charts.example.com",
    "allowed_tools": ["chart"],
}


def names(response: Record) -> list[str]:
    return [item["name"] for item in response["output"]]


# Functions


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        ("auto", []),
        ("none", []),
        ("required", ["find_tide", "book_boat"]),
        ({"type": "function", "name": "book_boat"}, ["book_boat"]),
        ({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "book_boat"}]}, []),
        ({"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "book_boat"}]}, ["book_boat"]),
    ],
)
def test_choice_of_functions(client: Client, choice: Any, found: list[str]) -> None:
    response = made(client, input=ASK, tools=[FIND, BOOK], tool_choice=choice)
    assert response["tool_choice"] == choice
    assert (names(response) if found else kinds(response)) == (found or ["message"])


def test_functions_one_at_a_time(client: Client) -> None:
    response = made(client, input=ASK, tools=[FIND, BOOK], tool_choice="required", parallel_tool_calls=False)
    assert names(response) == ["find_tide"]


def test_arguments_fit_the_schema(client: Client) -> None:
    (call,) = made(client, input=ASK, tools=[FIND], tool_choice="required")["output"]
    assert jsonschema_rs.is_valid(TIDE, json.loads(call["arguments"]))
    assert (call["id"][:3], call["call_id"][:5], call["status"]) == ("fc_", "call_", "completed")


def test_arguments_of_a_script(client: Client) -> None:
    script(client, {"tool_calls": [{"name": "find_tide", "arguments": {"port": "Hull"}}, {"name": "book_boat"}]})
    response = made(client, tools=[FIND, BOOK])
    assert names(response) == ["find_tide", "book_boat"]
    assert json.loads(response["output"][0]["arguments"]) == {"port": "Hull"}


def test_functions_of_providers_that_are_asked_by_chat(client: Client) -> None:
    response = made(client, config=ANTHROPIC, input=ASK, tools=[FIND], tool_choice="required")
    assert names(response) == ["find_tide"]


def test_custom_tool_takes_a_text(client: Client) -> None:
    tool = {"type": "custom", "name": "shout", "description": "Shouts"}
    (call,) = made(client, input="The tide", tools=[tool], tool_choice="required")["output"]
    assert (call["type"], call["id"][:4], call["name"], call["input"]) == ("custom_tool_call", "ctc_", "shout", "tide")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": {"type": "function", "name": "none_such"}, "tools": [FIND]}, "tool_choice"),
        ({"tool_choice": {"type": "web_search"}, "tools": [FIND]}, "tool_choice"),
        ({"tool_choice": {"type": "allowed_tools", "mode": "required"}, "tools": [FIND]}, "tool_choice/tools"),
        ({"tools": [{"type": "custom"}]}, "tools/0/name"),
        ({"tools": [BOOK, {**FIND, "parameters": {"type": "nothing"}}], "tool_choice": "required"}, "tools/1/parameters"),
    ],
)
def test_tools_that_are_not_there_are_refused(client: Client, fields: Record, param: str) -> None:
    assert error(respond(client, input="Find the tide", **fields), 400)["param"] == param


# Tools that the provider runs


@pytest.mark.parametrize(("kind", "tool"), PROVIDERS_TOOLS.items(), ids=PROVIDERS_TOOLS)
@pytest.mark.parametrize("choice", ["required", "named"])
def test_provider_uses_its_tool_and_answers(client: Client, kind: str, tool: Record, choice: str) -> None:
    response = made(client, tools=[tool], tool_choice="required" if choice == "required" else {"type": tool["type"]})
    assert kinds(response) == [kind, "message"]
    assert (response["output"][0]["status"], response["tools"]) == ("completed", [tool])
    assert text_of(response)


@pytest.mark.parametrize(("kind", "tool"), PROVIDERS_TOOLS.items(), ids=PROVIDERS_TOOLS)
def test_tool_is_left_alone_unless_demanded(client: Client, kind: str, tool: Record) -> None:
    assert kinds(made(client, tools=[tool])) == ["message"]


def test_script_has_a_tool_used(client: Client) -> None:
    script(client, {"tool_calls": [{"name": "web_search", "arguments": {"query": "tides of Hull"}}]})
    response = made(client, tools=[{"type": "web_search_preview"}], include=["web_search_call.action.sources"])
    assert kinds(response) == ["web_search_call", "message"]
    action = response["output"][0]["action"]
    assert (action["type"], action["query"]) == ("search", "tides of Hull")
    assert all(source["url"].startswith("https://example.com/tides") for source in action["sources"])


def test_script_has_a_tool_used_and_a_function_called(client: Client) -> None:
    script(client, {"tool_calls": [{"name": "web_search"}, {"name": "find_tide"}]})
    assert kinds(made(client, tools=[{"type": "web_search"}, FIND])) == ["web_search_call", "function_call"]


def test_text_cites_what_was_found(client: Client) -> None:
    response = made(client, input="Tides of Hull", tools=[{"type": "web_search"}], tool_choice="required")
    (part,) = response["output"][1]["content"]
    assert {each["type"] for each in part["annotations"]} == {"url_citation"}
    assert {each["end_index"] for each in part["annotations"]} == {len(part["text"])}
    assert "sources" not in response["output"][0]["action"]


@pytest.mark.parametrize(
    ("kind", "field", "include"),
    [
        ("code_interpreter_call", "outputs", "code_interpreter_call.outputs"),
        ("file_search_call", "results", "file_search_call.results"),
    ],
)
def test_findings_are_told_to_whom_asks(client: Client, kind: str, field: str, include: str) -> None:
    fields = {"tools": [PROVIDERS_TOOLS[kind]], "tool_choice": "required"}
    assert made(client, **fields)["output"][0][field] is None
    response = made(client, **fields, include=[include])
    assert isinstance(response["output"][0][field], list)
    address = f"/v1/responses/{response['id']}"
    assert client.get(address).json()["output"][0][field] is None
    assert client.get(address, params={"include[]": include}).json() == response


def test_image_is_one(client: Client) -> None:
    response = made(client, tools=[PROVIDERS_TOOLS["image_generation_call"]], tool_choice="required")
    assert b64decode(response["output"][0]["result"])[:8] == b"\x89PNG\r\n\x1a\n"
    assert response["output"][0]["size"] == "64x32"


@pytest.mark.parametrize(("kind", "tool"), CALLERS_TOOLS.items(), ids=CALLERS_TOOLS)
def test_provider_waits_for_what_the_caller_does(client: Client, kind: str, tool: Record) -> None:
    response = made(client, tools=[tool], tool_choice="required")
    assert kinds(response) == [kind]
    assert response["output"][0]["call_id"].startswith("call_")


def test_server_is_asked_for_its_tools(client: Client) -> None:
    response = made(client, tools=[{**SERVER, "require_approval": "never"}], tool_choice="required")
    assert kinds(response) == ["mcp_list_tools", "mcp_call", "message"]
    listed, call, _ = response["output"]
    assert [tool["name"] for tool in listed["tools"]] == [call["name"]] == ["chart"]
    assert (call["server_label"], call["error"], json.loads(call["arguments"])) == ("charts", None, {"query": ""})


def test_script_calls_a_tool_of_a_server(client: Client) -> None:
    script(client, {"tool_calls": [{"name": "chart", "arguments": {"of": "Hull"}}]})
    call = made(client, tools=[{**SERVER, "require_approval": "never"}])["output"][1]
    assert (call["name"], json.loads(call["arguments"])) == ("chart", {"of": "Hull"})


def test_server_is_called_when_the_caller_approves(client: Client) -> None:
    fields: Record = {"tools": [SERVER], "tool_choice": {"type": "mcp", "server_label": "charts"}}
    first = made(client, **fields)
    assert kinds(first) == ["mcp_list_tools", "mcp_approval_request"]
    asked = first["output"][1]["id"]
    approval = {"type": "mcp_approval_response", "approval_request_id": asked, "approve": True}
    second = made(client, **fields, input=[approval], previous_response_id=first["id"])
    assert kinds(second) == ["mcp_list_tools", "mcp_call", "message"]
    assert second["output"][1]["approval_request_id"] == asked
