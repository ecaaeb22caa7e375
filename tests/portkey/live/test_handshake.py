"""How a realtime session is opened or refused.

Source of every rule that names none: gateway-data-plane, /realtime, Provider and model addressing, Request pipeline.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest

from mockserver.pytest_plugin import PortkeyWorld
from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.live.talking import MODEL, TEXT_ONLY, open_session, refused_opening, script
from tests.portkey.team import make_key, workspace_id

PROVIDER = "@openai-production"
MAY: Record = {"scopes": ["completions.write"]}


def test_plain_call_is_told_to_upgrade(portkey: PortkeyWorld) -> None:
    reply = httpx.get(f"{portkey.url}/realtime", params={"model": MODEL}, headers={"x-portkey-api-key": "any"})
    assert (reply.status_code, reply.json()["status"]) == (426, "failure")


def test_session_is_created_unasked(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as talker:
        assert talker.session["model"] == MODEL
        assert talker.session["id"].startswith("sess_")


def test_gateway_tells_in_headers(portkey: PortkeyWorld) -> None:
    with open_session(portkey, x_portkey_trace_id="mine") as talker:
        told = talker.headers
    assert (told["x-portkey-trace-id"], told["x-portkey-provider"]) == ("mine", "openai")
    assert told["x-portkey-last-used-option-index"] == "config"


@pytest.mark.parametrize(
    ("model", "headers"),
    [
        (f"{PROVIDER}/{MODEL}", {}),
        (MODEL, {"x_portkey_provider": PROVIDER}),
        (MODEL, {"x_portkey_virtual_key": PROVIDER[1:]}),
        (MODEL, {"x_portkey_config": json.dumps({"provider": PROVIDER})}),
        (f"{PROVIDER}/{MODEL}", {"x_portkey_config": json.dumps({"retry": {"attempts": 1}})}),
        (MODEL, {"x_portkey_provider": "openai", "authorization": "Bearer sk-theirs"}),
    ],
    ids=["model", "header", "virtual-key", "config", "borrowed", "plain-name"],
)
def test_known_key_names_a_provider(portkey: PortkeyWorld, admin: Client, model: str, headers: dict[str, str]) -> None:
    key = make_key(admin, **MAY).secret
    with open_session(portkey, model, key, **headers) as talker:
        assert talker.session["model"] == MODEL


def test_known_key_without_a_provider_is_refused(portkey: PortkeyWorld, admin: Client) -> None:
    status, body = refused_opening(portkey, key=make_key(admin, **MAY).secret)
    assert (status, body["message"]) == (400, "Either x-portkey-config or x-portkey-provider header is required")


def test_unknown_slug_is_refused(portkey: PortkeyWorld, admin: Client) -> None:
    status, body = refused_opening(portkey, f"@nowhere/{MODEL}", make_key(admin, **MAY).secret)
    assert (status, body["message"]) == (400, "Following keys are not valid: nowhere")


def test_unknown_key_gets_openai(portkey: PortkeyWorld) -> None:
    with open_session(portkey, f"@any-slug/{MODEL}", key="unknown") as talker:
        assert talker.session["model"] == MODEL


def test_missing_key_is_refused(portkey: PortkeyWorld) -> None:
    status, body = refused_opening(portkey, key="")
    assert (status, body["error"]["code"]) == (401, "03")


def test_key_without_the_scope_is_refused(portkey: PortkeyWorld, admin: Client) -> None:
    status, _ = refused_opening(portkey, key=make_key(admin, scopes=["logs.view"]).secret, x_portkey_provider=PROVIDER)
    assert status == 403


@pytest.mark.parametrize("said", [None, "portkey-default"])
def test_model_may_be_left_open(portkey: PortkeyWorld, said: str | None) -> None:
    with open_session(portkey, said) as talker:
        assert talker.session["model"] == "gpt-realtime"


def test_config_chooses_the_target(portkey: PortkeyWorld) -> None:
    """And what a target says of the model counts."""
    other = {"provider": "azure-openai", "api_key": "k", "override_params": {"model": "ours"}}
    config = {"strategy": {"mode": "loadbalance"}, "targets": [{"provider": PROVIDER, "weight": 0}, other]}
    with open_session(portkey, x_portkey_config=json.dumps(config)) as talker:
        assert talker.session["model"] == "ours"
        told = talker.headers
    assert (told["x-portkey-last-used-option-index"], told["x-portkey-provider"]) == ("config.targets[1]", "azure-openai")


def test_script_of_a_target_answers(portkey: PortkeyWorld) -> None:
    script(portkey, "From the first.", {"target": "config.targets[0]", "operation": "connectRealtime", "provider": "openai"})
    config = {"strategy": {"mode": "single"}, "targets": [{"provider": "openai", "api_key": "k"}]}
    with open_session(portkey, x_portkey_config=json.dumps(config)) as talker:
        talker.update(**TEXT_ONLY)
        assert talker.respond()["output"][0]["content"][0]["text"] == "From the first."


def test_fallback_follows_when_a_target_is_exhausted(portkey: PortkeyWorld, admin: Client) -> None:
    limit = {"usage_limits": {"type": "tokens", "credit_limit": 1}}
    done = admin.put("/v1/providers/openai-production", limit, params={"workspace_id": workspace_id(admin)})
    assert done.status_code == 200
    key = make_key(admin, **MAY).secret
    with open_session(portkey, f"{PROVIDER}/{MODEL}", key) as talker:
        talker.respond()
    status, body = refused_opening(portkey, f"{PROVIDER}/{MODEL}", key)
    assert (status, body["error"]["code"]) == (412, "04")
    targets = [{"provider": PROVIDER}, {"provider": "azure-openai", "api_key": "k"}]
    config = {"strategy": {"mode": "fallback"}, "targets": targets}
    with open_session(portkey, MODEL, key, x_portkey_config=json.dumps(config)) as talker:
        assert talker.headers["x-portkey-provider"] == "azure-openai"


def test_budget_of_a_key_is_used_up_by_responses(portkey: PortkeyWorld, admin: Client) -> None:
    """A session that is open goes on; the next one is refused."""
    made = make_key(admin, **MAY, usage_limits={"type": "tokens", "credit_limit": 5})
    with open_session(portkey, f"{PROVIDER}/{MODEL}", made.secret) as talker:
        used = talker.respond()["usage"]["total_tokens"]
        assert talker.respond()["status"] == "completed"
    assert used > 5
    status, body = refused_opening(portkey, f"{PROVIDER}/{MODEL}", made.secret)
    assert (status, body["error"]["code"]) == (412, "04")


def test_rate_of_a_key_counts_sessions(portkey: PortkeyWorld, admin: Client) -> None:
    portkey.clock.freeze()
    made = make_key(admin, **MAY, rate_limits=[{"type": "requests", "unit": "rpm", "value": 1}])
    with open_session(portkey, f"{PROVIDER}/{MODEL}", made.secret):
        pass
    assert refused_opening(portkey, f"{PROVIDER}/{MODEL}", made.secret)[0] == 429
    portkey.clock.move(timedelta(minutes=1))
    with open_session(portkey, f"{PROVIDER}/{MODEL}", made.secret):
        pass


def test_session_has_its_dialect(portkey: PortkeyWorld) -> None:
    with open_session(portkey) as new, open_session(portkey, openai_beta="realtime=v1") as old:
        assert new.session["audio"]["output"]["format"] == {"type": "audio/pcm", "rate": 24000}
        assert new.session["output_modalities"] == ["audio"]
        assert old.session["output_audio_format"] == "pcm16"
        assert set(old.session["modalities"]) == {"audio", "text"}


def test_provider_that_a_fault_strikes_refuses(portkey: PortkeyWorld) -> None:
    fault = {"match": {"provider": "openai"}, "effect": {"error": {"status": 503, "message": "Out to lunch"}}}
    assert httpx.post(f"{portkey.admin_url}/faults", json=fault).status_code == 201
    status, body = refused_opening(portkey, x_portkey_provider="openai")
    assert (status, body["error"]["message"]) == (503, "Out to lunch")
    targets = [{"provider": "openai", "api_key": "k"}, {"provider": "azure-openai", "api_key": "k"}]
    config = {"strategy": {"mode": "fallback"}, "targets": targets}
    with open_session(portkey, x_portkey_config=json.dumps(config)) as talker:
        assert talker.headers["x-portkey-provider"] == "azure-openai"


def test_provider_takes_its_time_to_open(portkey: PortkeyWorld) -> None:
    portkey.clock.freeze()
    fault = {"match": {"provider": "openai"}, "effect": {"delay": {"type": "fixed", "milliseconds": 250}}}
    assert httpx.post(f"{portkey.admin_url}/faults", json=fault).status_code == 201
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(open_session, portkey)
        with pytest.raises(TimeoutError):
            opening.result(0.05)
        portkey.clock.move(timedelta(milliseconds=250))
        with opening.result(10) as talker:
            assert talker.headers["x-portkey-provider"] == "openai"
