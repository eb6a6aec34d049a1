"""What an account is told of its service, checked: it is no secret, and changes how the answers are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from crmlab.connector import Fact, Provider
from crmlab.errors import UsageError
from crmlab.providers import unknown


def checked(provider: Provider, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts as they are used.

    Raises
    ------
    UsageError
        the provider knows no such fact, or it has another kind of value; names the nearest and the known ones
    """
    if not given:
        return {}
    if not isinstance(given, Mapping):
        raise UsageError(
            f'facts are a mapping such as {{"first_page": 0}}, not {type(given).__name__}'
        )
    known = {fact.name: fact for fact in provider.facts}
    for fact_name in given:
        if not known:
            raise UsageError(f"{provider.title} takes no facts")
        if fact_name not in known:
            raise UsageError(unknown(f"{provider.name} fact", str(fact_name), known))
    return {name: _checked(provider, known[name], value) for name, value in given.items()}


def found(provider: Provider) -> dict[str, Any]:
    """Return the facts of the provider's own account that the environment or ``.env`` holds, checked.

    They are a JSON object under a name such as ``CRMLAB_RELENTA_FACTS``.

    Raises
    ------
    UsageError
        it is no JSON object, or one of the facts is not known or has another kind of value
    """
    if not provider.facts:
        return {}
    from crmlab.accounts import settings  # noqa: PLC0415  # slow to import

    return checked(provider, settings.facts(f"CRMLAB_{provider.name}_".upper()))


def _checked(provider: Provider, fact: Fact, value: Any) -> Any:
    from pydantic import AfterValidator, TypeAdapter, ValidationError  # noqa: PLC0415  # slow to import

    annotation: Any = Annotated[fact.type_, AfterValidator(fact.check)]
    try:
        # or a text would do for a number, and true for 1
        return TypeAdapter(annotation).validate_python(value, strict=True)
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise UsageError(
            f"{provider.name} fact {fact.name}={value!r}: {reason}. It is {fact.doc}"
        ) from None
