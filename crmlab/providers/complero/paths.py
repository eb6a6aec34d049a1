"""Where Complero's operations are.

Only ``/ping`` is documented with its path. The others are guessed from the names of the operations.
"""

#: read whenever a request is made: to correct one, assign to it before fetching
PATHS = {
    "ping": "/ping",
    "events": "/events",
    "latest_events": "/events/latest",
    "sandbox_event": "/events/sandbox",
    "contacts": "/contacts",
    "contact": "/contacts/{id}",
    "documentation_by_contact": "/contacts/{contact_id}/documentation",
    "documentation_by_event": "/contacts/{contact_id}/documentation/{event_id}",
    "employees": "/employees",
    "employee": "/employees/{id}",
    "operations": "/operations",
    "operation": "/operations/{id}",
}
