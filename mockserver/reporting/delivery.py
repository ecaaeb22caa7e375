"""The options that all commands with reports share, and where the reports go.

Imported by the command line at its start: the forms themselves are imported when one is written.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

if TYPE_CHECKING:
    from mockserver.reporting.report import FailOn, Report

FORMATS = {
    "text": "mockserver.reporting.plain",
    "json": "mockserver.reporting.structured",
    "junit": "mockserver.reporting.junit",
    "html": "mockserver.reporting.page",
    "github": "mockserver.reporting.github",
}
"""The forms of a report, each with the module that writes it."""

_TOGETHER = {"text", "github"}
"""Forms made of lines, which can share standard output."""

_Command = TypeVar("_Command", bound=Callable[..., Any])

if TYPE_CHECKING:  # older releases of click have no parameter here
    _ParamType = click.ParamType["Wanted"]
else:
    _ParamType = click.ParamType


@dataclass(frozen=True)
class Wanted:
    """One `--report`: its form, and the file; None is standard output."""

    form: str
    file: Path | None


class _WantedType(_ParamType):
    name = "FORMAT[=FILE]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Wanted:
        if isinstance(value, Wanted):
            return value
        form, equals, name = str(value).partition("=")
        if form not in FORMATS:
            self.fail(f"{form!r} is no form of a report; there are {', '.join(FORMATS)}", param, ctx)
        if equals and not name:
            self.fail(f"{value!r} names no file; leave the = away for standard output", param, ctx)
        if not name or name == "-":
            return Wanted(form, None)
        file = Path(name)
        if reason := _cannot_be_written(file):
            self.fail(f"{name} cannot be written: {reason}", param, ctx)
        return Wanted(form, file)


def _cannot_be_written(file: Path) -> str | None:
    """Why a file cannot be written, found out before the work rather than after it."""
    if file.is_dir():
        return "it is a folder"
    if not file.parent.is_dir():
        return f"there is no folder {file.parent}"
    if not os.access(file if file.exists() and not file.is_file() else file.parent, os.W_OK):
        return "permission denied"
    return None


def _check_together(ctx: click.Context, param: click.Parameter, value: tuple[Wanted, ...]) -> tuple[Wanted, ...]:
    printed = [wanted.form for wanted in value if wanted.file is None]
    if len(printed) > 1 and (len(set(printed)) < len(printed) or not set(printed) <= _TOGETHER):
        raise click.BadParameter(f"{' and '.join(printed)} cannot both go to standard output; give one a file", ctx, param)
    files = [wanted.file.resolve() for wanted in value if wanted.file is not None]
    if len(set(files)) < len(files):
        raise click.BadParameter("two reports cannot go to the same file", ctx, param)
    return value


def fail(message: str) -> NoReturn:
    """Say in one line why a command cannot do its work, and leave with status 2."""
    click.echo(f"mockserver: {message}", err=True)
    sys.exit(2)


def report_options(command: _Command) -> _Command:
    """Give a command the options `report`, `fail_on` and `notes`, which `deliver` takes."""
    for option in (
        click.option("--notes", is_flag=True, help="Tell notes in the text as well; other forms always hold them."),
        click.option(
            "--fail-on",
            type=click.Choice(["error", "warning"]),
            default="error",
            show_default=True,
            help="How bad a finding must be for exit status 1.",
        ),
        click.option(
            "--report",
            type=_WantedType(),
            multiple=True,
            callback=_check_together,
            help=f"Write a report, to standard output or a file, as {', '.join(FORMATS)}. Can be given several times; "
            "the text is printed unless another form is.",
        ),
    ):
        command = option(command)
    return command


def deliver(report: Report, wanted: tuple[Wanted, ...], fail_on: FailOn, *, notes: bool = False) -> NoReturn:
    """Write the reports of a finished run and leave with its status; 2 when one of them cannot be written."""
    report.finish()
    if all(each.file is not None for each in wanted):
        wanted = (*wanted, Wanted("text", None))
    for each in wanted:
        options: dict[str, Any] = {"notes": notes} if each.form == "text" else {}
        if each.file is None:
            if each.form == "text":
                options["colour"] = _coloured()
            _print(importlib.import_module(FORMATS[each.form]).render(report, fail_on, **options))
            continue
        text = importlib.import_module(FORMATS[each.form]).render(report, fail_on, **options)
        try:
            write(each.file, text)
        except OSError as error:
            fail(f"{each.file} cannot be written: {error.strerror or error}")
    sys.exit(report.status(fail_on))


def _print(text: str) -> None:
    # In UTF-8 whatever the locale says: other programs read this. Findings may hold any character.
    click.echo(text.encode("utf-8", "backslashreplace"), nl=False)


def _coloured() -> bool:
    """Colour is for terminals, unless NO_COLOR (no-color.org) is set to anything."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and sys.stdout.isatty()


def write(file: Path, text: str) -> None:
    """Write a file at once or not at all; a device is written to as it is. Raises `OSError`."""
    data = text.encode("utf-8", "backslashreplace")
    if file.exists() and not file.is_file():
        file.write_bytes(data)
        return
    target = file.resolve()  # a link stays one
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as made:
            made.write(data)
        os.chmod(name, target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
