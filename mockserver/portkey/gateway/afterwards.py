"""Calls that use something after their reply is out, as a run of an assistant does: what is kept of them until then.

The secret of the caller is not kept. Source: *chosen*, all of it: what the real service counts of runs is unknown.
"""

from __future__ import annotations

from mockserver.contract.decoding import Decoded
from mockserver.contract.operations import Operation
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import calls, logbook, metering
from mockserver.portkey.gateway.configs import Chosen
from mockserver.portkey.gateway.exchange import Customer, Provider
from mockserver.portkey.identity import Caller
from mockserver.values import Record
from mockserver.world.world import World

_SECRET = (b"x-portkey-api-key",)
_STEERING = (b"traceparent", b"baggage")


def remembered(request: Request, customer: Customer) -> Record:
    """Return what has to be known of a call once it is over, as JSON."""
    operation, caller, config = request.operation, request.caller, request.caller.config
    headers = {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in request.headers.items()
        if name in _STEERING or (name.startswith(b"x-portkey-") and name not in _SECRET)
    }
    return {
        "operation": [operation.id, operation.method, operation.path],
        "path": request.path,
        "headers": headers,
        "body": request.fields,
        "key": None if caller.key is None else caller.key["id"],
        "key_id": calls.key_id(request),
        "config": None if config is None else [config.id, config.slug],
        "account": customer.account,
        "provider": [customer.provider.name, customer.provider.slug],
        "provider_id": None if customer.provider.record is None else customer.provider.record["id"],
        "target": customer.target,
        "trace_id": customer.trace_id,
    }


def provider_of(call: Record, world: World) -> Provider:
    """Return who answers a remembered call, with the world's record as it is now."""
    name, slug = call["provider"]
    return Provider(name, slug, world["providers"].get(call["provider_id"]) if call["provider_id"] else None)


def bill(call: Record, world: World, model: str, asked: int, answered: int, reply: Reply) -> None:
    """Count the tokens that a remembered call has used in the end, and log what it came to.

    The call itself was counted as a request, and logged, when it was made. A key that was deleted since pays nothing.
    """
    request, provider = _recalled(call, world), provider_of(call, world)
    billed = metering.Billed(provider.name, provider.slug, provider.record, model)
    cost = metering.count(request, billed, asked, answered, world, requests=0)
    reply.headers = {"x-portkey-trace-id": call["trace_id"]}
    usage = logbook.Usage(provider.name, model, provider.record, asked, answered, cost)
    logbook.of_call(request, reply, usage, world)


def _recalled(call: Record, world: World) -> Request:
    id_, method, path = call["operation"]
    operation = Operation(id_, method, path, "", "", (), None, {}, (), {})
    parts = {"path": call["path"], "query": {}, "header": {}, "cookie": {}, "body": call["body"]}
    headers = {name.encode("latin-1"): value.encode("latin-1") for name, value in call["headers"].items()}
    request = Request(operation, Decoded(parts), headers, b"")
    key = world["api_keys"].get(call["key"]) if call["key"] else None
    config = None if call["config"] is None else Chosen({}, *call["config"])
    request.caller = Caller(key, config, drawn_id=call["key_id"])
    return request
