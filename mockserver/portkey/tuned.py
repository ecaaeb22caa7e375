"""Models that fine-tuning has made: whose they are, and whether they are there.

Source: gateway-data-plane, /fine_tuning/jobs, /models, Provider errors and response decoration (an unknown model).
"""

from __future__ import annotations

from mockserver.values import Record
from mockserver.world.world import World


def there_are(world: World) -> bool:
    """Whether a model was ever made in a world."""
    return bool(world["fine_tuning_jobs"].arrivals or world["models"].arrivals)


def models_of(world: World, provider: str, account: str | None) -> list[Record]:
    """Return the models that were made of a provider's, within reach of an account; None reaches all."""
    return [model for model in world["models"].newest(provider=provider) if _reaches(account, model)]


def find(world: World, name: str, provider: str, account: str | None) -> Record | None:
    """Return a model that was made of a provider's, within reach of an account, or None."""
    model = world["models"].get(name)
    return model if model is not None and model["provider"] == provider and _reaches(account, model) else None


def is_gone(world: World, name: str, provider: str, account: str | None) -> bool:
    """Whether a model, or a checkpoint of one, was made here, and is deleted or belongs to somebody else.

    *chosen*: any other that nobody knows is called as if it were there; see `models`.
    """
    name = name.partition(":ckpt-")[0]
    was_made = name in world["models"] or bool(world["fine_tuning_jobs"].count(fine_tuned_model=name))
    return was_made and find(world, name, provider, account) is None


def missing(name: str) -> Record:
    """Return what a provider says of a model that is not there, with its status."""
    message = f"The model '{name}' does not exist"
    return {"status": 404, "message": message, "type": "invalid_request_error", "param": None, "code": "model_not_found"}


def _reaches(account: str | None, model: Record) -> bool:
    return account is None or model.get("_account") in (None, account)
