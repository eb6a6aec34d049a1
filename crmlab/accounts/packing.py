"""An account on its way to another process that asks in its place.

No pickle holds an account by accident, since its keys would be in it. This is the one way to do it on purpose.
"""

from __future__ import annotations

import pickle

from crmlab.accounts.account import Account


def packed(account: Account) -> bytes:
    """Return an account with its keys as bytes: a secret, which is neither shown nor kept.

    Whoever unpacks it has an account that asks as this one does. Where this one takes the proxy of the environment, the
    other takes that of its own.
    """
    content = {
        "provider": account.provider.name,
        "name": account.name,
        "base_url": account.base_url,
        "options": dict(account.options),
        "facts": dict(account.facts),
        "adopted": dict(account.adopted),
        "limits": account.limits,
        "elsewhere": account._elsewhere,
        "secrets": account._secrets,
        "proxy": account._proxy,
    }
    return pickle.dumps(content)


def unpacked(content: bytes) -> Account:
    """Return the account that was packed.

    The bytes are a pickle, which can do anything: they must come from whoever started the work.
    """
    given = pickle.loads(content)  # noqa: S301  # of our own making
    account = Account.without_credentials(
        given["provider"],
        name=given["name"],
        base_url=given["base_url"],
        options=given["options"],
        facts=given["facts"],
    )
    account.limits = given["limits"]
    account._elsewhere = given["elsewhere"]
    account._secrets = given["secrets"]
    account._proxy = given["proxy"]
    account.adopt(given["adopted"])
    return account
