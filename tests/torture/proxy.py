"""A proxy in front of a server that changes its answers on the way, down to single bytes."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import aiohttp

from tests.torture.fault_table import Answer, Fault

#: records on a page, where a request asks for more: so a small world has pages enough
PAGE = 40
_SIZE_IN_QUERY = re.compile(r"\blimit=\d{3,}")
_SIZE_IN_BODY = re.compile(rb'"limit": ?\d{3,}')
#: what asks for another page of the same list
_PAGE_IN_QUERY = re.compile(r"\b(page|cursor)=[^&]*")
_PAGE_IN_BODY = re.compile(rb'"from_id": ?("[^"]*"|\d+)')
#: headers that are made anew
_OF_THE_CONNECTION = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive"})
_PIECES = 10


@dataclass(kw_only=True)
class Strike:
    """A fault, and which answers it hits: `times` of them after the first `skip`; `path` is the only one, if given.

    Without `reaches` the service never gets the request whose answer is hit: somebody in between answers.
    """

    fault: Fault
    skip: int
    times: int
    path: str = ""
    reaches: bool = True
    hits: int = field(default=0, init=False)

    def __str__(self) -> str:
        where = f" of {self.path}" if self.path else ""
        return f"{self.fault.name!r} in {self.times} answers{where} after {self.skip}"

    def may_hit(self, path: str, number: int) -> bool:
        """Whether it is the turn of an answer."""
        return number >= self.skip and self.hits < self.times and self.path in ("", path)

    def struck(self, answer: Answer, number: int, before: Sequence[Answer]) -> Answer:
        """Return the answer with the fault, where it is hit."""
        if not self.may_hit(answer.path, number):
            return answer
        changed = self.fault.change(answer, before)
        if changed is None:
            return answer
        self.hits += 1
        return changed


class Proxy:
    """Serves what `upstream` answers, with the faults of `strikes`; an async context manager.

    `asked` are the paths that were asked for, one for each request, and `sent` the answers.
    """

    def __init__(
        self, upstream: str, strikes: Sequence[Strike] = (), *, tls: ssl.SSLContext | None = None
    ) -> None:
        self.asked: list[str] = []
        self.sent: list[Answer] = []
        self.strikes = strikes
        self.url = ""
        self._upstream = upstream
        self._tls = tls
        self._answered: dict[tuple[str, str, bytes], list[Answer]] = {}
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(auto_decompress=False)
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._tls)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._session.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        try:
            with contextlib.suppress(
                ConnectionError, asyncio.IncompleteReadError, aiohttp.ClientError
            ):
                while await self._serve(reader, writer):
                    pass
        except asyncio.CancelledError:
            pass  # the proxy closes; `start_server` complains of a task that ends so
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether the connection stays."""
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ")
        pairs = [line.split(":", 1) for line in lines[1:] if line]
        headers = {name.strip(): value.strip() for name, value in pairs}
        size = int(
            {name.lower(): value for name, value in headers.items()}.get("content-length", "0")
        )
        sent = await reader.readexactly(size)
        answer = self._answered_before(target.partition("?")[0])
        if answer is None:
            answer = await self._answer(method, target, headers, sent)
        self.sent.append(answer)
        return await self._send(writer, answer)

    def _answered_before(self, path: str) -> Answer | None:
        """Return the answer of somebody in between to a request that does not reach the service."""
        for strike in self.strikes:
            if strike.reaches or not strike.may_hit(path, len(self.asked)):
                continue
            nothing = Answer(
                path=path, status=200, headers=(("Content-Type", "application/json"),), body=b"{}"
            )
            self.asked.append(path)
            return strike.struck(nothing, len(self.asked) - 1, ())
        return None

    async def _answer(
        self, method: str, target: str, headers: dict[str, str], sent: bytes
    ) -> Answer:
        number = len(self.asked)
        path = target.partition("?")[0]
        self.asked.append(path)
        kept = {
            name: value
            for name, value in headers.items()
            if name.lower() not in ("host", "content-length")
        }
        kept["Accept-Encoding"] = "identity"
        url = self._upstream + _SIZE_IN_QUERY.sub(f"limit={PAGE}", target)
        data = _SIZE_IN_BODY.sub(b'"limit": %d' % PAGE, sent)
        async with self._session.request(
            method,
            aiohttp.client.URL(url, encoded=True),
            headers=kept,
            data=data or None,
            allow_redirects=False,
        ) as answer:
            named = tuple(
                (name, value)
                for name, value in answer.headers.items()
                if name.lower() not in _OF_THE_CONNECTION
            )
            right = Answer(path=path, status=answer.status, headers=named, body=await answer.read())
        asked_list = (method, _PAGE_IN_QUERY.sub("", target), _PAGE_IN_BODY.sub(b"", sent))
        before = self._answered.setdefault(asked_list, [])
        changed = right
        for strike in self.strikes:
            changed = strike.struck(changed, number, before)
        before.append(right)
        return changed

    async def _send(self, writer: asyncio.StreamWriter, answer: Answer) -> bool:
        await asyncio.sleep(answer.wait)
        if not answer.sent:
            return False
        writer.write(_head(answer))
        async for piece in _pieces(answer):
            writer.write(piece)
            await writer.drain()
        return answer.sent == 1 and answer.length is not None and answer.head is None


def _head(answer: Answer) -> bytes:
    if answer.head is not None:
        # another fault may have changed the body since: it has the length that it has
        return answer.head.replace(b"LENGTH", b"%d" % len(answer.body)) + b"\r\n"
    headers = [*answer.headers]
    if answer.length is not None:
        length = len(answer.body) if answer.length < 0 else answer.length
        headers.append(("Content-Length", str(length)))
    lines = [f"HTTP/1.1 {answer.status} Odd", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


async def _pieces(answer: Answer) -> AsyncIterator[bytes]:
    whole = answer.body[: int(len(answer.body) * answer.sent)]
    if not answer.drip:
        yield whole
        return
    size = max(1, len(whole) // _PIECES)
    for start in range(0, len(whole), size):
        yield whole[start : start + size]
        await asyncio.sleep(answer.drip / _PIECES)
