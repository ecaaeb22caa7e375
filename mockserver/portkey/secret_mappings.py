"""Which secret of a vault goes where: the mappings that integrations, virtual keys and MCP integrations hold.

Source: governance-mcp-observability, Secret references: Referenced by; identity-and-access, Virtual keys and Integrations.
"""

from __future__ import annotations

from collections.abc import Sequence

from mockserver.contract.problems import invalid
from mockserver.portkey.records import named
from mockserver.values import Record
from mockserver.world.world import World

HOLDERS = ("integrations", "providers", "mcp_integrations")
"""The collections whose records hold mappings, in `secret_mappings`."""


def checked_mappings(
    given: list[Record] | None, targets: Sequence[str], workspace_id: str | None, world: World
) -> list[Record] | None:
    """Return mappings as they are kept, None for none.

    `targets` are the fields that a secret may go to; one that ends in a dot, of which there is one, stands for all below it,
    and a bare name gets it in front. `workspace_id` is where the holder lies, None for the organisation.
    Fails: `invalid-request` for another target, for one named twice, and for a reference that is not there, not active or
    not for this workspace. *chosen*: what is the organisation's may use any, since no workspace speaks for it; references
    read back as they were written, by id or by slug, since clients compare.
    """
    kept: list[Record] = []
    for at, mapping in enumerate(given or ()):
        pointer = f"/secret_mappings/{at}"
        target = _target(mapping["target_field"], targets)
        if target is None:
            wanted = " or ".join(f"{each}<field>" if each.endswith(".") else each for each in targets)
            raise invalid("body", f"{pointer}/target_field", f"must be {wanted}")
        if any(target == other["target_field"] for other in kept):
            raise invalid("body", f"{pointer}/target_field", f"is {target}, which another mapping has")
        reference = named(world, "secret_references", mapping["secret_reference_id"])
        if reference is None or not _is_open(reference, workspace_id):
            raise invalid("body", f"{pointer}/secret_reference_id", "is no active secret reference that may be used here")
        kept.append(
            {
                "target_field": target,
                "secret_reference_id": mapping["secret_reference_id"],
                "secret_key": mapping.get("secret_key"),
                "value_format": mapping.get("value_format"),
            }
        )
    return kept or None


def is_mapped(reference: Record, world: World) -> bool:
    """Whether anything uses a secret reference."""
    names = (reference["id"], reference["slug"])
    return any(
        mapping["secret_reference_id"] in names
        for holder in HOLDERS
        for record in world[holder].newest()
        for mapping in record.get("secret_mappings") or ()
    )


def _target(field: str, targets: Sequence[str]) -> str | None:
    prefix = next(target for target in targets if target.endswith("."))
    if field in targets and field != prefix:
        return field
    if "." not in field:
        return f"{prefix}{field}"
    return field if field.startswith(prefix) and field != prefix else None


def _is_open(reference: Record, workspace_id: str | None) -> bool:
    if reference["status"] != "ACTIVE":
        return False
    return workspace_id is None or reference["allow_all_workspaces"] or workspace_id in reference["_allowed_workspaces"]
