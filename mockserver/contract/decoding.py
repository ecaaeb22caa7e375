"""Turns the texts of a request into values: parameters by style and explode, bodies by media type.

The one decoder: the gate and openapi-core judge the same values. A text that cannot be decoded is a violation at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import unquote_to_bytes

from mockserver import values
from mockserver.contract.forms import Fields, Form, Undecodable, Upload, parse_multipart
from mockserver.contract.heads import read_once
from mockserver.contract.operations import Content, Operation, Parameter
from mockserver.contract.shapes import Shape, cast_for, shape_of
from mockserver.contract.violations import Violation
from mockserver.values import JSON, Record

Headers: TypeAlias = Mapping[bytes, bytes]


@dataclass
class Decoded:
    """A request as values.

    `parts` has the keys path, query, header and cookie, each an object, and body when there is one. Binary bodies and files
    stand there as texts of one character a byte (large files with their beginning); the bytes are in `uploads` or the raw body.
    """

    parts: dict[str, JSON]
    media_type: str | None = None
    uploads: list[Upload] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)


def parse_pairs(text: bytes) -> list[tuple[str, str]]:
    """Return the names and values of a query or form. Raises `Undecodable` for what is not UTF-8 or holds a NUL."""
    pairs = []
    for piece in text.split(b"&"):
        if piece:
            name, _, value = piece.partition(b"=")
            pairs.append((_unquote(name), _unquote(value)))
    return pairs


def _unquote(text: bytes) -> str:
    if b"+" in text:
        text = text.replace(b"+", b" ")
    if b"%" in text:
        text = unquote_to_bytes(text)
    try:
        decoded = text.decode()
    except UnicodeDecodeError:
        raise Undecodable("is not UTF-8") from None
    if "\0" in decoded:
        raise Undecodable("holds a NUL character")
    return decoded


class ParameterDecoder:
    """Decodes one parameter."""

    def __init__(self, parameter: Parameter, document: Record) -> None:
        self.parameter = parameter
        self.shape = shape_of(parameter.schema, document)
        self._document = document
        self._cast = cast_for(self.shape)
        self._absent = parameter.absent
        self._plain = not self.shape.types & {"array", "object"} and parameter.media_type is None
        items = shape_of(self.shape.items, document) if self.shape.items is not None else None
        self._cast_item = cast_for(items) if items is not None else _as_text
        self._names = (parameter.name, *parameter.aliases)
        self.is_text = (
            self._plain and parameter.style == "simple" and self.shape.types <= {"string"} and not self.shape.nullable
        )

    def from_text(self, text: str) -> JSON:
        """Decode a path, header or cookie value. Raises `Undecodable`."""
        if self._plain and self.parameter.style == "simple":
            return self._cast(text)
        return self._styled(text)

    def from_fields(self, fields: Fields) -> tuple[bool, JSON]:
        """Decode a query parameter: whether it is there, and its value. Raises `Undecodable`."""
        parameter, types = self.parameter, self.shape.types
        if parameter.style == "deepObject" or ("object" in types and any("[" in name for name in fields)):
            found = self._deep(fields)
            if found or parameter.style == "deepObject":
                return bool(found), found
        for name in self._names:
            texts = fields.get(name)
            if texts is None and "array" in types:
                texts = fields.get(name + "[]")
            if texts is None or (texts[-1] in self._absent and not parameter.required):
                continue
            if parameter.media_type is not None:
                return True, self._content(texts[-1])
            if "array" in types and parameter.explode and parameter.style == "form":
                return True, [self._cast_item(text) for text in texts]
            return True, self._cast(texts[-1]) if self._plain else self._styled(texts[-1])
        if "object" in types and parameter.explode and parameter.style == "form":
            found = {name: self._property(name, fields[name][-1]) for name in self.shape.properties if name in fields}
            return bool(found), found
        return False, None

    def _content(self, text: str) -> JSON:
        try:
            return values.parse(text.encode())
        except values.NotJSON as error:
            raise Undecodable(str(error)) from None

    def _styled(self, text: str) -> JSON:
        parameter, types = self.parameter, self.shape.types
        if parameter.media_type is not None:
            return self._content(text)
        delimiter = ","
        if parameter.style == "label":
            text = text.removeprefix(".")
            delimiter = "," if not parameter.explode and "," in text else "."
        elif parameter.style == "matrix":
            text, delimiter = text.removeprefix(";"), ";" if parameter.explode else ","
            if text == parameter.name:
                text = ""
            if not ("object" in types and parameter.explode):
                text = delimiter.join(piece.removeprefix(f"{parameter.name}=") for piece in text.split(delimiter))
        elif parameter.style == "spaceDelimited":
            delimiter = " "
        elif parameter.style == "pipeDelimited":
            delimiter = "|"
        if "array" in types:
            pieces = text.split(delimiter) if text else []
            return [self._cast_item(piece.strip() if parameter.location == "header" else piece) for piece in pieces]
        if "object" in types:
            return self._object(text.split(delimiter) if text else [])
        return self._cast(text)

    def _object(self, pieces: list[str]) -> JSON:
        if self.parameter.explode:
            pairs = [piece.partition("=")[::2] for piece in pieces]
        elif len(pieces) % 2:
            raise Undecodable("is no list of names and values")
        else:
            pairs = list(zip(pieces[::2], pieces[1::2], strict=True))
        return {name: self._property(name, text) for name, text in pairs}

    def _property(self, name: str, text: str) -> JSON:
        schema = self.shape.properties.get(name, self.shape.additional)
        return cast_for(shape_of(schema, self._document))(text) if schema is not None else text

    def _deep(self, fields: Fields) -> Record:
        found: Record = {}
        for wanted in self._names:
            for name, texts in fields.items():
                if name.startswith(wanted + "[") and name.endswith("]"):
                    keys = name[len(wanted) + 1 : -1].split("][")
                    _place(found, keys, texts, self.shape, self._document)
        return found


def _place(target: Record, keys: list[str], texts: list[str], shape: Shape, document: Record) -> None:
    for key in keys[:-1]:
        if not key:
            raise Undecodable("has an empty name in brackets")
        schema = shape.properties.get(key, shape.additional)
        shape = shape_of(schema, document)
        child = target.setdefault(key, {})
        if not isinstance(child, dict):
            raise Undecodable(f"gives {key!r} as a value and as an object")
        target = child
    key = keys[-1]
    schema = shape.properties.get(key, shape.additional)
    if schema is None:
        target[key] = texts[-1]
        return
    own = shape_of(schema, document)
    if "array" in own.types:
        cast = cast_for(shape_of(own.items, document))
        target[key] = [cast(text) for text in texts]
    else:
        target[key] = cast_for(own)(texts[-1])


def _as_text(text: str) -> JSON:
    return text


class BodyDecoder:
    """Decodes bodies of one media type."""

    def __init__(self, content: Content, document: Record) -> None:
        self.content = content
        self._document = document
        essence = content.media_type.partition(";")[0].strip()
        self._decode: Callable[[bytes, str, Decoded], JSON]
        if essence == "application/json" or essence.endswith("+json"):
            self._decode = self._json
        elif essence == "application/x-www-form-urlencoded":
            self._decode = self._form
        elif essence == "multipart/form-data":
            self._decode = self._multipart
        elif essence.startswith("text/"):
            self._decode = self._text
        else:
            self._decode = self._by_given_type

    def decode(self, body: bytes | Form, content_type: str, decoded: Decoded) -> JSON:
        """Return the body's value. Raises `Undecodable`."""
        return self._read_form(body, decoded) if isinstance(body, Form) else self._decode(body, content_type, decoded)

    def _json(self, body: bytes, content_type: str, decoded: Decoded) -> JSON:
        try:
            return values.parse(body)
        except values.NotJSON as error:
            raise Undecodable(str(error)) from None

    def _text(self, body: bytes, content_type: str, decoded: Decoded) -> JSON:
        try:
            return body.decode()
        except UnicodeDecodeError:
            raise Undecodable("is not UTF-8") from None

    def _by_given_type(self, body: bytes, content_type: str, decoded: Decoded) -> JSON:
        # A range such as */*: JSON that says so is read as JSON, all else is bytes.
        essence = content_type.partition(";")[0].strip().lower()
        if essence == "application/json" or essence.endswith("+json"):
            return self._json(body, content_type, decoded)
        return body.decode("latin-1")

    def _form(self, body: bytes, content_type: str, decoded: Decoded) -> JSON:
        fields: Fields = {}
        for name, value in parse_pairs(body):
            fields.setdefault(name, []).append(value)
        return self._fields(fields)

    def _multipart(self, body: bytes, content_type: str, decoded: Decoded) -> JSON:
        return self._form_of(*parse_multipart(body, content_type), decoded)

    def _read_form(self, form: Form, decoded: Decoded) -> JSON:
        if form.fault is not None:
            raise Undecodable(form.fault)
        return self._form_of(form.fields, form.uploads, decoded)

    def _form_of(self, fields: Fields, uploads: list[Upload], decoded: Decoded) -> JSON:
        decoded.uploads.extend(uploads)
        for upload in uploads:
            fields.setdefault(upload.name, []).append(upload.text)
        return self._fields(fields)

    def _fields(self, fields: Fields) -> Record:
        """Names may end in `[]` or go deeper, `a[b]`, as clients write arrays and maps."""
        shape = shape_of(self.content.schema, self._document)
        made: Record = {}
        for name, texts in fields.items():
            head, bracket, rest = name.partition("[")
            if name in shape.properties or not bracket or not rest.endswith("]"):
                made[name] = self._field(shape.properties.get(name, shape.additional), texts, name)
            elif rest == "]":
                made[head] = self._field(shape.properties.get(head, shape.additional), texts, head, many=True)
            else:
                _place(made, [head, *rest[:-1].split("][")], texts, shape, self._document)
        return made

    def _field(self, schema: Record | None, texts: list[str], name: str, *, many: bool = False) -> JSON:
        shape = shape_of(schema, self._document)
        told = self.content.encoding.get(name) or {}
        encoding = str(told.get("contentType") or "")
        if "style" in told or "explode" in told:
            style = told.get("style", "form")
            if told.get("explode", style == "form") is False:
                texts = texts[-1].split(_DELIMITERS.get(style, ","))
                many = True
        if "array" in shape.types and "string" not in shape.types:
            if len(texts) == 1 and not many and texts[0].lstrip().startswith("["):
                return _json_or_text(texts[0])  # an array as JSON text, as the encoding rules have it for objects
            items = shape_of(shape.items, self._document)
            if items.types & {"object"}:
                return [_json_or_text(text) for text in texts]
            cast = cast_for(items)
            return [cast(text) for text in texts]
        if many:
            cast = cast_for(shape)
            return [cast(text) for text in texts]
        if encoding.startswith("application/json") or "object" in shape.types:
            return _json_or_text(texts[-1])
        return cast_for(shape)(texts[-1])


_DELIMITERS = {"spaceDelimited": " ", "pipeDelimited": "|"}


def _json_or_text(text: str) -> JSON:
    try:
        return values.parse(text.encode())
    except values.NotJSON:
        return text


class RequestDecoder:
    """Decodes the requests of one operation."""

    def __init__(self, operation: Operation, document: Record) -> None:
        decoders = [ParameterDecoder(parameter, document) for parameter in operation.parameters]
        by_location: dict[str, list[ParameterDecoder]] = {"path": [], "query": [], "header": [], "cookie": []}
        for decoder in decoders:
            name = decoder.parameter.name.lower()
            if decoder.parameter.location == "header" and name in ("accept", "content-type", "authorization"):
                continue  # the standard says to ignore these
            by_location[decoder.parameter.location].append(decoder)
        self.path, self.query = by_location["path"], by_location["query"]
        self.header, self.cookie = by_location["header"], by_location["cookie"]
        self.parameters = [*self.path, *self.query, *self.header, *self.cookie]
        self._by_name = [(decoder.parameter.key.encode("latin-1", "replace"), decoder) for decoder in self.header]
        self._body = operation.body
        self._contents: dict[str, BodyDecoder] = {}
        self._ranges: dict[str, BodyDecoder] = {}
        for content in operation.body.contents if operation.body else ():
            essence = content.media_type.partition(";")[0].strip()
            table = self._ranges if "*" in essence else self._contents
            table.setdefault(essence, BodyDecoder(content, document))
        self._plain: dict[bytes, tuple[str, BodyDecoder | None]] = {
            essence.encode(): (essence, decoder) for essence, decoder in self._contents.items()
        }

    @property
    def bodies(self) -> list[BodyDecoder]:
        """The decoder of each media type that the operation takes."""
        return [*self._contents.values(), *self._ranges.values()]

    def decode(
        self, path: dict[str, str], query: bytes, headers: Headers, body: bytes | Form
    ) -> tuple[Decoded, BodyDecoder | None]:
        """Return the request as values, and which body decoder was used.

        What cannot be decoded is among the violations; a media type that is not taken has the keyword `media-type`.
        """
        decoded = Decoded({"path": {}, "query": {}, "header": {}, "cookie": {}})
        if path:
            values_ = decoded.parts["path"]
            for decoder in self.path:
                text = path[decoder.parameter.name]
                if decoder.is_text and "\0" not in text:
                    values_[decoder.parameter.name] = text
                else:
                    self._take(decoded, decoder, text)
        if self.query:
            self._decode_query(decoded, query)
        if self.header or self.cookie:
            read = read_once(headers, self._decode_headers)
            decoded.parts["header"], decoded.parts["cookie"] = dict(read.parts["header"]), dict(read.parts["cookie"])
            decoded.violations.extend(read.violations)
        if not body or self._body is None:
            return decoded, None
        return decoded, self._decode_body(decoded, headers, body)

    def _decode_query(self, decoded: Decoded, query: bytes) -> None:
        fields: Fields = {}
        if query:
            try:
                for name, value in parse_pairs(query):
                    fields.setdefault(name, []).append(value)
            except Undecodable as error:
                decoded.violations.append(Violation("query", "", str(error), keyword="decode"))
                return
        found = decoded.parts["query"]
        for decoder in self.query:
            try:
                present, value = decoder.from_fields(fields)
            except Undecodable as error:
                decoded.violations.append(_undecodable(decoder.parameter, error))
                continue
            if present:
                found[decoder.parameter.key] = value

    def _decode_headers(self, headers: Headers) -> Decoded:
        decoded = Decoded({"header": {}, "cookie": {}})
        for name, decoder in self._by_name:
            value = headers.get(name)
            if value is not None:
                self._take(decoded, decoder, value.decode("latin-1"))
        if self.cookie:
            sent = headers.get(b"cookie", b"").decode("latin-1")
            pairs = (piece.strip().partition("=") for piece in sent.split(";") if "=" in piece)
            cookies = {name: value for name, _, value in pairs}
            for decoder in self.cookie:
                text_ = cookies.get(decoder.parameter.name)
                if text_ is not None:
                    self._take(decoded, decoder, text_)
        return decoded

    def _take(self, decoded: Decoded, decoder: ParameterDecoder, text: str) -> None:
        parameter = decoder.parameter
        try:
            if "\0" in text:
                raise Undecodable("holds a NUL character")
            decoded.parts[parameter.location][parameter.key] = decoder.from_text(text)
        except Undecodable as error:
            decoded.violations.append(_undecodable(parameter, error))

    def _decode_body(self, decoded: Decoded, headers: Headers, body: bytes | Form) -> BodyDecoder | None:
        sent = headers.get(b"content-type", b"")
        essence, decoder = self._plain.get(sent) or ("", None)  # as nearly all clients write it
        content_type = essence
        if decoder is None:
            content_type = sent.decode("latin-1")
            essence = content_type.partition(";")[0].strip().lower()
            decoder = self._contents.get(essence) or self._ranged(essence)
        if decoder is None:
            taken = " or ".join(sorted([*self._contents, *self._ranges]))
            message = f"{essence or 'a body without a content type'} is not taken here, only {taken}"
            decoded.violations.append(Violation("body", "", message, keyword="media-type"))
            return None
        decoded.media_type = essence
        try:
            decoded.parts["body"] = decoder.decode(body, content_type, decoded)
        except Undecodable as error:
            decoded.violations.append(Violation("body", "", str(error), keyword="decode"))
        return decoder

    def _ranged(self, essence: str) -> BodyDecoder | None:
        if not essence:
            # A body that does not say what it is: JSON where that is taken, as lenient servers do.
            return self._contents.get("application/json")
        return self._ranges.get(essence.partition("/")[0] + "/*") or self._ranges.get("*/*")


def _undecodable(parameter: Parameter, error: Undecodable) -> Violation:
    place = values.pointer(parameter.key)
    return Violation(parameter.location, place, str(error), parameter.pointer, keyword="decode")
