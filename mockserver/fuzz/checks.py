"""Checks of our own, beside and in the place of Schemathesis's."""

from __future__ import annotations

from typing import Any

import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance


@schemathesis.check
def acceptance(ctx: Any, response: Any, case: Any) -> bool | None:
    """What the document allows is accepted, unless a rule that no document can say refuses it.

    Stands in for `positive_data_acceptance`, which does not know such rules (a workspace key needs a workspace; two fields
    exclude each other; a call of a model needs a provider that is there). A refusal counts as one of them only when none of
    its violations points into the document. That of a stub which the served document refuses points into that one.
    In a sequence, a refused path value is passed over as well: Schemathesis infers by names which reply feeds which path, and
    feeds the `type` of a key that was read into the `{type}` of the path that creates one.
    """
    if response.status_code == 400:
        violations = _violations(response)
        document = case.operation.schema.raw_schema
        if not any(_leads_into(violation.get("schema", ""), document) for violation in violations):
            return None
        if ctx.internals.find_parent(case_id=case.id) is not None and any(v.get("in") == "path" for v in violations):
            return None
    outcome: bool | None = positive_data_acceptance(ctx, response, case)
    return outcome


def _leads_into(pointer: str, document: Any) -> bool:
    """Whether a pointer to a schema or an operation is one of this document."""
    for token in [each.replace("~1", "/").replace("~0", "~") for each in pointer.split("/")[1:4]]:
        if not isinstance(document, dict) or token not in document:
            return False
        document = document[token]
    return pointer != ""


def _violations(response: Any) -> list[dict[str, Any]]:
    """What a refusal lists, in whichever envelope."""
    try:
        body = response.json()
    except ValueError:
        return []
    holders = [body, body.get("data"), body.get("error")] if isinstance(body, dict) else []
    return [each for holder in holders if isinstance(holder, dict) for each in holder.get("violations") or []]
