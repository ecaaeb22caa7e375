"""Makes one self-contained document from a file and the files that it refers to.

Path items of other files are put in place; everything else of theirs becomes a component, so that all the engine's
readers (connexion, openapi-core, schemathesis) get the same object, with no reference that leaves it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from mockserver.contract import grammar
from mockserver.contract.errors import DocumentError
from mockserver.contract.reading import parse_text, read_bytes
from mockserver.values import JSON, Record, pointer


@dataclass(frozen=True)
class Bundle:
    """A document with every reference within it, each file that was read with its bytes, and what is wrong.

    A reference that leads nowhere is a fault and stays as it is: it costs the operations that need it, not the document.
    `origins` tells where what stands at a pointer came from, as file and pointer; what has none came from the root file.
    """

    document: Record
    sources: dict[Path, bytes]
    faults: list[str]
    origins: dict[str, tuple[Path, str]] = field(default_factory=dict)


def bundle(root: Path) -> Bundle:
    """Return the bundle of a document. Raises `DocumentError` for a file that is no OpenAPI 3.0 document."""
    return _Bundler(root.resolve()).run()


class _Bundler:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.sources: dict[Path, bytes] = {}
        self.trees: dict[Path, JSON] = {}
        self.document: Record = {}
        self.named: dict[tuple[Path, str], str] = {}
        """Where each foreign pointer went: (file, pointer) to `#/components/…`."""
        self.added: dict[str, Record] = {}
        self.faults: list[str] = []
        self.inlined: dict[int, tuple[Path, str]] = {}
        """Where path items of other files came from, by the object in the document."""
        self.done: set[int] = set()
        """Objects already treated: a reference that was rewritten must not be read again, relative to its old file."""

    def run(self) -> Bundle:
        document = self.tree(self.root)
        if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
            raise DocumentError(self.root, "is not an OpenAPI document: it has no paths")
        version = document.get("openapi")
        if not isinstance(version, str) or not version.startswith("3.0."):
            found = f"openapi: {version}" if version else f"swagger: {document.get('swagger', 'no version')}"
            raise DocumentError(self.root, f"OpenAPI 3.0 is needed, this says {found}; convert it to 3.0.3", "/openapi")
        self.document = document
        self.treat("document", document, self.root)
        components = document.setdefault("components", {})
        for section, entries in self.added.items():
            components.setdefault(section, {}).update(entries)
        return Bundle(document, self.sources, self.faults, self.origins())

    def origins(self) -> dict[str, tuple[Path, str]]:
        found = {place.removeprefix("#"): origin for origin, place in self.named.items()}
        for path, item in self.document["paths"].items():
            if id(item) in self.inlined:
                found[pointer("paths", path)] = self.inlined[id(item)]
        return found

    def tree(self, path: Path) -> JSON:
        if path not in self.trees:
            self.sources[path] = read_bytes(path)
            self.trees[path] = parse_text(self.sources[path], path)
        return self.trees[path]

    def treat(self, kind: str, node: Record, file: Path) -> None:
        if id(node) in self.done:
            return
        self.done.add(id(node))
        reference = node.get("$ref")
        if isinstance(reference, str):
            try:
                if kind == "pathItem":
                    self.inline(node, reference, file)
                else:
                    node["$ref"] = self.rewritten(kind, reference, file)
            except DocumentError as error:
                self.faults.append(str(error))
            return
        for _, child_kind, child in grammar.children(kind, node):
            self.treat(child_kind, child, file)

    def inline(self, node: Record, reference: str, file: Path) -> None:
        target_file, fragment = self.split(reference, file)
        target = self.target(target_file, fragment, reference, file)
        self.inlined[id(node)] = (target_file, fragment)
        del node["$ref"]
        for key, value in target.items():
            node.setdefault(key, value)
        for _, child_kind, child in grammar.children("pathItem", node):
            self.treat(child_kind, child, target_file)

    def rewritten(self, kind: str, reference: str, file: Path) -> str:
        target_file, fragment = self.split(reference, file)
        if target_file == self.root:
            return "#" + fragment
        place = (target_file, fragment)
        if place not in self.named:
            section = grammar.SECTIONS.get(kind)
            if section is None:
                raise DocumentError(file, f"a reference to another file cannot stand here: {reference}")
            target = self.target(target_file, fragment, reference, file)
            name = self.free_name(section, fragment.rsplit("/", 1)[-1] or target_file.stem)
            self.named[place] = f"#/components/{section}/{name}"
            self.added.setdefault(section, {})[name] = target
            self.treat(kind, target, target_file)
        return self.named[place]

    def free_name(self, section: str, wanted: str) -> str:
        taken = {**(self.document.get("components") or {}).get(section, {}), **self.added.get(section, {})}
        base = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in wanted)
        name, count = base, 2
        while name in taken:
            name, count = f"{base}_{count}", count + 1
        return name

    def split(self, reference: str, file: Path) -> tuple[Path, str]:
        name, _, fragment = reference.partition("#")
        if "://" in name:
            raise DocumentError(
                file, f"nothing is fetched from elsewhere: save {name} beside the document and refer to the file"
            )
        return ((file.parent / unquote(name)).resolve() if name else file), unquote(fragment)

    def target(self, target_file: Path, fragment: str, reference: str, file: Path) -> Record:
        try:
            target = grammar.find(self.tree(target_file), "#" + fragment)
        except KeyError:
            raise DocumentError(file, f"the reference {reference} points to nothing") from None
        if not isinstance(target, dict):
            raise DocumentError(file, f"the reference {reference} points to a {type(target).__name__}, not an object")
        return target
