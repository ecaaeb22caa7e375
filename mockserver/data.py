"""The one place that knows where the shipped document and the fixtures lie, and whose they are.

In a checkout they lie at the top, in an installed package in `mockserver/shipped`. Their bundles, made when the package is
built, lie in `mockserver/bundled`; a bundle that is older than its source is not used.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parent
_SHIPPED = _PACKAGE / "shipped"
_TOP = _SHIPPED if _SHIPPED.is_dir() else _PACKAGE.parent

BUNDLED = _PACKAGE / "bundled"
DOCUMENT = _TOP / "openapi.yaml"
DOCUMENT_BUNDLE = BUNDLED / "openapi.json"
CONTROL_DOCUMENT = _PACKAGE / "control" / "openapi.yaml"
CONTROL_BUNDLE = BUNDLED / "control.json"
SERVICE_ADMIN_DOCUMENT = _PACKAGE / "portkey" / "admin.yaml"
SERVICE_ADMIN_BUNDLE = BUNDLED / "service-admin.json"
SERVICE_ADMIN_MODULE = "mockserver.portkey.admin"
"""What the shipped document's API adds to the admin API."""
SITE_DOCUMENT = _PACKAGE / "site" / "openapi.yaml"
SITE_BUNDLE = BUNDLED / "site.json"
FIXTURES = _TOP / "fixtures"
DEFAULT_FIXTURE = "small_team"
SERVICE_MODULE = "mockserver.portkey.service"
"""The module whose `service` adds to the engine what the shipped document's API needs."""

RECORDED_MODULE = "mockserver.portkey.recorded"
"""The module that makes a fixture of records as the API shows them."""

FUZZ_MODULE = "mockserver.portkey.fuzzing"
FUZZ_FIXTURE = _PACKAGE / "portkey" / "fuzzing.yaml"
"""What campaigns over the shipped document need: exceptions, and a world with what its examples name."""


def service(document: Any, *, strict: bool) -> Any:
    """Return the service of the shipped document, which is handed over loaded."""
    return importlib.import_module(SERVICE_MODULE).service(document, strict=strict)


def service_admin() -> Any:
    """Return the module whose functions are the stubs of what the shipped document's API adds to the admin API."""
    return importlib.import_module(SERVICE_ADMIN_MODULE)


def recorded_sections(seen: Any, tell: Any) -> Any:
    """Return the sections of a fixture for records that traffic showed of the shipped document's API."""
    return importlib.import_module(RECORDED_MODULE).sections(seen, tell)


def fuzz_exceptions() -> Any:
    """Return where checks cannot be right about single operations of the shipped document, in Schemathesis's own form."""
    return importlib.import_module(FUZZ_MODULE).EXCEPTIONS


def fixture_names() -> list[str]:
    """The names of the shipped fixtures."""
    return sorted(path.stem for path in FIXTURES.glob("*.yaml"))


def fixture_bundle(name: str) -> Path:
    """Where the bundle of a shipped fixture lies."""
    return BUNDLED / f"fixture-{name}.json"
