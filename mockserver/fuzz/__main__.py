"""`python -m mockserver.fuzz` is `mockserver fuzz`."""

from __future__ import annotations

from mockserver.fuzz.command import fuzz

if __name__ == "__main__":
    fuzz(prog_name="mockserver fuzz", auto_envvar_prefix="MOCKSERVER_FUZZ")
