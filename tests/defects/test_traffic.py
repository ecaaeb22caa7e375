"""Defects in what clients send and services answer: each is found by `mockserver verify`, and blamed on the right one."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from mockserver.cli import main
from mockserver.reporting import catalogue
from mockserver.values import JSON, Record
from tests.conftest import DOCUMENTS

DEPOT = DOCUMENTS / "depot.yaml"
ORIGIN = "https://depot.example.com/v2"
KEY = {"x-depot-pass": "[redacted]"}
IN_JSON = {"content-type": "application/json"}
CRATE: Record = {"id": 1, "weight": 2.5}
NEW: Record = {"weight": 2.5, "content": "lamps"}
REFUSED: Record = {"message": "no"}


def message(headers: Record, body: JSON) -> tuple[list[Record], str | None]:
    pairs = [{"name": name, "value": value} for name, value in headers.items() if value is not None]
    return pairs, body if body is None or isinstance(body, str) else json.dumps(body)


def entry(
    method: str = "GET",
    path: str = "/crates/1",
    status: int = 200,
    *,
    sent: JSON = None,
    headers: Record | None = None,
    answered: JSON = None,
    reply_headers: Record | None = None,
    origin: str = ORIGIN,
) -> Record:
    """An entry of a HAR file; a body that is no text is written as JSON. A header that is None is left out."""
    request, text = message({**KEY, **(IN_JSON if sent is not None else {}), **(headers or {})}, sent)
    reply, content = message({**(IN_JSON if answered is not None else {}), **(reply_headers or {})}, answered)
    made: Record = {
        "startedDateTime": "2026-05-03T17:08:55.120Z",
        "time": 3,
        "request": {"method": method, "url": origin + path, "headers": request, "bodySize": len(text or "")},
        "response": {"status": status, "headers": reply, "content": {"size": len(content or ""), "mimeType": ""}},
    }
    if text is not None:
        made["request"]["postData"] = {"mimeType": "", "text": text}
    if content is not None:
        made["response"]["content"]["text"] = content
    return made


def crates(path: str = "/crates?site=north", status: int = 200, **more: Any) -> Record:
    """A list of crates, right unless something else is said."""
    return entry("GET", path, status, **{"answered": [CRATE], "reply_headers": {"x-total": "1"}, **more})


def adding(sent: JSON = NEW, status: int = 201, **more: Any) -> Record:
    """A crate that is added, right unless something else is said."""
    return entry("POST", "/crates", status, sent=sent, **{"answered": CRATE, **more})


def reading(answered: JSON = CRATE, status: int = 200, **more: Any) -> Record:
    """A crate that is read, right unless something else is said."""
    return entry(status=status, answered=answered, **more)


CLEAN: dict[str, Record] = {
    "list": crates(),
    "list with everything": crates(
        "/crates?site=north&limit=5&labels%5Bcolour%5D=red", headers={"x-shift": "day", "cookie": "other=x; zone=4"}
    ),
    "list in another case": crates(headers={"X-Shift": "night"}, reply_headers={"X-Total": "1"}),
    "add": adding(),
    "add by a form": adding("weight=2.5&content=lamps", headers={"content-type": "application/x-www-form-urlencoded"}),
    "read": reading(),
    "read what is not there": reading(REFUSED, 404),
    "media type with a parameter": reading(reply_headers={"content-type": "application/json; charset=utf-8"}),
    "remove": entry("DELETE", "/crates/1", 204),
    "head": entry("HEAD", "/crates/1", reply_headers={**IN_JSON, "content-length": "20"}),
    "preflight": entry("OPTIONS", "/crates", 204, headers={"x-depot-pass": None}),
    "not modified": entry("GET", "/crates/1", 304, headers={"if-none-match": '"1"'}),
    "picture": entry(
        "POST", "/crates/1/label", reply_headers={"content-type": "image/png"}, answered="iVBORw0KGgo=", sent='--x\r\ncontent-'
        'disposition: form-data; name="logo"; filename="a.png"\r\n\r\nabc\r\n--x--\r\n',
        headers={"content-type": "multipart/form-data; boundary=x"},
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """A defect: the entry with it, and the finding that must come of it."""

    name: str
    entry: Record
    code: str
    blame: str
    at: str
    message: str


PLANTED = [
    # Clients' requests.
    Planted("text for an integer in the path", entry(path="/crates/first", status=404, answered=REFUSED), "MS-R001", "client",
            "/request/url", "path/id must be integer"),
    Planted("path not in UTF-8", entry(path="/crates/%ff", status=404, answered=REFUSED), "MS-R001", "client", "/request/url",
            "not UTF-8"),
    Planted("query out of bounds", crates("/crates?site=a&limit=51", 400, answered=REFUSED), "MS-R002", "client",
            "/request/url", "query/limit is above 50"),
    Planted("query out of bounds, taken", crates("/crates?site=a&limit=0"), "MS-R002", "client", "/request/url", "below 1"),
    Planted("query of another type", crates("/crates?site=a&limit=many"), "MS-R002", "client", "/request/url", "query/limit"),
    Planted("header not among values", crates(headers={"x-shift": "dusk"}), "MS-R003", "client", "/request/headers/1",
            "header/x-shift must be one of"),
    Planted("cookie of another type", crates(headers={"cookie": "zone=far"}), "MS-R004", "client", "/request/headers",
            "cookie/zone"),
    Planted("field missing", adding({"content": "lamps"}, 400, answered=REFUSED), "MS-R005", "client",
            "/request/postData/text", "body/weight is required"),
    Planted("field of another type", adding({"weight": "heavy"}), "MS-R005", "client", "/request/postData/text",
            "must be number"),
    Planted("field misspelt", adding({"weight": 1, "contents": "x"}), "MS-R005", "client", "/request/postData/text",
            "not allowed"),
    Planted("field below its minimum", adding({"weight": -1}), "MS-R005", "client", "/request/postData/text", "below 0"),
    Planted("field that the server sets", entry("PUT", "/crates/1", sent={"id": 1, "weight": 1}, answered=CRATE), "MS-R005",
            "client", "/request/postData/text", "not allowed"),
    Planted("field of a form", adding("weight=heavy", headers={"content-type": "application/x-www-form-urlencoded"}), "MS-R005",
            "client", "/request/postData/text", "body/weight"),
    Planted("no body", adding(None, 400, answered=REFUSED), "MS-R006", "client", "/request/postData/text", "is required"),
    Planted("body of another media type", adding("<crate/>", 415, headers={"content-type": "text/xml"}, answered=REFUSED),
            "MS-R007", "client", "/request/postData/text", "text/xml is not taken here"),
    Planted("body cut short", adding('{"weight": 2', 400, answered=REFUSED), "MS-R008", "client", "/request/postData/text",
            "is not valid JSON"),
    Planted("query missing", crates("/crates", 400, answered=REFUSED), "MS-R009", "client", "/request/url",
            "query/site is required"),
    Planted("path misspelt", entry(path="/crate/1", status=404, answered=REFUSED), "MS-R010", "client", "/request/url",
            "no path /v2/crate/1"),
    Planted("method not there", entry("PATCH", "/crates/1", 405, answered=REFUSED), "MS-R011", "client", "/request/url",
            "no PATCH, only DELETE, GET, PUT"),
    Planted("query misspelt", crates("/crates?site=a&limti=5"), "MS-R012", "client", "/request/url", "'limti'"),
    Planted("body with a GET", entry(sent={"weight": 1}, answered=CRATE), "MS-R013", "client", "/request/postData/text",
            "takes no body"),
    Planted("no credentials", reading(REFUSED, 401, headers={"x-depot-pass": None}), "MS-R014", "client", "/request/headers",
            "missing: key"),
    # Services' answers.
    Planted("status not documented", adding(status=202), "MS-A001", "service", "/response/status", "202 is not documented"),
    Planted("error not documented", adding(status=409, answered=REFUSED), "MS-A001", "service", "/response/status", "409"),
    Planted("failure not documented", crates(status=500, answered=REFUSED), "MS-A001", "service", "/response/status", "500"),
    Planted("page in the place of JSON", reading("<html></html>", reply_headers={"content-type": "text/html"}), "MS-A002",
            "service", "/response/headers/0", "text/html is not documented"),
    Planted("no media type", reading(CRATE, reply_headers={"content-type": None}), "MS-A002", "service", "/response/headers",
            "does not say"),
    Planted("field missing in a reply", reading({"id": 1}), "MS-A003", "service", "/response/content/text",
            "body/weight is required"),
    Planted("text for an integer in a reply", reading({"id": "1", "weight": 1}), "MS-A003", "service", "/response/content/text",
            "body/id must be integer"),
    Planted("null in a reply", reading({"id": 1, "weight": None}), "MS-A003", "service", "/response/content/text", "not null"),
    Planted("field not described", reading({**CRATE, "colour": "red"}), "MS-A003", "service", "/response/content/text",
            "not allowed"),
    Planted("no date-time", reading({**CRATE, "packed": "yesterday"}), "MS-A003", "service", "/response/content/text",
            "body/packed is not a valid date-time"),
    Planted("fault in one of many rows", crates(answered=[CRATE, CRATE, {"id": 3, "weight": "light"}]), "MS-A003", "service",
            "/response/content/text", "body/2/weight must be number"),
    Planted("object in the place of a list", crates(answered={"data": [CRATE]}), "MS-A003", "service", "/response/content/text",
            "must be array"),
    Planted("error in another form", reading({"error": "no"}, 404), "MS-A003", "service", "/response/content/text",
            "body/message is required"),
    Planted("header missing in a reply", crates(reply_headers={}), "MS-A004", "service", "/response/headers",
            "header/x-total is required"),
    Planted("header of another type in a reply", crates(reply_headers={"x-total": "some"}), "MS-A005", "service",
            "/response/headers/1", "header/x-total must be integer"),
    Planted("reply cut short", reading('{"id": 1, "wei'), "MS-A006", "service", "/response/content/text", "not valid JSON"),
    Planted("empty reply", reading(None), "MS-A007", "service", "/response/content/text", "has no body"),
    Planted("empty reply of a media type", reading("", reply_headers=IN_JSON), "MS-A007", "service", "/response/content/text",
            "has no body"),
    Planted("right request refused, undocumented", reading(REFUSED, 422), "MS-A008", "service", "/response/status",
            "keeps the document is refused"),
    Planted("right request taken for a wrong media type", adding(status=415, answered=REFUSED), "MS-A008", "service",
            "/response/status", "(415)"),
    Planted("lax service", adding({"weight": "heavy"}), "MS-A009", "service", "/response/status", "takes a request"),
    Planted("method not implemented", entry("DELETE", "/crates/1", 405, answered=REFUSED), "MS-A010", "service",
            "/response/status", "does not have it"),
    Planted("documented failure", entry(status=503), "MS-A011", "service", "/response/status", "fails"),
    # What the document lacks.
    Planted("right request refused, by a rule that is not told", crates(status=400, answered=REFUSED, reply_headers={}),
            "MS-A008", "document", "/response/status", "is refused (400)"),
    Planted("path that the document lacks", entry(path="/pallets", answered=[]), "MS-T001", "document", "/request/url",
            "/v2/pallets, yet the service answers 200"),
    Planted("method that the document lacks", entry("PATCH", "/crates/1", sent={"weight": 1}, answered=CRATE), "MS-T002",
            "document", "/request/url", "yet the service answers 200"),
    Planted("operation that nothing can be held to", entry(path="/faulty/1", answered={}), "MS-T006", "document",
            "/request/url", "not judged"),
]  # fmt: skip


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, ["verify", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def verified(entries: Sequence[Record], folder: Path, *options: str) -> Record:
    """The report on a HAR file with these entries."""
    file = folder / "traffic.har"
    creator = {"name": "by hand", "version": "1"}
    file.write_text(json.dumps({"log": {"version": "1.2", "creator": creator, "entries": list(entries)}}), encoding="utf-8")
    result = run(file, DEPOT, "--report", "json", *options)
    assert result.exit_code in (0, 1, 2), result.stderr
    report: Record = json.loads(result.stdout)
    assert report["status"] == result.exit_code
    return report


def told(report: Record) -> list[str]:
    return [f"{each['code']} {each['place']['pointer']} {each['message']} ({each['blame']})" for each in report["findings"]]


def test_clean_traffic_has_no_findings(tmp_path: Path) -> None:
    report = verified(list(CLEAN.values()), tmp_path)
    assert told(report) == []
    assert (report["verdict"], report["checked"]["exchanges"]) == ("kept", len(CLEAN) - 1)
    assert report["checked"]["exchanges not judged"] == 1  # the preflight


@pytest.mark.parametrize("name", CLEAN)
def test_each_clean_exchange_is_clean_alone(name: str, tmp_path: Path) -> None:
    assert told(verified([CLEAN[name]], tmp_path)) == []


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_defect_is_found_and_blamed(planted: Planted, tmp_path: Path) -> None:
    """Among clean exchanges, and without blaming anybody else for an error."""
    report = verified([CLEAN["list"], planted.entry, CLEAN["add"]], tmp_path)
    found = [each for each in report["findings"] if each["code"] == planted.code]
    assert len(found) >= 1, told(report)
    assert found[0]["blame"] == planted.blame
    assert found[0]["place"]["pointer"] == f"/log/entries/1{planted.at}"
    assert planted.message in found[0]["message"]
    assert {each["evidence"]["exchange"] for each in report["findings"]} == {2}
    errors = {each["blame"] for each in report["findings"] if each["severity"] == "error"}
    assert errors <= {planted.blame, *(["client"] if planted.code == "MS-A009" else [])} | _also(planted), told(report)


def _also(planted: Planted) -> set[str]:
    """Where the same exchange breaks the document on the other side as well."""
    return {"service"} if planted.name in ("body of another media type", "method not there", "no credentials") else set()


def test_every_code_of_verify_is_planted() -> None:
    """Those of recordings and of the proxy have tests of their own."""
    elsewhere = {"MS-A012", *(f"MS-T{number:03}" for number in (3, 4, 5, 7, 8, 9, 10, 11))}
    codes = {code for code in catalogue.entries() if code[3] in "RAT"}
    assert {planted.code for planted in PLANTED} == codes - elsewhere


def test_planted_defects_are_many() -> None:
    by = [planted.blame for planted in PLANTED]
    assert (by.count("client") >= 20, by.count("service") >= 20, by.count("document") >= 4) == (True, True, True)


def test_rule_is_told_with_its_place_in_the_document(tmp_path: Path) -> None:
    report = verified([adding({"weight": -1}, 400, answered=REFUSED)], tmp_path)
    finding = report["findings"][0]
    assert finding["related"][0]["what"] == "the rule"
    assert Path(finding["related"][0]["file"]).name == DEPOT.name
    line = DEPOT.read_text(encoding="utf-8").splitlines()[finding["related"][0]["line"] - 1]
    assert line.strip().startswith("weight: {type: number")
    assert finding["related"][0]["pointer"] == "/components/schemas/NewCrate/properties/weight/minimum"
    assert finding["operation"] == "addCrate"


@pytest.mark.parametrize(
    ("status", "why"),
    [(201, "took it all the same (201)"), (400, "refused the call as well (400)")],
)
def test_reason_says_what_the_service_did(status: int, why: str, tmp_path: Path) -> None:
    report = verified([adding({}, status, answered=CRATE if status == 201 else REFUSED)], tmp_path)
    assert why in report["findings"][0]["because"]


def test_same_defect_is_told_once_with_all_its_exchanges(tmp_path: Path) -> None:
    report = verified([adding({"weight": -1}, 400, answered=REFUSED)] * 30, tmp_path)
    assert len(report["findings"]) == 1
    assert report["findings"][0]["message"].endswith("(in 30 exchanges)")
    assert report["findings"][0]["evidence"]["exchanges"] == list(range(1, 31))


# What could not be checked is told, and nothing else of it.


def without_body(made: Record, side: str, size: int) -> Record:
    made = copy.deepcopy(made)
    if side == "request":
        del made["request"]["postData"]
        made["request"]["bodySize"] = size
    else:
        del made["response"]["content"]["text"]
        made["response"]["content"]["size"] = size
    return made


NOT_CHECKED = {
    "body of a request left out": (without_body(adding(), "request", 24), "/request/postData/text"),
    "body of a reply left out": (without_body(reading(), "response", 24), "/response/content/text"),
    "placeholder in a request": (adding({"weight": "[redacted]"}), "/request/postData/text"),
    "placeholder in a reply": (reading({**CRATE, "lock": "<REDACTED>"}), "/response/content/text"),
    "placeholder in a query": (crates("/crates?site=a&limit=***"), "/request/url"),
    "cut off": ({**reading('{"id": 1, "w'), "_mockserver": {"truncated": {"reply": True}}}, "/response/content/text"),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_CHECKED)
def test_what_cannot_be_checked_is_a_note(name: str, tmp_path: Path) -> None:
    made, at = NOT_CHECKED[name]
    report = verified([made], tmp_path)
    assert [(each["code"], each["severity"], each["place"]["pointer"]) for each in report["findings"]] == [
        ("MS-T003", "note", f"/log/entries/0{at}")
    ]
    assert report["verdict"] == "kept"


def test_placeholder_hides_nothing_else(tmp_path: Path) -> None:
    report = verified([adding({"weight": "[redacted]", "contents": "x"})], tmp_path)
    assert [each["code"] for each in report["findings"] if each["severity"] != "note"] == ["MS-R005"]


NOTED = {
    "MS-T004": entry(path="/events", answered="data: {}\n\n", reply_headers={"content-type": "text/event-stream"}),
    "MS-T005": entry(status=0),
    "MS-T007": crates("/crates?site=a&access_token=abc"),
    "MS-T008": reading(headers={"x-depot-pass": None}),
}


@pytest.mark.parametrize("code", NOTED)
def test_note_is_told(code: str, tmp_path: Path) -> None:
    report = verified([NOTED[code]], tmp_path, "--ignore", "R012")
    assert [(each["code"], each["severity"]) for each in report["findings"]] == [(code, "note")]


def test_secret_of_a_query_is_in_no_report(tmp_path: Path) -> None:
    assert "abcdefgh" not in json.dumps(verified([crates("/crates?site=a&access_token=abcdefgh")], tmp_path))


@pytest.mark.parametrize("broken", [{}, {"request": {}}, 5, {**reading(), "response": {"status": "fine"}}])
def test_entry_that_is_none_does_not_stop_the_run(broken: JSON, tmp_path: Path) -> None:
    report = verified([broken, adding({})], tmp_path)
    assert [each["code"] for each in report["findings"] if each["severity"] != "note"] == ["MS-T009", "MS-R005"]
    assert report["findings"][0]["place"]["pointer"] == "/log/entries/0"


def test_form_without_its_files_is_held_to_its_fields(tmp_path: Path) -> None:
    label = copy.deepcopy(CLEAN["picture"])
    for name, codes in (("logo", {"MS-T003"}), ("picture", {"MS-T003", "MS-R005", "MS-A009"})):
        kind = label["request"]["headers"][1]["value"]
        label["request"]["postData"] = {"mimeType": kind, "params": [{"name": name, "fileName": "a.png"}]}
        assert {each["code"] for each in verified([label], tmp_path)["findings"]} == codes


# Whose calls they are.


def test_calls_of_other_sites_are_no_findings(tmp_path: Path) -> None:
    others = [entry(path="/font.woff2", origin="https://fonts.example.com", answered="x")] * 3
    report = verified([reading(), *others], tmp_path)
    assert [(each["code"], each["severity"]) for each in report["findings"]] == [("MS-T010", "note")]
    assert report["checked"]["exchanges with others"] == 3


def test_server_says_where_the_service_is(tmp_path: Path) -> None:
    calls = [
        reading(origin="http://localhost:9000/api/depot"),
        entry(path="/nothing", status=404, origin="http://localhost:9000"),
    ]
    report = verified(calls, tmp_path, "--server", "http://localhost:9000/api/depot")
    assert report["checked"] == {"exchanges": 1, "operations": 1, "exchanges with others": 1}
    assert report["verdict"] == "kept"


def test_run_over_other_services_alone_is_not_green(tmp_path: Path) -> None:
    report = verified([reading()], tmp_path, "--server", "http://localhost:9000")
    assert (report["verdict"], report["status"]) == ("nothing checked", 2)


def test_only_and_ignore_narrow_the_run(tmp_path: Path) -> None:
    calls = [adding({}), reading({"id": 1})]
    assert [each["code"] for each in verified(calls, tmp_path, "--only", "getCrate")["findings"]] == ["MS-A003"]
    assert {each["code"] for each in verified(calls, tmp_path, "--ignore", "A003")["findings"]} == {"MS-R005", "MS-A009"}


# Every form of recording tells the same.


def cassette(made: Record, *, gzipped: bool = False) -> Record:
    """A HAR entry as vcrpy writes it."""
    request, response = made["request"], made["response"]
    text = response["content"].get("text") or ""
    return {
        "request": {
            "method": request["method"],
            "uri": request["url"],
            "body": request.get("postData", {}).get("text"),
            "headers": {each["name"]: [each["value"]] for each in request["headers"]},
        },
        "response": {
            "status": {"code": response["status"], "message": ""},
            "headers": {each["name"]: [each["value"]] for each in response["headers"]}
            | ({"content-encoding": ["gzip"]} if gzipped else {}),
            "body": {"string": _gzip(text) if gzipped else text},
        },
    }


def _gzip(text: str) -> bytes:
    import gzip

    return gzip.compress(text.encode(), mtime=0)


def rubys(made: Record) -> Record:
    each = cassette(made)
    each["request"]["body"] = {"encoding": "UTF-8", "string": each["request"]["body"] or ""}
    each["response"]["body"]["encoding"] = "UTF-8"
    return {**each, "recorded_at": "Sun, 03 May 2026 17:08:55 GMT"}


def in_base64(made: Record) -> Record:
    made = copy.deepcopy(made)
    content = made["response"]["content"]
    content |= {"text": base64.b64encode(content["text"].encode()).decode(), "encoding": "base64"}
    return made


DEFECTS = [adding({"weight": -1}), reading({"id": 1}), entry(path="/crate/1", status=404, answered=REFUSED)]
FORMS: dict[str, tuple[str, str]] = {
    "HAR": ("a.har", json.dumps({"log": {"entries": DEFECTS}})),
    "HAR with a byte order mark": ("a.har", "\ufeff" + json.dumps({"log": {"entries": DEFECTS}})),
    "HAR in base64": ("a.json", json.dumps({"log": {"entries": list(map(in_base64, DEFECTS))}})),
    "HAR with half a surrogate": ("a.har", json.dumps({"log": {"comment": "\ud800", "entries": DEFECTS}})),
    "vcrpy in YAML": ("a.yaml", yaml.safe_dump({"version": 1, "interactions": list(map(cassette, DEFECTS))})),
    "vcrpy in JSON": ("a.json", json.dumps({"version": 1, "interactions": list(map(cassette, DEFECTS))})),
    "vcrpy with gzip": ("a.yaml", yaml.safe_dump({"version": 1, "interactions": [cassette(e, gzipped=True) for e in DEFECTS]})),
    "VCR": ("a.yml", yaml.safe_dump({"recorded_with": "VCR 6.3.1", "http_interactions": list(map(rubys, DEFECTS))})),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_tells_the_same(form: str, tmp_path: Path) -> None:
    name, text = FORMS[form]
    (tmp_path / name).write_text(text, encoding="utf-8")
    result = run(tmp_path / name, DEPOT, "--report", "json")
    findings = json.loads(result.stdout)["findings"]
    assert sorted(each["code"] for each in findings) == ["MS-A003", "MS-A009", "MS-R005", "MS-R010"], result.stdout
    assert [each["evidence"]["exchange"] for each in findings if each["code"] == "MS-R010"] == [3]


def test_folder_of_recordings_is_read_as_one(tmp_path: Path) -> None:
    for number, each in enumerate(DEFECTS):
        (tmp_path / f"{number}.har").write_text(json.dumps({"log": {"entries": [each]}}), encoding="utf-8")
    report = json.loads(run(tmp_path, DEPOT, "--report", "json").stdout)
    assert report["checked"]["exchanges"] == 3
    assert {Path(each["place"]["file"]).name for each in report["findings"]} == {"0.har", "1.har", "2.har"}


UNUSABLE = {
    "nothing": ("", "is no recorded traffic"),
    "another object": ('{"openapi": "3.0.3"}', "this is an object with openapi"),
    "a list": ("[]", "this is a list"),
    "half a file": ('{"log": {"entries": [', "is not valid JSON"),
    "no text": ("\x00\x01", "is neither JSON nor YAML"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_is_no_recording_is_2_and_one_line(name: str, tmp_path: Path) -> None:
    text, reason = UNUSABLE[name]
    (tmp_path / "a.har").write_text(text, encoding="utf-8")
    result = run(tmp_path / "a.har", DEPOT)
    assert (result.exit_code, result.stdout) == (2, "")
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--only", "getCrat"], "near it: getCrate"),
        (["--ignore", "R999"], "there is no code 'R999'"),
        (["--server", "localhost"], "neither an http URL nor a path"),
        (["--colour"], "No such option"),
    ],
)
def test_options_that_cannot_be_are_2_and_one_line(options: list[str], reason: str, tmp_path: Path) -> None:
    (tmp_path / "a.har").write_text(json.dumps({"log": {"entries": [reading()]}}), encoding="utf-8")
    result = run(tmp_path / "a.har", DEPOT, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_no_exchange_is_not_green(tmp_path: Path) -> None:
    assert verified([], tmp_path)["status"] == 2


def everything(node: JSON, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """All places in a JSON value."""
    parts = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in parts:
        yield (*way, key)
        yield from everything(child, (*way, key))


ODD: list[JSON] = [None, True, -1, 1.5, "", "http://[", "\ud800", [], [5], {}, {"a": 5}]
WHOLE: dict[str, Record] = {
    "archive": {"log": {"entries": [crates(), in_base64(adding())]}},
    "cassette": {"version": 1, "interactions": [cassette(crates()), rubys(adding())]},
    "listing": {"requests": [{
        "number": 1, "method": "GET", "path": "/v2/crates/1", "query": "a=b", "status": 200, "duration_us": 5,
        "request": {"headers": {"x-depot-pass": "a"}, "body": {"a": 1}, "size": 7, "truncated": False},
        "reply": {"headers": {"content-type": "application/json"}, "body": CRATE, "size": 7, "truncated": False},
    }]},
}  # fmt: skip
MANGLED = [(form, way, odd) for form in WHOLE for way in everything(WHOLE[form]) for odd in ODD][::7]
"""A sample of all places with odd values at them."""


@pytest.mark.parametrize("at", range(12))
def test_no_recording_is_too_broken_to_be_read(at: int, tmp_path: Path) -> None:
    for form, way, odd in MANGLED[at::12]:
        value = copy.deepcopy(WHOLE[form])
        node: Any = value
        for key in way[:-1]:
            node = node[key]
        node[way[-1]] = odd
        (tmp_path / "a.har").write_text(json.dumps(value), encoding="utf-8")
        result = run(tmp_path / "a.har", DEPOT)
        assert result.exit_code in (0, 1, 2), (form, way, odd)
        assert len(result.stderr.splitlines()) <= 1, (form, way, odd, result.stderr)
