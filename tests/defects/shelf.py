"""A service of books that keeps tests/documents/shelf.yaml, or breaks it in one planted way."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from mockserver.values import Record
from tests.conftest import DOCUMENTS

DOCUMENT = DOCUMENTS / "shelf.yaml"
KEY = "shelf-key-7f3a"
CREDENTIALS = ("-H", f"x-shelf-key: {KEY}")

_METHODS = {"books": "GET, POST", "book": "GET, DELETE"}
_KINDS = ("novel", "poems", "essays")


class Refused(Exception):
    """A call that is refused with a status."""

    def __init__(self, status: int, headers: Record | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers or {}


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


class Shelf:
    """The service; `defect` is the name of what is wrong with it, empty for nothing."""

    def __init__(self, defect: str) -> None:
        self.defect = defect
        self.books: dict[int, Record] = {}
        self.gone: dict[int, Record] = {}
        self.next_id = 1
        self.lock = threading.Lock()

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> tuple[int, Record, bytes]:
        """Answer a call: status, headers, body."""
        try:
            with self.lock:
                status, told, value = self._answer(method, target, headers, body)
        except Refused as refused:
            status, told, value = refused.status, refused.headers, {"message": "refused"}
        if value is None:
            return status, told, b""
        media_type = "text/html" if self.defect == "media type" and status == 200 else "application/json"
        text = json.dumps(value).encode()
        return (
            status,
            {"content-type": media_type} | told,
            text[:-1] if self.defect == "half a body" and status == 200 else text,
        )

    def _answer(self, method: str, target: str, headers: Any, body: bytes) -> tuple[int, Record, Any]:
        parts = urlsplit(target)
        one = re.fullmatch(r"/v1/books/([^/]*)", parts.path)
        if one is None and parts.path != "/v1/books":
            raise Refused(404)
        allowed = _METHODS["book" if one else "books"]
        if method not in allowed.split(", "):
            told = "GET" if self.defect == "Allow" else allowed
            if method == "OPTIONS":
                return 204, {"allow": told}, None
            raise Refused(405, {} if self.defect == "no Allow" else {"allow": told})
        if headers.get("x-shelf-key") != KEY and not (self.defect == "open door" and method == "GET"):
            raise Refused(401)
        if one:
            return self._one(method, one[1])
        if headers.get("x-tenant") not in ("north", "south") and not (
            self.defect == "header not asked for" and headers.get("x-tenant") is None
        ):
            raise Refused(400)
        return self._list(parse_qs(parts.query, keep_blank_values=True)) if method == "GET" else self._add(headers, body)

    def _one(self, method: str, text: str) -> tuple[int, Record, Any]:
        if not re.fullmatch("-?(0|[1-9][0-9]*)", text) or int(text) < 1:
            raise Refused(400)
        book = self.books.get(int(text))
        if book is None and self.defect == "use after delete" and method == "GET":
            book = self.gone.get(int(text))
        if book is None:
            raise Refused(404)
        if method == "DELETE":
            self.gone[book["id"]] = self.books.pop(book["id"])
            return 204, {}, None
        shown = dict(book)
        if self.defect == "missing field":
            del shown["title"]
        if self.defect == "wrong type":
            shown["id"] = str(shown["id"])
        return 200, {}, shown

    def _list(self, query: dict[str, list[str]]) -> tuple[int, Record, Any]:
        if self.defect == "slow":
            time.sleep(0.06)  # the one thing that this service must be is slow
        limit = query.get("limit", ["100"])[-1]
        if self.defect != "accepts anything" and not (re.fullmatch("[1-9][0-9]{0,2}", limit) and int(limit) <= 100):
            raise Refused(400)
        if self.defect == "refuses the limit" and limit == "100" and "limit" in query:
            raise Refused(400)
        return 200, {}, {"data": list(self.books.values())[:5]}

    def _add(self, headers: Any, body: bytes) -> tuple[int, Record, Any]:
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise Refused(400)
        try:
            book = json.loads(body, parse_constant=_refuse)
        except ValueError:
            raise Refused(400) from None
        if not isinstance(book, dict) or not isinstance(book.get("title"), str) or not 1 <= len(book["title"]) <= 50:
            raise Refused(400)
        pages = book.get("pages", 1)
        if (
            type(pages) is not int
            or pages < 1
            or book.get("kind", "novel") not in _KINDS
            or set(book) - {"title", "kind", "pages"}
        ):
            raise Refused(400)
        if self.defect == "fails" and book.get("pages", 1) > 1:
            raise Refused(500)
        made = {"id": self.next_id, **book}
        self.next_id += 1
        if self.defect != "forgets":
            self.books[made["id"]] = made
        status = 200 if self.defect == "status" else 201
        return status, {} if self.defect == "no Location" else {"location": f"/v1/books/{made['id']}"}, made


@contextmanager
def served(defect: str = "") -> Iterator[str]:
    """Serve the service, with a defect; yields the URL below which the document's paths are."""
    shelf = Shelf(defect)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline:
                self.close_connection = True
                return
            if not self.parse_request():
                return
            length = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(length)
            if shelf.defect == "hangs up" and self.command == "DELETE":
                self.close_connection = True
                return
            status, headers, reply = shelf.answer(self.command, self.path, self.headers, body)
            head = [
                f"HTTP/1.1 {status} -",
                f"content-length: {len(reply)}",
                *(f"{name}: {text}" for name, text in headers.items()),
            ]
            self.wfile.write("\r\n".join([*head, "", ""]).encode() + (b"" if self.command == "HEAD" else reply))
            self.wfile.flush()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
