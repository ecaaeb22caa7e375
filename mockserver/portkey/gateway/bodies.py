"""Whether a body that the gateway has put together is one that a provider would take.

The contract has looked at what the caller sent; prompts and configs add what nobody has looked at.
"""

from __future__ import annotations

from functools import cache

from mockserver import data
from mockserver.contract.findings import flatten, from_gate, violation
from mockserver.contract.gate import Gate, Validator
from mockserver.contract.loading import load_document
from mockserver.values import Record

_SCHEMAS = {
    "chatComplete": "CreateChatCompletion",
    "complete": "CreateCompletion",
    "createModelResponse": "CreateResponse",
    "embed": "CreateEmbedding",
    "rerank": "CreateRerank",
    "moderate": "CreateModeration",
    "imageGenerate": "CreateImage",
    "createSpeech": "CreateSpeech",
}
"""Kind of call to the document's schema of its body; forms are not shaped (Target inheritance)."""


def fault(kind: str, body: Record) -> tuple[str, str] | None:
    """Return what is wrong with a body, as a pointer and a text, None for one that is right."""
    name = _SCHEMAS.get(kind)
    if name is None or _validator(name).is_valid(body):
        return None
    finding = next(iter(flatten(from_gate(_validator(name).iter_errors(body)))))
    told = violation(finding, "", finding.path, finding.rule)
    return told.pointer, told.message


@cache
def _validator(name: str) -> Validator:
    document = load_document(data.DOCUMENT, data.DOCUMENT_BUNDLE).document
    return Gate(document, "request").validator({"$ref": f"#/components/schemas/{name}"})
