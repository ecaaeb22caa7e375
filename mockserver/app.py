"""Puts the steps of a call in order, once; read it top to bottom."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from mockserver import control, data, site
from mockserver.call import Target
from mockserver.chassis import API, ConnexionMiddleware, LeanSpecification
from mockserver.contract import normalising
from mockserver.contract.contract import Contract
from mockserver.contract.errors import DocumentError
from mockserver.contract.loading import Loaded, load_document, load_value
from mockserver.contract.operations import Operation
from mockserver.contract.problems import Problem
from mockserver.contract.reading import parse_text, read_bytes
from mockserver.inner import Inside
from mockserver.resolver import StubResolver
from mockserver.routing import Routing
from mockserver.steps import Edge, Identity, Stubs, WorldChoice
from mockserver.stubbing.entrance import Entrance
from mockserver.stubbing.files import files, mappings_in
from mockserver.stubs.demand import Demands
from mockserver.stubs.resources import ResourceStubs
from mockserver.stubs.service import FixtureError, PlainService, Ready, Service, Stub
from mockserver.values import Record, pointer
from mockserver.world.clock import Clock
from mockserver.world.journal import CAPACITY
from mockserver.world.packing import Packer
from mockserver.world.world import Layouts, World, Worlds

log = logging.getLogger("mockserver")

Added: TypeAlias = control.Control | control.Extension | site.Site

BODY_LIMIT = 10 * 2**20
UPLOAD_LIMIT = 512 * 2**20
"""As at OpenAI, whose largest file this is."""
SEEDED_AT = datetime(2025, 1, 6, 9, tzinfo=UTC)
"""When the records of every seed world were made."""


@dataclass(frozen=True)
class Settings:
    """What a server is made with.

    `document` None is the shipped one. `fixture` is the name of a shipped fixture or a path; None is the default for the
    shipped document and an empty world for another. `body_limit` and `upload_limit` are in bytes, `journal` in calls.
    `admin_hosts` are names, beside localhost, under which the admin API may be called; `unredacted` lets exports of the
    journal hold secrets; `longest_wait_s` cuts short how long it waits for calls. `sample_unknown` has records that are not
    there answered by samples instead of 404. `stubs` are files or folders of mappings that every world begins with. `token` is
    the state that worlds start from, in the place of the fixture's; it stands on the fixture, seed and stubs that it names.
    """

    document: Path | None = None
    fixture: str | None = None
    seed: int = 0
    strict: bool = False
    explain: bool = True
    body_limit: int = BODY_LIMIT
    upload_limit: int = UPLOAD_LIMIT
    journal: int = CAPACITY
    admin_token: str | None = None
    admin_hosts: tuple[str, ...] = ()
    unredacted: bool = False
    longest_wait_s: float = 600
    sample_unknown: bool = False
    stubs: tuple[Path, ...] = ()
    token: control.Token | None = None


class App(ConnexionMiddleware):  # type: ignore[misc]  # connexion has no types
    """The ASGI application. Its stack is built at once: what is wrong with it shows before the socket opens."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        loaded = _load(settings)
        self.document = loaded.document
        self.base_path = normalising.base_path(self.document)
        self.contract = Contract(_complete(self.document, settings), explains=settings.explain)
        stubs = ResourceStubs(self.document, self.contract.operations)
        self.service = _service(settings, self.document, stubs)
        self.faults = [*loaded.faults, *map(str, self.contract.faults)]
        for fault in self.faults:
            log.warning("not served: %s", fault)
        self.resolver = StubResolver(self.contract.operations, self.service.stubs, stubs.stub, stubs.why)
        families = {each for each in self.contract.operations if self.resolver.is_family(each)}
        self.worlds = Worlds(_seed_world(settings, self.service, stubs.layouts(families, self.service.layouts)))
        self.entrance = Entrance(self.contract, self.base_path, self.service)
        self._inside = Inside(self.service)
        self.tokens = control.Tokens(self._told(), self.document, self.worlds, Packer(self.service.kinds))
        super().__init__(
            Stubs(body_limit=settings.body_limit, upload_limit=settings.upload_limit),
            middlewares=[
                partial(
                    Edge,
                    service=self.service,
                    worlds=self.worlds,
                    entrance=self.entrance,
                    body_limit=settings.body_limit,
                    startup=self._warm_up,
                ),
                Routing,
                partial(WorldChoice, worlds=self.worlds, inside=self._inside),
                Identity,
            ],
        )
        invented = stubs.invented if settings.sample_unknown else None
        self._serve(self.contract, self.service, self.resolver, self.base_path, journalled=True, invented=invented)
        extension = _extension(settings)
        self.control = control.Control(self._facts(extension.adds if extension else []))
        more = [extension] if extension else []
        self.added: list[Added] = [self.control, *more, site.Site(self.document, self.service.name)]
        for api in self.added:
            resolver = StubResolver(api.contract.operations, None, api.stub)
            self._serve(api.contract, api, resolver, api.base_path, journalled=False, ready=api.ready)
        self.app, self.middleware_stack = self._build_middleware_stack()
        if settings.stubs:
            self.worlds.reseed(self._set_stubs)
        if settings.token is not None:
            start = self.worlds.scratch()
            self.tokens.restore(settings.token, start)
            self.worlds.start_from(start.snapshot())

    def _serve(
        self,
        contract: Contract,
        service: Service,
        resolver: StubResolver,
        base_path: str,
        *,
        journalled: bool,
        invented: Callable[[Operation], Stub] | None = None,
        ready: Callable[[Operation], Ready | None] = lambda _: None,
    ) -> None:
        demands = Demands(contract.document)
        targets = [
            Target(
                each,
                contract.requests[each],
                contract.replies[each],
                service,
                contract.explainer,
                demands,
                journalled,
                None if invented is None else invented(each),
                entrance=self.entrance if journalled else None,
                ready=ready(each),
            )
            for each in contract.operations
        ]
        if journalled:
            self._inside.add(targets)
        options = self.options.replace(resolver=resolver)
        keywords: dict[str, Any] = {"contract": contract, "targets": targets, "at_root": journalled}
        self.apis.append(
            API(LeanSpecification(contract.document), base_path=base_path, name=base_path, **options.__dict__, **keywords)
        )

    def _set_stubs(self, world: World) -> None:
        for file in (file for path in self.settings.stubs for file in files(path)):
            for parts, mapping in mappings_in(parse_text(read_bytes(file), file)):
                place = pointer(*parts) or "/"
                if not isinstance(mapping, dict):
                    raise DocumentError(file, "a mapping is an object with request and response", place)
                try:
                    self.control.perform("addMapping", world, mapping)
                except Problem as problem:
                    raise DocumentError(file, "; ".join(map(str, problem.violations)) or problem.detail, place) from None

    def _told(self) -> Record:
        settings = self.settings
        return {
            "document": str(settings.document or data.DOCUMENT.name),
            "fixture": settings.fixture or (data.DEFAULT_FIXTURE if _is_shipped(settings) else None),
            "seed": settings.seed,
            "auth": "strict" if settings.strict else "open",
            "explain": settings.explain,
            "body_limit": settings.body_limit,
            "upload_limit": settings.upload_limit,
            "unknown_ids": "sample" if settings.sample_unknown else "refuse",
            "journal": settings.journal,
            "unredacted": settings.unredacted,
        }

    def _facts(self, adds: list[str]) -> control.ServerFacts:
        about = (
            self.contract,
            self.worlds,
            self.entrance,
            self.service.name,
            self.faults,
            self._told(),
            _access(self.settings),
        )
        return control.ServerFacts(*about, self.tokens, self.base_path, self.settings.longest_wait_s, self.service, adds)

    @property
    def admin_documents(self) -> list[Record]:
        """The documents of the APIs below `/__admin`."""
        return [api.contract.document for api in self.added if api.base_path == control.BASE_PATH]

    def _warm_up(self) -> None:
        # Importing openapi-core takes a tenth of a second: off the way to the first answer, not in the first refusal.
        threading.Thread(target=self.contract.explainer, daemon=True, name="explainer").start()


def _access(settings: Settings) -> control.Access:
    return control.Access(settings.admin_token, frozenset(name.lower() for name in settings.admin_hosts), settings.unredacted)


def _load(settings: Settings) -> Loaded:
    if settings.document is None:
        return load_document(data.DOCUMENT, data.DOCUMENT_BUNDLE)
    return load_document(settings.document)


def _is_shipped(settings: Settings) -> bool:
    return settings.document is None or settings.document.resolve() == data.DOCUMENT.resolve()


def _service(settings: Settings, document: Record, stubs: ResourceStubs) -> Service:
    if _is_shipped(settings):
        service: Service = data.service(document, strict=settings.strict)
        return service
    return PlainService(document, stubs.plant, stubs.sampler)


_PROBLEM: Record = {
    "description": "The call is refused.",
    "content": {"application/problem+json": {"schema": {"type": "object"}}},
}


def _extension(settings: Settings) -> control.Extension | None:
    """What the service adds to the admin API."""
    if not _is_shipped(settings):
        return None
    own = (data.SERVICE_ADMIN_DOCUMENT, data.SERVICE_ADMIN_BUNDLE, data.service_admin())
    return control.Extension(*own, _access(settings))


def _complete(document: Record, settings: Settings) -> Record:
    """Document the refusals of the engine where another's document is silent, so that replies can be held to it."""
    if not _is_shipped(settings):
        normalising.add_upgrade_responses(document, _PROBLEM)
        normalising.add_error_responses(document, ("400", "401", "404", "409", "413", "415"), _PROBLEM)
    return document


def _seed_world(settings: Settings, service: Service, layouts: Layouts) -> World:
    world = World("seed", settings.seed, layouts, settings.journal)
    # Seeds are as old on every machine and every day: the same fixture gives the same bytes.
    world.clock.freeze(SEEDED_AT)
    _plant(settings, service, world)
    world.clock.setting = Clock().setting
    return world


def _plant(settings: Settings, service: Service, world: World) -> None:
    path, cache = _fixture(settings)
    if path is None:
        service.seed(world, {})
        return
    value = load_value(path, cache)
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise DocumentError(path, "a fixture is an object of sections")
    try:
        service.seed(world, value)
    except FixtureError as error:
        raise DocumentError(path, _told(error), _line(path, error)) from error


def _fixture(settings: Settings) -> tuple[Path | None, Path | None]:
    name = settings.fixture
    if name is None:
        if not _is_shipped(settings):
            return None, None
        name = data.DEFAULT_FIXTURE
    if name in data.fixture_names():
        return data.FIXTURES / f"{name}.yaml", data.fixture_bundle(name)
    path = Path(name)
    if path.suffix in (".yaml", ".yml", ".json"):
        return path, None
    known = ", ".join(data.fixture_names())
    raise DocumentError(name, f"there is no such fixture; name one of {known}, or a YAML file")


def _told(error: FixtureError) -> str:
    place = ".".join(map(str, error.path))
    return f"{place}: {error}"


def _line(path: Path, error: FixtureError) -> str:
    from mockserver.contract.reading import line_of, read_bytes

    line = line_of(read_bytes(path), error.path)
    return "" if line is None else str(line)
