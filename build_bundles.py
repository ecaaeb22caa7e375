"""Build hook: makes the bundles of the document and of the fixtures, so that a normal start parses no YAML."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BundleHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling leaves the parameter open
    """Runs before a wheel or an editable installation is made."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write `mockserver/bundled`."""
        root = Path(self.root)
        sys.path.insert(0, str(root))
        try:
            from mockserver import bundles

            bundles.build_all()
        finally:
            sys.path.remove(str(root))
