"""Prompts: templates with versions and labels, and the calls that render them or have a model complete them.

Source of every rule that names none: prompts-configs-guardrails, Prompts; Prompt render and prompt completions.
"""

from __future__ import annotations

import re

from mockserver import values
from mockserver.contract.problems import INVALID_REQUEST, Problem, invalid
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import metering, templates, versions
from mockserver.portkey.gateway import serving
from mockserver.portkey.records import find_provider, listed, named, new_slug, not_found, page
from mockserver.values import JSON, Record
from mockserver.world.world import World

KIND: versions.Kind = "prompts"

MODELS = ("model", "ai_model_id", "finetune_id")
"""The ways to name a model, of which a prompt has one."""

_TOGETHER = ("string", "parameters", "model", "virtual_key", "is_raw_template")
"""What makes a version comes together, as the Terraform provider found, unless `patch` is set."""

_NOT_SHARED: Record = {
    "share_organisation_id": None,
    "shared_at": None,
    "shared_by_user_id": None,
    "shared_from_version_id": None,
    "forked_from_prompt_id": None,
    "forked_from_prompt_version_id": None,
    "allow_all_workspaces": 0,
}
"""What reads show besides of every prompt: none is shared, since nothing published shares one."""

_TEXT_MODELS = re.compile(r"gpt-3\.5-turbo-instruct|davinci-|babbage-")
"""Models that complete texts (published: the models of `/completions`, and their later versions)."""

_ADDRESS = ("variables", "prompt_id", "promptID", "hyperparameters")
"""Fields of a call that are about the prompt; all others win over its parameters.

Node leaves `prompt_id` in the body, and the docs warn that what lies in `hyperparameters` counts for nothing.
"""


def create_prompt(request: Request, world: World) -> Reply:
    """Make a prompt; its first version is the default at once. Its workspace is that of its collection.

    Fails: `invalid-request` unless just one way to name a model is used, and for an unknown collection.
    """
    fields = _sent(request)
    collection = versions.collection_named(request, world)
    if collection is None:
        raise invalid("body", "/collection_id", "is no collection")
    if sum(name in fields for name in MODELS) != 1:
        raise invalid("body", "/model", "or ai_model_id or finetune_id must be given, and just one of them")
    now = world.clock.timestamp()
    prompt: Record = {
        "id": world.ids.uuid4(),
        "slug": new_slug("prompts", "pp", fields["name"], 10, world),
        "name": fields["name"],
        "collection_id": collection["id"],
        "workspace_id": collection["workspace_id"],
        "virtual_key": _virtual_key(fields, collection["workspace_id"], world),
        "status": "active",
        "created_at": now,
        "last_updated_at": now,
    }
    version = versions.make(KIND, prompt, _content(fields, {}), world)
    return Reply(200, {"id": prompt["id"], "slug": prompt["slug"], "version_id": version["id"], "object": "prompt"})


def list_prompts(request: Request, world: World) -> Reply:
    """Show a page of prompts, newest first, of a collection, of a workspace or of all; `search` looks into names."""
    group = versions.group_listed(request, world)
    if group is None:
        return listed([], 0)
    search = request.query.get("search", "").lower()
    fits = (lambda prompt: search in prompt["name"].lower()) if search else None
    rows, total = page(world, KIND, request.query, fits, **group)
    return listed([_item(prompt, world) for prompt in rows], total)


def get_prompt(request: Request, world: World) -> Reply:
    """Show a prompt in one of its versions, the default one unless another is asked for."""
    prompt = _find(request, world)
    return Reply(200, _shown(prompt, versions.wanted(KIND, prompt, request.query["version"], world), world))


def update_prompt(request: Request, world: World) -> Reply:
    """Change a prompt; what its versions hold makes a new one, and the reply tells of it.

    Without `patch` all that a version needs comes together, with it the latest version gives the rest. Null stands for
    nothing sent (Terraform and the Python client send it). Fails: `invalid-request` for what is missing, for two ways to
    name a model, for a collection of another workspace (*chosen*: a prompt stays in its workspace).
    """
    prompt, fields = _find(request, world), _sent(request)
    changed: Record = {name: fields[name] for name in ("name", "status") if name in fields}
    collection = versions.collection_named(request, world)
    if collection is not None:
        if collection["workspace_id"] != prompt["workspace_id"]:
            raise invalid("body", "/collection_id", "is a collection of another workspace")
        changed["collection_id"] = collection["id"]
    if "virtual_key" in fields or "provider_api_key_id" in fields:
        changed["virtual_key"] = _virtual_key(fields, prompt["workspace_id"], world)
    if sum(name in fields for name in MODELS) > 1:
        raise invalid("body", "/model", "excludes ai_model_id and finetune_id, and they each other")
    if not fields.keys() & _VERSIONED:
        if "version_description" in fields:
            versions.describe(KIND, prompt, fields["version_description"], world)
        if changed or "version_description" in fields:
            versions.change(KIND, prompt, world, **changed)
        return Reply(200, {})
    base: Record = {}
    if fields.get("patch"):
        base = versions.latest(KIND, prompt, world)
    else:
        _check_complete(fields)
    version = versions.add(KIND, {**prompt, **changed}, _content(fields, base), world)
    shown = {"id": prompt["id"], "slug": prompt["slug"], "prompt_version_id": version["id"], "object": "prompt"}
    return Reply(200, shown)


def delete_prompt(request: Request, world: World) -> Reply:
    """Delete a prompt with its versions."""
    versions.remove(KIND, _find(request, world), world)
    return Reply(200, {})


def get_prompt_versions(request: Request, world: World) -> Reply:
    """Show the versions of a prompt, newest first."""
    prompt = _find(request, world)
    rows = []
    for version in versions.newest(KIND, prompt, world):
        labels = _labels(version, world)
        rows.append(
            {
                "id": version["id"],
                "prompt_id": prompt["id"],
                "prompt_template": {"string": version["string"]},
                "prompt_version": version["number"],
                "prompt_description": version["description"],
                "label_id": labels[-1]["id"] if labels else None,
                "created_at": version["created_at"],
                "status": versions.status(prompt, version),
                "object": "prompt",
            }
        )
    return listed(rows, len(rows))


def get_prompt_by_version(request: Request, world: World) -> Reply:
    """Show a prompt in the version with this id."""
    prompt = _find(request, world)
    return Reply(200, _shown(prompt, _version(prompt, request, world), world))


def update_prompt_version(request: Request, world: World) -> Reply:
    """Put a label on a version; null takes all labels off it.

    A label is on one version of a prompt at a time, so it moves. *chosen*: one label more takes none away, since a version
    may bear several. Fails: `invalid-request` for a label that the prompt's workspace has not.
    """
    prompt = _find(request, world)
    version = _version(prompt, request, world)
    if "label_id" not in request.fields:
        return Reply(200, {})
    label_id, rows = request.fields["label_id"], world["prompt_labels"]
    if label_id is None:
        for row in list(rows.newest(version_id=version["id"])):
            rows.remove(row["id"])
        return Reply(200, {})
    label = world["labels"].get(label_id)
    if label is None or label["workspace_id"] not in (None, prompt["workspace_id"]):
        raise invalid("body", "/label_id", "is no label of the prompt's workspace")
    row_id = f"{prompt['id']}/{label_id}"
    if row_id in rows:
        rows.remove(row_id)
    rows.add({"id": row_id, "prompt_id": prompt["id"], "version_id": version["id"], "label_id": label_id})
    return Reply(200, {})


def update_prompt_default(request: Request, world: World) -> Reply:
    """Publish a version."""
    versions.publish(KIND, _find(request, world), request.fields["version"], world)
    return Reply(200, {})


def create_prompt_render(request: Request, world: World) -> Reply:
    """Show the body of the call that a completion would make."""
    prompt, version = _addressed(request, world)
    return Reply(200, {"success": True, "data": _rendered(prompt, version, request, world)})


def create_prompt_completion(request: Request, world: World) -> Reply:
    """Render a prompt and let its model answer, with `stream` as events."""
    return _completed(request, world)


def create_generation(request: Request, world: World) -> Reply:
    """Complete a prompt, the answer in `data`. Source: sdk-call-map 5.3 (never as events: its client reads JSON only)."""
    reply = _completed(request, world, stream=False)
    return Reply(200, {"success": True, "data": reply.body})


def _sent(request: Request) -> Record:
    return {name: value for name, value in request.fields.items() if value is not None}


_VERSIONED = frozenset(
    ("string", "parameters", *MODELS, "functions", "tools", "tool_choice", "is_raw_template", "template_metadata",
     "prompt_metadata")
)  # fmt: skip
"""Fields of which any makes a new version."""


_UNSAID: Record = {
    "string": "",
    "parameters": {},
    "functions": None,
    "tools": None,
    "tool_choice": None,
    "is_raw_template": 0,
    "template_metadata": {},
}
"""What a version holds where nobody said anything."""


def _content(fields: Record, base: Record) -> Record:
    """What a version holds: what a call sends, over what another version has."""
    held: Record = {**_UNSAID, **base, **fields}
    model = next((fields[name] for name in MODELS if name in fields), base.get("model"))
    return {
        **{name: held[name] for name in _UNSAID},
        "model": model,
        "parameters": {**held["parameters"], "model": model},
        "template_metadata": fields.get("prompt_metadata", held["template_metadata"]),
        "description": fields.get("version_description"),
        "variable_components": templates.components(held["string"]),
    }


def _check_complete(fields: Record) -> None:
    """Refuse fields of a version that come without the others. Fails: `invalid-request`, naming each that is missing."""
    alternatives = {"model": MODELS, "virtual_key": ("virtual_key", "provider_api_key_id")}
    missing = [name for name in _TOGETHER if not fields.keys() & set(alternatives.get(name, (name,)))]
    if missing:
        problems = [invalid("body", f"/{name}", "is required for a new version without patch") for name in missing]
        problem = problems[0]
        raise Problem(INVALID_REQUEST, problem.detail, violations=[v for each in problems for v in each.violations])


def _virtual_key(fields: Record, workspace_id: str, world: World) -> str | None:
    """The slug of the provider that a call names, by slug or id.

    *chosen*: one that nobody has stays as it is, since who only wants answers need not make providers first.
    """
    said = fields.get("virtual_key") or fields.get("provider_api_key_id")
    if not said:
        return None
    slug: str = said.removeprefix("@")
    provider = find_provider(world, slug, workspace_id)
    return slug if provider is None else str(provider["slug"])


def _find(request: Request, world: World) -> Record:
    """The prompt of a call's path, by id or slug. Fails: `not-found`, `forbidden` out of the caller's reach."""
    return _reached(request.path["promptId"], request, world)


def _reached(id_or_slug: str, request: Request, world: World) -> Record:
    prompt = named(world, KIND, id_or_slug)
    if prompt is None:
        raise not_found()
    request.caller.reach(prompt["workspace_id"])
    return prompt


def _version(prompt: Record, request: Request, world: World) -> Record:
    """The version of a call's path, by its id. Fails: `not-found`."""
    version = world["prompt_versions"].get(request.path["versionId"])
    if version is None or version["owner_id"] != prompt["id"]:
        raise not_found("Version not found")
    return version


def _labels(version: Record, world: World) -> list[Record]:
    """The labels that a version bears, the one that was put on last at the end."""
    rows = list(world["prompt_labels"].newest(version_id=version["id"]))
    found = [world["labels"].get(row["label_id"]) for row in reversed(rows)]
    return [label for label in found if label is not None]


def _item(prompt: Record, world: World) -> Record:
    """A prompt as lists show it (recorded)."""
    names = ("id", "collection_id", "name", "slug", "created_at", "last_updated_at", "status")
    return {
        **{name: prompt[name] for name in names},
        "access_level": "workspace",
        **_NOT_SHARED,
        "prompt_owning_workspace_id": prompt["workspace_id"],
        "model": versions.default(KIND, prompt, world)["model"],
        "object": "prompt",
    }


def _shown(prompt: Record, version: Record, world: World) -> Record:
    """A prompt in one version as reads show it (recorded). *chosen*: a label is shown by id and name."""
    labels = _labels(version, world)
    kept = ("string", "parameters", "functions", "tools", "tool_choice", "template_metadata", "is_raw_template")
    return {
        **_item(prompt, world),
        "model": version["model"],
        "virtual_key": prompt["virtual_key"],
        **{name: version[name] for name in kept},
        "prompt_version": version["number"],
        "prompt_version_id": version["id"],
        "prompt_version_status": versions.status(prompt, version),
        "prompt_version_description": version["description"],
        "prompt_version_label_id": labels[-1]["id"] if labels else None,
        "prompt_version_label_name": labels[-1]["name"] if labels else None,
        "prompt_version_labels": [{"id": label["id"], "name": label["name"]} for label in labels],
        "variable_components": version["variable_components"],
    }


def _addressed(request: Request, world: World) -> tuple[Record, Record]:
    """The prompt and the version that a call is for: `slug`, `slug@12`, `slug@latest`, `slug@label`, or the id so.

    The samples of the document make the Node client put `undefined` into the path and the id into the body; that is meant
    too. Fails: `not-found`, also for a label that is on no version of the prompt.
    """
    said = request.path["promptId"]
    if said == "undefined" and isinstance(request.fields.get("prompt_id"), str):
        said = request.fields["prompt_id"]
    name, _, mark = said.partition("@")
    prompt = _reached(name, request, world)
    version = versions.pick(KIND, prompt, mark or "default", world)
    if version is None:
        for row in world["prompt_labels"].newest(prompt_id=prompt["id"]):
            label = world["labels"].get(row["label_id"])
            if label is not None and label["name"] == mark:
                version = world["prompt_versions"].get(row["version_id"])
                break
    if version is None:
        raise not_found(f"Prompt version {mark} not found")
    return prompt, version


def _completed(request: Request, world: World, *, stream: bool = True) -> Reply:
    prompt, version = _addressed(request, world)
    body = _rendered(prompt, version, request, world)
    model = body.get("model")
    if prompt["virtual_key"] and isinstance(model, str) and not metering.parted(model)[0]:
        body["model"] = f"@{prompt['virtual_key']}/{model}"
    if not stream:
        body.pop("stream", None)
    return serving.answer("chatComplete" if "messages" in body else "complete", request, world, body)


def _rendered(prompt: Record, version: Record, request: Request, world: World) -> Record:
    """The prompt's parameters, over them what the call says, and its template rendered.

    Parameters with the names of variables are defaults of these and no parameters of the model (mock default). *chosen*:
    the model stays one; tools and functions of the version come along; `messages` or `prompt` of the call take the place of
    the template.
    """
    used = version["variable_components"]
    stored: Record = version["parameters"]
    defaults = {name: stored[name] for name in (*used["variables"], *used["sections"]) if name in stored and name != "model"}
    said = {name: value for name, value in _sent(request).items() if name not in _ADDRESS}
    tools = {name: version[name] for name in ("functions", "tools", "tool_choice") if version[name] is not None}
    body = {name: value for name, value in stored.items() if name not in defaults} | tools | said
    if "messages" in said or "prompt" in said:
        return body
    variables = defaults | (request.fields.get("variables") or {})
    content = _render(version, variables, prompt["workspace_id"], world)
    if isinstance(content, list):
        return {**body, "messages": content}
    if _TEXT_MODELS.match(metering.parted(str(body.get("model")))[1]):
        return {**body, "prompt": content}
    return {**body, "messages": [{"role": "user", "content": content}]}


def _render(version: Record, variables: Record, workspace_id: str, world: World) -> list[JSON] | str:
    """The messages or the text that a version's template makes.

    Structured: the template is parsed and each text in it rendered; raw, or when it cannot be parsed: rendered, then parsed.
    What makes no messages is a text (mock default). *chosen*: texts that are not parsed afterwards are not escaped either,
    since nothing would take the escapes away.
    """

    def partial(name: str) -> str | None:
        slug, _, mark = name.partition("@")
        found = named(world, "prompt_partials", slug)
        if found is None or found["workspace_id"] != workspace_id:
            return None
        picked = versions.pick("prompt_partials", found, mark or "default", world)
        text: str | None = None if picked is None else picked["string"]
        return text

    def filled(value: JSON) -> JSON:
        if isinstance(value, str):
            return templates.render(value, variables, partial, quoted=False)
        if isinstance(value, list):
            return [filled(item) for item in value]
        return {name: filled(item) for name, item in value.items()} if isinstance(value, dict) else value

    string = version["string"]
    try:
        messages = None if version["is_raw_template"] else _messages(string)
        if messages is not None:
            return [filled(message) for message in messages]
        return _messages(templates.render(string, variables, partial, quoted=True)) or filled(string)
    except templates.NestedTooDeep as error:
        raise invalid("path", "/promptId", str(error)) from None


def _messages(text: str) -> list[JSON] | None:
    """The messages that a text is the JSON of, None for any other text."""
    try:
        value = values.parse(text.encode())
    except values.NotJSON:
        return None
    if isinstance(value, list) and value and all(isinstance(item, dict) and "role" in item for item in value):
        return value
    return None
