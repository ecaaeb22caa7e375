"""Files of assistants and threads: the stores that hold them, the searches of runs, what answers cite.

Source of every rule that names none: the SDK's docstrings and types (tool resources, attachments, annotations).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.desk import (
    ASSISTANTS,
    FIND_TIDE,
    QUESTION,
    THREADS,
    calls_of,
    done,
    events,
    later,
    make_assistant,
    make_run,
    make_thread,
    messages_of,
    refusal,
    steps_of,
    submit,
)
from tests.portkey.gateway.calling import script
from tests.portkey.keeping import upload
from tests.portkey.team import read

SEARCH: Record = {"type": "file_search"}
TIDES, RENT = b"The next tide in Lisbon is at noon.", b"Rent is paid monthly."
MARK = "【0:0†source】"


def file(client: Client, content: bytes = TIDES) -> str:
    return str(upload(client, content, "assistants", "handbook.md")["id"])


def described(*file_ids: str) -> Record:
    """Resources that have a store made of files."""
    return {"file_search": {"vector_stores": [{"file_ids": list(file_ids)}]}}


def store_of(client: Client, holder: Record) -> Record:
    (store_id,) = holder["tool_resources"]["file_search"]["vector_store_ids"]
    return read(client, f"/v1/vector_stores/{store_id}")


def with_file(client: Client, file_id: str, *tools: str) -> list[Record]:
    """A message that has a file come along."""
    uses = [{"type": tool} for tool in tools or ("file_search",)]
    return [{"role": "user", "content": QUESTION, "attachments": [{"file_id": file_id, "tools": uses}]}]


def thread_with(client: Client, messages: list[Record]) -> Record:
    return done(client.post(THREADS, {"messages": messages}))


def results_of(client: Client, run: Record) -> list[Record]:
    """What the search of a run has found, with its contents."""
    wanted = {"include[]": "step_details.tool_calls[*].file_search.results[*].content"}
    (call,) = steps_of(client, run, **wanted)[0]["step_details"]["tool_calls"]
    found: list[Record] = call["file_search"]["results"]
    return found


def text_of(client: Client, run: Record) -> Record:
    """The text of the answer, with its annotations."""
    text: Record = messages_of(client, run["thread_id"])[-1]["content"][0]["text"]
    return text


@pytest.mark.parametrize(
    ("path", "body", "expiry"),
    [(ASSISTANTS, {"model": "gpt-4o"}, None), (THREADS, {}, {"anchor": "last_active_at", "days": 7})],
    ids=["assistant", "thread"],
)
def test_store_that_is_described_is_made(client: Client, path: str, body: Record, expiry: Any) -> None:
    """Expiry: *chosen*, as OpenAI is known to have it."""
    holder = done(client.post(path, {**body, "tool_resources": described(file(client), file(client))}))
    store = store_of(client, holder)
    assert (store["file_counts"]["total"], store["expires_after"]) == (2, expiry)


def test_store_is_made_of_files_that_are_there(client: Client) -> None:
    reply = client.post(ASSISTANTS, {"model": "gpt-4o", "tool_resources": described("file-none")})
    assert refusal(reply, 400) == "No such File object: file-none"
    assert not len(client.world["vector_stores"])


def test_one_store_is_all_that_there_may_be(client: Client) -> None:
    both = {"file_search": {"vector_store_ids": ["vs_1"], "vector_stores": [{"file_ids": []}]}}
    assert "one vector store" in refusal(client.post(THREADS, {"tool_resources": both}), 400)


def test_file_of_a_message_gets_into_the_store_of_its_thread(client: Client) -> None:
    thread = thread_with(client, with_file(client, first := file(client)))
    second = file(client)
    done(client.post(f"{THREADS}/{thread['id']}/messages", with_file(client, second)[0]))
    store = store_of(client, read(client, f"{THREADS}/{thread['id']}"))
    assert store["expires_after"] == {"anchor": "last_active_at", "days": 7}
    files = read(client, f"/v1/vector_stores/{store['id']}/files", order="asc")["data"]
    assert [each["id"] for each in files] == [first, second]


def test_file_of_a_message_is_given_to_the_code_interpreter(client: Client) -> None:
    """*chosen*: its id is taken as it is."""
    thread = thread_with(client, with_file(client, "file-1", "code_interpreter"))
    assert thread["tool_resources"] == {"code_interpreter": {"file_ids": ["file-1"]}}


def test_unknown_file_of_a_message_is_not_searched(client: Client) -> None:
    thread_id = make_thread(client)
    reply = client.post(f"{THREADS}/{thread_id}/messages", with_file(client, "file-none")[0])
    assert refusal(reply, 400) == "No such File object: file-none"
    assert messages_of(client, thread_id) == []


def test_file_goes_into_no_store_that_is_gone(client: Client) -> None:
    thread_id = make_thread(client, tool_resources={"file_search": {"vector_store_ids": ["vs_none"]}})
    reply = client.post(f"{THREADS}/{thread_id}/messages", with_file(client, file(client))[0])
    assert refusal(reply, 400) == "Vector store vs_none of the thread is not there."


def test_run_finds_the_best_file_first(client: Client) -> None:
    """*chosen*: what is still worked on is ready for a run."""
    best, other = file(client), file(client, RENT)
    assistant = make_assistant(client, tools=[SEARCH], tool_resources=described(best, other))
    run = make_run(client, assistant)
    later(client, run)
    first, second = results_of(client, run)
    assert first == {
        "file_id": best,
        "file_name": "handbook.md",
        "score": first["score"],
        "content": [{"type": "text", "text": TIDES.decode()}],
    }
    assert first["score"] > second["score"]
    assert second["file_id"] == other


def test_file_in_several_stores_is_found_once(client: Client) -> None:
    assistant = make_assistant(client, tools=[SEARCH], tool_resources=described(file_id := file(client)))
    thread = thread_with(client, with_file(client, file_id))
    run = make_run(client, assistant, thread["id"])
    later(client, run)
    assert [each["file_id"] for each in results_of(client, run)] == [file_id]


def test_parts_of_files_are_told_to_who_asks(client: Client) -> None:
    run = make_run(client, make_assistant(client, tools=[SEARCH], tool_resources=described(file(client))))
    later(client, run)
    (call,) = steps_of(client, run)[0]["step_details"]["tool_calls"]
    assert "content" not in call["file_search"]["results"][0]


@pytest.mark.parametrize(
    ("settings", "count"),
    [({"max_num_results": 1}, 1), ({"ranking_options": {"score_threshold": 0.5}}, 1), ({}, 2)],
    ids=["number", "score", "neither"],
)
def test_tool_says_how_much_is_found(client: Client, settings: Record, count: int) -> None:
    resources = described(file(client), file(client, RENT))
    assistant = make_assistant(client, tools=[{**SEARCH, "file_search": settings}], tool_resources=resources)
    run = make_run(client, assistant)
    later(client, run)
    assert len(results_of(client, run)) == count


def test_run_searches_stores_of_its_account_alone(client: Client) -> None:
    holder = make_assistant(client, tools=[SEARCH], tool_resources=described(file(client)))
    foreign = client.as_key("any")
    foreign.headers["x-portkey-provider"] = "groq"
    run = make_run(foreign, make_assistant(foreign, tools=[SEARCH], tool_resources=holder["tool_resources"]))
    later(foreign, run)
    assert results_of(foreign, run) == []


def test_run_keeps_a_store_alive(client: Client) -> None:
    thread = done(client.post(THREADS, {"tool_resources": described(file(client))}))
    assistant = make_assistant(client, tools=[SEARCH])
    client.world.clock.move(timedelta(days=6))
    done(client.post(f"{THREADS}/{thread['id']}/messages", {"role": "user", "content": QUESTION}))
    later(client, make_run(client, assistant, thread["id"]))
    client.world.clock.move(timedelta(days=6))
    assert store_of(client, thread)["status"] == "completed"


def test_answer_cites_what_was_found(client: Client) -> None:
    file_id = file(client)
    run = make_run(client, make_assistant(client, tools=[SEARCH], tool_resources=described(file_id)))
    later(client, run)
    text = text_of(client, run)
    start = text["value"].index(MARK)
    citation = {"type": "file_citation", "text": MARK, "start_index": start, "end_index": start + len(MARK)}
    assert text["annotations"] == [{**citation, "file_citation": {"file_id": file_id}}]


def test_script_says_where_it_cites(client: Client) -> None:
    """*chosen*: its words are told as they are; a mark that no file has means nothing."""
    script(client, {"text": f"At noon{MARK}, they say【0:7†source】."})
    run = make_run(client, make_assistant(client, tools=[SEARCH], tool_resources=described(file(client))))
    later(client, run)
    text = text_of(client, run)
    assert text["value"] == f"At noon{MARK}, they say【0:7†source】."
    assert [each["start_index"] for each in text["annotations"]] == [7]


def test_answer_in_a_form_cites_nothing(client: Client) -> None:
    fields = {"response_format": {"type": "json_object"}, "tools": [SEARCH], "tool_resources": described(file(client))}
    run = make_run(client, make_assistant(client, **fields))
    later(client, run)
    assert text_of(client, run)["annotations"] == []


def test_answer_cites_what_was_found_before_a_function(client: Client) -> None:
    assistant = make_assistant(client, tools=[SEARCH, FIND_TIDE], tool_resources=described(file(client)))
    script(client, {"tool_calls": [{"name": "file_search"}, {"name": "find_tide"}]}, {"call": 1})
    waiting = later(client, make_run(client, assistant))
    assert len(calls_of(waiting)) == 1
    submit(client, waiting, "12:40")
    later(client, waiting)
    assert [each["text"] for each in text_of(client, waiting)["annotations"]] == [MARK]


def test_stream_tells_citations_with_their_marks(client: Client) -> None:
    assistant = make_assistant(client, tools=[SEARCH], tool_resources=described(file(client)))
    thread_id = make_thread(client, QUESTION)
    reply = client.post(f"{THREADS}/{thread_id}/runs", {"assistant_id": assistant["id"], "stream": True})
    texts = [data["delta"]["content"][0]["text"] for name, data in events(reply.text) if name == "thread.message.delta"]
    (cited,) = [text for text in texts if text["annotations"]]
    final = messages_of(client, thread_id)[-1]["content"][0]["text"]
    assert "".join(text["value"] for text in texts) == final["value"]
    assert cited["annotations"] == [{"index": 0, **final["annotations"][0]}]
