"""The documentation holds: its examples run, its links lead somewhere, its reference pages name what the code has."""

from __future__ import annotations

import argparse
import ast
import dataclasses
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from mockserver import data, pytest_plugin
from mockserver.app import App, Settings
from mockserver.cli import main, serve
from mockserver.contract.errors import SetupError
from mockserver.contract.problems import KINDS, Kind, Problem
from mockserver.portkey import scopes
from mockserver.portkey.runs import machine
from mockserver.portkey.seeds import SECTIONS
from mockserver.portkey.service import service
from mockserver.pytest_plugin import PortkeyWorld
from mockserver.stubs import inference, paging
from mockserver.stubs.demand import Demand, demand_of
from mockserver.stubs.inference import ROLES
from mockserver.testing.wanted import SETTINGS, Wanted
from tests.conftest import Client

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
ORIGIN = "http://127.0.0.1:8787"


def page_id(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def headings(text: str, level: int) -> list[str]:
    return re.findall(rf"^{'#' * level} (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one of the same level or a higher one."""
    level = len(heading.split(" ", 1)[0])
    below = text.partition(f"\n{heading}\n")[2]
    assert below, f"there is no {heading}"
    return re.split(rf"^#{{1,{level}}} ", below, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of all rows of all tables, without heads and rules."""
    found: list[list[str]] = []
    for line in text.splitlines():
        if re.fullmatch(r"\|(-+\|)+", line):
            found.pop()  # what stood above the rule was the head
        elif line.startswith("|"):
            found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def anchors(page: Path) -> set[str]:
    """The anchors that headings of a page get: small letters, hyphens for blanks, no other signs."""
    titles = [title for level in range(1, 5) for title in headings(page.read_text(encoding="utf-8"), level)]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def run(*command: str | Path, folder: Path) -> str:
    """Run Python as a reader would, outside the checkout and outside this pytest; return what it printed."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "MOCKSERVER", "PORTKEY"))}
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def curl(client: Client, command: str) -> int:
    """Do what a line with curl does, in process, and return the status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-X", dest="method")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="body")
    parser.add_argument("-F", dest="form", action="append", default=[])
    parser.add_argument("url")
    asked = parser.parse_args(shlex.split(command, comments=True)[1:])
    headers = dict(header.split(": ", 1) for header in asked.headers)
    assert asked.url.startswith(ORIGIN), f"{asked.url} is not where `make serve` serves"
    options: dict[str, Any] = {}
    if asked.body is not None:
        options["content"] = asked.body.encode()
        headers.setdefault("content-type", "application/x-www-form-urlencoded")
    if asked.form:  # `name=@path` uploads a file, which is empty here
        pairs = [pair.split("=", 1) for pair in asked.form]
        options["data"] = {name: value for name, value in pairs if value[0] != "@"}
        options["files"] = {name: (value[1:], b"") for name, value in pairs if value[0] == "@"}
    method = asked.method or ("GET" if asked.body is None and not asked.form else "POST")
    return client.call(method, asked.url.removeprefix(ORIGIN), headers=headers, **options).status_code


# Examples.


def test_first_call_runs(portkey: PortkeyWorld, tmp_path: Path) -> None:
    printed = run(EXAMPLES / "first_call.py", portkey.url, folder=tmp_path)

    assert "ws-produc-71b04e Production" in printed
    assert "403" in printed
    assert portkey.calls[0]["operation"] == "createApiKey"


def test_first_call_goes_to_make_serve_by_itself() -> None:
    assert f'"{ORIGIN}/v1"' in (EXAMPLES / "first_call.py").read_text(encoding="utf-8")


def test_tests_in_the_docs_pass(tmp_path: Path) -> None:
    """The example, and every block of a page that is a test."""
    sources = {"example": (EXAMPLES / "test_with_pytest.py").read_text(encoding="utf-8")}
    for page in PAGES:
        for number, block in enumerate(blocks(page.read_text(encoding="utf-8"), "python")):
            if "def test_" in block:
                sources[f"{page.stem.lower()}_{number}"] = block
    for name, source in sources.items():
        (tmp_path / f"test_{name}.py").write_text(source)
    count = sum(len(re.findall(r"^def test_", source, re.MULTILINE)) for source in sources.values())
    options = ["-c", os.devnull, "--rootdir", str(tmp_path), "-p", "no:cacheprovider", "-p", "no:xdist", "-q"]

    printed = run("-m", "pytest", *options, tmp_path, folder=tmp_path)

    assert re.search(rf"^{count} passed", printed, re.MULTILINE), printed


def test_other_api_is_served(tmp_path: Path) -> None:
    added, changed, removed, gone, refused = run(EXAMPLES / "other_api.py", folder=tmp_path).splitlines()

    assert added.startswith("(200,")
    assert "Emma" in added
    assert "Persuasion" in changed
    assert "Jane Austen" in changed
    assert [line[:4] for line in (removed, gone, refused)] == ["(204", "(404", "(400"]


def test_check_tells_who_would_break(tmp_path: Path) -> None:
    head, *told = run(EXAMPLES / "check.py", folder=tmp_path).splitlines()

    assert head == "status 1 broken"
    assert [line[:7] for line in told] == ["MS-C001", "MS-C019", "MS-C013"]
    assert told[0] == "MS-C001 DELETE /books/{id} is missing: breaks consumer"


def test_verify_tells_who_is_to_blame(tmp_path: Path) -> None:
    head, *told = run(EXAMPLES / "verify.py", folder=tmp_path).splitlines()

    assert head == "status 1 broken 3 exchanges"
    assert [line.partition(":")[0] for line in told] == [
        "MS-R005 client",
        "MS-A001 service",
        "MS-A009 service",
        "MS-T001 document",
    ]


def test_proxy_records_and_replays(tmp_path: Path) -> None:
    made, refused, found, kept, again, missed = run(EXAMPLES / "proxy.py", folder=tmp_path).splitlines()

    assert made.startswith("(201,")
    assert again == made
    assert (refused, missed) == ("400", "502")
    assert found.startswith("MS-R005 client")
    assert kept == "2 files, False"


def test_fuzz_finds_a_promise_that_is_not_kept(tmp_path: Path) -> None:
    status, found, left = run(EXAMPLES / "fuzz.py", folder=tmp_path).splitlines()

    assert status == "status 1 broken"
    assert found.startswith("MS-F002 DELETE /books/{id}: was answered 204: status 204 is not documented")
    assert found.endswith("; service is to blame")
    assert left.startswith("2 lines of curl")


def test_coverage_tells_what_was_not_called(tmp_path: Path) -> None:
    status, *found = run(EXAMPLES / "coverage.py", folder=tmp_path).splitlines()

    assert status == "status 1 40.0 % (2 of 5)"
    assert sorted(line[:7] for line in found) == ["MS-U001", "MS-U002", "MS-U002", "MS-U002"]


def test_readme_example_runs(portkey: PortkeyWorld, tmp_path: Path) -> None:
    example = blocks((ROOT / "README.md").read_text(encoding="utf-8"), "python")[0]
    assert f"{ORIGIN}/v1" in example

    secret, masked = run("-c", example.replace(f"{ORIGIN}/v1", portkey.url), folder=tmp_path).splitlines()

    assert masked == f"{secret[:2]}*****{secret[-3:]}"


@pytest.mark.parametrize("page", [page for page in PAGES if f"curl {ORIGIN}" in page.read_text(encoding="utf-8")], ids=page_id)
def test_curl_lines_of_a_page_work(page: Path) -> None:
    """From top to bottom against a fresh server, as the pages say; a comment names a status other than success."""
    app = App(Settings())
    client = Client(app, headers={})
    key_id = next(client.world["api_keys"].newest())["id"]
    lines = [line for block in blocks(page.read_text(encoding="utf-8"), "console") for line in block.splitlines()]
    for line in lines:
        if line.startswith("curl "):
            expected = re.search(r"  # (\d{3})$", line)
            status = curl(client, line.replace("$KEY_ID", key_id).replace("$TOKEN", app.tokens.write(client.world)))
            assert status == int(expected[1]) if expected else status in (200, 201), f"{status}: {line}"


def test_fixture_on_the_page_is_planted(tmp_path: Path) -> None:
    team, _, _ = blocks(read("fixtures.md"), "yaml")
    path = tmp_path / "our_team.yaml"
    path.write_text(team)

    client = Client(App(Settings(fixture=str(path), strict=True)), headers={}).as_key("a-secret-for-tests")

    assert client.get("/v1/admin/workspaces/ws-produc-71b04e").status_code == 403
    assert len(client.world["api_keys"]) == 2


def test_fixture_that_repeats_is_planted(tmp_path: Path) -> None:
    _, many, _ = blocks(read("fixtures.md"), "yaml")
    path = tmp_path / "many.yaml"
    path.write_text(many)

    client = Client(App(Settings(fixture=str(path))))

    assert len(client.world["workspaces"]) == 5
    assert client.get("/v1/api-keys?workspace_id=ws-team-3").json()["total"] == 20


def test_fixture_for_another_document_is_planted(tmp_path: Path) -> None:
    _, _, library = blocks(read("fixtures.md"), "yaml")
    path = tmp_path / "library.yaml"
    path.write_text(library)

    client = Client(App(Settings(document=EXAMPLES / "other_api.yaml", fixture=str(path))), headers={"x-library-card": "any"})

    assert client.get("/api/books/emma").json()["title"] == "Emma"
    assert client.get("/api/books").json()["total"] == 1


# Links and pages.


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_relative_links_resolve(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{link} leads to nothing"
        if anchor:
            assert anchor in anchors(target), f"{link} leads to no heading of {target.name}"


def test_index_lists_every_page_and_example() -> None:
    index = read("index.md")
    listed = {(DOCS / link.partition("#")[0]).resolve() for link in re.findall(r"\]\(([^)]+)\)", index)}
    pages = {page.resolve() for page in [*DOCS.glob("*.md"), *EXAMPLES.iterdir()] if page.is_file()}

    assert pages - {(DOCS / "index.md").resolve()} <= listed


# Reference pages, held to the code by names.


def test_problems_has_a_section_for_every_kind() -> None:
    assert headings(read("problems.md"), 2) == [kind.name for kind in KINDS]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_problem_has_the_status_and_code_of_its_section(kind: Kind) -> None:
    reply = service({}, strict=False).word(Problem(kind), None)
    body: Any = reply.body
    code = body["data"]["errorCode"]

    assert f"Status {reply.status}, Portkey's code `{code}`." in section(read("problems.md"), f"## {kind.name}")


def test_control_has_every_operation_of_the_admin_document(client: Client) -> None:
    document = client.get("/__admin/openapi.json").json()
    described = {
        f"{method.upper()} {path}": operation["operationId"]
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    text = read("control.md")

    assert set(headings(text, 3)) == set(described)
    for heading, operation_id in described.items():
        told = section(text, f"### {heading}")
        assert told.lstrip().startswith(f"`{operation_id}`:")
        assert re.search(r"^curl ", told, re.MULTILINE), f"{heading} has no line with curl"


def options_of(command: click.Command) -> dict[str, click.Parameter]:
    parameters = command.get_params(click.Context(command))
    return {name: each for each in parameters for name in (*each.opts, *each.secondary_opts) if name.startswith("-")}


def test_command_line_names_no_option_that_is_not() -> None:
    known = {name for command in (main, *main.commands.values()) for name in options_of(command)}

    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", read("command-line.md"))) <= known


def test_command_line_has_a_section_for_every_command() -> None:
    told = headings(read("command-line.md"), 2)
    assert sorted(told) == sorted(f"mockserver {name}" for name in main.commands)


@pytest.mark.parametrize("name", main.commands)
def test_command_line_has_every_option_of_a_command(name: str) -> None:
    table = rows(section(read("command-line.md"), f"## mockserver {name}"))
    named = {quoted_name for row in table for quoted_name in quoted(row[0]) if quoted_name.startswith("-")}

    assert named == set(options_of(main.commands[name]))


def test_command_line_has_the_defaults_of_serve() -> None:
    told = {
        quoted(row[0])[-1]: row[1]
        for row in rows(section(read("command-line.md"), "## mockserver serve"))
        if row[0][:2] == "`-"
    }
    real = {
        name: str(option.default)
        for name, option in options_of(serve).items()
        if name in told and isinstance(option.default, (int, str)) and not isinstance(option.default, bool)
    }

    assert real.keys() >= {"--port", "--host", "--seed", "--auth", "--log-level", "--body-limit", "--journal"}
    assert {name: told[name] for name in real} == real


@pytest.mark.parametrize("name", sorted(name for name in options_of(serve) if name.startswith("--") and name != "--help"))
def test_option_can_be_given_in_the_environment(name: str) -> None:
    option = options_of(serve)[name]

    assert f"MOCKSERVER_{str(option.name).upper()}" in (option.envvar or ())


def test_pytest_page_has_every_attribute_of_the_fixture(portkey: PortkeyWorld) -> None:
    table = rows(section(read("pytest.md"), "## portkey").partition("### ")[0])
    named = {found for row in table for found in re.findall(r"`portkey\.(\w+)", row[0])}

    assert named == {name for name in dir(portkey) if not name.startswith("_")}


def test_pytest_page_has_every_method_of_calls(portkey: PortkeyWorld) -> None:
    table = rows(section(read("pytest.md"), "### Calls"))
    named = {found for row in table for found in re.findall(r"`calls\.(\w+)", row[0])}

    assert named == {name for name in dir(portkey.calls) if not name.startswith("_")}


def test_pytest_page_has_every_fixture() -> None:
    told = {title for title in headings(read("pytest.md"), 2) if title.startswith("portkey")}

    assert told == {name for name in pytest_plugin.__all__ if name.startswith("portkey")}


def test_pytest_page_has_every_setting() -> None:
    table = rows(section(read("pytest.md"), "## Settings"))
    defaults = Wanted()

    assert [quoted(row[0])[0] for row in table] == list(SETTINGS)
    for row in table:
        name = quoted(row[0])[0]
        default = getattr(defaults.server, name, getattr(defaults, name, None))
        if name not in ("fixture", "now", "token"):
            assert row[1].strip("`") == str(default).lower()


def test_fixtures_page_has_every_fixture_and_section() -> None:
    assert headings(read("fixtures.md"), 3) == [*sorted(data.fixture_names(), reverse=True), *SECTIONS]


@pytest.mark.parametrize("name", SECTIONS)
def test_fixtures_page_has_every_field_of_a_section(name: str) -> None:
    schema, _ = SECTIONS[name]
    table = rows(section(read("fixtures.md"), f"### {name}"))

    assert sorted(field for row in table for field in quoted(row[0])) == sorted(schema["properties"])
    assert {field for row in table for field in quoted(row[0]) if row[1] == "required"} == set(schema["required"])


@pytest.mark.parametrize(
    "text",
    [
        "teams: []",
        "users: {a: b}",
        "users:\n  - {name: Ada}",
        "users:\n  - {email: ada@example.com, role: boss}",
        "workspaces:\n  - {name: A, members: {nobody@example.com: admin}}",
        "api_keys:\n  - {name: A, type: workspace-service, scopes: all, workspace: ws-none}",
        "users:\n  - {email: 'p{n}@example.com', repeat: 0}",
        "users:\n  - {email: ada@example.com}\n  - {email: ada@example.com}",
    ],
    ids=["section", "no-list", "field", "value", "person", "workspace", "repeats", "twice"],
)
def test_fixture_mistake_is_told_as_on_the_page(text: str, tmp_path: Path) -> None:
    path = tmp_path / "team.yaml"
    path.write_text(text + "\n")

    with pytest.raises(SetupError) as caught:
        App(Settings(fixture=str(path)))

    assert f"`{str(caught.value).replace(str(path), 'team.yaml')}`" in read("fixtures.md")


def test_identity_has_the_scopes_of_every_operation() -> None:
    told = {quoted(row[0])[0]: row[1] for row in rows(section(read("identity.md"), "## Scopes"))}
    wanted = {
        operation: " or ".join(
            " and ".join(f"`{scope}`".replace("{kind}", "<kind>") for scope in sorted(all_of)) for all_of in any_of
        )
        or "none"
        for operation, any_of in scopes.OPERATIONS.items()
    }

    assert told == wanted | {kind: f"`{family}`" for kind, family in scopes.KEY_KINDS.items()}


def test_resources_page_shows_what_routes_says(tmp_path: Path) -> None:
    text = read("resources.md")
    path = tmp_path / "shop.yaml"
    path.write_text(blocks(text, "yaml")[0], encoding="utf-8")

    printed = CliRunner().invoke(main, ["routes", str(path)])

    assert printed.exit_code == 0
    assert printed.stdout == blocks(text, "text")[0]


def test_assistants_page_has_the_statuses_of_runs() -> None:
    told = re.findall(r"^\| `(\w+)` \| (\d+)?", read("assistants.md"), re.MULTILINE)

    assert {name: int(ms) if ms else None for name, ms in told} == {
        name: rule.lasts_ms for name, rule in machine.STATUSES.items()
    }
    assert all(f"`{name}`" in read("assistants.md") for name in machine.ENDS)


def test_resources_page_has_every_role() -> None:
    table = rows(section(read("resources.md"), "## Roles"))

    assert sorted(quoted(row[0])[0] for row in table) == sorted(ROLES)


def test_resources_page_has_every_name_of_paging() -> None:
    """The tables of `stubs/paging.py`, row by row, and the names of arrays, totals and cursors."""
    text = section(read("resources.md"), "## Lists")
    told = [quoted(row[1]) for row in rows(text)]
    tables = (paging._SIZES, paging._PAGES, paging._OFFSETS, paging._AFTER, paging._BEFORE, paging._ORDERS)

    assert told == [list(table) for table in tables]
    assert {*paging._TOTALS, *paging._NEXT, *inference._ROWS} <= set(quoted(text))


def test_resources_page_shows_an_x_resource_that_is_one() -> None:
    said = yaml.safe_load(blocks(read("resources.md"), "yaml")[1])["x-resource"]
    fields = {quoted(row[0])[0] for row in rows(section(read("resources.md"), "## x-resource"))}

    assert inference.override_fault(said) is None
    assert fields == {"x-resource: false", *said}


def test_answers_page_has_every_demand() -> None:
    demands = {field.name for field in dataclasses.fields(Demand)}
    table = rows(read("answers.md"))

    assert {quoted(row[1])[0].removeprefix("__").partition("=")[0] for row in table} == demands
    for row in table:
        header, query = quoted(row[0])[0], quoted(row[1])[0]
        assert demand_of(query.encode(), []) == demand_of(b"", [(b"prefer", header.removeprefix("Prefer: ").encode())])


def test_deviations_tells_of_every_fact_left_out() -> None:
    told = read("deviations.md")
    facts = [line for line in read("deviations.txt").splitlines() if line and not line.startswith("#")]

    assert facts
    for fact in facts:
        assert f"`{fact.partition(':')[0]}`" in told


def test_performance_has_every_row_of_the_bench() -> None:
    source = ast.parse((ROOT / "bench" / "__main__.py").read_text(encoding="utf-8"))
    names = {
        call.args[0].value
        for call in ast.walk(source)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in ("add", "note", "against_bare")
        and isinstance(call.args[0], ast.Constant)
    }
    told = {row[0] for row in rows(section(read("performance.md"), "## What each row means"))}

    assert names
    assert names <= told


# The architecture page.


def test_architecture_stays_under_two_pages() -> None:
    assert len(read("architecture.md").split()) < 1400


def imports_of(path: Path) -> set[str]:
    """The parts of the package that a module imports, at whatever place in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "mockserver":
            names |= {alias.name for alias in node.names if alias.name != "__version__"}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mockserver."):
            names.add(str(node.module).split(".")[1])
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("mockserver.")}
    return names


def test_architecture_has_the_imports_as_they_are() -> None:
    table = rows(section(read("architecture.md"), "## Who may import whom"))
    told = {quoted(row[0])[0]: set(quoted(row[1])) for row in table}
    package = ROOT / "mockserver"
    real: dict[str, set[str]] = {}
    for path in package.rglob("*.py"):
        part = path.relative_to(package).parts[0].removesuffix(".py")
        if part not in ("__init__", "__main__"):
            real.setdefault(part, set()).update(imports_of(path) - {part})

    assert told == real


def test_families_do_not_know_each_other(shared_app: App) -> None:
    modules = {family: ROOT / "mockserver" / "portkey" / f"{family}.py" for family in families_of(shared_app)}
    sources = {family: path.read_text(encoding="utf-8") for family, path in modules.items() if path.exists()}

    assert len(sources) > 1
    for family, source in sources.items():
        for other in sources.keys() - {family}:
            direct = rf"^\s*(from|import) mockserver\.portkey\.{other}\b"
            by_name = rf"^\s*from mockserver\.portkey import .*\b{other}\b"
            assert not re.search(f"{direct}|{by_name}", source, re.MULTILINE), f"{family} knows {other}"


def families_of(app: App) -> set[str]:
    return {operation.family for operation in app.contract.operations}


def test_only_chassis_imports_connexion() -> None:
    sources = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "mockserver").rglob("*.py")}

    assert [name for name, text in sources.items() if re.search(r"^\s*(from|import) connexion", text, re.MULTILINE)] == [
        "chassis.py"
    ]


def test_architecture_names_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.split(r"[^\w.-]", dependency, maxsplit=1)[0] for dependency in project["dependencies"]}
    table = rows(section(read("architecture.md"), "## Dependencies"))
    told = {name.strip() for row in table for name in row[0].split(",")}

    assert told == wanted
