"""Makes all bundles that ship: `python -m mockserver.bundles` after a change of the document, or a build of the package."""

from __future__ import annotations

from mockserver import data
from mockserver.contract import loading


def build_all() -> None:
    """Write the bundles of the document, of what the server adds to it, and of the fixtures."""
    loading.build(data.DOCUMENT, data.DOCUMENT_BUNDLE, document=True)
    loading.build(data.CONTROL_DOCUMENT, data.CONTROL_BUNDLE, document=True)
    loading.build(data.SERVICE_ADMIN_DOCUMENT, data.SERVICE_ADMIN_BUNDLE, document=True)
    loading.build(data.SITE_DOCUMENT, data.SITE_BUNDLE, document=True)
    for name in data.fixture_names():
        loading.build(data.FIXTURES / f"{name}.yaml", data.fixture_bundle(name), document=False)


if __name__ == "__main__":
    build_all()
