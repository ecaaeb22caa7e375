"""Fine-tuning jobs: their states by the clock, what they tell and leave. Source: gateway-data-plane, /fine_tuning/jobs."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from mockserver.portkey.fine_tuning import EPOCH_S, QUEUED_S, VALIDATING_S
from tests.conftest import Client
from tests.portkey.keeping import (
    CHAT,
    FILES,
    JOBS,
    MANAGED,
    OPENAI,
    content,
    done,
    examples,
    job,
    lines,
    refused,
    tune,
    upload,
    wait,
)

BASE = "gpt-4o-mini"
OVER_S = VALIDATING_S + QUEUED_S + 3 * EPOCH_S
DPO = {"input": {"messages": []}, "preferred_output": [], "non_preferred_output": []}


def act(client: Client, job_id: str, what: str) -> httpx.Response:
    return client.post(f"{JOBS}/{job_id}/{what}", headers=OPENAI)


def told(client: Client, job_id: str, what: str = "events", **query: Any) -> list[Any]:
    """Events or checkpoints of a job, newest first."""
    rows: list[Any] = done(client.get(f"{JOBS}/{job_id}/{what}", params=query, headers=OPENAI))["data"]
    return rows


def tuned(client: Client, **fields: Any) -> Any:
    """A job that is over."""
    made = tune(client, **fields)
    wait(client, 1000)
    return job(client, made["id"])


def test_new_job_is_shown_whole(client: Client) -> None:
    file_id = upload(client, examples(), "fine-tune")["id"]
    made = tune(client, file_id, seed=7, metadata={"team": "desk"})
    auto = {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto"}
    assert made["id"].startswith("ftjob-")
    assert made["organization_id"].startswith("org-")
    assert made == {
        "id": made["id"],
        "object": "fine_tuning.job",
        "created_at": int(client.world.clock.seconds()),
        "finished_at": None,
        "estimated_finish": None,
        "model": BASE,
        "fine_tuned_model": None,
        "organization_id": made["organization_id"],
        "status": "validating_files",
        "error": None,
        "training_file": file_id,
        "validation_file": None,
        "result_files": [],
        "hyperparameters": auto,
        "method": {"type": "supervised", "supervised": {"hyperparameters": auto}},
        "trained_tokens": None,
        "seed": 7,
        "integrations": [],
        "metadata": {"team": "desk"},
    }
    assert job(client, made["id"]) == made


def test_job_passes_through_its_states_by_the_clock(client: Client) -> None:
    made, seen = tune(client), []
    for _ in range(OVER_S + 1):
        seen.append(job(client, made["id"])["status"])
        wait(client, 1)
    running = ["running"] * (3 * EPOCH_S)
    assert seen == ["validating_files", "queued", *running, "succeeded"]


def test_job_that_succeeded_tells_what_it_made(client: Client) -> None:
    over = tuned(client, suffix="tides")
    _, base, organisation, suffix, key = over["fine_tuned_model"].split(":")
    assert (base, suffix, len(key)) == (BASE, "tides", 8)
    assert organisation
    assert over["finished_at"] == over["created_at"] + OVER_S
    assert over["hyperparameters"] == {"n_epochs": 3, "batch_size": 1, "learning_rate_multiplier": 2.0}
    assert over["trained_tokens"] > 0
    assert (over["error"], over["estimated_finish"]) == (None, None)


def test_estimate_comes_true(client: Client) -> None:
    made = tune(client, hyperparameters={"n_epochs": 5})
    wait(client, VALIDATING_S + QUEUED_S)
    estimate = job(client, made["id"])["estimated_finish"]
    wait(client, 1000)
    assert job(client, made["id"])["finished_at"] == estimate


def test_results_are_a_file(client: Client) -> None:
    over = tuned(client)
    (file_id,) = over["result_files"]
    file = done(client.get(f"{FILES}/{file_id}", headers=OPENAI))
    head, *rows = content(client, file_id).decode().splitlines()
    assert (file["purpose"], file["filename"]) == ("fine-tune-results", "step_metrics.csv")
    assert head == "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"
    assert len(rows) == 30
    assert float(rows[0].split(",")[1]) > float(rows[-1].split(",")[1])


def test_model_exists_until_it_is_deleted(client: Client) -> None:
    over = tuned(client)
    name, place = over["fine_tuned_model"], f"/v1/models/{over['fine_tuned_model']}"
    model = {"id": name, "object": "model", "created": over["finished_at"], "owned_by": over["organization_id"]}
    assert model in done(client.get("/v1/models", headers=OPENAI))["data"]
    assert done(client.get(place, headers=OPENAI)) == model
    asked = {"model": name, "messages": [{"role": "user", "content": "When?"}]}
    assert done(client.post(CHAT, asked, headers=OPENAI))["model"] == name
    assert done(client.delete(place, headers=OPENAI))["deleted"] is True
    assert model not in done(client.get("/v1/models", headers=OPENAI))["data"]


@pytest.mark.parametrize("checkpoint", ["", ":ckpt-step-12"], ids=["model", "checkpoint"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CHAT, {"messages": [{"role": "user", "content": "When?"}]}),
        ("/v1/responses", {"input": "When?"}),
        ("/v1/threads/runs", {"assistant_id": "assistant"}),
    ],
    ids=["chat", "responses", "runs"],
)
def test_deleted_model_answers_nothing(client: Client, path: str, body: Any, checkpoint: str) -> None:
    """Source: gateway-data-plane, Provider errors; no run can be made of it (*chosen*: 400, its path names no model)."""
    name = tuned(client)["fine_tuned_model"] + checkpoint
    assistant = done(client.post("/v1/assistants", {"model": name}, headers=OPENAI))
    asked = {**body, "model": name, **({"assistant_id": assistant["id"]} if "assistant_id" in body else {})}
    assert client.post(path, asked, headers=OPENAI).status_code == 200
    done(client.delete(f"/v1/models/{name.partition(':ckpt')[0]}", headers=OPENAI))
    error = refused(client.post(path, asked, headers=OPENAI), 400 if "assistant_id" in body else 404)
    assert (error["code"], name in error["message"]) == ("model_not_found", True)


def test_model_is_of_its_account_alone(client: Client) -> None:
    name = tuned(client)["fine_tuned_model"]
    other = {"x-portkey-provider": "@openai-production"}
    assert name not in [model["id"] for model in done(client.get("/v1/models", headers=other))["data"]]
    assert client.get(f"/v1/models/{name}", headers=other).status_code == 404
    asked = {"model": name, "messages": [{"role": "user", "content": "When?"}]}
    assert refused(client.post(CHAT, asked, headers=other), 404)["code"] == "model_not_found"


def test_model_of_a_managed_job_is_the_named_providers(client: Client) -> None:
    made = tune(client, headers=MANAGED, portkey_options={"x-portkey-virtual-key": "openai-production"})
    wait(client, 1000)
    over = job(client, made["id"], MANAGED)
    assert over["result_files"][0].startswith("pk_file_")
    assert client.world["models"].get(over["fine_tuned_model"])["provider"] == "openai"


def test_events_tell_the_course_newest_first(client: Client) -> None:
    over = tuned(client)
    events = told(client, over["id"], limit=100)
    assert events[-1]["message"].endswith(over["id"])
    assert over["fine_tuned_model"] in events[1]["message"]
    assert {(event["object"], event["level"]) for event in events} == {("fine_tuning.job.event", "info")}
    figures = [event["data"] for event in events if event["type"] == "metrics"]
    assert [each["step"] for each in figures] == [30, 20, 10]
    assert {each["total_steps"] for each in figures} == {30}
    assert [event["created_at"] for event in events] == sorted((event["created_at"] for event in events), reverse=True)


def test_checkpoints_are_left_after_each_epoch(client: Client) -> None:
    validation = upload(client, examples(2), "fine-tune")["id"]
    over = tuned(client, validation_file=validation)
    checkpoints = told(client, over["id"], "checkpoints")
    assert [each["step_number"] for each in checkpoints] == [30, 20, 10]
    newest = checkpoints[0]
    assert newest["fine_tuned_model_checkpoint"] == f"{over['fine_tuned_model']}:ckpt-step-30"
    assert (newest["object"], newest["fine_tuning_job_id"]) == ("fine_tuning.job.checkpoint", over["id"])
    assert newest["metrics"].keys() == {
        "step", "train_loss", "train_mean_token_accuracy", "valid_loss", "valid_mean_token_accuracy",
    }  # fmt: skip


BROKEN = {
    "empty": (b"", {}, "no lines"),
    "not-json": (lines("{"), {}, "Line 1 is not a JSON object"),
    "second-line": (examples(1) + lines("{}"), {}, "Line 2 lacks"),
    "no-answer": (lines({"messages": [{"role": "user", "content": "?"}]}), {}, "no message of the assistant"),
    "no-role": (lines({"messages": ["?"]}), {}, "without a role"),
    "other-method": (examples(1), {"method": {"type": "dpo"}}, "preferred_output"),
}


@pytest.mark.parametrize(("given", "fields", "why"), BROKEN.values(), ids=BROKEN)
def test_broken_training_file_fails_the_job(client: Client, given: bytes, fields: Any, why: str) -> None:
    file_id = upload(client, given, "fine-tune")["id"]
    made = tune(client, file_id, **fields)
    wait(client, 60)
    over = job(client, made["id"])
    assert (over["status"], over["finished_at"]) == ("failed", made["created_at"] + VALIDATING_S)
    assert (over["error"]["code"], over["error"]["param"]) == ("invalid_training_file", "training_file")
    assert why in over["error"]["message"]
    assert over["fine_tuned_model"] is None
    newest = told(client, over["id"])[0]
    assert (newest["level"], why in newest["message"]) == ("error", True)


@pytest.mark.parametrize("name", ["training_file", "validation_file"])
def test_files_must_be_there_and_for_fine_tuning(client: Client, name: str) -> None:
    given = {"training_file": upload(client, examples(), "fine-tune")["id"]}
    wrong = upload(client, examples(), "batch")["id"]
    errors = []
    for file_id in ("file-none", wrong):
        fields = given | {name: file_id}
        made = tune(client, fields.pop("training_file"), **fields)
        wait(client, 60)
        errors.append(job(client, made["id"])["error"])
    assert [error["code"] for error in errors] == [f"invalid_{name}"] * 2
    assert ["There is no file" in errors[0]["message"], "'batch'" in errors[1]["message"]] == [True, True]


@pytest.mark.parametrize(
    ("method", "line"),
    [
        ("supervised", {"prompt": "When?", "completion": "At noon."}),
        ("dpo", DPO),
        ("reinforcement", {"messages": [{"role": "user", "content": "?"}], "answer": "noon"}),
    ],
)
def test_methods_learn_from_lines_of_their_own(client: Client, method: str, line: Any) -> None:
    file_id = upload(client, lines(line), "fine-tune")["id"]
    made = tune(client, file_id, method={"type": method, method: {"hyperparameters": {"n_epochs": 1}}})
    wait(client, 60)
    over = job(client, made["id"])
    assert (over["status"], over["method"]["type"]) == ("succeeded", method)
    assert over["method"][method]["hyperparameters"] == over["hyperparameters"]
    assert over["hyperparameters"]["n_epochs"] == 1


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"hyperparameters": {"n_epochs": 0}}, "/hyperparameters/n_epochs"),
        ({"hyperparameters": {"n_epochs": 1.5}}, "/hyperparameters/n_epochs"),
        ({"hyperparameters": {"batch_size": 1000}}, "/hyperparameters/batch_size"),
        ({"method": {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 51}}}}, "/method/dpo/hyperparameters/n_epochs"),
        ({"method": {"type": "dpo", "supervised": {}}}, "/method/supervised"),
    ],
    ids=["none", "half", "large", "method", "other-method"],
)
def test_hyperparameters_out_of_bounds_are_refused(client: Client, fields: Any, place: str) -> None:
    reply = client.post(JOBS, {"model": BASE, "training_file": "file-1", **fields}, headers=OPENAI)
    assert reply.status_code == 400
    assert place in reply.json()["message"]


@pytest.mark.parametrize("after_s", [0, VALIDATING_S, VALIDATING_S + QUEUED_S + 1], ids=["validating", "queued", "running"])
def test_cancelled_job_makes_no_model(client: Client, after_s: int) -> None:
    made = tune(client)
    wait(client, after_s)
    over = done(act(client, made["id"], "cancel"))
    assert (over["status"], over["finished_at"]) == ("cancelled", made["created_at"] + after_s)
    wait(client, 1000)
    assert job(client, made["id"]) == over
    assert len(client.world["models"]) == 0


@pytest.mark.parametrize("what", ["cancel", "pause", "resume"])
def test_job_that_is_over_stays_so(client: Client, what: str) -> None:
    over = tuned(client)
    assert "'succeeded'" in refused(act(client, over["id"], what), 400)["message"]


def test_paused_job_waits_until_it_is_resumed(client: Client) -> None:
    made = tune(client)
    wait(client, VALIDATING_S + QUEUED_S + EPOCH_S + 1)
    paused = done(act(client, made["id"], "pause"))
    wait(client, 1000)
    assert (paused["status"], job(client, made["id"])) == ("paused", paused)
    resumed = done(act(client, made["id"], "resume"))
    assert (resumed["status"], len(told(client, made["id"], "checkpoints"))) == ("running", 1)
    wait(client, 2 * EPOCH_S)
    assert job(client, made["id"])["finished_at"] == resumed["estimated_finish"]


def test_paused_before_it_runs(client: Client) -> None:
    made = tune(client)
    assert "'validating_files'" in refused(act(client, made["id"], "pause"), 400)["message"]
    wait(client, VALIDATING_S)
    assert done(act(client, made["id"], "pause"))["status"] == "paused"
    assert done(act(client, made["id"], "resume"))["status"] == "queued"


def test_unknown_job_is_not_found(client: Client) -> None:
    for path in ("", "/events", "/checkpoints"):
        assert refused(client.get(f"{JOBS}/ftjob-none{path}", headers=OPENAI), 404)["type"] == "invalid_request_error"


def test_same_calls_make_the_same_model(client: Client) -> None:
    before = client.world.snapshot()
    first = tuned(client)
    client.world.restore(before)
    assert tuned(client) == first
