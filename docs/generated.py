"""Write the parts of pages that tell what the code says already, of services and rooms: ``make names``."""

from __future__ import annotations

from pathlib import Path

from crmlab.accounts import credentials
from crmlab.connector import Limits, Provider
from crmlab.providers import registry
from docs import rooms
from docs.names import services
from docs.pages.markdown import code, table

ROOT = Path(__file__).parent.parent
FILES = (ROOT / "README.md", ROOT / "docs" / "index.md", ROOT / "docs" / "contributing.md")


def written(file: Path) -> str:
    """Return the page with each part that is marked as generated written anew.

    A part stands between ``<!-- titles -->`` and ``<!-- /titles -->``, and so for the others.
    """
    page = file.read_text(encoding="utf-8")
    for name, text in _parts().items():
        begin = f"<!-- {name} -->"
        end = f"<!-- /{name} -->"
        if begin in page:
            before, _, rest = page.partition(begin)
            after = rest.partition(end)[2]
            page = f"{before}{begin}{text}{end}{after}"
    return page


def _parts() -> dict[str, str]:
    providers = [registry()[name] for name in services()]
    return {
        "titles": _titles(providers),
        "services": f"\n\n{_services(providers)}\n\n",
        "rooms": f"\n\n{_rooms()}\n\n",
        "variables": f"\n\n```sh\n{_variables(providers)}\n```\n\n",
    }


def _titles(providers: list[Provider]) -> str:
    titles = [provider.title for provider in providers]
    return f"**{', '.join(titles[:-1])} and {titles[-1]}**"


def _services(providers: list[Provider]) -> str:
    rows = [
        [
            each.title,
            code(each.name),
            ", ".join(each.tables),
            limit(each.limits),
            where_the_key_is(each),
        ]
        for each in providers
    ]
    return table(
        ["service", "name", "tables it fills", "limit kept to", "where its key is"], rows
    ).strip()


def limit(limits: Limits) -> str:
    """Return the rate that a service is asked at, in a few words."""
    if limits.rate is None:
        return "none"
    rate = f"{limits.rate:g}/s"
    if limits.ceiling is not None:
        return f"{rate} (assumed), growing to {limits.ceiling:g}/s while nothing is refused"
    return f"{rate}, bursts of {limits.burst}" if limits.burst > limits.rate else rate


def where_the_key_is(provider: Provider) -> str:
    """Return what the form says of the first secret; blank where there is none."""
    return next((field.help for field in provider.fields if field.secret), "")


def _variables(providers: list[Provider]) -> str:
    lines = []
    for provider in providers:
        needed = provider.needed()
        asked = [field for field in provider.fields if field.name in needed and not field.default]
        lines.append(" ".join(f"{credentials.variable(provider, field)}=..." for field in asked))
    return "\n".join(lines)


def _rooms() -> str:
    imports = rooms.imports()
    rows = []
    for layer in rooms.layers():
        for room in layer:
            others = sorted({each.other for each in imports if each.room == room})
            rows.append([code(room), rooms.purpose(room), ", ".join(others)])
    return table(["room", "what it is for", "imports from"], rows)


if __name__ == "__main__":
    for file in FILES:
        file.write_text(written(file), encoding="utf-8")
