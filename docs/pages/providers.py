"""A page for each service: everything that its declaration says."""

from __future__ import annotations

import datetime as dt
import importlib
import inspect

from crmlab.accounts import credentials
from crmlab.connector.limits import Limits
from crmlab.connector.operation import Operation
from crmlab.connector.provider import Provider
from crmlab.connector.resource import Resource
from crmlab.providers import registry
from crmlab.schema.tables import TABLES
from docs.pages import declared
from docs.pages.markdown import bullets, code, table


def pages() -> dict[str, str]:
    """Return each page by its path."""
    return {"providers/index.md": _index()} | {
        f"providers/{name}.md": _page(provider) for name, provider in registry().items()
    }


def _index() -> str:
    rows = [
        [
            f"[{each.title}]({name}.md)",
            code(name),
            ", ".join(_table(filled) for filled in each.tables),
        ]
        for name, each in registry().items()
    ]
    toctree = "\n".join([*registry(), "coverage"])
    return f"""# Services

These pages say what crmlab reads from each service and how, and what it assumes because the vendor does not document
it. They are generated from the declarations that the code itself uses. `crmlab doctor` prints the assumptions, too.

{table(["service", "name", "tables it fills"], rows)}

## What a refresh asks

If a service can filter a list by change, a refresh asks only for records that changed since the list was last read.
It asks for a slightly longer period, because clocks differ and some records arrive late. All other lists cost the
same number of requests each time.

{_refreshes()}

[Coverage](coverage.md) says for every documented operation what you can do with it.

To add another service, write [one file](../contributing.md#add-a-further-api-in-one-file).

```{{toctree}}
:hidden:

{toctree}
```
"""


def _refreshes() -> str:
    """Return how the lists that fill tables are asked by a refresh."""
    alike: dict[tuple[str, str], list[str]] = {}
    for provider in registry().values():
        for resource in provider.resources:
            if resource.tables and not resource.destructive:
                lists = alike.setdefault((provider.title, refresh(provider, resource)), [])
                lists.append(code(resource.name))
    rows = [[title, ", ".join(lists), words] for (title, words), lists in alike.items()]
    return table(["service", "lists", "a refresh asks for"], rows)


def refresh(provider: Provider, resource: Resource) -> str:
    """Return what a refresh asks of a list, in words."""
    changes = resource.change_filter
    if changes is None and provider.comes_whole(resource.name):
        return "all of it, each time"
    if changes is None:
        return f"what new records of {', '.join(resource.needs_before_request)} name"
    words = f"{'whole days' if changes.by_day else 'what changed'}, from {_long(changes.overlap)} before"
    return f"{words}; at first the last {_long(changes.kept)}" if changes.kept else words


def _long(time: dt.timedelta) -> str:
    if time < dt.timedelta(days=1):
        return f"{time // dt.timedelta(minutes=1)} minutes"
    return "a day" if time.days == 1 else f"{time.days} days"


def _page(provider: Provider) -> str:
    module = importlib.import_module(f"crmlab.providers.{provider.name}")
    said = (inspect.getdoc(module) or "").partition("\n")[2].strip()
    facts = (
        f"name: {code(provider.name)}",
        f"address: {code(provider.base_url)}",
        f"the vendor's documents: <{provider.home}>",
        f"limit kept to: {limit(provider.limits)}",
        f"`crmlab.check` and `crmlab doctor` ask {code(declared.shown(provider.ping))}",
    )
    parts = {
        "Keys and settings": _keys(provider),
        "What it brings": "\n\n".join(_resource(provider, each) for each in provider.resources),
        "What can be written back": _targets(provider),
        "Operations": _operations(provider),
        "Assumed": "The vendor does not document the following. If a line is wrong for your account, please report it "
        f"where you got crmlab from.\n\n{bullets(provider.assumptions)}",
        "Tested for an account": _probes(provider),
        "Not covered": bullets(provider.not_covered),
        "Fields": f"Where each documented field went: [fields of {provider.title}](../fields/{provider.name}.md).",
    }
    below = "\n\n".join(f"## {title}\n\n{text}" for title, text in parts.items())
    return f"# {provider.title}\n\n{said}\n\n{bullets(facts)}\n\n{below}\n"


def _probes(provider: Provider) -> str:
    """Return what a probe can tell of an account, and what an account may be told of its service."""
    if not provider.probes():
        return "Nothing."
    tested = [[each.assumption, each.source, each.if_wrong] for each in provider.probes()]
    reads = sum(each.max_requests for each in provider.probes())
    parts = [
        f"`crmlab doctor {provider.name} --probe` and `crmlab.probe(account)` test these with at most {reads} reads. "
        "[Is the document true for my account?](../probe.md) explains how.",
        table(["assumption", "source", "what it means if it is wrong"], tested),
    ]
    if provider.facts:
        facts = [
            [code(each.name), each.doc, "yes" if each.only_adds else "no"]
            for each in provider.facts
        ]
        parts += [
            f'You can give an account these facts: `Account("{provider.name}", facts={{...}})`.',
            table(["fact", "what it is", "adopted by itself"], facts),
        ]
    return "\n\n".join(parts)


def _keys(provider: Provider) -> str:
    rows = [
        [
            field.label
            + ("" if field.required and not field.default else f" ({_default(field.default)})"),
            code(field.name) + (" (secret)" if field.secret else ""),
            code(credentials.variable(provider, field)),
            field.help,
        ]
        for field in provider.fields
    ]
    return table(["what", "argument", "environment variable", "where it is"], rows)


def _default(default: str) -> str:
    return f"default {code(default)}" if default else "optional"


def limit(limits: Limits) -> str:
    """Return the limits in words."""
    shared = (
        "counted by the machine's address" if limits.scope == "ip" else "counted for each account"
    )
    if limits.rate is None:
        return f"none; {limits.concurrency} requests at once"
    grows = f", growing to {limits.ceiling:g} while nothing is refused" if limits.ceiling else ""
    return (
        f"{limits.rate:g} requests a second, bursts of {limits.burst}{grows}; "
        f"at most {limits.concurrency} at once; {shared}"
    )


def _resource(provider: Provider, resource: Resource) -> str:
    fills = ", ".join(_table(name) for name in resource.tables)
    lines = [f"fills {fills}" if fills and not resource.destructive else "fills no shared table"]
    lines.append(f'every documented field: `fetch(account, "{provider.name}.{resource.name}")`')
    if resource.destructive:
        lines[-1] = lines[-1].replace('")`', '", allow_destructive=True, spool="a folder")`')
    if (request := declared.asked(provider, resource)) is not None:
        each = f", one for each of {_each(resource)}" if resource.needs_before_request else ""
        lines.append(
            f"asked with {code(declared.shown(request))}{each}; {resource.follow.strategy}"
        )
        lines.append(_period(provider, resource))
        if resource.tables:
            lines.append(f"a refresh asks for {refresh(provider, resource)}")
    if resource.needs_before_decode:
        lines.append(
            f"read with the help of {', '.join(code(name) for name in resource.needs_before_decode)}"
        )
    if resource.embeds:
        held = ", ".join(
            code(name) for name in dict.fromkeys(each.resource for each in resource.embeds)
        )
        lines.append(
            f"its answers hold {held}"
            + (" where that saves requests" if resource.embedding else "")
        )
    return f"({provider.name}-{resource.name})=\n### {resource.name}\n\n{resource.doc}\n\n{bullets(lines)}"


def _each(resource: Resource) -> str:
    return " and ".join(code(name) for name in resource.needs_before_request)


def _period(provider: Provider, resource: Resource) -> str:
    if declared.asks_for_period(provider, resource):
        return "`since` and `until` are asked of the service"
    if any(TABLES[name].window for name in resource.tables):
        return "always read whole; `since` and `until` choose among what came"
    return "always whole"


def _targets(provider: Provider) -> str:
    """Return what a push takes."""
    if not provider.targets():
        return "There is no table to push to. Change single records with `crmlab.call`, by the operations below."
    parts = [
        "`crmlab.push(account, table, frame)` accepts these tables. [Writing back](../writing-back.md) explains how."
    ]
    for target in provider.targets():
        columns = ", ".join(map(code, target.columns))
        own = ", ".join(map(code, target.own_fields))
        needs = ", ".join(code(f"{name}=") for name, needed in target.options.items() if needed)
        lines = [
            f"columns of the shared table: {columns}",
            f"the vendor's own fields, as they are: {own}",
        ]
        lines += [f"must be told: {needs}"] if needs else []
        parts.append(f"### {target.table}: written\n\n{target.doc}\n\n{bullets(lines)}")
    return "\n\n".join(parts)


def _operations(provider: Provider) -> str:
    operations = provider.operations()
    if not operations:
        return "None."
    rows = [
        [_call(each), code(f"{each.method} {each.path}"), _remarks(each)] for each in operations
    ]
    return f"""The table lists every operation that the vendor documents. Call one with
`await crmlab.call(account, name, ...)`, which returns the decoded answer, or with `as_frame=True` its records as a
frame. An operation that changes something is called in the same way and [sent once](../writing-back.md), and
`dry_run=True` shows its request and sends nothing. `crmlab.operations("{provider.name}")` returns this list as a frame
that also says what each argument takes.

{table(["name and arguments (* must be given)", "asks", ""], rows)}"""


def _call(operation: Operation) -> str:
    arguments = [f"{each.name}{'*' if each.required else ''}" for each in operation.arguments()]
    return code(", ".join([operation.name, *arguments]))


def _remarks(operation: Operation) -> str:
    said = [operation.doc] if operation.doc else []
    marks = {
        "changes something": operation.writes,
        "may be applied twice": operation.repeatable,
        "what it reads or deletes is gone afterwards": operation.destructive,
        "about keys, users or accounts": operation.dangerous,
        "given up by the vendor": operation.deprecated,
        "its path is assumed": operation.assumed,
    }
    said += [mark for mark, holds in marks.items() if holds]
    said += [
        f"sends {code(f'{name}={value}')} unless told otherwise"
        for name, value in operation.defaults.items()
    ]
    return "; ".join(said)


def _table(name: str) -> str:
    return f"[{name}](../tables/{name}.md)"
