"""What other projects run in their CI: the action, the image, the hook. What cannot be run here is linted."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from mockserver.app import App
from mockserver.cli import main
from mockserver.server import BackgroundServer

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def run(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(each) for each in command], capture_output=True, text=True, timeout=60, check=False, **options)


def script(name: str) -> str:
    steps: list[dict[str, Any]] = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
    return next(str(step["run"]) for step in steps if step.get("name") == name)


def acted(arguments: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """The action's last step, with the installed command where the step before it puts one."""
    (tmp_path / "mockserver/bin").mkdir(parents=True)
    (tmp_path / "mockserver/bin/mockserver").symlink_to(BIN / "mockserver")
    environment = {**os.environ, "RUNNER_TEMP": str(tmp_path), "ARGUMENTS": arguments}
    return run("bash", "-eo", "pipefail", "-c", script("Run mockserver"), env=environment, cwd=tmp_path)


def test_action_keeps_the_schema_of_actions() -> None:
    linted = run(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-actions", ROOT / "action.yml")
    assert linted.returncode == 0, linted.stdout


def test_action_hands_words_on_as_a_shell_would(tmp_path: Path) -> None:
    document = {"openapi": "3.0.3", "info": {"title": "x", "version": "1"}, "paths": {}}
    (tmp_path / "my document.json").write_text(json.dumps(document))
    assert "no such file" not in acted("routes 'my document.json'", tmp_path).stderr.lower()
    assert "my;document" in acted("routes 'my;document.json'", tmp_path / "other").stderr


def test_action_ends_as_the_command_does(tmp_path: Path) -> None:
    assert acted("--version", tmp_path).returncode == 0
    assert acted("routes missing.yaml", tmp_path / "other").returncode == 2


def test_action_installs_what_lies_beside_it() -> None:
    assert '"$SOURCE${EXTRAS:+[$EXTRAS]}"' in script("Install mockserver")
    assert run("bash", "-nc", script("Install mockserver")).returncode == 0


def test_image_is_linted() -> None:
    linted = run(BIN / "hadolint", ROOT / "Dockerfile")
    assert linted.returncode == 0, linted.stdout


def test_image_does_not_run_as_root() -> None:
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE) == ["10001"]


def health_check() -> list[str]:
    found = re.search(r"^HEALTHCHECK .*\\\n\s+CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert found is not None
    command: list[str] = json.loads(found[1])
    return [sys.executable, *command[1:]]


def test_health_check_of_the_image_sees_a_server(shared_app: App) -> None:
    server = BackgroundServer(shared_app)
    server.start()
    try:
        checked = run(*health_check(), env={**os.environ, "MOCKSERVER_PORT": server.origin.rpartition(":")[2]})
    finally:
        server.stop()
    assert checked.returncode == 0, checked.stderr


def test_health_check_of_the_image_misses_a_server() -> None:
    assert run(*health_check(), env={**os.environ, "MOCKSERVER_PORT": "1"}).returncode == 1


def test_image_serves_by_its_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its command is refused, by name, for the token that it lacks, and for nothing else."""
    for name, value in re.findall(r"(MOCKSERVER_\w+)=(\S+)", DOCKERFILE.partition("ENV PATH")[2]):
        monkeypatch.setenv(name, value)
    refused = CliRunner().invoke(main, ["serve"])
    assert (refused.exit_code, "0.0.0.0" in refused.output, "--admin-token" in refused.output) == (2, True, True)


def test_image_is_built_from_what_the_package_is() -> None:
    taken = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert all((ROOT / name).exists() for name in taken)
    included = re.search(r"\[tool.hatch.build.targets.sdist\]\ninclude = \[(.*)\]", (ROOT / "pyproject.toml").read_text())
    assert included is not None
    assert taken == {name.strip('"/ ') for name in included[1].split(",")} | {"pyproject.toml", "constraints.txt"}


def test_hooks_keep_the_form_of_pre_commit() -> None:
    linted = run(BIN / "pre-commit", "validate-manifest", ROOT / ".pre-commit-hooks.yaml")
    assert linted.returncode == 0, linted.stdout


def test_hooks_call_commands_that_there_are() -> None:
    for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text()):
        name, command = hook["entry"].split()[:2]
        assert (name, command in main.commands) == ("mockserver", True)
        assert hook["require_serial"] is True
        assert re.search(hook["files"], "api/openapi.yaml")
        assert not re.search(hook["files"], "src/main.py")


PIPELINES = ROOT / "docs" / "examples" / "ci"


@pytest.mark.parametrize(("schema", "name"), [("vendor.github-workflows", "github.yml"), ("vendor.gitlab-ci", "gitlab.yml")])
def test_pipelines_of_the_docs_keep_their_schemas(schema: str, name: str) -> None:
    linted = run(BIN / "check-jsonschema", "--builtin-schema", schema, PIPELINES / name)
    assert linted.returncode == 0, linted.stdout


def lines(value: Any, name: str = "") -> Iterator[str]:
    """The lines that a pipeline runs, those of the action as if it were the command itself."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from lines(each, f"{name}/{key}")
    elif isinstance(value, list):
        for each in value:
            yield from lines(each, name)
    elif isinstance(value, str) and name.endswith(("/run", "/script")):
        for line in value.splitlines():
            yield f"mockserver {line}" if name.endswith("/with/run") else line


@pytest.mark.parametrize("name", ["github.yml", "gitlab.yml"])
def test_pipelines_of_the_docs_use_options_that_there_are(name: str) -> None:
    called = [line for line in lines(yaml.safe_load((PIPELINES / name).read_text())) if line.startswith("mockserver ")]
    assert {line.split()[1] for line in called} >= {"check", "serve", "verify", "coverage", "fuzz"}
    for line in called:
        _, command, *words = shlex.split(line.removesuffix(" &"))
        known = {option for parameter in main.commands[command].params for option in parameter.opts}
        assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known, line
