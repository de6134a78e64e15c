"""Systems that do nothing and answer at once, for benchmarks: `SAGA_SYSTEMS=consumers.nothing:SYSTEMS`.

A command whose category is `refused` is rejected, so that its saga is compensated.
"""

from __future__ import annotations

from functools import partial

from consumers import catalogue
from consumers.errors import Rejected
from consumers.system import Call, System, SystemConfig
from orchestrator.core.sample import sample
from schemas.models import BY_NAME, Record

__all__ = ["SYSTEMS"]


def _build(name: str, config: SystemConfig) -> System:
    del config
    system = System(name, concurrency=1000)
    for record in BY_NAME.values():
        if record.contract.kind == "command" and record.contract.system == name:
            assert record.contract.completion is not None
            answer = sample(record.contract.completion, full=True)

            async def handler(command: Record, call: Call, answer: Record = answer) -> Record:
                del call
                if getattr(command, "category", None) == "refused":
                    raise Rejected("NOT_ELIGIBLE")
                return answer

            system.action(record)(handler)
    return system


# Those that are run here: a ready integration that nobody uses shall not be measured.
SYSTEMS = {name: partial(_build, name) for name in sorted(catalogue.SYSTEMS)}
