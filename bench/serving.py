"""Server processes for the bench: `python -m bench.serving bare|mock PORT_FILE [RECORDS] [--no-explain]`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from mockserver.protocol import PromptProtocol
from mockserver.server import listen, run


def mock(records: int, *, explain: bool) -> Any:
    """Return the application with so many keys in the world, next to those of the fixture."""
    from mockserver.app import App, Settings

    app = App(Settings(explain=explain))
    if records:
        from mockserver.portkey.keys import make_key

        world = app.worlds.get("default")
        workspace = world["workspaces"].find("slug", "ws-produc-71b04e")
        assert workspace is not None
        for number in range(records):
            fields = {"name": f"key {number}", "scopes": ["logs.view"]}
            key, _ = make_key(fields, "workspace-service", workspace["id"], None, world)
        world.facts.put("bench_key", key["id"])
    return app


def main() -> None:
    """Serve on a free port and write it down, with the id of a key where there is one."""
    kind, port_file = sys.argv[1], Path(sys.argv[2])
    key = ""
    if kind == "bare":
        from bench.bare import app
    else:
        app = mock(int(sys.argv[3]), explain="--no-explain" not in sys.argv)
        key = str(app.worlds.get("default").facts.get("bench_key") or "")
    sockets = listen("127.0.0.1", 0)
    text = f"{sockets[0].getsockname()[1]} {key}"
    http = "httptools" if kind == "bare" else PromptProtocol
    run(app, sockets, "error", lambda: port_file.write_text(text), http)


if __name__ == "__main__":
    main()
