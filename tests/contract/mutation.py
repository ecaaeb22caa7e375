"""Values near the ones that a schema takes: samples, bent at random places."""

from __future__ import annotations

import copy
from random import Random
from typing import Any
from urllib.parse import quote

from mockserver.contract.operations import Operation
from mockserver.stubs.sampling import Sampler, Source, Unsatisfiable
from mockserver.values import JSON
from mockserver.world.clock import Clock
from mockserver.world.ids import Ids

ODD: list[JSON] = [
    None, True, False, 0, 1, -1, 1.0, 1.5, 0.01, 19.99, 10**12, 10**12 + 1, 2**31, 2**53, -(2**63) - 1, 10**30, 1e300,
    "", " ", "x", "x" * 300, "1", "true", "null", "\u00e9", "\U0001f680", "a\nb", "a\n", "2026-05-03", "2026-05-03T17:08:55Z",
    "2026-05-03T17:08:60Z", "2016-12-31T23:59:60Z", "0000-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "2026-05-03T17:08:55",
    "2026-05-03 17:08:55Z", "2026-05-03T17:08:55+25:00", "a@b", "a@example.com", "@", "a b@example.com",
    "0b6f2c51-6a1e-4f5e-9a53-1f0cb1f8a7d2", "0B6F2C516A1E4F5E9A531F0CB1F8A7D2", "{0b6f2c51-6a1e-4f5e-9a53-1f0cb1f8a7d2}",
    "http://example.com", "//x", "http://[", "1.2.3.4", "::1", [], [None], [[]], {}, {"": ""}, {"id": None}, {"x": {"y": []}},
]  # fmt: skip


def source(random: Random) -> Source:
    """Chance for a sampler."""
    return Source(Ids(random.randrange(2**31)), Clock())


def sample(sampler: Sampler, schema: Any, random: Random) -> JSON:
    """A value that the schema takes, or an odd one where none can be made."""
    try:
        return sampler.sample(schema, source(random))
    except Unsatisfiable:
        return random.choice(ODD)


def bent(value: JSON, random: Random) -> JSON:
    """The value with up to three changes: a part replaced, taken out, put in, doubled."""
    value = copy.deepcopy(value)
    for _ in range(random.choice((0, 1, 1, 1, 2, 3))):
        value = _bend(value, random)
    return value


def _bend(value: JSON, random: Random) -> JSON:
    if isinstance(value, dict) and value and random.random() < 0.8:
        name = random.choice(list(value))
        action = random.random()
        if action < 0.2:
            del value[name]
        elif action < 0.3:
            value[random.choice(["extra", "", "id", "type"])] = copy.deepcopy(random.choice(ODD))
        else:
            value[name] = _bend(value[name], random)
        return value
    if isinstance(value, list) and value and random.random() < 0.8:
        at = random.randrange(len(value))
        if random.random() < 0.3:
            value.append(copy.deepcopy(value[at]))
        else:
            value[at] = _bend(value[at], random)
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool) and random.random() < 0.4:
        return random.choice([value + 1, value - 1, -value, float(value), value * 10**6])
    if isinstance(value, str) and random.random() < 0.4:
        return random.choice([value + "x", value[:-1], value.upper(), value * 40, value + "\n"])
    return copy.deepcopy(random.choice(ODD))


def texts_of(value: JSON) -> list[str]:
    """How a client may write a value into a URL or a header."""
    if isinstance(value, bool):
        return ["true" if value else "false", str(value)]
    if value is None:
        return ["null", ""]
    if isinstance(value, list):
        return [",".join(str(item) for item in value)]
    if isinstance(value, dict):
        return [",".join(f"{name},{item}" for name, item in value.items())]
    return [str(value)]


class Requests:
    """Raw requests to an operation, valid and bent."""

    def __init__(self, operation: Operation, sampler: Sampler) -> None:
        self.operation, self.sampler = operation, sampler

    def make(self, random: Random) -> tuple[dict[str, str], bytes, dict[bytes, bytes], JSON]:
        """Path values, query, headers, and the value of the body (`...` for none)."""
        path: dict[str, str] = {}
        query: list[str] = []
        headers: dict[bytes, bytes] = {b"content-type": b"application/json"}
        for parameter in self.operation.parameters:
            value = sample(self.sampler, parameter.schema, random)
            if random.random() < 0.3:
                value = bent(value, random)
            text = random.choice(texts_of(value)).replace("\0", "")
            if parameter.location == "path":
                path[parameter.name] = text
            elif random.random() < 0.3 and not parameter.required:
                continue
            elif parameter.location == "query":
                name = random.choice([parameter.name, *parameter.aliases])
                query.append(f"{quote(name)}={quote(text)}")
            elif parameter.location == "header":
                headers[parameter.name.lower().encode()] = text.encode("latin-1", "replace").replace(b"\n", b" ")
        body: JSON = ...
        contents = self.operation.body.contents if self.operation.body else ()
        if contents and random.random() < 0.95:
            body = bent(sample(self.sampler, contents[0].schema or {}, random), random)
        return path, "&".join(query).encode(), headers, body
