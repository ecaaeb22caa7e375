"""Batches: many calls in a file, each really made, answered in a file.

Source of every rule that names none: gateway-data-plane, /batches.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import NamedTuple, TypeAlias

from mockserver.blobs import Writer
from mockserver.contract.problems import Problem
from mockserver.contract.replies import Piece, Reply, Stream
from mockserver.contract.requests import Request
from mockserver.portkey import batch_lines, stored, stored_files
from mockserver.portkey.batch_lines import Result, Way
from mockserver.portkey.gateway import configs
from mockserver.portkey.gateway.exchange import Customer, Provider
from mockserver.portkey.gateway.proxying import unified
from mockserver.portkey.records import shown
from mockserver.portkey.stored_files import MANAGED
from mockserver.stubs.service import Headers, Perform
from mockserver.values import JSON, Record
from mockserver.world.agenda import Due
from mockserver.world.world import World

VALIDATING_S = 1
FINALIZING_S = 1
GUARDRAILS_S = 1
CANCELLING_S = 1
"""How long a batch is in a state; *chosen*: long enough to be seen by who polls, and short."""
EXPIRES_S = 86_400


class Pace(NamedTuple):
    """So many lines are done each so many seconds; a line that fails is tried again so often."""

    lines: int
    seconds: float
    retries: int


PACES = {"24h": Pace(25, 1, 0), "immediate": Pace(25, 5, 3)}
"""By the completion window. That of `24h` is *chosen*: the counts can be seen to move, and a small batch is soon over."""

_ACTIVE = ("validating", "in_progress", "finalizing", "processing_post_request_guardrails")
_TIMES = (
    "in_progress_at", "finalizing_at", "completed_at", "failed_at", "expired_at", "cancelling_at", "cancelled_at",
)  # fmt: skip
_OUTPUT_RAILS = ("output_guardrails", "after_request_hooks", "outputGuardrails", "afterRequestHooks")
_OF_ONE_CALL = (b"x-portkey-trace-id", b"x-portkey-span-id", b"x-portkey-parent-span-id", b"x-portkey-span-name")
_KEPT = (b"authorization", b"host")
"""Headers of others that lines are called with as well: who calls, and where, for the links in answers."""
_ADDRESSES = (b"x-portkey-provider", b"x-portkey-virtual-key", b"x-portkey-config")
_HOOKS: Record = {"after_request_hooks": [{"id": "portkey-dataservice", "verdict": True, "type": "guardrail", "deny": False}]}
"""What Portkey adds to the reply of every create."""


def create_batch(request: Request, world: World) -> Reply:
    """Start a batch. What is wrong with its file shows when it is validated.

    Fails: `invalid-request` for the window `immediate` at a provider, which only Portkey itself has.
    """

    def answer(customer: Customer, body: Record) -> Reply:
        record = _new(request, customer, body, world)
        return Reply(200, {**shown(record), "hook_results": _HOOKS})

    return unified("createBatch", request, world, answer)


def list_batches(request: Request, world: World) -> Reply:
    """Show the customer's batches."""
    return unified(
        "listBatches", request, world, lambda customer, _: Reply(200, stored.page(world, "batches", request.query, customer))
    )


def retrieve_batch(request: Request, world: World) -> Reply:
    """Show a batch as it is now. Fails: `not-found`.

    `include_provider_details` adds the provider's own batch behind a managed one; *chosen*: its name, and what it says.
    """

    def answer(customer: Customer, body: Record) -> Reply:
        record = _found(request, customer, world)
        told = shown(record)
        if request.query.get("include_provider_details") and record["_provider"] == MANAGED:
            upstream = {"id": record["_upstream"], "object": "batch", "status": record["status"]}
            told["provider_details"] = {**upstream, "request_counts": record["request_counts"]}
        return Reply(200, told, stored.POLL)

    return unified("retrieveBatch", request, world, answer)


def cancel_batch(request: Request, world: World) -> Reply:
    """Stop a batch: it is soon cancelled, and keeps what was answered by then. Fails: `not-found`; one that is over.

    *chosen*: stopping what is stopping already changes nothing.
    """

    def answer(customer: Customer, body: Record) -> Reply:
        record = _found(request, customer, world)
        if record["status"] in _ACTIVE:
            record = _entered(world, record, "cancelling", CANCELLING_S)
        elif record["status"] != "cancelling":
            raise stored.refused(f"Cannot cancel a batch with status '{record['status']}'.")
        return Reply(200, shown(record))

    return unified("cancelBatch", request, world, answer)


def get_batch_output(request: Request, world: World) -> Reply:
    """Give out the answers, else the failures, else what was wrong with the file.

    Fails: `not-found`; when there is nothing yet. An id that is none of Portkey's is refused in a form of its own where Portkey
    is asked.
    """

    def answer(customer: Customer, body: Record) -> Reply:
        try:
            record = _found(request, customer, world)
        except Problem:
            if customer.provider.name != MANAGED or request.path["batch_id"].startswith("pk_batch"):
                raise
            return Reply(400, {"message": {"error": "Invalid batch ID", "code": None}}, problem="invalid-request")
        key = record["output_file_id"] or record["error_file_id"]
        file = world["files"].get(key) if key is not None else None
        if file is not None:
            blob = stored_files.content(world, file)
            return Reply(200, Stream(map(Piece, blob.pieces()), length=blob.size), media_type="application/octet-stream")
        if record["errors"] is not None:
            return Reply(200, record["errors"])
        said = {"error": "invalid response output format", "provider_response": shown(record), "provider": record["_provider"]}
        return Reply(400, said, problem="invalid-request")

    return unified("getBatchOutput", request, world, answer)


def happen(due: Due, world: World, perform: Perform) -> None:
    """Let a batch go on from the state that it is in."""
    record = world["batches"].get(due.key)
    if record is not None:
        _STEPS[record["status"]](record, world, perform)


def _new(request: Request, customer: Customer, body: Record, world: World) -> Record:
    window, provider = body["completion_window"], customer.provider
    if window == "immediate" and provider.name != MANAGED:
        raise stored.refused("Invalid value: 'immediate'. Supported values are: '24h'.")
    now_s, headers = stored.seconds(world), _headers(request, provider, body)
    try:
        file: Record | None = stored.find(world, "files", body["input_file_id"], customer, "file")
    except Problem:
        file = None
    record: Record = {
        "id": stored_files.new_id(world, "batch_", provider.name),
        "object": "batch",
        "endpoint": body["endpoint"],
        "errors": None,
        "input_file_id": body["input_file_id"],
        "completion_window": window,
        "status": "validating",
        "output_file_id": None,
        "error_file_id": None,
        "created_at": now_s,
        "expires_at": now_s + EXPIRES_S,
        **dict.fromkeys(_TIMES),
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": body.get("metadata"),
        "model": body.get("model"),
        "usage": None,
        "_content": None if file is None else file["_content"],
        "_purpose": None if file is None else file["purpose"],
        "_provider": provider.name,
        "_upstream": stored.new_id(world, "batch_"),
        "_model": body.get("model"),
        "_lives_s": (body.get("output_expires_after") or {}).get("seconds"),
        "_is_judged": provider.name == MANAGED and _has_output_rails(request, headers, world),
        "_secrets": {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()},
        "_read": 0,
        "_undone": 0,
        "_answers": [],
        "_failures": [],
        "_tokens": [0, 0],
    }
    world.agenda.put("batch", record["id"], world.clock.seconds() + VALIDATING_S)
    return stored.keep(world, "batches", record, customer)


def _headers(request: Request, provider: Provider, body: Record) -> dict[bytes, bytes]:
    """The headers with which lines are called: those of the create, below `portkey_options` where Portkey manages it."""
    sent = {
        name: value
        for name, value in request.headers.items()
        if (name.startswith(b"x-portkey-") and name not in _OF_ONE_CALL) or name in _KEPT
    }
    if provider.name == MANAGED:
        options: Record = body.get("portkey_options") or {}
        sent |= {name.lower().encode(): str(value).encode() for name, value in options.items()}
    elif provider.slug and not any(name in sent for name in _ADDRESSES):
        sent[b"x-portkey-provider"] = f"@{provider.slug}".encode()
    return sent


def _has_output_rails(request: Request, headers: Headers, world: World) -> bool:
    """Whether answers are held against guardrails. Fails: `invalid-request` for a config that cannot be used."""
    content = configs.chosen(request.operation, headers, request.caller, world).content
    return any(content.get(name) for name in _OUTPUT_RAILS)


def _found(request: Request, customer: Customer, world: World) -> Record:
    return stored.find(world, "batches", request.path["batch_id"], customer, "batch")


def _entered(world: World, record: Record, status: str, lasts_s: float | None = None, **changes: JSON) -> Record:
    """Put a batch into a state, and note when; it goes on after so many seconds, or never."""
    entered = {f"{status}_at": stored.seconds(world)} if f"{status}_at" in record else {}
    changed = {**record, **changes, "status": status, **entered}
    world["batches"].replace(changed)
    if lasts_s is None:
        world.agenda.drop("batch", record["id"])
    else:
        world.agenda.put("batch", record["id"], world.clock.seconds() + lasts_s)
    return changed


def _validate(record: Record, world: World, perform: Perform) -> None:
    """Look at the file of a batch; it runs or has failed."""
    unusable = _unusable(record)
    if unusable is not None:
        checked = batch_lines.Checked(0, None, [unusable])
    else:
        checked = batch_lines.check(stored_files.content(world, record), record["endpoint"])
    if checked.errors:
        _ended(world, record, "failed", errors={"object": "list", "data": checked.errors})
        return
    counts, pace = {"total": checked.total, "completed": 0, "failed": 0}, PACES[record["completion_window"]]
    _entered(world, record, "in_progress", pace.seconds, request_counts=counts, model=record["model"] or checked.model)


def _unusable(record: Record) -> Record | None:
    """What is wrong with the file of a batch, before what it holds."""
    if record["_content"] is None:
        return batch_lines.error("file_not_found", f"There is no file {record['input_file_id']}.", "input_file_id")
    if record["_purpose"] != "batch":
        message = f"The purpose of the file is '{record['_purpose']}', and not 'batch'."
        return batch_lines.error("invalid_file_purpose", message, "input_file_id")
    return None


def _run(record: Record, world: World, perform: Perform) -> None:
    """Do the next lines. Those that a script delays keep the rest waiting."""
    now_s, pace = world.clock.seconds(), PACES[record["completion_window"]]
    if now_s >= record["expires_at"]:
        _left(record, world, "expired", batch_lines.EXPIRED)
        return
    blob = stored_files.content(world, record)
    headers = {name.encode("latin-1"): value.encode("latin-1") for name, value in record["_secrets"].items()}
    way = Way(record["endpoint"], headers, record["_model"], pace.retries, record["expires_at"])
    lines = list(islice(batch_lines.remaining(blob, record["_read"]), pace.lines))
    results = [batch_lines.run(line, way, world, perform) for line, _ in lines]
    record = {**_added(record, results), "_read": lines[-1][1] if lines else record["_read"]}
    ready_s = max((result.due_s for result in results), default=0.0)
    all_ran = sum(_counts(record)) >= record["request_counts"]["total"]
    if all_ran and ready_s <= now_s and not record["_undone"]:
        _entered(world, record, "finalizing", FINALIZING_S)
        return
    world["batches"].replace(record)
    next_s = max(now_s + pace.seconds, ready_s)
    if all_ran:
        next_s = record["expires_at"] if record["_undone"] else ready_s
    world.agenda.put("batch", record["id"], min(next_s, record["expires_at"]))


def _counts(record: Record) -> tuple[int, int, int]:
    """How many lines were answered, failed, and will not be answered in time."""
    counts = record["request_counts"]
    return counts["completed"], counts["failed"], record["_undone"]


def _added(record: Record, results: list[Result]) -> Record:
    """A batch with what came of some more of its lines. Those that are not done count as nothing."""
    answers = "".join([result.text for result in results if result.is_answer])
    failures = "".join([result.text for result in results if not result.is_answer])
    completed = sum(result.is_answer for result in results)
    undone = sum(result.is_undone for result in results)
    counts, tokens = record["request_counts"], record["_tokens"]
    return {
        **record,
        "request_counts": {
            "total": counts["total"],
            "completed": counts["completed"] + completed,
            "failed": counts["failed"] + len(results) - completed - undone,
        },
        "_undone": record["_undone"] + undone,
        "_answers": [*record["_answers"], answers] if answers else record["_answers"],
        "_failures": [*record["_failures"], failures] if failures else record["_failures"],
        "_tokens": [tokens[at] + sum(result.tokens[at] for result in results) for at in (0, 1)],
    }


def _finalized(record: Record, world: World, perform: Perform) -> None:
    if record["_is_judged"]:
        _entered(world, record, "processing_post_request_guardrails", GUARDRAILS_S)
    else:
        _ended(world, record, "completed")


def _completed(record: Record, world: World, perform: Perform) -> None:
    _ended(world, record, "completed")


def _cancelled(record: Record, world: World, perform: Perform) -> None:
    _left(record, world, "cancelled", batch_lines.CANCELLED)


def _left(record: Record, world: World, status: str, why: tuple[str, str]) -> None:
    """End a batch before its time: the lines that were not run are told among the failures."""
    undone: list[Result] = []
    if record["_content"] is not None and record["request_counts"]["total"]:
        rest = batch_lines.remaining(stored_files.content(world, record), record["_read"])
        undone = [batch_lines.undone(line, why, world) for line, _ in rest]
    _ended(world, _added(record, undone), status)


def _ended(world: World, record: Record, status: str, **changes: JSON) -> None:
    """Let a batch be over: what it answered is put into files."""
    customer = Customer(Provider(record["_provider"]), record["_account"])
    files: dict[str, JSON] = {}
    for name, texts in (("output", record["_answers"]), ("error", record["_failures"])):
        if texts:
            writer = Writer()
            for text in texts:
                writer.write(text.encode())
            kept = stored_files.keep(
                world, customer, f"{record['id']}_{name}.jsonl", "batch_output", writer.finish(), record["_lives_s"]
            )
            files[f"{name}_file_id"] = kept["id"]
    digest = record["_content"]
    over: Record = {"_content": None, "_secrets": {}, "_answers": [], "_failures": []}
    usage = None if status == "failed" else _usage(record["_tokens"])
    _entered(world, record, status, **{**files, **over, "usage": usage, **changes})
    if digest is not None:
        stored_files.release(world, digest)


def _usage(tokens: list[int]) -> Record:
    """What all answers together used, in the words of OpenAI's newer batches."""
    return {
        "input_tokens": tokens[0],
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": tokens[1],
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": sum(tokens),
    }


_Step: TypeAlias = Callable[[Record, World, Perform], None]

_STEPS: dict[str, _Step] = {
    "validating": _validate,
    "in_progress": _run,
    "finalizing": _finalized,
    "processing_post_request_guardrails": _completed,
    "cancelling": _cancelled,
}
"""What is next, by the state that a batch is in."""
