"""`make fuzz`: a campaign over the shipped document under strict identity, its seed printed."""

from __future__ import annotations

import secrets
import sys

import click

from mockserver import data
from mockserver.app import App, Settings
from mockserver.fuzz.campaign import ADMIN, PHASES, Outcome, Plan, admin, admin_settings, both


@click.command()
@click.option("--seed", type=int, help="Replays a campaign.  [default: a fresh one]")
@click.option("--max-time", type=click.IntRange(min=1), default=600, show_default=True, help="Seconds.")
@click.option(
    "--examples", type=click.IntRange(min=1), default=100, show_default=True, help="Cases for each operation and phase."
)
@click.option("--steps", type=click.IntRange(min=2), default=8, show_default=True, help="Calls in a sequence.")
@click.option("--phase", "phases", multiple=True, type=click.Choice(PHASES), default=PHASES, show_default=True)
@click.option("--include", help="Only paths that match this regular expression.")
@click.option("--admin", "of_admin", is_flag=True, help="The admin API in the place of the document.")
def main(
    seed: int | None, max_time: int, examples: int, steps: int, phases: tuple[str, ...], include: str | None, of_admin: bool
) -> None:
    """Fuzz the shipped document, or the admin API.

    Exit status 0 when nothing failed, 1 when something did or nothing was tested.
    """
    seed = secrets.randbelow(2**31) if seed is None else seed
    click.echo(f"seed {seed}: replay with make fuzz ARGS='{'--admin ' if of_admin else ''}--seed {seed}'")
    app = App(admin_settings() if of_admin else Settings(strict=True, fixture=str(data.FUZZ_FIXTURE)))
    headers = ADMIN if of_admin else app.service.credentials(app.worlds.get("default"))
    shown = 0

    def progress(outcome: Outcome) -> None:
        nonlocal shown
        if outcome.cases >= shown + 2000:
            shown = outcome.cases
            click.echo(f"{outcome.cases} cases, {len(outcome.failures)} failures", err=True)

    exceptions = () if of_admin else tuple(data.fuzz_exceptions())
    plan = Plan(seed, max_time, examples, steps, phases, include, operations=exceptions)
    outcome = (admin if of_admin else both)(app, headers, plan, progress)
    for failure, sample in outcome.failures.items():
        click.echo(f"\nFAILED {failure}\n{sample}")
    for error in outcome.errors:
        click.echo(f"\nERROR {error}")
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(outcome.statuses.items()))
    click.echo(
        f"\n{outcome.cases} cases over {len(outcome.operations)} operations ({statuses}), {len(outcome.failures)} failures"
    )
    sys.exit(0 if outcome.kept else 1)


if __name__ == "__main__":
    main()
