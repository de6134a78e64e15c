"""A bare HTTP server in a process of its own, so that what is measured does not pay for it: `python -m` with a port.

`POST /token` gives tokens and counts them, `GET /counts` tells, everything else is answered as the ERP would.
"""

from __future__ import annotations

import asyncio
import json
import sys

__all__ = ["main"]

_CREATED = {"vendor_id": "V-00000001", "created_at": "2026-01-01T00:00:00Z"}
_TOKEN_SECONDS = 3600


class _Server:
    def __init__(self) -> None:
        self.counts = {"tokens": 0, "calls": 0}

    def answer(self, target: str) -> bytes:
        if target == "/counts":
            return _response(200, self.counts)
        if target == "/token":
            self.counts["tokens"] += 1
            token = f"bench-{self.counts['tokens']}"
            return _response(200, {"access_token": token, "token_type": "Bearer", "expires_in": _TOKEN_SECONDS})
        self.counts["calls"] += 1
        return _response(201, _CREATED)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        await reader.readexactly(int(line[15:]))
                writer.write(self.answer(head.split(b" ", 2)[1].decode()))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()  # the client has hung up


def _response(status: int, body: object) -> bytes:
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    return head.encode() + content


async def main(port: int) -> None:
    """Answer until the process is ended."""
    listening = await asyncio.start_server(_Server().serve, "127.0.0.1", port)
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
