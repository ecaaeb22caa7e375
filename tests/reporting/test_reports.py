"""Reports: what makes a run green, and the forms that they are written in, as another program reads them."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import click
import jsonschema_rs
import pytest
from click.testing import CliRunner, Result

from mockserver.reporting import github, junit, page, plain, structured
from mockserver.reporting.delivery import FORMATS, deliver, report_options
from mockserver.reporting.finding import Edit, Place, Related
from mockserver.reporting.report import Report

NASTY = 'a "quoted" <b>value</b> & 100%, with: a colon\x00\x1b[31m\u2028 ü \ud800'
"""What clients send may be anything; no form may be broken by it."""


def made(*, checked: int = 3, codes: tuple[str, ...] = ("MS-X001", "MS-D007", "MS-X015")) -> Report:
    """A report with an error, a warning and a note."""
    report = Report("check", "shop.yaml", ("operations",), {"seed": "7"})
    for number in range(checked):
        report.case("operations", f"op{number}")
    report.count("examples", 12)
    for at, code in enumerate(codes):
        report.add(
            code,
            f"message {at}",
            Place("shop.yaml", f"/paths/{at}", 10 - at, 5),
            operation=f"op{at}",
            related=[Related("the schema", Place("parts.yaml", "/Order", 3, 1))],
            edit=Edit("Do this.", ({"op": "remove", "path": f"/paths/{at}"},)),
        )
    return report.finish()


# Verdicts.


@pytest.mark.parametrize(
    ("codes", "fail_on", "verdict", "status"),
    [
        ((), "error", "kept", 0),
        (("MS-X015",), "warning", "kept", 0),
        (("MS-D007",), "error", "kept", 0),
        (("MS-D007",), "warning", "broken", 1),
        (("MS-X001",), "error", "broken", 1),
    ],
    ids=["nothing", "note", "warning", "warning-fails", "error"],
)
def test_verdict_follows_from_the_worst(codes: tuple[str, ...], fail_on: Any, verdict: str, status: int) -> None:
    report = made(codes=codes)
    assert (report.verdict(fail_on), report.status(fail_on)) == (verdict, status)


def test_run_that_checked_nothing_is_never_green() -> None:
    report = made(checked=0, codes=())
    assert report.checked == {"examples": 12}
    assert (report.verdict(), report.status()) == ("nothing checked", 2)


def test_run_without_any_count_is_never_green() -> None:
    assert Report("check", "shop.yaml").finish().status() == 2


def test_what_is_broken_is_told_even_if_nothing_was_checked() -> None:
    assert made(checked=0).status() == 1


def test_findings_are_in_the_order_of_the_file() -> None:
    assert [finding.place.line for finding in made().findings] == [8, 9, 10]


def test_finding_has_what_the_catalogue_says() -> None:
    finding = Report("check", "x").add("MS-X008", "unknown section")
    assert (finding.severity, finding.blame) == ("error", "mock")
    assert finding.because
    assert finding.edit is not None
    assert finding.edit.words


def test_message_is_one_line() -> None:
    assert Report("check", "x").add("MS-D001", "one\n  two").message == "one two"


# JSON.


def schema() -> Any:
    return json.loads(structured.SCHEMA.read_text(encoding="utf-8"))


@pytest.mark.parametrize("report", [made(), made(checked=0, codes=()), made(codes=())], ids=["broken", "nothing", "kept"])
def test_json_is_what_its_schema_says(report: Report) -> None:
    value = json.loads(structured.render(report, "error"))
    jsonschema_rs.validate(schema(), value)
    assert value["status"] == report.status("error")
    assert value["counts"] == report.counts()


def test_json_schema_forbids_what_it_does_not_name() -> None:
    value = structured.value(made(), "error")
    value["findings"][0]["colour"] = "red"
    assert not jsonschema_rs.is_valid(schema(), value)


# JUnit.


def suites(report: Report, fail_on: Any = "error") -> ET.Element:
    return ET.fromstring(junit.render(report, fail_on))


def test_junit_has_the_usual_shape() -> None:
    """Root `testsuites`, then `testsuite`, then `testcase`, each with its required attributes; counts that are true."""
    root = suites(made())
    assert root.tag == "testsuites"
    for suite in root:
        assert suite.tag == "testsuite"
        cases = suite.findall("testcase")
        assert {"name", "tests", "failures", "errors", "skipped", "time"} <= set(suite.attrib)
        assert int(suite.attrib["tests"]) == len(cases) > 0
        assert int(suite.attrib["failures"]) == sum(len(case.findall("failure")) for case in cases)
        for case in cases:
            assert {"name", "classname", "time"} <= set(case.attrib)
            assert {child.tag for child in case} <= {"failure", "error", "skipped", "system-out", "system-err"}
    assert int(root.attrib["tests"]) == sum(len(suite.findall("testcase")) for suite in root)


def test_junit_fails_the_test_of_the_operation() -> None:
    cases = {case.attrib["name"]: case for case in suites(made()).iter("testcase")}
    failure = cases["op0"].find("failure")
    assert failure is not None
    assert failure.attrib == {"message": "MS-X001: message 0", "type": "MS-X001"}
    assert "shop.yaml:10:5" in str(failure.text)
    assert cases["op1"].find("failure") is None


def test_junit_tells_what_does_not_fail_beside_the_test() -> None:
    cases = {case.attrib["name"]: case for case in suites(made()).iter("testcase")}
    assert "MS-D007" in str(cases["op1"].findtext("system-out"))
    assert cases["op1"].find("failure") is None


def test_junit_fails_on_warnings_when_asked_to() -> None:
    assert suites(made(), "warning").attrib["failures"] == "2"


def test_junit_of_a_run_that_checked_nothing_is_an_error() -> None:
    assert suites(made(checked=0, codes=())).attrib["errors"] == "1"


def test_junit_has_a_test_for_findings_without_an_operation() -> None:
    report = made(codes=())
    report.add("MS-D001", "no title", Place("shop.yaml", "/info", 2, 1))
    names = [case.attrib["name"] for case in suites(report).iter("testcase")]
    assert "MS-D001 shop.yaml:2:1" in names


# GitHub.


def test_github_has_a_command_for_each_finding_worst_first() -> None:
    lines = github.render(made(), "error").splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::warning", "::notice"]
    assert lines[0].startswith(
        "::error file=shop.yaml,line=10,col=5,title=MS-X001 An example is refused by its schema::message 0"
    )


def test_github_escapes_data_and_properties() -> None:
    report = Report("check", "x")
    report.add("MS-D001", "50% of\nit", Place("a,b:c%.yaml", "", 1, 2))
    line = github.render(report.finish(), "error")
    assert "file=a%2Cb%3Ac%25.yaml,line=1" in line
    assert "::50%25 of it%0A" in line
    assert line.count("\n") == 1


def test_github_tells_that_nothing_was_checked() -> None:
    assert "::error title=mockserver check::nothing was checked" in github.render(made(checked=0, codes=()), "error")


# HTML.


class Outline(HTMLParser):
    """Which elements are there, which are left open, and what is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [str(value) for name, value in attrs if name in ("src", "href", "srcset")]
        if tag not in ("meta", "link", "br", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def outline(report: Report) -> Outline:
    made_of = Outline()
    made_of.feed(page.render(report, "error"))
    made_of.close()
    return made_of


def test_html_fetches_and_runs_nothing() -> None:
    read = outline(made())
    assert (read.open, read.fetched) == ([], [])
    assert not {"script", "link", "img", "iframe"} & set(read.tags)
    assert "@import" not in read.text
    assert "url(" not in read.text


def test_html_can_be_read_by_everybody() -> None:
    """A language, a title, one heading of the first level, captions, both colour schemes, a form for print."""
    text = page.render(made(), "error")
    read = outline(made())
    assert '<html lang="en">' in text
    assert read.tags.count("h1") == 1
    assert read.tags.count("caption") == read.tags.count("table")
    assert {"main", "header", "title"} <= set(read.tags)
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2.1 defines it."""
    digits = colour.removeprefix("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_html_has_enough_contrast(scheme: int) -> None:
    """WCAG 2.1, 1.4.3: 4.5 to 1, on the ground and on panels, for all colours of texts."""
    blocks = re.findall(r":root \{(.*?)\}", page.TEMPLATE.read_text(encoding="utf-8"), re.DOTALL)
    colours = dict(re.findall(r"--(\w+): (#\w+)", blocks[scheme]))
    for ground in ("ground", "panel"):
        for name in ("ink", "soft", "error", "warning", "note", "kept"):
            one, two = sorted((luminance(colours[ground]), luminance(colours[name])))
            assert (two + 0.05) / (one + 0.05) >= 4.5, (ground, name)


def test_html_has_every_finding_with_its_place_and_what_to_do() -> None:
    read = outline(made())
    assert read.tags.count("article") == 3
    for told in ("message 0", "shop.yaml:10:5", "Do this.", "parts.yaml:3:1", '"op": "remove"', "document:"):
        assert told in read.text


# All forms.


@pytest.mark.parametrize("form", FORMATS)
def test_nasty_texts_break_no_form(form: str) -> None:
    report = Report("check", NASTY, facts={"url": NASTY})
    report.case("operations", NASTY)
    report.add("MS-D001", NASTY, Place(NASTY, NASTY, 1, 1), operation=NASTY, edit=NASTY, evidence={"body": NASTY})
    report.finish()
    if form == "json":
        text = structured.render(report, "error").encode("utf-8", "backslashreplace").decode()
        jsonschema_rs.validate(schema(), json.loads(text))
    elif form == "junit":
        ET.fromstring(junit.render(report, "error").encode("utf-8", "backslashreplace"))
    elif form == "html":
        read = outline(report)
        assert "b" not in [tag for tag in read.tags[read.tags.index("body") :] if tag == "b"][1:]
    elif form == "github":
        assert github.render(report, "error").count("\n") == 1
    else:
        assert "\x1b" not in plain.render(report, "error")


def test_text_tells_place_reason_blame_and_edit() -> None:
    lines = plain.render(made(), "error").splitlines()
    at = lines.index("shop.yaml:10:5: error MS-X001: message 0")
    assert lines[at + 1 : at + 6] == [
        "    at: /paths/0",
        "    operation: op0",
        "    blame: document: The document's example or link breaks the document's own rules.",
        "    the schema: parts.yaml:3:1 /Order",
        "    mend: Do this.",
    ]


def test_text_counts_notes_and_tells_them_when_asked() -> None:
    assert "1 note not shown: --notes shows them" in plain.render(made(), "error")
    assert "MS-X015: message 2" in plain.render(made(), "error", notes=True)


def test_text_ends_with_what_was_checked_and_found() -> None:
    told = plain.render(made(codes=()), "error").splitlines()[-1]
    assert told == "shop.yaml: kept; checked 3 operations, 12 examples; 0 errors, 0 warnings, 0 notes"


# The options.


def run(*arguments: str, checked: int = 3, codes: tuple[str, ...] = (), env: dict[str, str] | None = None) -> Result:
    @click.command()
    @report_options
    def command(report: Any, fail_on: Any, notes: bool) -> None:
        deliver(made(checked=checked, codes=codes), report, fail_on, notes=notes)

    result = CliRunner().invoke(command, arguments, env=env, auto_envvar_prefix="TOOL")
    assert isinstance(result.exception, SystemExit) or result.exception is None, result.exception
    return result


def test_text_is_printed_unless_told_otherwise() -> None:
    assert run().stdout.splitlines()[-1].startswith("shop.yaml: kept")


@pytest.mark.parametrize("form", FORMATS)
def test_report_goes_to_its_file(form: str, tmp_path: Path) -> None:
    file = tmp_path / "report"
    result = run("--report", f"{form}={file}", codes=("MS-X001",))
    assert result.exit_code == 1
    assert "MS-X001" in file.read_text(encoding="utf-8")
    assert "MS-X001" in result.stdout


def test_report_takes_the_place_of_the_text() -> None:
    result = run("--report", "json")
    assert json.loads(result.stdout)["verdict"] == "kept"


def test_reports_can_be_several(tmp_path: Path) -> None:
    result = run("--report", f"junit={tmp_path / 'j'}", "--report", f"html={tmp_path / 'h'}", "--report", "json")
    assert result.exit_code == 0
    assert (tmp_path / "j").read_text().startswith("<?xml")
    assert (tmp_path / "h").read_text().startswith("<!DOCTYPE html>")
    json.loads(result.stdout)


def test_text_and_annotations_share_the_output() -> None:
    result = run("--report", "text", "--report", "github", codes=("MS-X001",))
    assert "::error" in result.stdout
    assert "shop.yaml:10:5: error" in result.stdout


def test_options_can_be_given_in_the_environment() -> None:
    result = run(codes=("MS-D007",), env={"TOOL_FAIL_ON": "warning", "TOOL_REPORT": "json"})
    assert result.exit_code == 1
    assert json.loads(result.stdout)["fail_on"] == "warning"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--report", "pdf"], "'pdf' is no form of a report; there are text, json, junit, html, github"),
        (["--report", "json="], "names no file"),
        (["--report", "json=none/report.json"], "there is no folder none"),
        (["--report", "json=."], "it is a folder"),
        (["--report", "json", "--report", "html"], "cannot both go to standard output"),
        (["--report", "json=a.x", "--report", "html=a.x"], "two reports cannot go to the same file"),
        (["--fail-on", "note"], "note"),
    ],
    ids=["form", "no-name", "no-folder", "folder", "both-printed", "same-file", "fail-on"],
)
def test_wrong_options_are_2_before_anything_is_done(arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in " ".join(result.stderr.split())


def test_folder_that_cannot_be_written_is_2() -> None:
    """Nobody makes files in /proc, root neither."""
    assert run("--report", "json=/proc/report").exit_code == 2


def test_file_is_replaced_at_once_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text("old")
    file.chmod(0o640)
    before = file.stat().st_ino
    run("--report", f"json={file}")
    assert file.stat().st_ino != before
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert [each.name for each in tmp_path.iterdir()] == ["report.json"]


def test_device_is_written_to_as_it_is() -> None:
    assert run("--report", f"json={os.devnull}").exit_code == 0
    assert not Path(os.devnull).is_file()


def test_colour_is_for_terminals(tmp_path: Path) -> None:
    report = made()
    assert "\x1b[" in plain.render(report, "error", colour=True)
    assert "\x1b[" not in run(codes=("MS-X001",)).stdout


def test_no_color_is_heeded_on_a_terminal() -> None:
    """In a pseudo-terminal, where the same command is coloured without it."""
    program = (
        "import os, pty, sys\n"
        "from mockserver.reporting.delivery import deliver\n"
        "from mockserver.reporting.report import Report\n"
        "def child():\n"
        "    report = Report('check', 'x'); report.count('operations'); deliver(report, (), 'error')\n"
        "pid, fd = pty.fork()\n"
        "if pid == 0: child()\n"
        "out = b''\n"
        "try:\n"
        "    while piece := os.read(fd, 1000): out += piece\n"
        "except OSError: pass\n"
        "os.waitpid(pid, 0)\n"
        "print(out)\n"
    )
    env = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"}
    told = [
        subprocess.run([sys.executable, "-c", program], env=env | more, capture_output=True, text=True, check=True).stdout
        for more in ({}, {"NO_COLOR": "1"})
    ]
    assert "\\x1b[" in told[0]
    assert "\\x1b[" not in told[1]
    assert "x: kept" in told[1]


def test_serving_imports_nothing_of_it() -> None:
    """The budget of a start: forms, catalogue and libraries are for commands that report."""
    program = (
        "import sys\n"
        "import mockserver.cli\n"
        "from mockserver.app import App, Settings\n"
        "App(Settings())\n"
        "print([name for name in sys.modules if name.startswith('mockserver.reporting.') or name == 'junitparser'])\n"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"'([^']+)'", printed)) <= {"mockserver.reporting.delivery"}


def test_runs_are_told_together() -> None:
    report, other = Report("check", "a.yaml", ("operations",)), Report("check", "b.yaml", ("operations",))
    other.case("operations", "listOrders")
    other.add("MS-D001", "there is no info", Place("b.yaml", "/info"))
    report.join(other)
    assert (report.subject, report.checked, len(report.findings)) == ("a.yaml, b.yaml", {"operations": 1}, 1)
    assert report.verdict() == "broken"
