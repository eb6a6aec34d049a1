"""What is said where no answer came: the kind of error, the host, and nothing of the request.

aiohttp's own texts hold headers and query strings.
"""

from __future__ import annotations

import os
import ssl
from http import HTTPStatus
from pathlib import Path

import aiohttp
from yarl import URL

from crmlab.accounts import Proxy
from crmlab.errors import TransportError

#: by the numbers of OpenSSL (X509_V_ERR_...), which `ssl` does not name
_CERT_NOT_YET_VALID = 9
_CERT_HAS_EXPIRED = 10
_SELF_SIGNED = 18
_UNKNOWN_AUTHORITY = {19, 20, 21}
_OTHER_HOST = {62, 64}

_COMPANY = (
    "to trust a company's own, name the file with its certificate (PEM) "
    "in the environment variable SSL_CERT_FILE"
)
#: answers of a proxy that it gives again, however often it is asked
_PROXY_REFUSES = {
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.METHOD_NOT_ALLOWED,
}


class LostError(aiohttp.ClientError):
    """The connection broke, by the name of the error that said so."""


def no_answer(error: Exception, url: URL, proxy: Proxy | None) -> TransportError:
    """Return the error to raise in place of one of aiohttp's or of the system.

    It is `of_account` where no request of the account can get further, and not `worth_repeating` where the
    next try would end like this one.
    """
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return _certificate(error)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return _refused_by_proxy(error, url, proxy)
    failed = TransportError(_words(error, url, proxy))
    failed.of_account = isinstance(error, aiohttp.ClientConnectorError)
    return failed


def _words(error: Exception, url: URL, proxy: Proxy | None) -> str:
    error_name = type(error).__name__
    if isinstance(error, LostError):
        error_name = str(error)
    if isinstance(error, aiohttp.ClientProxyConnectionError) and proxy:
        return f"cannot reach the proxy {proxy.address} ({error_name}); check {proxy.named_by}"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return (
            f"{error.host}:{error.port} does not speak TLS as it should ({error_name}); "
            "check the network and base_url"
        )
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot reach {url.host}:{url.port} ({error_name}); check the network and base_url"
    if isinstance(error, TimeoutError):
        return f"{url.host} did not answer in time ({error_name})"
    if isinstance(error, aiohttp.ClientPayloadError):
        return f"the answer of {url.host} was cut off ({error_name})"
    return f"the connection to {url.host} failed ({error_name})"


def _refused_by_proxy(
    error: aiohttp.ClientHttpProxyError, url: URL, proxy: Proxy | None
) -> TransportError:
    address = proxy.address if proxy else "in between"
    failed = TransportError(
        f"the proxy {address} does not connect to {url.host}:{url.port}: HTTP {error.status}"
    )
    if proxy and error.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        failed.hint = (
            f"give its user and password in {proxy.named_by}: http://user:password@host:port"
        )
    elif proxy:
        failed.hint = "if the host is to be reached without it, name the host in NO_PROXY"
    failed.worth_repeating = error.status not in _PROXY_REFUSES
    failed.of_account = not failed.worth_repeating
    return failed


def _certificate(error: aiohttp.ClientConnectorCertificateError) -> TransportError:
    """Say what is wrong with a certificate, and what can be done about it."""
    authority = f"{error.host}:{error.port}"
    certificate_error = error.certificate_error
    verify_code = 0
    if isinstance(certificate_error, ssl.SSLCertVerificationError):
        verify_code = certificate_error.verify_code
    if verify_code == _SELF_SIGNED:
        complaint = f"the certificate of {authority} is self-signed"
        hint = _trusting()
    elif verify_code in _UNKNOWN_AUTHORITY:
        complaint = f"the certificate of {authority} is signed by an authority that this machine does not trust"
        hint = _trusting()
    elif verify_code == _CERT_HAS_EXPIRED:
        complaint = f"the certificate of {authority} has expired"
        hint = "look at the clock of this machine; if it is right, whoever runs that host must renew it"
    elif verify_code == _CERT_NOT_YET_VALID:
        complaint = f"the certificate of {authority} is not valid yet"
        hint = "look at the clock of this machine"
    elif verify_code in _OTHER_HOST:
        complaint = f"the certificate of {authority} is for another host"
        hint = "check base_url: it must name the host as its certificate does"
    else:
        complaint = f"the certificate of {authority} is not trusted (OpenSSL says {verify_code})"
        hint = _trusting()
    failed = TransportError(complaint)
    failed.hint = hint
    failed.of_account = True
    failed.worth_repeating = False
    return failed


def _trusting() -> str:
    """Return how to trust a certificate, or why that has not worked."""
    named_file = os.environ.get("SSL_CERT_FILE", "")
    if named_file and not Path(named_file).is_file():
        return f"SSL_CERT_FILE is {named_file!r}, and there is no such file"
    return _COMPANY


def trusted() -> ssl.SSLContext:
    """Return what certificates are checked by: the system's authorities, or those of ``SSL_CERT_FILE``, as it is now.

    aiohttp's own context is as old as its import, and in a notebook the variable may have been set since.
    """
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
