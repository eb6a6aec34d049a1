"""A provider to log in to, registered the way another package does it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crmlab import providers
from crmlab.connector.provider import Provider

MODULE = """
from crmlab.connector.provider import Field, Limits, Provider
from crmlab.connector.request import Request

def provider(name):
    return Provider(
        name=name,
        title=name.title(),
        base_url="https://{region}.example.com",
        home="https://example.com",
        fields=(
            Field(name="api_key", label="API key", help="Settings > API", pattern="[ -~]{3,}"),
            Field(name="region", label="Region", help="in your address", secret=False, default="eu"),
        ),
        sign=lambda request, secrets: request,
        check=lambda page: None,
        limits=Limits(),
        ping=Request(path="/me"),
        resources=(),
    )

DEMO, OTHER = provider("demo"), provider("other")
"""


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    (tmp_path / "crmlab_demo.py").write_text(MODULE)
    metadata = tmp_path / "crmlab_demo-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: crmlab-demo\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(
        "[crmlab.providers]\ndemo = crmlab_demo:DEMO\nother = crmlab_demo:OTHER\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)  # no .env of the developer
    monkeypatch.setitem(sys.modules, "keyring", None)  # nor a keyring
    providers.registry.cache_clear()
    yield providers.provider("demo")
    providers.registry.cache_clear()
    del sys.modules["crmlab_demo"]
