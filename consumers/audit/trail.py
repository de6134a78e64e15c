"""What `saga audit` asks of the audit, in plain data: search, export, verify, sign."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from consumers.audit.entry import FIRST, AuditRow, Broken, verify
from consumers.audit.signing import holds, key_id, make_key, private_key, public_key, sign
from consumers.audit.store import AuditReader

__all__ = ["Trail"]


class Trail:
    """The audit of all systems; closes its connection on exit."""

    def __init__(self, reader: AuditReader) -> None:
        self._reader = reader

    def __enter__(self) -> Self:
        """Connects when first asked."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the database."""
        self._reader.close()

    def search(self, **asked: Any) -> list[dict[str, Any]]:
        """See `AuditReader.search`."""
        return [_plain(row) for row in self._reader.search(**asked)]

    def export(self, system: str | None = None) -> Iterator[dict[str, Any]]:
        """Every row of a system or of all, each chain in its order, with hashes in hexadecimal."""
        for name in [system] if system else self._reader.heads():
            for row in self._reader.chain(name):
                yield {**_plain(row), "hash": row.hash.hex()}

    def access(
        self, since: datetime | None, granted: Iterable[tuple[str, str]], secrets: Iterable[tuple[str, str]]
    ) -> dict[str, list[dict[str, Any]]]:
        """Who used what, and what nobody used, since then or ever.

        `granted` are pairs of system and action, `secrets` of system and reference.
        """
        used = self._reader.used(since)
        known = {(found["system"], found["action"]) for found in used}
        unused = [{"system": s, "action": a} for s, a in sorted(set(granted)) if (s, a) not in known]
        read = self._reader.secrets(since)
        given = {(found["system"], found["reference"]) for found in read if found["reads"]}
        never = [{"system": s, "reference": r} for s, r in sorted(set(secrets)) if (s, r) not in given]
        return {"used": used, "unused": unused, "secrets": read, "unused_secrets": never}

    def unsigned(self) -> dict[str, int]:
        """Of each chain, how many rows lie after its last checkpoint: nobody could tell whether they were made anew."""
        behind = {found.system: found.number - found.signed for found in self._reader.unsigned()}
        return {name: behind.get(name, 0) for name in self._reader.heads()}

    def verify(self, system: str | None = None, keys: Sequence[Path] = ()) -> tuple[dict[str, int], list[Broken]]:
        """How many rows of each system were looked at, and everything that does not hold.

        The chain must have at each checkpoint the hash that was signed. With keys, each checkpoint must be signed by
        the one of them that it names: after a rotation the old public keys are given as well.

        Raises:
            BadKey, OSError: the file holds no key.

        """
        signers = {key_id(found): found for found in map(public_key, keys)}
        heads = self._reader.heads()
        checkpoints = self._reader.checkpoints()
        looked: dict[str, int] = {}
        broken: list[Broken] = []
        for name in [system] if system else sorted({*heads, *(c.system for c in checkpoints)}):
            ours = [c for c in checkpoints if c.system == name]
            signed: dict[int, set[bytes]] = {}
            for made in ours:
                signed.setdefault(made.number, set()).add(made.hash)
            looked[name] = 0
            broken += self._one(name, heads.get(name, (0, FIRST)), signed, looked)
            if signers:
                broken += [
                    Broken(name, c.number, f"the checkpoint is signed with no key that is given: {c.key_id}")
                    for c in ours
                    if (signer := signers.get(c.key_id)) is None or not holds(c, signer)
                ]
        return looked, broken

    def _one(
        self, system: str, head: tuple[int, bytes], signed: dict[int, set[bytes]], looked: dict[str, int]
    ) -> Iterator[Broken]:
        last = FIRST

        def rows() -> Iterator[AuditRow]:
            nonlocal last
            for row in self._reader.chain(system):
                last = row.hash
                looked[system] += 1
                found = signed.pop(row.number, None)
                if found is not None and found != {row.hash}:
                    changed.append(Broken(system, row.number, "is not what was signed at that time"))
                yield row

        changed: list[Broken] = []
        yield from verify(rows())
        yield from changed
        if (looked[system], last) != head:
            yield Broken(system, head[0], f"the chain ends at {looked[system]}, not where it was written last")
        for number in signed:
            if number > looked[system]:
                yield Broken(system, number, "was signed, and is not there any more")

    def checkpoint(self, key: Path, at: datetime, *, make: bool = False) -> list[dict[str, Any]]:
        """Sign the end of every chain; with `make`, with a new key where there is none.

        Raises:
            BadKey, OSError: the file holds no key.

        """
        if make and not key.exists():
            make_key(key)
        signer = private_key(key.read_bytes(), str(key))
        made = []
        for system, (number, chain) in self._reader.heads().items():
            checkpoint = sign(signer, system, number, chain, at)
            self._reader.sign(checkpoint)
            made.append(
                {
                    "system": system,
                    "number": number,
                    "hash": chain.hex(),
                    "key": checkpoint.key_id,
                    "signature": checkpoint.signature.hex(),
                }
            )
        return made


def _plain(row: AuditRow) -> dict[str, Any]:
    told = row.exchange
    saga: UUID = row.saga_id
    return {
        "system": row.system,
        "number": row.number,
        "at": row.at,
        "agent": row.agent,
        "saga": str(saga),
        "step": row.step,
        "direction": row.direction,
        "attempt": row.attempt,
        "send": row.send,
        "action": row.action,
        "endpoint": told.endpoint,
        "credential": told.credential,
        "request": told.request,
        "status": told.status,
        "response": told.response,
        "error": told.error,
        "duration_ms": told.duration_ms,
    }
