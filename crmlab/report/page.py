"""The page that `crmlab.report` fills: style, frame, tables. Knows HTML, and nothing of the data."""

from __future__ import annotations

import html

import polars as pl

from crmlab.display import cell

STYLE = """
:root { color-scheme: light dark; --fg: #1c1e21; --soft: #5c6168; --line: #d9dce0; --bg: #ffffff;
  --card: #f6f7f9; --warn: #9a3c00; }
@media (prefers-color-scheme: dark) { :root { --fg: #e8eaed; --soft: #a3a9b1; --line: #3a3f46;
  --bg: #15171a; --card: #1e2125; --warn: #ffb38a; } }
@media print { :root { color-scheme: light; --fg: #000; --soft: #444; --line: #bbb; --bg: #fff; --card: #fff;
  --warn: #9a3c00; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 64rem; background: var(--bg); color: var(--fg);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: .5rem 0; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .5rem; padding-bottom: .25rem;
  border-bottom: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .25rem; }
.soft { color: var(--soft); margin: .25rem 0; font-size: .9rem; }
.warn { color: var(--warn); font-weight: 600; }
.words { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; }
.words ul { margin: 0; padding-left: 1.2rem; }
.words li { margin: .35rem 0; }
figure { margin: 1.5rem 0; }
figcaption h3 { margin-top: 0; }
.plot { overflow: hidden; }
.scroll { overflow-x: auto; max-width: 100%; }
.scroll:focus-visible { outline: 2px solid #0072B2; }
table { border-collapse: collapse; font-size: .82rem; margin: .5rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .5rem; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: normal; white-space: nowrap; }
td.long { white-space: normal; min-width: 14rem; max-width: 30rem; overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 600; }
td.number, th.number { text-align: right; }
summary { cursor: pointer; color: var(--soft); font-size: .9rem; }
.infolayer text, .xtick text, .ytick text, .cbaxis text, .annotation text { fill: var(--fg) !important; }
@media print { figure, tr { break-inside: avoid; } h2, h3 { break-after: avoid; }
  details:not(.printed) { display: none; } .scroll { overflow: visible; } td, th { white-space: normal; }
  table { font-size: .7rem; } body { padding: 0; } }
"""

# nothing may be loaded from anywhere: the browser enforces what the report promises
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; \
style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p class="soft">As of <time>{as_of}</time>. {sources}</p>
</header>
<main>
{body}
</main>
<script>
const set = (width, open) => {{
  document.querySelectorAll(".js-plotly-plot").forEach(plot => Plotly.relayout(plot, {{width, autosize: !width}}));
  document.querySelectorAll("details.printed").forEach(details => details.open = open);
}};
addEventListener("beforeprint", () => set(660, true));
addEventListener("afterprint", () => set(null, false));
</script>
</body>
</html>
"""

_LONG = 40


def text(value: object) -> str:
    """Return text from the data, made harmless."""
    return html.escape(str(value))


def section(heading: str, *parts: str) -> str:
    """Return a section under its heading."""
    name = heading.lower().replace(" ", "-")
    return (
        f'<section aria-labelledby="{name}">\n<h2 id="{name}">{text(heading)}</h2>\n'
        + "\n".join(parts)
        + "\n</section>"
    )


def bullets(lines: list[str]) -> str:
    """Return a list of lines that are HTML already."""
    if not lines:
        return ""
    return "<ul>" + "".join(f"<li>{line}</li>" for line in lines) + "</ul>"


def table(frame: pl.DataFrame, name: str, *, most: int = 200) -> str:
    """Return a frame as a table that scrolls by itself; `name` says what it is to who cannot see it."""
    numeric = {column for column, dtype in frame.schema.items() if dtype.is_numeric()}
    kinds = ((column, "number" if column in numeric else "") for column in frame.columns)
    heads = (f'<th scope="col"{_class(kind)}>{text(column.replace("_", " "))}</th>' for column, kind in kinds)
    rows = (
        "".join(_cell(value, column in numeric) for column, value in row.items())
        for row in frame.head(most).iter_rows(named=True)
    )
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    more = f'<p class="soft">{frame.height - most:,} more rows not shown.</p>' if frame.height > most else ""
    return (
        f'<div class="scroll" role="region" aria-label="{text(name)}" tabindex="0">'
        f"<table><thead><tr>{''.join(heads)}</tr></thead><tbody>{body}</tbody></table></div>{more}"
    )


def _cell(value: object, is_number: bool) -> str:
    words = cell(value, absent="-")
    kind = "number" if is_number else "long" if len(words) > _LONG else ""
    return f"<td{_class(kind)}>{text(words)}</td>"


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""
