"""The tag manager of a world's website: containers with a tag for each destination, and what tags fire by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crmlab.sandbox.services.commanders_act.collection import Collection, Object, link, links
from crmlab.sandbox.services.commanders_act.records import SECRET
from crmlab.sandbox.world.model import Integration, World


def tag_manager(world: World) -> dict[str, Collection]:
    """Return two containers, a tag for each destination, and what tags fire by."""
    destinations = []
    for integration in world.integrations:
        if integration.direction == "destination":
            destinations.append(integration)
    return {
        "/tms/web-containers": _containers(len(destinations)),
        "/tms/serverside-containers": _server_containers(),
        "/tms/web-tags": _tags(destinations),
        "/tms/serverside-tags": _server_tags(destinations),
        **_conditions(),
        **_server_conditions(),
        **_variables(),
    }


def _containers(tags: int) -> Collection:
    """Return the container of the shop, with all tags, and one without any."""
    containers = Collection(type="tms/web-containers", unique="name", shows_related=False)
    tags_of_containers: dict[str, Iterable[int]] = {"Shop": range(1, tags + 1), "Blog": ()}
    for number, (name, tag_ids) in enumerate(tags_of_containers.items(), 1):
        attributes = {
            "name": name,
            "deployment_methods": ["ftp_or_cdn", "manual"],
            "noscript": name == "Shop",
            "default_tags_lifetime": 12,
            "force_cookie_samesite_setting": "lax",
            "force_cookie_secure_setting": "enabled",
        }
        containers.add(
            attributes,
            container=link("tms/web-containers", number),
            tags=links("tms/web-tags", tag_ids),
        )
    return containers


def _server_containers() -> Collection:
    containers = Collection(type="tms/serverside-containers", unique="name")
    containers.add({"name": "Server"})
    return containers


def _tags(destinations: Iterable[Integration]) -> Collection:
    tags = Collection(type="tms/web-tags")
    for number, destination in enumerate(destinations, 1):
        attributes = {
            "name": destination.label,
            "template_id": number,
            "tag_code": f'<script>send("{destination.connector_template}");</script>',
            "disabled": destination.status != "active",
            "timeout": 0,
            "order": number,
            "variables_mappings": [{"code": "#ORDER#", "variable": "tc_vars['order_id']"}],
        }
        tags.add(attributes, container=link("tms/web-containers", 1))
    return tags


def _server_tags(destinations: Iterable[Integration]) -> Collection:
    tags = Collection(type="tms/serverside-tags")
    for number, destination in enumerate(destinations, 1):
        partner = f"https://partner.example.com/{destination.connector_template}"
        # the key of a partner may stand in the address, the body or a header of what a tag sends
        attributes = {
            "name": destination.label,
            "template_id": number,
            "destination_url": f"{partner}?key={SECRET}",
            "disabled": destination.status != "active",
            "post_parameters": f"key={SECRET}",
            "headers": {"Authorization": SECRET},
        }
        tags.add(attributes, container=link("tms/serverside-containers", 1))
    return tags


def _conditions() -> dict[str, Collection]:
    """Return what decides in the browser whether a tag fires."""
    related: Object = {
        "container": link("tms/web-containers", 1),
        "tags": links("tms/web-tags", (1, 2)),
    }
    triggers = Collection(type="tms/web-triggers", includes=frozenset({"container", "tags"}))
    triggers.add({"name": "Page is ready", "type": "dom_ready", "is_default": True}, **related)
    triggers.add({"name": "Order", "type": "click", "css_selector": "#order"}, **related)
    constraints = Collection(type="tms/web-constraints", shows_related=False)
    constraints.add(
        {"label": "In a browser", "type": "browser_is", "browser_list": ["firefox"]}, **related
    )
    perimeters = Collection(type="tms/web-perimeters")
    perimeters.add({"label": "Basket", "type": "url_contain", "pattern": "/basket"}, **related)
    return {
        "/tms/web-triggers": triggers,
        "/tms/web-constraints": constraints,
        "/tms/web-perimeters": perimeters,
    }


def _server_conditions() -> dict[str, Collection]:
    constraints = Collection(type="tms/serverside-constraints", shows_related=False)
    constraints.add(
        {"label": "Purchases", "type": "variable_equal", "pattern": "purchase"},
        container=link("tms/serverside-containers", 1),
        tags=links("tms/serverside-tags", (1,)),
    )
    return {"/tms/serverside-constraints": constraints}


def _variables() -> dict[str, Collection]:
    """Return the variables of the data layer, in the browser and on the server."""
    variables: dict[str, Collection] = {}
    for side in ("web", "serverside"):
        categories = Collection(type=f"tms/{side}-datalayer-variable-categories", unique="name")
        categories.add({"name": "Order"})
        variables[f"/tms/{side}-datalayer-variable-categories"] = categories
        for kind in (f"tms/{side}-datalayer-variables", f"tms/{side}-internal-variables"):
            variables[f"/{kind}"] = Collection(type=kind)
    _add_datalayer_variables(variables)
    _add_internal_variables(variables)
    return variables


def _add_datalayer_variables(variables: Mapping[str, Collection]) -> None:
    for name, kind in (
        ("order_id", "Order ID / Basket ID"),
        ("order_amount", "Order amount"),
        ("user_id", "User ID"),
    ):
        described = _described(name, kind)
        variables["/tms/web-datalayer-variables"].add(
            {**described, "type": kind, "use_in_noscript": False},
            category=link("tms/web-datalayer-variable-categories", 1),
        )
        on_server = {
            **described,
            "data_saver": True,
            "reconciliation_key": name == "user_id",
            "variable_parameter": name,
        }
        variables["/tms/serverside-datalayer-variables"].add(
            on_server, category=link("tms/serverside-datalayer-variable-categories", 1)
        )


def _add_internal_variables(variables: Mapping[str, Collection]) -> None:
    described = _described("has_basket", None)
    variables["/tms/web-internal-variables"].add(
        {**described, "value": "document.cookie.includes('basket')", "type": "Boolean"},
        containers=links("tms/containers", (1, 2)),
    )
    # the last output has no input: it stands for all other values
    mapping = [{"input": "0", "output": "no"}, {"output": "yes"}]
    variables["/tms/serverside-internal-variables"].add(
        {**described, "value": {"variable_to_map": "basket_size", "mapping": mapping}}
    )


def _described(name: str, description: str | None) -> Object:
    return {"name": name, "description": description, "detailed_description": None}
