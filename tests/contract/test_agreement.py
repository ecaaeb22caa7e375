"""The gate and openapi-core agree, on every operation, on requests and on replies.

The gate decides and openapi-core explains; were they of two minds, a refusal would have no reason, or a wrong message
would pass. The values are samples of the schemas, bent at random; the seed is in the name of the test.
"""

from __future__ import annotations

import os
from collections import Counter
from random import Random

import pytest

from mockserver import data
from mockserver.contract.bundling import bundle
from mockserver.contract.contract import Contract
from mockserver.contract.explaining import OpenAPICore
from mockserver.contract.loading import load_document
from mockserver.contract.normalising import normalise
from mockserver.contract.operations import Operation
from mockserver.contract.replies import Reply
from mockserver.stubs.sampling import Sampler
from tests.conftest import DOCUMENTS
from tests.contract.mutation import Requests, bent, sample

SEED = int(os.environ.get("AGREEMENT_SEED", "17"))
ROUNDS = int(os.environ.get("AGREEMENT_ROUNDS", "60"))

CONTRACTS = [
    Contract(load_document(data.DOCUMENT, data.DOCUMENT_BUNDLE).document),
    Contract(load_document(data.CONTROL_DOCUMENT, data.CONTROL_BUNDLE).document),
    Contract(normalise(bundle(DOCUMENTS / "constructs.yaml").document)),
]
SHARED = Counter(
    (id(contract), content.pointer)
    for contract in CONTRACTS
    for operation in contract.operations
    for response in operation.responses.values()
    for content in response.contents
)
"""How often a content is answered: what operations share is bent as often as what they have alone, but not in each of them."""
EXPLAINERS = {id(contract): OpenAPICore(contract.document) for contract in CONTRACTS}
CASES = [
    pytest.param(contract, operation, id=f"{operation}-seed{SEED}")
    for contract in CONTRACTS
    for operation in contract.operations
]


@pytest.mark.parametrize(("contract", "operation"), CASES)
def test_requests_get_one_verdict(contract: Contract, operation: Operation) -> None:
    random, plan = Random(f"{SEED}{operation}"), contract.requests[operation]
    requests = Requests(operation, Sampler(contract.document, "request"))
    judged = {True: 0, False: 0}
    for _ in range(ROUNDS):
        path, query, headers, body = requests.make(random)
        decoded, body_decoder = plan.decoder.decode(path, query, headers, b"")
        if body is not ...:  # forms too are judged as values, so they are put in as values
            decoded.parts["body"], body_decoder = body, plan.decoder.bodies[0]
        if decoded.violations:
            continue
        gate = plan.validator(body_decoder).is_valid(decoded.parts)
        found = EXPLAINERS[id(contract)].request(plan, decoded, body_decoder)
        assert gate == (not found), (gate, decoded.parts, found)
        judged[gate] += 1
    assert judged[True], "no request was valid: the generator tests nothing"


@pytest.mark.parametrize(("contract", "operation"), CASES)
def test_replies_get_one_verdict(contract: Contract, operation: Operation) -> None:
    random, plan = Random(f"{SEED}{operation}"), contract.replies[operation]
    sampler = Sampler(contract.document, "reply")
    for status, response in operation.responses.items():
        code = int(status.replace("X", "0")) if status != "default" else 418
        for content in (each for each in response.contents if "json" in each.media_type):
            verdicts = set()
            for round_ in range(max(3, ROUNDS // 4 // SHARED[id(contract), content.pointer])):
                value = sample(sampler, content.schema or {}, random)
                body = value if round_ == 0 else bent(value, random)
                reply = Reply(code, body, media_type=content.media_type)
                found = plan.content(code, content.media_type)
                assert found is not None
                gate = found[1].is_valid(body)
                explained = EXPLAINERS[id(contract)].reply(plan, reply, content)
                # Headers are judged apart: these replies have none.
                in_body = [finding for finding in explained if finding.path[:1] == ("body",)]
                assert gate == (not in_body), (gate, body, in_body)
                verdicts.add(gate)
            assert True in verdicts, "no reply was valid: the generator tests nothing"
