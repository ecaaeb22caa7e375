"""What Portkey adds to the admin API: scripts, which say what models answer. Its document is `admin.yaml` beside this file."""

from __future__ import annotations

import re

from mockserver.contract.problems import NOT_FOUND, Problem, invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey.gateway import scripts
from mockserver.values import Record
from mockserver.world.world import World

_ALONE = ("text", "refusal", "tool_calls", "body", "error")


def list_scripts(request: Request, world: World) -> Reply:
    """Show the scripts in the order in which they are tried."""
    return Reply(200, {"scripts": [_shown(script) for script in scripts.in_order(world)]})


def add_script(request: Request, world: World) -> Reply:
    """Keep a script. Fails: `invalid-request` for an answer that says nothing or two things, and for a pattern that is none."""
    fields = request.fields
    said = [name for name in _ALONE if name in fields["answer"]]
    if len(said) > 1:
        raise invalid("body", f"/answer/{said[1]}", f"cannot stand beside {said[0]}")
    pattern = fields.get("match", {}).get("last_message_regex")
    if pattern is not None:
        try:
            re.compile(pattern)
        except re.error as error:
            raise invalid("body", "/match/last_message_regex", f"is no regular expression: {error}") from None
    number = int(world.facts.get("scripts") or 0) + 1
    world.facts.put("scripts", number)
    script = {"match": {}, "priority": 0, **fields, "id": f"script-{number}", "matched": 0, "used": 0}
    world["scripts"].add({**script, "created_at": f"{number:012d}"})
    return Reply(201, _shown(script))


def get_script(request: Request, world: World) -> Reply:
    """Show a script and how often it was used. Fails: `not-found`."""
    return Reply(200, _shown(_find(request, world)))


def delete_script(request: Request, world: World) -> Reply:
    """Forget a script. Fails: `not-found`."""
    world["scripts"].remove(_find(request, world)["id"])
    return Reply(200, {})


def clear_scripts(request: Request, world: World) -> Reply:
    """Forget all scripts."""
    for script in list(world["scripts"].newest()):
        world["scripts"].remove(script["id"])
    return Reply(200, {})


def _find(request: Request, world: World) -> Record:
    found = world["scripts"].get(request.path["id"])
    if found is None:
        raise Problem(NOT_FOUND, f"There is no script {request.path['id']}")
    return found


def _shown(script: Record) -> Record:
    return {name: value for name, value in script.items() if name != "created_at"}
