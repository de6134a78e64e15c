"""`decide`: the one place where a saga's next move is decided. Pure: no I/O, no clock, no randomness.

The rules are those of design §6; what a message means is here and in `control`, what follows from it in `advance`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from orchestrator.core.advance import advance
from orchestrator.core.control import on_control
from orchestrator.core.definition import Saga
from orchestrator.core.draft import Draft, Transition
from orchestrator.core.late import heard_late, is_excess, landed_late, show_excess
from orchestrator.core.messages import (
    GONE,
    Answer,
    Control,
    Direction,
    Failure,
    Message,
    Outcome,
    Requested,
    Succeeded,
    Wake,
)
from orchestrator.core.payload import Payload
from orchestrator.core.state import TERMINAL, Cause, Effect, EffectStatus, SagaState, Status

__all__ = ["Transition", "decide"]

# An entry a minute for each saga that waits for a system that is away.
_AWAY_SECONDS = 60.0

_OPEN = (EffectStatus.IN_FLIGHT, EffectStatus.WAITING)


def decide(definition: Saga, state: SagaState | None, message: Message, now: datetime, saga_id: str = "") -> Transition:
    """What follows when `message` reaches a saga in `state` at `now`.

    Total: every message has an answer in every state. `state` is None only for the first request; the same
    arguments give the same transition. `saga_id` spreads the jitter of retries.

    Raises:
        ValueError: a message other than a request for a saga that does not exist; the caller sets it aside.

    """
    if state is None:
        if not isinstance(message, Requested):
            msg = f"a saga begins with a request, not with {type(message).__name__}"
            raise ValueError(msg)
        state = _born(definition, message, now)
    elif isinstance(message, Requested):
        return _requested_again(definition, state, saga_id, now)
    draft = Draft(definition, state, saga_id, now)
    kind, facts = _apply(draft, message)
    advance(draft)
    return draft.transition(kind, facts, wake=isinstance(message, Wake))


def _born(definition: Saga, message: Requested, now: datetime) -> SagaState:
    return SagaState(
        definition=definition.name,
        version=definition.version,
        request=Payload.of(message.request),
        status=Status.RUNNING,
        business_key=definition.key_of(message.request),
        agent=message.agent,
        deadline=now + timedelta(seconds=definition.deadline) if definition.deadline is not None else None,
    )


def _requested_again(definition: Saga, state: SagaState, saga_id: str, now: datetime) -> Transition:
    draft = Draft(definition, state, saga_id, now)
    draft.note("requested again under another event id; nothing to do")
    return draft.transition("request", {}, wake=False)


def _apply(draft: Draft, message: Message) -> tuple[str, dict[str, object]]:
    match message:
        case Requested(agent=agent):
            return "request", {"agent": agent}
        case Wake(heard_until=heard_until, away=away):
            _on_wake(draft, draft.now if heard_until is None else min(heard_until, draft.now), away)
            return "wake", {}
        case Control():
            return "control", on_control(draft, message)
        case Answer():
            _on_answer(draft, message)
            return "completion", _facts(message)


def _facts(answer: Answer) -> dict[str, object]:
    facts: dict[str, object] = {
        "step": answer.step,
        "direction": answer.direction.value,
        "round": answer.round,
        "attempt": answer.attempt,
        **({"unclaimed": True} if answer.unclaimed else {}),
        **({"shadow": True} if answer.shadow else {}),
    }
    if isinstance(answer.result, Failure):
        return {
            **facts,
            "outcome": answer.result.outcome.value,
            "code": answer.result.code,
            "message": answer.result.message,
        }
    return {**facts, "outcome": "succeeded"}


# -- completions ---------------------------------------------------------------------------------------------------


def _on_answer(draft: Draft, answer: Answer) -> None:
    name, direction, result = answer.step, answer.direction, answer.result
    if answer.shadow and not draft.shadow:
        draft.shadow = True
        draft.note("only recorded, not done: nothing that comes after it is done for real either")
    if not draft.definition.has_step(name) or (
        direction is not Direction.DO and draft.definition.step(name).undo is None
    ):
        draft.park("CONTRADICTION", f"answer for {direction} of {name!r}, which the definition does not have")
    elif answer.unclaimed and is_excess(draft, answer):
        show_excess(draft, answer)
    elif answer.round != draft.state_of(name).round:
        _on_other_round(draft, answer)
    elif direction is Direction.PROBE:
        _on_probe(draft, answer)
    elif isinstance(result, Failure):
        _on_failure(draft, answer, result)
    elif type(result.output) is not draft.plan(name, direction).action.contract.completion:
        _on_wrong_type(draft, answer, result)
    elif direction is Direction.DO:
        _on_done(draft, answer, result)
    else:
        _on_undone(draft, answer)


def _on_other_round(draft: Draft, answer: Answer) -> None:
    state = draft.state_of(answer.step)
    draft.note(f"answer of round {answer.round}, this is round {state.round}")
    # What was undone is over, and its answers may come late and more than once.
    over = answer.round in state.undone or answer.direction is Direction.PROBE
    if isinstance(answer.result, Succeeded) and not over:
        # Not a park of the effect: the answer of this round would end that, and nobody would learn of the other.
        what = f"{answer.direction} of {answer.step}"
        draft.park("CONTRADICTION", f"{what}: round {answer.round} succeeded after it was settled")


def _on_probe(draft: Draft, answer: Answer) -> None:
    """The system says whether what was undone is still there."""
    name, direction, result = answer.step, answer.direction, answer.result
    effect = draft.effect(name, direction)
    if effect is None or answer.attempt != effect.attempt or effect.status not in _OPEN:
        draft.note("answer of an attempt that no longer counts")
    elif isinstance(result, Succeeded):
        # Perhaps not yet: what a system tells may be older than what it did.
        found = replace(effect, code="RESIDUE", message="undone, and the system still has it", doubtful=False)
        draft.put(name, direction, replace(found, unanswered=False))
        _retry_or_give_up(draft, name, direction, final=False)
    elif result.outcome is Outcome.REJECTED and result.code == GONE:
        gone = replace(effect, status=EffectStatus.DONE, due=None, code=None, message=None)
        draft.put(name, direction, gone)
        draft.unpark(name, direction)
    else:
        asked = replace(effect, code=result.code, message=result.message, doubtful=True, unanswered=False)
        draft.put(name, direction, asked)
        _retry_or_give_up(draft, name, direction, final=result.outcome is Outcome.REJECTED)


def _on_wrong_type(draft: Draft, answer: Answer, result: Succeeded) -> None:
    """Something was done, but not what the contract says: nobody but a person can tell what it is worth."""
    effect = draft.effect(answer.step, answer.direction)
    if effect is not None and effect.status in _OPEN:
        lost = replace(effect, status=EffectStatus.UNKNOWN, due=None, doubtful=True, code="CONTRACT_VIOLATION")
        draft.put(answer.step, answer.direction, lost)
    name = result.output.contract.name
    draft.park("CONTRACT_VIOLATION", f"answered with {name}", answer.step, answer.direction)


def _on_done(draft: Draft, answer: Answer, result: Succeeded) -> None:
    name = answer.step
    effect = draft.effect(name, Direction.DO)
    if effect is not None and effect.status is EffectStatus.DONE:
        draft.note("succeeded already")
        return
    contradicts = effect is None or effect.status is EffectStatus.SKIPPED
    settled = contradicts or (effect is not None and effect.status is EffectStatus.NOT_DONE)
    known = effect or draft.new_effect(EffectStatus.DONE, answer.attempt)
    done = _done(known, answer)
    draft.steps[name] = replace(draft.state_of(name), do=done, output=Payload.of(result.output))
    draft.unpark(name, Direction.DO)
    if not draft.backward:
        if contradicts:
            was = "never started" if effect is None else "skipped"
            draft.park("CONTRADICTION", f"success of a step that was {was}", name, Direction.DO)
        return
    landed_late(draft, name, settled=settled)


def _done(effect: Effect, answer: Answer) -> Effect:
    status, shadow = EffectStatus.DONE, answer.shadow
    return replace(effect, status=status, due=None, unheard=False, code=None, message=None, shadow=shadow)


def _on_undone(draft: Draft, answer: Answer) -> None:
    effect = draft.effect(answer.step, Direction.UNDO)
    if effect is not None and effect.status is EffectStatus.DONE:
        draft.note("undone already")
        return
    known = effect or draft.new_effect(EffectStatus.DONE, answer.attempt)
    draft.put(answer.step, Direction.UNDO, _done(known, answer))
    draft.unpark(answer.step, Direction.UNDO)
    if effect is None:
        draft.park("CONTRADICTION", "an undo that nobody asked for", answer.step, Direction.UNDO)


def _on_failure(draft: Draft, answer: Answer, failure: Failure) -> None:
    effect = draft.effect(answer.step, answer.direction)
    unknown = failure.outcome is Outcome.UNKNOWN
    if effect is None or answer.attempt != effect.attempt or effect.status not in _OPEN:
        if effect is not None and answer.attempt == effect.attempt and effect.unheard:
            heard_late(draft, answer, effect, failure)
        draft.note("answer of an attempt that no longer counts")
        return
    effect = replace(
        effect,
        code=failure.code,
        message=failure.message,
        doubtful=effect.doubtful or unknown,
        unanswered=False,
        unheard=False,
        shadow=answer.shadow,
    )
    draft.put(answer.step, answer.direction, effect)
    final = failure.outcome is Outcome.REJECTED or (unknown and draft.blind(answer.step, answer.direction))
    _retry_or_give_up(draft, answer.step, answer.direction, final=final, retry_after=failure.retry_after)


def _retry_or_give_up(
    draft: Draft, name: str, direction: Direction, *, final: bool, retry_after: float | None = None
) -> None:
    """The attempt did not succeed: wait for the next one where policy allows, else give the effect up."""
    effect = draft.effect(name, direction)
    assert effect is not None
    # A saga that goes back does not try again to go forward.
    turned = direction is Direction.DO and draft.backward is not None
    if not final and not turned and effect.attempt < draft.retry(name, direction).attempts:
        if effect.status is EffectStatus.IN_FLIGHT:
            due = draft.backoff(name, direction, effect.attempt, retry_after)
            draft.put(name, direction, replace(effect, status=EffectStatus.WAITING, due=due))
    elif direction is Direction.DO:
        _give_up_do(draft, name, effect)
    else:
        status = EffectStatus.UNKNOWN if effect.maybe_done else EffectStatus.NOT_DONE
        draft.put(name, direction, replace(effect, status=status, due=None))
        draft.park(effect.code or "UNDO_FAILED", effect.message or "", name, direction)


def _give_up_do(draft: Draft, name: str, effect: Effect) -> None:
    draft.settle_undone(name, effect)
    if draft.backward or draft.is_parked(name, Direction.DO):
        return
    code, message = effect.code or "", effect.message or ""
    if draft.pivot_done:
        draft.park(code, message, name, Direction.DO)
        return
    draft.failed_step, draft.code, draft.message = name, code, message
    draft.turn_back(Cause.FAILURE)


# -- timers --------------------------------------------------------------------------------------------------------


def _on_wake(draft: Draft, heard_until: datetime, away: frozenset[str]) -> None:
    """Time out what was due by then: silence means something only where everything has been heard.

    The silence of a system that nobody calls means nothing either: its steps get more time, and keep their attempts.
    """
    _on_deadline(draft, heard_until)
    for name, state in list(draft.steps.items()):
        for direction in Direction:
            effect = state.effect(direction)
            if effect is None or effect.status is not EffectStatus.IN_FLIGHT:
                continue
            if effect.due is None or effect.due > heard_until:
                continue
            system = draft.plan(name, direction).action.contract.system
            if system in away:
                more = timedelta(seconds=max(draft.plan(name, direction).timeout, _AWAY_SECONDS))
                draft.put(name, direction, replace(effect, due=draft.now + more))
                draft.note(f"{direction} of {name}: {system} is away, so it gets more time")
            else:
                _time_out(draft, name, direction, effect)


def _on_deadline(draft: Draft, heard_until: datetime) -> None:
    """The saga is not over in time: it goes back, unless a person is to decide or it can only go forward."""
    if draft.deadline is None or draft.deadline > heard_until or draft.status in TERMINAL:
        return
    if draft.backward or draft.paused or draft.parks:
        return
    draft.deadline = None
    if draft.pivot_done:
        draft.note("the saga's deadline has passed; after the pivot it goes on")
        return
    at = next((step.name for step in draft.definition if not draft.is_settled(step.name, Direction.DO)), None)
    seconds = draft.definition.deadline
    told = "the saga was not over in time" if seconds is None else f"the saga was not over within {seconds:g} s"
    draft.failed_step, draft.code, draft.message = at, "DEADLINE", told
    draft.note(told)
    draft.turn_back(Cause.FAILURE)


def _time_out(draft: Draft, name: str, direction: Direction, effect: Effect) -> None:
    seconds = draft.plan(name, direction).timeout
    message = f"no completion within {seconds:g} s"
    draft.note(f"{direction} of {name}, attempt {effect.attempt}: {message}")
    draft.put(name, direction, replace(effect, code="TIMEOUT", message=message, unanswered=True, unheard=True))
    _retry_or_give_up(draft, name, direction, final=False)
