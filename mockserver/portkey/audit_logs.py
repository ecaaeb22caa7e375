"""Audit logs: who changed what, when, and how it was before and after. `auditing` writes them.

Source of every rule that names none: governance-mcp-observability, Audit logs.
"""

from __future__ import annotations

from datetime import UTC, datetime

from mockserver import values
from mockserver.contract.problems import invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey.auditing import COLLECTION
from mockserver.portkey.records import named, organisation_id
from mockserver.values import JSON, Record
from mockserver.world.clock import format_timestamp
from mockserver.world.collection import Change
from mockserver.world.world import World

_FILTERS = (
    "method", "uri", "request_id", "user_id", "user_type", "workspace_id", "response_status_code", "resource_type", "action",
    "client_ip", "country", "organisation_id",
)  # fmt: skip
"""Fields that must equal what is asked for."""

_PAGE = 100
"""The largest page, and the one when no size is given (*chosen*: the published maximum; other lists show everything)."""


def list_audit_logs(request: Request, world: World) -> Reply:
    """Show a page of the changes in a window of time, newest first, both ends included.

    `data` is `records` again (*chosen*, as the dossier suggests: a known client looks there). `before`, `after` and `changes`
    are ours: what the call was about and all that it changed, as reads show it; the service tells the request alone.
    Fails: `invalid-request` for a time that is none.
    """
    query = request.query
    since, until = _time(query, "start_time"), _time(query, "end_time")
    wanted = {name: query[name] for name in _FILTERS if name in query}
    workspace = named(world, "workspaces", wanted.get("workspace_id"))
    if workspace is not None:  # one that was archived is in its logs still
        wanted["workspace_id"] = workspace["id"]
    found = [record for record in world[COLLECTION].newest() if since <= record["created_at"] <= until]
    if wanted:
        found = [record for record in found if wanted.items() <= _facts(record, world).items()]
    size = query.get("page_size", _PAGE)
    offset = query["current_page"] * size
    shown = [_shown(record, world) for record in found[offset : offset + size]]
    return Reply(200, {"object": "analytics-graph", "total": len(found), "records": shown, "data": shown})


def _facts(record: Record, world: World) -> Record:
    """What can be asked for. Address and country are what a proxy in front of a service says (*chosen*: null without)."""
    method, path, resource, action = record["call"]
    variables, _, headers, _ = record["request"]
    for name, value in variables.items():
        path = path.replace("{" + name + "}", str(value))
    user_type, user_id = record["who"]
    return {
        "timestamp": record["created_at"],
        "method": method,
        "uri": path,
        "request_id": _request_id(record),
        "user_id": user_id,
        "user_type": user_type,
        "organisation_id": organisation_id(world),
        "workspace_id": record["workspace_id"],
        "response_status_code": record["status"],
        "resource_type": resource,
        "action": action,
        "client_ip": headers.get("x-forwarded-for", "").partition(",")[0].strip() or None,
        "country": headers.get("cf-ipcountry") or None,
    }


def _shown(record: Record, world: World) -> Record:
    _, query, headers, body = record["request"]
    changes: list[Change] = record["changes"]
    # The record that a call is about lies in the collection named as its family, if it wrote one there.
    about = record["call"][2]
    main = next((change for change in changes if change[0] == about), changes[0] if changes else None)
    return {
        **_facts(record, world),
        "request_body": None if body is None else _text(body),
        "query_params": _text(query),
        "request_headers": _text(headers),
        "before": main[2] if main else None,
        "after": main[3] if main else None,
        "changes": [{"resource": name, "id": key, "before": before, "after": after} for name, key, before, after in changes],
    }


def _text(value: JSON) -> str:
    return values.dump(value).decode()


def _request_id(record: Record) -> str:
    """The id of a call, made of its number: the mock answers with none that could be repeated here."""
    return f"{int(record['id']):08x}-0000-4000-a000-000000000000"


def _time(query: Record, name: str) -> str:
    """A bound of the window, written as records have theirs. A time without a zone is UTC, a day is its midnight (*chosen*)."""
    try:
        at = datetime.fromisoformat(query[name].upper())
        return format_timestamp(at if at.tzinfo is not None else at.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise invalid("query", f"/{name}", "is no time in ISO 8601") from None
