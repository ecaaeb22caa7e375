"""What clients may say: the events of both dialects as schemas, and what is told to a client that says something else.

Source: the types of the OpenAI SDK (`types/realtime/*_param`, `types/beta/realtime/*_param`) for shapes and bounds; codes and
texts of errors as far as users of the real service have published them, else *chosen* in their manner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from mockserver.contract.findings import Finding, flatten, from_gate
from mockserver.contract.gate import Validator, compile_schema
from mockserver.portkey.live.dialects import Dialect
from mockserver.values import JSON, Record


class Fault(Exception):
    """What is wrong with an event; `param` is the place in it, None for all of it."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param


def _object(required: Iterable[str] = (), **properties: JSON) -> Record:
    made: Record = {"type": "object", "additionalProperties": False, "properties": properties}
    if wanted := list(required):
        made["required"] = wanted
    return made


def _one_of(*values: JSON) -> Record:
    return {"enum": list(values)}


def _list(items: Record, **bounds: int) -> Record:
    return {"type": "array", "items": items, **bounds}


def _or_null(schema: Record) -> Record:
    return {**schema, "type": [schema["type"], "null"]}


_TEXT: Record = {"type": "string"}
_ID: Record = {"type": "string", "minLength": 1, "maxLength": 64}
_FLAG: Record = {"type": "boolean"}
_COUNT: Record = {"type": "integer", "minimum": 0}
_ANYTHING: Record = {}
_LIMIT: Record = {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 4096}, _one_of("inf")]}
_VOICE: Record = {"anyOf": [_TEXT, _object(["id"], id=_TEXT)]}
_MODALITIES = _list(_one_of("text", "audio"), minItems=1)
_STATUS = _one_of("completed", "incomplete", "in_progress")
_METADATA: Record = {"type": ["object", "null"], "maxProperties": 16, "additionalProperties": _TEXT}

_NAME: Record = {"type": "string", "minLength": 1, "maxLength": 64}


def _kind_of_tool(**kinds: Record) -> Record:
    """An object whose `type` is one of these; what else each must have are the properties of its own."""
    alike: Record = {"type": "object", "required": ["type"], "properties": {"type": _one_of(*kinds)}}
    own = [{"required": list(own), "properties": {"type": _one_of(kind), **own}} for kind, own in kinds.items()]
    return {"allOf": [alike, {"anyOf": own}]}


_FUNCTION: Record = {"name": _NAME}
_SERVER: Record = {"server_label": _TEXT}
_OF_TOOLS: Record = {"properties": {"description": _TEXT, "parameters": {"type": ["object", "null"]}}}
_MODES = _one_of("none", "auto", "required")

_TOOLS = {
    "ga": {
        "tools": _list({**_kind_of_tool(function=_FUNCTION, mcp=_SERVER), **_OF_TOOLS}),
        "tool_choice": {"anyOf": [_MODES, {"type": "object", **_kind_of_tool(function=_FUNCTION, mcp=_SERVER)}]},
    },
    "beta": {
        "tools": _list({**_kind_of_tool(function=_FUNCTION), **_OF_TOOLS}),
        "tool_choice": {"anyOf": [_MODES, {"type": "object", **_kind_of_tool(function=_FUNCTION)}]},
    },
}
"""Tools, and which of them must be called, by dialect."""

_TURNS = _or_null(
    _object(
        type=_one_of("server_vad", "semantic_vad"),
        threshold={"type": "number", "minimum": 0, "maximum": 1},
        prefix_padding_ms=_COUNT,
        silence_duration_ms=_COUNT,
        idle_timeout_ms={"type": ["integer", "null"], "minimum": 5000, "maximum": 30000},
        eagerness=_one_of("low", "medium", "high", "auto"),
        create_response=_FLAG,
        interrupt_response=_FLAG,
    )
)
_TRANSCRIPTION = _or_null({"type": "object", "properties": {"model": _TEXT, "language": _TEXT, "prompt": _TEXT}})
_NOISE = _or_null(_object(type=_one_of("near_field", "far_field")))
_SPEED: Record = {"type": "number", "minimum": 0.25, "maximum": 1.5}

_FORMAT = _object(["type"], type=_one_of("audio/pcm", "audio/pcmu", "audio/pcma"), rate=_one_of(24000))
_OLD_FORMAT = _one_of("pcm16", "g711_ulaw", "g711_alaw")

_ONCE: Record = {
    "conversation": _one_of("auto", "none"), "input": _list({"type": "object"}), "metadata": _METADATA, "instructions": _TEXT,
}  # fmt: skip

_SESSIONS = {
    "ga": _object(
        ["type"],
        type=_one_of("realtime"),
        model=_TEXT,
        output_modalities={**_MODALITIES, "maxItems": 1},
        max_output_tokens=_LIMIT,
        parallel_tool_calls=_FLAG,
        tracing=_ANYTHING,
        truncation=_ANYTHING,
        prompt=_ANYTHING,
        reasoning=_ANYTHING,
        include=_ANYTHING,
        audio=_object(
            input=_object(format=_FORMAT, transcription=_TRANSCRIPTION, noise_reduction=_NOISE, turn_detection=_TURNS),
            output=_object(format=_FORMAT, voice=_VOICE, speed=_SPEED),
        ),
        instructions=_TEXT,
        **_TOOLS["ga"],
    ),
    "beta": _object(
        model=_TEXT,
        modalities=_MODALITIES,
        max_response_output_tokens=_LIMIT,
        temperature={"type": "number", "minimum": 0.6, "maximum": 1.2},
        voice=_VOICE,
        speed=_SPEED,
        input_audio_format=_OLD_FORMAT,
        output_audio_format=_OLD_FORMAT,
        input_audio_transcription=_TRANSCRIPTION,
        input_audio_noise_reduction=_NOISE,
        turn_detection=_TURNS,
        tracing=_ANYTHING,
        client_secret=_ANYTHING,
        instructions=_TEXT,
        **_TOOLS["beta"],
    ),
}
_RESPONSES = {
    "ga": _object(
        output_modalities={**_MODALITIES, "maxItems": 1},
        max_output_tokens=_LIMIT,
        parallel_tool_calls=_FLAG,
        prompt=_ANYTHING,
        reasoning=_ANYTHING,
        audio=_object(output=_object(format=_FORMAT, voice=_VOICE)),
        **_ONCE,
        **_TOOLS["ga"],
    ),
    "beta": _object(
        modalities=_MODALITIES,
        max_response_output_tokens=_LIMIT,
        temperature={"type": "number", "minimum": 0.6, "maximum": 1.2},
        voice=_VOICE,
        output_audio_format=_OLD_FORMAT,
        **_ONCE,
        **_TOOLS["beta"],
    ),
}
"""What a session and a response may be given, by dialect."""

_ONLY_TYPE: tuple[tuple[str, ...], Record] = ((), {})
_FIELDS: dict[str, tuple[tuple[str, ...], Record]] = {
    "conversation.item.create": (("item",), {"item": {"type": "object"}, "previous_item_id": _or_null(_TEXT)}),
    "conversation.item.delete": (("item_id",), {"item_id": _TEXT}),
    "conversation.item.retrieve": (("item_id",), {"item_id": _TEXT}),
    "conversation.item.truncate": (
        ("item_id", "content_index", "audio_end_ms"),
        {"item_id": _TEXT, "content_index": _COUNT, "audio_end_ms": _COUNT},
    ),
    "input_audio_buffer.append": (("audio",), {"audio": _TEXT}),
    "input_audio_buffer.clear": _ONLY_TYPE,
    "input_audio_buffer.commit": _ONLY_TYPE,
    "output_audio_buffer.clear": _ONLY_TYPE,
    "response.cancel": ((), {"response_id": _TEXT}),
    "response.create": ((), {"response": {"type": "object"}}),
    "session.update": (("session",), {"session": {"type": "object"}}),
}
"""Events of clients: what they must have, and what they may."""

_ITEM: Record = {"id": _ID, "object": _one_of("realtime.item"), "status": _STATUS}
_ITEMS: dict[str, Record] = {
    "message": _object(
        ["type", "role", "content"],
        type=_one_of("message"),
        role=_one_of("system", "user", "assistant"),
        content=_list({"type": "object", "required": ["type"]}),
        **_ITEM,
    ),
    "function_call": _object(
        ["type", "name", "arguments"], type=_one_of("function_call"), name=_TEXT, arguments=_TEXT, call_id=_ID, **_ITEM
    ),
    "function_call_output": _object(
        ["type", "call_id", "output"], type=_one_of("function_call_output"), call_id=_TEXT, output=_TEXT, **_ITEM
    ),
    "item_reference": _object(["type", "id"], type=_one_of("item_reference"), id=_TEXT),
}
_KINDS = ("message", "function_call", "function_call_output")

_PARTS: dict[str, tuple[str, Record]] = {
    "input_text": ("text", {"text": _TEXT}),
    "input_audio": ("audio", {"audio": _TEXT, "transcript": _or_null(_TEXT)}),
    "input_image": ("image_url", {"image_url": _TEXT, "detail": _one_of("auto", "low", "high")}),
    "output_text": ("text", {"text": _TEXT}),
    "text": ("text", {"text": _TEXT}),
    "output_audio": ("transcript", {"audio": _TEXT, "transcript": _TEXT}),
    "audio": ("transcript", {"audio": _TEXT, "transcript": _TEXT}),
}
"""Parts of a message by their type: the field that each must have, and those that it may."""


def check_event(event: Record, dialect: Dialect) -> None:
    """Hold an event to its schema. Raises `Fault`."""
    _check_choice(event, "type", tuple(_FIELDS), "")
    kind = event["type"]
    _check("event", kind, event, "")
    if "session" in event:
        _check_session_kind(event["session"])
        _check("session", dialect.name, event["session"], "session")
    if "response" in event:
        _check("response", dialect.name, event["response"], "response")
        for at, item in enumerate(event["response"].get("input") or ()):
            check_item(item, dialect, f"response.input[{at}]", may_refer=True)
    if "item" in event:
        check_item(event["item"], dialect, "item")


def check_item(item: Record, dialect: Dialect, place: str, *, may_refer: bool = False) -> None:
    """Hold an item to the schema of its type. Raises `Fault`."""
    if may_refer and item.get("type") == "item_reference":
        _check("item", "item_reference", item, place)
        return
    _check_choice(item, "type", _KINDS, place)
    _check("item", item["type"], item, place)
    for at, part in enumerate(item.get("content") or ()):
        where = f"{place}.content[{at}]"
        _check_choice(part, "type", dialect.contents[item["role"]], where)
        _check("part", part["type"], part, where)


def _check_session_kind(session: Record) -> None:
    """*Chosen*: a session that answers stays one; sessions that only transcribe are made by other calls."""
    if session.get("type") == "transcription":
        raise Fault("invalid_value", "A realtime session cannot become a transcription session.", "session.type")


def _check_choice(value: Record, name: str, options: tuple[str, ...], place: str) -> None:
    """Hold the field that tells the kind of something to what it may be."""
    param = f"{place}.{name}".lstrip(".")
    if name not in value:
        raise Fault("missing_required_parameter", f"Missing required parameter: '{param}'.", param)
    if value[name] not in options:
        raise Fault("invalid_value", _unsupported(value[name], options), param)


def _check(sort: str, name: str, value: JSON, place: str) -> None:
    validator = _validator(sort, name)
    if not validator.is_valid(value):
        findings = list(flatten(from_gate(validator.iter_errors(value))))
        raise _told(next((each for each in findings if each.keyword != "anyOf"), findings[0]), place)


def _event_schema(kind: str) -> Record:
    required, fields = _FIELDS[kind]
    return _object(["type", *required], type=_TEXT, event_id={"type": "string", "maxLength": 512}, **fields)


def _part_schema(kind: str) -> Record:
    required, fields = _PARTS[kind]
    return _object(["type", required], type=_TEXT, **fields)


_SCHEMAS: dict[str, Callable[[str], Record]] = {
    "event": _event_schema,
    "session": _SESSIONS.__getitem__,
    "response": _RESPONSES.__getitem__,
    "item": _ITEMS.__getitem__,
    "part": _part_schema,
}


@cache
def _validator(sort: str, name: str) -> Validator:
    return compile_schema(_SCHEMAS[sort](name))


_A_TYPE = {"string": "a string", "object": "an object", "array": "an array", "integer": "an integer", "number": "a number",
    "boolean": "a boolean", "null": "null"}  # fmt: skip
_TYPE_OF = {str: "a string", dict: "an object", list: "an array", int: "an integer", float: "a decimal", bool: "a boolean",
    type(None): "null"}  # fmt: skip
_BOUNDS = {
    "minimum": ("{}_below_min_value", "below minimum value. Expected a value >= {}"),
    "maximum": ("{}_above_max_value", "above maximum value. Expected a value <= {}"),
}


def _told(finding: Finding, place: str) -> Fault:
    """Put a finding into the words of the service."""
    keyword, expected = finding.keyword, finding.expected
    param = place + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in finding.path)
    param = param.lstrip(".")
    if keyword == "required":
        missing = f"{param}.{expected}".lstrip(".")
        return Fault("missing_required_parameter", f"Missing required parameter: '{missing}'.", missing)
    if keyword == "additionalProperties":
        name = expected[0] if isinstance(expected, list) else expected
        unknown = f"{param}.{name}".lstrip(".")
        return Fault("unknown_parameter", f"Unknown parameter: '{unknown}'.", unknown)
    if keyword == "type":
        types = expected if isinstance(expected, list) else [expected]
        wanted = " or ".join(_A_TYPE.get(str(each), str(each)) for each in types)
        got = _TYPE_OF.get(type(finding.instance), "something else")
        return Fault("invalid_type", f"Invalid type for '{param}': expected {wanted}, but got {got} instead.", param)
    if keyword == "enum":
        return Fault("invalid_value", _unsupported(finding.instance, expected), param)
    if keyword in _BOUNDS:
        code, words = _BOUNDS[keyword]
        kind = "integer" if isinstance(finding.instance, int) else "decimal"
        text = f"Invalid '{param}': {kind} {words.format(expected)}, but got {finding.instance} instead."
        return Fault(code.format(kind), text, param)
    return Fault("invalid_value", f"Invalid value for '{param}'.", param)


def _unsupported(value: JSON, options: Iterable[JSON]) -> str:
    shown = ", ".join(f"'{option}'" for option in options) if not isinstance(options, str) else options
    return f"Invalid value: '{str(value)[:100]}'. Supported values are: {shown}."
