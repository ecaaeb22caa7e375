"""Shows the bodies of messages: as values where they can be read, and without secrets that are named or documented."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote_plus

from mockserver import values
from mockserver.contract.decoding import parse_pairs
from mockserver.contract.forms import Undecodable, parse_multipart
from mockserver.contract.operations import Content
from mockserver.contract.secrets import REDACTED, conceal, holds_secrets
from mockserver.values import JSON, Record

_EVENTS = "text/event-stream"
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
LINES = ("application/x-ndjson", "application/jsonl", "application/jsonlines")


class Concealer:
    """Shows the bodies of one document's messages. What is taken out is added to a set, for other texts."""

    def __init__(self, document: Record) -> None:
        self._document = document
        self.hold = lru_cache(maxsize=4096)(self._contents_hold)
        """Whether the document marks anything in these contents as a secret."""

    def shown(self, body: bytes, size: int, content_type: str, contents: tuple[Content, ...], found: set[str] | None) -> JSON:
        """Return a body of so many bytes, of which these are there; `found` None leaves secrets where they are."""
        if not body:
            return None
        essence = content_type.partition(";")[0].strip().lower()
        schemas = [content.schema for content in contents]
        if found is None:
            return _plain(body, essence)
        if essence == _EVENTS:
            return self._by_line(body, size, schemas, found, "data:")
        if essence in LINES:
            return self._by_line(body, size, schemas, found, "")
        try:
            if essence == _FORM:
                return "&".join(
                    f"{quote_plus(name)}={value if value == REDACTED else quote_plus(str(value))}"
                    for name, value in self._fields(parse_pairs(body), schemas, found)
                )
            if essence == _MULTIPART:
                return self._parts(body, content_type, schemas, found)
            return conceal(values.parse(body), schemas, self._document, found)
        except (values.NotJSON, Undecodable):
            # A text that cannot be read cannot be searched: where it may hold secrets it stays unseen.
            return REDACTED if size > len(body) or self.hold(contents) else body.decode("utf-8", "replace")

    def _fields(self, pairs: list[tuple[str, str]], schemas: list[JSON], found: set[str]) -> list[tuple[str, JSON]]:
        return [(name, conceal({name: value}, schemas, self._document, found)[name]) for name, value in pairs]

    def _parts(self, body: bytes, content_type: str, schemas: list[JSON], found: set[str]) -> Record:
        """The fields of a form by name, of each file what it is."""
        fields, uploads = parse_multipart(body, content_type)
        shown: Record = {}
        for name, texts in fields.items():
            concealed = [conceal({name: _value(text)}, schemas, self._document, found)[name] for text in texts]
            shown[name] = concealed[0] if len(concealed) == 1 else concealed
        for upload in uploads:
            told = {"file": upload.file_name, "content_type": upload.media_type, "size": upload.blob.size}
            shown[upload.name] = [*shown[upload.name], told] if isinstance(shown.get(upload.name), list) else told
        return shown

    def _by_line(self, body: bytes, size: int, schemas: list[JSON], found: set[str], before: str) -> str:
        """A stream of values, a line each. A line that was cut off in the middle stays unseen."""
        lines = body.decode("utf-8", "replace").split("\n")
        if size > len(body):
            lines[-1] = REDACTED
        return "\n".join(self._line(line, schemas, found, before) for line in lines)

    def _line(self, line: str, schemas: list[JSON], found: set[str], before: str) -> str:
        text = line[len(before) :].strip()
        if not line.startswith(before) or not text.startswith(("{", "[")):
            return line
        try:
            value = values.parse(text.encode())
        except values.NotJSON:
            # Half a value may hold anything; a mark such as [DONE] does not.
            return f"{before} {REDACTED}".strip() if text.startswith(("{", '["', "[{")) else line
        known = len(found)
        concealed = conceal(value, schemas, self._document, found)
        # As it was sent, where nothing had to go.
        return line if concealed == value and len(found) == known else f"{before} {values.dump(concealed).decode()}".strip()

    def _contents_hold(self, contents: tuple[Content, ...]) -> bool:
        return any(holds_secrets(content.schema, self._document) for content in contents)


def _plain(body: bytes, essence: str) -> JSON:
    if essence in (_EVENTS, _FORM, _MULTIPART, *LINES):
        return body.decode("utf-8", "replace")
    try:
        return values.parse(body)
    except values.NotJSON:
        return body.decode("utf-8", "replace")


def _value(text: str) -> JSON:
    """A field of a form; JSON is read, since secrets may be named in it."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return values.parse(text.encode())
    except values.NotJSON:
        return text
