"""Certificates and proxies: what is trusted, what is said where it is not, and who gets which credentials."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import logging
import socket
import ssl
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from aiohttp import web

import crmlab
from crmlab.connector import Request
from crmlab.errors import CredentialError, TransportError
from crmlab.http.client import Client

HOST = "crm.example.com"
KEY, USER, PASSWORD = (
    "key-never-to-be-shown",
    "proxy-user",
    "p@ss:word-never-to-be-shown",
)  # made up
PAIR = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
AUTHORITY = trustme.CA()
YESTERDAY = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
TOMORROW = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
Serve = Callable[[Callable[[web.Request], Awaitable[web.StreamResponse]]], Awaitable[str]]

CERTIFICATES = {
    "good": AUTHORITY.issue_cert(HOST, "127.0.0.1"),
    "expired": AUTHORITY.issue_cert(
        "127.0.0.1", not_before=YESTERDAY, not_after=YESTERDAY + dt.timedelta(hours=1)
    ),
    "not valid yet": AUTHORITY.issue_cert(
        "127.0.0.1", not_before=TOMORROW, not_after=TOMORROW + dt.timedelta(days=1)
    ),
    "other host": AUTHORITY.issue_cert("other.example.com"),
    "unknown": trustme.CA().issue_cert("127.0.0.1"),
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No proxy of the machine that runs the tests, and an authority that is trusted."""
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    AUTHORITY.cert_pem.write_to_path(tmp_path / "company.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "company.pem"))


class Service:
    """A service behind TLS; keeps what it was asked."""

    def __init__(self, certificate: trustme.LeafCert | None = None) -> None:
        self.asked: list[web.Request] = []
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        (certificate or CERTIFICATES["good"]).configure_cert(self.context)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        """Serve, and say at which port."""

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            self.asked.append(request)  # type: ignore[arg-type]
            return web.json_response({"status": 0, "error": 0, "data": []})

        server = await asyncio.get_running_loop().create_server(
            web.Server(answer), "127.0.0.1", 0, ssl=self.context
        )
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()


class Tunnels:
    """A proxy that connects to this machine whatever host it is asked for; keeps what it was told."""

    def __init__(self, refusal: str = "") -> None:
        self.refusal = refusal
        self.heads: list[str] = []
        self._tunnels: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._tunnels.append(asyncio.create_task(self._serve(reader, writer)))

        server = await asyncio.start_server(begin, "127.0.0.1", 0)
        try:
            yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            await asyncio.gather(*self._tunnels)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        if self.refusal:
            writer.write(
                f"HTTP/1.1 {self.refusal}\r\nX-Echo: {PAIR}\r\nContent-Length: 0\r\n\r\n".encode()
            )
            writer.close()
            return
        port = int(head.split()[1].rpartition(":")[2])
        onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        await asyncio.gather(_copied(reader, onward_writer), _copied(onward_reader, writer))


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(65_536):
            writer.write(piece)
    except ConnectionError:
        pass  # either side may hang up
    finally:
        writer.close()


def account(address: str, provider: str = "onepagecrm", **options: str | None) -> crmlab.Account:
    keys = {
        "onepagecrm": {"user_id": "5aba31e9", "api_key": KEY},
        "altcraft": {"token": KEY, "token_in": "body"},
    }
    return crmlab.Account(provider, base_url=address, **keys[provider], **options)


def told(error: Exception) -> str:
    """Return all that an error tells, and the variables of the functions that it came through."""
    lines = traceback.TracebackException.from_exception(error, capture_locals=True).format()
    return "".join(lines) + repr(error) + str(vars(error))


async def ask(asked: crmlab.Account) -> None:
    async with Client(crmlab.Limits(), crmlab.Timeouts(first_wait=0.001)) as client:
        await client.send(asked, Request(path="/users"))


@pytest.mark.parametrize(
    ("certificate", "said"),
    [
        ("expired", r"has expired; look at the clock"),
        ("not valid yet", r"is not valid yet; look at the clock"),
        ("other host", r"is for another host; check base_url"),
        (
            "unknown",
            r"is signed by an authority that this machine does not trust; to trust .* SSL_CERT_FILE",
        ),
    ],
)
async def test_what_is_wrong_with_a_certificate_is_said_once(certificate: str, said: str) -> None:
    service = Service(CERTIFICATES[certificate])
    async with service.running() as port:
        refused = account(f"https://127.0.0.1:{port}")

        async with Client(crmlab.Limits()) as client:
            for _ in range(2):
                with pytest.raises(
                    TransportError, match=rf"the certificate of 127\.0\.0\.1:{port} {said}"
                ):
                    await client.send(refused, Request(path="/users"))

    assert service.asked == []


async def test_a_self_signed_certificate_is_said_to_be_that_and_trusted_when_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    company = trustme.CA()
    service = Service()
    service.context.load_cert_chain(_self_signed(company, tmp_path))
    async with service.running() as port:
        asked = account(f"https://127.0.0.1:{port}")
        with pytest.raises(
            TransportError, match=r"is self-signed; to trust a company's own, .* SSL_CERT_FILE"
        ):
            await ask(asked)

        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nowhere.pem"))
        with pytest.raises(
            TransportError,
            match=r"is self-signed; SSL_CERT_FILE is .*nowhere.pem', and there is no",
        ):
            await ask(asked)


def _self_signed(company: trustme.CA, folder: Path) -> Path:
    """Write the authority's own certificate as that of a server."""
    path = folder / "self-signed.pem"
    company.private_key_pem.write_to_path(path)
    company.cert_pem.write_to_path(path, append=True)
    return path


async def test_a_certificate_that_is_named_is_trusted() -> None:
    service = Service()
    async with service.running() as port:
        await ask(account(f"https://127.0.0.1:{port}"))

    assert [each.path for each in service.asked] == ["/users"]


async def test_the_proxy_of_the_environment_gets_its_own_credentials_and_the_service_the_key(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    service, proxy = Service(), Tunnels()
    async with service.running() as port, proxy.running() as there:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{USER}:p%40ss%3Aword-never-to-be-shown@{there}")
        await ask(account(f"https://{HOST}:{port}"))

    [head] = proxy.heads
    assert head.startswith(f"CONNECT {HOST}:{port} ")
    assert f"Proxy-Authorization: Basic {PAIR}" in head
    assert "\r\nAuthorization" not in head
    assert "Proxy-Authorization" not in service.asked[0].headers
    assert PASSWORD not in caplog.text
    assert PAIR not in caplog.text


@pytest.mark.parametrize("refusing", ["NO_PROXY", "argument"])
async def test_the_proxy_of_the_environment_can_be_refused(
    refusing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    if refusing == "NO_PROXY":
        monkeypatch.setenv("NO_PROXY", "example.com")
    straight = account(f"https://{HOST}", **({"proxy": None} if refusing == "argument" else {}))

    assert straight.proxy is None
    assert account("https://crm.example.org").proxy is not None


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (
            "407 Who are you",
            r"does not connect to crm\.example\.com:443: HTTP 407; give its user and password",
        ),
        ("403 Forbidden", r"does not connect to crm\.example\.com:443: HTTP 403; .* NO_PROXY"),
    ],
)
async def test_a_proxy_that_refuses_is_named_without_its_credentials(
    refusal: str, said: str
) -> None:
    proxy = Tunnels(refusal)
    async with proxy.running() as there:
        asked = account(
            f"https://{HOST}", proxy=f"http://{USER}:p%40ss%3Aword-never-to-be-shown@{there}"
        )
        with pytest.raises(TransportError, match=said) as caught:
            await ask(asked)

    assert len(proxy.heads) == 1
    texts = repr(asked) + repr(asked.proxy) + told(caught.value)
    assert there in texts
    assert PASSWORD not in texts
    assert "p%40ss" not in texts
    assert PAIR not in texts
    assert KEY not in texts
    assert asked.redact(f"{PASSWORD} {PAIR}") == "•••• ••••"


async def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setenv("HTTPS_PROXY", address)

    with pytest.raises(
        TransportError, match=rf"cannot reach the proxy {address} .*; check HTTPS_PROXY"
    ):
        await ask(account(f"https://{HOST}"))


async def test_netrc_is_not_read_whether_there_is_a_proxy_or_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login somebody password from-netrc\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    service, proxy = Service(), Tunnels()
    async with service.running() as port, proxy.running() as there:
        await ask(account(f"https://127.0.0.1:{port}", "altcraft"))
        monkeypatch.setenv("HTTPS_PROXY", f"http://{there}")
        await ask(account(f"https://{HOST}:{port}", "altcraft"))

    assert [each.headers.get("Authorization") for each in service.asked] == [None, None]
    assert "uthorization" not in proxy.heads[0]


async def test_what_names_no_proxy_is_an_error_of_the_account_and_nothing_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"socks5://{USER}:{PASSWORD}@127.0.0.1:9")

    with pytest.raises(
        CredentialError, match="HTTPS_PROXY names a proxy that is neither http nor https"
    ) as caught:
        await crmlab.fetch(account(f"https://{HOST}"), "deals")

    assert PASSWORD not in told(caught.value)
