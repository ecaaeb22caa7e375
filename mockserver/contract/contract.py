"""The contract of a document: its operations, each with its plans for requests and replies."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from mockserver.contract.gate import Gate
from mockserver.contract.operations import Operation, OperationFault, read_operations
from mockserver.contract.replies import ReplyPlan
from mockserver.contract.requests import RequestPlan
from mockserver.values import Record

if TYPE_CHECKING:
    from mockserver.contract.explaining import OpenAPICore

log = logging.getLogger("mockserver.contract")


class Contract:
    """What one document demands.

    `operations` are those that can be served, `faults` say what is wrong with the others. `explains` is whether
    openapi-core gives the reasons of a refusal; without it the gate's own are given, at a tenth of the cost.
    """

    def __init__(self, document: Record, *, explains: bool = True) -> None:
        self.document = document
        self.operations, self.faults = read_operations(document)
        requests, replies = Gate(document, "request"), Gate(document, "reply")
        self.requests: dict[Operation, RequestPlan] = {}
        self.replies: dict[Operation, ReplyPlan] = {}
        for operation in self.operations:
            self.requests[operation] = RequestPlan(operation, document, requests)
            self.replies[operation] = ReplyPlan(operation, document, replies)
        self.explains = explains
        self._explainer: OpenAPICore | None = None
        self._loading = threading.Lock()

    def operation(self, operation_id: str) -> Operation:
        """Return the operation with this id; KeyError when there is none."""
        for operation in self.operations:
            if operation.id == operation_id:
                return operation
        raise KeyError(operation_id)

    def explainer(self) -> OpenAPICore | None:
        """What explains refusals: openapi-core, loaded on first use, or None for the gate alone."""
        if not self.explains:
            return None
        if self._explainer is None:
            with self._loading:
                if self._explainer is None:
                    from mockserver.contract.explaining import OpenAPICore

                    self._explainer = OpenAPICore(self.document)
        return self._explainer

    def compile(self) -> list[OperationFault]:
        """Compile every schema now rather than on first use; return what cannot be compiled."""
        faults = []
        for operation in self.operations:
            for plan in (self.requests[operation], self.replies[operation]):
                try:
                    plan.compile()
                except ValueError as error:
                    faults.append(OperationFault(operation.pointer, f"has a schema that is none: {error}"))
        return faults
