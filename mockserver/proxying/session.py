"""One run of the proxy: tells of each exchange as it is whole, records it, and collects what was found."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace

import click

from mockserver.contract.secrets import Veil
from mockserver.proxying.recorder import Recorder
from mockserver.reporting import wording
from mockserver.reporting.finding import Finding
from mockserver.reporting.report import FailOn, is_failing
from mockserver.traffic.exchange import Exchange, Places
from mockserver.traffic.judging import Fault
from mockserver.traffic.redaction import Redactor
from mockserver.traffic.verification import Verification

_COLOURS = {"error": "red", "warning": "yellow", "note": "blue"}


class Session:
    """Gets every exchange of a proxy. `cannot_record` is why a recording ended, empty when it did not."""

    def __init__(
        self,
        verification: Verification,
        redactor: Redactor,
        recorder: Recorder | None,
        *,
        fail_fast: FailOn | None = None,
        notes: bool = False,
        tell: Callable[[str], None] = lambda line: click.echo(line, err=True),
    ) -> None:
        """`fail_fast` stops the server at the first finding as bad as that."""
        self.verification = verification
        self.cannot_record = ""
        self._redactor = redactor
        self._recorder = recorder
        self._fail_fast = fail_fast
        self._notes = notes
        self._tell = tell

    def done(self, exchange: Exchange, faults: list[Fault]) -> None:
        """Judge an exchange as it was, and tell and keep it without its secrets."""
        judgement = self.verification.judge.judge(exchange)
        shown = self._redactor.redact(exchange)
        if self._recorder is not None and not self.cannot_record:
            try:
                file = self._recorder.record(shown)
                shown = replace(shown, places=Places(str(file), "/log/entries/0", shown.places.parts))
            except OSError as error:
                self.cannot_record = error.strerror or str(error)
                self._stop()
        judgement.exchange = shown
        judgement.faults.extend(faults)
        if judgement.faults:
            veil = Veil(self._redactor.found)
            judgement.faults = [replace(fault, message=veil.text(fault.message)) for fault in judgement.faults]
        found = self.verification.add(judgement)
        self._line(shown, judgement.name, found)
        if self._fail_fast is not None and any(is_failing(each, self._fail_fast) for each in found):
            self._stop()

    def _line(self, exchange: Exchange, name: str, found: list[Finding]) -> None:
        told = [each for each in found if self._notes or each.severity != "note"]
        status = exchange.status if exchange.status is not None else "---"
        is_broken = any(each.severity == "error" for each in told)
        verdict = click.style("broken", fg="red") if is_broken else click.style("kept", fg="green")
        head = f"{exchange.method} {exchange.path} {status} {name or '-'} {exchange.duration_ms:.0f} ms"
        self._tell(f"{wording.printable(head)}  {verdict}")
        for each in told:
            severity = click.style(each.severity, fg=_COLOURS[each.severity])
            self._tell(f"    {severity} {each.code} {each.blame}: {wording.printable(each.message)}")

    def _stop(self) -> None:
        signal.raise_signal(signal.SIGINT)
