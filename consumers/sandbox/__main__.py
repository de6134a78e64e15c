"""`python -m consumers.sandbox`: host sandbox systems until SIGTERM or SIGINT.

One JSON line on standard output when all of them answer: the URL of each system, of the control port (`control`), and
the path of the ledger. Exit status 0 after a signal, 1 when it could not start, 2 for wrong arguments.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from consumers.sandbox.faults import BadRule, Plan
from consumers.sandbox.server import CONTROL, SYSTEMS, SandboxOptions, serve

_OFFSETS = {name: offset for offset, name in enumerate([*SYSTEMS, CONTROL])}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("consumers.sandbox", description="Servers that imitate the target systems.")
    parser.add_argument("--systems", default=",".join(SYSTEMS), help="comma-separated (default: %(default)s)")
    parser.add_argument("--folder", type=Path, required=True, help="where ledger.jsonl is; it is also the state")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--ports", default="", help="name=port,…; `control` is a name too; others are free ports")
    parser.add_argument(
        "--port-base", type=int, help=f"fixed ports instead: {', '.join(f'{n} +{o}' for n, o in _OFFSETS.items())}"
    )
    parser.add_argument("--faults", type=Path, help="JSON: a list of rules, or an object with `faults` and `seed`")
    return parser


def _options(arguments: Sequence[str]) -> SandboxOptions:
    parser = _parser()
    given = parser.parse_args(arguments)
    systems = list(dict.fromkeys(name.strip() for name in given.systems.split(",") if name.strip()))
    if not systems or not set(systems) <= set(SYSTEMS):
        parser.error(f"--systems: choose from {', '.join(SYSTEMS)}")
    ports = {name: given.port_base + offset for name, offset in _OFFSETS.items()} if given.port_base else {}
    for part in filter(None, given.ports.split(",")):
        name, _, port = part.partition("=")
        if name not in _OFFSETS or not port.isdecimal() or int(port) > 65535:
            parser.error(f"--ports: {part!r} is not one of {', '.join(_OFFSETS)} with a port")
        ports[name] = int(port)
    try:
        plan = Plan.read(given.faults) if given.faults else Plan()
    except BadRule as exc:
        parser.error(f"--faults: {exc}")
    return SandboxOptions(systems, given.folder, given.host, ports, plan)


async def _main(options: SandboxOptions) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await serve(options, stopping, lambda urls: print(json.dumps(urls), flush=True))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; returns the exit status."""
    options = _options(sys.argv[1:] if arguments is None else arguments)
    logging.basicConfig(level=logging.ERROR, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        asyncio.run(_main(options))
    except OSError as exc:
        print(f"sandbox: {exc.strerror or exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
