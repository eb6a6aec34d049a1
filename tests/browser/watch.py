"""What a page may not do: ask anybody but this computer, complain, or crash."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, WebError, WebSocket

#: complaints of the front ends about themselves
_EXCUSED = re.compile(
    # Notebook 7.6: settings of another plugin that come before those of the shortcuts
    r"reading 'schema'.*/static/notebook/notebook_core"
    # Notebook 7.6: restores a file browser, which it shows on another page
    r"|'filebrowser:open-path' not registered.*/static/notebook/notebook_core"
    # Notebook 7.6: is refused a font of its own
    r"|status of 403.*/static/notebook/\w+\.woff2",
    re.DOTALL,
)


class Watch:
    """Collects, from every page of a browser context, whatever should not be."""

    def __init__(self, context: BrowserContext) -> None:
        self.problems: list[str] = []
        context.on("request", lambda request: self._asked(request.url))
        context.on("console", self._said)
        context.on("weberror", self._crashed)
        context.on("page", self._opened)

    def _opened(self, page: Page) -> None:
        page.on("websocket", self._connected)

    def _connected(self, socket: WebSocket) -> None:
        self._asked(socket.url)

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
            self.problems.append(f"asked {parts.hostname}: {url}")

    def _said(self, line: ConsoleMessage) -> None:
        where = line.location["url"]
        ours = "crmlab" in line.text or where.startswith("blob:")  # as anywidget loads its widgets
        if line.type == "error" or (line.type == "warning" and ours):
            self._note(f"console {line.type}: {line.text} ({where})")

    def _crashed(self, crash: WebError) -> None:
        self._note(f"crash: {crash.error.stack or crash.error}")

    def _note(self, problem: str) -> None:
        if not _EXCUSED.search(problem):
            self.problems.append(problem)
