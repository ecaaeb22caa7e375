"""What the deterministic checks of guardrails find.

Source: gateway-data-plane, Guardrails: Deterministic checks (parameters and the keys of `data`); prompts-configs-guardrails,
Guardrails: Check catalogue (names and ranges). Wording of explanations is ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from mockserver import values
from mockserver.contract.gate import compile_schema
from mockserver.values import JSON, Record


class Subject(NamedTuple):
    """What a check looks at: the text, the kind of call, its body and its metadata."""

    text: str
    kind: str
    body: Record
    metadata: dict[str, str]


class Verdict(NamedTuple):
    """Whether a check passed, and what it tells."""

    passed: bool
    data: Record | None


Check = Callable[[Subject, Record], Verdict]


class CheckFailed(Exception):
    """A check that could not be made: its parameters are wrong."""


def check(name: str, subject: Subject, parameters: Record) -> Verdict:
    """Return the verdict of a check; one that is not deterministic passes (*chosen*: no model and no partner is asked).

    Raises `CheckFailed` for parameters that cannot be used.
    """
    known = _CHECKS.get(name.lower())
    try:
        return known(subject, parameters) if known is not None else Verdict(True, {})
    except (TypeError, AttributeError) as error:  # nobody has held the parameters of a check that came along to a schema
        raise CheckFailed(f"Invalid parameters: {error}") from None


def _turned(passed: bool, parameters: Record) -> bool:
    return passed is not bool(parameters.get("not"))


def _excerpt(text: str) -> str:
    return text if len(text) <= 100 else text[:100] + "..."


def _regex_match(subject: Subject, parameters: Record) -> Verdict:
    rule = str(parameters.get("rule", ""))
    if not rule:
        raise CheckFailed("Missing regex pattern")
    try:
        match = re.search(rule, subject.text)
    except re.error as error:
        raise CheckFailed(f"Invalid regular expression: /{rule}/: {error}") from None
    passed = _turned(match is not None, parameters)
    details = None
    if match is not None:
        details = {
            "matchedText": match[0],
            "index": match.start(),
            "groups": match.groupdict(),
            "captures": list(match.groups()),
        }
    data = {
        "regexPattern": rule,
        "not": bool(parameters.get("not")),
        "verdict": passed,
        "explanation": f"The text {'matches' if match is not None else 'does not match'} the pattern '{rule}'",
        "matchDetails": details,
        "textExcerpt": _excerpt(subject.text),
    }
    return Verdict(passed, data)


def _contains(subject: Subject, parameters: Record) -> Verdict:
    words, operator = [str(word) for word in parameters.get("words") or ()], parameters.get("operator", "any")
    found = [word for word in words if word in subject.text]
    missing = [word for word in words if word not in subject.text]
    passed = _quantified(operator, found, missing)
    data = {
        "explanation": f"The text holds {len(found)} of {len(words)} words; {operator} must be there",
        "foundWords": found,
        "missingWords": missing,
        "operator": operator,
    }
    return Verdict(passed, data)


def _quantified(operator: str, found: list[str], missing: list[str]) -> bool:
    return {"any": bool(found), "all": not missing, "none": not found}.get(operator, False)


def _counted(unit: str, count: Callable[[str], int], least: str = "min", most: str = "max") -> Check:
    def verdict(subject: Subject, parameters: Record) -> Verdict:
        counted = count(subject.text)
        low, high = parameters.get(least), parameters.get(most)
        within = (low is None or counted >= low) and (high is None or counted <= high)
        passed = _turned(within, parameters)
        data = {
            f"{unit}Count": counted,
            least: low,
            most: high,
            "not": bool(parameters.get("not")),
            "verdict": passed,
            "explanation": f"The text has {counted} {unit}s",
            "textExcerpt": _excerpt(subject.text),
        }
        return Verdict(passed, data)

    return verdict


def _worded(test: Callable[[str], bool], told: str) -> Check:
    def verdict(subject: Subject, parameters: Record) -> Verdict:
        passed = _turned(test(subject.text), parameters)
        explanation = f"The text {'is' if test(subject.text) else 'is not'} {told}"
        return Verdict(passed, {"verdict": passed, "explanation": explanation, "textExcerpt": _excerpt(subject.text)})

    return verdict


def _ends_with(subject: Subject, parameters: Record) -> Verdict:
    suffix = str(parameters.get("suffix", ""))
    if not suffix:
        raise CheckFailed("Missing suffix")
    ends = subject.text.endswith((suffix, f"{suffix}."))
    passed = _turned(ends, parameters)
    told = f"The text {'ends' if ends else 'does not end'} with '{suffix}'"
    return Verdict(passed, {"suffix": suffix, "verdict": passed, "explanation": told, "textExcerpt": _excerpt(subject.text)})


def _objects(text: str) -> list[JSON]:
    """The JSON objects and arrays of a text: all of it, or what stands in code fences or braces."""
    candidates = [text, *re.findall(r"```(?:json)?\s*([\s\S]*?)```", text), *re.findall(r"\{[\s\S]*\}", text)]
    found = []
    for candidate in candidates:
        try:
            value = values.parse(candidate.strip().encode())
        except values.NotJSON:
            continue
        if isinstance(value, (dict, list)) and value not in found:
            found.append(value)
    return found


def _json_schema(subject: Subject, parameters: Record) -> Verdict:
    schema = parameters.get("schema")
    if not isinstance(schema, dict):
        raise CheckFailed("Missing schema")
    try:
        validator: Any = compile_schema(schema)
    except ValueError as error:
        raise CheckFailed(f"Invalid schema: {error}") from None
    found = _objects(subject.text)
    match = next((each for each in found if validator.is_valid(each)), None)
    errors = [] if match is not None or not found else [error.message for error in validator.iter_errors(found[0])]
    passed = _turned(match is not None, parameters)
    told = "The text holds JSON that keeps the schema" if match is not None else "The text holds no JSON that keeps the schema"
    return Verdict(passed, {"matchedJson": match, "explanation": told, "validationErrors": errors, "verdict": passed})


def _json_keys(subject: Subject, parameters: Record) -> Verdict:
    keys, operator = [str(key) for key in parameters.get("keys") or ()], parameters.get("operator", "any")
    found = [each for each in _objects(subject.text) if isinstance(each, dict)]
    present = [key for key in keys if any(key in each for each in found)]
    missing = [key for key in keys if key not in present]
    passed = bool(found) and _quantified(operator, present, missing)
    told = f"The text's JSON holds {len(present)} of {len(keys)} keys; {operator} must be there"
    data = {"matchedJson": found[0] if found else None, "explanation": told, "presentKeys": present, "missingKeys": missing,
            "operator": operator}  # fmt: skip
    return Verdict(passed, data)


def _contains_code(subject: Subject, parameters: Record) -> Verdict:
    wanted = str(parameters.get("format", "")).lower()
    names = {"js": "javascript", "ts": "typescript", "py": "python"}
    blocks = [names.get(each, each) for each in re.findall(r"```([\w+#-]*)\s*\n", subject.text.lower())]
    has = names.get(wanted, wanted) in blocks if wanted else bool(blocks)
    passed = _turned(has, parameters)
    told = f"The text {'holds' if has else 'does not hold'} code in {wanted or 'any format'}"
    return Verdict(passed, {"format": wanted, "foundFormats": blocks, "explanation": told, "verdict": passed})


def _valid_urls(subject: Subject, parameters: Record) -> Verdict:
    """Whether all addresses are well-formed. *chosen*: none is called, the mock calls nobody."""
    urls = re.findall(r"https?://[^\s<>\"')\]]+", subject.text)
    wrong = [url for url in urls if not urlsplit(url).hostname]
    passed = _turned(bool(urls) and not wrong, parameters)
    told = f"{len(urls) - len(wrong)} of {len(urls)} addresses are well-formed"
    return Verdict(passed, {"validUrls": [url for url in urls if url not in wrong], "invalidUrls": wrong, "explanation": told})


def _model_whitelist(subject: Subject, parameters: Record) -> Verdict:
    models, model = parameters.get("models") or [], subject.body.get("model")
    passed = _turned(model in models, parameters)
    told = f"The model {model} is {'' if model in models else 'not '}on the list"
    return Verdict(passed, {"verdict": passed, "explanation": told, "requestedModel": model, "allowedModels": models})


def _allowed_request_types(subject: Subject, parameters: Record) -> Verdict:
    allowed, blocked = _names(parameters.get("allowedTypes")), _names(parameters.get("blockedTypes"))
    passed = subject.kind not in blocked and (not allowed or subject.kind in allowed)
    told = f"Calls of type {subject.kind} are {'allowed' if passed else 'not allowed'}"
    data = {"currentRequestType": subject.kind, "allowedTypes": allowed, "blockedTypes": blocked, "verdict": passed,
            "explanation": told}  # fmt: skip
    return Verdict(passed, data)


def _names(given: JSON) -> list[str]:
    return [each.strip() for each in given.split(",")] if isinstance(given, str) else [str(each) for each in given or ()]


def _required_metadata_keys(subject: Subject, parameters: Record) -> Verdict:
    keys, operator = [str(key) for key in parameters.get("metadataKeys") or ()], parameters.get("operator", "all")
    present = [key for key in keys if key in subject.metadata]
    missing = [key for key in keys if key not in subject.metadata]
    passed = _quantified(operator, present, missing)
    told = f"The metadata has {len(present)} of {len(keys)} keys; {operator} must be there"
    data = {"present_keys": present, "missing_keys": missing, "operator": operator, "verdict": passed, "explanation": told}
    return Verdict(passed, data)


def _not_null(subject: Subject, parameters: Record) -> Verdict:
    passed = _turned(bool(subject.text.strip()), parameters)
    return Verdict(passed, {"verdict": passed, "explanation": f"The text is {'not ' if subject.text.strip() else ''}empty"})


def _webhook(subject: Subject, parameters: Record) -> Verdict:
    """A webhook is not called and passes (*chosen*: the mock calls nobody)."""
    if not parameters.get("webhookURL"):
        raise CheckFailed("Missing webhook URL")
    return Verdict(True, {"webhookUrl": parameters["webhookURL"], "explanation": "The webhook was not called"})


_LETTERS = re.compile(r"[^\W\d_]")

_CHECKS: dict[str, Check] = {
    "default.regexmatch": _regex_match,
    "default.contains": _contains,
    "default.wordcount": _counted("word", lambda text: len(text.split()), "minWords", "maxWords"),
    "default.charactercount": _counted("character", len, "minCharacters", "maxCharacters"),
    "default.sentencecount": _counted(
        "sentence", lambda text: len(re.findall(r"[.!?]+", text)), "minSentences", "maxSentences"
    ),
    "default.endswith": _ends_with,
    "default.alluppercase": _worded(lambda text: text == text.upper(), "all upper case"),
    "default.alllowercase": _worded(lambda text: text == text.lower(), "all lower case"),
    "default.isalllowercase": _worded(lambda text: text == text.lower(), "all lower case"),
    "default.jsonschema": _json_schema,
    "default.jsonkeys": _json_keys,
    "default.containscode": _contains_code,
    "default.validurls": _valid_urls,
    "default.modelwhitelist": _model_whitelist,
    "default.allowedrequesttypes": _allowed_request_types,
    "default.requiredmetadatakeys": _required_metadata_keys,
    "default.notnull": _not_null,
    "default.webhook": _webhook,
}
"""Name in lower case to the check: sources disagree on capitals."""
