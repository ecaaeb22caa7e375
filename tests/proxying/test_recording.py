"""What the proxy records and replays: whole archives, no secrets, the same answers without the service."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.app import App, Settings
from mockserver.contract.reading import read_file
from mockserver.contract.secrets import REDACTED
from mockserver.traffic import reading
from mockserver.traffic.exchange import Exchange, Header, Payload, Places
from mockserver.traffic.opening import contract_of
from mockserver.traffic.redaction import Redactor
from mockserver.traffic.writing import archive
from tests.conftest import Client
from tests.proxying.conftest import Before
from tests.proxying.through import DEPOT, Small, Through, always, whole

HAR = jsonschema_rs.validator_for(
    {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **read_file(Path(__file__).parent.parent / "control" / "har_1_2.yaml"),
    },
    validate_formats=True,
)
JSON = (b"content-type", b"application/json")
KEY = {"x-depot-pass": "a-pass-for-tests"}
SECRET = "Zq4fJ8wXk2Lm9Rt"


def numbered() -> Small:
    """A service that counts its answers."""
    count = 0

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        nonlocal count
        await whole(receive)
        count += 1
        await send({"type": "http.response.start", "status": 200, "headers": [JSON]})
        await send({"type": "http.response.body", "body": json.dumps({"id": count, "weight": 1}).encode()})

    return Small(answer)


def exchanges(folder: Path) -> list[Exchange]:
    return [each for each in reading.read(folder) if isinstance(each, Exchange)]


# Recording.


def test_recording_is_one_archive_an_exchange(before: Before, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    with before(numbered(), record=folder) as through:
        for body in ({"weight": 1}, {"weight": 2}):
            through.client.put("/crates/1", json=body, headers=KEY)
        through.report()
    assert sorted(each.name for each in folder.iterdir()) == ["000001.har", "000002.har"]
    for file in folder.iterdir():
        assert [str(error) for error in HAR.iter_errors(json.loads(file.read_text()))] == []
    assert [json.loads(each.body.data) for each in exchanges(folder)] == [{"weight": 1}, {"weight": 2}]


def test_recording_goes_on_where_it_ended(before: Before, tmp_path: Path) -> None:
    (tmp_path / "000041.har").write_text("{}")
    with before(numbered(), record=tmp_path) as through:
        through.client.get("/crates/1", headers=KEY)
        through.report()
    assert (tmp_path / "000042.har").is_file()


def test_findings_point_into_the_recording(before: Before, tmp_path: Path) -> None:
    with before(always(200, b"{}", JSON), record=tmp_path) as through:
        through.client.get("/crates/1", headers=KEY)
        place = through.findings()[0].place
    assert (place.file, place.pointer) == (str(tmp_path / "000001.har"), "/log/entries/0/response/content/text")


def test_bytes_are_recorded_as_they_were(before: Before, tmp_path: Path) -> None:
    with before(always(200, b"\x89PNG\r\n\x1a\n\xff", (b"content-type", b"image/png")), record=tmp_path) as through:
        form = {"logo": ("a.png", b"\x00\xff\xfe", "image/png")}
        through.client.post("/crates/1/label", files=form, headers=KEY)
        through.report()
    recorded = exchanges(tmp_path)[0]
    assert recorded.reply_body.data == b"\x89PNG\r\n\x1a\n\xff"
    assert b"\x00\xff\xfe" in recorded.body.data


# Secrets.

PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "key of the document": lambda secret: {"headers": {"x-depot-pass": secret}},
    "authorization": lambda secret: {"headers": {"authorization": f"Bearer {secret}"}},
    "cookie": lambda secret: {"headers": {"cookie": f"session={secret}; zone=1"}},
    "header by its name": lambda secret: {"headers": {"x-other-token": secret}},
    "header in JSON": lambda secret: {"headers": {"x-config": json.dumps({"api_key": secret})}},
    "query": lambda secret: {"params": {"api_key": secret}},
    "field that is marked": lambda secret: {"json": {"weight": 1, "lock": secret}},
    "field by its name": lambda secret: {"json": {"weight": 1, "deep": [{"client_secret": secret}]}},
    "field of a form": lambda secret: {"data": {"password": secret}},
    "field of a form with files": lambda secret: {"data": {"password": secret}, "files": {"logo": b"x"}},
    "said again in a text": lambda secret: {"headers": {"x-depot-pass": secret}, "json": {"content": f"it is {secret}!"}},
    "said again in a URL": lambda secret: {"headers": {"x-depot-pass": secret}, "params": {"q": f"a {secret} b"}},
}


@pytest.fixture(scope="module")
def everywhere() -> Any:
    """A service that says again what it was sent, in its reply's body and in a header."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        body = await whole(receive)
        said = json.dumps(
            {"headers": [value.decode("latin-1") for _, value in scope["headers"]], "body": body.decode("latin-1")}
        )
        headers = [JSON, (b"x-query", scope["query_string"])]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": said.encode()})

    return Small(answer)


@pytest.mark.parametrize("place", PLACES)
def test_secret_is_in_no_file_and_no_line(place: str, everywhere: Any, before: Before, tmp_path: Path) -> None:
    with before(everywhere, record=tmp_path) as through:
        through.client.put("/crates/1", **PLACES[place](SECRET))
        report = through.report()
    texts = [file.read_text() for file in tmp_path.iterdir()]
    assert len(texts) == 1
    assert SECRET not in "\n".join([*texts, *through.lines, *map(str, report.findings)])
    assert "redacted" in texts[0]


def test_secret_is_taken_out_of_later_exchanges(before: Before, tmp_path: Path) -> None:
    with before(always(200, json.dumps({"id": 1, "weight": 1, "content": SECRET}).encode(), JSON), record=tmp_path) as through:
        through.client.get("/crates/1", headers={"x-depot-pass": SECRET})
        through.client.get("/crates/1")
        through.report()
    assert SECRET not in (tmp_path / "000002.har").read_text()


LOOKS = [
    "sk-proj-aB3dE5fG7hJ9kL1m",
    "ghp_aB3dE5fG7hJ9kL1mN3pQ5",
    "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1.eyJzdWIiOiIx.SflKxw",
]


@pytest.mark.parametrize("secret", LOOKS)
def test_secret_is_known_by_its_looks(secret: str) -> None:
    redactor = Redactor(contract_of(DEPOT)[0])
    assert secret.encode() not in archive([redactor.redact(made(json.dumps({"content": f"use {secret} here"}).encode()))])


@pytest.mark.parametrize(
    ("query", "kept"),
    [("signature=Zq4fJ8wXk2Lm9Rt", "signature=%5Bredacted%5D"), ("prompt_token_min=5", "prompt_token_min=5")],
)
def test_described_parameter_is_a_secret_by_its_last_word(query: str, kept: str) -> None:
    operation = "/v1/logs/exports/a/file" if "signature" in query else "/v1/analytics/graphs/cost"
    exchange = replace(made(url=f"http://x{operation}?{query}"), method="GET")
    assert Redactor(contract_of(None)[0]).redact(exchange).query == kept


def made(
    body: bytes = b"", *, url: str = "http://x/crates/1", headers: tuple[Header, ...] = (), reply: bytes = b""
) -> Exchange:
    kind = Header("content-type", "application/json")
    places = Places("x", "")
    return Exchange(1, "PUT", url, (*headers, kind), Payload(body), 200, (kind,), Payload(reply), places, is_live=True)


TEXTS = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters='";,\\'), min_size=10, max_size=30)


AROUND = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=60, deadline=None)
@given(
    secret=TEXTS,
    around=AROUND,
    where=st.sampled_from(["header", "query", "field"]),
)
def test_no_secret_whatever_it_looks_like(secret: str, around: str, where: str) -> None:
    """It is also repeated in a text of the reply, in which nothing names it."""
    said = json.dumps({"content": around + secret + around}).encode()
    if where == "header":
        exchange = made(headers=(Header("x-depot-pass", secret),), reply=said)
    elif where == "query":
        exchange = made(url=f"http://x/crates?token={quote(secret, safe='')}", reply=said)
    else:
        exchange = made(json.dumps({"lock": secret}).encode(), reply=said)
    kept = Redactor(contract_of(DEPOT)[0]).redact(exchange)
    assert secret not in json.loads(kept.reply_body.data)["content"]
    shown = json.loads(archive([kept]))["log"]["entries"][0]
    texts = json.dumps(shown, ensure_ascii=False)
    assert secret not in texts
    assert quote(secret, safe="") not in texts or quote(secret, safe="") in around


# Replaying.


def test_replay_answers_without_the_service(before: Before, tmp_path: Path) -> None:
    with before(App(Settings()), document=None, record=tmp_path) as through:
        asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Which tide?"}]}
        key = {"x-portkey-api-key": "any"}
        calls: list[tuple[str, str, Any]] = [("GET", "/v1/configs", {}), ("POST", "/v1/chat/completions", {"json": asked}),
                 ("POST", "/v1/chat/completions", {"json": {**asked, "stream": True}}), ("GET", "/v1/users", {})]  # fmt: skip
        real = [through.client.request(method, path, headers=key, **more) for method, path, more in calls]
        through.report()
    with Through(replay=tmp_path, document=None) as through:
        again = [through.client.request(method, path, headers=key, **more) for method, path, more in calls]
        codes = {each.code for each in through.findings() if each.severity != "note"}
    assert [(each.status_code, each.content) for each in again] == [(each.status_code, each.content) for each in real]
    assert codes == {"MS-R010"}  # as when it was recorded


def test_replay_answers_in_turn_and_then_the_last(before: Before, tmp_path: Path) -> None:
    with before(numbered(), record=tmp_path) as through:
        for _ in range(2):
            through.client.get("/crates/1", headers=KEY)
        through.report()
    with Through(replay=tmp_path) as through:
        assert [through.client.get("/crates/1", headers=KEY).json()["id"] for _ in range(4)] == [1, 2, 2, 2]


MISSES: dict[str, tuple[tuple[str, str, Any], str]] = {
    "query": (("GET", "/crates?site=b&limit=5", {}), "query site=a was recorded"),
    "body": (("PUT", "/crates/1", {"json": {"weight": 2}}), "body/weight differs"),
    "field": (("PUT", "/crates/1", {"json": {"weight": 1, "content": "x"}}), "body/content was not recorded"),
    "method": (("DELETE", "/crates/1", {}), "was not recorded, only PUT"),
    "path": (("GET", "/crates/12", {}), "Nearest is /crates"),
}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    with Through(numbered(), record=folder) as through:
        through.client.get("/crates?site=a&limit=5", headers=KEY)
        through.client.put("/crates/1", json={"weight": 1, "lock": SECRET}, headers=KEY)
        through.report()
    return folder


def test_replay_tells_what_was_nearest(recorded: Path) -> None:
    with Through(replay=recorded) as through:
        for (method, path, more), told in MISSES.values():
            reply = through.client.request(method, path, headers=KEY, **more)
            assert (reply.status_code, reply.headers["x-mock-problem"]) == (502, "not-recorded")
            assert told in reply.json()["error"]["message"]
        missed = [each for each in through.findings() if each.code == "MS-T011"]
    assert {each.blame for each in missed} == {"client"}


def test_replay_takes_other_order_and_any_secret(recorded: Path) -> None:
    with Through(replay=recorded) as through:
        listed = through.client.get("/crates?limit=5&site=a", headers={"x-depot-pass": "another"})
        kind = {"content-type": "application/json"}
        changed = through.client.put("/crates/1", content=b'{"lock": "another", "weight": 1.0}', headers={**KEY, **kind})
    assert (listed.status_code, changed.status_code) == (200, 200)


def test_replay_knows_a_form_by_its_fields(before: Before, tmp_path: Path) -> None:
    form = {"logo": ("a.png", b"\x00\xff", "image/png")}
    with before(always(200, b"label", (b"content-type", b"image/png")), record=tmp_path) as through:
        through.client.post("/crates/1/label", files=form, headers=KEY)
        through.report()
    with Through(replay=tmp_path) as through:
        assert through.client.post("/crates/1/label", files=form, headers=KEY).content == b"label"
        assert through.client.post("/crates/1/label", files={"logo": b"other"}, headers=KEY).status_code == 502


def test_export_of_the_journal_can_be_replayed(client: Client, tmp_path: Path) -> None:
    real = client.get("/v1/configs")
    (tmp_path / "journal.har").write_bytes(client.get("/__admin/requests/har").content)
    with Through(replay=tmp_path, document=None) as through:
        assert through.client.get("/v1/configs", headers={"x-portkey-api-key": REDACTED}).json() == real.json()
