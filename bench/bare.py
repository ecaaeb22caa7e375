"""The yardstick: Starlette routes that parse a body and answer a constant, of the very content that the mock answers."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

KEY = {
    "id": "0b6f2c51-6a1e-4f5e-9a53-1f0cb1f8a7d2",
    "key": "q7*****Zx9",
    "name": "key 17",
    "description": None,
    "type": "workspace-service",
    "organisation_id": "7d0c5f7e-93c8-4b57-8a4b-6f2f0b8d9c11",
    "workspace_id": "5e2f7ce4-7c11-49f2-9d0a-3f6f0e6b1c77",
    "user_id": None,
    "status": "active",
    "created_at": "2026-05-03T17:08:55.000Z",
    "last_updated_at": "2026-05-03T17:08:55.000Z",
    "creation_mode": "api",
    "rate_limits": [],
    "usage_limits": None,
    "reset_usage": None,
    "expires_at": None,
    "last_reset_at": None,
    "alert_emails": None,
    "expiry_enforced": 0,
    "next_usage_reset_at": None,
    "allow_config_override": None,
    "api_key_defaults_id": None,
    "scopes": ["logs.view"],
    "defaults": {"metadata": None, "config_id": None, "allow_config_override": False},
    "object": "api-key",
}
CREATED = {"id": KEY["id"], "key": "q7Jr0bWc1mTn4hYfKd82sLx5ZvZx", "object": "api-key"}
CHAT = {
    "id": "chatcmpl-sjWBSONtt4UM2HiwYQ8K0eAH",
    "object": "chat.completion",
    "created": 1795179807,
    "model": "gpt-4o",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "The short answer is that tide and next have more to do with each other than most people think. "
                "There is usually more than one way from next to tide, and the shortest is not always the best. Small changes "
                "to tide tend to matter more than large changes to next. If you like, I can go into tide in more detail.",
                "refusal": None,
                "annotations": [],
            },
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 12,
        "completion_tokens": 68,
        "total_tokens": 80,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    },
    "service_tier": "default",
    "system_fingerprint": "fp_1b7c28b70b",
}
PAGE = {"object": "list", "total": 100_000, "data": [KEY] * 20}


def parsing(value: Any) -> Any:
    """Return an endpoint that parses a body and answers a constant."""

    async def answer(request: Request) -> JSONResponse:
        await request.json()
        return JSONResponse(value)

    return answer


def constant(value: Any) -> Any:
    """Return an endpoint that answers a constant."""

    async def answer(request: Request) -> JSONResponse:
        return JSONResponse(value)

    return answer


app = Starlette(
    routes=[
        Route("/v1/api-keys/workspace/service", parsing(CREATED), methods=["POST"]),
        Route("/v1/chat/completions", parsing(CHAT), methods=["POST"]),
        Route("/v1/api-keys/{id}", constant(KEY)),
        Route("/v1/api-keys", constant(PAGE)),
    ]
)
