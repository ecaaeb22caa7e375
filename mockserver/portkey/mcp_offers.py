"""What MCP servers say about themselves and offer, as integrations and the servers built on them know it.

Nothing is ever called: what is known was told by a sync. A server has what its integration has, until it is told something
of its own. Records hold what was said in `_said`, what is offered in `_offers`, both None before the first sync.
Source of every rule that names none: governance-mcp-observability, MCP integrations (capabilities, metadata, sync).
"""

from __future__ import annotations

import re

from mockserver.contract.replies import Reply
from mockserver.values import JSON, Record
from mockserver.world.world import World

SAID = (
    "server_name", "server_version", "title", "description", "website_url", "icons", "protocol_version", "capability_flags",
    "instructions",
)  # fmt: skip
"""What an MCP server says about itself."""

_IN_LISTS = (
    "title", "description", "icons", "server_name", "server_version", "protocol_version", "sync_status", "last_synced_at",
)  # fmt: skip
"""What of it the lists of integrations and servers show (SDK for Node, types of `mcpServers.list`)."""

_OFFERED = (
    "title", "description", "icons", "input_schema", "output_schema", "execution", "annotations", "arguments", "uri",
    "uri_template", "mime_type", "size",
)  # fmt: skip
_SPELLINGS = {
    "schema": "input_schema",
    "inputSchema": "input_schema",
    "outputSchema": "output_schema",
    "uriTemplate": "uri_template",
    "mimeType": "mime_type",
}
"""Other names of the same (SDK for Node, types of both syncs)."""

_COUNTED = {"tool": "tools", "prompt": "prompts", "resource": "resources", "resource_template": "resource_templates"}

_DOWN = re.compile(r"[^:/]+://[^/?#]*\.invalid(:[0-9]*)?([/?#].*)?", re.IGNORECASE | re.DOTALL)

RESPONSE_TIME_MS = 87
"""How long an MCP server takes to answer a test; nothing is called, so it is always the same."""


def metadata(said: Record | None) -> Record:
    """Return what an MCP server says about itself as a read shows it: nulls and `pending` before the first sync."""
    unsaid: Record = dict.fromkeys((*SAID, "last_synced_at", "sync_error"))
    return {**unsaid, "sync_status": "pending", **(said or {}), "object": "metadata"}


def metadata_in_list(said: Record | None) -> Record:
    """Return what of it lists show."""
    told = metadata(said)
    return {name: told[name] for name in _IN_LISTS}


def said_now(before: Record | None, told: Record, world: World) -> Record:
    """Return what an MCP server says about itself after a sync.

    *chosen*: what is left out stays as it was, null takes it away, as in all else that this API changes.
    """
    kept = {name: told[name] for name in SAID if name in told}
    return {**(before or {}), **kept, "sync_status": "synced", "last_synced_at": world.clock.timestamp()}


def offered_now(before: list[Record] | None, given: list[JSON], world: World) -> list[Record]:
    """Return what an MCP server offers after a sync, in the order told; a name alone is a tool's.

    *chosen*: a sync tells everything, so what it does not name is gone; what was there before keeps its switch and its age,
    what is new is on.
    """
    now = world.clock.timestamp()
    known = {_key(row): row for row in before or ()}
    made: dict[str, Record] = {}
    for offer in given:
        named = offer if isinstance(offer, dict) else {"name": offer}
        told = {_SPELLINGS.get(name, name): value for name, value in named.items()}
        row: Record = {"name": told["name"], "type": told.get("type", "tool")}
        row |= {name: told.get(name) for name in _OFFERED}
        old = known.get(_key(row))
        fresh: Record = {"enabled": True, "created_at": now, "last_updated_at": now}
        made[_key(row)] = row | ({name: old[name] for name in fresh} if old is not None else fresh)
    return list(made.values())


def switched(offers: list[Record] | None, asked: list[Record], world: World) -> list[Record] | None:
    """Return an integration's capabilities with some of them on or off; unknown names are ignored."""
    wanted = _wanted(asked)
    now = world.clock.timestamp()
    return offers and [
        {**row, "enabled": wanted[_key(row)], "last_updated_at": now}
        if wanted.get(_key(row), row["enabled"]) != row["enabled"]
        else row
        for row in offers
    ]


def switches_now(server: Record, integration: Record, asked: list[Record]) -> Record:
    """Return a server's own switches after some were set; unknown names are ignored."""
    known = {_key(row) for row in offers_of(server, integration)}
    return {**server["_switches"], **{key: enabled for key, enabled in _wanted(asked).items() if key in known}}


def offers_of(server: Record, integration: Record) -> list[Record]:
    """Return what a server offers: its own capabilities when it was told any, else those of its integration."""
    offers: list[Record] | None = integration["_offers"] if server["_offers"] is None else server["_offers"]
    return offers or []


def server_capabilities(server: Record, integration: Record) -> list[Record]:
    """Return the capabilities of a server as reads show them: on when neither the integration nor the server has them off.

    *chosen*: what the integration does not know is not off there, and `integration_enabled` is null then.
    """
    above = {_key(row): row["enabled"] for row in integration["_offers"] or ()}
    shown: list[Record] = []
    for row in offers_of(server, integration):
        key = _key(row)
        enabled = above.get(key, True) and server["_switches"].get(key, True)
        told = {name: value for name, value in row.items() if name not in ("created_at", "last_updated_at")}
        shown.append({**told, "enabled": enabled, "integration_enabled": above.get(key)})
    return shown


def listed_capabilities(rows: list[Record], query: Record) -> Reply:
    """Return a page of capabilities, and how many of each kind there are whatever the page and the kind asked for."""
    counts = {
        plural: {"total": len(of_kind), "enabled": sum(row["enabled"] for row in of_kind)}
        for kind, plural in _COUNTED.items()
        for of_kind in [[row for row in rows if row["type"] == kind]]
    }
    fitting = [row for row in rows if query.get("type", row["type"]) == row["type"]]
    part, rest = page_from_one(fitting, query)
    data = [{**row, "object": "mcp-capability"} for row in part]
    return Reply(200, {"object": "list", "counts": counts, "total": len(fitting), "has_more": rest, "data": data})


def page_from_one(rows: list[Record], query: Record) -> tuple[list[Record], bool]:
    """Return a page, pages counted from one, and whether there are more behind it."""
    end = query["page"] * query["page_size"]
    return rows[end - query["page_size"] : end], end < len(rows)


def tried(integration: Record, server_name: str, kind: str, refusal: tuple[int, str] | None = None) -> Reply:
    """Return the outcome of a test: always 200, whether the MCP server answers or not.

    `refusal` is the status and the reason when it is known that it would not. *chosen*: the others answer, but those at a
    host below `.invalid`, which no name server ever finds (RFC 2606), so that a test can have one that is down.
    """
    status: int | None = 200
    error = None
    if refusal is not None:
        status, error = refusal
    elif _DOWN.fullmatch(integration["url"]):
        status, error = None, "The host of the MCP server was not found"
    outcome: Record = {
        "success": error is None,
        "status_code": status,
        "response_time_ms": None if status is None else RESPONSE_TIME_MS,
        "url": integration["url"],
        "server_name": server_name,
        "error": error,
        "message": error or "The MCP server answered",  # what the Python client reads (sdk-call-map 7.4)
        "object": kind,
    }
    return Reply(200, outcome)


def _wanted(asked: list[Record]) -> dict[str, bool]:
    return {_key(each): each["enabled"] for each in asked}


def _key(row: Record) -> str:
    return f"{row['type']}/{row['name']}"
