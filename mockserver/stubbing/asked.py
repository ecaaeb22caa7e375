"""A call as patterns look at it: texts as they were sent, parsed when first asked for.

Made of a call on its way, or afterwards of what the journal kept of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, unquote

from mockserver.contract.forms import FormReader
from mockserver.contract.operations import Operation
from mockserver.stubbing.matchers import Subject

_WORLD = re.compile(r"/worlds/[^/]+(?=/|$)")


class Asked:
    """One call. `paths` are the ways to write its path: as sent, and with or without the base path, which may be left out.

    `operation` is None for a path or method that the document does not have.
    """

    __slots__ = (
        "_cookies", "_forms", "_headers", "_path_values", "_queries", "base", "body", "method",
        "operation", "paths", "query", "raw_headers", "shown_body",
    )  # fmt: skip

    def __init__(
        self,
        method: str,
        path: str,
        query: bytes,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes,
        operation: Operation | None,
        base: str = "",
        path_values: dict[str, str] | None = None,
        shown_body: str | None = None,
        fields: dict[str, list[str]] | None = None,
    ) -> None:
        """`path` may begin with `/worlds/<name>`, which is none of a pattern's business. `base` is the base path, `/v1`.

        `shown_body` is what people may be shown of the body, where it is not all of it. `fields` are those of a multipart form
        that is too large for the body to have all of it.
        """
        self.method = method
        sent = _WORLD.sub("", path, count=1) if path.startswith("/worlds/") else path
        self.base = base
        other = sent[len(base) :] if base and sent.startswith(base + "/") else base + sent
        self.paths = (sent, other)
        self.query = query.decode("latin-1")
        self.raw_headers = headers
        self.body = Subject(body)
        self.shown_body = shown_body
        self.operation = operation
        self._path_values = path_values
        self._headers: dict[str, list[str]] | None = None
        self._queries: dict[str, list[str]] | None = None
        self._forms = fields
        self._cookies: dict[str, str] | None = None

    @property
    def urls(self) -> tuple[str, ...]:
        """The paths with the query behind them."""
        return tuple(f"{path}?{self.query}" for path in self.paths) if self.query else self.paths

    def headers(self, name: str) -> list[str]:
        """The values of a header, whatever the case of its name."""
        if self._headers is None:
            self._headers = {}
            for key, value in self.raw_headers:
                self._headers.setdefault(key.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        return self._headers.get(name.lower(), [])

    def queries(self, name: str) -> list[str]:
        """The values of a query parameter."""
        if self._queries is None:
            self._queries = parse_qs(self.query, keep_blank_values=True)
        return self._queries.get(name, [])

    def forms(self, name: str) -> list[str]:
        """The values of a field of a form; none when the body is no form."""
        if self._forms is None:
            self._forms = _fields(next(iter(self.headers("content-type")), ""), self.body)
        return self._forms.get(name, [])

    def cookies(self, name: str) -> list[str]:
        """The value of a cookie, if it was sent."""
        if self._cookies is None:
            jar: SimpleCookie = SimpleCookie()
            try:
                jar.load("; ".join(self.headers("cookie")))
            except CookieError:
                jar.clear()
            self._cookies = {key: morsel.value for key, morsel in jar.items()}
        return [self._cookies[name]] if name in self._cookies else []

    @property
    def path_values(self) -> dict[str, str]:
        """The values of the variables in the operation's path."""
        if self._path_values is None:
            self._path_values = {}
            if self.operation is not None:
                for path in self.paths:
                    if (values := variables(self.operation.path, path)) is not None:
                        self._path_values = values
                        break
        return self._path_values

    def parameter(self, name: str) -> list[str]:
        """The values of a parameter by its name alone: in the path, the query, a header or a cookie."""
        if name in self.path_values:
            return [self.path_values[name]]
        return self.queries(name) or self.headers(name) or self.cookies(name)


def _fields(content_type: str, body: Subject) -> dict[str, list[str]]:
    essence = content_type.partition(";")[0].strip().lower()
    if essence == "application/x-www-form-urlencoded":
        return parse_qs(body.text, keep_blank_values=True)
    if essence != "multipart/form-data":
        return {}
    reader = FormReader(content_type)
    reader.write(body.raw)
    return reader.form.fields  # without `finish`: of a form that was kept in part, the fields that are there


def variables(template: str, path: str) -> dict[str, str] | None:
    """Return the values of a template's variables in a path, or None when the path is not of this form."""
    names, pattern = _pattern(template)
    found = pattern.fullmatch(path)
    return None if found is None else dict(zip(names, map(unquote, found.groups()), strict=True))


@lru_cache(maxsize=1024)
def _pattern(template: str) -> tuple[list[str], re.Pattern[str]]:
    pieces = re.split(r"\{([^}]*)\}", template)
    return pieces[1::2], re.compile("([^/]+)".join(map(re.escape, pieces[::2])))
