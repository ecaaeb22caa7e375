"""Mappings in files, which every world begins with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mockserver.app import App, Settings
from mockserver.contract.errors import DocumentError
from mockserver.values import JSON, Record
from tests.conftest import Client

REFUSED: Record = {
    "request": {"method": "GET", "urlPath": "/v1/api-keys"},
    "response": {
        "status": 403,
        "jsonBody": {"success": False, "message": "Not today", "data": {"message": "Not today", "errorCode": "AB03"}},
    },
}


def written(path: Path, value: JSON) -> Path:
    path.write_text(json.dumps(value))
    return path


@pytest.mark.parametrize("value", [REFUSED, [REFUSED], {"mappings": [REFUSED]}], ids=["one", "list", "export"])
def test_every_world_begins_with_them(tmp_path: Path, value: JSON) -> None:
    app = App(Settings(stubs=(written(tmp_path / "refused.json", value),)))
    for world in ("default", "other"):
        assert Client(app, world).get("/v1/api-keys").json()["message"] == "Not today"


def test_reset_brings_them_back(tmp_path: Path) -> None:
    client = Client(App(Settings(stubs=(written(tmp_path / "refused.json", REFUSED),))))
    client.delete("/__admin/mappings")
    assert client.get("/v1/api-keys").status_code == 200
    client.post("/__admin/reset")
    assert client.get("/v1/api-keys").status_code == 403


def test_folder_is_read_to_its_bottom(tmp_path: Path) -> None:
    (tmp_path / "mappings" / "keys").mkdir(parents=True)
    written(tmp_path / "mappings" / "keys" / "refused.json", REFUSED)
    assert Client(App(Settings(stubs=(tmp_path / "mappings",)))).get("/v1/api-keys").status_code == 403


@pytest.mark.parametrize(
    ("value", "place", "reason"),
    [
        ({**REFUSED, "requset": {}}, "/", "requset"),
        ({"mappings": [REFUSED, {**REFUSED, "response": {"status": 299}}]}, "/mappings/1", "299"),
        ([1], "/0", "an object with request and response"),
    ],
    ids=["unknown field", "undocumented status", "no mapping"],
)
def test_what_is_refused_stops_the_start(tmp_path: Path, value: JSON, place: str, reason: str) -> None:
    file = written(tmp_path / "stubs.json", value)
    with pytest.raises(DocumentError) as caught:
        App(Settings(stubs=(file,)))
    assert str(caught.value).startswith(f"{file}:{place}: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_nothing_to_read_stops_the_start(tmp_path: Path, name: str) -> None:
    with pytest.raises(DocumentError):
        App(Settings(stubs=(tmp_path / name,)))
