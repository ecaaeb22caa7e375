"""Responses: answers that are kept, read again, gone on from, run in the background.

Source: gateway-data-plane, /responses, Stateful resources: shared conventions.
"""

from __future__ import annotations

from collections.abc import Iterator

from mockserver.contract.problems import INVALID_REQUEST, NOT_FOUND, Problem
from mockserver.contract.replies import Piece, Reply, Stream
from mockserver.contract.requests import Request
from mockserver.portkey import stored
from mockserver.portkey.answers import response_events, responses, sse
from mockserver.portkey.answers.errors import Unanswerable
from mockserver.portkey.gateway import conversations, proxying, serving
from mockserver.portkey.gateway.exchange import Customer
from mockserver.portkey.gateway.upstream import Ids
from mockserver.portkey.records import shown
from mockserver.stubs.service import Perform
from mockserver.values import JSON, Record
from mockserver.world.agenda import Due
from mockserver.world.world import World


def create_response(request: Request, world: World) -> Reply:
    """Answer a call; see `serving.answer`. It is kept unless `store` is false, and answered later with `background`."""
    return serving.answer("createModelResponse", request, world)


def get_response(request: Request, world: World) -> Reply:
    """Read a response; with `stream` it is told again event by event, behind the one that `starting_after` numbers.

    Fails: `not-found`; 400 from providers that keep none.
    """

    def answering(customer: Customer, _: Record) -> Reply:
        record = _find(request, world, customer)
        include = request.query.get("include") or ()
        if request.query.get("stream"):
            return _streamed(record, include, request.query.get("starting_after"), world)
        return Reply(200, responses.told(shown(record), include))

    return _unified(request, world, answering)


def delete_response(request: Request, world: World) -> Reply:
    """Delete a response. Others that went on from it stay as they are. Fails: as `get_response`."""

    def answering(customer: Customer, _: Record) -> Reply:
        record = _find(request, world, customer)
        world["responses"].remove(record["id"])
        world.agenda.drop("responses", record["id"])
        return Reply(200, stored.deleted(record["id"], "response"))

    return _unified(request, world, answering)


def list_input_items(request: Request, world: World) -> Reply:
    """List the items that a response was made of, those of the responses before it as well. Fails: as `get_response`.

    *chosen*: OpenAI says "items used to generate the response", and the conversation before it is among these.
    """

    def answering(customer: Customer, _: Record) -> Reply:
        record = _find(request, world, customer)
        told = responses.told({"output": record["_items"]}, request.query.get("include") or ())["output"]
        return Reply(200, stored.page_of(told, request.query))

    return _unified(request, world, answering)


def cancel_response(request: Request, world: World) -> Reply:
    """Stop a response in the background; one that is cancelled stays so.

    Fails: `not-found`; `invalid-request` for one that is over, or was never in the background (texts unconfirmed).
    """

    def answering(customer: Customer, _: Record) -> Reply:
        record = _find(request, world, customer)
        if not record["background"]:
            raise stored.refused("Cannot cancel a synchronous response.")
        if record["status"] in conversations.ACTIVE:
            record = {name: value for name, value in record.items() if name not in ("_answer", "_ends_s")}
            record["status"] = "cancelled"
            world["responses"].replace(record)
            world.agenda.drop("responses", record["id"])
        elif record["status"] != "cancelled":
            raise stored.refused(f"Cannot cancel a {record['status']} response.")
        return Reply(200, responses.told(shown(record), ()))

    return proxying.passed_on(request, world, answering)


def count_input_tokens(request: Request, world: World) -> Reply:
    """Tell how many tokens a request would have. Fails: as creating one does for what it refers to."""

    def answering(customer: Customer, body: Record) -> Reply:
        try:
            conversation, _ = conversations.conversation(world, body, customer.account, Ids(world))
            count = responses.count(body, conversation)
        except Unanswerable as refused:
            raise _problem(refused) from None
        return Reply(200, {"object": "response.input_tokens", "input_tokens": count})

    return proxying.passed_on(request, world, answering)


def happen(due: Due, world: World, perform: Perform) -> None:
    """Let a response in the background go on."""
    conversations.go_on(world, due.key)


def _unified(request: Request, world: World, answering: proxying.Answering) -> Reply:
    """Ask the provider, if it keeps responses; the gateway refuses itself for others, in words of its own."""
    method = request.operation.method.upper()

    def only_native(customer: Customer, body: Record) -> Reply:
        if customer.provider.name in conversations.NATIVE:
            return answering(customer, body)
        message = f"{method} /v1/responses is only supported for native Responses API providers"
        return Reply(400, {"error": {"message": message, "type": "invalid_request_error"}})

    return proxying.pass_on(proxying.opened_for(request, world, {}), only_native, is_unified=True)


def _find(request: Request, world: World, customer: Customer) -> Record:
    response_id = request.path["response_id"]
    record = conversations.find(world, response_id, customer.account)
    if record is None:
        message = f"Response with id '{response_id}' not found."
        raise Problem(NOT_FOUND, message, type_="invalid_request_error", missing=True)
    return record


def _streamed(record: Record, include: JSON, after: int | None, world: World) -> Reply:
    """The events of a response; those of one that is not answered yet come when it is."""
    answer, ends_s = record.get("_answer"), record.get("_ends_s")
    response = responses.told(shown({**record, **(answer or {})}), include)
    first = response_events.opening(response)

    def pieces() -> Iterator[Piece]:
        for event in response_events.events(response):
            if after is None or event["sequence_number"] > after:
                due_s = ends_s if event["sequence_number"] >= first else None
                yield Piece(sse.event(event, event["type"]), due_s)

    return Reply(200, Stream(pieces()), media_type=sse.MEDIA_TYPE)


def _problem(refused: Unanswerable) -> Problem:
    kind = NOT_FOUND if refused.status == 404 else INVALID_REQUEST
    return Problem(kind, refused.message, code=refused.code, type_="invalid_request_error")
