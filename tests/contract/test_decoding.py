"""Texts to values: parameters by style and explode, bodies by media type.

The tables are those of the OpenAPI Specification 3.0.3, Style Values and Style Examples.
"""

from __future__ import annotations

import contextlib
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings, strategies

from mockserver.contract.contract import Contract
from mockserver.contract.decoding import Decoded, parse_pairs
from mockserver.contract.forms import Undecodable, parse_multipart
from mockserver.contract.normalising import normalise
from mockserver.contract.requests import ContractBroken, RequestPlan
from mockserver.contract.violations import Violation
from mockserver.values import JSON, Record

TEXT: Record = {"type": "string"}
ARRAY: Record = {"type": "array", "items": {"type": "string"}}
OBJECT: Record = {
    "type": "object",
    "properties": {"R": {"type": "integer"}, "G": {"type": "integer"}, "B": {"type": "integer"}},
}
SCHEMAS = {"string": TEXT, "array": ARRAY, "object": OBJECT}
VALUES: dict[str, JSON] = {"string": "blue", "array": ["blue", "black", "brown"], "object": {"R": 100, "G": 200, "B": 150}}


def plan(operation: Record, path: str = "/a", extensions: Record | None = None) -> RequestPlan:
    contract = Contract(
        normalise(
            {
                "openapi": "3.0.3",
                "info": {"title": "Tested", "version": "1"},
                "paths": {path: {"post": {"responses": {"200": {"description": "Fine."}}, **operation}}},
                "components": {},
                **(extensions or {}),
            }
        )
    )
    assert contract.faults == []
    return contract.requests[contract.operations[0]]


def parameter(where: str, schema: Record, name: str = "color", **more: JSON) -> RequestPlan:
    described = {"name": name, "in": where, "schema": schema, **({"required": True} if where == "path" else {}), **more}
    return plan({"parameters": [described]}, "/a/{" + name + "}" if where == "path" else "/a")


def decode(made: RequestPlan, where: str, text: str, name: str = "color") -> JSON:
    """The value of a parameter; `...` when it is taken for absent."""
    headers: dict[bytes, bytes] = {}
    if where == "header":
        headers = {name.lower().encode(): text.encode()}
    elif where == "cookie":
        headers = {b"cookie": text.encode()}
    query = text.encode() if where == "query" else b""
    decoded, _ = made.decoder.decode({name: text} if where == "path" else {}, query, headers, b"")
    if decoded.violations:
        raise Undecodable(str(decoded.violations[0]))
    return decoded.parts[where].get(name.lower() if where == "header" else name, ...)


STYLES = [
    ("path", "matrix", False, "string", ";color=blue"),
    ("path", "matrix", False, "array", ";color=blue,black,brown"),
    ("path", "matrix", False, "object", ";color=R,100,G,200,B,150"),
    ("path", "matrix", True, "string", ";color=blue"),
    ("path", "matrix", True, "array", ";color=blue;color=black;color=brown"),
    ("path", "matrix", True, "object", ";R=100;G=200;B=150"),
    ("path", "label", False, "string", ".blue"),
    ("path", "label", False, "array", ".blue.black.brown"),
    ("path", "label", False, "object", ".R.100.G.200.B.150"),
    ("path", "label", True, "string", ".blue"),
    ("path", "label", True, "array", ".blue.black.brown"),
    ("path", "label", True, "object", ".R=100.G=200.B=150"),
    ("path", "simple", False, "string", "blue"),
    ("path", "simple", False, "array", "blue,black,brown"),
    ("path", "simple", False, "object", "R,100,G,200,B,150"),
    ("path", "simple", True, "string", "blue"),
    ("path", "simple", True, "array", "blue,black,brown"),
    ("path", "simple", True, "object", "R=100,G=200,B=150"),
    ("header", "simple", False, "string", "blue"),
    ("header", "simple", False, "array", "blue,black,brown"),
    ("header", "simple", False, "object", "R,100,G,200,B,150"),
    ("header", "simple", True, "string", "blue"),
    ("header", "simple", True, "array", "blue,black,brown"),
    ("header", "simple", True, "object", "R=100,G=200,B=150"),
    ("query", "form", False, "string", "color=blue"),
    ("query", "form", False, "array", "color=blue,black,brown"),
    ("query", "form", False, "object", "color=R,100,G,200,B,150"),
    ("query", "form", True, "string", "color=blue"),
    ("query", "form", True, "array", "color=blue&color=black&color=brown"),
    ("query", "form", True, "object", "R=100&G=200&B=150"),
    ("query", "spaceDelimited", False, "array", "color=blue%20black%20brown"),
    ("query", "spaceDelimited", False, "object", "color=R%20100%20G%20200%20B%20150"),
    ("query", "pipeDelimited", False, "array", "color=blue|black|brown"),
    ("query", "pipeDelimited", False, "object", "color=R|100|G|200|B|150"),
    ("query", "deepObject", True, "object", "color[R]=100&color[G]=200&color[B]=150"),
    ("cookie", "form", False, "string", "color=blue"),
    ("cookie", "form", False, "array", "color=blue,black,brown"),
    ("cookie", "form", False, "object", "color=R,100,G,200,B,150"),
    ("cookie", "form", True, "string", "color=blue"),
]
"""Arrays and objects in exploded cookies are left out: `&` separates no cookies, so the standard's text has no meaning."""


@pytest.mark.parametrize(
    ("where", "style", "explode", "kind", "text"),
    STYLES,
    ids=[f"{where}-{style}-{'explode' if explode else 'whole'}-{kind}" for where, style, explode, kind, _ in STYLES],
)
def test_style_examples_of_the_standard(where: str, style: str, explode: bool, kind: str, text: str) -> None:
    assert decode(parameter(where, SCHEMAS[kind], style=style, explode=explode), where, text) == VALUES[kind]


EMPTY = [
    ("path", "matrix", False, ";color"),
    ("path", "matrix", True, ";color"),
    ("path", "label", False, "."),
    ("path", "label", True, "."),
    ("query", "form", False, "color="),
    ("query", "form", True, "color="),
]


@pytest.mark.parametrize(("where", "style", "explode", "text"), EMPTY, ids=str)
def test_style_examples_of_the_empty_text(where: str, style: str, explode: bool, text: str) -> None:
    assert decode(parameter(where, TEXT, style=style, explode=explode), where, text) == ""


@pytest.mark.parametrize(("kind", "text"), [("array", ".blue,black,brown"), ("object", ".R,100,G,200,B,150")])
def test_label_style_takes_commas_as_rfc_6570_has_it(kind: str, text: str) -> None:
    """The table of 3.0.3 writes dots here, RFC 6570 (3.2.5), which the standard names, commas: clients send either."""
    assert decode(parameter("path", SCHEMAS[kind], style="label", explode=False), "path", text) == VALUES[kind]


DEFAULTS = [
    ("path", "array", "blue,black,brown"),
    ("path", "object", "R,100,G,200,B,150"),
    ("header", "array", "blue,black,brown"),
    ("header", "object", "R,100,G,200,B,150"),
    ("query", "array", "color=blue&color=black&color=brown"),
    ("query", "object", "R=100&G=200&B=150"),
    ("cookie", "string", "color=blue"),
]


@pytest.mark.parametrize(("where", "kind", "text"), DEFAULTS)
def test_style_defaults_of_each_place(where: str, kind: str, text: str) -> None:
    """`simple` for path and header, `form` for query and cookie; explode only for `form` (Parameter Object)."""
    assert decode(parameter(where, SCHEMAS[kind]), where, text) == VALUES[kind]


@pytest.mark.parametrize("style", ["spaceDelimited", "pipeDelimited", "deepObject"])
def test_explode_default_is_off_but_for_form(style: str) -> None:
    made = parameter("query", ARRAY, style=style)
    assert made.operation.parameters[0].explode is False


@pytest.mark.parametrize("text", ["color=blue+black+brown", "color=blue%20black%20brown"])
def test_space_delimited_takes_both_spellings_of_a_space(text: str) -> None:
    assert decode(parameter("query", ARRAY, style="spaceDelimited", explode=False), "query", text) == VALUES["array"]


def test_pipe_delimited_takes_encoded_pipes() -> None:
    made = parameter("query", ARRAY, style="pipeDelimited", explode=False)
    assert decode(made, "query", "color=blue%7Cblack%7Cbrown") == VALUES["array"]


def test_form_array_takes_encoded_commas() -> None:
    """HTTP clients encode commas within a value, so both mean the same here (*chosen*)."""
    assert decode(parameter("query", ARRAY, explode=False), "query", "color=blue%2Cblack%2Cbrown") == VALUES["array"]


def test_header_array_takes_spaces_after_commas() -> None:
    """RFC 9110, 5.6.1: a recipient of a list takes optional white space around its commas."""
    made = parameter("header", {"type": "array", "items": {"type": "integer"}})
    assert decode(made, "header", "1, 2 ,3") == [1, 2, 3]


@pytest.mark.parametrize("text", ["color=blue", "color[]=blue"])
def test_form_array_of_one(text: str) -> None:
    assert decode(parameter("query", ARRAY), "query", text) == ["blue"]


def test_form_array_takes_names_with_brackets() -> None:
    assert decode(parameter("query", ARRAY), "query", "color[]=blue&color[]=black&color[]=brown") == VALUES["array"]


def test_array_items_are_cast() -> None:
    made = parameter("query", {"type": "array", "items": {"type": "integer"}}, explode=False)
    assert decode(made, "query", "color=1,x,3") == [1, "x", 3]


def test_object_of_odd_pieces_cannot_be_decoded() -> None:
    with pytest.raises(Undecodable, match="names and values"):
        decode(parameter("query", OBJECT, explode=False), "query", "color=R,100,G")


DEEP: Record = {
    "type": "object",
    "properties": {
        "n": {"type": "integer"},
        "inner": {
            "type": "object",
            "properties": {"flag": {"type": "boolean"}, "list": {"type": "array", "items": {"type": "integer"}}},
        },
    },
    "additionalProperties": {"type": "number"},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("f[n]=5", {"n": 5}),
        ("f%5Bn%5D=5", {"n": 5}),
        ("f[inner][flag]=true", {"inner": {"flag": True}}),
        ("f[inner][list]=1&f[inner][list]=2", {"inner": {"list": [1, 2]}}),
        ("f[other]=1.5", {"other": 1.5}),
        ("f[n]=5&g[n]=6&x=1", {"n": 5}),
        ("f[n]=text", {"n": "text"}),
        ("f[n]=1&f[n]=2", {"n": 2}),
        ("x=1", ...),
        ("", ...),
    ],
)
def test_deep_objects(text: str, value: JSON) -> None:
    assert decode(parameter("query", DEEP, name="f", style="deepObject", explode=True), "query", text, "f") == value


def test_deep_object_that_contradicts_itself_cannot_be_decoded() -> None:
    made = parameter("query", DEEP, name="f", style="deepObject", explode=True)
    with pytest.raises(Undecodable, match="as a value and as an object"):
        decode(made, "query", "f[inner]=1&f[inner][flag]=true", "f")


@pytest.mark.parametrize("name", ["f", "filter.x", "a+b", "(x"])
def test_deep_object_names_are_no_patterns(name: str) -> None:
    made = parameter("query", DEEP, name=name, style="deepObject", explode=True)
    assert decode(made, "query", urlencode({f"{name}[n]": "5"}), name) == {"n": 5}


@given(strategies.text(strategies.sampled_from("f[]=&n+%20ié"), max_size=30))
@settings(max_examples=200, deadline=None)
def test_query_texts_never_fail_in_another_way(text: str) -> None:
    made = PARAMETERS
    decoded, _ = made.decoder.decode({}, text.encode(), {}, b"")
    assert set(decoded.parts["query"]) <= {"f", "list", "object"}


PARAMETERS = plan(
    {
        "parameters": [
            {"name": "f", "in": "query", "style": "deepObject", "explode": True, "schema": DEEP},
            {"name": "list", "in": "query", "schema": ARRAY},
            {"name": "object", "in": "query", "schema": OBJECT},
        ]
    }
)

CASTS: list[tuple[Record, str, JSON]] = [
    ({"type": "integer"}, "5", 5),
    ({"type": "integer"}, "-5", -5),
    ({"type": "integer"}, "0", 0),
    ({"type": "integer"}, "123456789012345678901234567890", 123456789012345678901234567890),
    ({"type": "integer"}, "1_000", "1_000"),
    ({"type": "integer"}, "+5", "+5"),
    ({"type": "integer"}, "05", "05"),
    ({"type": "integer"}, " 5", " 5"),
    ({"type": "integer"}, "5.0", "5.0"),
    ({"type": "integer"}, "٣", "٣"),
    ({"type": "integer"}, "", ""),
    ({"type": "integer"}, "5\n", "5\n"),
    ({"type": "number"}, "1.5", 1.5),
    ({"type": "number"}, "-2e3", -2000.0),
    ({"type": "number"}, "7", 7),
    ({"type": "number"}, ".5", ".5"),
    ({"type": "number"}, "5.", "5."),
    ({"type": "number"}, "nan", "nan"),
    ({"type": "number"}, "Infinity", "Infinity"),
    ({"type": "boolean"}, "true", True),
    ({"type": "boolean"}, "false", False),
    ({"type": "boolean"}, "True", True),
    ({"type": "boolean"}, "yes", "yes"),
    ({"type": "boolean"}, "1", "1"),
    ({"type": "boolean"}, "TRUE", "TRUE"),
    ({"type": "string"}, "5", "5"),
    ({"type": "string"}, "true", "true"),
    ({}, "5", "5"),
    ({"type": "integer", "nullable": True}, "null", None),
    ({"type": "string", "nullable": True}, "null", "null"),
    ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "5", 5),
    ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "x", "x"),
    ({"allOf": [{"type": "integer"}, {"minimum": 1}]}, "5", 5),
]


@pytest.mark.parametrize("where", ["query", "path", "header", "cookie"])
@pytest.mark.parametrize(("schema", "text", "value"), CASTS, ids=[f"{schema}-{text!r}" for schema, text, _ in CASTS])
def test_casts_are_strict(where: str, schema: Record, text: str, value: JSON) -> None:
    """Spellings are JSON's, with `True` and `False` as Python clients write them; other texts stay for the schema to refuse."""
    made = parameter(where, schema)
    if where in ("header", "cookie") and (not text.isascii() or text != text.strip()):
        text, value = "x", "x"  # no header holds such a text
    if where == "query":
        sent = urlencode({"color": text})
    elif where == "cookie":
        sent = f"color={text}"
    else:
        sent = text
    found = decode(made, where, sent)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["1e999", "-1e999", "1" * 400 + ".5", "9" * 5000])
@pytest.mark.parametrize("kind", ["number", "integer"])
def test_numbers_beyond_a_double_are_refused(kind: str, text: str) -> None:
    made = parameter("query", {"type": kind})
    with pytest.raises(ContractBroken) as caught:
        made.read({}, f"color={text}".encode(), {}, b"")
    assert [violation.part for violation in caught.value.violations()] == ["query"]


def test_parameter_in_json_is_parsed() -> None:
    made = plan({"parameters": [{"name": "q", "in": "query", "content": {"application/json": {"schema": {"type": "object"}}}}]})
    assert decode(made, "query", urlencode({"q": '{"a": [1]}'}), "q") == {"a": [1]}


@pytest.mark.parametrize("text", ["{", "", "nope"])
def test_parameter_in_broken_json_cannot_be_decoded(text: str) -> None:
    made = plan({"parameters": [{"name": "q", "in": "query", "content": {"application/json": {"schema": {"type": "object"}}}}]})
    with pytest.raises(Undecodable, match="is not valid JSON"):
        decode(made, "query", urlencode({"q": text}), "q")


def test_alias_is_another_name() -> None:
    made = parameter("query", {"type": "integer"}, name="page_size", **{"x-aliases": ["pageSize"]})
    assert decode(made, "query", "pageSize=5", "page_size") == 5
    assert decode(made, "query", "page_size=6&pageSize=5", "page_size") == 6


def absent(required: bool) -> RequestPlan:
    described = {"name": "q", "in": "query", "required": required, "schema": {"type": "string"}}
    return plan({"parameters": [described]}, extensions={"x-absent-values": ["None"]})


def test_absent_value_means_left_out() -> None:
    assert decode(absent(False), "query", "q=None", "q") is ...
    assert decode(absent(False), "query", "q=none", "q") == "none"


def test_absent_value_of_a_required_parameter_is_its_value() -> None:
    assert decode(absent(True), "query", "q=None", "q") == "None"


def test_absent_values_are_for_queries_alone() -> None:
    described = {"name": "q", "in": "header", "schema": {"type": "string"}}
    made = plan({"parameters": [described]}, extensions={"x-absent-values": ["None"]})
    assert decode(made, "header", "None", "q") == "None"


def test_defaults_are_filled_in() -> None:
    made = parameter("query", {"type": "integer", "default": 7})
    assert made.read({}, b"", {}, b"").query == {"color": 7}
    assert made.read({}, b"color=1", {}, b"").query == {"color": 1}


@pytest.mark.parametrize("name", ["Accept", "Content-Type", "Authorization", "accept"])
def test_headers_of_http_itself_are_no_parameters(name: str) -> None:
    """OpenAPI 3.0.3, Parameter Object: such definitions are ignored."""
    made = parameter("header", {"type": "integer"}, name=name, required=True)
    assert made.read({}, b"", {}, b"").header == {}


def test_header_names_have_no_case() -> None:
    made = parameter("header", {"type": "integer"}, name="X-Count")
    assert made.read({}, b"", {b"x-count": b"5"}, b"").header == {"x-count": 5}


def test_cookie_among_others_is_found() -> None:
    made = parameter("cookie", {"type": "integer"}, name="c")
    assert decode(made, "cookie", "a=1; c=5;b=x=y; junk", "c") == 5


@pytest.mark.parametrize("query", [b"q=%FF", b"%FF=1", b"q=%00", b"q=a%00b", b"q=\xff"])
def test_query_that_is_no_text_is_refused(query: bytes) -> None:
    with pytest.raises(ContractBroken) as caught:
        parameter("query", TEXT, name="q").read({}, query, {}, b"")
    assert [violation.keyword for violation in caught.value.violations()] == ["decode"]


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        (b"", []),
        (b"&&", []),
        (b"a", [("a", "")]),
        (b"a=1&a=2", [("a", "1"), ("a", "2")]),
        (b"a=b=c", [("a", "b=c")]),
        (b"a+b=c+d%2B", [("a b", "c d+")]),
        (b"%C3%A9=%E2%82%AC", [("é", "€")]),
        (b"a=%zz%", [("a", "%zz%")]),
    ],
)
def test_pairs_of_a_query(text: bytes, pairs: list[tuple[str, str]]) -> None:
    assert parse_pairs(text) == pairs


# Bodies.

FORM: Record = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "count": {"type": "integer"},
        "flag": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "numbers": {"type": "array", "items": {"type": "integer"}},
        "address": {"type": "object", "properties": {"city": {"type": "string"}, "zip": {"type": "integer"}}},
        "rows": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
        "file": {"type": "string", "format": "binary"},
        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
    },
}
URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"


def taking(*media_types: str, schema: Record | None = None, **content: JSON) -> RequestPlan:
    described = {name: {**({"schema": schema} if schema is not None else {}), **content} for name in media_types}
    return plan({"requestBody": {"required": True, "content": described}})


def body_of(made: RequestPlan, content_type: str | None, body: bytes) -> Decoded:
    headers = {} if content_type is None else {b"content-type": content_type.encode()}
    decoded, _ = made.decoder.decode({}, b"", headers, body)
    return decoded


def violations_of(made: RequestPlan, content_type: str | None, body: bytes) -> list[Violation]:
    headers = {} if content_type is None else {b"content-type": content_type.encode()}
    with pytest.raises(ContractBroken) as caught:
        made.read({}, b"", headers, body)
    return caught.value.violations()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("name=a&count=5&flag=true", {"name": "a", "count": 5, "flag": True}),
        ("count=x", {"count": "x"}),
        ("tags=a&tags=b", {"tags": ["a", "b"]}),
        ("tags=a", {"tags": ["a"]}),
        ("tags[]=a&tags[]=b", {"tags": ["a", "b"]}),
        ("numbers=1&numbers=x", {"numbers": [1, "x"]}),
        ('tags=["a","b"]', {"tags": ["a", "b"]}),
        ('address={"city":"x","zip":1}', {"address": {"city": "x", "zip": 1}}),
        ("address=none", {"address": "none"}),
        ("address[city]=x&address[zip]=1", {"address": {"city": "x", "zip": 1}}),
        ('rows={"n":1}&rows={"n":2}', {"rows": [{"n": 1}, {"n": 2}]}),
        ("unknown=1", {"unknown": "1"}),
        ("name=a+b%2B%C3%A9", {"name": "a b+é"}),
        ("name=a&name=b", {"name": "b"}),
        ("name=", {"name": ""}),
    ],
    ids=str,
)
def test_form_bodies(text: str, value: JSON) -> None:
    assert body_of(taking(URLENCODED, schema=FORM), URLENCODED, text.encode()).parts["body"] == value


def test_form_encoding_object_may_turn_explode_off() -> None:
    """OpenAPI 3.0.3, Encoding Object: `style` and `explode` are those of a query parameter, for forms alone."""
    made = taking(URLENCODED, schema=FORM, encoding={"numbers": {"style": "form", "explode": False}})
    assert body_of(made, URLENCODED, b"numbers=1,2,3").parts["body"] == {"numbers": [1, 2, 3]}


@pytest.mark.parametrize("body", [b"name=%FF", b"name=%00", b"\xff=1"])
def test_form_that_is_no_text_is_refused(body: bytes) -> None:
    assert [violation.keyword for violation in violations_of(taking(URLENCODED, schema=FORM), URLENCODED, body)] == ["decode"]


def multipart(*parts: tuple[str, bytes], boundary: str = "b0undary") -> tuple[str, bytes]:
    """A body of these parts, each with the rest of its disposition, and its content type."""
    pieces = [
        f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + data + b"\r\n" for head, data in parts
    ]
    return f"{MULTIPART}; boundary={boundary}", b"".join(pieces) + f"--{boundary}--\r\n".encode()


def read_parts(*parts: tuple[str, bytes]) -> Decoded:
    content_type, body = multipart(*parts)
    return body_of(taking(MULTIPART, schema=FORM), content_type, body)


@pytest.mark.parametrize(
    ("parts", "value"),
    [
        ([('name="name"', b"a")], {"name": "a"}),
        ([('name="count"', b"5"), ('name="flag"', b"false")], {"count": 5, "flag": False}),
        ([('name="tags"', b"a"), ('name="tags"', b"b")], {"tags": ["a", "b"]}),
        ([('name="tags[]"', b"a")], {"tags": ["a"]}),
        ([('name="numbers"', b"[1,2]")], {"numbers": [1, 2]}),
        ([('name="address"', b'{"city":"x"}')], {"address": {"city": "x"}}),
        ([('name="address"\r\nContent-Type: application/json', b'{"city":"x"}')], {"address": {"city": "x"}}),
        ([('name="address[zip]"', b"1")], {"address": {"zip": 1}}),
        ([("name=name", b"a")], {"name": "a"}),
        ([('name="name"', "é".encode())], {"name": "é"}),
        ([('name="name"', b"")], {"name": ""}),
        ([('name="name"', b"a\r\nb")], {"name": "a\r\nb"}),
    ],
    ids=str,
)
def test_multipart_bodies(parts: list[tuple[str, bytes]], value: JSON) -> None:
    decoded = read_parts(*parts)
    assert decoded.violations == []
    assert decoded.parts["body"] == value


def test_multipart_files_are_uploads() -> None:
    decoded = read_parts(('name="file"; filename="a.bin"\r\nContent-Type: image/png', b"\x89PNG\xff"))
    (upload,) = decoded.uploads
    assert (upload.name, upload.file_name, upload.media_type, upload.content) == ("file", "a.bin", "image/png", b"\x89PNG\xff")
    assert decoded.parts["body"] == {"file": "\x89PNG\xff"}


def test_multipart_many_files_under_one_name() -> None:
    decoded = read_parts(('name="files"; filename="a"', b"1"), ('name="files"; filename="b"', b"2"))
    assert [upload.content for upload in decoded.uploads] == [b"1", b"2"]
    assert decoded.parts["body"] == {"files": ["1", "2"]}


def test_multipart_file_that_looks_like_json_stays_bytes() -> None:
    """What is a file by its schema is not read as something else."""
    decoded = read_parts(('name="file"; filename="a.json"', b'{"a": 1}'))
    assert decoded.parts["body"] == {"file": '{"a": 1}'}


def test_multipart_file_name_in_quotes_and_spaces() -> None:
    (upload,) = read_parts(('name="file"; filename="my file; é.txt"', b"x")).uploads
    assert upload.file_name == "my file; é.txt"


def test_multipart_empty_file_is_a_file() -> None:
    (upload,) = read_parts(('name="file"; filename="empty"', b"")).uploads
    assert upload.content == b""


def test_multipart_with_a_quoted_boundary() -> None:
    _, body = multipart(('name="name"', b"a"), boundary="x y")
    assert body_of(taking(MULTIPART, schema=FORM), f'{MULTIPART}; boundary="x y"', body).parts["body"] == {"name": "a"}


BAD_MULTIPART = {
    "no-boundary": (MULTIPART, b"--b\r\n"),
    "empty-boundary": (f"{MULTIPART}; boundary=", b"--\r\n"),
    "wrong-boundary": (
        f"{MULTIPART}; boundary=other",
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n',
    ),
    "garbage": (f"{MULTIPART}; boundary=b", b"garbage"),
    "not-ended": (f"{MULTIPART}; boundary=b", b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'),
    "no-name": (f"{MULTIPART}; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--\r\n"),
    "no-headers": (f"{MULTIPART}; boundary=b", b"--b\r\n\r\n1\r\n--b--\r\n"),
    "bad-header": (f"{MULTIPART}; boundary=b", b"--b\r\n: \x00\r\n\r\n1\r\n--b--\r\n"),
    "long-boundary": (f"{MULTIPART}; boundary={'b' * 5000}", b"--b\r\n"),
    "boundary-with-equals": (f"{MULTIPART}; boundary=a=b", b"--a=b\r\n"),
    "boundary-in-pieces": (f"{MULTIPART}; boundary*0=a; boundary*=b", b"--a\r\n"),
    "boundary-numbered-high": (f"{MULTIPART}; boundary*{'9' * 5000}=a", b"--a\r\n"),
    "boundary-encoded": (f"{MULTIPART}; boundary*=utf-9''%ff", b"--a\r\n"),
    "name-in-pieces": (
        f"{MULTIPART}; boundary=b",
        b"--b\r\nContent-Disposition: form-data; name*=utf-8''a; name*0=b\r\n\r\n1\r\n--b--\r\n",
    ),
    "nul-in-name": (f"{MULTIPART}; boundary=b", b'--b\r\nContent-Disposition: form-data; name="\0"\r\n\r\n1\r\n--b--\r\n'),
    "nul-in-value": (f"{MULTIPART}; boundary=b", b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\0\r\n--b--\r\n'),
}


@pytest.mark.parametrize("name", BAD_MULTIPART)
def test_multipart_that_is_bad_is_refused(name: str) -> None:
    """Never another exception: that would be a 500 for what the client did wrong."""
    content_type, body = BAD_MULTIPART[name]
    found = violations_of(taking(MULTIPART, schema=FORM), content_type, body)
    assert [(violation.part, violation.keyword) for violation in found] == [("body", "decode")]


PIECES = strategies.sampled_from(
    [b"--b", b"--b--", b"\r\n", b"\r", b"\n", b"Content-Disposition: form-data", b'; name="a"', b"; name=", b"; filename=x",
     b"; name*=utf-8''a", b"; name*0=a", b"Content-Type: ", b"multipart/mixed; boundary=c", b"message/rfc822", b":", b"\xff",
     b"\0", b"Content-Transfer-Encoding: base64", b"a[", b"][", b"]"]
)  # fmt: skip


@given(
    strategies.lists(PIECES | strategies.binary(max_size=4), max_size=25), strategies.sampled_from(["b", '"b"', "b; charset=x"])
)
@settings(max_examples=300, deadline=None)
def test_multipart_never_fails_in_another_way(pieces: list[bytes], boundary: str) -> None:
    with contextlib.suppress(Undecodable):
        fields, uploads = parse_multipart(b"--b\r\n" + b"".join(pieces) + b"\r\n--b--\r\n", f"{MULTIPART}; boundary={boundary}")
        assert all(fields)
        assert all(upload.name for upload in uploads)


@given(strategies.lists(strategies.sampled_from(["a", "b", "file", "[", "]", "[]", "[a]", "0", ""]), min_size=1, max_size=6))
@settings(max_examples=200, deadline=None)
def test_form_names_never_fail_in_another_way(pieces: list[str]) -> None:
    decoded = body_of(FORMS, URLENCODED, f"{''.join(pieces)}=1&address[a]=1&address=2".encode())
    assert "body" in decoded.parts or decoded.violations


FORMS = taking(URLENCODED, schema=FORM)

JSON_BODY: Record = {"type": "object"}


@pytest.mark.parametrize(
    ("taken", "sent"),
    [
        ("application/json", "application/json"),
        ("application/json", "Application/JSON; charset=utf-8"),
        ("application/json; charset=utf-8", "application/json"),
        ("APPLICATION/JSON", "application/json"),
        ("application/merge-patch+json", "application/merge-patch+json"),
        ("application/*", "application/json"),
        ("application/*", "application/vnd.any+json"),
        ("*/*", "application/json"),
    ],
)
def test_media_types_of_json(taken: str, sent: str) -> None:
    assert body_of(taking(taken, schema=JSON_BODY), sent, b'{"a": 1}').parts["body"] == {"a": 1}


@pytest.mark.parametrize(
    ("taken", "sent"),
    [
        ("application/json", "text/plain"),
        ("application/json", "application/jsonp"),
        ("application/json", "application"),
        ("application/*", "text/plain"),
        ("text/*", "application/json"),
        ("application/json", "*/*"),
        ("text/plain", None),
        ("application/json", "garbage;;;="),
    ],
)
def test_media_type_that_is_not_taken(taken: str, sent: str | None) -> None:
    found = violations_of(taking(taken), sent, b"{}")
    assert [(violation.part, violation.keyword) for violation in found] == [("body", "media-type")]
    assert taken in found[0].message


def test_media_type_named_exactly_wins_over_ranges() -> None:
    made = plan(
        {
            "requestBody": {
                "content": {
                    "*/*": {"schema": {"type": "string"}},
                    "application/*": {"schema": {"type": "string"}},
                    "application/json": {"schema": {"type": "object"}},
                }
            }
        }
    )
    headers = {b"content-type": b"application/json"}
    assert made.read({}, b"", headers, b"{}").body == {}


def test_media_type_range_of_its_kind_wins_over_all() -> None:
    content = {"*/*": {"schema": {"maxLength": 1}}, "text/*": {"schema": {"maxLength": 9}}}
    made = plan({"requestBody": {"content": content}})
    assert made.read({}, b"", {b"content-type": b"text/x"}, b"abc").body == "abc"


@pytest.mark.parametrize("sent", ["application/octet-stream", "image/png"])
def test_media_type_range_takes_other_bytes_as_they_are(sent: str) -> None:
    made = taking("*/*", schema={"type": "string", "format": "binary"})
    request = made.read({}, b"", {b"content-type": sent.encode()}, b"\xff\x00\x89")
    assert request.raw_body == b"\xff\x00\x89"
    assert request.body == "\xff\x00\x89"
    assert request.media_type == sent


def test_body_without_content_type_is_json_where_that_is_taken() -> None:
    assert body_of(taking("application/json", schema=JSON_BODY), None, b'{"a": 1}').parts["body"] == {"a": 1}


def test_body_of_text_is_text() -> None:
    assert body_of(taking("text/plain"), "text/plain; charset=utf-8", "é".encode()).parts["body"] == "é"


@pytest.mark.parametrize(
    ("media_type", "body"),
    [("text/plain", b"\xff"), ("application/json", b"\xff"), ("application/json", b"{"), ("application/json", b"NaN")],
)
def test_body_that_cannot_be_decoded_is_refused(media_type: str, body: bytes) -> None:
    found = violations_of(taking(media_type), media_type, body)
    assert [(violation.part, violation.keyword) for violation in found] == [("body", "decode")]


def test_body_that_is_missing_is_refused() -> None:
    (found,) = violations_of(taking("application/json"), "application/json", b"")
    assert (found.part, found.pointer, found.keyword) == ("body", "", "required")


def test_body_where_none_is_taken_is_passed_over() -> None:
    assert plan({}).read({}, b"", {b"content-type": b"application/json"}, b"garbage").body is None


def test_uploads_are_given_to_the_stub() -> None:
    content_type, body = multipart(('name="file"; filename="a"', b"1"))
    request: Any = taking(MULTIPART, schema=FORM).read({}, b"", {b"content-type": content_type.encode()}, body)
    assert [upload.file_name for upload in request.uploads] == ["a"]
