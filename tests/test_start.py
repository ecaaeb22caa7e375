"""What a start imports, and what it leaves until it is needed."""

from __future__ import annotations

import subprocess
import sys


def printed(program: str) -> list[str]:
    """The lines that a process of its own prints: this one has imported everything long since."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_serving_loads_no_room_before_it_is_asked_for() -> None:
    """Each takes its milliseconds; near misses and coverage are for who looks at the journal."""
    rooms = ("coverage", "control.near", "control.har", "control.finding", "control.covering", "stubbing.matching")
    program = (
        "import sys, mockserver.cli, mockserver.server\n"
        "from mockserver.app import App, Settings\n"
        "App(Settings())\n"
        f"print([name for name in {rooms} if f'mockserver.{{name}}' in sys.modules])\n"
    )
    assert printed(program) == ["[]"]


def test_what_is_put_off_is_there_for_others() -> None:
    program = (
        "import sys, mockserver.chassis\n"
        "print([name for name in ('requests', 'httpx', 'jinja2', 'starlette.templating') if name in sys.modules])\n"
        "import httpx, jinja2\n"
        "print(httpx.AsyncClient.__name__, jinja2.Template('{{ 6 * 7 }}').render())\n"
    )
    assert printed(program) == ["[]", "AsyncClient 42"]


def test_connexion_gets_what_was_put_off_when_it_uses_it() -> None:
    program = (
        "import mockserver.chassis\n"
        "from connexion import spec\n"
        "print(spec.jinja2.Template.__name__)\n"
        "from connexion.middleware import swagger_ui\n"
        "print(type(swagger_ui.Jinja2Templates(directory='.')).__module__)\n"
    )
    assert printed(program) == ["Template", "starlette.templating"]


def test_package_is_whole_for_who_asks_it() -> None:
    """A user's own code may import connexion besides us."""
    assert printed("import mockserver.chassis, connexion\nprint(connexion.AsyncApp.__name__)") == ["AsyncApp"]
