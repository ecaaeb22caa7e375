"""Which config a call has: the one that it names or brings along, else the default one of its key or of its workspace.

Source: gateway-data-plane, Request pipeline (5, 6), Gateway error catalogue B, Config object and its validation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from mockserver import values
from mockserver.contract.operations import Operation
from mockserver.contract.problems import INVALID_REQUEST, Problem
from mockserver.portkey import calls, config_rules
from mockserver.portkey.identity import Caller
from mockserver.portkey.records import find_config
from mockserver.values import JSON, Record
from mockserver.world.world import World


class Chosen(NamedTuple):
    """The config of a call; `id` and `slug` are empty for one that came along."""

    content: Record
    id: str = ""
    slug: str = ""


NONE = Chosen({})


class ConfigRefused(Problem):
    """A config that breaks its rules; `errors` says how, in the gateway's form."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__(INVALID_REQUEST, "Invalid config passed")
        self.errors = errors


def chosen(operation: Operation, headers: Mapping[bytes, bytes], caller: Caller, world: World) -> Chosen:
    """Return the config of a call. Fails: `invalid-request` with the gateway's texts."""
    if caller.key is None and b"x-portkey-config" not in headers:
        return NONE
    config = _named(headers, caller, world)
    if operation.path.startswith(_ONE_TARGET) and len(config.content.get("targets") or ()) > 1:
        raise Problem(
            INVALID_REQUEST, "Invalid config provided. Maximum one target is allowed for batch/file/fine_tuning requests"
        )
    return config


def _named(headers: Mapping[bytes, bytes], caller: Caller, world: World) -> Chosen:
    said = calls.text_in(headers, b"x-portkey-config")
    defaults = caller.key["_wire"]["defaults"] if caller.key is not None else {}
    default = find_config(world, defaults.get("config_id") or _of_users(caller, world))
    if not said:
        return NONE if default is None else _checked(_saved(default), caller, world)
    if default is not None and not defaults.get("allow_config_override", True):
        raise Problem(INVALID_REQUEST, "Cannot override default config set for this API key.")
    if said.startswith("pc-"):
        config = find_config(world, said)
        if config is None or caller.workspace_id not in (None, config["workspace_id"]):
            raise Problem(INVALID_REQUEST, "Invalid config id passed")
        return _checked(_saved(config), caller, world)
    content = _parsed(said)
    if not isinstance(content, dict):
        raise Problem(INVALID_REQUEST, "Invalid config passed. You need to pass a valid json")
    return Chosen(_snaked(_checked(Chosen(content), caller, world).content))


def _of_users(caller: Caller, world: World) -> str | None:
    """The config that the keys of users in a workspace fall back to (identity-and-access, Workspaces: `defaults`)."""
    if caller.user_id is None or caller.workspace_id is None:
        return None
    workspace = world["workspaces"].get(caller.workspace_id) or {}
    slug: str | None = ((workspace.get("_wire") or {}).get("defaults") or {}).get("user_api_key_config")
    return slug


def _snaked(node: Record) -> Record:
    """A config with its camelCase keys in snake_case. They come along unchecked, and only inline, as in the gateway."""
    made = {_SNAKE.get(name, name): value for name, value in node.items()}
    for name in ("strategy", "retry", "cache"):
        if isinstance(made.get(name), dict):
            made[name] = _snaked(made[name])
    if isinstance(made.get("targets"), list):
        made["targets"] = [_snaked(target) for target in made["targets"]]
    return made


def _saved(record: Record) -> Chosen:
    return Chosen(record["_content"], record["id"], record["slug"])


def _parsed(text: str) -> JSON:
    try:
        return values.parse(text.encode("latin-1"))
    except values.NotJSON:
        return None


def _checked(config: Chosen, caller: Caller, world: World) -> Chosen:
    """The config, if it keeps the schema and its rules; slugs are looked for first, as the gateway does."""
    content = config.content
    found = config_rules.shape_faults(content) or config_rules.faults(
        content, world, caller.workspace_id, caller.key is not None
    )
    plain = next((each.text for each in found if each.text.startswith(_ALONE)), None)
    if plain is not None:
        raise Problem(INVALID_REQUEST, plain)
    if found:
        raise ConfigRefused([f"path: {','.join(each.pointer.strip('/').split('/'))}, message: {each.text}" for each in found])
    return config


_ONE_TARGET = ("/batches", "/files", "/fine_tuning")
"""Where operations lie whose config has one target at most."""

_SNAKE = {
    re.sub("_(.)", lambda found: found[1].upper(), name): name
    for name in (
        "virtual_key", "api_key", "override_params", "default_params", "drop_params", "request_timeout", "custom_host",
        "forward_headers", "input_guardrails", "output_guardrails", "before_request_hooks", "after_request_hooks",
        "strict_open_ai_compliance", "on_status_codes", "use_retry_after_header", "max_age",
    )
}  # fmt: skip
"""Keys of configs in camelCase to what they are called here."""

_ALONE = ("Following ", "This version of config")
"""How the texts begin that stand for themselves."""
