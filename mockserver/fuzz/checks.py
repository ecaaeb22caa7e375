"""Checks of our own, beside and in the place of Schemathesis's."""

from __future__ import annotations

from typing import Any

import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance


@schemathesis.check
def acceptance(ctx: Any, response: Any, case: Any) -> bool | None:
    """What the document allows is accepted, unless a rule that no document can say refuses it.

    Stands in for `positive_data_acceptance`, which does not know such rules (a workspace key needs a workspace; two fields
    exclude each other). A refusal counts as one of them only when none of its violations points into the document.
    """
    if response.status_code == 400 and _refused_beyond_the_document(response):
        return None
    outcome: bool | None = positive_data_acceptance(ctx, response, case)
    return outcome


def _refused_beyond_the_document(response: Any) -> bool:
    try:
        body = response.json()
    except ValueError:
        return False
    holder = body.get("data", body) if isinstance(body, dict) else {}
    violations = holder.get("violations") if isinstance(holder, dict) else None
    return bool(violations) and all("schema" not in violation for violation in violations)
