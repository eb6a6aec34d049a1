"""The tag manager of a world's website: containers with a tag for each destination, and what tags fire by."""

from __future__ import annotations

from crmlab.sandbox.services.commanders_act.collection import Collection, Object, link, links
from crmlab.sandbox.services.commanders_act.records import SECRET
from crmlab.sandbox.world.model import World


def tag_manager(world: World) -> dict[str, Collection]:
    """Return two containers, a tag for each destination, and what tags fire by."""
    destinations = [one for one in world.integrations if one.direction == "destination"]
    containers = Collection(type="tms/web-containers", unique="name", shows_related=False)
    for name in ("Shop", "Blog"):
        containers.add(
            {
                "name": name,
                "deployment_methods": ["ftp_or_cdn", "manual"],
                "noscript": name == "Shop",
                "default_tags_lifetime": 12,
                "force_cookie_samesite_setting": "lax",
                "force_cookie_secure_setting": "enabled",
            },
            container=link("tms/web-containers", len(containers.objects) + 1),
            tags=links("tms/web-tags", range(1, len(destinations) + 1) if name == "Shop" else ()),
        )
    tags = Collection(type="tms/web-tags")
    server_tags = Collection(type="tms/serverside-tags")
    for number, one in enumerate(destinations, 1):
        tags.add(
            {
                "name": one.label,
                "template_id": number,
                "tag_code": f'<script>send("{one.connector_template}");</script>',
                "disabled": one.status != "active",
                "timeout": 0,
                "order": number,
                "variables_mappings": [{"code": "#ORDER#", "variable": "tc_vars['order_id']"}],
            },
            container=link("tms/web-containers", 1),
        )
        server_tags.add(
            {
                "name": one.label,
                "template_id": number,
                "destination_url": f"https://partner.example.com/{one.connector_template}?key={SECRET}",
                "disabled": one.status != "active",
                "post_parameters": f"key={SECRET}",
                "headers": {"Authorization": SECRET},
            },
            container=link("tms/serverside-containers", 1),
        )
    server_containers = Collection(type="tms/serverside-containers", unique="name")
    server_containers.add({"name": "Server"})
    of_shop: Object = {
        "container": link("tms/web-containers", 1),
        "tags": links("tms/web-tags", (1, 2)),
    }
    of_server: Object = {
        "container": link("tms/serverside-containers", 1),
        "tags": links("tms/serverside-tags", (1,)),
    }
    found = {
        "/tms/web-containers": containers,
        "/tms/serverside-containers": server_containers,
        "/tms/web-tags": tags,
        "/tms/serverside-tags": server_tags,
        "/tms/web-triggers": Collection(
            type="tms/web-triggers", includes=frozenset({"container", "tags"})
        ),
        "/tms/web-constraints": Collection(type="tms/web-constraints", shows_related=False),
        "/tms/web-perimeters": Collection(type="tms/web-perimeters"),
        "/tms/serverside-constraints": Collection(
            type="tms/serverside-constraints", shows_related=False
        ),
    }
    found["/tms/web-triggers"].add(
        {"name": "Page is ready", "type": "dom_ready", "is_default": True}, **of_shop
    )
    found["/tms/web-triggers"].add(
        {"name": "Order", "type": "click", "css_selector": "#order"}, **of_shop
    )
    found["/tms/web-constraints"].add(
        {"label": "In a browser", "type": "browser_is", "browser_list": ["firefox"]}, **of_shop
    )
    found["/tms/web-perimeters"].add(
        {"label": "Basket", "type": "url_contain", "pattern": "/basket"}, **of_shop
    )
    found["/tms/serverside-constraints"].add(
        {"label": "Purchases", "type": "variable_equal", "pattern": "purchase"}, **of_server
    )
    return found | _variables()


def _variables() -> dict[str, Collection]:
    """Return the variables of the data layer, in the browser and on the server."""
    found = {}
    for side in ("web", "serverside"):
        categories = Collection(type=f"tms/{side}-datalayer-variable-categories", unique="name")
        categories.add({"name": "Order"})
        found[f"/tms/{side}-datalayer-variable-categories"] = categories
        found[f"/tms/{side}-datalayer-variables"] = Collection(
            type=f"tms/{side}-datalayer-variables"
        )
        found[f"/tms/{side}-internal-variables"] = Collection(type=f"tms/{side}-internal-variables")
    for name, kind in (
        ("order_id", "Order ID / Basket ID"),
        ("order_amount", "Order amount"),
        ("user_id", "User ID"),
    ):
        described = {"name": name, "description": kind, "detailed_description": None}
        found["/tms/web-datalayer-variables"].add(
            {**described, "type": kind, "use_in_noscript": False},
            category=link("tms/web-datalayer-variable-categories", 1),
        )
        found["/tms/serverside-datalayer-variables"].add(
            {
                **described,
                "data_saver": True,
                "reconciliation_key": name == "user_id",
                "variable_parameter": name,
            },
            category=link("tms/serverside-datalayer-variable-categories", 1),
        )
    described = {"name": "has_basket", "description": None, "detailed_description": None}
    found["/tms/web-internal-variables"].add(
        {**described, "value": "document.cookie.includes('basket')", "type": "Boolean"},
        containers=links("tms/containers", (1, 2)),
    )
    mapping = [{"input": "0", "output": "no"}, {"output": "yes"}]
    found["/tms/serverside-internal-variables"].add(
        {**described, "value": {"variable_to_map": "basket_size", "mapping": mapping}}
    )
    return found
