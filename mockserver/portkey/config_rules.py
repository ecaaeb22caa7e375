"""What a config must be, for the control plane that keeps it and for the gateway that obeys it.

The document says what its schema can (`ConfigContent`); the rest stands here. The control plane's bodies have met the schema
before they get here; a config that comes in a header has not, so the gateway asks for both.
Source: prompts-configs-guardrails, Configs: Validation; gateway-data-plane, Config object and its validation, and Gateway error
catalogue, whose texts are used word for word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from mockserver import data
from mockserver.contract.findings import flatten, from_gate, violation
from mockserver.contract.gate import Gate, Validator
from mockserver.contract.loading import load_document
from mockserver.portkey.records import find_provider, named
from mockserver.values import JSON, Record
from mockserver.world.world import World


class Fault(NamedTuple):
    """What is wrong with a config, and where in it, as a JSON pointer."""

    pointer: str
    text: str


EMPTY = (
    "Invalid configuration. It must have either 'provider' and 'api_key', or 'strategy' and 'targets', or 'cache', "
    "or 'retry', or 'request_timeout'"
)
LEGACY = "This version of config is not supported in this route. Please migrate to the latest version"
GUARDRAILS = ("input_guardrails", "output_guardrails", "before_request_hooks", "after_request_hooks")

MOST_TARGETS = 100
MOST_CONDITIONAL_TARGETS = 1000
MOST_NESTED_TARGETS = 50
"""Of the root, of a root that chooses by conditions, and below each target of the root."""

_ENOUGH = (
    "virtual_key", "cache", "retry", "prompt_id", "forward_headers", "request_timeout", *GUARDRAILS, "passthrough",
    "default_params", "drop_params",
)  # fmt: skip
"""Any of these makes a config."""

_CREDENTIALS = ("api_key", "custom_host", "aws_", "azure_", "vertex_")
"""How the names of what goes with a plain provider begin (sdk-call-map 3.2 has those of clouds)."""

_EXCLUDED_BY_PASSTHROUGH = ("targets", "strategy", "override_params", "input_guardrails", "output_guardrails")

_NO_SLUGS = ("cf", "hf")
"""What a model's name may begin with after an @ without naming a provider (gateway-data-plane, Provider addressing)."""

_QUOTED: dict[tuple[tuple[str, ...], str], str] = {
    (("strategy", "mode"), "enum"): "Invalid 'mode' value. Must be one of: single, loadbalance, fallback, conditional",
    (("cache", "mode"), "enum"): "Invalid 'cache.mode' value. Must be one of: simple, semantic",
    (("sticky", "hash_fields"), "pattern"): 'hash_fields must start with "metadata.", "params.", or "headers."',
}
"""The gateway's own words for what the document's schema refuses: by the last two names of the place, and the keyword."""


def shape(document: Record) -> Validator:
    """Return the validator of the document's schema of configs."""
    return Gate(document, "request").validator({"$ref": "#/components/schemas/ConfigContent"})


def shape_faults(config: JSON, shape: Validator | None = None) -> list[Fault]:
    """Return how a value breaks the document's schema of configs, whose validator need not be given."""
    faults = []
    validator = _shape() if shape is None else shape
    for finding in flatten(from_gate(validator.iter_errors(config))):
        told = violation(finding, "", finding.path, finding.rule)
        names = tuple(part for part in finding.path if isinstance(part, str))[-2:]
        faults.append(Fault(told.pointer, _QUOTED.get((names, finding.keyword), told.message)))
    return faults


def faults(config: Record, world: World, workspace_id: str | None, known: bool = True) -> list[Fault]:
    """Return how a config that keeps the schema breaks the rules that a schema cannot say.

    What it names is looked for in a workspace, or anywhere for None. `known` is whether the world knows the caller's key.
    *chosen*: others may name providers and prompts that are not there, as they may do all else: who only wants answers need
    not make them first. Guardrails must be there for everyone, since a check that silently does not run is worse than a
    refusal.
    """
    if "options" in config:
        return [Fault("/options", LEGACY)]
    nodes = list(_nodes(config))
    found = [fault for place, node in nodes for fault in _own_faults(place, node)]
    found += _crowds(config)
    for reference in _REFERENCES:
        if reference.always or known:
            found += _unknown(reference, nodes, world, workspace_id)
    return found


@cache
def _shape() -> Validator:
    return shape(load_document(data.DOCUMENT, data.DOCUMENT_BUNDLE).document)


def _nodes(config: Record, place: str = "") -> Iterator[tuple[str, Record]]:
    """A config and the targets below it, which are configs as well, each with its place."""
    yield place, config
    for at, target in enumerate(config.get("targets") or ()):
        yield from _nodes(target, f"{place}/targets/{at}")


def _own_faults(place: str, node: Record) -> Iterator[Fault]:
    if not _says_something(node):
        yield Fault(place, EMPTY)
    if node.get("passthrough") is True:
        for name in _EXCLUDED_BY_PASSTHROUGH:
            if name in node:
                yield Fault(f"{place}/{name}", f"'{name}' cannot be used with 'passthrough'")


def _says_something(node: Record) -> bool:
    if any(name in node for name in _ENOUGH) or ("strategy" in node and "targets" in node):
        return True
    if any(_providers(node)):  # a slug stands for a provider with its key
        return True
    return "provider" in node and any(name.startswith(_CREDENTIALS) for name in node)


def _crowds(config: Record) -> Iterator[Fault]:
    """Where there are too many targets."""
    targets = config.get("targets") or ()
    conditional = (config.get("strategy") or {}).get("mode") == "conditional"
    most = MOST_CONDITIONAL_TARGETS if conditional else MOST_TARGETS
    if len(targets) > most:
        yield Fault("/targets", f"A config can have at most {most} targets")
    for at, target in enumerate(targets):
        if sum(1 for _ in _nodes(target)) - 1 > MOST_NESTED_TARGETS:
            yield Fault(f"/targets/{at}/targets", f"A target can have at most {MOST_NESTED_TARGETS} nested targets")


def _providers(node: Record) -> Iterator[tuple[str, str]]:
    """The slugs of providers that a config names itself, each with its place in it.

    A model's prefix counts only where nothing else names a provider (gateway-data-plane, Provider and model addressing).
    """
    provider, key = node.get("provider"), node.get("virtual_key")
    if provider is not None and provider.startswith("@"):
        yield "provider", provider[1:].partition("/")[0]
    if key is not None:
        yield "virtual_key", key
    if provider is None and key is None:
        model = (node.get("override_params") or {}).get("model")
        if isinstance(model, str) and model.startswith("@") and "/" in model:
            slug = model[1:].partition("/")[0]
            if slug not in _NO_SLUGS:
                yield "override_params/model", slug


def _guardrails(node: Record) -> Iterator[tuple[str, str]]:
    """The slugs of guardrails that a config names itself; checks that are written out name none."""
    for name in GUARDRAILS:
        for at, entry in enumerate(node.get(name) or ()):
            if isinstance(entry, str):
                yield f"{name}/{at}", entry


def _prompts(node: Record) -> Iterator[tuple[str, str]]:
    if "prompt_id" in node:
        yield "prompt_id", node["prompt_id"].partition("@")[0]


def _find_guardrail(world: World, id_or_slug: str, workspace_id: str | None) -> Record | None:
    return _within(named(world, "guardrails", id_or_slug), workspace_id)


def _find_prompt(world: World, id_or_slug: str, workspace_id: str | None) -> Record | None:
    return _within(named(world, "prompts", id_or_slug), workspace_id)


def _within(record: Record | None, workspace_id: str | None) -> Record | None:
    """A record that a workspace may use: its own, or the organisation's."""
    if record is None or workspace_id is None or record.get("workspace_id") in (None, workspace_id):
        return record
    return None


class _Reference(NamedTuple):
    """What a config may name: how, where it is found, what is said of what is not there, and whether to every caller."""

    names: Callable[[Record], Iterator[tuple[str, str]]]
    find: Callable[[World, str, str | None], Record | None]
    refusal: str
    always: bool


_REFERENCES = (
    _Reference(_guardrails, _find_guardrail, "Following guardrails are not valid: {}", always=True),
    _Reference(_providers, find_provider, "Following keys are not valid: {}", always=False),
    # chosen, after the other two: of prompts no text is known.
    _Reference(_prompts, _find_prompt, "Following prompts are not valid: {}", always=False),
)


def _unknown(reference: _Reference, nodes: list[tuple[str, Record]], world: World, workspace_id: str | None) -> Iterator[Fault]:
    """What a config names and nothing is: a fault for each place, all with the text that lists them."""
    unknown = [
        (f"{place}/{name}", slug)
        for place, node in nodes
        for name, slug in reference.names(node)
        if reference.find(world, slug, workspace_id) is None
    ]
    text = reference.refusal.format(", ".join(dict.fromkeys(slug for _, slug in unknown)))
    for place, _ in unknown:
        yield Fault(place, text)
