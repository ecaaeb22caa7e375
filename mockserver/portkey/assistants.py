"""Assistants, the threads that they answer, and their runs, step by step. What a run does is in `runs`.

Source of every rule that names none: gateway-data-plane, /assistants, /threads and messages, /threads/.../runs and steps,
Stateful resources: shared conventions. The texts of refusals are OpenAI's as far as known, else *chosen*.
"""

from __future__ import annotations

from collections.abc import Callable

from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import stored, tuned
from mockserver.portkey.gateway import afterwards
from mockserver.portkey.gateway.exchange import Customer
from mockserver.portkey.gateway.proxying import passed_on
from mockserver.portkey.gateway.upstream import model_of
from mockserver.portkey.records import shown
from mockserver.portkey.runs import events, machine, steps, threads
from mockserver.portkey.runs.threads import MESSAGES, RUNS, STEPS, THREADS
from mockserver.stubs.service import Perform
from mockserver.values import JSON, Record
from mockserver.world.agenda import Due
from mockserver.world.world import World

ASSISTANTS = "assistants"

_FIELDS: Record = {
    "name": None,
    "description": None,
    "instructions": None,
    "tools": [],
    "metadata": {},
    "temperature": 1.0,
    "top_p": 1.0,
    "response_format": "auto",
}
"""What an assistant has where nobody says otherwise; null says nothing."""

_FOUND_CONTENT = "step_details.tool_calls[*].file_search.results[*].content"
"""What to include of a step so that a search shows the parts of files that it found."""


def happen(due: Due, world: World, perform: Perform) -> None:
    """Let a run go on. Source: /threads/.../runs and steps; the times are *chosen*, see `runs.machine`."""
    machine.due(world, due.key)


def list_assistants(request: Request, world: World) -> Reply:
    """Show a page of the customer's assistants."""
    return passed_on(request, world, lambda customer, _: Reply(200, stored.page(world, ASSISTANTS, request.query, customer)))


def create_assistant(request: Request, world: World) -> Reply:
    """Make an assistant; its model is kept as it is said, `portkey-default` as well. Fails: as `threads.resources`."""

    def answer(customer: Customer, body: Record) -> Reply:
        made = {
            "id": stored.new_id(world, "asst_"),
            "object": "assistant",
            "created_at": stored.seconds(world),
            "model": body["model"],
            **{name: default if body.get(name) is None else body[name] for name, default in _FIELDS.items()},
            "tool_resources": threads.resources(world, body.get("tool_resources"), customer),
            **({"reasoning_effort": body["reasoning_effort"]} if "reasoning_effort" in body else {}),
        }
        return Reply(200, shown(stored.keep(world, ASSISTANTS, made, customer)))

    return passed_on(request, world, answer)


def get_assistant(request: Request, world: World) -> Reply:
    """Show an assistant. Fails: `not-found`."""
    return passed_on(request, world, lambda customer, _: Reply(200, shown(_assistant(request, world, customer))))


def modify_assistant(request: Request, world: World) -> Reply:
    """Change some fields of an assistant; null sets one back. Runs that are on their way have a copy of the old ones.

    *chosen*: `portkey-default` changes no model, since the Python client sends it whenever the caller names none (sdk-call-map
    4, row 16). Fails: `not-found`.
    """

    def answer(customer: Customer, body: Record) -> Reply:
        changed = dict(_assistant(request, world, customer))
        changed |= {name: _FIELDS[name] if body[name] is None else body[name] for name in _FIELDS if name in body}
        if body.get("model") not in (None, "portkey-default"):
            changed["model"] = body["model"]
        if "tool_resources" in body:
            changed["tool_resources"] = threads.resources(world, body["tool_resources"], customer)
        if "reasoning_effort" in body:
            changed["reasoning_effort"] = body["reasoning_effort"]
        world[ASSISTANTS].replace(changed)
        return Reply(200, shown(changed))

    return passed_on(request, world, answer)


def delete_assistant(request: Request, world: World) -> Reply:
    """Delete an assistant. Its runs stay, and those that are on their way end as ever (*chosen*). Fails: `not-found`."""

    def answer(customer: Customer, _: Record) -> Reply:
        gone = world[ASSISTANTS].remove(_assistant(request, world, customer)["id"])
        return Reply(200, stored.deleted(gone["id"], "assistant.deleted"))

    return passed_on(request, world, answer)


def create_thread(request: Request, world: World) -> Reply:
    """Make a thread, empty or with messages. Fails: as `threads.add_thread`."""
    return passed_on(request, world, lambda customer, body: Reply(200, shown(threads.add_thread(world, body, customer))))


def get_thread(request: Request, world: World) -> Reply:
    """Show a thread. Fails: `not-found`."""
    return passed_on(request, world, lambda customer, _: Reply(200, shown(_thread(request, world, customer))))


def modify_thread(request: Request, world: World) -> Reply:
    """Change the metadata or the tools' files of a thread. Fails: `not-found`."""

    def answer(customer: Customer, body: Record) -> Reply:
        changed = dict(_thread(request, world, customer))
        if "metadata" in body:
            changed["metadata"] = body["metadata"] or {}
        if "tool_resources" in body:
            changed["tool_resources"] = threads.resources(world, body["tool_resources"], customer)
        world[THREADS].replace(changed)
        return Reply(200, shown(changed))

    return passed_on(request, world, answer)


def delete_thread(request: Request, world: World) -> Reply:
    """Delete a thread with its messages, runs and steps. Fails: `not-found`."""

    def answer(customer: Customer, _: Record) -> Reply:
        thread_id = _thread(request, world, customer)["id"]
        threads.remove_thread(world, thread_id)
        return Reply(200, stored.deleted(thread_id, "thread.deleted"))

    return passed_on(request, world, answer)


def list_messages(request: Request, world: World) -> Reply:
    """Show a page of a thread's messages, all or those of a run. Fails: `not-found`."""

    def answer(customer: Customer, _: Record) -> Reply:
        thread_id, run_id = _thread(request, world, customer)["id"], request.query.get("run_id")
        fits = None if run_id is None else (lambda message: message["run_id"] == run_id)
        return Reply(200, stored.page(world, MESSAGES, request.query, fits=fits, thread_id=thread_id))

    return passed_on(request, world, answer)


def create_message(request: Request, world: World) -> Reply:
    """Add a message to a thread. Fails: `not-found`; `invalid-request` while a run is active, and as `threads.add_message`."""

    def answer(customer: Customer, body: Record) -> Reply:
        thread_id = _thread(request, world, customer)["id"]
        busy = machine.active(world, thread_id)
        if busy is not None:
            raise stored.refused(f"Can't add messages to {thread_id} while a run {busy['id']} is active.")
        return Reply(200, shown(threads.add_message(world, thread_id, body, customer)))

    return passed_on(request, world, answer)


def get_message(request: Request, world: World) -> Reply:
    """Show a message. Fails: `not-found`."""
    return passed_on(request, world, lambda customer, _: Reply(200, shown(_message(request, world, customer))))


def modify_message(request: Request, world: World) -> Reply:
    """Change the metadata of a message. Fails: `not-found`."""

    def answer(customer: Customer, body: Record) -> Reply:
        return Reply(200, _noted(world, MESSAGES, _message(request, world, customer), body))

    return passed_on(request, world, answer)


def delete_message(request: Request, world: World) -> Reply:
    """Delete a message. Fails: `not-found`."""

    def answer(customer: Customer, _: Record) -> Reply:
        gone = world[MESSAGES].remove(_message(request, world, customer)["id"])
        return Reply(200, stored.deleted(gone["id"], "thread.message.deleted"))

    return passed_on(request, world, answer)


def create_thread_and_run(request: Request, world: World) -> Reply:
    """Make a thread and let an assistant answer it. Fails: as `create_run`."""

    def answer(customer: Customer, body: Record) -> Reply:
        assistant = _checked(body, world, customer)
        files = body.get("tool_resources")
        said = body.get("thread") or {}
        thread = threads.add_thread(world, {**said, **({"tool_resources": files} if files else {})}, customer)
        told = [steps.Change("", thread, "thread.created")]
        return _started(request, world, customer, body, assistant, thread["id"], told)

    return passed_on(request, world, answer, scripted=False)


def list_runs(request: Request, world: World) -> Reply:
    """Show a page of a thread's runs. Fails: `not-found`."""

    def answer(customer: Customer, _: Record) -> Reply:
        thread_id = _thread(request, world, customer)["id"]
        return Reply(200, stored.page(world, RUNS, request.query, thread_id=thread_id))

    return passed_on(request, world, answer)


def create_run(request: Request, world: World) -> Reply:
    """Let an assistant answer a thread, at once where events are asked for, else by the clock.

    Fails: `not-found`; `invalid-request` while a run is active, and for a choice of a tool that the run has not.
    """

    def answer(customer: Customer, body: Record) -> Reply:
        thread_id = _thread(request, world, customer)["id"]
        assistant = _checked(body, world, customer)
        busy = machine.active(world, thread_id)
        if busy is not None:
            raise stored.refused(f"Thread {thread_id} already has an active run {busy['id']}.")
        for message in body.get("additional_messages") or ():
            threads.add_message(world, thread_id, message, customer)
        return _started(request, world, customer, body, assistant, thread_id, [])

    return passed_on(request, world, answer, scripted=False)


def get_run(request: Request, world: World) -> Reply:
    """Show a run as it is now. Fails: `not-found`."""
    return passed_on(request, world, lambda customer, _: Reply(200, shown(_run(request, world, customer)), dict(stored.POLL)))


def modify_run(request: Request, world: World) -> Reply:
    """Change the metadata of a run. Fails: `not-found`."""

    def answer(customer: Customer, body: Record) -> Reply:
        return Reply(200, _noted(world, RUNS, _run(request, world, customer), body))

    return passed_on(request, world, answer)


def submit_tool_ouputs_to_run(request: Request, world: World) -> Reply:
    """Give a run what its functions have told: all of them at once.

    Fails: `not-found`; `invalid-request` for a run that waits for nothing, and for other ids than those of its calls.
    """

    def answer(customer: Customer, body: Record) -> Reply:
        run = _run(request, world, customer)
        if run["status"] != "requires_action":
            raise stored.refused(f'Runs in status "{run["status"]}" do not accept tool outputs.')
        wanted = [call["id"] for call in run["required_action"]["submit_tool_outputs"]["tool_calls"]]
        given = [output.get("tool_call_id") for output in body["tool_outputs"]]
        if sorted(wanted) != sorted(map(str, given)):
            raise stored.refused(f"Expected tool outputs for call_ids {wanted}, got {given}")
        outputs = {each["tool_call_id"]: each.get("output", "") for each in body["tool_outputs"]}
        changes = machine.resumed(world, run, outputs, stored.seconds(world))
        return _gone_on(request, world, body, machine.move(world, changes), changes)

    return passed_on(request, world, answer, scripted=False)


def cancel_run(request: Request, world: World) -> Reply:
    """Stop a run. Fails: `not-found`; `invalid-request` for one that is at its end, or on its way there by a cancel."""

    def answer(customer: Customer, _: Record) -> Reply:
        run = _run(request, world, customer)
        rule = machine.STATUSES.get(run["status"])
        if rule is None or not rule.can_cancel:
            raise stored.refused(f"Cannot cancel run with status '{run['status']}'.")
        changes = machine.stopped(world, run, stored.seconds(world))
        return Reply(200, shown(machine.move(world, changes)), dict(stored.POLL))

    return passed_on(request, world, answer)


def list_run_steps(request: Request, world: World) -> Reply:
    """Show a page of a run's steps. Fails: `not-found`."""

    def answer(customer: Customer, _: Record) -> Reply:
        run_id = _run(request, world, customer)["id"]
        return Reply(200, stored.page(world, STEPS, request.query, show=_as_asked(request), run_id=run_id))

    return passed_on(request, world, answer)


def get_run_step(request: Request, world: World) -> Reply:
    """Show a step of a run. Fails: `not-found`."""

    def answer(customer: Customer, _: Record) -> Reply:
        run_id, step_id = _run(request, world, customer)["id"], request.path["step_id"]
        step = world[STEPS].get(step_id)
        if step is None or step["run_id"] != run_id:
            raise stored.missing("run step", step_id)
        return Reply(200, _as_asked(request)(step))

    return passed_on(request, world, answer)


def _started(
    request: Request,
    world: World,
    customer: Customer,
    body: Record,
    assistant: Record,
    thread_id: str,
    told: list[steps.Change],
) -> Reply:
    """Start a run, of an account that pays for it later. Fails: `invalid-request` for a model that was deleted."""
    model = model_of("chatComplete", {"model": body.get("model") or assistant["model"]})
    if tuned.is_gone(world, model, customer.provider.name, customer.account):
        missing = tuned.missing(model)
        raise stored.refused(missing["message"], missing["code"])
    call = afterwards.remembered(request, customer)
    run = machine.new_run(world, thread_id, assistant, body, call, model)
    changes = [steps.Change(RUNS, run, "thread.run.created"), steps.Change(RUNS, run, "thread.run.queued")]
    return _gone_on(request, world, body, machine.move(world, changes), told + changes)


def _gone_on(request: Request, world: World, body: Record, run: Record, told: list[steps.Change]) -> Reply:
    if body.get("stream") is True:
        return events.streamed(world, run, told, _as_asked(request))
    return Reply(200, shown(run), dict(stored.POLL))


def _checked(body: Record, world: World, customer: Customer) -> Record:
    """The assistant of a new run. Fails: `not-found`; `invalid-request` for a choice of a tool that is not there."""
    assistant = stored.find(world, ASSISTANTS, body["assistant_id"], customer, "assistant")
    tools = assistant["tools"] if body.get("tools") is None else body["tools"]
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        named = (choice.get("function") or {}).get("name")
        if not any(tool["type"] == choice["type"] and _name(tool) in (None, named) for tool in tools):
            raise stored.refused(f"Tool choice '{named or choice['type']}' not found in 'tools' parameter.")
    elif choice == "required" and not tools:
        raise stored.refused("'tool_choice' is only allowed when 'tools' are specified.")
    return assistant


def _name(tool: Record) -> JSON:
    return tool["function"]["name"] if tool["type"] == "function" else None


def _assistant(request: Request, world: World, customer: Customer) -> Record:
    return stored.find(world, ASSISTANTS, request.path["assistant_id"], customer, "assistant")


def _thread(request: Request, world: World, customer: Customer) -> Record:
    return stored.find(world, THREADS, request.path["thread_id"], customer, "thread")


def _message(request: Request, world: World, customer: Customer) -> Record:
    return _below(request, world, customer, MESSAGES, request.path["message_id"], "message")


def _run(request: Request, world: World, customer: Customer) -> Record:
    return _below(request, world, customer, RUNS, request.path["run_id"], "run")


def _below(request: Request, world: World, customer: Customer, collection: str, key: str, what: str) -> Record:
    """A record of the thread that a call names."""
    thread_id = _thread(request, world, customer)["id"]
    record = world[collection].get(key)
    if record is None or record["thread_id"] != thread_id:
        raise stored.missing(what, key)
    return record


def _noted(world: World, collection: str, record: Record, body: Record) -> Record:
    """Replace the metadata of a record where a call has some; return it as it is shown."""
    if "metadata" in body:
        record = {**record, "metadata": body["metadata"] or {}}
        world[collection].replace(record)
    return shown(record)


def _as_asked(request: Request) -> Callable[[Record], Record]:
    """How the steps of a call are shown: with the parts of files that a search found, where the call includes them."""
    if _FOUND_CONTENT in (request.query.get("include") or ()):
        return shown
    return lambda step: shown(steps.without_content(step))
