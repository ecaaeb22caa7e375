"""The catalogue of checks that guardrails are made of: each with the parameters that it cannot do without.

Names beyond the catalogue pass: the service has more than any list knows.
Source: prompts-configs-guardrails, Guardrails: Check catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mockserver.values import Record

BASIC: dict[str, tuple[str, ...]] = {
    "default.jwt": ("jwksUri", "headerKey"),
    "default.modelWhitelist": ("models",),
    "default.isAllLowerCase": (),
    "default.alluppercase": (),
    "default.regexMatch": ("rule",),
    "default.sentenceCount": (),
    "default.wordCount": (),
    "default.characterCount": (),
    "default.jsonSchema": ("schema",),
    "default.jsonKeys": ("keys", "operator"),
    "default.contains": ("words", "operator"),
    "default.validUrls": (),
    "default.containsCode": ("format",),
    "default.webhook": ("webhookURL",),
    "default.endsWith": ("suffix",),
    "default.requiredMetadataKeys": ("metadataKeys", "operator"),
    "default.allowedRequestTypes": (),
}
"""For every plan."""

PRO: dict[str, tuple[str, ...]] = {
    "portkey.moderateContent": ("categories",),
    "portkey.language": (),
    "portkey.pii": ("categories",),
    "portkey.gibberish": (),
}
"""Portkey's own models. The mock knows no plans: these and the partners' are for everybody."""

PARTNER: dict[str, tuple[str, ...]] = {
    "sydelabs.sydeguard": (),
    "aporia.validateProject": ("projectID",),
    "pillar.scanPrompt": ("scanners",),
    "pillar.scanResponse": ("scanners",),
    "patronus.phi": (),
    "patronus.pii": (),
    "patronus.isConcise": (),
    "patronus.isHelpful": (),
    "patronus.isPolite": (),
    "patronus.noApologies": (),
    "patronus.noGenderBias": (),
    "patronus.noRacialBias": (),
    "patronus.retrievalAnswerRelevance": (),
    "patronus.toxicity": (),
    "patronus.custom": ("profile",),
    "mistral.moderateContent": ("categories",),
    "bedrock.guard": ("guardrailVersion", "guardrailId"),
    "promptfoo.guard": (),
    "promptfoo.pii": (),
    "promptfoo.harm": (),
    "acuvity.scan": (),
    "lasso.classify": (),
    "azure.contentSafety": (),
    "azure.pii": (),
    # The document asks for a profile_name; changelog 1.20.0 made it optional.
    "panw-prisma-airs.intercept": (),
}
"""Other people's services."""

CATALOGUE = BASIC | PRO | PARTNER


def lacking(checks: Iterable[Record]) -> Iterator[tuple[int, str, str]]:
    """Return what the known ones among checks lack: the index of the check, its id, and the name of the parameter."""
    for at, check in enumerate(checks):
        given = check.get("parameters") or {}
        for name in CATALOGUE.get(check["id"], ()):
            if name not in given:
                yield at, check["id"], name
