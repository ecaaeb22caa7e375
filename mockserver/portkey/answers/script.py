"""What a script says the model answers, in the place of what is made up."""

from __future__ import annotations

from dataclasses import dataclass

from mockserver.values import JSON


@dataclass(frozen=True)
class SaidCall:
    """A tool or function that the model asks for. `arguments` are JSON or its text; None makes up what its schema takes."""

    name: str
    arguments: JSON | str | None = None


@dataclass(frozen=True)
class Said:
    """Each field replaces what would be made up; None leaves it. The words are said as they are: nothing cuts them.

    `reasoning` is the thought before the answer; `usage` any of prompt_tokens, completion_tokens and reasoning_tokens;
    `failure` (code, message) is what a response comes to that fails after it has begun.
    """

    text: str | None = None
    tool_calls: tuple[SaidCall, ...] | None = None
    refusal: str | None = None
    finish_reason: str | None = None
    usage: dict[str, int] | None = None
    reasoning: str | None = None
    failure: dict[str, str] | None = None
