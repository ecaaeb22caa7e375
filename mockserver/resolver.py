"""From operation to stub: a family's own function when there is one, else the resource's, else a sample."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from types import ModuleType
from typing import Any

from mockserver.chassis import Resolution, Resolver
from mockserver.contract.operations import Operation
from mockserver.stubs.service import Stub


class StubResolver(Resolver):  # type: ignore[misc]  # connexion has no types
    """Resolves the operations of one document. `chosen` tells which kind of stub each got: family, resource or sample."""

    def __init__(
        self,
        operations: list[Operation],
        package: str | None,
        fallback: Callable[[Operation], tuple[str, Stub]],
        explain: Callable[[Operation], str] = str,
    ) -> None:
        """`package` holds the families; `fallback` makes the stub of an operation that none of them serves."""
        super().__init__()
        self._operations = {(operation.method, operation.path): operation for operation in operations}
        self._package = package
        self._fallback = fallback
        self._explain = explain
        self._families: dict[str, ModuleType | None] = {}
        self.chosen: dict[Operation, str] = {}

    def resolve_operation_id(self, operation: Any) -> str:
        """Every operation has a name here, also where the document gives none."""
        return self._operations[operation.method, operation.path].id

    def resolve(self, operation: Any) -> Any:
        """Return connexion's resolution of its own operation object."""
        ours = self._operations[operation.method, operation.path]
        return Resolution(self.stub(ours), ours.id)

    def why(self, operation: Operation) -> str:
        """Why an operation has the stub that it has, for people."""
        if self.is_family(operation):
            return f"{self._package}.{operation.family}.{operation.stub_name}"
        return self._explain(operation)

    def is_family(self, operation: Operation) -> bool:
        """Whether a family has a function for an operation."""
        return self._function(operation) is not None

    def stub(self, operation: Operation) -> Stub:
        """Return the stub of an operation."""
        function = self._function(operation)
        if function is not None:
            self.chosen[operation] = "family"
            return function
        kind, stub = self._fallback(operation)
        self.chosen[operation] = kind
        return stub

    def _function(self, operation: Operation) -> Stub | None:
        module = self._family(operation.family)
        function: Stub | None = getattr(module, operation.stub_name, None) if module is not None else None
        return function

    def _family(self, name: str) -> ModuleType | None:
        if name not in self._families:
            full_name = f"{self._package}.{name}"
            found = self._package is not None and importlib.util.find_spec(full_name) is not None
            self._families[name] = importlib.import_module(full_name) if found else None
        return self._families[name]
