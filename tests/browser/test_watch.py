"""The watch itself: a page that does what it may not is noticed."""

from __future__ import annotations

from playwright.sync_api import Browser

from tests.browser.watch import Watch


def test_whoever_asks_elsewhere_complains_or_crashes_is_noticed(browser: Browser) -> None:
    context = browser.new_context()
    watch = Watch(context)
    page = context.new_page()

    with page.expect_event("requestfailed"):
        page.evaluate("fetch('https://example.com/a').catch(() => 0)")
    with page.expect_websocket():
        page.evaluate("new WebSocket('wss://example.com/b') && 0")
    with page.expect_console_message(lambda line: "unhappy" in line.text):
        page.evaluate("console.error('unhappy')")
    with page.expect_event("pageerror"):
        page.evaluate("setTimeout(() => { throw new Error('broken'); }) && 0")
    context.close()

    noticed = "\n".join(watch.problems)
    assert "asked example.com: https://example.com/a" in noticed
    assert "asked example.com: wss://example.com/b" in noticed
    assert "console error: unhappy" in noticed
    assert "crash: Error: broken" in noticed
