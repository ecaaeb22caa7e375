"""Multipart forms, read as they arrive: fields are held in memory, files go where blobs are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from typing import TypeAlias

from mockserver.blobs import IN_MEMORY, Blob, Writer

Fields: TypeAlias = dict[str, list[str]]

BEGINNING = 2**16
"""How many bytes of a form are kept as they came, for who wants to see what was sent."""


class Undecodable(ValueError):
    """A text that is not in the form that it should be in; the message says why, in half a sentence."""


class FormTooLarge(ValueError):
    """What is no file is more than may be held in memory."""


@dataclass(frozen=True)
class Upload:
    """A file of a multipart body."""

    name: str
    file_name: str
    media_type: str
    blob: Blob

    @property
    def content(self) -> bytes:
        """All of its bytes."""
        return self.blob.read()

    @property
    def text(self) -> str:
        """What stands for it in the value of a body: a character a byte, of a large file only the beginning."""
        if self.blob.in_memory:
            return self.blob.read().decode("latin-1")
        return next(self.blob.pieces()).decode("latin-1")


@dataclass
class Form:
    """A multipart body that has been read. A `fault` says in half a sentence why it is none.

    `size` is that of the whole body, `beginning` how it begins.
    """

    fields: Fields = field(default_factory=dict)
    uploads: list[Upload] = field(default_factory=list)
    fault: str | None = None
    size: int = 0
    beginning: bytes = b""

    def __bool__(self) -> bool:
        return self.size > 0


class FormReader:
    """Reads a form piece by piece, into `form`. One that is at fault is read to its end all the same, and forgotten."""

    def __init__(self, content_type: str, limit: int | None = None) -> None:
        """`limit` is how many bytes may come of what is no file, None for any number."""
        # Imported here: few operations take forms.
        from python_multipart.multipart import MultipartParser

        self.form = Form()
        self._limit = limit
        self._parts = _Parts(self.form)
        try:
            boundary = parameter(content_type, "boundary")
            if not boundary:
                raise Undecodable("has no boundary in its content type")
            self._parser = MultipartParser(boundary, self._parts.callbacks())  # type: ignore[arg-type]  # a dict of all of its callbacks
        except ValueError as error:
            self._fail(error)

    def write(self, data: bytes) -> None:
        """Read on. Raises `FormTooLarge`."""
        form = self.form
        if len(form.beginning) < BEGINNING:
            form.beginning += data[: BEGINNING - len(form.beginning)]
        form.size += len(data)
        if form.fault is not None:
            return
        try:
            self._parser.write(data)
        except ValueError as error:  # of python-multipart, or of ours
            self._fail(error)
        if self._limit is not None and form.size - self._parts.of_files > self._limit:
            raise FormTooLarge

    def finish(self) -> Form:
        """Return the form."""
        form = self.form
        if form.fault is None:
            try:
                self._parser.finalize()
                if not self._parts.ended:
                    raise Undecodable("is not multipart: its last boundary is missing")
            except ValueError as error:
                self._fail(error)
        return form

    def _fail(self, error: ValueError) -> None:
        form = self.form
        form.fault = str(error) if isinstance(error, Undecodable) else f"is not multipart: {error}"
        form.fields, form.uploads = {}, []
        self._parts = _Parts(form)


def parse_multipart(body: bytes, content_type: str) -> tuple[Fields, list[Upload]]:
    """Return the fields and the files of a multipart body. Raises `Undecodable`."""
    reader = FormReader(content_type)
    reader.write(body)
    form = reader.finish()
    if form.fault is not None:
        raise Undecodable(form.fault)
    return form.fields, form.uploads


def parameter(header: str, name: str) -> str:
    """Return a parameter of a header, empty when it has none of this name. Raises `Undecodable`."""
    message = Message()
    message["content-type"] = header.replace("\r", "").replace("\n", "")
    try:
        value = message.get_param(name, "")
    except (TypeError, ValueError):
        raise Undecodable(f"has a header that cannot be read: {name}") from None
    return value if isinstance(value, str) else str(value[2])


class _Parts:
    """Puts into a form what the multipart parser calls out. `of_files` counts the bytes of files."""

    def __init__(self, form: Form) -> None:
        self.ended = False
        self.of_files = 0
        self._form = form
        self._in_memory = 0
        self._headers: dict[str, str] = {}
        self._name = b""
        self._value = b""
        self._file: tuple[str, str, str, Writer] | None = None
        self._field = ""
        self._data: list[bytes] = []

    def callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_part_begin": self._begin,
            "on_part_data": self._take,
            "on_part_end": self._end_part,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._open,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._headers, self._data, self._file = {}, [], None

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("utf-8", "replace")
        self._name = self._value = b""

    def _open(self) -> None:
        """Decide what the part is, now that all of its headers are there."""
        disposition = self._headers.get("content-disposition", "")
        name, file_name = parameter(disposition, "name"), parameter(disposition, "filename")
        if not name:
            raise Undecodable("has a part without a name")
        if "\0" in name:
            raise Undecodable("holds a NUL character")
        media_type = self._headers.get("content-type", "")
        if file_name or (media_type and not media_type.startswith(("text/", "application/json"))):
            left = max(0, IN_MEMORY - self._in_memory)  # many small files must not fill the memory either
            self._file = (name, file_name, media_type or "application/octet-stream", Writer(left))
        else:
            self._field = name

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file[3].write(data[start:end])
            self.of_files += end - start
        else:
            self._data.append(data[start:end])

    def _end_part(self) -> None:
        if self._file is not None:
            name, file_name, media_type, writer = self._file
            blob = writer.finish()
            self._in_memory += blob.size if blob.in_memory else 0
            self._form.uploads.append(Upload(name, file_name, media_type, blob))
            self._file = None
            return
        data = b"".join(self._data)
        if b"\0" in data:
            raise Undecodable("holds a NUL character")
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = data.decode("latin-1")
        self._form.fields.setdefault(self._field, []).append(text)

    def _end(self) -> None:
        self.ended = True
