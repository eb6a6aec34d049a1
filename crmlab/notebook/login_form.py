"""The form that asks for keys in a notebook.

A key travels from the browser as a custom message, never as widget state, which a notebook can
save; it becomes a `SecretStr` on arrival and then lives only in its `Account`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import anywidget
import traitlets
from pydantic import SecretStr

from crmlab import providers
from crmlab.accounts import Account, credentials
from crmlab.connector import Provider
from crmlab.display import front_end
from crmlab.errors import AuthError, CredentialError, CrmlabError
from crmlab.fetching import check
from crmlab.notebook import event_loop, login_fields
from crmlab.schema import ProviderName

_HERE = Path(__file__).parent
Check = Callable[[Account], Awaitable[str]]

#: after so many seconds a check counts as failed: it may not lock its section for ever
PATIENCE_SECONDS = 60


def login(*names: ProviderName | str) -> LoginForm:
    """Return a form that asks for the keys of the providers named; if none is, also for which of all.

    End the cell with it, press Connect, and give it to `crmlab.fetch` in the next cell. Where
    nobody can fill it in (a script, a notebook run by nbclient, nbconvert or papermill), its
    accounts are those that the environment holds, see `crmlab.accounts.credentials`.

    Raises
    ------
    UsageError
        unknown provider

    Examples
    --------
    >>> import crmlab
    >>> form = crmlab.login("onepagecrm")  # the last line of a cell shows it
    >>> [section["name"] for section in form.sections]
    ['onepagecrm']
    """
    # each once, in the order in which they were named
    provider_names = dict.fromkeys(names or providers.registry())
    sources = [providers.provider(provider_name) for provider_name in provider_names]
    return LoginForm(sources, choose=not names)


class LoginForm(anywidget.AnyWidget):
    """A form with one section for each provider, and the accounts connected in it.

    Parameters
    ----------
    sources
        The providers to ask for.
    choose
        Ask first which of them the user has.
    check
        Tries an account; returns what it reached in a few words, or raises a `CrmlabError`.
    """

    _esm = "\n".join(
        (_HERE / name).read_text(encoding="utf-8") for name in ("fields.js", "login.js")
    )
    _css = _HERE / "login.css"

    #: what the form asks for; the only own widget state, and the same for everybody
    sections: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    choose: traitlets.Bool[bool, bool | int] = traitlets.Bool().tag(sync=True)

    def __init__(
        self,
        sources: Sequence[Provider],
        *,
        choose: bool = False,
        check: Check = check,
    ) -> None:
        sections = [login_fields.section(provider) for provider in sources]
        super().__init__(sections=sections, choose=choose)
        self._sources = {provider.name: provider for provider in sources}
        self._check_account = check
        self._accounts: dict[tuple[str, str], Account] = {}
        self._reached: dict[tuple[str, str], str] = {}
        self._status: dict[str, dict[str, str]] = {}
        self._found: dict[str, dict[str, Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._attended = front_end.can_answer()
        self._loop = event_loop.running()
        self.on_msg(self._on_message)

    def accounts(self) -> list[Account]:
        """Return the connected accounts; where nobody can answer, those of the environment.

        Raises
        ------
        CredentialError
            there is none yet; says what to do
        """
        self._use_environment_if_unattended()
        if not self._accounts:
            titles = ", ".join(provider.title for provider in self._sources.values())
            raise CredentialError(
                f"no account is connected yet ({titles}): press Connect above, then run this cell "
                "again. If no form is shown, end a cell with the form itself"
            )
        return list(self._accounts.values())

    def __iter__(self) -> Iterator[Account]:
        return iter(self.accounts())

    def __len__(self) -> int:
        try:
            return len(self.accounts())
        except CredentialError:
            return 0

    def __bool__(self) -> bool:
        return True  # a form without accounts is still a form: ipywidgets asks `if widget`

    def __repr__(self) -> str:
        return f"<LoginForm {', '.join(self._sources)}: {len(self._accounts)} connected>"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        representation = super()._repr_mimebundle_(**kwargs)
        if representation is None:
            return None
        variables = []
        for provider in self._sources.values():
            for field in provider.fields:
                if field.name in provider.needed():
                    variables.append(credentials.variable(provider, field))
        # what a notebook shows that has no widgets, or was saved without their state
        representation[0]["text/plain"] = (
            f"{self!r}\nThe form is not shown here: run the cell in a notebook that shows widgets,\n"
            f"or pass crmlab.Account(...) with the keys in the environment: {', '.join(variables)}"
        )
        return representation

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a LoginForm holds secrets and cannot be pickled or copied to another process"
        )

    def _on_message(
        self,
        _: object,
        content: dict[str, Any],
        buffers: object,
    ) -> None:
        message = dict(content)
        content.clear()  # the kernel keeps the message as the parent of what follows
        pasted_fields = message.pop("fields", None) or {}
        secrets = {}
        for field_name, pasted in pasted_fields.items():
            field_text = login_fields.meant(pasted)
            if field_text:
                secrets[field_name] = SecretStr(field_text)
        running_loop = self._loop or event_loop.running()
        if running_loop is None:  # no kernel: whoever calls may wait
            asyncio.run(self._answer(message, secrets))
        else:
            running_loop.call_soon_threadsafe(self._start, message, secrets)

    def _start(
        self,
        said: Mapping[str, Any],
        given: Mapping[str, SecretStr],
    ) -> None:
        answering = asyncio.get_running_loop().create_task(self._answer(said, given))
        self._tasks.add(answering)  # a loop keeps only weak references
        answering.add_done_callback(self._tasks.discard)

    async def _answer(
        self,
        said: Mapping[str, Any],
        given: Mapping[str, SecretStr],
    ) -> None:
        self._attended = True
        provider = self._sources.get(said.get("provider", ""))
        try:
            if provider:
                await self._do(provider, said, given)
        finally:
            await asyncio.to_thread(self._look)  # a keyring is slow, and may ask to be unlocked
            self.send(self.shown())

    async def _do(
        self,
        provider: Provider,
        said: Mapping[str, Any],
        given: Mapping[str, SecretStr],
    ) -> None:
        account_name = str(said.get("name") or "").strip()
        match said.get("kind"):
            case "connect":
                await self._connect(provider, account_name, said, given)
            case "remove":
                self._accounts.pop((provider.name, account_name), None)
                self._say(provider, "idle", f"{account_name} removed")
            case "forget":
                await self._forget(provider, account_name)

    async def _connect(
        self,
        provider: Provider,
        name: str,
        said: Mapping[str, Any],
        given: Mapping[str, SecretStr],
    ) -> None:
        # a second click while the first is answered
        if self._status.get(provider.name, {}).get("kind") == "busy":
            return
        address = login_fields.meant(said.get("address") or "")
        account = None
        # what is shown where the kernel is interrupted while it waits
        kind = "error"
        message = "interrupted"
        try:
            field_names = {field.name for field in provider.fields}
            known: dict[str, Any] = {key: given[key] for key in given if key in field_names}
            account = Account(provider.name, name=name or None, base_url=address or None, **known)
            reached = await self._try(account)
            kind = "ok"
            message = f"{account.name}: {reached}"
            if said.get("remember"):
                message += f"\n{await self._remembered(account)}"
        except Exception as error:  # noqa: BLE001 (else it vanishes with the task)
            # what was typed stays in the form, but for a key that is wrong
            kind = "error"
            if isinstance(error, AuthError):
                kind = "refused"
            message = _in_words(error)
            if account:
                message = account.redact(message)
        finally:
            self._say(provider, kind, message, str(said.get("attempt") or ""))

    async def _try(self, account: Account) -> str:
        """Connect the account if its service answers; return what was reached."""
        provider = account.provider
        key = (provider.name, account.name)
        if key in self._accounts:
            raise CredentialError(
                f"{provider.title} account {account.name!r} is connected already: "
                "give this one another name, or remove that one first"
            )
        self._say(provider, "busy", "trying the key…")
        self.send(self.shown())
        async with asyncio.timeout(PATIENCE_SECONDS):
            reached = account.redact(await self._check_account(account)) or "connected"
        self._accounts[key] = account
        self._reached[key] = reached
        return reached

    async def _remembered(self, account: Account) -> str:
        try:
            keyring_name = await asyncio.to_thread(account.remember)
        except CredentialError as error:
            return f"Not remembered: {error}"
        finally:
            # what is found without asking is something else now
            self._found.pop(account.provider.name, None)
        return f"Remembered in {keyring_name}"

    async def _forget(self, provider: Provider, name: str) -> None:
        try:
            await asyncio.to_thread(credentials.forget, provider, account=name)
        except CredentialError as error:
            self._say(provider, "error", str(error))
        else:
            self._say(
                provider, "idle", f"{name} forgotten: the keyring keeps nothing of it any more"
            )
        finally:
            self._found.pop(provider.name, None)

    def _say(
        self,
        provider: Provider,
        kind: str,
        text: str,
        attempt: str = "",
    ) -> None:
        """Show a message; with the attempt to connect that it answers, so that the form knows what may be forgotten."""
        self._status[provider.name] = {"kind": kind, "text": text}
        if attempt:
            self._status[provider.name]["attempt"] = attempt

    def shown(self) -> dict[str, Any]:
        """Return what the form shows beside its fields: accounts, messages, what was found."""
        self._look()
        connected = []
        for key, account in self._accounts.items():
            connected.append(
                {
                    "provider": account.provider.name,
                    "title": account.provider.title,
                    "name": account.name,
                    "reached": self._reached.get(key, "found in the environment"),
                }
            )
        return {
            "kind": "show",
            "found": dict(self._found),
            "status": dict(self._status),
            "accounts": connected,
        }

    def _look(self) -> None:
        for provider_name, provider in self._sources.items():
            if provider_name not in self._found:
                self._found[provider_name] = login_fields.found(provider)

    def _use_environment_if_unattended(self) -> None:
        if self._attended or self._accounts:
            return
        provider_names = []
        for provider_name, provider in self._sources.items():
            found = login_fields.found(provider)
            if found["fields"] or found["problem"]:
                provider_names.append(provider_name)
        # for what is set by half, and for the first if nothing is set, this raises and says what is missing
        accounts = [Account(name) for name in provider_names or list(self._sources)[:1]]
        self._accounts = {(account.provider.name, account.name): account for account in accounts}


def _in_words(error: Exception) -> str:
    match error:
        case AuthError(status=401):
            return f"the key was refused: {error}"
        case AuthError():
            return f"the key is not allowed to do this: {error}"
        case CrmlabError():
            # as the form calls it
            return str(error).replace("base_url", "Own address")
        case TimeoutError():
            return f"no answer within {PATIENCE_SECONDS} seconds"
        case _:  # its message may hold what was sent
            return f"unexpected error: {type(error).__name__}"
