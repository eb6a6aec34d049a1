"""The sandbox serves every service of the project."""

from __future__ import annotations

import pytest

from crmlab.errors import UsageError
from crmlab.providers import registry
from crmlab.sandbox import services
from crmlab.sandbox.world.model import World
from docs import names


def test_every_service_of_the_project_is_served() -> None:
    absent = set(names.services()) - set(services.names())

    assert not absent, f"give crmlab/sandbox/services a folder for each of {absent}, with a `service(world)`"


@pytest.mark.parametrize("name", services.names())
def test_each_is_called_like_its_provider_and_has_what_an_account_of_it_needs(name: str) -> None:
    made = services.service(name, World())

    assert made.name == name
    assert {field.name for field in registry()[name].fields if field.secret} <= made.credentials.keys()


def test_a_name_that_is_not_known_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown service 'relentra'; did you mean 'relenta'"):
        services.service("relentra", World())
