"""What can be done with actions and files of OnePageCRM, beside changing their fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from crmlab.sandbox.services.onepagecrm.asked import Asked
from crmlab.sandbox.services.onepagecrm.derived import Attachment
from crmlab.sandbox.services.onepagecrm.filters import assigned
from crmlab.sandbox.services.onepagecrm.writing import Refused, Values, Writing, check_given
from crmlab.sandbox.world.model import Action

_NEXT = ("asap", "date", "date_time", "waiting")
#: what a list of records with files is called where one of them is named
_REFERENCES = {"deal": "deals", "note": "notes", "call": "calls", "meeting": "meetings"}

#: changes something, and returns the id of what is shown
Act = Callable[[Writing, Asked], str]


# ---- actions ------------------------------------------------------------------------------------


def _action(change: Callable[[Writing, Action], Values]) -> Act:
    """Change an action as `change` says, which returns its new attributes."""

    def act(writing: Writing, asked: Asked) -> str:
        action: Action = writing.find("actions", asked.id)
        attributes = change(writing, action)
        writing.changed("actions", action, **attributes)
        return action.id

    return act


def done(writing: Writing, action: Action) -> Values:
    """Return what an action is when it is done; what it was is kept."""
    if action.done:
        return {}
    writing.before_done[action.id] = action.status
    today = writing.now().date()
    return {"done": True, "done_at": today, "status": "done"}


def not_done(writing: Writing, action: Action) -> Values:
    """Return what an action was before it was done."""
    if not action.done:
        raise Refused(409, "The action is not done")
    status_before = writing.before_done.get(action.id, "date")
    return {"done": False, "done_at": None, "status": status_before}


def _promoted(writing: Writing, action: Action) -> Values:
    """A queued action becomes the next one, where there is none."""
    others = _of_mine(writing, action)
    has_next = any(other.status in _NEXT for other in others)
    if action.done or has_next:
        raise Refused(409, "There is a next action")
    today = writing.now().date()
    return {"status": "date", "date": action.date or today}


def _swapped(writing: Writing, action: Action) -> Values:
    """A queued action with an earlier day and the next action change places."""
    next_action = _next_dated(_of_mine(writing, action))
    is_mine = action.assignee_id == writing.me
    is_queued = is_mine and action.status == "queued_with_date"
    if next_action is None or not is_queued or not _is_earlier(action, next_action):
        raise Refused(409, "The action cannot be swapped with the next one")
    status = "queued_with_date" if next_action.date else "queued"
    writing.changed("actions", next_action, status=status)
    return {"status": "date"}


def _next_dated(actions: Iterable[Action]) -> Action | None:
    """Return the action that a queued one can take the place of: what is as soon as possible never waits."""
    for action in actions:
        if action.status in ("date", "date_time", "waiting"):
            return action
    return None


def _is_earlier(action: Action, other: Action) -> bool:
    if action.date is None:
        return False
    return other.date is None or action.date < other.date


def _of_mine(writing: Writing, action: Action) -> list[Action]:
    """Return the user's other actions with the contact."""
    actions = writing.index.actions.get(action.contact_id, [])
    my_actions = assigned(actions, writing.me)
    return [other for other in my_actions if other is not action]


def _unlinked(writing: Writing, action: Action) -> Values:
    writing.write_beside(action.id, externally_controlled=False)
    return {}


def _unassigned(writing: Writing, action: Action) -> Values:
    return {"assignee_id": writing.me}


def _not_demoted(writing: Writing, asked: Asked) -> str:
    """Change nothing: the vendor keeps this for those that still ask."""
    return str(writing.find("actions", asked.id).id)


ACTIONS: Mapping[tuple[str, str], Act] = {
    ("PUT", "/actions/{action_id}/unassign"): _action(_unassigned),
    ("PUT", "/actions/{action_id}/mark_as_done"): _action(done),
    ("PUT", "/actions/{action_id}/undo_completion"): _action(not_done),
    ("PUT", "/actions/{action_id}/unlink"): _action(_unlinked),
    ("PUT", "/actions/{action_id}/promote"): _action(_promoted),
    ("PUT", "/actions/{action_id}/revert_promotion"): _not_demoted,
    ("PUT", "/actions/{action_id}/swap"): _action(_swapped),
}


# ---- files --------------------------------------------------------------------------------------


def attach(writing: Writing, asked: Asked) -> Attachment:
    """Attach a file that was uploaded, or is kept elsewhere, to a deal, a note, a call or a meeting."""
    reference_type = asked.values["reference_type"]
    if asked.parts and f"{reference_type}_id" not in asked.parts:
        raise Refused(400, "reference_type is another one", reference_type="is invalid")
    list_name = _REFERENCES[reference_type]
    if asked.parts:
        referenced = writing.find(list_name, asked.id)
    else:
        check_given(asked.values, "reference_id")
        writing.check_known(list_name, asked.values, "reference_id")
        referenced = writing.find(list_name, asked.values["reference_id"])
    # what was uploaded has no name but the end of its key, see `/attachments/s3_form`
    name = asked.values.get("name")
    if not name:
        _, _, name = asked.values["key"].rpartition("/")
    file = Attachment(
        id=writing.new_id(),
        contact_id=referenced.contact_id,
        reference_type=reference_type,
        reference_id=referenced.id,
        filename=name or "file",
        size=asked.values.get("size", 0),
        storage_provider=asked.values.get("link_type", "amazon"),
        created_at=writing.now(),
    )
    writing.lists["attachments"].add(file)
    return file


def _file(change: Callable[[Writing, Asked], Values]) -> Act:
    def act(writing: Writing, asked: Asked) -> str:
        file: Attachment = writing.find("attachments", asked.id)
        attributes = change(writing, asked)
        writing.changed("attachments", file, **attributes)
        return file.id

    return act


def _renamed(writing: Writing, asked: Asked) -> Values:
    check_given(asked.values, "attachment")
    attachment = asked.values["attachment"]
    check_given(attachment, "custom_filename")
    return {"custom_filename": attachment["custom_filename"]}


def _pinned(writing: Writing, asked: Asked) -> Values:
    return {"pinned_at": writing.now()}


def _unpinned(writing: Writing, asked: Asked) -> Values:
    return {"pinned_at": None}


FILES: Mapping[tuple[str, str], Act] = {
    ("PATCH", "/attachments/{attachment_id}"): _file(_renamed),
    ("PATCH", "/attachments/{attachment_id}/pin"): _file(_pinned),
    ("PATCH", "/attachments/{attachment_id}/unpin"): _file(_unpinned),
}
