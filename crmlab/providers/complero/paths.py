"""Where Complero's lists and records are said to be, or guessed to be."""

from __future__ import annotations

#: only ``/ping`` is documented with its path; the others are guessed from the documented names.
#: Read whenever a request is made: to correct one, assign to it before fetching
PATHS = {
    "ping": "/ping",
    "events": "/events",
    "latest_events": "/events/latest",
    "contact": "/contacts/{id}",
    "employee": "/employees/{id}",
    "operations": "/operations",
    "operation": "/operations/{id}",
}
