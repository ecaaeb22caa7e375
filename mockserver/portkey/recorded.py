"""Records as the API shows them, as entries of a fixture: what `mockserver recording --as fixture` cannot know by itself.

The API names workspaces and users by their ids, fixtures by slug and address; it has sections for seven kinds of records.
Source: chosen, to be what `seeds` reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mockserver.portkey.seeds import SECTIONS
from mockserver.values import JSON, Record

_COLLECTIONS = {
    "users": "admin_users",
    "workspaces": "admin_workspaces",
    "integrations": "integrations",
    "providers": "providers",
    "guardrails": "guardrails",
    "configs": "configs",
    "api_keys": "api_keys",
}
"""Section of a fixture to the resource of the document that it is about."""
_PLACES = frozenset(("workspace", "workspaces", "user", "members", "integration"))
"""Fields of entries that name other records."""
_MADE_ANEW = frozenset(("usage", "key", "secret", "workspaces", "every_workspace"))
"""What a reply shows masked, or as something else than an entry says."""


def sections(seen: Mapping[str, list[Record]], tell: Callable[[str], object]) -> Record:
    """Return the sections of a fixture; `tell` is given the kinds of records that a fixture has no section for."""
    for name in sorted(set(seen) - set(_COLLECTIONS.values())):
        tell(f"left out: {len(seen[name])} of {name}: a fixture has no section for them")
    slugs = {str(each.get(name)): str(each.get("slug")) for each in seen.get("admin_workspaces", ()) for name in ("id", "slug")}
    people = {str(each.get("id")): str(each.get("email")) for each in seen.get("admin_users", ())}
    integrations = {
        str(each.get(name)): str(each.get("slug")) for each in seen.get("integrations", ()) for name in ("id", "slug")
    }
    made: Record = {}
    for section, collection in _COLLECTIONS.items():
        known: Record = SECTIONS[section][0]["properties"]
        for record in seen.get(collection, ()):
            entry = {
                name: value
                for name, value in record.items()
                if name in known and name not in _PLACES | _MADE_ANEW and value not in (None, [], {})
            }
            entry |= _places(record, known, slugs, people, integrations)
            made.setdefault(section, []).append(_formed(entry, known))
    return made


def _places(record: Record, known: Record, slugs: dict[str, str], people: dict[str, str], open_to: dict[str, str]) -> Record:
    made: Record = {}
    workspace = slugs.get(str(record.get("workspace_id")))
    if "workspace" in known and workspace is not None:
        made["workspace"] = workspace
    if "user" in known and str(record.get("user_id")) in people:
        made["user"] = people[str(record["user_id"])]
    if "integration" in known and (named := open_to.get(str(record.get("integration_id")))) is not None:
        made["integration"] = named
    return made


def _formed(entry: Record, known: Record) -> Record:
    """Values in the form of the section: flags that the API shows as 0 and 1, a config, one budget or a list of them."""
    made: Record = {}
    for name, value in entry.items():
        wanted = known[name].get("type")
        if wanted == "boolean":
            made[name] = bool(value)
        elif wanted == "array" and isinstance(value, dict):
            made[name] = [_known(value, known[name].get("items") or {})]
        elif wanted == "array" and isinstance(value, list):
            made[name] = [_known(each, known[name].get("items") or {}) for each in value]
        elif wanted == "object":
            made[name] = _known(next(iter(value), {}) if isinstance(value, list) else value, known[name])
        else:
            made[name] = value
    return made


def _known(value: JSON, schema: Record) -> JSON:
    """An object without the fields that its schema does not have, and without nulls."""
    if not isinstance(value, dict) or "properties" not in schema or schema.get("additionalProperties") is not False:
        return value
    return {name: item for name, item in value.items() if name in schema["properties"] and item is not None}
