r"""Text that no spreadsheet runs as a formula, and back.

A spreadsheet takes a cell for a formula that begins with ``=``, ``+``, ``-`` or ``@``, their full-width forms included,
also after blanks and characters that nobody sees (https://owasp.org/www-community/attacks/CSV_Injection). Where it
separates cells by ``;`` or tab, or reads quotes otherwise, each of these and each line of a text begins a cell of its
own. So every piece of a text that begins like that gets a ``'`` before it:

    =1+1             '=1+1
    Ann;=1+1         Ann;'=1+1
    'quoted          ''quoted

A piece that begins with ``'`` gets another one, so that one can be taken off each piece without a question.
"""

from __future__ import annotations

import polars as pl

_SHIELD = "'"
#: after these a cell may begin: list separators and whatever ends a line
_SEPARATORS = r";\t\n\r\x0b\x0c\x1c-\x1e\u{85}\u{2028}\u{2029}"
#: the signs; the full-width and small forms are the same to a spreadsheet
_SIGNS = r"=+\-@\u{2212}\u{FF1D}\u{FF0B}\u{FF0D}\u{FF20}\u{FE66}\u{FE62}\u{FE63}\u{FE6B}"
#: what may stand before a sign and does not count: blanks, quotes, control and invisible characters
_IGNORED = rf'[\s\p{{Cc}}\p{{Cf}}"&&[^{_SEPARATORS}]]'
_RISKY = rf"(^|[{_SEPARATORS}])({_SHIELD}|{_IGNORED}*[{_SIGNS}])"
_SHIELDED = rf"(^|[{_SEPARATORS}]){_SHIELD}"


def shielded(text: pl.Expr) -> pl.Expr:
    """Return the text with a ``'`` before each piece that a spreadsheet could run."""
    return text.str.replace_all(_RISKY, f"${{1}}{_SHIELD}${{2}}")


def unshielded(text: pl.Expr) -> pl.Expr:
    """Return the text that `shielded` was given."""
    return text.str.replace_all(_SHIELDED, "${1}")
