"""The built wheel, installed where there is nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import mockserver
from tests.test_server import Served, plain_environment

TOP = Path(__file__).parent.parent
SOURCES = (
    "mockserver", "openapi", "fixtures", "openapi.yaml", "pyproject.toml", "build_bundles.py", "README.md", "LICENSE",
    "CHANGELOG.md",
)  # fmt: skip


def run(*command: str | Path, cwd: Path) -> None:
    """Run a command in a folder; fail with what it says when it fails."""
    environment = {name: value for name, value in plain_environment().items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout}\n{done.stderr}", pytrace=False)


def test_wheel_serves_from_an_empty_folder(tmp_path: Path) -> None:
    """Document, fixtures and bundles travel in it, so it needs neither the checkout nor to parse YAML.

    It is built from a copy without bundles: the build must make them, and other tests read those of the checkout.
    """
    copy, empty = tmp_path / "copy", tmp_path / "empty"
    copy.mkdir()
    empty.mkdir()
    for name in SOURCES:
        source = TOP / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__", "bundled"))
        else:
            shutil.copy(source, copy / name)
    run(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path, copy, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name == f"mockserver-{mockserver.__version__}-py3-none-any.whl"

    held = set(zipfile.ZipFile(wheel).namelist())
    shipped = [TOP / "openapi.yaml", *TOP.glob("openapi/*.yaml"), *TOP.glob("fixtures/*.yaml")]
    assert {f"mockserver/shipped/{file.relative_to(TOP)}" for file in shipped} <= held
    bundles = {
        "openapi.json",
        "control.json",
        "site.json",
        *(f"fixture-{file.stem}.json" for file in TOP.glob("fixtures/*.yaml")),
    }
    assert {f"mockserver/bundled/{name}" for name in bundles} <= held
    assert {f"mockserver/{name}" for name in ("py.typed", "control/openapi.yaml", "site/openapi.yaml")} <= held
    inspector = TOP / "mockserver/control/inspector"
    assert {f"mockserver/control/inspector/{file.name}" for file in inspector.iterdir()} <= held
    assert not [name for name in held if name.startswith(("tests/", "bench/", "openapi"))]

    scripts = tmp_path / "venv" / "bin"
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=empty)
    run(scripts / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel, cwd=empty)
    home = {"HOME": os.fspath(empty), "XDG_CACHE_HOME": ""}
    with Served("-p", "0", command=scripts / "mockserver", cwd=empty, environment=home) as served:
        assert served.get("/v1/api-keys").json["total"] == 7
        assert served.get("/__admin/health").json["not_served"] == []
        assert served.post("/v1/admin/workspaces", b'{"name":"From a wheel"}').json["name"] == "From a wheel"
        assert served.post("/v1/admin/workspaces", b"{}").status == 400
        assert served.stop() == 0
        assert served.errors() == ""
    assert list(empty.iterdir()) == []  # where YAML was parsed, a cache would lie
