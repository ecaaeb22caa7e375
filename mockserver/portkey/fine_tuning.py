"""Fine-tuning: jobs that make a model of one's own out of a file, step by step by the clock.

Nothing is learned: what a job tells of its losses is made up, and follows from the world's seed.

Source of every rule that names none: gateway-data-plane, /fine_tuning/jobs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from mockserver.blobs import Blob, Writer
from mockserver.contract.problems import Problem, invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import stored, stored_files
from mockserver.portkey.answers.chance import Chance
from mockserver.portkey.gateway import exchange
from mockserver.portkey.gateway.exchange import Customer, Provider
from mockserver.portkey.gateway.proxying import unified
from mockserver.portkey.records import shown
from mockserver.portkey.stored_files import MANAGED
from mockserver.portkey.training_lines import Fault, check
from mockserver.stubs.service import Perform
from mockserver.values import JSON, Record
from mockserver.world.agenda import Due
from mockserver.world.world import World

VALIDATING_S = 1
QUEUED_S = 1
EPOCH_S = 2
"""How long a job validates, waits and runs, the last for each epoch; *chosen*: long enough to be seen by who polls."""

_BYTES_OF_A_TOKEN = 4
"""*chosen*: counting a large file's tokens would take longer than anything else that a job does."""
_MOST_ROWS = 1000
"""How many steps the file of results tells of; *chosen*."""
_EPOCHS = 3
_RATE = 2.0
"""What `auto` becomes; *chosen*. A batch is a five-hundredth of the file, one line at least."""
_BOUNDS: dict[str, tuple[float, float, bool]] = {
    "n_epochs": (1, 50, True),
    "batch_size": (1, 256, True),
    "learning_rate_multiplier": (0, math.inf, False),
}
"""Of hyperparameters: least, most, and whether they are whole. *chosen*, as far as OpenAI's public reference goes."""

_ACTIVE = ("validating_files", "queued", "running", "paused")
_PAUSABLE = ("queued", "running")


def create_fine_tuning_job(request: Request, world: World) -> Reply:
    """Start a job. What is wrong with its files shows when they are validated.

    Fails: `invalid-request` for hyperparameters out of bounds, and settings of another method than is named.
    """
    fields = request.fields
    _check_settings(fields)

    def answer(customer: Customer, body: Record) -> Reply:
        return Reply(200, shown(_new(request, customer, body, world)))

    return unified("createFinetune", request, world, answer)


def list_paginated_fine_tuning_jobs(request: Request, world: World) -> Reply:
    """Show the customer's jobs."""
    return unified(
        "listFinetunes",
        request,
        world,
        lambda customer, _: Reply(200, stored.page(world, "fine_tuning_jobs", request.query, customer)),
    )


def retrieve_fine_tuning_job(request: Request, world: World) -> Reply:
    """Show a job as it is now. Fails: `not-found`."""
    return unified(
        "retrieveFinetune", request, world, lambda customer, _: Reply(200, shown(_found(request, customer, world)), stored.POLL)
    )


def list_fine_tuning_events(request: Request, world: World) -> Reply:
    """Show what a job has told. Fails: `not-found`."""

    def answer(customer: Customer, body: Record) -> Reply:
        job = _found(request, customer, world)
        return Reply(200, stored.page(world, "fine_tuning_events", request.query, _job=job["id"]))

    return unified("retrieveFinetune", request, world, answer)


def list_fine_tuning_job_checkpoints(request: Request, world: World) -> Reply:
    """Show the models that a job left on its way. Fails: `not-found`."""

    def answer(customer: Customer, body: Record) -> Reply:
        job = _found(request, customer, world)
        return Reply(200, stored.page(world, "fine_tuning_checkpoints", request.query, fine_tuning_job_id=job["id"]))

    return unified("retrieveFinetune", request, world, answer)


def cancel_fine_tuning_job(request: Request, world: World) -> Reply:
    """Stop a job for good. Fails: `not-found`; one that is over."""

    def answer(customer: Customer, body: Record) -> Reply:
        job = _while(_ACTIVE, "cancel", _found(request, customer, world))
        _tell(world, job, "Fine-tuning job cancelled")
        return Reply(200, shown(_ended(world, job, "cancelled")))

    return unified("cancelFinetune", request, world, answer)


def pause_fine_tuning_job(request: Request, world: World) -> Reply:
    """Let a job wait. Fails: `not-found`; one that neither waits nor runs. Source: OpenAI's SDK has it; *chosen*: all else."""

    def answer(customer: Customer, body: Record) -> Reply:
        job = _while(_PAUSABLE, "pause", _found(request, customer, world))
        world.agenda.drop("fine_tuning", job["id"])
        _tell(world, job, "Fine-tuning job paused")
        return Reply(200, shown(_changed(world, job, status="paused", estimated_finish=None, _paused=job["status"])))

    return unified("cancelFinetune", request, world, answer)


def resume_fine_tuning_job(request: Request, world: World) -> Reply:
    """Let a job go on where it waits: the epoch that it was in begins anew. Fails: `not-found`; one that is not paused."""

    def answer(customer: Customer, body: Record) -> Reply:
        job = _while(("paused",), "resume", _found(request, customer, world))
        _tell(world, job, "Fine-tuning job resumed")
        if job["_paused"] == "queued":
            return Reply(200, shown(_queue(world, job)))
        left_s = (job["hyperparameters"]["n_epochs"] - job["_epoch"]) * EPOCH_S
        finish_s = stored.seconds(world) + left_s
        return Reply(200, shown(_entered(world, job, "running", EPOCH_S, estimated_finish=finish_s)))

    return unified("cancelFinetune", request, world, answer)


def happen(due: Due, world: World, perform: Perform) -> None:
    """Let a job go on from the state that it is in."""
    job = world["fine_tuning_jobs"].get(due.key)
    if job is not None:
        _STEPS[job["status"]](job, world)


def _new(request: Request, customer: Customer, body: Record, world: World) -> Record:
    method = body.get("method") or {"type": "supervised"}
    kind, given = method["type"], body.get("hyperparameters") or {}
    settings: Record = method.get(kind) or {}
    hyperparameters = dict.fromkeys(_BOUNDS, "auto") | given | (settings.get("hyperparameters") or {})
    training, validation = (
        None if body.get(name) is None else _file(world, customer, body[name]) for name in ("training_file", "validation_file")
    )
    seed = body.get("seed")
    record: Record = {
        "id": stored.new_id(world, "ftjob-"),
        "object": "fine_tuning.job",
        "created_at": stored.seconds(world),
        "finished_at": None,
        "estimated_finish": None,
        "model": body["model"],
        "fine_tuned_model": None,
        "organization_id": _organisation(world, customer),
        "status": "validating_files",
        "error": None,
        "training_file": body["training_file"],
        "validation_file": body.get("validation_file"),
        "result_files": [],
        "hyperparameters": hyperparameters,
        "method": {"type": kind, kind: {**settings, "hyperparameters": hyperparameters}},
        "trained_tokens": None,
        "seed": world.ids.below(2**31) if seed is None else seed,
        "integrations": body.get("integrations") or [],
        "metadata": body.get("metadata"),
        "_content": training["_content"] if training is not None else None,
        "_files": {"training_file": _known(training), "validation_file": _known(validation)},
        "_suffix": body.get("suffix") or "",
        "_provider": customer.provider.name,
        "_models_of": _models_of(request, customer.provider, body, world),
        "_epoch": 0,
        "_steps": 0,
        "_name": "",
    }
    job = stored.keep(world, "fine_tuning_jobs", record, customer)
    _tell(world, job, f"Created fine-tuning job: {job['id']}")
    _tell(world, job, f"Validating training file: {job['training_file']}")
    world.agenda.put("fine_tuning", job["id"], world.clock.seconds() + VALIDATING_S)
    return job


def _file(world: World, customer: Customer, key: str) -> Record | None:
    try:
        return stored.find(world, "files", key, customer, "file")
    except Problem:
        return None


def _known(file: Record | None) -> Record | None:
    """What a job needs to know of a file, which may be deleted meanwhile."""
    return None if file is None else {"purpose": file["purpose"], "content": file["_content"]}


def _organisation(world: World, customer: Customer) -> str:
    """The provider's id of a customer, always the same for one account; *chosen*."""
    return "org-" + Chance(world.seed, f"organisation/{customer.keeps_in}").bytes(12).hex()


def _models_of(request: Request, provider: Provider, body: Record, world: World) -> str:
    """The plain name of the provider that has the model in the end; for a job that Portkey manages, as its options say.

    *chosen*: OpenAI's, where they say nothing, as for a chat that names nobody.
    """
    if provider.name != MANAGED:
        return provider.name
    options = {name.lower(): value for name, value in (body.get("portkey_options") or {}).items()}
    said = str(options.get("x-portkey-virtual-key") or options.get("x-portkey-provider") or "openai")
    named = said.startswith("@") or "x-portkey-virtual-key" in options
    return exchange.behind(said.removeprefix("@"), request.caller, world).name if named else said


def _check_settings(fields: Record) -> None:
    method = fields.get("method") or {"type": "supervised"}
    for kind in ("supervised", "dpo", "reinforcement"):
        if kind in method and kind != method["type"]:
            raise invalid("body", f"/method/{kind}", f"does not belong to the method {method['type']}")
    given = (method.get(method["type"]) or {}).get("hyperparameters")
    places = (("/hyperparameters", fields.get("hyperparameters")), (f"/method/{method['type']}/hyperparameters", given))
    for place, values in places:
        for name, value in (values or {}).items():
            least, most, is_whole = _BOUNDS.get(name, (0, math.inf, False))
            if name not in _BOUNDS or value == "auto":
                continue
            if not least <= value <= most or (is_whole and value != int(value)) or value == math.inf:
                wanted = f"a whole number from {least} to {most}" if is_whole else "a number from 0 on"
                raise invalid("body", f"{place}/{name}", f"is to be {wanted}, or auto")


def _found(request: Request, customer: Customer, world: World) -> Record:
    key = request.path["fine_tuning_job_id"]
    return stored.find(world, "fine_tuning_jobs", key, customer, "fine-tuning job")


def _while(states: tuple[str, ...], what: str, job: Record) -> Record:
    """Return a job that is in one of these states. Fails: `invalid-request`."""
    if job["status"] not in states:
        raise stored.refused(f"Cannot {what} a job with status '{job['status']}'.")
    return job


def _tell(world: World, job: Record, message: str, level: str = "info", data: Record | None = None) -> None:
    """Let a job tell something; `data` are figures."""
    event: Record = {
        "id": stored.new_id(world, "ftevent-"),
        "object": "fine_tuning.job.event",
        "created_at": stored.seconds(world),
        "level": level,
        "message": message,
        "type": "message" if data is None else "metrics",
        "data": data,
        "_job": job["id"],
    }
    stored.keep(world, "fine_tuning_events", event)


def _changed(world: World, job: Record, **changes: JSON) -> Record:
    changed = {**job, **changes}
    world["fine_tuning_jobs"].replace(changed)
    return changed


def _entered(world: World, job: Record, status: str, lasts_s: float, **changes: JSON) -> Record:
    """Put a job into a state that lasts so long."""
    world.agenda.put("fine_tuning", job["id"], world.clock.seconds() + lasts_s)
    return _changed(world, job, status=status, **changes)


def _ended(world: World, job: Record, status: str, **changes: JSON) -> Record:
    """Let a job be over."""
    world.agenda.drop("fine_tuning", job["id"])
    over: Record = {"finished_at": stored.seconds(world), "estimated_finish": None, "_content": None, "_files": {}}
    changed = _changed(world, job, status=status, **over, **changes)
    if job["_content"] is not None:
        stored_files.release(world, job["_content"])
    return changed


def _validate(job: Record, world: World) -> None:
    """Look at the files of a job; it waits, or has failed."""
    lines = 0
    for name, file in job["_files"].items():
        if job[name] is None:
            continue
        try:
            count = _checked(world, job[name], file, job["method"]["type"])
        except Fault as fault:
            error = {"code": f"invalid_{name}", "message": str(fault), "param": name}
            _tell(world, job, f"The job failed due to an invalid {name.replace('_', ' ')}. {fault}", "error")
            _ended(world, job, "failed", error=error)
            return
        lines = lines or count
    wanted = job["hyperparameters"]
    hyperparameters = {
        **wanted,
        "n_epochs": _EPOCHS if wanted["n_epochs"] == "auto" else int(wanted["n_epochs"]),
        "batch_size": max(1, lines // 500) if wanted["batch_size"] == "auto" else int(wanted["batch_size"]),
    }
    if wanted["learning_rate_multiplier"] == "auto":
        hyperparameters["learning_rate_multiplier"] = _RATE
    kind = job["method"]["type"]
    method = {"type": kind, kind: {**job["method"][kind], "hyperparameters": hyperparameters}}
    steps = math.ceil(lines / hyperparameters["batch_size"])
    _tell(world, job, "Files validated, the job is queued")
    _queue(world, {**job, "hyperparameters": hyperparameters, "method": method, "_steps": steps, "_name": _name(world, job)})


def _checked(world: World, key: str, file: Record | None, method: str) -> int:
    """Return how many examples a file has. Raises `Fault`."""
    if file is None:
        raise Fault(f"There is no file {key}.")
    if file["purpose"] != "fine-tune":
        raise Fault(f"The purpose of {key} is '{file['purpose']}', and not 'fine-tune'.")
    blob = world.contents.get(file["content"])
    if blob is None:
        raise Fault(f"The file {key} was deleted.")
    return check(blob, method)


def _name(world: World, job: Record) -> str:
    """The name of the model that a job makes: what it starts from, whose it is, the suffix, an id.

    *chosen*: `personal`, as at OpenAI for who has no organisation of their own.
    """
    base = job["model"].removeprefix("ft:").partition(":")[0]
    return f"ft:{base}:personal:{job['_suffix']}:{world.ids.text(8)}"


def _queue(world: World, job: Record) -> Record:
    return _entered(world, job, "queued", QUEUED_S)


def _start(job: Record, world: World) -> None:
    _tell(world, job, "Fine-tuning job started")
    finish_s = stored.seconds(world) + job["hyperparameters"]["n_epochs"] * EPOCH_S
    _entered(world, job, "running", EPOCH_S, estimated_finish=finish_s)


def _train(job: Record, world: World) -> None:
    """Let an epoch be over: it leaves figures and a checkpoint, the last one a model."""
    epochs, epoch = job["hyperparameters"]["n_epochs"], job["_epoch"] + 1
    total, step = job["_steps"] * epochs, job["_steps"] * epoch
    figures = _figures(world, job, step, total)
    _tell(world, job, f"Step {step}/{total}: training loss={figures['train_loss']:.2f}", data={**figures, "total_steps": total})
    checkpoint: Record = {
        "id": stored.new_id(world, "ftckpt_"),
        "object": "fine_tuning.job.checkpoint",
        "created_at": stored.seconds(world),
        "fine_tuned_model_checkpoint": f"{job['_name']}:ckpt-step-{step}",
        "fine_tuning_job_id": job["id"],
        "step_number": step,
        "metrics": figures,
    }
    stored.keep(world, "fine_tuning_checkpoints", checkpoint)
    _tell(world, job, f"Checkpoint created at step {step}")
    job = {**job, "_epoch": epoch}
    if epoch < epochs:
        _entered(world, job, "running", EPOCH_S, estimated_finish=job["estimated_finish"])
        return
    _succeed(job, world, total)


def _succeed(job: Record, world: World, total: int) -> None:
    """Leave the model and the file of results."""
    customer = Customer(Provider(job["_provider"]), job["_account"])
    results = stored_files.keep(world, customer, "step_metrics.csv", "fine-tune-results", _results(world, job, total))
    content = world.contents.get(job["_content"])
    size = content.size if content is not None else 0
    now_s = stored.seconds(world)
    model: Record = {
        "id": job["_name"],
        "created": now_s,
        "owned_by": job["organization_id"],
        "provider": job["_models_of"],
        "_account": None if job["_provider"] == stored_files.MANAGED else job["_account"],
        "created_at": world.clock.timestamp(),
    }
    world["models"].add(model)
    _tell(world, job, f"New fine-tuned model created: {job['_name']}")
    _tell(world, job, "The job has successfully completed")
    tokens = size * job["_epoch"] // _BYTES_OF_A_TOKEN
    _ended(world, job, "succeeded", fine_tuned_model=job["_name"], result_files=[results["id"]], trained_tokens=tokens)


def _figures(world: World, job: Record, step: int, total: int) -> Record:
    """What a job tells of a step: its losses fall, and it is right more often."""
    drawn = Chance(world.seed, f"training/{job['id']}").of(step)
    fallen = math.exp(-3 * step / total)
    loss = 0.2 + 1.8 * fallen + 0.1 * drawn.share()
    right = min(1.0, 0.95 - 0.5 * fallen + 0.02 * drawn.share())
    figures: Record = {"step": step, "train_loss": round(loss, 4), "train_mean_token_accuracy": round(right, 4)}
    if job["validation_file"] is not None:
        figures |= {"valid_loss": round(loss * 1.1, 4), "valid_mean_token_accuracy": round(right * 0.97, 4)}
    return figures


def _results(world: World, job: Record, total: int) -> Blob:
    """The file of results: a row for each step, or for some of very many."""
    writer = Writer()
    writer.write(b"step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n")
    stride = math.ceil(total / _MOST_ROWS)
    for step in range(stride, total + 1, stride):
        told = _figures(world, job, step, total)
        names = ("step", "train_loss", "train_mean_token_accuracy", "valid_loss", "valid_mean_token_accuracy")
        writer.write((",".join(str(told.get(name, "")) for name in names) + "\n").encode())
    return writer.finish()


_Step: TypeAlias = Callable[[Record, World], None]

_STEPS: dict[str, _Step] = {"validating_files": _validate, "queued": _start, "running": _train}
"""What is next, by the state that a job is in."""
