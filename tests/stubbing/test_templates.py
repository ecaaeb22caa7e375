"""Templates of answers, dates in them, and delays: what is written, what is drawn, what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.stubbing import answers, delays, templates
from mockserver.stubbing.asked import Asked
from mockserver.stubbing.dates import NoFormat, NoOffset, offset_of, written
from mockserver.stubbing.refusals import Refusals
from mockserver.stubbing.templates import Scope
from mockserver.values import JSON, Record
from mockserver.world.ids import Ids
from mockserver.world.world import World

AT = datetime(2026, 5, 3, 17, 8, 55, 120_000, tzinfo=UTC)
HEADERS = [(b"host", b"mock:81"), (b"cookie", b"sid=9"), (b"content-type", b"application/x-www-form-urlencoded")]


def rendered(template: JSON, body: bytes = b'{"name": "Ada", "n": [1, {"a": null}], "s": ""}') -> JSON:
    refusals = Refusals()
    templates.check(template, "", refusals)
    assert refusals.found == []
    world = World("w", 0, {})
    world.clock.freeze(AT)
    asked = Asked("POST", "/v1/widgets/w-1", b"a=1&a=2&b=x%20y", HEADERS, body, None, "/v1")
    return templates.render(template, Scope(asked, world, Ids(7)))


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain { text }", "plain { text }"),
        ("{{request.url}} {{{request.path}}} {{&request.method}}", "/v1/widgets/w-1?a=1&a=2&b=x%20y /v1/widgets/w-1 POST"),
        ("{{request.pathSegments.[1]}} {{request.path.[2]}} {{request.path.[9]}}", "widgets w-1 "),
        ("{{request.query.a}} {{request.query.a.[1]}} {{request.query.b}} {{request.query.none}}", "1 2 x y "),
        ("{{request.headers.Host}} {{request.cookies.sid}} {{request.host}}", "mock:81 9 mock:81"),
        ("{{jsonPath request.body '$.name'}} {{jsonPath request.body '$.n'}}", 'Ada [1,{"a":null}]'),
        ("{{jsonPath request.body '$.none' default='x'}}{{jsonPath request.query.a '$.a'}}", "x"),
        ("{{upper (jsonPath request.body '$.name')}} {{size request.query.b}} {{trim '  a '}}", "ADA 3 a"),
        (
            "{{now}} {{now format='epoch'}} {{now format='unix' offset='-1 minutes'}}",
            "2026-05-03T17:08:55Z 1777828135120 1777828075",
        ),
        ("{{base64 'a'}} {{base64 'YQ==' decode=true}} {{urlEncode 'a b/c'}}", "YQ== a a%20b%2Fc"),
        ("{{regexExtract request.path 'w-[0-9]+'}} {{regexExtract request.path 'z' default='none'}}", "w-1 none"),
        ("{{default request.query.none 'x'}}{{default request.query.a 'x'}}", "x1"),
        (
            "{{#request.query.a}}yes{{/request.query.a}}{{^request.query.none}}, no{{/request.query.none}}{{! a note }}",
            "yes, no",
        ),
        ("{{request.query.b}} & <{{request.method}}>", "x y & <POST>"),
        ({"a": ["{{request.method}}", 1, None], "{{b}}": True}, {"a": ["POST", 1, None], "{{b}}": True}),
    ],
)
def test_template_is_rendered(template: JSON, expected: JSON) -> None:
    assert rendered(template) == expected


def test_form_can_be_read() -> None:
    assert rendered("{{request.formData.town}}", b"town=Ely&x=1") == "Ely"


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [("UUID", r"[0-9a-f-]{36}"), ("NUMERIC", r"\d{8}"), ("HEXADECIMAL", r"[0-9a-f]{8}"), ("ALPHABETIC", r"[A-Za-z]{8}")],
)
def test_random_value_is_of_its_type_and_of_the_seed(kind: str, pattern: str) -> None:
    template = f"{{{{randomValue type='{kind}' length=8}}}}"
    assert rendered("{{regexExtract '" + rendered(template) + "' '^" + pattern + "$'}}") == rendered(template)


def test_choices_are_of_the_seed() -> None:
    template = "{{pickRandom 'a' 'b' 'c'}} {{randomInt lower=5 upper=7}}"
    choice, number = rendered(template).split()
    assert choice in "abc"
    assert number in ("5", "6")
    assert rendered(template) == f"{choice} {number}"


@pytest.mark.parametrize(
    ("template", "part"),
    [
        ("{{#each request.query.a}}x{{/each}}", "block"),
        ("{{#if request.query.a}}x{{/if}}", "block"),
        ("{{name}}", "names name"),
        ("{{request.multipart}}", "names request.multipart"),
        ("{{soap 'x'}}", "soap"),
        ("{{jsonPath request.body}}", "takes 2"),
        ("{{jsonPath request.body '$['}}", "JSONPath"),
        ("{{now format='QQ'}}", "QQ"),
        ("{{now offset='soon'}}", "soon"),
        ("{{now zone='x'}}", "zone="),
        ("{{randomValue type='EMOJI'}}", "EMOJI"),
        ("{{upper (jsonPath request.body '$.a'}}", "brackets"),
        ("{{upper 'a' 'b'}}", "takes 1"),
        ("{{regexExtract 'a' '('}}", "regular expression"),
        ("{{> partial}}", "partials"),
        ("{{#request.method}}", "Unclosed"),
        ("{{ request.method", "Unclosed"),
        ("{{}}", "says nothing"),
    ],
)
def test_template_that_is_none_is_refused(template: str, part: str) -> None:
    refusals = Refusals()
    templates.check({"a": [template]}, "/response/jsonBody", refusals)
    assert [violation.pointer for violation in refusals.found] == ["/response/jsonBody/a/0"]
    assert part in refusals.found[0].message


@settings(max_examples=60, deadline=None)
@given(st.text("{}#/^ abrequest.'\"()=[]$\n", max_size=24))
def test_any_text_is_rendered_or_refused(text: str) -> None:
    refusals = Refusals()
    templates.check(text, "", refusals)
    if not refusals.found:
        assert isinstance(rendered(text), str)


# Dates.


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (None, "2026-05-03T17:08:55Z"),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2026-05-03T17:08:55.120Z"),
        ("EEE, dd MMM yyyy HH:mm:ss Z", "Sun, 03 May 2026 17:08:55 +0000"),
        ("'year' yy ''", "year 26 '"),
        ("unix", "1777828135"),
    ],
)
def test_date_is_written_in_java_s_patterns(pattern: str | None, expected: str) -> None:
    assert written(AT, pattern) == expected


def test_pattern_or_offset_that_is_none_is_refused() -> None:
    with pytest.raises(NoFormat):
        written(AT, "yyyy 'open")
    with pytest.raises(NoOffset):
        offset_of("3 fortnights")
    assert offset_of("+3 days").days == 3


# Delays.


def drawn(told: Record) -> list[float]:
    chance = Ids(3)
    return [delays.drawn_ms(told, chance) for _ in range(400)]


def test_delays_follow_their_distributions() -> None:
    assert drawn({"type": "fixed", "milliseconds": 5})[0] == 5
    uniform = drawn({"type": "uniform", "lower": 10, "upper": 20})
    assert 10 <= min(uniform) < 11
    assert 19 < max(uniform) <= 20
    lognormal = drawn({"type": "lognormal", "median": 80, "sigma": 0.4, "maxValue": 150})
    assert 72 < median(lognormal) < 88
    assert max(lognormal) == 150
    assert lognormal == drawn({"type": "lognormal", "median": 80, "sigma": 0.4, "maxValue": 150})


# Merge patches: the examples of RFC 7396, appendix A.


@pytest.mark.parametrize(
    ("value", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_patch_is_merged(value: JSON, patch: JSON, expected: JSON) -> None:
    assert answers.merged(value, patch) == expected
