"""How a model carries on a text. Source: gateway-data-plane, /completions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mockserver.portkey.answers import logprobs, tokens, wording
from mockserver.portkey.answers.chance import Chance
from mockserver.portkey.answers.ids import Ids
from mockserver.portkey.answers.script import Said
from mockserver.values import JSON, Record

_MATTERS = ("suffix", "seed", "temperature", "top_p", "frequency_penalty", "presence_penalty", "logit_bias")
"""What, beside the prompt, makes a text another one."""

_MAX_TOKENS = 16
"""How long a text is where nobody says. Source: spec."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text, in tokens; `echoed` is the prompt where it is to be repeated."""

    pieces: Sequence[str]
    echoed: Sequence[str]
    finish_reason: str


@dataclass(frozen=True, slots=True)
class TextCompletion:
    """The texts of one call. `top_logprobs` is None where nobody asked."""

    id: str
    created: int
    model: str
    fingerprint: str
    texts: tuple[Text, ...]
    prompt_tokens: int
    completion_tokens: int
    top_logprobs: int | None
    chance: Chance

    def as_json(self) -> Record:
        """Return the reply."""
        choices = [
            {
                "text": "".join([*text.echoed, *text.pieces]),
                "index": index,
                "logprobs": self._logprobs(index, text),
                "finish_reason": text.finish_reason,
            }
            for index, text in enumerate(self.texts)
        ]
        return {**self._head(), "choices": choices, "usage": self._usage()}

    def chunks(self, include_usage: bool = False, chunk_size: int | None = None) -> Iterator[Record]:
        """Yield the reply in chunks of so many tokens, one as a rule; several texts take turns."""
        head: Record = self._head()
        if include_usage:
            head["usage"] = None
        size = max(chunk_size or 1, 1)
        spoken = [([*text.echoed, *text.pieces], self._logprobs(at, text)) for at, text in enumerate(self.texts)]
        longest = max([len(pieces) for pieces, _ in spoken], default=0)
        for start in range(0, longest + size, size):
            for index, (pieces, told) in enumerate(spoken):
                if start < len(pieces):
                    part = None if told is None else {name: values[start : start + size] for name, values in told.items()}
                    choice = {"text": "".join(pieces[start : start + size]), "logprobs": part, "finish_reason": None}
                elif start < len(pieces) + size:
                    choice = {"text": "", "logprobs": None, "finish_reason": self.texts[index].finish_reason}
                else:
                    continue
                yield {**head, "choices": [{**choice, "index": index}]}
        if include_usage:
            yield {**head, "choices": [], "usage": self._usage()}

    def _head(self) -> Record:
        return {
            "id": self.id,
            "object": "text_completion",
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.fingerprint,
        }

    def _usage(self) -> Record:
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
        }

    def _logprobs(self, index: int, text: Text) -> Record | None:
        """What is told of the tokens. Nothing comes before the first one of a prompt, so it has no likelihood."""
        if self.top_logprobs is None:
            return None
        pieces = [*text.echoed, *text.pieces]
        likely = logprobs.told(pieces, self.chance.of("logprobs", index), self.top_logprobs)
        offsets, at = [], 0
        for piece in pieces:
            offsets.append(at)
            at += len(piece)
        made: Record = {
            "tokens": pieces,
            "token_logprobs": [each.logprob for each in likely],
            "top_logprobs": [dict(each.top) for each in likely],
            "text_offset": offsets,
        }
        if text.echoed:
            made["token_logprobs"][0] = made["top_logprobs"][0] = None
        return made


def answer(body: Record, model: str, chance: Chance, ids: Ids, created: int, said: Said | None = None) -> TextCompletion:
    """Carry on each prompt `n` times. Of a script its text, finish reason and usage count.

    Of `best_of` texts the first ones are the best, and all are counted.
    """
    said = said or Said()
    fingerprint = chance.of("fingerprint", model).bytes(5).hex()
    chance = chance.of("completions", model, [body.get(name) for name in _MATTERS])
    wanted = body.get("n") or 1
    made = max(wanted, body.get("best_of") or 1)
    texts, read, written = [], 0, 0
    for prompt in _prompts(body.get("prompt")):
        asked = tokens.spelled(prompt) if isinstance(prompt, list) else prompt
        read += len(prompt) if isinstance(prompt, list) else tokens.count(prompt)
        echoed = tokens.pieces(asked) if body.get("echo") else []
        group = [_text(body, asked, echoed, said, chance.of(prompt, at)) for at in range(made)]
        written += sum(len(text.pieces) for text in group)
        texts += group[:wanted]
    counted = {"prompt_tokens": read, "completion_tokens": written, **(said.usage or {})}
    return TextCompletion(
        id=ids.new("cmpl-"),
        created=created,
        model=model,
        fingerprint=f"fp_{fingerprint}",
        texts=tuple(texts),
        prompt_tokens=counted["prompt_tokens"],
        completion_tokens=counted["completion_tokens"],
        top_logprobs=body.get("logprobs"),
        chance=chance,
    )


def _prompts(said: JSON) -> list[str | list[int]]:
    """Each prompt, as a text or as its tokens. A list of numbers is one prompt; none at all is an empty one."""
    if isinstance(said, list) and said:
        return [said] if isinstance(said[0], int) else said
    return [said or ""]


def _text(body: Record, prompt: str, echoed: list[str], said: Said, chance: Chance) -> Text:
    if said.text is not None:
        return Text(tokens.pieces(said.text), echoed, said.finish_reason or "stop")
    limit = body.get("max_tokens")
    limit = _MAX_TOKENS if limit is None else limit
    pieces = tokens.pieces(tokens.stopped(wording.continuation(prompt, chance), body.get("stop")))
    reason = "length" if len(pieces) > limit else "stop"
    return Text(pieces[:limit], echoed, said.finish_reason or reason)
