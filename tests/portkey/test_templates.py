"""The template language, sentence by sentence of the dossier.

Source of every row that names none: prompts-configs-guardrails, Prompt render and prompt completions: Template engine.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.portkey.templates import MOST_NESTED, NestedTooDeep, components, render
from mockserver.values import JSON, Record

PARTIALS = {
    "pl-hello-000001": "Hello {{name}}",
    "pl-outer-000002": "[{{>pl-inner-000003}}]",
    "pl-inner-000003": "inner {{name}}",
    "pl-hello-000001@2": "Hi {{name}}",
    "pl-signed-000004": "one\ntwo",
    "n" * 50: "fifty",
    "n" * 51: "fifty-one",
}

SHOTS = [{"role": "user", "content": 'say "a"'}, {"role": "assistant", "content": "a"}]

FALSY: list[JSON] = [None, False, 0, "", []]
TRUTHY: list[JSON] = [True, 1, "0", "false", [0], {}]

ROWS: list[tuple[str, str, Record, str]] = [
    # `{{v}}`: missing, null → empty; 0 → 0, false → false.
    ("text", "Hello {{name}}!", {"name": "Ines"}, "Hello Ines!"),
    ("missing", "a{{v}}b", {}, "ab"),
    ("null", "a{{v}}b", {"v": None}, "ab"),
    ("empty text", "a{{v}}b", {"v": ""}, "ab"),
    ("zero", "{{v}}", {"v": 0}, "0"),
    ("false", "{{v}}", {"v": False}, "false"),
    ("true", "{{v}}", {"v": True}, "true"),
    ("fraction", "{{v}}", {"v": 0.5}, "0.5"),
    ("whole fraction", "{{v}}", {"v": 2.0}, "2"),
    ("blanks in the tag", "{{ name }}", {"name": "Ines"}, "Ines"),
    # Dotted paths and names with spaces work. Unused variables are ignored. Values are not rendered again.
    ("dotted", "{{user.city.name}}", {"user": {"city": {"name": "Faro"}}}, "Faro"),
    ("dotted, missing in the middle", "a{{user.city.name}}b", {"user": {}}, "ab"),
    ("dotted, through a text", "a{{user.city}}b", {"user": "Ines"}, "ab"),
    ("dotted, an item", "{{cities.1}}", {"cities": ["Faro", "Beja"]}, "Beja"),
    ("dotted, beyond the items", "a{{cities.2}}b", {"cities": ["Faro", "Beja"]}, "ab"),
    ("dotted, a length", "{{cities.length}}", {"cities": ["Faro", "Beja"]}, "2"),
    ("name with a space", "{{first name}}", {"first name": "Ines"}, "Ines"),
    ("name of a method", "a{{items}}{{name.upper}}b", {"name": "Ines"}, "ab"),
    ("unused variable", "Hello", {"name": "Ines"}, "Hello"),
    ("value with a tag", "{{v}}", {"v": "{{name}}", "name": "Ines"}, "{{name}}"),
    ("no tag", 'a } b {c} "d" \\', {}, 'a } b {c} "d" \\'),
    # No HTML escaping; `{{v}}` escapes for a text of JSON, `{{{v}}}` inserts raw.
    ("no HTML escapes", "{{v}}", {"v": "<b> & 'c' é 🙂 / ="}, "<b> & 'c' é 🙂 / ="),
    ("quotes", "{{v}}", {"v": 'say "a"'}, 'say \\"a\\"'),
    ("backslashes", "{{v}}", {"v": "C:\\temp"}, "C:\\\\temp"),
    ("newlines and tabs", "{{v}}", {"v": "a\nb\tc"}, "a\\nb\\tc"),
    ("raw by three braces", "{{{v}}}", {"v": 'say "a"\n'}, 'say "a"\n'),
    ("raw by three braces with blanks", "{{{ v }}}", {"v": 'say "a"'}, 'say "a"'),
    ("raw by an ampersand", "{{&v}}{{& v }}", {"v": '"'}, '""'),
    # Arrays: items as JSON, joined by commas; objects as JSON.
    ("array of texts", "{{v}}", {"v": ["a", 'b"c']}, '"a","b\\"c"'),
    ("array of all kinds", "{{v}}", {"v": [1, 2.0, None, True, {"a": [1]}]}, '1,2,null,true,{"a":[1]}'),
    ("array, raw", "{{{v}}}", {"v": ["a"]}, '"a"'),
    ("empty array", "a{{v}}b", {"v": []}, "ab"),
    ("object", "{{v}}", {"v": {"a": 'b"c', "n": 1}}, '{"a":"b\\"c","n":1}'),
    ("empty object", "{{v}}", {"v": {}}, "{}"),
    ("array of messages", "[{{shots}}]", {"shots": SHOTS}, json.dumps(SHOTS, separators=(",", ":"))),
    # Sections: truthy renders, arrays iterate, objects and texts are pushed, falsy renders nothing.
    ("section, true", "{{#s}}yes{{/s}}", {"s": True}, "yes"),
    ("section, number", "{{#s}}{{.}}{{/s}}", {"s": 3}, "3"),
    ("section, text", "{{#s}}<{{.}}>{{/s}}", {"s": "abc"}, "<abc>"),
    ("section, object", "{{#s}}{{a}} {{b}}{{/s}}", {"s": {"a": 1}, "b": 2}, "1 2"),
    ("section, array", "{{#s}}<{{.}}>{{/s}}", {"s": ["a", 1, False]}, "<a><1><false>"),
    ("section, array of objects", "{{#s}}{{n}}{{end}}{{/s}}", {"s": [{"n": 1}, {"n": 2}], "end": ";"}, "1;2;"),
    ("section, hidden parent", "{{#s}}{{n}}{{/s}}", {"s": {"n": 1}, "n": 2}, "1"),
    ("section, dotted", "{{#a.b}}yes{{/a.b}}", {"a": {"b": 1}}, "yes"),
    ("section, nested", "{{#a}}{{#b}}{{n}}{{/b}}{{/a}}", {"a": {"b": [{"n": 1}, {"n": 2}]}}, "12"),
    ("section, blanks", "{{# s }}yes{{/ s }}", {"s": 1}, "yes"),
    *((f"section, {json.dumps(v)}", "a{{#s}}no{{/s}}b", {"s": v}, "ab") for v in FALSY),
    ("section, missing", "a{{#s}}no{{/s}}b", {}, "ab"),
    *((f"section, {json.dumps(v)}", "a{{#s}}+{{/s}}b", {"s": v}, "a+b") for v in TRUTHY),
    # Inverted sections are the inverse.
    *((f"inverted, {json.dumps(v)}", "a{{^s}}+{{/s}}b", {"s": v}, "a+b") for v in FALSY),
    *((f"inverted, {json.dumps(v)}", "a{{^s}}no{{/s}}b", {"s": v}, "ab") for v in TRUTHY),
    ("inverted, missing", "a{{^s}}+{{/s}}b", {}, "a+b"),
    # Partials, nested; unknown ones are empty; a name of more than 50 characters is text; @ pins a version.
    ("partial", "{{>pl-hello-000001}}!", {"name": "Ines"}, "Hello Ines!"),
    ("partial, blanks", "{{> pl-hello-000001 }}!", {"name": "Ines"}, "Hello Ines!"),
    ("partial in a partial", "{{>pl-outer-000002}}", {"name": "Ines"}, "[inner Ines]"),
    ("partial in a section", "{{#s}}{{>pl-hello-000001}};{{/s}}", {"s": [{"name": "a"}, {"name": "b"}]}, "Hello a;Hello b;"),
    ("partial, unknown", "a{{>pl-nobody-000000}}b", {}, "ab"),
    ("partial, pinned", "{{>pl-hello-000001@2}}", {"name": "Ines"}, "Hi Ines"),
    ("partial, pinned to nothing", "a{{>pl-hello-000001@9}}b", {}, "ab"),
    ("partial, 50 characters", "{{>" + "n" * 50 + "}}", {}, "fifty"),
    ("partial, 51 characters", "{{>" + "n" * 51 + "}}", {}, "{{>" + "n" * 51 + "}}"),
    ("partial of two lines", "a {{>pl-signed-000004}} b", {}, "a one\ntwo b"),
    # Private partials: the variable names a partial (engine), or is the text (docs); both work.
    ("private partial by name", "{{>>which}}", {"which": "pl-hello-000001", "name": "Ines"}, "Hello Ines"),
    ("private partial by text", "{{>> which }}", {"which": "Bye {{name}}", "name": "Ines"}, "Bye Ines"),
    ("private partial, missing", "a{{>>which}}b", {}, "ab"),
    ("private partial, no text", "a{{>>which}}b", {"which": 3}, "ab"),
    # Malformed tags never raise; tags that nothing closes are text. Comments are dropped.
    ("unclosed variable", "a {{name b", {"name": "Ines"}, "a {{name b"),
    ("unclosed by one brace", "a {{name} b", {"name": "Ines"}, "a {{name} b"),
    ("unclosed raw", "a {{{name}} b", {"name": "Ines"}, "a {{{name}} b"),
    ("unclosed partial", "a {{>pl-hello", {}, "a {{>pl-hello"),
    ("unclosed section tag", "a {{#name", {"name": 1}, "a {{#name"),
    ("section tag with a tag in it", "a {{#b {{name}}", {"name": "Ines"}, "a {{#b Ines"),
    ("nothing opened", "a }} b", {}, "a }} b"),
    ("open brackets alone", "{{", {}, "{{"),
    ("empty tag", "a{{}}b", {}, "ab"),
    ("comment", "a{{! not for you }}b", {}, "ab"),
    ("comment with marks", "a{{!#c}}b", {}, "ab"),
    ("no delimiters", "a{{=x}}b", {}, "a{{=x}}b"),
    ("one delimiter", "a{{= x =}}b", {}, "a{{= x =}}b"),
    ("variable beside braces", '{"a":{{n}}}', {"n": 1}, '{"a":1}'),
    # As observed with Portkey's engine 2.1.5.
    ("section that nothing closes", "a{{#s}}b", {"s": 1}, "ab"),
    ("section that nothing closes, falsy", "a{{#s}}b", {}, "a"),
    ("closing tag of nothing", "a{{/s}}b", {"s": 1}, "ab"),
    ("closing tag of another", "{{#a}}x{{/b}}y", {}, "y"),
    ("sections that cross", "{{#a}}1{{#b}}2{{/a}}3{{/b}}4", {"a": 1}, "134"),
    ("other delimiters", "{{=<% %>=}}<%n%> {{n}}", {"n": 1}, "1 {{n}}"),
    ("path in an outer object", "{{#o}}{{a.b}}{{/o}}", {"o": {"a": {}}, "a": {"b": 1}}, "1"),
    ("lines of tags", "a\n{{#s}}\nb\n  {{! c }}\n{{/s}}\nd", {"s": 1}, "a\nb\nd"),
    ("lines with more than tags", "{{#s}}{{.}}{{/s}}\nb", {"s": ["a"]}, "a\nb"),
    ("line of a partial", "a\n  {{>pl-hello-000001}}\nb", {"name": "Ines"}, "a\n  Hello Inesb"),
]
"""A name, a template, variables and what is made of them for JSON."""


@pytest.mark.parametrize(("template", "variables", "result"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_template_gives_its_result(template: str, variables: Record, result: str) -> None:
    assert render(template, variables, PARTIALS.get, quoted=True) == result


@pytest.mark.parametrize("text", ['say "a"', "C:\\temp", "a\nb\tc\r", "\u0001\u2028é🙂", "{{name}}"])
def test_parsed_text_shows_the_value(text: str) -> None:
    made = render('["{{v}}"]', {"v": text}, PARTIALS.get, quoted=True)
    assert json.loads(made) == [text]


@pytest.mark.parametrize(("value", "result"), [('a"\\\n', 'a"\\\n'), (["a"], '"a"'), ({"a": 1.0}, '{"a":1}'), (0, "0")])
def test_text_that_stays_text_is_not_escaped(value: Any, result: str) -> None:
    assert render("{{v}}", {"v": value}, PARTIALS.get, quoted=False) == result


def test_partials_may_lie_deep_in_one_another() -> None:
    chain = {str(at): f"{{{{>{at + 1}}}}}" for at in range(MOST_NESTED - 1)} | {str(MOST_NESTED - 1): "end"}
    assert render("{{>0}}", {}, chain.get, quoted=True) == "end"


def test_partials_without_end_are_refused() -> None:
    with pytest.raises(NestedTooDeep):
        render("{{>a}}", {}, {"a": "{{>b}}", "b": "{{>a}}"}.get, quoted=True)


COMPONENTS: list[tuple[str, str, Record]] = [
    ("none", "Hello", {}),
    ("variables, once each", "{{a}}{{ b }}{{{a}}}{{&c}}", {"variables": ["a", "b", "c"]}),
    ("first parts of paths", "{{a.b.c}}{{a.d}}", {"variables": ["a"]}),
    (
        "variables in sections",
        "{{x}}{{#s}}{{a.b}}{{/s}}{{^t}}{{c}}{{/t}}",
        {"variables": ["x", "a", "c"], "sections": ["s", "t"], "sectionVariables": {"s": ["a"], "t": ["c"]}},
    ),
    (
        "innermost section counts",
        "{{#s}}{{#t}}{{a}}{{/t}}{{b}}{{/s}}",
        {"variables": ["a", "b"], "sections": ["s", "t"], "sectionVariables": {"t": ["a"], "s": ["b"]}},
    ),
    ("name of a section", "{{s}}{{#s}}x{{/s}}", {"sections": ["s"]}),
    (
        "name of a section within it",
        "{{#s}}{{s}}{{/s}}{{a}}",
        {"variables": ["a", "s"], "sections": ["s"], "sectionVariables": {"s": ["s"]}},
    ),
    ("partials with versions", "{{>p}}{{> p@2 }}{{>p}}", {"partials": ["p", "p@2"]}),
    ("private partials", "{{>>q}}", {"variablePartials": ["q"]}),
    ("partials too long", "{{>" + "n" * 51 + "}}", {}),
    ("comments", "{{! a }}", {}),
    ("texts", "{{a", {}),
]
"""As the engine's `getTemplateDetails` has them; what is left out is empty."""


@pytest.mark.parametrize(("template", "found"), [row[1:] for row in COMPONENTS], ids=[row[0] for row in COMPONENTS])
def test_components_are_found(template: str, found: Record) -> None:
    nothing: Record = {"partials": [], "sections": [], "variables": [], "sectionVariables": {}, "variablePartials": []}
    assert components(template) == nothing | found
