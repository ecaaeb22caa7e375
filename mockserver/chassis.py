"""connexion, as far as we stand on it, imported in one place.

Its package pulls in test clients and deprecated names, each of which warns; that is connexion's affair, not that of who
serves or tests with us.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
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


_UNUSED = ("requests", "httpx", "jinja2", "starlette.templating")
"""What connexion imports for work that we never give it: fetching documents, asking for tokens, filling in and drawing pages.

It does no more than call their names. Together they cost a fifth of our start.
"""


class _Later(ModuleType):
    """Stands for a module while connexion is imported: each of its names is a function that imports it when called.

    Whoever has kept the module itself finds in it afterwards what the real one holds.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is not self:
            return getattr(import_module(self.__name__), name)

        def call(*args: Any, **keywords: Any) -> Any:
            return getattr(import_module(self.__name__), name)(*args, **keywords)

        return call


@contextmanager
def _put_off(names: Iterable[str]) -> Iterator[None]:
    """Let others stand for these modules, for nobody but who imports them meanwhile."""
    absent = [name for name in names if name not in sys.modules]
    sys.modules.update({name: _Later(name) for name in absent})
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


with warnings.catch_warnings(), _put_off(_UNUSED):
    warnings.simplefilter("ignore")
    _open_package()
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
