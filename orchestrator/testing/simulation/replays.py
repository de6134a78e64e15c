"""Operators who replay dead letters: the replayer's own code, over the run's broker and letters kept in memory.

They replay one letter twice, two of them at once, die between sending it and writing that down, sit frozen with it for
a minute, and mend it first. What they sent is kept for `replay_checker`, which knows nothing of what the replayer says.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from orchestrator.database import StoreUnavailable
from orchestrator.letters.edit import check_editable, edited_value, with_fields
from orchestrator.letters.errors import Refused
from orchestrator.letters.header_edits import header_edits
from orchestrator.letters.letter import Letter, Place, Way
from orchestrator.letters.value import read_value
from orchestrator.letters.wanted import By
from orchestrator.messaging.errors import BrokerUnavailable
from orchestrator.messaging.message import Headers
from orchestrator.testing.evidence import Replay
from orchestrator.testing.simulation.clerk import Clerk, SimLetters
from orchestrator.testing.simulation.definitions import request
from orchestrator.testing.simulation.plan import Fault
from schemas.models import VendorOnboardingRequested

if TYPE_CHECKING:
    from orchestrator.testing.simulation.world import World

__all__ = ["KINDS", "Replays"]

_LARGEST = 900_000
_ROUNDS = 2
_A_ROUND = 3
_MENDED_BETWEEN = 0.3
_AGAIN = 0.7
_HOWS = ("once", "twice", "together", "interrupted", "mended", "watched")
_SECOND = 30.0

KINDS = (
    *(f"replay: {way.value}" for way in Way),
    *(f"replay: {what}" for what in ("twice", "by two at once", "interrupted", "edited", "too late")),
)
"""What must have happened in many runs, as `World.kinds` counts it."""


class Replays:
    """Everybody who replays. `kept` is what they have sent, or tried to, in order."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.letters = SimLetters(world)
        self.kept: list[Replay] = []
        self._arrived: Counter[tuple[str, str]] = Counter()
        self._count = 0
        self._rounds = 0
        self._open = 0

    @property
    def busy(self) -> bool:
        """Whether somebody is at it, or is going to be."""
        return self._open > 0

    def arrived(self, way: Way, replay: Replay) -> None:
        """The broker has it."""
        kinds, key = self._world.kinds, (replay.message.topic, replay.cause)
        kinds[f"replay: {way.value}"] += 1
        kinds["replay: edited"] += replay.edited
        kinds["replay: twice"] += self._arrived[key] > 0
        self._arrived[key] += 1

    def press(self) -> None:
        """Somebody replays some letter, in some manner."""
        world, dice = self._world, self._world.dice
        letter = self._some_letter()
        if letter is None:
            return
        world.fired[Fault.REPLAY] += 1
        how = dice.choice(_HOWS)
        if how == "mended" or (how == "twice" and dice.random() < _MENDED_BETWEEN):
            self._mend(letter)
        self._start(letter.place, how)
        if how == "together":
            self._start(letter.place, how)
            world.kinds["replay: by two at once"] += 1
        if how in ("twice", "interrupted"):
            self._later(dice.uniform(0.0, _SECOND), letter.place)

    def attend(self) -> bool:
        """Look at what lies there, now that all is calm; whether anything is replayed."""
        if Fault.REPLAY not in self._world.plan.faults or self._rounds >= _ROUNDS:
            return False
        self._rounds += 1
        for _ in range(_A_ROUND):
            self.press()
        return self.busy

    def _some_letter(self) -> Letter | None:
        """Of each kind as likely, settled ones too: nobody can see at once what others have done."""
        dice = self._world.dice
        try:
            self.letters.read_new()
        except StoreUnavailable:
            return None
        letters = self.letters.read
        if not letters:
            return None
        way = dice.choice([way for way in Way if any(letter.way is way for letter in letters)])
        chosen = dice.choice([letter for letter in letters if letter.way is way])
        return self.letters.at([chosen.place])[0]

    def _mend(self, letter: Letter) -> None:
        """As `saga dlq edit` does: another value, or another header."""
        world, dice = self._world, self._world.dice
        value: bytes | None = None
        headers: Headers = ()
        try:
            check_editable(letter)
            if letter.original_topic.endswith(".requests") and dice.random() < 0.7:
                value = self._mended(letter)
            else:
                headers = header_edits(letter, [f"x-mended={dice.randint(1, 2)}"], [])
        except Refused as exc:
            world.tell("", f"nobody mends {letter.place}: {exc.code}")
            return
        world.tell("", f"somebody mends {letter.place}")
        self.letters.act("edited", [(letter, None)], By("ops", "sim"), value, headers)

    def _mended(self, letter: Letter) -> bytes:
        """The request with another name; where nobody could read it, one that can be."""
        codec, number = self._world.codec, self._world.dice.randint(1, 2)
        fields = read_value(codec, letter.value).fields or request(0, unmappable=False).model_dump(mode="json")
        fields = with_fields(fields, [f"vendor_name=Mended {number}"])
        return edited_value(codec, VendorOnboardingRequested, fields, letter, _LARGEST)

    def _later(self, seconds: float, place: Place) -> None:
        self._open += 1
        self._world.loop.later(seconds, self._again, place)

    def _again(self, place: Place) -> None:
        self._open -= 1
        self._start(place, "once")

    def _start(self, place: Place, how: str) -> None:
        self._count += 1
        clerk = Clerk(self._world, f"replayer.{self._count}", place, self, doomed=how == "interrupted")
        self._open += 1
        clerk.process.run(self._run(clerk, watched=how == "watched")).add_done_callback(self._ended)

    async def _run(self, clerk: Clerk, *, watched: bool) -> None:
        try:
            await clerk.work(watched=watched)
        except (BrokerUnavailable, StoreUnavailable) as exc:
            self._world.tell("", f"{clerk.name} ends: {type(exc).__name__}: {exc}")
            if self._world.dice.random() < _AGAIN:
                self._later(self._world.dice.uniform(1.0, 10.0), clerk.place)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._open -= 1
        if not task.cancelled() and (exc := task.exception()) is not None:
            self._world.wrong("", f"a replay died of {type(exc).__name__}: {exc}")
