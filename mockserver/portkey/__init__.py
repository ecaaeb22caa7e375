"""What only Portkey does: one module a family, its identity, its words for problems, its seed worlds."""
