"""A first visit with Portkey's own client: `make serve` in one terminal, this in another.

The base URL may be given: `python docs/examples/first_call.py http://127.0.0.1:8787/v1`.
"""
# ruff: noqa: T201  an example shows what it gets

from __future__ import annotations

import sys

from portkey_ai import Portkey
from portkey_ai.api_resources.exceptions import PermissionDeniedError

BASE_URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8787/v1"

# Any key is an admin's, unless the world knows it.
portkey = Portkey(base_url=BASE_URL, api_key="any")

made = portkey.api_keys.create(
    type="workspace", sub_type="service", name="ci", workspace_id="ws-produc-71b04e", scopes=["logs.view"]
)
print("made", made.key, "which from now on reads", portkey.api_keys.retrieve(id=made.id).key)

# The new key is held to its scopes.
try:
    Portkey(base_url=BASE_URL, api_key=made.key).api_keys.list()
except PermissionDeniedError as error:
    print(error)

for workspace in portkey.admin.workspaces.list().data:
    print(workspace.slug, workspace.name)
