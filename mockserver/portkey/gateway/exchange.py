"""A call of the data plane as the gateway sees it, and what it makes of it on the way.

Source: gateway-data-plane, Provider and model addressing, Request headers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from mockserver.contract.problems import INVALID_REQUEST, Problem
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import calls, metering
from mockserver.portkey.due import settle
from mockserver.portkey.gateway.configs import Chosen
from mockserver.portkey.identity import Caller
from mockserver.portkey.records import find_provider
from mockserver.values import JSON, Record
from mockserver.world.world import World

PROVIDERS = frozenset(
    {
        "302ai", "ai21", "anthropic", "anyscale", "azure-ai", "azure-openai", "bedrock", "cerebras", "cohere",
        "cometapi", "cortex", "dashscope", "deepbricks", "deepinfra", "deepseek", "featherless-ai", "fireworks-ai",
        "github", "google", "groq", "huggingface", "hyperbolic", "inference-net", "jina", "kluster-ai", "krutrim",
        "lambda", "lemonfox-ai", "lepton", "lingyi", "meshy", "milvus", "mistral-ai", "modal", "monsterapi", "moonshot",
        "ncompass", "nebius", "nextbit", "nomic", "novita-ai", "nscale", "ollama", "openai", "openrouter", "oracle",
        "palm", "perplexity-ai", "portkey", "predibase", "qdrant", "recraft-ai", "reka-ai", "replicate", "sagemaker",
        "sambanova", "segmind", "siliconflow", "snowflake", "stability-ai", "together-ai", "triton", "tripo3d",
        "upstage", "vertex-ai", "voyage", "workers-ai", "x-ai", "z-ai", "zhipu",
    }
)  # fmt: skip
"""Plain names of providers (gateway-data-plane names `VALID_PROVIDERS`; its list as far as public)."""


class Provider(NamedTuple):
    """Who answers: the plain name, and the world's record of it when a slug was named that it has."""

    name: str
    slug: str = ""
    record: Record | None = None


@dataclass(eq=False)
class Exchange:
    """One call. `elapsed_ms` is how long providers have taken so far, on the clock of the world.

    `is_checked` tells that the body is the caller's own, which the contract has looked at.
    """

    kind: str
    request: Request
    world: World
    config: Chosen
    body: Record
    slug: str
    provider_name: str
    metadata: dict[str, str]
    trace_id: str
    strict: bool
    is_checked: bool
    elapsed_ms: float = 0.0

    @property
    def caller(self) -> Caller:
        """Who calls."""
        caller: Caller = self.request.caller
        return caller


@dataclass(eq=False)
class Outcome:
    """What a target has come to.

    `reply` is what goes to the caller but for the gateway's headers. `retries` is as the header has it. `usage` are tokens of
    request and response, `response` the JSON of what was answered; `asked` tells that a provider was, `final` keeps a fallback
    from going on.
    """

    reply: Reply
    path: str
    provider: Provider
    model: str
    retries: int = 0
    cache_status: str = "DISABLED"
    usage: tuple[int, int] = (0, 0)
    final: bool = False
    asked: bool = False
    response: JSON = None

    @property
    def status(self) -> int:
        """The status that the caller gets."""
        return self.reply.status


def opened(kind: str, request: Request, world: World, config: Chosen, body: Record) -> Exchange:
    """Return a call with what its headers and its model say. Fails: `invalid-request` for a slug that no provider has."""
    said = calls.text(request, b"x-portkey-provider")
    slug = said[1:].partition("/")[0] if said.startswith("@") else calls.text(request, b"x-portkey-virtual-key")
    in_model, is_checked = "", body is request.body
    if isinstance(body.get("model"), str):
        in_model, model = metering.parted(body["model"])
        body = {**body, "model": model}
    exchange = Exchange(
        kind=kind,
        request=request,
        world=world,
        config=config,
        body=body,
        slug=slug or in_model,
        provider_name="" if said.startswith("@") else said,
        metadata=calls.metadata(request, world),
        trace_id=_trace_id(request) or world.ids.uuid4(),
        is_checked=is_checked,
        strict=calls.text(request, b"x-portkey-strict-open-ai-compliance").lower() != "false",
    )
    if exchange.slug:
        resolved(exchange, exchange.slug)
    if exchange.provider_name and exchange.provider_name not in PROVIDERS:
        raise Problem(INVALID_REQUEST, "Invalid provider passed")
    return exchange


def _trace_id(request: Request) -> str:
    """The trace that a call names; W3C's header counts when Portkey's is absent."""
    parts = calls.text(request, b"traceparent").split("-")
    return calls.text(request, b"x-portkey-trace-id") or (parts[1] if len(parts) == 4 else "")


def resolved(exchange: Exchange, slug: str) -> Provider:
    """Return the provider behind a slug, settled.

    Fails: `invalid-request` for a slug that no provider within reach has. *chosen*: a key that the world does not know may
    name any; the plain name is then what the slug begins with, else OpenAI's.
    """
    world = exchange.world
    record = find_provider(world, slug, exchange.caller.workspace_id)
    if record is None:
        if exchange.caller.key is not None:
            raise Problem(INVALID_REQUEST, f"Following keys are not valid: {slug}")
        begun = [name for name in PROVIDERS if slug.startswith(name)]
        return Provider(max(begun, key=len, default="openai"), slug)
    record = settle(world, "providers", record)
    integration = world["integrations"].get(record["integration_id"]) or {}
    return Provider(integration.get("ai_provider_id", "openai"), record["slug"], record)
