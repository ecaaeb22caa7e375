"""The document that traffic is held to."""

from __future__ import annotations

from pathlib import Path

from mockserver import data
from mockserver.contract.contract import Contract
from mockserver.contract.errors import SetupError
from mockserver.contract.loading import load_document


def contract_of(document: Path | None) -> tuple[Contract, Path]:
    """Return the contract of a document, None for the shipped one, and its path. Raises `SetupError`."""
    if document is None:
        loaded = load_document(data.DOCUMENT, data.DOCUMENT_BUNDLE)
        return Contract(loaded.document, explains=False), data.DOCUMENT
    contract = Contract(load_document(document).document, explains=False)
    if not contract.operations:
        raise SetupError(f"{document}: the document has no operation that could be served; `mockserver check` says why")
    return contract, document


def known_operations(contract: Contract, names: tuple[str, ...]) -> frozenset[str]:
    """Return the ids of operations that were named. Raises `SetupError` for one that the document does not have."""
    import difflib

    known = [operation.id for operation in contract.operations]
    for name in names:
        if name not in known:
            near = ", ".join(difflib.get_close_matches(name, known, n=3))
            raise SetupError(f"--only {name}: the document has no such operation{f'; near it: {near}' if near else ''}")
    return frozenset(names)
