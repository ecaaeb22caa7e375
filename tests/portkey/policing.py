"""Steps with policies of either kind that the tests of this tree share."""

from __future__ import annotations

from typing import Any, NamedTuple

from mockserver.values import Record
from tests.conftest import Client
from tests.portkey.team import PRODUCTION, answered, read

TUESDAY = "2026-05-05T09:07:35Z"
SCOPES = [f"policies.{verb}" for verb in ("create", "read", "update", "delete", "list")]
"""All that a key needs for policies."""


class Policies(NamedTuple):
    """A kind of policy: its path, and a plain one as it is sent."""

    path: str
    plain: Record

    def body(self, **fields: Any) -> Record:
        """The body of a create."""
        return self.plain | fields

    def make(self, client: Client, **fields: Any) -> str:
        """Make a policy and return its id."""
        return str(answered(client.post(self.path, self.body(**fields)))["id"])

    def get(self, client: Client, policy_id: str, **query: Any) -> Record:
        """Read a policy."""
        return read(client, f"{self.path}/{policy_id}", **query)

    def names(self, client: Client, **query: Any) -> list[str]:
        """The names in a list, of Production's unless the query says otherwise."""
        return [item["name"] for item in read(client, self.path, **{"workspace_id": PRODUCTION, **query})["data"]]
