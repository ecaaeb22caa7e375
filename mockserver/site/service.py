"""Serves the document and Swagger UI, whose files come from a package: nothing is fetched from elsewhere."""

from __future__ import annotations

import html
import mimetypes
from functools import cached_property
from pathlib import Path

from mockserver import data, values
from mockserver.contract.contract import Contract
from mockserver.contract.loading import load_document
from mockserver.contract.operations import Operation
from mockserver.contract.problems import NOT_FOUND, Problem
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.stubs.service import PlainService, Stub
from mockserver.values import Record
from mockserver.world.world import World

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script>
  SwaggerUIBundle({{ url: "openapi.json", dom_id: "#page", deepLinking: true, validatorUrl: null }});
</script>
</body>
</html>
"""


class Site(PlainService):
    """The document of an API as people and tools read it. A stub is the method with the name of its operation."""

    base_path = ""

    def __init__(self, served: Record, name: str) -> None:
        self.contract = Contract(load_document(data.SITE_DOCUMENT, data.SITE_BUNDLE).document)
        super().__init__(self.contract.document)
        self._served = served
        self._title = name

    def stub(self, operation: Operation) -> tuple[str, Stub]:
        """Return the stub of an operation."""
        return "family", getattr(self, operation.stub_name)

    def get_document_as_json(self, request: Request, world: World) -> Reply:
        """Return the bundled document."""
        return Reply(200, self._served)

    def get_document_as_yaml(self, request: Request, world: World) -> Reply:
        """Return the bundled document as YAML."""
        return Reply(200, self._yaml, media_type="application/yaml")

    def get_docs_page(self, request: Request, world: World) -> Reply:
        """Return the page. Its links are relative, so that it works below `/worlds/<name>` as well."""
        page = _PAGE.format(title=html.escape(self._title))
        return Reply(200, page.encode(), media_type="text/html; charset=utf-8")

    def get_docs_asset(self, request: Request, world: World) -> Reply:
        """Return a file of Swagger UI. Fails: `not-found`."""
        name = request.path["asset"]
        if name not in self._files:
            raise Problem(NOT_FOUND, f"There is no file {name}")
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return Reply(200, self._files[name].read_bytes(), media_type=media_type)

    @cached_property
    def _yaml(self) -> bytes:
        import yaml

        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        # Through JSON: shared parts are written out, as YAML's anchors would surprise readers.
        text: str = yaml.dump(values.parse(values.dump(self._served)), Dumper=dumper, sort_keys=False, allow_unicode=True)
        return text.encode()

    @cached_property
    def _files(self) -> dict[str, Path]:
        from swagger_ui_bundle import swagger_ui_path

        return {path.name: path for path in Path(swagger_ui_path).iterdir() if path.is_file()}
