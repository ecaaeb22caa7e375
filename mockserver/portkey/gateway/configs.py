"""Which config a call has: the one that it names or brings along, else the default one of its key.

Source: gateway-data-plane, Request pipeline (5, 6), Gateway error catalogue B, Config object and its validation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mockserver import values
from mockserver.contract.problems import INVALID_REQUEST, Problem
from mockserver.portkey import config_rules
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


def chosen(headers: Mapping[bytes, bytes], caller: Caller, world: World) -> Chosen:
    """Return the config of a call. Fails: `invalid-request` with the gateway's texts."""
    said = headers.get(b"x-portkey-config", b"").decode("latin-1").strip()
    defaults = caller.key["_wire"]["defaults"] if caller.key is not None else {}
    default = find_config(world, defaults.get("config_id"))
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
    return _checked(Chosen(content), caller, world)


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
    found = config_rules.shape_faults(content) or config_rules.faults(content, world, caller, caller.workspace_id)
    plain = next((each.text for each in found if each.text.startswith(_ALONE)), None)
    if plain is not None:
        raise Problem(INVALID_REQUEST, plain)
    if found:
        raise ConfigRefused([f"path: {','.join(each.pointer.strip('/').split('/'))}, message: {each.text}" for each in found])
    return config


_ALONE = ("Following ", "This version of config")
"""How the texts begin that stand for themselves."""
