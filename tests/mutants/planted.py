"""Bugs to plant: each a change of one place, in a copy of the sources, and who finds it.

`seeds`: the simulator, within a thousand of them; else the test that is named. Somebody who changes such a place changes
the mutant with it, or writes a better one: `old` has to stand in `file` exactly once.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MUTANTS", "Mutant"]


@dataclass(frozen=True, slots=True)
class Mutant:
    """`test` is the id of the test that finds it; None where the simulator does."""

    name: str
    file: str
    old: str
    new: str
    test: str | None = None


MUTANTS = [
    # -- the journal and the coordinator's loop ---------------------------------------------------------------------
    Mutant(
        "no journal key: the same message is applied twice",
        "orchestrator/messaging/event.py",
        "        return cause_of(self.source, self.id)\n",
        "        return cause_of(self.source, self.id + str(__import__('random').random()))\n",
    ),
    Mutant(
        "a duplicate is answered with nothing: what was committed and not sent is lost",
        "orchestrator/batch.py",
        "    return [output for output in outputs if not output",
        "    return [output for output in () if not output",
    ),
    Mutant(
        "offsets before produce",
        "orchestrator/coordinator.py",
        "        receipt = await self._outbox.send(unsent.outputs)\n",
        "        await self._inbox.commit(unsent.offsets)\n        receipt = await self._outbox.send(unsent.outputs)\n",
    ),
    Mutant(
        "what could not be sent is forgotten",
        "orchestrator/coordinator.py",
        "            await self._back_off(messages if self._unsent is None else (), exc)\n",
        "            self._unsent = None\n            await self._back_off((), exc)\n",
    ),
    Mutant(
        "what could not be sent is sent although others have the partitions now",
        "orchestrator/coordinator.py",
        "        if self._inbox.assigned().issuperset(unsent.offsets):\n",
        "        if True:\n",
        "tests/unit/test_coordinator.py::test_what_could_not_be_sent_is_left_to_whoever_has_the_partitions_now",
    ),
    Mutant(
        "a foreign request gets a new id each time it is seen",
        "orchestrator/batch.py",
        "saga_id=await self._transaction.adopt(event.source, event.id, self._ids.saga_id()))",
        "saga_id=self._ids.saga_id())",
    ),
    Mutant(
        "no lock: two replicas decide about one saga at once",
        "orchestrator/store/sql.py",
        "    ORDER BY id\n    FOR UPDATE\n) AS s ON true",
        "    ORDER BY id\n) AS s ON true",
        "tests/contract/test_store.py",
    ),
    Mutant(
        "no version: a saga is written over what another replica wrote",
        "orchestrator/store/sql.py",
        "s.revision = u.before AND ",
        "",
        "tests/contract/test_store.py",
    ),
    Mutant(
        "a dead letter loses the headers of its message",
        "orchestrator/messaging/dead_letter.py",
        "(*letter.headers, *added))",
        "added)",
    ),
    Mutant(
        "silence is judged before what has come",
        "orchestrator/batch.py",
        "        messages.sort(key=lambda message: isinstance(message.message, Wake))\n",
        "        messages.sort(key=lambda message: not isinstance(message.message, Wake))\n",
        "tests/unit/test_coordinator.py",
    ),
    Mutant(
        "silence means something although completions lie unread",
        "orchestrator/batch.py",
        "Wake(self._heard_until(message.incoming.partition), ",
        "Wake(None, ",
        "tests/unit/test_coordinator.py",
    ),
    # -- decisions --------------------------------------------------------------------------------------------------
    Mutant(
        "the attempt is part of the idempotency key",
        "orchestrator/messaging/writer.py",
        "effect_key(context.saga, command.step, command.direction.value, command.round)\n",
        "effect_key(context.saga, command.step, command.direction.value, command.round * 100 + command.attempt)\n",
    ),
    Mutant(
        "undone in the order of the alphabet",
        "orchestrator/core/advance.py",
        "    for group in reversed(draft.definition.groups):\n",
        "    for group in sorted(draft.definition.groups, key=lambda found: found[0].name):\n",
    ),
    Mutant(
        "an undo does not wait for a do in flight",
        "orchestrator/core/advance.py",
        "    if draft.doing:\n        draft.status = Status.COMPENSATING\n        return True\n",
        "",
    ),
    Mutant(
        "what may have been done is not undone",
        "orchestrator/core/rewind.py",
        "        return do.status in _MAYBE\n",
        "        return do.status is EffectStatus.DONE\n",
    ),
    Mutant(
        "an unknown is taken for not done",
        "orchestrator/core/decide.py",
        "        doubtful=effect.doubtful or unknown,\n",
        "        doubtful=effect.doubtful,\n",
    ),
    Mutant(
        "a blind step is tried again after an unknown",
        "orchestrator/core/decide.py",
        "(unknown and draft.blind(answer.step, answer.direction))",
        "(unknown and False)",
        "tests/unit/core",
    ),
    Mutant(
        "the failure of an older attempt counts",
        "orchestrator/core/decide.py",
        "    if effect is None or answer.attempt != effect.attempt or effect.status not in _OPEN:\n"
        "        if effect is not None and answer",
        "    if effect is None or effect.status not in _OPEN:\n        if effect is not None and answer",
        "tests/unit/core",
    ),
    Mutant(
        "a success that comes late is passed over",
        "orchestrator/core/decide.py",
        '        draft.note("succeeded already")\n        return\n    contradicts',
        '        draft.note("succeeded already")\n        return\n'
        "    if draft.backward and effect is not None and effect.status is not EffectStatus.IN_FLIGHT:\n"
        "        return\n    contradicts",
        "tests/unit/core/test_late_and_odd.py",
    ),
    Mutant(
        "a saga can be cancelled after its pivot",
        "orchestrator/core/control.py",
        "    _require_open(draft)\n    if draft.pivot_done:\n"
        '        msg = "the pivot is done; the saga only goes forward"\n        raise Refused(msg)\n    if draft.backward and',
        "    _require_open(draft)\n    if draft.backward and",
    ),
    Mutant(
        "nobody is woken where an attempt gets no answer",
        "orchestrator/core/draft.py",
        "        dues = [e.due for name, s in self.steps.items() for e in s.effects if self._waits_for(name, e)]\n",
        "        dues: list[datetime | None] = []\n",
    ),
    Mutant(
        "no outcome is told at the end",
        "orchestrator/core/advance.py",
        "    draft.outputs.append(Ended(status, draft.failed_step, draft.code, draft.message, _residue(draft)))\n",
        "",
    ),
    Mutant(
        "a compensated saga leaves no dead letter",
        "orchestrator/core/advance.py",
        '        draft.outputs.append(DeadRequest(draft.failed_step, draft.code or "", draft.message or ""))\n',
        "",
    ),
    Mutant(
        "an undo that failed for good is passed over",
        "orchestrator/core/decide.py",
        '        draft.park(effect.code or "UNDO_FAILED", effect.message or "", name, direction)\n',
        "        draft.put(name, direction, replace(effect, status=EffectStatus.SKIPPED, due=None))\n",
    ),
    Mutant(
        "a rerun keeps the round, so that its steps get their old answers",
        "orchestrator/core/rewind.py",
        "StepState(round=state.round + 1, request=request, undone=rounds)",
        "StepState(round=state.round, request=request, undone=state.undone)",
        "tests/unit/core",
    ),
    Mutant(
        "what was done without a claim is shown to nobody",
        "orchestrator/core/decide.py",
        "    elif answer.unclaimed and is_excess(draft, answer):\n        show_excess(draft, answer)\n",
        "    elif answer.unclaimed and is_excess(draft, answer):\n        pass\n",
        "tests/unit/core/test_excess.py",
    ),
    # -- replays of dead letters ------------------------------------------------------------------------------------
    Mutant(
        "a letter that is replayed twice is two messages",
        "orchestrator/letters/ids.py",
        '    return str(identity_of(["event", str(identity), *decision]))\n',
        '    return str(__import__("uuid").uuid4())\n',
    ),
    Mutant(
        "a parked saga that has moved on is continued all the same",
        "orchestrator/letters/plan.py",
        "        if_revision=letter.version,\n        resolved",
        "        resolved",
    ),
    Mutant(
        "a letter is published again without its headers",
        "orchestrator/letters/plan.py",
        "    headers, key = sent_headers(letter), letter.key\n    if letter.edit:",
        "    headers, key = letter.headers[:3], letter.key\n    if letter.edit:",
    ),
    Mutant(
        "an edited letter keeps the id of the original",
        "orchestrator/letters/plan.py",
        '"ce_id": event_id(letter.identity, "edit", letter.edit), "ce_source": SOURCE}',
        '"ce_source": SOURCE}',
    ),
    # -- consumers --------------------------------------------------------------------------------------------------
    Mutant(
        "the tombstone is ignored: a step is done although its undo has begun",
        "orchestrator/core/effects.py",
        "        return Refuse() if undo is not None else _admit(ask, do, now, begun_in(ask, do, undo))\n",
        "        return Perform() if undo is not None else _admit(ask, do, now, begun_in(ask, do, undo))\n",
    ),
    Mutant(
        "the lease is ignored: a claim keeps nobody away",
        "orchestrator/core/effects.py",
        "        return self.status is RowStatus.CLAIMED and self.lease_until is not None and self.lease_until > now\n",
        "        return False\n",
    ),
    Mutant(
        "what was done already is done again when its command comes again",
        "orchestrator/core/effects.py",
        "        return _resolve(ask, shadow, news=True)\n    return Repeat()\n",
        "        return _resolve(ask, shadow, news=True)\n    return Perform()\n",
    ),
    Mutant(
        "after a death in mid-call the system is called again without a question",
        "orchestrator/core/effects.py",
        '        return Perform(doubtful=True)\n    if ask.effect == "queryable":\n        '
        "return Perform(probe=True, doubtful=True)\n    return StayUnknown()\n",
        "        return Perform(doubtful=True)\n    return Perform()\n",
    ),
    Mutant(
        "after an unknown a rejection counts as proof",
        "orchestrator/core/effects.py",
        "        if claimed.doubtful and not proves:\n",
        "        if False and not proves:\n",
    ),
    Mutant(
        "swallowed error: a call without an answer counts as failed",
        "consumers/perform.py",
        "    except Unknown as exc:\n        return Failure(Outcome.UNKNOWN, exc.code, exc.message)\n",
        "    except Unknown as exc:\n        return Failure(Outcome.FAILED, exc.code, exc.message)\n",
    ),
    Mutant(
        "the offset passes before the dead letter is written",
        "consumers/runtime.py",
        "        await self._patiently(lambda: self._send(bury(message, grave)), self._inbox.idle)\n"
        "        self._marks.ended(message)\n",
        "        self._marks.ended(message)\n        await self._commit()\n"
        "        await self._patiently(lambda: self._send(bury(message, grave)), self._inbox.idle)\n",
    ),
    Mutant(
        "offsets pass what is still being worked on",
        "consumers/flow.py",
        "        while partition.order and partition.order[0] not in partition.open:\n"
        "            self._next[message.place] = partition.order.popleft() + 1\n",
        "        self._next[message.place] = message.offset + 1\n",
        "tests/unit/test_flow.py",
    ),
    Mutant(
        "the answer is not sent where the claim was lost",
        "consumers/runtime.py",
        "            await self._tell_of_lost_claim(command, owner, result)\n",
        "            pass\n",
        "tests/unit/test_runtime.py",
    ),
    Mutant(
        "of two workers that begin an effect the second takes it from the first",
        "consumers/effects.py",
        "ON CONFLICT DO NOTHING\nRETURNING saga_id, step, round, lease_until",
        "ON CONFLICT (saga_id, step, direction, round) DO UPDATE SET owner = EXCLUDED.owner\n"
        "RETURNING saga_id, step, round, lease_until",
        "tests/integration/consumers/test_effect_races.py",
    ),
    Mutant(
        "an answer is told before its call is in the audit",
        "consumers/runtime.py",
        "            await self._patiently(lambda: audit(rows))\n",
        "            self._tasks.add(asyncio.create_task(self._patiently(lambda: audit(rows))))\n",
        "tests/unit/test_audited_calls.py",
    ),
    Mutant(
        "a row of the audit does not depend on the one before it",
        "consumers/audit/entry.py",
        "hashlib.sha256(before + msgspec",
        "hashlib.sha256(b'' + msgspec",
        "tests/integration/consumers/test_audit.py",
    ),
    # -- shadows ----------------------------------------------------------------------------------------------------
    Mutant(
        "shadow: the undo of a do that was only recorded goes out",
        "orchestrator/core/effects.py",
        "    if do is not None and do.status is not RowStatus.TOMBSTONE and do.shadow is not None:\n        return do.shadow\n",
        "",
        "tests/unit/test_shadow_worker.py",
    ),
    Mutant(
        "shadow: it is forgotten when the effect is tried again",
        "orchestrator/core/effects.py",
        "        if do is not None and do.shadow is not None:\n            return do.shadow\n",
        "",
        "tests/unit/test_shadow_worker.py",
    ),
    Mutant(
        "shadow: what comes after made-up ids is done for real",
        "orchestrator/core/draft.py",
        "shadow=self.shadow if direction is Direction.DO",
        "shadow=False if direction is Direction.DO",
        "tests/unit/core/test_shadow.py",
    ),
    Mutant(
        "shadow: an answer that is sent again does not say what it is",
        "consumers/command.py",
        "before.type, now), shadow=before.shadow)",
        "before.type, now), shadow=False)",
        "tests/unit/test_shadow_worker.py",
    ),
    Mutant(
        "shadow: a worker of before gets a key, and acts",
        "orchestrator/messaging/writer.py",
        "            idempotency_key=None if keyless else key,\n",
        "            idempotency_key=key,\n",
        "tests/unit/core/test_shadow.py",
    ),
    Mutant(
        "shadow: a lost row is taken for a shadow's",
        "orchestrator/core/effects.py",
        "        return None if ask.shadow and not (fresh or not_done) else bool(ask.shadow)\n",
        "        return bool(ask.shadow)\n",
        "tests/unit/core/test_shadow_effects.py",
    ),
    Mutant(
        "shadow: what is live is sent what was made up beside it",
        "orchestrator/core/draft.py",
        "if not self._made_up_since(name, step)}",
        "}",
        "tests/unit/core/test_shadow.py",
    ),
]
