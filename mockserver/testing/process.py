"""A server process for a test session: `python -m mockserver.testing.process`.

It reads its settings as a line of JSON, writes where it listens as another, and ends when its input does: with whoever started
it, however that ends.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading

from mockserver.testing.hosts import admin_key, application
from mockserver.testing.wanted import ServerSettings, WrongSetting


def main() -> None:
    """Serve until the input ends."""
    from mockserver.server import listen, run

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for pytest, whose tests are still to be ended in order
    try:
        app = application(ServerSettings(**json.loads(sys.stdin.readline())))
    except WrongSetting as error:
        print(json.dumps({"error": str(error)}), flush=True)  # noqa: T201  # who started this reads it
        return
    sockets = listen("127.0.0.1", 0)
    told = {
        "origin": f"http://127.0.0.1:{sockets[0].getsockname()[1]}",
        "base_path": app.base_path,
        "api_key": admin_key(app),
    }
    threading.Thread(target=_end_with_input, daemon=True).start()
    run(app, sockets, "warning", lambda: print(json.dumps(told), flush=True))  # noqa: T201


def _end_with_input() -> None:
    while os.read(sys.stdin.fileno(), 1024):  # not through the reader: its lock would hold up the end
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
