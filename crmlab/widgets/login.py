"""The form that asks for keys in a notebook.

A key travels from the browser as a custom message, never as widget state, which a notebook can
save; it becomes a `SecretStr` on arrival and then lives only in its `Account`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from pydantic import SecretStr

from crmlab import credentials, providers
from crmlab.account import Account
from crmlab.call import check
from crmlab.errors import AuthError, CredentialError, CrmlabError
from crmlab.provider import Provider

try:
    import anywidget
    import traitlets
except ImportError:
    raise ImportError('crmlab.login() needs anywidget: pip install "crmlab[notebook]"') from None

Check = Callable[[Account], Awaitable[str]]

#: after so many seconds a check counts as failed: it may not lock its section for ever
PATIENCE_SECONDS = 60


def login(*names: str) -> LoginForm:
    """Return a form that asks for the keys of the providers named, of all if none is.

    End the cell with it, press Connect, and give it to `crmlab.fetch` in the next cell. Where
    nobody can fill it in (a script, a notebook run by nbclient, nbconvert or papermill), its
    accounts are those that the environment holds, see `crmlab.credentials`.

    Raises
    ------
    PlanError
        unknown provider

    Examples
    --------
    >>> form = login()
    >>> form  # doctest: +SKIP
    """
    chosen = dict.fromkeys(names) if names else providers.registry()
    return LoginForm([providers.provider(name) for name in chosen])


class LoginForm(anywidget.AnyWidget):
    """A form with one section for each provider, and the accounts connected in it.

    Parameters
    ----------
    sources
        The providers to ask for.
    check
        Tries an account; returns what it reached in a few words, or raises a `CrmlabError`.
    """

    _esm = Path(__file__).with_suffix(".js")
    _css = Path(__file__).with_suffix(".css")

    #: what the form asks for; the only own widget state, and the same for everybody
    sections: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)

    def __init__(self, sources: Sequence[Provider], *, check: Check = check) -> None:
        super().__init__(sections=[_section(provider) for provider in sources])
        self._sources = {provider.name: provider for provider in sources}
        self._check_account = check
        self._accounts: dict[tuple[str, str], Account] = {}
        self._reached: dict[tuple[str, str], str] = {}
        self._status: dict[str, dict[str, str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._attended = _somebody_can_answer()
        # ipykernel 7.3 calls back in another thread with another loop, in which the sessions of
        # the notebook's own loop cannot be used
        self._loop = _running_loop()
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
        if (shown := super()._repr_mimebundle_(**kwargs)) is None:
            return None
        fields = [(provider, field) for provider in self._sources.values() for field in provider.fields]
        variables = [credentials.variable(*pair) for pair in fields if pair[1].name in pair[0].needed()]
        shown[0]["text/plain"] = (
            f"{self!r}\nThe form is not shown here: run the cell in a notebook that shows widgets,\n"
            f"or pass crmlab.Account(...) with the keys in the environment: {', '.join(variables)}"
        )
        return shown

    def __reduce__(self) -> NoReturn:
        raise TypeError("a LoginForm holds secrets and cannot be pickled or copied to another process")

    def _on_message(self, _: object, content: dict[str, Any], buffers: object) -> None:
        # popped: the kernel keeps the message as the parent of what follows
        typed = content.pop("fields", None) or {}
        given = {name: SecretStr(str(value)) for name, value in typed.items() if str(value).strip()}
        said = dict(content)
        loop = self._loop or _running_loop()
        if loop is None:  # no kernel: whoever calls may wait
            asyncio.run(self._answer(said, given))
        else:
            loop.call_soon_threadsafe(self._start, said, given)

    def _start(self, said: Mapping[str, Any], given: Mapping[str, SecretStr]) -> None:
        task = asyncio.get_running_loop().create_task(self._answer(said, given))
        self._tasks.add(task)  # a loop keeps only weak references
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, said: Mapping[str, Any], given: Mapping[str, SecretStr]) -> None:
        self._attended = True
        provider = self._sources.get(said.get("provider", ""))
        name = str(said.get("name") or "").strip()
        try:
            if provider and said.get("kind") == "connect":
                await self._connect(provider, name, given)
            elif provider and said.get("kind") == "remove":
                self._accounts.pop((provider.name, name), None)
                self._status[provider.name] = {"kind": "idle", "text": f"{name} removed"}
        finally:
            self.send(self.shown())

    async def _connect(self, provider: Provider, name: str, given: Mapping[str, SecretStr]) -> None:
        if self._status.get(provider.name, {}).get("kind") == "busy":
            return
        account = None
        kind, text = "error", "interrupted"
        try:
            known: dict[str, Any] = {f.name: given[f.name] for f in provider.fields if f.name in given}
            account = Account(provider.name, name=name or None, **known)
            key = (provider.name, account.name)
            if key in self._accounts:
                raise CredentialError(
                    f"{provider.title} account {account.name!r} is connected already: "
                    "give this one another name, or remove that one first"
                )
            self._status[provider.name] = {"kind": "busy", "text": "trying the key…"}
            self.send(self.shown())
            async with asyncio.timeout(PATIENCE_SECONDS):
                reached = account.redact(await self._check_account(account))
            self._accounts[key], self._reached[key] = account, reached or "connected"
            kind, text = "ok", f"{account.name}: {reached or 'connected'}"
        except Exception as error:  # noqa: BLE001 (else it vanishes with the task)
            text = account.redact(_in_words(error)) if account else _in_words(error)
        finally:
            self._status[provider.name] = {"kind": kind, "text": text}

    def shown(self) -> dict[str, Any]:
        """Return what the form shows beside its fields: accounts, messages, what was found."""
        return {
            "kind": "show",
            "found": self._found,
            "status": dict(self._status),
            "accounts": [
                {
                    "provider": provider,
                    "title": account.provider.title,
                    "name": name,
                    "reached": self._reached.get((provider, name), "found in the environment"),
                }
                for (provider, name), account in self._accounts.items()
            ],
        }

    @cached_property
    def _found(self) -> dict[str, dict[str, Any]]:
        return {name: _in_environment(provider) for name, provider in self._sources.items()}

    def _use_environment_if_unattended(self) -> None:
        if self._attended or self._accounts:
            return
        names = [name for name, source in self._sources.items() if _is_set(_in_environment(source))]
        # for what is set by half, and for the first if nothing is set, this raises and says what is missing
        accounts = [Account(name) for name in names or list(self._sources)[:1]]
        self._accounts = {(account.provider.name, account.name): account for account in accounts}


def _section(provider: Provider) -> dict[str, Any]:
    needed = provider.needed()
    return {
        "name": provider.name,
        "title": provider.title,
        "fields": [{**asdict(field), "required": field.name in needed} for field in provider.fields],
    }


def _in_environment(provider: Provider) -> dict[str, Any]:
    """Return which fields are found without asking; of the values only those of settings."""
    try:
        found = credentials.find(provider, {}, needed=set())
    except CredentialError as error:
        return {"fields": [], "settings": {}, "complete": False, "problem": _in_words(error)}
    there = [f for f in provider.fields if f.name in found and found[f.name].get_secret_value() != f.default]
    return {
        "fields": [field.name for field in there],
        "settings": {f.name: found[f.name].get_secret_value() for f in there if not f.secret},
        "complete": bool(there) and provider.needed() <= found.keys(),
        "problem": "",
    }


def _is_set(found: Mapping[str, Any]) -> bool:
    return bool(found["fields"] or found["problem"])


def _in_words(error: Exception) -> str:
    match error:
        case AuthError(status=401):
            return f"the key was refused: {error}"
        case AuthError():
            return f"the key is not allowed to do this: {error}"
        case CrmlabError():
            return str(error)
        case TimeoutError():
            return f"no answer within {PATIENCE_SECONDS} seconds"
        case _:  # its message may hold what was sent
            return f"unexpected error: {type(error).__name__}"


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _somebody_can_answer() -> bool:
    """Whether the running cell was sent by a front end with a person in front of it.

    The protocol's ``allow_stdin`` says so: nbclient, and with it nbconvert, papermill and
    nbmake, sends false. No kernel, nobody.
    """
    ipython = sys.modules.get("IPython")
    kernel = getattr(ipython.get_ipython(), "kernel", None) if ipython else None
    return bool(kernel and kernel.get_parent().get("content", {}).get("allow_stdin"))
