"""The bodies of calls as people see them: as values where they can be read, and without secrets."""

from __future__ import annotations

from mockserver.contract.concealing import LINES, Concealer
from mockserver.contract.operations import Content, Operation
from mockserver.values import JSON, Record
from mockserver.world.journal import Entry, unpack


class Bodies:
    """Shows the bodies of calls to the operations of one document. What is taken out is added to a set, for other texts."""

    def __init__(self, document: Record) -> None:
        self._concealer = Concealer(document)

    def hold_secrets(self, operation: Operation) -> bool:
        """Whether the document marks anything as a secret that an operation takes or gives."""
        replies = [response.contents for response in operation.responses.values()]
        return any(map(self._concealer.hold, (_request_contents(operation), *replies)))

    def request(self, entry: Entry, operation: Operation | None, found: set[str] | None) -> JSON:
        """The body of the request; `found` None leaves secrets where they are."""
        media_type = _lines_of_socket(entry) or _header(entry.request_headers, "content-type")
        return self._concealer.shown(entry.request_body, entry.request_size, media_type, _request_contents(operation), found)

    def reply(self, entry: Entry, operation: Operation | None, found: set[str] | None) -> JSON:
        """The body of the reply."""
        media_type = _lines_of_socket(entry) or _header(entry.reply_headers, "content-type")
        contents = _reply_contents(operation, entry.status)
        return self._concealer.shown(entry.reply_body, entry.reply_size, media_type, contents, found)


def _lines_of_socket(entry: Entry) -> str:
    """How what was said on a WebSocket is read, a message a line; empty for a call that opened none."""
    return LINES[0] if entry.status == 101 else ""


def _header(packed: bytes, name: str) -> str:
    return next((value for key, value in unpack(packed) if key.lower() == name), "")


def _request_contents(operation: Operation | None) -> tuple[Content, ...]:
    return operation.body.contents if operation is not None and operation.body is not None else ()


def _reply_contents(operation: Operation | None, status: int) -> tuple[Content, ...]:
    if operation is None:
        return ()
    responses = operation.responses
    response = responses.get(str(status)) or responses.get(f"{status // 100}XX") or responses.get("default")
    return response.contents if response is not None else ()
