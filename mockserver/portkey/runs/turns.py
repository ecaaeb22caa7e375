"""One turn of a run: what the model says to its thread, or which functions it asks for.

It is what chat says to the same conversation: the same room makes it up, the same scripts replace it. Source: *chosen*, all of
it but what is named: nobody is called.
"""

from __future__ import annotations

from mockserver.portkey import file_search, vector_files
from mockserver.portkey.answers import chat, tokens, wording
from mockserver.portkey.answers.chance import root_of
from mockserver.portkey.answers.errors import Unanswerable
from mockserver.portkey.gateway import afterwards, scripts
from mockserver.portkey.gateway.upstream import Ids, said_by
from mockserver.portkey.runs import citations, threads
from mockserver.values import Record
from mockserver.world.world import World

HOSTED = ("file_search", "code_interpreter")
"""The tools that the provider uses by itself."""

_CODES = {429: "rate_limit_exceeded", 400: "invalid_prompt"}
"""What a provider's status is as `last_error.code`; all others are `server_error` (/threads/.../runs and steps)."""

_MOST_RESULTS, _MOST_OF_SMALL = 20, 5
"""How many parts of files a search finds, and one of gpt-3.5-turbo, unless the tool says (the SDK's docstrings)."""
_RANKER = "default_2024_08_21"

_PACE = ("delay_ms", "chunk_size", "chunk_delay_ms", "cut_after")


def taken(world: World, run: Record) -> Record:
    """Return what the model says in the next turn of a run, as JSON.

    `text` or `refusal`, with `reason` why it ended, and the `annotations` of a text; `calls` of functions; `hosted` calls of
    the provider's own tools, which come before either, and ids of the files that they `found`, now or in the turn before;
    `error` with `code`, `message` and `status`; `limit` for a limit that leaves no room to begin. `usage` are the tokens read
    and written; `pace` is what a script says of time and chunks.
    """
    call, body = run["_call"], conversation(world, run)
    provider = afterwards.provider_of(call, world)
    asked = scripts.Asked(call["operation"][0], provider.name, provider.slug or None, run["model"], call["target"], body)
    script = scripts.find(world, asked) or {}
    said = dict(script.get("answer") or {})
    turn: Record = {"pace": {name: script[name] for name in _PACE if name in script}, "hosted": [], "usage": [0, 0]}
    turn["found"] = []
    if "error" in said:
        status = said["error"]["status"]
        message = said["error"].get("message", "Sorry, something went wrong.")
        return {**turn, "error": {"code": _CODES.get(status, "server_error"), "message": message, "status": status}}
    limit = _fitted(run, body)
    if limit is not None:
        return {**turn, "limit": limit}
    turn["hosted"] = _hosted(world, run, body, said)
    turn["found"] = _found(turn["hosted"]) or (run["_turn"] or turn)["found"]
    wanted = run["tool_choice"]
    if run["_said"] or turn["hosted"] or wanted == "auto" or (isinstance(wanted, dict) and wanted["type"] in HOSTED):
        body.pop("tool_choice", None)  # one that demands a tool is done with it once one was used
    try:
        made = chat.answer(
            body, run["model"], root_of(world.seed, f"{provider.name}/{run['model']}"), Ids(world), 0, said_by(said)
        )
    except Unanswerable as refused:
        return {**turn, "error": {"code": "invalid_prompt", "message": refused.message, "status": 400}}
    choice = made.choices[0]
    turn["usage"], turn["reason"] = [made.usage.prompt, made.usage.completion], choice.finish_reason
    if choice.calls:
        return {**turn, "calls": [call.as_json() for call in choice.calls]}
    if choice.refused:
        return {**turn, "refusal": choice.text or ""}
    text = choice.text or ""
    if "text" not in said and turn["reason"] == "stop" and not _is_form(body):
        text += citations.marks(turn["found"])
    return {**turn, "text": text, "annotations": citations.cited(text, turn["found"])}


def conversation(world: World, run: Record) -> Record:
    """Return what a run asks, as chat would be asked: instructions, messages, what functions were called for and told."""
    messages = threads.in_words_of_chat(world, run["thread_id"])
    last = run["truncation_strategy"].get("last_messages")
    if run["truncation_strategy"]["type"] == "last_messages" and last:
        messages = messages[-last:]
    head = [{"role": "system", "content": run["instructions"]}] if run["instructions"] else []
    body: Record = {"model": run["model"], "messages": [*head, *messages, *run["_said"]]}
    functions = [tool for tool in run["tools"] if tool["type"] == "function"]
    if functions:
        body |= {"tools": functions, "tool_choice": run["tool_choice"], "parallel_tool_calls": run["parallel_tool_calls"]}
    if isinstance(run["response_format"], dict):
        body["response_format"] = run["response_format"]
    # What is as it always is goes unsaid, so that chat, asked the same, answers the same.
    body |= {name: run[name] for name in ("temperature", "top_p") if run[name] != 1}
    if run["max_completion_tokens"] is not None:
        body["max_completion_tokens"] = run["max_completion_tokens"] - run["_used"][1]
    return body


def _fitted(run: Record, body: Record) -> str | None:
    """Leave out the oldest messages of a conversation until it fits; return the limit that leaves no room, None for none.

    Limits hold for all turns of a run together (the SDK's docstrings).
    """
    if body.get("max_completion_tokens", 1) < 1:
        return "max_completion_tokens"
    if run["max_prompt_tokens"] is None:
        return None
    room = run["max_prompt_tokens"] - run["_used"][0] - tokens.count_tools(body)
    messages = body["messages"]
    kept = 1 if run["instructions"] else 0
    while tokens.count_messages(messages) > room:
        if len(messages) - len(run["_said"]) <= kept + 1:
            return "max_prompt_tokens"
        messages = messages[:kept] + messages[kept + 1 :]
    body["messages"] = messages
    return None


def _hosted(world: World, run: Record, body: Record, said: Record) -> list[Record]:
    """The provider's own tools that are used before the answer; what a script says of them is taken out of `said`.

    *chosen*: those that a script or `tool_choice` names; else, in the first turn, those for which there is something: a file
    that came with the question, or a vector store to search.
    """
    own = {tool["type"] for tool in run["tools"]} & set(HOSTED)
    functions = {tool["function"]["name"] for tool in run["tools"] if tool["type"] == "function"}
    scripted = [each for each in said.get("tool_calls") or () if each["name"] in own - functions]
    if scripted:
        others = [each for each in said["tool_calls"] if each not in scripted]
        del said["tool_calls"]
        if others:
            said["tool_calls"] = others
        return [_call(world, run, body, each["name"], each.get("arguments") or {}) for each in scripted]
    wanted = run["tool_choice"]
    if run["_said"] or said.keys() - {"text", "finish_reason", "usage", "reasoning"} or wanted == "none" or not own:
        return []
    if isinstance(wanted, dict):
        used = own & {wanted["type"]}
    else:
        used = {tool for tool in own if _at_hand(world, run, tool)}
        if wanted == "required" and not functions and not used:
            used = own
    return [_call(world, run, body, tool, {}) for tool in HOSTED if tool in used]


def _is_form(body: Record) -> bool:
    """Whether an answer has to be JSON, which bears no marks."""
    return str((body.get("response_format") or {}).get("type")).startswith("json")


def _at_hand(world: World, run: Record, tool: str) -> bool:
    return bool(_stores(world, run) if tool == "file_search" else threads.attached(world, run["thread_id"], tool))


def _stores(world: World, run: Record) -> list[str]:
    """The vector stores that a run may search: those of its thread and those of its assistant."""
    own = (run["_resources"].get("file_search") or {}).get("vector_store_ids") or ()
    return [*threads.stores(world, run["thread_id"]), *own]


def _call(world: World, run: Record, body: Record, tool: str, arguments: Record) -> Record:
    id_, question = Ids(world).new("call_"), scripts.last_text(body)
    if tool == "code_interpreter":
        words = wording.keywords(question)
        made = f"words = {words!r}\nprint(len(words))"
        told = str(arguments.get("output", len(words) if "input" not in arguments else ""))
        outputs = [{"type": "logs", "logs": told}] if told else []
        return {"id": id_, "type": tool, tool: {"input": str(arguments.get("input", made)), "outputs": outputs}}
    asked = arguments.get("queries") or arguments.get("query") or question
    query = " ".join(map(str, asked)) if isinstance(asked, list) else str(asked)
    return {"id": id_, "type": tool, tool: _searched(world, run, query)}


def _searched(world: World, run: Record, query: str) -> Record:
    """What a search finds in the files of the stores that a run may search; those that are still worked on are ready for it."""
    settings = [each.get("file_search") or {} for each in run["tools"] if each["type"] == "file_search"]
    tool: Record = settings[0]
    options = tool.get("ranking_options") or {}
    usual = _MOST_OF_SMALL if run["model"].startswith("gpt-3.5") else _MOST_RESULTS
    wanted = file_search.Wanted(query, None, tool.get("max_num_results") or usual, options.get("score_threshold") or 0.0)
    account = run["_call"]["account"]
    store_ids = vector_files.searchable(world, _stores(world, run), lambda store: account in (None, store["_account"]))
    for store_id in store_ids:
        vector_files.hurry(world, store_id)
    results = [
        {
            "file_id": row["file_id"],
            "file_name": row["filename"],
            "score": row["score"],
            "content": [{"type": "text", "text": row["text"]}],
        }
        for row in file_search.found(world, store_ids, wanted)
    ]
    return {"ranking_options": {"ranker": _RANKER, "score_threshold": wanted.least_score}, "results": results}


def _found(hosted: list[Record]) -> list[str]:
    return [result["file_id"] for call in hosted if call["type"] == "file_search" for result in call["file_search"]["results"]]
