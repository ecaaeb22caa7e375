"""Which schemas say that a text is a secret."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies

from mockserver.contract.secrets import (
    REDACTED,
    SHORTEST,
    Veil,
    conceal,
    holds_secrets,
    is_secret_member,
    is_secret_name,
    redact,
    safe_headers,
    safe_query,
)
from mockserver.values import JSON, Record

PASSWORD: Record = {"type": "string", "format": "password"}
DOCUMENT: Record = {
    "components": {
        "schemas": {
            "Login": {"type": "object", "properties": {"password": PASSWORD}},
            "Plain": {"type": "object", "properties": {"name": {"type": "string"}}},
            "Tree": {"type": "object", "properties": {"below": {"$ref": "#/components/schemas/Tree"}}},
        }
    }
}
LOGIN, PLAIN, TREE = ({"$ref": f"#/components/schemas/{name}"} for name in ("Login", "Plain", "Tree"))


@pytest.mark.parametrize(
    ("schema", "held"),
    [
        (PASSWORD, True),
        ({"type": "string"}, False),
        (LOGIN, True),
        (PLAIN, False),
        (TREE, False),
        ({"type": "array", "items": LOGIN}, True),
        ({"anyOf": [PLAIN, LOGIN]}, True),
        ({"allOf": [PLAIN, TREE]}, False),
        ({"type": "object", "additionalProperties": PASSWORD}, True),
        ({"$ref": "#/components/schemas/Nowhere"}, False),
        (None, False),
        (True, False),
    ],
)
def test_secrets_are_found_over_references(schema: JSON, held: bool) -> None:
    assert holds_secrets(schema, DOCUMENT) == held


def test_schema_that_holds_secrets_redacts_them() -> None:
    value = [{"password": "sesame", "name": "a"}]
    assert redact(value, {"type": "array", "items": LOGIN}, DOCUMENT) == [{"password": REDACTED, "name": "a"}]


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("x-portkey-api-key", "pk", REDACTED),
        ("X-ApiKey", "pk", REDACTED),
        ("authorization", "Bearer pk", REDACTED),
        ("set-cookie", "a=b", REDACTED),
        ("x-auth-token", "pk", REDACTED),
        ("x-portkey-provider", "openai", "openai"),
        ("x-portkey-trace-id", "monkey", "monkey"),
        ("x-portkey-metadata", '{"_user": "Ines", "team": ["a"]}', '{"_user":"Ines","team":["a"]}'),
        ("x-portkey-config", '{"targets": [{"api_key": "sk"}]}', '{"targets":[{"api_key":"[redacted]"}]}'),
        ("x-service-account", ' {"private_key": "pem", "id": 5}', '{"private_key":"[redacted]","id":5}'),
        ("x-portkey-config", '{"api_key": "sk', REDACTED),
    ],
)
def test_headers_are_shown_without_secrets(name: str, value: str, shown: str) -> None:
    assert safe_headers({name: value}) == {name: shown}


def test_queries_are_shown_without_secrets() -> None:
    assert safe_query("a=1&api_key=pk&signature=ab%20c&pages&key=") == (
        f"a=1&api_key={REDACTED}&signature={REDACTED}&pages&key={REDACTED}"
    )


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        ("password", True),
        ("accessToken", True),
        ("refresh_token", True),
        ("X-Api-Key", True),
        ("apiKey", True),
        ("APIKey", True),
        ("aws_secret_access_key", True),
        ("clientSecret", True),
        ("key", False),
        ("max_tokens", False),
        ("token_count", False),
        ("secret_path", False),
        ("masked_api_key", False),
        ("monkey", False),
        ("api_key_id", False),
        ("", False),
        ("é", False),
    ],
)
def test_members_are_secrets_by_their_last_words(name: str, is_secret: bool) -> None:
    assert is_secret_member(name) == is_secret


def test_what_is_concealed_is_told() -> None:
    schema: Record = {"properties": {"a": {"x-secret": True}, "token": {"x-secret": False}}}
    value = {"a": ["one", {"b": "two"}], "token": "three", "more": {"token": "four", "pin_password": None}}
    found: set[str] = set()
    shown = conceal(value, [schema], DOCUMENT, found)
    assert shown == {"a": REDACTED, "token": "three", "more": {"token": REDACTED, "pin_password": None}}
    assert found == {"one", "two", "four"}


@given(strategies.lists(strategies.text(min_size=SHORTEST, max_size=40), max_size=8), strategies.data())
def test_veil_leaves_no_secret_in_any_text(secrets: list[str], data: strategies.DataObject) -> None:
    secrets = [each for each in secrets if each not in REDACTED]
    around = data.draw(strategies.lists(strategies.text(max_size=5), min_size=len(secrets) + 1, max_size=len(secrets) + 1))
    text = around[0] + "".join(secret + after for secret, after in zip(secrets, around[1:], strict=True))
    shown = Veil(secrets).over({text: [text]})
    assert not [secret for secret in secrets for part in (*shown, *shown.values()) if secret in str(part)]


def test_veil_leaves_short_secrets_where_they_are() -> None:
    assert Veil(["tide"]).text("the tide") == "the tide"


def test_veil_finds_secrets_as_json_and_urls_write_them() -> None:
    veil = Veil(['a"b/c d+e'])
    assert veil.text('x a\\"b/c d+e y') == f"x {REDACTED} y"
    assert veil.text("?k=a%22b%2Fc%20d%2Be&n=1") == f"?k={REDACTED}&n=1"


@pytest.mark.parametrize(
    "name", ["max_tokens", "max_completion_tokens", "prompt_token_min", "total_token_max", "X-RateLimit-Remaining-Tokens"]
)
def test_names_that_count_tokens_hide_nothing(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize("name", ["token", "access_token", "id_tokens", "X-Auth-Token", "max_token_secret", "refreshToken"])
def test_names_of_tokens_hide_them(name: str) -> None:
    assert is_secret_name(name)
