"""connexion, as far as we stand on it, imported in one place.

Its package pulls in test clients and deprecated names, each of which warns; that is connexion's affair, not that of who
serves or tests with us.
"""

from __future__ import annotations

import warnings

from mockserver.values import Record

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from connexion.middleware.abstract import ROUTING_CONTEXT, SpecMiddleware
    from connexion.middleware.main import API, ConnexionMiddleware
    from connexion.resolver import Resolution, Resolver
    from connexion.spec import OpenAPISpecification, Specification


class LeanSpecification(OpenAPISpecification):  # type: ignore[misc]  # connexion has no types
    """A document that is bundled and checked already: connexion neither checks, copies nor expands it."""

    def __init__(self, document: Record) -> None:
        self._raw_spec = self._spec = document
        self._base_uri = ""


__all__ = [
    "API",
    "ROUTING_CONTEXT",
    "ConnexionMiddleware",
    "LeanSpecification",
    "Resolution",
    "Resolver",
    "SpecMiddleware",
    "Specification",
]
