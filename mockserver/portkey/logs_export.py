"""Log exports: jobs that write the logs of a window into a file, and the file itself.

Source of every rule that names none: governance-mcp-observability, Log exports.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from typing import TypeAlias

from mockserver import values
from mockserver.contract.problems import Problem, invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import log_filters, log_tallies
from mockserver.portkey.identity import Caller
from mockserver.portkey.log_filters import Picked
from mockserver.portkey.log_records import exchange_of, is_success, metadata_of
from mockserver.portkey.records import (
    find_workspace,
    forbidden,
    listed,
    named,
    not_found,
    organisation_id,
    owner_id,
    workspace_named,
)
from mockserver.values import JSON, Record
from mockserver.world.clock import parse_timestamp
from mockserver.world.world import World

MOST_ROWS = 50_000
"""An export holds no more logs than this."""

QUEUED_S = 10
"""How long an export waits for its turn (*chosen*: long enough to be seen, and to be cancelled)."""

LINK_S = 6 * 3600
"""How long a signed address is good."""

_STARTS = frozenset(("draft", "failed"))
_RUNS = frozenset(("queued", "in_progress"))


def create_log_export(request: Request, world: World) -> Reply:
    """Draft an export, and count the logs that its filters mean now.

    Fails: `invalid-request` without a workspace, a description or both ends of the window, unless `Prefer: handling=lenient`.
    """
    fields, caller = request.fields, request.caller
    filters = fields["filters"]
    workspace = workspace_named(request, world)
    if workspace is None and filters.get("workspace_slug"):
        workspace = find_workspace(world, filters["workspace_slug"])
    if workspace is None:
        raise invalid("body", "/workspace_id", "is required for an export: the caller's key belongs to no workspace")
    now = world.clock.timestamp()
    export: Record = {
        "id": world.ids.uuid4(),
        "organisation_id": organisation_id(world),
        "workspace_id": workspace["id"],
        "filters": filters,
        "requested_data": fields["requested_data"],
        "status": "draft",
        "description": fields.get("description"),
        "created_at": now,
        "last_updated_at": now,
        "created_by": caller.user_id or owner_id(world),
        "object": "export",
    }
    export = _counted(export, request, world)
    world["log_exports"].add(export)
    return Reply(200, {"id": export["id"], "total": export["total_records"], "object": "export"})


def list_log_exports(request: Request, world: World) -> Reply:
    """List the exports of a workspace, or of all for an organisation's key, newest first; a person sees their own."""
    workspace = workspace_named(request, world)
    group = {} if workspace is None else {"workspace_id": workspace["id"]}
    seen = [each for each in world["log_exports"].newest(**group) if _is_open_to(request.caller, each)]
    return listed([_shown(_settled(each, world)) for each in seen], len(seen))


def get_log_export(request: Request, world: World) -> Reply:
    """Show an export."""
    return Reply(200, _shown(_find(request, world)))


def update_log_export(request: Request, world: World) -> Reply:
    """Change what a draft will hold, and count again. *chosen*: it stays in its workspace.

    Fails: `invalid-request` for one that is no draft, and when a description or an end of the window is missing then.
    """
    export, fields = _find(request, world), request.fields
    if export["status"] != "draft":
        raise _refused(export, "changed")
    said: Record = {name: fields[name] for name in ("filters", "requested_data", "description") if name in fields}
    export = _counted({**export, **said, "last_updated_at": world.clock.timestamp()}, request, world)
    world["log_exports"].replace(export)
    return Reply(200, {"id": export["id"], "total": export["total_records"], "object": "export"})


def start_log_export(request: Request, world: World) -> Reply:
    """Put a draft into the queue, or one that failed again. Fails: `invalid-request` for any other."""
    export = _find(request, world)
    if export["status"] not in _STARTS:
        raise _refused(export, "started")
    queued = _turned(export, "queued", world.clock.timestamp())
    world["log_exports"].replace({**queued, "_queued_at": queued["last_updated_at"], "_logs": len(world["logs"])})
    return Reply(200, {"message": "The export has been queued", "object": "export"})


def cancel_log_export(request: Request, world: World) -> Reply:
    """Stop an export that waits or runs. Fails: `invalid-request` for any other."""
    export = _find(request, world)
    if export["status"] not in _RUNS:
        raise _refused(export, "cancelled")
    world["log_exports"].replace(_turned(export, "stopped", world.clock.timestamp()))
    return Reply(200, {"message": "The export has been stopped", "object": "export"})


def download_log_export(request: Request, world: World) -> Reply:
    """Give a new address of the file, on this server. Fails: `invalid-request` before the export has succeeded."""
    export = _find(request, world)
    if export["status"] != "success":
        raise _refused(export, "downloaded")
    expires_s = int(world.clock.seconds()) + LINK_S
    nonce = world.ids.hex(16)
    signature = _signature(export["id"], expires_s, nonce, world)
    host = request.headers.get(b"host", b"localhost").decode("latin-1")
    path = f"/worlds/{world.name}/v1/logs/exports/{export['id']}/file"
    query = f"expires={expires_s}&nonce={nonce}&signature={signature}"
    return Reply(200, {"signed_url": f"http://{host}{path}?{query}"})


def fetch_log_export_file(request: Request, world: World) -> Reply:
    """Serve the file of an export, or one range of its bytes, to whoever has its address; no key is needed.

    Fails: `forbidden` for a signature that is wrong or has expired (*chosen*: as the real store, AWS S3, answers).
    """
    query, export_id = request.query, request.path["exportId"]
    signature = _signature(export_id, query["expires"], query["nonce"], world)
    export = world["log_exports"].get(export_id)
    if export is None or query["signature"] != signature:
        raise forbidden("The signature does not match")
    if world.clock.seconds() >= query["expires"]:
        raise forbidden("The address has expired")
    body = b"".join(values.dump(line) + b"\n" for line in _lines(export, world))
    headers = {"accept-ranges": "bytes"}
    span = _span(request.headers.get(b"range", b"").decode("latin-1"), len(body))
    if span is None:
        return Reply(200, body, headers, "application/jsonl")
    headers["content-range"] = f"bytes {span.start}-{span.stop - 1}/{len(body)}"
    return Reply(206, body[span.start : span.stop], headers, "application/jsonl")


def _find(request: Request, world: World) -> Record:
    """The export of a call's path, as it is now. Fails: `not-found`; `forbidden` for one out of reach."""
    export = world["log_exports"].get(request.path["exportId"])
    if export is None:
        raise not_found()
    request.caller.reach(export["workspace_id"])
    if not _is_open_to(request.caller, export):
        raise forbidden()
    return _settled(export, world)


def _is_open_to(caller: Caller, export: Record) -> bool:
    """Whether a caller may see an export of their workspace: a person sees what they made themselves."""
    return caller.user_id is None or export["created_by"] == caller.user_id


def _counted(export: Record, request: Request, world: World) -> Record:
    """An export with the number of logs that its filters mean now; it stands from then on."""
    filters = export["filters"]
    if b"handling=lenient" not in request.headers.get(b"prefer", b"").replace(b" ", b""):
        if not export["description"]:
            raise invalid("body", "/description", "is required")
        for name in ("time_of_generation_min", "time_of_generation_max"):
            if not filters.get(name):
                raise invalid("body", f"/filters/{name}", "is required")
    return {**export, "total_records": _picked(export, world).count(world)}


def _picked(export: Record, world: World) -> Picked:
    """The logs that the filters of an export mean: none when they name another workspace than the export is for."""
    filters = export["filters"]
    picked = log_filters.picked(filters, export["workspace_id"], world, "body", "/filters")
    slug = filters.get("workspace_slug")
    if slug and (named(world, "workspaces", slug) or {}).get("id") != export["workspace_id"]:
        return replace(picked, workspaces=())
    return picked


def _settled(export: Record, world: World) -> Record:
    """An export as it is now; what time did to it since the last look is written down.

    *chosen*: after its turn has come, it runs for 20 seconds and one more for each 50 logs: a full one then takes 17 minutes,
    within the 10 to 20 that were measured. It never fails by itself.
    """
    if export["status"] not in _RUNS:
        return export
    runs_s = log_tallies.second_at(export["_queued_at"]) + QUEUED_S
    done_s = runs_s + 20 + min(export["total_records"], MOST_ROWS) // 50
    for status, at_s in (("success", done_s), ("in_progress", runs_s)):
        if world.clock.seconds() >= at_s:
            if export["status"] != status:
                export = _turned(export, status, log_tallies.text_of(at_s))
                world["log_exports"].replace(export)
            break
    return export


def _turned(export: Record, status: str, at: str) -> Record:
    """An export in another state, since a time."""
    return {**export, "status": status, "last_updated_at": at}


def _refused(export: Record, done: str) -> Problem:
    return invalid("path", "/exportId", f"names an export that is {export['status']}; it cannot be {done}")


def _shown(export: Record) -> Record:
    return {name: value for name, value in export.items() if not name.startswith("_")}


def _signature(export_id: str, expires_s: int, nonce: str, world: World) -> str:
    """What makes an address good: it follows from the seed of the world, so that nothing need be remembered of it."""
    text = f"{world.seed} {export_id} {expires_s} {nonce}"
    return blake2b(text.encode(), digest_size=16).hexdigest()


# The file


def _lines(export: Record, world: World) -> list[Record]:
    """The lines of an export's file, oldest log first (*chosen*): of the logs that were there when the export was started.

    Each has the metadata and the headers that steered the gateway, whether they were asked for or not.
    """
    filters = export["filters"]
    found = [log for log in _picked(export, world).logs(world) if log["_number"] < export["_logs"]]
    found.reverse()  # a span comes newest first, the logs of traces one trace after the other
    found.sort(key=lambda log: str(log["created_at"]))
    size = min(int(filters.get("page_size") or MOST_ROWS), MOST_ROWS)
    first = int(filters.get("current_page") or 0) * size
    requested = [(name, REQUESTABLE[name]) for name in export["requested_data"] if name in REQUESTABLE]
    lines = []
    for log in islice(found, first, first + size):
        request, response = exchange_of(log)
        line = {name: tell(log, request, response) for name, tell in requested}
        line["metadata"] = dict(metadata_of(log))
        line["portkeyHeaders"] = request.get("portkeyHeaders") or {}
        lines.append(line)
    return lines


@lru_cache(maxsize=4096)
def _js_date(created_at: str) -> str:
    """A time as JavaScript writes it: `Sat Jul 25 2026 11:14:18 GMT+0000 (Coordinated Universal Time)`.

    Source: Conflicts (the form that is suggested of the two that were seen).
    """
    return parse_timestamp(created_at).strftime("%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)")


Tell: TypeAlias = Callable[[Record, Record, Record], JSON]
"""Says something of a full log and the two sides of its exchange."""


def _number(name: str) -> Tell:
    return lambda log, _, __: log[name]


def _text(name: str) -> Tell:
    return lambda log, _, __: log[name] or None


REQUESTABLE: dict[str, Tell] = {
    **{name: _number(name) for name in ("id", "cost", "req_units", "res_units", "response_time", "response_status_code")},
    **{name: _text(name) for name in ("trace_id", "ai_org", "ai_model", "request_url", "mode", "cache_status")},
    **{name: _text(name) for name in ("config", "prompt_slug", "prompt_id", "prompt_version_id")},
    "created_at": lambda log, _, __: _js_date(log["created_at"]),
    "request": lambda _, request, __: request.get("body") or {},
    "response": lambda _, __, response: response.get("body") or {},
    "is_success": lambda log, _, __: is_success(log),
    "total_units": lambda log, _, __: log["req_units"] + log["res_units"],
    "cost_currency": lambda *_: "USD",
}
"""What a line can say of a log, null where the log has nothing to say; other names in `requested_data` are passed over."""


def _span(said: str, size: int) -> range | None:
    """The bytes that a `Range` header asks for, None for all: also for several ranges, and for one that is not there.

    A server may pass over any of them (RFC 9110, 14.2).
    """
    match = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", said.replace(" ", ""))
    if match is None or match[0] == "bytes=-" or size == 0:
        return None
    first, last = match[1], match[2]
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(int(last) + 1 if last else size, size)
    return range(start, end) if start < end else None
