"""connexion, as far as we stand on it, imported in one place.

Its package pulls in test clients and deprecated names, each of which warns; that is connexion's affair, not that of who
serves or tests with us.
"""

from __future__ import annotations

import sys
import warnings
from importlib.util import find_spec, module_from_spec
from typing import Any

from mockserver.values import Record


def _open_package() -> None:
    """Make `connexion` importable part by part: what its `__init__` pulls in costs a fifth of our start.

    Who asks the package itself for a name gets it: `__init__` runs then.
    """
    spec = find_spec("connexion")
    if spec is None or spec.loader is None or "connexion" in sys.modules:
        return
    loader, package = spec.loader, module_from_spec(spec)

    def complete(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        del package.__getattr__
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loader.exec_module(package)
        return getattr(package, name)

    package.__getattr__ = complete  # type: ignore[method-assign]  # PEP 562
    sys.modules["connexion"] = package


_COMMAND = "httpx._main"
"""httpx's command line, which httpx does without when it cannot be imported; it would pull in rich where that is installed."""

_had_httpx = "httpx" in sys.modules
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    _open_package()
    if not _had_httpx:
        sys.modules[_COMMAND] = None  # type: ignore[assignment]  # how Python is told that a module cannot be imported
    from connexion.middleware.abstract import ROUTING_CONTEXT, SpecMiddleware
    from connexion.middleware.main import API, ConnexionMiddleware
    from connexion.resolver import Resolution, Resolver
    from connexion.spec import OpenAPISpecification, Specification

    if not _had_httpx:
        del sys.modules[_COMMAND]


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
