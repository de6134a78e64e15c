"""What `saga shadow` asks of the consumers: plain data in and out, so that the CLI knows no types."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from consumers.audit.entry import AuditRow, Exchange, summary
from consumers.audit.store import PostgresAudit
from consumers.effects import PostgresEffects
from consumers.errors import ActionError
from consumers.pace import Pace
from consumers.shadow.compare import BadComparison, Finding, Recorded, Rule, compared, matched
from consumers.shadow.findings import Findings
from consumers.shadow.promotion import Promotion, weighed
from consumers.system import Action, Call, SystemConfig
from orchestrator.core.mode import Mode
from orchestrator.database import connect
from orchestrator.messaging.kafka import directly
from orchestrator.messaging.writer import effect_key
from orchestrator.settings import Settings

__all__ = ["ShadowDesk"]

_NOBODYS = UUID(int=0)


class ShadowDesk:
    """The shadows of this installation; closes its connections on exit."""

    def __init__(self, settings: Settings) -> None:
        # Loaded here and not above: the catalogue reads every file, and one that is wrong shall not hide the command.
        from consumers.catalogue import FILES, SYSTEMS  # noqa: PLC0415

        self._settings = settings
        self._files, self._systems = FILES, SYSTEMS
        self._engine = connect(settings.effects_url)
        self._findings = Findings(self._engine)
        self._audit = PostgresAudit(self._engine, directly)

    def __enter__(self) -> Self:
        """Connects when first asked."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the database."""
        self._findings.close()

    # -- comparing ---------------------------------------------------------------------------------------------------

    def actions(self, system: str, action: str | None) -> list[str]:
        """Those to compare: that one, or all of which a do was recorded.

        Raises:
            KeyError: there is no such system or action.

        """
        if system not in self._systems:
            raise KeyError(system)
        spec = self._files.get(system)
        recorded = self._findings.actions(system)
        if action is not None and action not in recorded and (spec is None or action not in spec.actions):
            raise KeyError(action)
        return recorded if action is None else [action]

    def compare_file(
        self, system: str, action: str, rows: Iterable[Mapping[str, Any]], *, key: str | None, source: str
    ) -> dict[str, Any]:
        """Everything that was recorded of an action, beside everything that the existing process did.

        Raises:
            ValueError: they cannot be compared; nothing is kept.

        """
        findings = matched(self._rule(system, action, key), self._findings.recorded(system, action), rows)
        return self._kept(system, action, findings, source=source, whole=True)

    async def compare_by_probe(self, system: str, action: str, since: datetime | None, *, actor: str) -> dict[str, Any]:
        """Ask the system for each that was recorded. Each question is in the audit, and keeps to the system's rate.

        Raises:
            ValueError: they cannot be compared, or the system cannot be asked; nothing is kept.

        """
        spec = self._files.get(system)
        url = self._settings.url_of(system, spec.base_url if spec else None)
        made = self._systems[system](SystemConfig(url, self._settings.options_of(system)))
        asked = next((a for a in made.actions.values() if (a.contract.action or a.contract.name) == action), None)
        if asked is None or asked.find is None:
            msg = f"{system} cannot be asked what it has of {action}: no `probe` in its file, nor `compare.look`"
            raise BadComparison(msg)
        effects = PostgresEffects(self._engine, directly)
        made.rate = self._settings.rate_of(system) or made.rate
        pace = Pace(system, made.limits, effects.reserve, clock=time.monotonic, sleep=asyncio.sleep)
        rule, findings, silent = self._rule(system, action, None), [], Counter[str]()
        async with made.lifespan():
            for recorded in self._findings.recorded(system, action, since):
                try:
                    theirs = await self._ask(asked, system, recorded, pace, actor)
                except ActionError as exc:
                    silent[exc.code] += 1
                else:
                    findings.append(compared(rule, recorded, theirs))
        return {**self._kept(system, action, findings, source="probe", whole=False), "not_asked": dict(silent)}

    async def _ask(self, action: Action, system: str, recorded: Recorded, pace: Pace, actor: str) -> Any:
        assert action.find is not None
        sends: list[tuple[datetime, Exchange]] = []
        key = effect_key(recorded.saga_id, recorded.step, "do", recorded.round)
        call = Call(
            recorded.saga_id, recorded.step, "probe", 1, key, pace.again, agent=actor,
            told=lambda send: sends.append((datetime.now(UTC), send)),
        )  # fmt: skip
        try:
            found = await action.find(action.command.model_validate(recorded.command), call)
        finally:
            name = action.contract.action or action.contract.name
            rows = [_row(system, name, call, place, at, send) for place, (at, send) in enumerate(sends, start=1)]
            if rows:
                await self._audit.add(rows)
        if found is not None and not isinstance(found, Mapping):
            msg = "what the system has is no object, so it has no fields to compare"
            raise BadComparison(msg)
        return found

    def _rule(self, system: str, action: str, key: str | None) -> Rule:
        spec = self._files.get(system)
        known = spec.actions.get(action) if spec else None
        return Rule.of(known.compare if known else None, key)

    def _kept(
        self, system: str, action: str, findings: Sequence[Finding], *, source: str, whole: bool
    ) -> dict[str, Any]:
        self._findings.keep(system, action, findings, source=source, at=datetime.now(UTC), whole=whole)
        counts = Counter(finding.result.value.replace("-", "_") for finding in findings)
        named = {name: counts[name] for name in ("agrees", "differs", "only_ours", "only_theirs")}
        return {"system": system, "action": action, "compared": len(findings), **named}

    def report(self, system: str | None, since: datetime | None) -> list[dict[str, Any]]:
        """See `Findings.report`."""
        return self._findings.report(system, since)

    # -- promoting ---------------------------------------------------------------------------------------------------

    def weigh(self, system: str, action: str | None, *, to: str, threshold: float, minimum: int) -> Promotion:
        """Whether the system, or one of its actions, may become `to`, and what would have to be changed for that.

        Raises:
            KeyError: there is no such system or action.
            ValueError: `to` is no mode.

        """
        mode = str(Mode.of(to))
        self.actions(system, action)
        report = {row["action"]: row for row in self._findings.report(system)}
        spec = self._files.get(system)
        wanted = [action] if action else sorted({*_doing(spec), *report})
        missing = weighed(wanted, report, threshold=threshold, minimum=minimum)
        name = system.upper().replace("-", "_")
        if action is not None and spec is not None and self._settings.mode_of(system, action) is None:
            change = f"in the file of {system}: actions.{action}.mode: {mode}"
        elif action is not None:
            change = f"SAGA_SYSTEM_OPTIONS__{name}__MODE_{action.upper()}={mode}"
        elif spec is not None and "mode" not in self._settings.options_of(system):
            change = f"in the file of {system}: mode: {mode}"
        else:
            change = f"SAGA_SYSTEM_OPTIONS__{name}__MODE={mode}"
        return Promotion(system, action, mode, missing, change, [report[name] for name in wanted if name in report])

    async def note(self, promotion: Promotion, *, actor: str, reason: str, threshold: float, minimum: int) -> None:
        """Write into the audit who promoted what, by which figures, and why.

        Raises:
            StoreError: it is not written.

        """
        counts = {
            row["action"]: f"{row['agrees']} of {row['compared']} agree, {row['not_compared']} not compared"
            for row in promotion.figures
        }
        told = {
            "shadow": f"promoted to {promotion.to}",
            "reason": reason,
            "threshold": threshold,
            "minimum": minimum,
            "counts": counts,
        }

        async def nothing() -> None:
            """Nothing is called."""

        call = Call(_NOBODYS, "by-hand", "do", 1, "", nothing, agent=actor)
        exchange = Exchange("BY HAND", 0.0, request=summary(told))
        row = _row(promotion.system, promotion.action or "", call, 1, datetime.now(UTC), exchange)
        await self._audit.add([row])


def _doing(spec: Any) -> list[str]:
    """The actions that change something and undo nothing."""
    if spec is None:
        return []
    undoes = {action.compensation for action in spec.actions.values()}
    return [name for name, action in spec.actions.items() if not action.reads and name not in undoes]


def _row(system: str, action: str, call: Call, place: int, at: datetime, exchange: Exchange) -> AuditRow:
    return AuditRow(
        system, 0, at, call.agent, call.saga_id, call.step, call.direction, call.attempt, action, place, exchange
    )
