"""A call of the data plane as the gateway sees it, and what it makes of it on the way.

Source: gateway-data-plane, Provider and model addressing, Request headers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

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


@lru_cache(maxsize=256)
def plain(name: str) -> Provider:
    """Return the provider that a plain name stands for. Remembered, since nearly all calls ask the same few."""
    return Provider(name)


@lru_cache(maxsize=1024)
def _billed(name: str, slug: str, model: str) -> metering.Billed:
    return metering.Billed(name, slug, None, model)


class Customer(NamedTuple):
    """On whose behalf a provider is asked. Records of other accounts are not there; None for the account reaches all.

    `target` is the place in the config that the call came by, `trace_id` the trace that it belongs to.
    """

    provider: Provider
    account: str | None
    target: str = "config"
    trace_id: str = ""

    @property
    def keeps_in(self) -> str:
        """The account in which new records are kept."""
        return self.account or self.provider.name


@dataclass(eq=False, slots=True)
class Exchange:
    """One call.

    `said_metadata` is what the call itself says. `is_checked` tells that the body is the caller's own, which the contract has
    looked at. `told` is what headers say. `strict` tells whether answers of the target at hand are exactly as OpenAI's.
    `unnamed` is the plain name of who answers when nobody is named, empty when somebody must be.
    `elapsed_ms` is how long providers have taken so far, on the clock of the world, `later_ms` how long the last one takes for
    what it answers in the background; `feedback` is what guardrails have given. `target` is the one at hand.
    """

    kind: str
    request: Request
    caller: Caller
    world: World
    config: Chosen
    body: Record
    is_checked: bool
    slug: str
    provider_name: str
    told: calls.Steering
    said_metadata: Record
    trace_id: str
    parent_span_id: str
    strict: bool = True
    unnamed: str = ""
    elapsed_ms: float = 0.0
    later_ms: float = 0.0
    target: Record | None = None
    feedback: tuple[Record, ...] = ()

    @property
    def metadata(self) -> dict[str, str]:
        """What counts of metadata, with the defaults of key and workspace."""
        return calls.seen_metadata(self.said_metadata, self.caller, self.world)

    @property
    def is_form(self) -> bool:
        """Whether the body is a form, which conditions and overrides do not look into."""
        return self.request.media_type is not None and "multipart" in self.request.media_type


@dataclass(eq=False, slots=True)
class Outcome:
    """What a target has come to.

    `reply` is what goes to the caller but for the gateway's headers. `retries` is as the header has it. `usage` are tokens of
    request and response, `sound` how many of them are of sound where that has a price of its own, `response` the JSON of what
    was answered; `asked` tells that a provider was, `final` keeps a fallback from going on.
    """

    reply: Reply
    path: str
    provider: Provider
    model: str
    retries: int = 0
    cache_status: str = "DISABLED"
    usage: tuple[int, int] = (0, 0)
    sound: tuple[int, int] = (0, 0)
    final: bool = False
    asked: bool = False
    response: JSON = None

    @property
    def status(self) -> int:
        """The status that the caller gets."""
        return self.reply.status

    @property
    def billed(self) -> metering.Billed:
        """Who is paid for it."""
        name, slug, record = self.provider
        return _billed(name, slug, self.model) if record is None else metering.Billed(name, slug, record, self.model)


def opened(kind: str, request: Request, world: World, config: Chosen, body: Record) -> Exchange:
    """Return a call with what its headers and its model say.

    Fails: `invalid-request` for a slug that no provider has, for a provider or a host that is none.
    """
    caller: Caller = request.caller
    told, in_model, model, is_checked = calls.told(request), "", body.get("model"), body is request.body
    if isinstance(model, str) and model.startswith("@"):
        in_model, model = metering.parted(model)
        body = {**body, "model": model}
    trace_id, parent_span_id = calls.trace(request.headers, told)
    exchange = Exchange(
        kind,
        request,
        caller,
        world,
        config,
        body,
        is_checked,
        told.slug or in_model,
        "" if told.provider.startswith("@") else told.provider,
        told,
        calls.said_metadata(request, told),
        trace_id or world.ids.uuid4(),
        parent_span_id,
    )
    if exchange.slug:
        resolved(exchange, exchange.slug)
    if exchange.provider_name and exchange.provider_name not in PROVIDERS:
        raise Problem(INVALID_REQUEST, "Invalid provider passed")
    if told.custom_host and not _is_public(told.custom_host):
        raise Problem(INVALID_REQUEST, "Invalid custom host")
    if told.forward_headers and "x-portkey-forward-headers" in told.forward_headers.lower().replace(" ", "").split(","):
        raise Problem(INVALID_REQUEST, "forward_headers must not contain the 'x-portkey-forward-headers' header")
    return exchange


def _is_public(host: str) -> bool:
    """Whether an address may be called: http or https, no user in it, nothing private, not Portkey itself."""
    try:
        parts = urlsplit(host)
        name = (parts.hostname or "").lower()
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not name or "@" in parts.netloc or "api.portkey" in name:
        return False
    try:
        return ip_address(name).is_global
    except ValueError:
        return name != "localhost" and not name.endswith((".localhost", ".local", ".internal"))


def resolved(exchange: Exchange, slug: str) -> Provider:
    """Return the provider behind a slug that a call or its config names; see `behind`."""
    return behind(slug, exchange.caller, exchange.world)


def behind(slug: str, caller: Caller, world: World) -> Provider:
    """Return the provider behind a slug, settled.

    Fails: `invalid-request` for a slug that no provider within reach has. *chosen*: a key that the world does not know may
    name any; the plain name is then what the slug begins with, else OpenAI's.
    """
    record = find_provider(world, slug, caller.workspace_id)
    if record is None:
        if caller.key is not None:
            raise Problem(INVALID_REQUEST, f"Following keys are not valid: {slug}")
        begun = [name for name in PROVIDERS if slug.startswith(name)]
        return Provider(max(begun, key=len, default="openai"), slug)
    record = settle(world, "providers", record)
    integration = world["integrations"].get(record["integration_id"]) or {}
    return Provider(integration.get("ai_provider_id", "openai"), record["slug"], record)


def account(exchange: Exchange, provider: Provider, target: Record) -> str | None:
    """Return the account of a call at its provider, None for one that reaches those of all.

    *chosen*: the provider of a workspace has one, and so has each plain name; Portkey keeps files by workspace. Who names
    nothing with a key that the world does not know reaches all: the model of a create may have named what a read cannot.
    """
    caller = exchange.caller
    if caller.key is None and not (provider.slug or exchange.provider_name or target.get("provider")):
        return None
    if provider.record is not None:
        return str(provider.record["id"])
    return f"portkey/{caller.workspace_id}" if provider.name == "portkey" else provider.slug or provider.name
