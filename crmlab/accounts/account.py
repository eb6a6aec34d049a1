"""An account: one provider with the credentials to reach it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import pbkdf2_hmac
from typing import TYPE_CHECKING, Any, Literal, NoReturn
from urllib.parse import urlsplit

from crmlab import providers
from crmlab.accounts import credentials
from crmlab.accounts import facts as facts_
from crmlab.accounts.proxy import ENVIRONMENT, Proxy, given_proxy, is_loopback, proxy_of_environment
from crmlab.accounts.secret_spellings import spellings
from crmlab.connector import Limits, Provider, Request, url_fields
from crmlab.errors import AuthError, CredentialError, CrmlabError, UsageError, without_trace
from crmlab.schema import ProviderName

if TYPE_CHECKING:
    from pydantic import SecretStr


#: so many that nobody finds a short key by trying all
_FINGERPRINT_ROUNDS = 200_000


class Account:
    """One account of one provider.

    Parameters
    ----------
    provider
        The name of a service, such as ``"onepagecrm"``: one of `crmlab.providers`, or one that another
        package registers.
    name
        What the rows' ``account`` column says; the provider's name if not given. Two accounts of
        one provider need different names.
    base_url
        Instead of the provider's own: on-premises Altcraft, a proxy, a test server. Plain http
        only for loopback addresses. Never read from the environment or a file, which could send
        the key elsewhere.
    limits
        Those of a contract, instead of the provider's. Where the vendor counts accounts together, the strictest hold
        for all of them, with a warning.
    facts
        What this account's service does otherwise than assumed, such as ``{"first_page": 0}``: `crmlab.probe` finds
        them, the page of each service lists them. They change how the answers are read, and are no secrets. Not given,
        an account without a name of its own takes the JSON object in ``CRMLAB_RELENTA_FACTS`` (or of another service).
    proxy
        "environment" takes the proxy that ``HTTPS_PROXY`` names, but not for addresses in ``NO_PROXY`` and of this
        machine. None takes none. Else the address of one, such as ``"http://user:password@proxy.example.com:3128"``,
        which is shown without user and password.
    **credentials
        The provider's fields; those not given are looked for as `crmlab.accounts.credentials` says.

    Raises
    ------
    UsageError
        unknown provider, or a fact that it does not know or that has another kind of value
    CredentialError
        a credential is missing or malformed, the base URL would send it unencrypted, or the proxy is none

    Examples
    --------
    >>> Account("onepagecrm", name="sales", user_id="5aba31e9", api_key="not-shown")
    Account('onepagecrm', name='sales', base_url='https://app.onepagecrm.com/api/v3')
    """

    __slots__ = (
        "_elsewhere",
        "_proxy",
        "_secrets",
        "adopted",
        "base_url",
        "facts",
        "limits",
        "name",
        "options",
        "provider",
    )

    def __init__(
        self,
        provider: ProviderName | str,
        *,
        name: str | None = None,
        base_url: str | None = None,
        limits: Limits | None = None,
        facts: Mapping[str, Any] | None = None,
        proxy: str | SecretStr | None = ENVIRONMENT,
        **given: str | SecretStr,
    ) -> None:
        self.provider: Provider = providers.provider(provider)
        self.name = name or self.provider.name
        self.limits = limits or self.provider.limits
        self._elsewhere = bool(base_url)
        # the path of each request begins with a slash
        template = (base_url or self.provider.base_url).rstrip("/")
        settings = {field.name for field in self.provider.fields if not field.secret}
        strange = _named(template) - settings
        if strange:
            raise CredentialError(
                f"base_url may name {sorted(settings)} in braces, not {sorted(strange)}"
            )
        needed = self.provider.needed(template)
        self._secrets = credentials.find(self.provider, given, needed=needed, account=self.name)
        options: dict[str, str] = {}
        for field_name, value in self._secrets.items():
            if field_name in settings:
                options[field_name] = value.get_secret_value()
        self.options: Mapping[str, str] = options
        self.base_url = _checked_url(_filled(template, self.options))
        self._proxy = _chosen_proxy(proxy, self.base_url)
        self.facts: Mapping[str, Any] = self._facts(facts)
        #: the facts that a probe found and that were adopted without being given
        self.adopted: dict[str, Any] = {}
        self.provider = self.provider.with_settings(self.options).with_facts(self.facts)

    @classmethod
    def without_credentials(
        cls,
        provider: str,
        *,
        name: str,
        base_url: str,
        options: Mapping[str, str],
        facts: Mapping[str, Any],
    ) -> Account:
        """Return an account of which answers are kept: it can read them, and ask for nothing."""
        account = cls.__new__(cls)
        account.provider = providers.provider(provider)
        account.name = name
        account.limits = account.provider.limits
        # it has no key that could be kept for another time
        account._elsewhere = True
        account.options = dict(options)
        account._secrets = {}
        account._proxy = None
        account.base_url = base_url
        account.facts = facts_.checked(account.provider, facts)
        account.adopted = {}
        account.provider = account.provider.with_settings(account.options).with_facts(account.facts)
        return account

    def _facts(self, given: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """Return the facts that were given, or those of the environment for the account that it is about."""
        if given is None and self.name == self.provider.name:
            return facts_.found(self.provider)
        return facts_.checked(self.provider, given or {})

    def adopt(self, found: Mapping[str, Any]) -> None:
        """Read the service by what was found of it, as far as that can but add rows; facts that were given stay."""
        may_be_adopted = {fact.name for fact in self.provider.facts if fact.only_adds}
        adopted: dict[str, Any] = {}
        for fact_name, value in found.items():
            if fact_name in may_be_adopted and fact_name not in self.facts:
                adopted[fact_name] = value
        self.provider = self.provider.with_facts(facts_.checked(self.provider, adopted))
        self.adopted |= adopted

    @property
    def known_facts(self) -> dict[str, Any]:
        """The facts that it is read by: those that were adopted, and those that were given."""
        return {**self.adopted, **self.facts}

    def adopted_for(self, resource: str) -> dict[str, Any]:
        """Return the adopted facts that change how that resource is read."""
        if not self.adopted:
            return {}
        as_assumed = providers.provider(self.provider.name).resource(resource)
        known_facts = {fact.name: fact for fact in self.provider.facts}
        effective: dict[str, Any] = {}
        for fact_name, value in self.adopted.items():
            # a fact that makes no difference to a resource returns that very object
            if known_facts[fact_name].apply(as_assumed, value) is not as_assumed:
                effective[fact_name] = value
        return effective

    @property
    def root_url(self) -> str:
        """What stands before the path of the service's own base URL: the host, and the folder of a proxy."""
        usual_path = urlsplit(self.provider.base_url.rstrip("/")).path
        if usual_path and self.base_url.endswith(usual_path):
            return self.base_url.removesuffix(usual_path)
        url_parts = urlsplit(self.base_url)
        return f"{url_parts.scheme}://{url_parts.netloc}"

    @property
    def proxy(self) -> Proxy | None:
        """The proxy that its requests take as things are now; None where they go straight to the service.

        Raises
        ------
        CredentialError
            ``HTTPS_PROXY`` is not the address of a proxy
        """
        if self._proxy == ENVIRONMENT:
            return proxy_of_environment(self.base_url)
        return self._proxy

    def sign(self, request: Request) -> Request:
        """Return the request with the credentials added, as the provider wants them."""
        # settings as well: some services are told one of them beside the key
        plain = {name: value.get_secret_value() for name, value in self._secrets.items()}
        return self.provider.sign(request, plain)

    def redact(self, text: str) -> str:
        """Return the text with every secret of this account blotted out, however it is spelled."""
        for field in self.provider.fields:
            if not field.secret or field.name not in self._secrets:
                continue
            for spelling in spellings(self._secrets[field.name].get_secret_value()):
                text = text.replace(spelling, "••••")
        if isinstance(self._proxy, Proxy):
            text = self._proxy.redact(text)
        return text

    def fingerprint(self, salt: bytes) -> str:
        """Return what tells this account's credentials from others; they cannot be found from it."""
        # in the order of their names: however they were given, the same ones are the same
        secrets = [self._secrets[name].get_secret_value() for name in sorted(self._secrets)]
        content = json.dumps(secrets).encode()
        return pbkdf2_hmac("sha256", content, salt, _FINGERPRINT_ROUNDS).hex()

    def remember(self) -> str:
        """Keep the credentials in the system keyring, see `crmlab.accounts.credentials`; return where.

        Raises
        ------
        CredentialError
            there is no safe keyring, or the account has an address of its own, which is never kept:
            found again, the key would go to the provider's
        """
        if self._elsewhere:
            raise CredentialError(
                "an account with its own base_url is not kept, because its key is for that address only"
            )
        return credentials.remember(self.provider, self._secrets, account=self.name)

    def forget(self) -> None:
        """Delete what the system keyring keeps of this account.

        Raises
        ------
        CredentialError
            there is no keyring, or it does not delete it
        """
        credentials.forget(self.provider, account=self.name)

    def explain(self, error: CrmlabError, resource: str = "") -> CrmlabError:
        """Return the error saying where it happened and, for a refused key, what to look at.

        It does not lead to the functions that it came through, which may hold an answer that repeats the key.
        """
        if not error.where:
            error.account = self.label
            if not error.of_account:
                error.resource = resource
        if isinstance(error, AuthError) and not error.hint:
            error.hint = (
                "the key is right but has no right to this; ask the account's administrator"
            )
            if error.status == 401:
                error.hint = self._what_to_check()
        return without_trace(error)

    def _what_to_check(self) -> str:
        """Return where a key that is refused may stand."""
        names: list[str] = []
        variables: list[str] = []
        for field in self.provider.fields:
            if field.required and not field.default:
                names.append(field.name)
                variables.append(credentials.variable(self.provider, field))
        return f"check {' and '.join(names)} (form, arguments, or {', '.join(variables)})"

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"{self.provider.name} account {self.name!r}"

    def __repr__(self) -> str:
        shown = [
            repr(self.provider.name),
            f"name={self.name!r}",
            f"base_url={self.base_url!r}",
        ]
        if self.facts:
            shown.append(f"facts={dict(self.facts)!r}")
        if self.adopted:
            shown.append(f"adopted={self.adopted!r}")
        if isinstance(self._proxy, Proxy):  # its address holds neither user nor password
            shown.append(f"proxy={self._proxy.address!r}")
        elif self._proxy != ENVIRONMENT:
            shown.append(f"proxy={self._proxy!r}")
        return f"Account({', '.join(shown)})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "an Account holds secrets and cannot be pickled or copied to another process"
        )


def _named(template: str) -> set[str]:
    try:
        return url_fields(template)
    except ValueError:
        raise CredentialError("base_url has a brace without its counterpart") from None


def _filled(template: str, options: Mapping[str, str]) -> str:
    try:
        return template.format(**options)
    except (KeyError, IndexError, ValueError):
        missing = ", ".join(sorted(url_fields(template) - set(options)))
        raise CredentialError(
            f"base_url needs {missing or 'a name in each pair of braces'}"
        ) from None


def _checked_url(url: str) -> str:
    # a backslash is a slash to some readers of addresses: another host could be meant
    if not url.isprintable() or " " in url or "\\" in url:
        raise CredentialError("base_url holds a blank or a character that no address has")
    try:
        url_parts = urlsplit(url)
        url_parts.port  # noqa: B018  # raises where it is no port
    except ValueError:
        raise CredentialError("base_url is not an address: look at its host and port") from None
    if url_parts.scheme not in ("http", "https") or not url_parts.hostname:
        raise CredentialError(
            f"base_url must be an http(s) address, not {url_parts.scheme or 'nothing'}://…"
        )
    if "@" in url_parts.netloc or "?" in url or "#" in url:
        raise CredentialError("base_url must hold no user, password, query or fragment")
    if url_parts.scheme == "http" and not is_loopback(url_parts.hostname):
        raise CredentialError(
            f"base_url must be https: http would send the key to {url_parts.hostname} unencrypted "
            "(plain http is only for loopback addresses)"
        )
    return url


def _chosen_proxy(
    given: str | SecretStr | None, base_url: str
) -> Literal["environment"] | Proxy | None:
    if given is None:
        return None
    if given == ENVIRONMENT:
        return ENVIRONMENT
    return given_proxy(given, base_url)


def check_account(given: object) -> Account:
    """Return what was given, where it is an account; raise a `UsageError` where it is something else."""
    if not isinstance(given, Account):
        raise UsageError(f"accounts are crmlab.Account objects, not {type(given).__name__}")
    return given


def check_names(accounts: list[Account]) -> None:
    """Raise where two accounts of one provider have the same name: their rows would be mixed."""
    seen: set[tuple[str, str]] = set()
    for account in accounts:
        identity = (account.provider.name, account.name)
        if identity in seen:
            raise UsageError(f"two accounts are called {account.label}: give each its own name=...")
        seen.add(identity)
