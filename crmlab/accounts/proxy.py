"""Which proxy the requests of an account take: one of its own, that of the environment, or none."""

from __future__ import annotations

import ipaddress
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies_environment

from crmlab.errors import CredentialError

if TYPE_CHECKING:
    from pydantic import SecretStr

#: what `crmlab.Account` takes in place of an address
ENVIRONMENT: Literal["environment"] = "environment"

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where it is, and what it is told of who asks. The latter is a secret."""

    address: str
    #: what named it: a variable of the environment, or the argument
    named_by: str
    authorization: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """What the proxy, and nobody behind it, is sent."""
        return {"Proxy-Authorization": self.authorization} if self.authorization else {}

    def redact(self, text: str) -> str:
        """Return the text without what the proxy is told."""
        for secret in (self.authorization.removeprefix("Basic "), self.password):
            if secret:
                text = text.replace(secret, "••••")
        return text


def given_proxy(given: str | SecretStr, base_url: str) -> Proxy:
    """Return the proxy that an account was given.

    Raises
    ------
    CredentialError
        it is no address of a proxy, or the key would travel to it unencrypted
    """
    # in no variable, which a traceback would show: it may hold a password
    proxy = _parsed(given if isinstance(given, str) else given.get_secret_value(), "proxy")
    if isinstance(proxy, CredentialError):
        raise proxy
    host = urlsplit(proxy.address).hostname or ""
    if urlsplit(base_url).scheme == "http" and not is_loopback(host):
        raise CredentialError(
            f"proxy must not be used with an http address: the key would go to {host} unencrypted"
        )
    return proxy


def proxy_of_environment(base_url: str) -> Proxy | None:
    """Return what ``HTTPS_PROXY`` (or ``HTTP_PROXY``, for http) names for that address.

    None without one, for addresses in ``NO_PROXY``, and for this machine's own.

    Raises
    ------
    CredentialError
        the variable holds no address of a proxy
    """
    found = _found(urlsplit(base_url))
    if isinstance(found, CredentialError):
        raise found
    return found


def _found(parts: SplitResult) -> Proxy | CredentialError | None:
    variables = getproxies_environment()
    address = variables.get(parts.scheme)
    if not address or is_loopback(parts.hostname or "") or _goes_straight(parts, variables):
        return None
    return _parsed(address, f"{parts.scheme.upper()}_PROXY")


def is_loopback(host: str) -> bool:
    """Return whether it is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _goes_straight(parts: SplitResult, variables: Mapping[str, str]) -> bool:
    """Return whether ``NO_PROXY`` names the host: itself, its domain, either with its port, its network, or ``*``."""
    host = parts.hostname or ""
    with_port = f"{host}:{parts.port or _PORTS[parts.scheme]}"
    for exempt_name in variables.get("no", "").lower().split(","):
        if exempt_name.strip() == "*":
            return True
        # ".example.com", "*.example.com" and "example.com" mean the same, as to most programs
        exempt = exempt_name.strip().removeprefix("*").lstrip(".")
        if exempt in (host, with_port) or _is_in(host, exempt):
            return True
        if exempt and (host.endswith(f".{exempt}") or with_port.endswith(f".{exempt}")):
            return True
    return False


def _is_in(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network.strip("[]"), strict=False)
    except ValueError:
        return False


def _parsed(address: str, named_by: str) -> Proxy | CredentialError:
    """Return the proxy, or the error to raise where the address, which may hold a password, is in no variable."""
    proxy_url = address.strip()
    if "://" not in proxy_url:
        proxy_url = f"http://{proxy_url}"
    try:
        url_parts = urlsplit(proxy_url)
        port = url_parts.port
    except ValueError:
        return _malformed(named_by)
    if url_parts.scheme not in _PORTS:
        return CredentialError(
            f"{named_by} names a proxy that is neither http nor https: crmlab supports no other kind"
        )

    is_clean = proxy_url.isprintable() and " " not in proxy_url and "\\" not in proxy_url
    has_more = bool(url_parts.path.strip("/") or url_parts.query or url_parts.fragment)
    if not url_parts.hostname or has_more or not is_clean:
        return _malformed(named_by)
    host = url_parts.hostname
    if ":" in host:  # an address of IPv6
        host = f"[{host}]"
    user_and_password, _, _ = url_parts.netloc.rpartition("@")
    return Proxy(
        address=f"{url_parts.scheme}://{host}:{port or _PORTS[url_parts.scheme]}",
        named_by=named_by,
        authorization=_basic(user_and_password),
        password=unquote(url_parts.password or ""),
    )


def _malformed(named_by: str) -> CredentialError:
    return CredentialError(
        f"{named_by} is not the address of a proxy, such as http://user:password@proxy.example.com:3128: "
        "look at its host and port, and write signs such as @ : / # in a password as %40 %3A %2F %23"
    )


def _basic(user_and_password: str) -> str:
    if not user_and_password:
        return ""
    user, _, password = user_and_password.partition(":")
    # the signs that an address cannot hold are written as %40 and the like
    pair = f"{unquote(user)}:{unquote(password)}"
    return f"Basic {b64encode(pair.encode()).decode()}"
