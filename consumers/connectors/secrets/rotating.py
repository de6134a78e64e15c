"""One secret as its user sees it: the present value, or the one before where the other side does not take the new."""

from __future__ import annotations

from dataclasses import replace

from consumers.connectors.auth.reference import Reference
from consumers.connectors.secrets.cache import Secrets
from consumers.connectors.secrets.secret import Secret

__all__ = ["Rotating"]


class Rotating:
    """Follows a rotation.

    A refusal asks the store once more. Where the store knows no newer value, the reference's `@previous` is tried;
    where that is refused too, the present one is again. Each refusal changes the choice once, so that no call loops.
    """

    def __init__(self, secrets: Secrets, reference: Reference, who: str) -> None:
        self._secrets = secrets
        self._reference = reference
        self._who = who
        self._old_while: str | None = None

    async def read(self) -> Secret:
        """The value to use now.

        Raises:
            Failed: SECRET_UNAVAILABLE.

        """
        pair = await self._secrets.read(self._reference, who=self._who)
        if pair.previous is not None and pair.current.version == self._old_while:
            return pair.previous
        return pair.current

    async def beside(self, name: Reference | str, secret: Secret) -> str:
        """A name that goes with that value: of the same version where both are fields of one document.

        Raises:
            Failed: SECRET_UNAVAILABLE.

        """
        if isinstance(name, str):
            return name
        own = self._reference
        if (name.source, name.name) == (own.source, own.name):
            name = replace(name, previous=own.previous)
        pair = await self._secrets.read(name, who=self._who)
        if pair.previous is not None and pair.previous.version == secret.version:
            return pair.previous.reveal()
        return pair.current.reveal()

    async def refused(self, version: str) -> bool:
        """The other side refused that version. True where `read` gives another one now.

        Raises:
            Failed: SECRET_UNAVAILABLE.

        """
        if (await self.read()).version != version:
            return True  # somebody has found out before
        pair = await self._secrets.renewed(self._reference, refused=version, who=self._who)
        was_current = pair.current.version == version
        self._old_while = version if was_current and pair.previous is not None else None
        return (await self.read()).version != version
