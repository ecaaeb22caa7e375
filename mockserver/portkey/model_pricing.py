"""Model pricing: what a model costs, for everybody to read.

Source: governance-mcp-observability, Model pricing. The prices are in `price_list`; what calls cost follows from the same.
"""

from __future__ import annotations

from mockserver.contract.problems import NOT_FOUND, Problem
from mockserver.contract.replies import Reply
from mockserver.contract.requests import Request
from mockserver.portkey import prices
from mockserver.world.world import World


def get_model_pricing(request: Request, world: World) -> Reply:
    """Show the prices of a model, in cents. Fails: `not-found` for one that the list has not, in words of its own."""
    found = prices.pricing_of(request.path["provider"], request.path["model"])
    if found is None:
        raise Problem(NOT_FOUND, "Model not found")
    return Reply(200, found)
