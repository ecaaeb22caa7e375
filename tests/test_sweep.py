"""A sweep over every operation: what the document allows is answered as documented, what it forbids is refused as documented.

That an answer is documented and valid needs no look here: the engine turns any other into a 500.
"""

from __future__ import annotations

from random import Random
from urllib.parse import quote

import pytest

from mockserver import data, values
from mockserver.app import App, Settings
from mockserver.contract.loading import load_document
from mockserver.contract.operations import Operation, read_operations
from mockserver.stubs.sampling import Sampler
from mockserver.values import JSON
from tests.conftest import Client
from tests.contract.mutation import Requests, bent, sample, texts_of

DOCUMENT = load_document(data.DOCUMENT, data.DOCUMENT_BUNDLE).document
OPERATIONS = read_operations(DOCUMENT)[0]
SAMPLER = Sampler(DOCUMENT, "request")
ROUNDS = 3
BY_NAME = pytest.mark.parametrize("operation", OPERATIONS, ids=str)


@pytest.fixture(scope="module")
def inventive() -> Client:
    """A server that answers for records that are not there, so that every operation has something to answer about."""
    return Client(App(Settings(sample_unknown=True)), "sweep")


def send(client: Client, operation: Operation, parameters: dict[tuple[str, str], str], body: JSON) -> tuple[int, JSON]:
    """Call an operation; return status and body."""
    path, query, headers = "/v1" + operation.path, [], {}
    for (location, name), text in parameters.items():
        if location == "path":
            path = path.replace("{" + name + "}", quote(text, safe=""))
        elif location == "query":
            query.append(f"{quote(name)}={quote(text)}")
        elif location == "header":
            headers[name] = text
    url = path + ("?" + "&".join(query) if query else "")
    if body is ...:
        reply = client.call(operation.method.upper(), url, headers=headers)
    else:
        media_type = operation.body.contents[0].media_type if operation.body else "application/json"
        content = values.dump(body)
        if media_type == "multipart/form-data":
            media_type, content = multipart(body)
        reply = client.call(operation.method.upper(), url, content=content, headers={**headers, "content-type": media_type})
    return reply.status_code, reply.json() if "json" in reply.headers.get("content-type", "") else reply.text


def multipart(body: JSON) -> tuple[str, bytes]:
    """A form with the fields of an object."""
    parts = []
    for name, value in body.items() if isinstance(body, dict) else ():
        for item in value if isinstance(value, list) else [value]:
            text = item if isinstance(item, str) else values.dump(item).decode()
            file_name = '; filename="a"' if name in ("file", "image", "mask") else ""
            parts.append(f'--x\r\ncontent-disposition: form-data; name="{name}"{file_name}\r\n\r\n{text}\r\n')
    return "multipart/form-data; boundary=x", ("".join(parts) + "--x--\r\n").encode()


def violations_of(body: JSON) -> list[JSON]:
    """What a refusal lists, in the envelope of either plane."""
    holders = [body.get(name) for name in ("data", "error")] if isinstance(body, dict) else []
    return [each for holder in holders if isinstance(holder, dict) for each in holder.get("violations", [])]


def valid(operation: Operation, random: Random) -> tuple[dict[tuple[str, str], str], JSON]:
    """Parameters and body that the document allows."""
    parameters = {}
    for each in operation.parameters:
        if each.required or random.random() < 0.5:
            parameters[each.location, each.name] = texts_of(sample(SAMPLER, each.schema, random))[0]
    contents = operation.body.contents if operation.body else ()
    return parameters, sample(SAMPLER, contents[0].schema or {}, random) if contents else ...


@BY_NAME
def test_allowed_request_is_answered(operation: Operation, inventive: Client) -> None:
    for round_ in range(ROUNDS):
        status, body = send(inventive, operation, *valid(operation, Random(f"{operation}{round_}")))
        violations = violations_of(body) if status == 400 else []
        # 400 is right only for a rule that no document can say; then no violation points into the document.
        ruled = status == 400 and all("schema" not in violation for violation in violations)
        assert status < 400 or status in (403, 404, 409, 426) or ruled, (status, body)


@BY_NAME
def test_forbidden_request_is_refused(operation: Operation, inventive: Client) -> None:
    plan = inventive.app.contract.requests[inventive.app.contract.operation(operation.id)]
    requests, random = Requests(operation, SAMPLER), Random(str(operation))
    refused = 0
    for _ in range(60):
        path, query, headers, body = requests.make(random)
        is_json = operation.body is None or "json" in operation.body.contents[0].media_type
        raw = b"" if body is ... or not is_json else values.dump(bent(body, random))
        decoded, body_decoder = plan.decoder.decode(path, query, headers, raw)
        if decoded.violations or plan.validator(body_decoder).is_valid(decoded.parts):
            continue
        url = "/v1" + operation.path
        for name, text in path.items():
            url = url.replace("{" + name + "}", quote(text, safe="") or "%00")
        reply = inventive.call(
            operation.method.upper(),
            f"{url}?{query.decode()}",
            content=raw,
            headers={name.decode(): text.decode("latin-1") for name, text in headers.items()},
        )
        assert reply.status_code in (400, 403, 404, 405, 415), reply.text
        if reply.status_code == 400:
            assert violations_of(reply.json()) or reply.json()["message"]
            refused += 1
        if refused == ROUNDS:
            break
    if operation.parameters or (operation.body is not None and operation.body.required):
        constrained = any(
            each.required or (set(each.schema) - {"type", "description", "$ref"}) or each.schema.get("type") != "string"
            for each in operation.parameters
        )
        assert refused or not constrained or not operation.body, "no request was refused: nothing was tested"
