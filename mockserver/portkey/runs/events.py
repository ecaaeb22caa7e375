"""A run told event by event, to who asked for a stream.

All that a run comes to is worked out, and written or put on the agenda, before the first event leaves: it ends as it would
have, whether the client stays or not. A stream takes no time but a script's. Source: gateway-data-plane, /threads/.../runs and
steps (names and order), SSE framing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from mockserver.contract.replies import Piece, Reply, Stream
from mockserver.portkey.answers import sse, tokens
from mockserver.portkey.records import shown
from mockserver.portkey.runs import citations, machine, steps
from mockserver.portkey.runs.steps import Change
from mockserver.portkey.runs.threads import RUNS
from mockserver.values import Record
from mockserver.world.world import World

DONE = b"event: done\n" + sse.DONE


class Event(NamedTuple):
    """An event of a stream, and the time of the world before which it does not leave; None for at once."""

    name: str
    data: Record
    due_s: float | None


def streamed(world: World, run: Record, told: list[Change], show: Callable[[Record], Record]) -> Reply:
    """Let a queued run go on at once, and return its events, behind those of `told`; `show` makes of a record what is seen."""
    now_s = world.clock.seconds()
    at = int(now_s)
    begun = machine.begun(world, run, at)
    run = begun[0].record
    pace = run["_turn"]["pace"]
    pause_ms, delay_ms, size = pace.get("chunk_delay_ms", 0), pace.get("delay_ms", 0), pace.get("chunk_size", 1)
    opening = [(change.event, change.record) for change in [*told, *begun] if change.event]
    # The run is new, and in no world yet.
    run["_told"] = {"from_s": now_s + (delay_ms + len(opening) * pause_ms) / 1000, "pause_ms": pause_ms, "size": size}
    body = opening + list(deltas(run, size))
    ends_at_s = machine.after(world, delay_ms + len(body) * pause_ms)
    machine.move(world, begun, ends_at_s)
    if ends_at_s >= run["expires_at"]:
        ending = machine.expired(world, run, run["expires_at"])
        body, ends_at_s = opening, float(run["expires_at"])
    else:
        ending = machine.ended(world, run, int(ends_at_s))
    if ends_at_s <= now_s:
        machine.move(world, ending)
    # What the model says comes after its delay; that the run is on its way is known before.
    known = len(told) + 1
    events = [
        Event(name, show(data), _due_s(now_s, number * pause_ms + (delay_ms if number >= known else 0)))
        for number, (name, data) in enumerate(body)
    ]
    events += [
        Event(change.event, show(change.record), ends_at_s + number * pause_ms / 1000 if ends_at_s > now_s else None)
        for number, change in enumerate(ending)
        if change.event
    ]
    cut_after = pace.get("cut_after")
    pieces = islice(_pieces(world, run["id"], events), cut_after)
    return Reply(200, Stream(pieces, cut=cut_after is not None), media_type=sse.MEDIA_TYPE)


def deltas(run: Record, size: int) -> Iterator[tuple[str, Record]]:
    """Yield what the model says in a turn, so many tokens at a time."""
    turn = run["_turn"]
    if run["_message"] is not None:
        kind, told = "refusal" if "refusal" in turn else "text", 0
        for said in _grouped(turn[kind], size):
            part: Record = {"refusal": said}
            if kind == "text":
                cited = citations.within(turn["annotations"], told, told + len(said))
                part = {"text": {"value": said, "annotations": cited}}
            told += len(said)
            delta = {"content": [{"index": 0, "type": kind, **part}]}
            yield "thread.message.delta", {"id": run["_message"], "object": "thread.message.delta", "delta": delta}
    elif run["_step"] is not None:
        for index, call in enumerate(turn["calls"]):
            opened = {**call["function"], "arguments": "", "output": None}
            begun = {"index": index, **call, "function": opened}
            yield "thread.run.step.delta", steps.call_delta(run["_step"], [begun])
            for said in _grouped(call["function"]["arguments"], size):
                more = {"index": index, "type": "function", "function": {"arguments": said}}
                yield "thread.run.step.delta", steps.call_delta(run["_step"], [more])


def _pieces(world: World, run_id: str, events: list[Event]) -> Iterator[Piece]:
    """The events as bytes. A run that is cancelled on the way says so, and is told no further."""
    for event in events:
        if event.due_s is not None and (stop := _stop(world, run_id)) is not None:
            yield from (Piece(sse.event(each.data, each.name)) for each in stop)
            break
        yield Piece(sse.event(event.data, event.name), event.due_s)
    yield Piece(DONE)


def _stop(world: World, run_id: str) -> list[Event] | None:
    """What is told of a run that was cancelled or is gone, None for one that is neither."""
    run = world[RUNS].get(run_id)
    if run is None:
        return []
    if run["status"] == "cancelled":
        return [Event("thread.run.cancelled", shown(run), None)]
    if run["status"] != "cancelling":
        return None
    changes = [Change(RUNS, run, "thread.run.cancelling"), *machine.cancelled(world, run, int(world.clock.seconds()))]
    return [Event(change.event, shown(change.record), None) for change in changes]


def _due_s(now_s: float, ms: float) -> float | None:
    return now_s + ms / 1000 if ms else None


def _grouped(text: str, size: int) -> Iterator[str]:
    pieces = tokens.pieces(text)
    for start in range(0, len(pieces), size):
        yield "".join(pieces[start : start + size])
