"""What a person may read: by default without what is secret or personal; whole for a reason, which is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import msgspec
import typer

from orchestrator import bootstrap
from orchestrator.cli.actor import actor_name
from orchestrator.cli.errors import CliError, Exit
from orchestrator.core.payload import Payload
from orchestrator.core.state import Effect, Park, SagaState, StepState
from orchestrator.redaction import Redactor, current
from orchestrator.settings import Settings, load_attribute

if TYPE_CHECKING:
    from orchestrator.letters.letter import Letter
    from orchestrator.letters.value import Value
    from orchestrator.messaging.message import Headers
    from orchestrator.store.queries import SagaRow, TimelineRow

__all__ = ["Unredacted", "View", "Why", "record_look", "viewing"]

Unredacted = Annotated[
    bool, typer.Option("--unredacted", help="Also what is secret or personal; needs a --reason, kept in the audit.")
]
Why = Annotated[str | None, typer.Option("--reason", help="Why it is read --unredacted; kept with your name.")]


@dataclass(frozen=True, slots=True)
class View:
    """How what is stored is shown. `redactor` is None where it is shown whole."""

    redactor: Redactor | None

    @property
    def whole(self) -> bool:
        """Whether nothing is hidden."""
        return self.redactor is None

    def value(self, value: Any) -> Any:
        """Plain data."""
        return value if self.redactor is None else self.redactor.value(value)

    def knowing(self, *values: Any) -> View:
        """The same, hiding what stands in hidden fields of these values wherever it stands."""
        return self if self.redactor is None else View(self.redactor.knowing(*values))

    def of_saga(self, row: SagaRow) -> View:
        """How this saga and what speaks of it are shown."""
        steps = row.state.steps.values()
        found = [row.state.request, *(p for step in steps for p in (step.output, step.request))]
        return self.knowing(*(payload.json for payload in found if payload is not None))

    def saga(self, row: SagaRow) -> SagaRow:
        """One saga; use `of_saga` for the view of its history."""
        found = self.of_saga(row).redactor
        return row if found is None else replace(row, state=_state(row.state, found))

    def timeline(self, rows: Sequence[TimelineRow]) -> Sequence[TimelineRow]:
        """A saga's history."""
        return rows if self.redactor is None else [replace(row, entry=self.value(row.entry)) for row in rows]

    def letter(self, letter: Letter, fields: Mapping[str, Any] | None) -> Letter:
        """A dead letter, whose value has these fields. Its bytes are as they were: show `value` of their fields."""
        found = self.knowing(fields or {}).redactor
        if found is None:
            return letter
        return replace(
            letter,
            key=_bytes(letter.key, found),
            message=found.text(letter.message),
            headers=_headers(letter.headers, found),
            header_edits=_headers(letter.header_edits, found),
        )

    def record(self, value: Value) -> Value:
        """A letter's value."""
        if self.redactor is None:
            return value
        problem = None if value.problem is None else self.knowing(value.fields or {}).value(value.problem)
        return replace(value, fields=self.value(value.fields), problem=problem)


def viewing(
    settings: Settings,
    what: str,
    *,
    unredacted: bool = False,
    reason: str | None = None,
    actor: str | None = None,
    saga: UUID | None = None,
) -> View:
    """How the command `what` may show things. Unredacted it is only after that is in the audit.

    Raises:
        CliError: unredacted without a reason.
        StoreError: the audit cannot be written; then nothing is shown.

    """
    if unredacted:
        record_look(settings, what, reason=reason, actor=actor, saga=saga)
        return View(None)
    bootstrap.configure_redaction(settings)
    return View(current())


def record_look(
    settings: Settings, what: str, *, reason: str | None, actor: str | None = None, saga: UUID | None = None
) -> None:
    """Write into the audit that somebody is going to see things whole. Raises as `viewing`."""
    if not (reason or "").strip():
        text = "--reason is needed: whoever reads it unredacted says why"
        raise CliError("USAGE", text, exit_code=Exit.USAGE)
    record: Any = load_attribute("SAGA_CONSUMERS", f"{settings.consumers}:record_look")
    record(settings, what, actor=actor_name(actor), reason=reason, saga=saga)


def _state(state: SagaState, redactor: Redactor) -> SagaState:
    return msgspec.structs.replace(
        state,
        request=_payload(state.request, redactor),
        business_key=redactor.text(state.business_key),
        message=_text(state.message, redactor),
        parks=tuple(_park(park, redactor) for park in state.parks),
        steps={name: _step(step, redactor) for name, step in state.steps.items()},
    )


def _step(step: StepState, redactor: Redactor) -> StepState:
    return msgspec.structs.replace(
        step,
        do=_effect(step.do, redactor),
        undo=_effect(step.undo, redactor),
        probe=_effect(step.probe, redactor),
        output=None if step.output is None else _payload(step.output, redactor),
        request=None if step.request is None else _payload(step.request, redactor),
    )


def _effect(effect: Effect | None, redactor: Redactor) -> Effect | None:
    return None if effect is None else msgspec.structs.replace(effect, message=_text(effect.message, redactor))


def _park(park: Park, redactor: Redactor) -> Park:
    return replace(park, message=redactor.text(park.message))


def _payload(payload: Payload, redactor: Redactor) -> Payload:
    return Payload(payload.name, value=redactor.value(payload.json))


def _text(text: str | None, redactor: Redactor) -> str | None:
    return None if text is None else redactor.text(text)


def _headers(headers: Headers, redactor: Redactor) -> Headers:
    return tuple((name, _bytes(value, redactor, name)) for name, value in headers)


def _bytes(data: bytes | None, redactor: Redactor, name: str = "") -> bytes | None:
    """Text as its field may be shown; what is no text is shown as it is by no view."""
    if data is None:
        return None
    shown = redactor.value({name: data.decode(errors="replace")})
    return str(shown.get(name, "")).encode(errors="replace")
