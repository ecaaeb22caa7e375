"""What the modules of the suite share: the clean document, how a defect is planted into it, and what must be found."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner, Result

from mockserver.cli import main
from mockserver.reporting.finding import Party
from mockserver.values import Record
from tests.conftest import DOCUMENTS

CLEAN_FILE = DOCUMENTS / "shop.yaml"
CLEAN: Record = yaml.safe_load(CLEAN_FILE.read_text(encoding="utf-8"))

LIST, ADD, GET = "/paths/~1orders/get", "/paths/~1orders/post", "/paths/~1orders~1{id}/get"
ORDER, NEW = "/components/schemas/Order", "/components/schemas/NewOrder"
JSON = "/content/application~1json"


@dataclass(frozen=True)
class Planted:
    """One defect: what is put where, and the finding that must come of it. `value` is left out to take away what is there."""

    name: str
    place: str
    value: Any
    code: str
    told_at: str
    message: str
    blame: Party = "document"


def planted(path: str, value: Any = ..., document: Record = CLEAN) -> Record:
    """The clean document with something else at a place; nothing there when no value is given."""
    document = copy.deepcopy(document)
    *way, last = (part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:])
    node: Any = document
    for part in way:
        node = node[int(part)] if isinstance(node, list) else node.setdefault(part, {})
    if value is ...:
        del node[int(last) if isinstance(node, list) else last]
    elif isinstance(node, list):
        node[int(last) : int(last) + 1] = [value]
    else:
        node[last] = value
    return document


def written(document: Any, folder: Path, name: str = "shop.yaml") -> Path:
    """A document as a file: a text as it is, JSON for a name that says so, else YAML."""
    path = folder / name
    if isinstance(document, str):
        text = document
    elif path.suffix == ".json":
        text = json.dumps(document, indent=2)
    else:
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8")
    return path


def run(*arguments: str | Path) -> Result:
    """The command in process. It ends by a status, never by an exception of its own."""
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def findings(command: str, *arguments: str | Path) -> list[Record]:
    """What a command finds, as its report in JSON tells it; its status must be that of the report."""
    result = run(command, *arguments, "--report", "json")
    assert result.exit_code in (0, 1), result.stderr
    report = json.loads(result.stdout)
    assert report["status"] == result.exit_code
    return list(report["findings"])


def told(found: Sequence[Record]) -> list[str]:
    """What was found, in a form that a failing test can show."""
    return [f"{each['code']} {each['place']['pointer']} {each['message']} ({each['blame']})" for each in found]


def apply_patch(document: Record, patch: Sequence[Record]) -> Record:
    """The document with a JSON Patch (RFC 6902) applied, as far as findings propose them: add, remove, replace, move."""
    document = copy.deepcopy(document)

    def holder(path: str) -> tuple[Any, Any]:
        *way, last = (part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:])
        node: Any = document
        for part in way:
            node = node[int(part)] if isinstance(node, list) else node[part]
        return node, (last if isinstance(node, dict) or last == "-" else int(last))

    for step in patch:
        node, key = holder(step["path"])
        if step["op"] == "move":
            source, old = holder(step["from"])
            node[key] = source.pop(old)
        elif step["op"] == "remove":
            assert key in node if isinstance(node, dict) else key < len(node)
            del node[key]
        elif isinstance(node, list) and step["op"] == "add":
            node.insert(len(node) if key == "-" else key, step["value"])
        else:
            assert step["op"] == "add" or key in node or isinstance(node, list)
            node[key] = step["value"]
    return document
