"""The two dialects in which realtime sessions are spoken: what each calls its events and settings.

Source: gateway-data-plane, /realtime (the table of both); the types of the OpenAI SDK, `types/realtime` and
`types/beta/realtime` (defaults, where they tell any).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mockserver.values import JSON, Record

VOICE = "alloy"


@dataclass(frozen=True)
class Dialect:
    """One dialect.

    `settings` are the places of what both know, in a session and in what `response.create` gives; `contents` the types of
    content by the role of who says it; `parts` those of what the model says, written and spoken. `acks` tell of a new item:
    the first when it is there, the others when it is whole. `streams` are the beginnings of events that tell an answer
    piece by piece.
    """

    name: str
    settings: Mapping[str, tuple[str, ...]]
    contents: Mapping[str, tuple[str, ...]]
    parts: tuple[str, str]
    acks: tuple[str, ...]
    streams: Mapping[str, str]
    first: Callable[[str, str, int], Record]
    speaks_alone: bool
    """Whether a response is either spoken or written; else what is spoken is `audio` beside `text`."""
    names_calls: bool
    """Whether the end of a call's arguments tells the name of the function again."""

    def read(self, record: Record, name: str) -> JSON:
        """A setting in a session or in what a response is asked for; None where it is not said."""
        value: JSON = record
        for step in self.settings[name]:
            value = value.get(step) if isinstance(value, dict) else None
        return value

    def merged(self, session: Record, given: Record) -> Record:
        """A session with what is given in the place of what it has."""
        made = dict(session)
        for name, value in given.items():
            nested = isinstance(value, dict) and name in ("audio", "input", "output") and isinstance(made.get(name), dict)
            made[name] = self.merged(made[name], value) if nested else _completed(name, value)
        return made


def _completed(name: str, value: JSON) -> JSON:
    """A setting with the defaults of what it leaves open."""
    if name == "turn_detection" and isinstance(value, dict):
        return {**TURNS[value.get("type", "server_vad")], **value}
    if name == "format" and value == {"type": "audio/pcm"}:
        return dict(_PCM)
    return value


TURNS: Mapping[str, Record] = {
    "server_vad": {
        "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 500,
        "create_response": True, "interrupt_response": True,
    },
    "semantic_vad": {"type": "semantic_vad", "eagerness": "auto", "create_response": True, "interrupt_response": True},
}  # fmt: skip
"""How the end of what a user says is found (SDK: realtime_audio_input_turn_detection)."""

_PCM: Record = {"type": "audio/pcm", "rate": 24000}


def _first_ga(id_: str, model: str, expires_at: int) -> Record:
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": id_,
        "model": model,
        "output_modalities": ["audio"],
        "instructions": "",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "include": None,
        "expires_at": expires_at,
        "audio": {
            "input": {
                "format": dict(_PCM),
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": {**TURNS["server_vad"], "idle_timeout_ms": None},
            },
            "output": {"format": dict(_PCM), "voice": VOICE, "speed": 1.0},
        },
    }


def _first_beta(id_: str, model: str, expires_at: int) -> Record:
    return {
        "id": id_,
        "object": "realtime.session",
        "model": model,
        "expires_at": expires_at,
        "modalities": ["audio", "text"],
        "instructions": "",
        "voice": VOICE,
        "speed": 1.0,
        "input_audio_format": "pcm16",
        "output_audio_format": "pcm16",
        "input_audio_transcription": None,
        "input_audio_noise_reduction": None,
        "turn_detection": dict(TURNS["server_vad"]),
        "tools": [],
        "tool_choice": "auto",
        "temperature": 0.8,
        "max_response_output_tokens": "inf",
        "tracing": None,
        "client_secret": None,
    }


GA = Dialect(
    name="ga",
    settings={
        "modalities": ("output_modalities",),
        "voice": ("audio", "output", "voice"),
        "speed": ("audio", "output", "speed"),
        "input_format": ("audio", "input", "format", "type"),
        "output_format": ("audio", "output", "format", "type"),
        "transcription": ("audio", "input", "transcription"),
        "turns": ("audio", "input", "turn_detection"),
        "limit": ("max_output_tokens",),
    },
    contents={
        "system": ("input_text",),
        "user": ("input_text", "input_audio", "input_image"),
        "assistant": ("output_text", "output_audio"),
    },
    parts=("output_text", "output_audio"),
    acks=("conversation.item.added", "conversation.item.done"),
    streams={
        "text": "response.output_text",
        "sound": "response.output_audio",
        "transcript": "response.output_audio_transcript",
    },
    first=_first_ga,
    speaks_alone=True,
    names_calls=True,
)

BETA = Dialect(
    name="beta",
    settings={
        "modalities": ("modalities",),
        "voice": ("voice",),
        "speed": ("speed",),
        "input_format": ("input_audio_format",),
        "output_format": ("output_audio_format",),
        "transcription": ("input_audio_transcription",),
        "turns": ("turn_detection",),
        "limit": ("max_response_output_tokens",),
    },
    contents={"system": ("input_text",), "user": ("input_text", "input_audio"), "assistant": ("text", "audio")},
    parts=("text", "audio"),
    acks=("conversation.item.created",),
    streams={"text": "response.text", "sound": "response.audio", "transcript": "response.audio_transcript"},
    first=_first_beta,
    speaks_alone=False,
    names_calls=False,
)


def spoken(header: str) -> Dialect:
    """The dialect that a client asks for by its header `OpenAI-Beta`."""
    return BETA if "realtime=v1" in header.replace(" ", "").split(",") else GA


def limit_of(dialect: Dialect, record: Record) -> int | None:
    """How many tokens a response may have; None for as many as it likes."""
    limit = dialect.read(record, "limit")
    return limit if isinstance(limit, int) else None
