"""Assistants, threads and messages. Source of every rule that names none: gateway-data-plane, /assistants, /threads and
messages, Stateful resources: shared conventions."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import Client
from tests.portkey.desk import (
    ASSISTANTS,
    FIND_TIDE,
    THREADS,
    done,
    later,
    make_assistant,
    make_run,
    make_thread,
    messages_of,
    now,
    path_of,
    refusal,
    steps_of,
)
from tests.portkey.gateway.calling import fail, script, told, used
from tests.portkey.team import read


def test_an_assistant_has_all_its_fields(client: Client) -> None:
    made = make_assistant(client)
    assert made.pop("id").startswith("asst_")
    assert made.pop("created_at") == int(client.world.clock.seconds())
    assert made == {
        "object": "assistant",
        "model": "gpt-4o",
        "name": None,
        "description": None,
        "instructions": None,
        "tools": [],
        "tool_resources": {},
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "response_format": "auto",
    }


def test_modifying_an_assistant_keeps_the_rest(client: Client) -> None:
    made = make_assistant(client, name="Desk", tools=[FIND_TIDE], metadata={"a": "1", "b": "2"})
    changed = done(client.post(f"{ASSISTANTS}/{made['id']}", {"metadata": {"b": "3"}, "temperature": 0.5}))
    assert changed == {**made, "metadata": {"b": "3"}, "temperature": 0.5}
    assert read(client, f"{ASSISTANTS}/{made['id']}") == changed


def test_null_sets_a_field_back(client: Client) -> None:
    made = make_assistant(client, name="Desk", temperature=0.5, metadata={"a": "1"})
    changed = done(client.post(f"{ASSISTANTS}/{made['id']}", {"name": None, "temperature": None, "metadata": None}))
    assert (changed["name"], changed["temperature"], changed["metadata"]) == (None, 1.0, {})


def test_model_left_open_by_a_client_stays(client: Client) -> None:
    """Source: sdk-call-map 4, row 16 (sent with every change); *chosen*: that it changes nothing."""
    made = make_assistant(client, model="gpt-4o-mini")
    changed = done(client.post(f"{ASSISTANTS}/{made['id']}", {"model": "portkey-default", "name": "Desk"}))
    assert (changed["model"], changed["name"]) == ("gpt-4o-mini", "Desk")
    assert make_assistant(client, model="portkey-default")["model"] == "portkey-default"


def test_slug_of_a_model_names_the_provider(client: Client) -> None:
    reply = client.post(ASSISTANTS, {"model": "@openai-production/gpt-4o"})
    assert done(reply)["model"] == "gpt-4o"
    assert told(reply, "provider") == "openai"


def test_deleted_assistant_is_gone(client: Client) -> None:
    made = make_assistant(client)
    path = f"{ASSISTANTS}/{made['id']}"
    assert done(client.delete(path)) == {"id": made["id"], "object": "assistant.deleted", "deleted": True}
    assert refusal(client.delete(path), 404) == f"No assistant found with id '{made['id']}'."


def test_run_of_a_deleted_assistant_goes_on(client: Client) -> None:
    """*chosen*: it has a copy of all that it needs."""
    assistant = make_assistant(client)
    run = make_run(client, assistant)
    done(client.delete(f"{ASSISTANTS}/{assistant['id']}"))
    assert later(client, run)["status"] == "completed"
    again = client.post(f"{THREADS}/{run['thread_id']}/runs", {"assistant_id": assistant["id"]})
    assert again.status_code == 404


@pytest.mark.parametrize(
    "path", [ASSISTANTS + "/asst_1", THREADS + "/thread_1", THREADS + "/thread_1/messages", THREADS + "/thread_1/runs/run_1"]
)
def test_what_is_not_there_is_missed_with_the_headers_of_the_gateway(client: Client, path: str) -> None:
    reply = client.get(path)
    assert refusal(reply, 404).startswith("No ")
    assert told(reply, "provider") == "openai"
    assert told(reply, "trace-id")


def test_accounts_do_not_see_each_other(client: Client) -> None:
    made = make_assistant(client, model="@openai-production/gpt-4o")
    other = {"x-portkey-provider": "openai"}
    assert client.get(f"{ASSISTANTS}/{made['id']}", headers=other).status_code == 404
    assert client.get(ASSISTANTS, headers=other).json()["data"] == []
    assert client.get(ASSISTANTS, headers={"x-portkey-provider": "@openai-production"}).json()["data"] == [made]


def test_a_thread_begins_with_messages(client: Client) -> None:
    thread_id = make_thread(client, "One", "Two", metadata={"a": "b"})
    thread = read(client, f"{THREADS}/{thread_id}")
    assert thread_id.startswith("thread_")
    assert thread == {
        "id": thread_id,
        "object": "thread",
        "created_at": int(client.world.clock.seconds()),
        "metadata": {"a": "b"},
        "tool_resources": {},
    }
    first, second = messages_of(client, thread_id)
    assert (first["content"], second["content"]) == ([_text("One")], [_text("Two")])


def test_a_message_has_all_its_fields(client: Client) -> None:
    thread_id = make_thread(client)
    attachments = [{"file_id": "file-1", "tools": [{"type": "code_interpreter"}]}]
    made = done(client.post(f"{THREADS}/{thread_id}/messages", {"role": "user", "content": "Hi", "attachments": attachments}))
    assert made.pop("id").startswith("msg_")
    assert made == {
        "object": "thread.message",
        "created_at": int(client.world.clock.seconds()),
        "thread_id": thread_id,
        "status": "completed",
        "incomplete_details": None,
        "completed_at": None,
        "incomplete_at": None,
        "role": "user",
        "content": [_text("Hi")],
        "assistant_id": None,
        "run_id": None,
        "attachments": attachments,
        "metadata": {},
    }


def test_parts_of_a_message_stay(client: Client) -> None:
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
        {"type": "image_file", "image_file": {"file_id": "file-1"}},
    ]
    thread_id = make_thread(client)
    made = done(client.post(f"{THREADS}/{thread_id}/messages", {"role": "user", "content": parts}))
    image = {"type": "image_file", "image_file": {"file_id": "file-1", "detail": "auto"}}
    assert made["content"] == [_text("What is this?"), parts[1], image]


def test_modifying_a_message_replaces_its_metadata(client: Client) -> None:
    thread_id = make_thread(client, "One")
    made = messages_of(client, thread_id)[0]
    path = f"{THREADS}/{thread_id}/messages/{made['id']}"
    done(client.post(path, {"metadata": {"a": "b"}}))
    assert done(client.post(path, {"metadata": {"c": "d"}})) == {**made, "metadata": {"c": "d"}}
    assert done(client.post(path, {})) == {**made, "metadata": {"c": "d"}}


def test_deleted_message_is_gone(client: Client) -> None:
    thread_id = make_thread(client, "One", "Two")
    one, two = messages_of(client, thread_id)
    gone = done(client.delete(f"{THREADS}/{thread_id}/messages/{one['id']}"))
    assert gone == {"id": one["id"], "object": "thread.message.deleted", "deleted": True}
    assert messages_of(client, thread_id) == [two]


def test_message_belongs_to_its_thread(client: Client) -> None:
    message = messages_of(client, make_thread(client, "One"))[0]
    other = make_thread(client)
    assert refusal(client.get(f"{THREADS}/{other}/messages/{message['id']}"), 404)


def test_messages_of_a_run_can_be_listed(client: Client) -> None:
    run = make_run(client)
    later(client, run)
    path = f"{THREADS}/{run['thread_id']}/messages"
    assert [each["run_id"] for each in read(client, path, run_id=run["id"])["data"]] == [run["id"]]
    assert read(client, path, run_id="run_1")["data"] == []


def test_deleted_thread_takes_all_below_with_it(client: Client) -> None:
    run = make_run(client)
    later(client, run, ms=60)
    done(client.delete(f"{THREADS}/{run['thread_id']}"))
    for path in (f"{THREADS}/{run['thread_id']}/messages", path_of(run), f"{path_of(run)}/steps"):
        assert client.get(path).status_code == 404
    client.world.clock.move(timedelta(hours=1))
    assert client.get("/v1/assistants").status_code == 200
    left = [len(client.world[name]) for name in ("threads", "thread_messages", "thread_runs", "run_steps")]
    assert left == [0, 0, 0, 0]
    assert not client.world.agenda


def test_files_of_tools_are_kept_by_their_ids(client: Client) -> None:
    files = {"code_interpreter": {"file_ids": ["file-1"]}, "file_search": {"vector_store_ids": ["vs_1"]}}
    made = make_assistant(client, tools=[{"type": "code_interpreter"}, {"type": "file_search"}], tool_resources=files)
    assert made["tool_resources"] == files


def test_scripts_with_words_wait_for_a_model(client: Client) -> None:
    """Else the calls before the run would use them up."""
    script_id = script(client, "At noon.", times=1)
    run = make_run(client)
    assert used(client, script_id) == 0
    later(client, run)
    assert used(client, script_id) == 1


def test_provider_that_fails_once_fails_once(client: Client) -> None:
    """*chosen*: scripts of errors hold for what providers keep as well."""
    script_id = fail(client, 503, times=1)
    assert client.get(ASSISTANTS).status_code == 503
    assert client.get(ASSISTANTS).status_code == 200
    assert used(client, script_id) == 1


def _five(client: Client) -> str:
    for number in range(5):
        make_assistant(client, name=str(number))
    return ASSISTANTS


def _five_messages(client: Client) -> str:
    return f"{THREADS}/{make_thread(client, *'01234')}/messages"


def _five_runs(client: Client) -> str:
    thread_id = make_thread(client, "Hi")
    for _ in range(5):
        later(client, make_run(client, thread_id=thread_id))
    return f"{THREADS}/{thread_id}/runs"


def _five_steps(client: Client) -> str:
    tools = [{"name": "code_interpreter", "arguments": {"input": str(number)}} for number in range(4)]
    script(client, {"tool_calls": tools})
    run = make_run(client, make_assistant(client, tools=[{"type": "code_interpreter"}]))
    later(client, run)
    return f"{path_of(run)}/steps"


FIVES: dict[str, Callable[[Client], str]] = {
    "assistants": _five,
    "messages": _five_messages,
    "runs": _five_runs,
    "steps": _five_steps,
}


def walked(client: Client, path: str, forth: str, order: str, limit: int) -> list[str]:
    """The ids that a client sees which follows a cursor to the end."""
    seen: list[str] = []
    query: dict[str, Any] = {"order": order, "limit": limit}
    while True:
        page = read(client, path, **query)
        ids = [record["id"] for record in page["data"]]
        assert (page["first_id"], page["last_id"]) == ((ids[0], ids[-1]) if ids else (None, None))
        seen = seen + ids if forth == "after" else ids + seen
        if not page["has_more"]:
            return seen
        query[forth] = ids[-1] if forth == "after" else ids[0]


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
@pytest.mark.parametrize("kind", FIVES)
def test_pages_show_each_record_once(client: Client, kind: str, limit: int) -> None:
    path = FIVES[kind](client)
    whole = [record["id"] for record in read(client, path)["data"]]
    assert len(whole) == 5
    assert walked(client, path, "after", "desc", limit) == whole
    assert walked(client, path, "after", "asc", limit) == whole[::-1]
    assert [*walked_back(client, path, whole[-1], limit), whole[-1]] == whole


def walked_back(client: Client, path: str, start: str, limit: int) -> list[str]:
    """The ids before a record, newest first, page by page."""
    seen: list[str] = []
    cursor = start
    while True:
        page = read(client, path, limit=limit, before=cursor)
        ids = [record["id"] for record in page["data"]]
        seen = ids + seen
        if not page["has_more"]:
            return seen
        cursor = ids[0]


@pytest.mark.parametrize("seed", range(8))
def test_pages_show_each_record_once_while_others_come_and_go(client: Client, seed: int) -> None:
    """What is there all the time is seen once; what comes or goes meanwhile, once at most."""
    chance = random.Random(seed)
    path, order = f"{THREADS}/{make_thread(client, *'012345678')}/messages", chance.choice(["asc", "desc"])
    there = {record["id"] for record in read(client, path)["data"]}
    query: dict[str, Any] = {"order": order, "limit": 2}
    seen: list[str] = []
    while True:
        page = read(client, path, **query)
        seen += [record["id"] for record in page["data"]]
        if not page["has_more"]:
            break
        query["after"] = seen[-1]
        for _ in range(chance.randrange(3)):
            gone = chance.choice(sorted(there)) if chance.random() < 0.5 else seen[-1]
            if client.delete(f"{path}/{gone}").status_code == 200:
                there.discard(gone)
        if chance.random() < 0.5:
            client.world.clock.move(timedelta(seconds=1))
            done(client.post(path, {"role": "user", "content": "new"}))
    assert len(seen) == len(set(seen))
    assert there <= set(seen)


def test_steps_of_a_run_are_its_own(client: Client) -> None:
    one = make_run(client)
    later(client, one)
    two = make_run(client, thread_id=one["thread_id"])
    later(client, two)
    step = steps_of(client, one)[0]
    assert steps_of(client, two)[0]["id"] != step["id"]
    assert refusal(client.get(f"{path_of(two)}/steps/{step['id']}"), 404)
    assert read(client, f"{path_of(one)}/steps/{step['id']}") == step


def test_metadata_of_a_run_is_replaced(client: Client) -> None:
    run = make_run(client, metadata={"a": "b"})
    assert done(client.post(path_of(run), {"metadata": {"c": "d"}}))["metadata"] == {"c": "d"}
    assert now(client, run)["metadata"] == {"c": "d"}


def _text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": {"value": value, "annotations": []}}
