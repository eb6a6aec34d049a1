"""A panel that answers the catalogue's questions for chosen owners, pipelines, services and days."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import polars as pl
from markupsafe import Markup

from crmlab.catalogue import CATALOGUE, SECTIONS, Choices, Entry, Filter, script
from crmlab.display import NO_FORMULA, render
from crmlab.errors import CrmlabError, UsageError
from crmlab.notebook import event_loop
from crmlab.notebook.code_block import CodeBlock
from crmlab.notebook.filter_list import FilterList, display_of
from crmlab.notebook.filter_values import FilterValues
from crmlab.notebook.keyboard_guard import KeyboardGuard
from crmlab.notebook.script_runner import ScriptRunner
from crmlab.results import Fetched, Stored

Bundle = dict[str, Any]

_NOT_ANSWERABLE = Path(__file__).parent / "templates" / "not_answerable.html.jinja"

#: answers that need not be computed again
_REMEMBERED = 50
#: rows of the numbers that are shown; the code gives all
_ROWS = 50
#: seconds without a further change, after which an answer is computed
_PAUSE_SECONDS = 0.15
_WRAP = {"display": "flex", "flex_flow": "row wrap", "align_items": "flex-start"}


def explore(
    data: Fetched | Stored,
    *,
    earlier: Fetched | Stored | None = None,
    quota: float | Mapping[str, float] | None = None,
    time_zone: str = "UTC",
) -> Explorer:
    """Return a panel to choose a question and filters in; it shows the figure, its numbers and their code.

    The code is what the panel runs: in a cell of the notebook it makes the same figure. End the cell with the panel.

    Parameters
    ----------
    data
        What was fetched. Questions whose tables it lacks are listed with what they need. Of lazy tables,
        each answer collects those that it needs.
    earlier
        A fetch of before, of the same kind, with all deals: for what changed in between.
    quota
        The amount to be won this year; ``{currency: amount}`` where the deals are in more than one.
    time_zone
        IANA name of the clock by which days and hours are told.

    Raises
    ------
    UsageError
        One of `data` and `earlier` is in memory, the other in files.

    Examples
    --------
    >>> import polars as pl
    >>> import crmlab
    >>> rows = {"id": ["1", "2"], "status": ["won", "lost"], "owner_name": ["Ann", "Bo"], "amount": [100.0, 50.0]}
    >>> deals = crmlab.table("deals", pl.DataFrame(rows), provider="salesforce")
    >>> panel = crmlab.explore(crmlab.collect(deals=deals, as_of="2026-01-31"))  # the last line of a cell shows it
    >>> panel
    <Explorer: Which share of the closed deals do we win, and who wins it?>
    """
    if earlier is not None and type(earlier) is not type(data):
        raise UsageError(
            "give two fetches of the same kind: both from crmlab.fetch, or both from crmlab.fetch_to"
        )
    return Explorer(data, earlier=earlier, quota=quota, time_zone=time_zone)


class Explorer:
    """The panel that `explore` returns.

    Attributes
    ----------
    panel : ipywidgets.VBox
        What is shown, to be put into other widgets.
    code : CodeBlock
        The code of what is shown is `code.code`.
    pause_seconds : float
        How long a further change is waited for before an answer is computed.
    """

    def __init__(
        self,
        data: Fetched | Stored,
        *,
        earlier: Fetched | Stored | None,
        quota: float | Mapping[str, float] | None,
        time_zone: str,
    ) -> None:
        self._data = data
        self._earlier = earlier
        self._quota = quota
        self._time_zone = time_zone
        self.pause_seconds = _PAUSE_SECONDS
        self._runner = ScriptRunner(data=data, earlier=earlier)
        self._values = FilterValues(data)
        self._answers: OrderedDict[str, dict[str, Bundle]] = OrderedDict()
        self._answering: asyncio.Task[None] | None = None
        self._loop = event_loop.running()
        self._sections = self._answerable()
        self._make_widgets()
        self.panel = self._arranged()
        if self._sections:
            self._listen()
            self._show_filters()

    def _answerable(self) -> dict[str, list[tuple[str, str]]]:
        """Return by section the questions that can be answered, each with its name."""
        sections = {}
        for heading, entries in SECTIONS.items():
            questions = []
            for entry in entries:
                if not self._missing(entry):
                    questions.append((entry.question, entry.name))
            if questions:
                sections[heading] = questions
        return sections

    def _make_widgets(self) -> None:
        self.section = widgets.ToggleButtons(
            options=list(self._sections), style={"button_width": "auto"}
        )
        questions = self._sections.get(self.section.value, [])
        self.question = widgets.Dropdown(options=questions, layout={"width": "auto"})
        when_changed = self._in_the_loop(self._ask)
        self.filters: dict[Filter, FilterList] = {
            "service": FilterList("Services", when_changed),
            "pipeline": FilterList("Pipelines", when_changed),
            "owner": FilterList("Owners", when_changed),
        }
        self.since = widgets.DatePicker(layout={"width": "auto"})
        self.until = widgets.DatePicker(layout={"width": "auto"})
        self._period_of = widgets.Label()
        self._period = widgets.VBox([self._period_of, self.since, self.until])
        self.reset = widgets.Button(
            description="Reset filters", layout={"width": "auto", "margin": "35px 2px 2px"}
        )
        self._status = widgets.HTML(layout={"min_height": "28px"})
        self.figure = widgets.Output()
        self.numbers = widgets.Output(layout={"max_height": "420px", "overflow": "auto"})
        self.code = CodeBlock()

    def _arranged(self) -> widgets.VBox:
        """Return the widgets from top to bottom; without a question, only what is missing for one."""
        children: list[widgets.Widget] = [KeyboardGuard()]
        if self._sections:
            filter_boxes = [filter_list.box for filter_list in self.filters.values()]
            children += [
                self.section,
                self.question,
                widgets.Box([*filter_boxes, self._period, self.reset], layout=_WRAP),
                self._status,
                self.figure,
                widgets.Tab([self.numbers, self.code], titles=["Numbers", "Code"]),
            ]
        children.append(widgets.HTML(self._not_answerable()))
        panel = widgets.VBox(children)
        panel.add_class("crmlab-explorer")
        return panel

    def _listen(self) -> None:
        """Answer to what is chosen."""
        when_changed = self._in_the_loop(self._ask)
        self.section.observe(self._in_the_loop(self._show_section), "value")
        self.question.observe(self._in_the_loop(self._show_filters), "value")
        self.since.observe(when_changed, "value")
        self.until.observe(when_changed, "value")
        self.reset.on_click(self._in_the_loop(self._reset))

    def __repr__(self) -> str:
        question = "nothing that can be answered"
        if self.question.value:
            question = CATALOGUE[self.question.value].question
        return f"<Explorer: {question}>"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        representation = self.panel._repr_mimebundle_(**kwargs)
        if representation is None:
            return None
        bundle = representation
        # with its metadata, where ipywidgets has some
        if isinstance(representation, tuple):
            bundle = representation[0]
        bundle["text/plain"] = (
            f"{self!r}\nA notebook that shows widgets shows the panel. Its code:\n\n{self.code.code}"
        )
        return representation

    def _in_the_loop(self, then: Callable[[], None]) -> Callable[[object], None]:
        """Return what a widget calls when it changes."""

        def announce() -> None:
            try:
                then()
            except Exception as error:  # noqa: BLE001 (else nobody sees it)
                self._say(_in_words(error))

        def changed(_: object) -> None:
            if self._loop is None:
                announce()
            else:
                self._loop.call_soon_threadsafe(announce)

        return changed

    def _missing(self, entry: Entry) -> list[str]:
        """Return in words what an entry needs and was not given."""
        arguments = entry.reads()
        missing = []
        for table_name in entry.tables:
            if table_name not in self._data:
                missing.append(f"the table {table_name}")
        fetches = [self._data]
        if "earlier" in arguments:
            missing += self._missing_of_earlier()
            if self._earlier is not None:
                fetches.append(self._earlier)
        for fetch in fetches:
            reason = entry.lacks(fetch.asked, is_masked=fetch.is_masked)
            # both may lack the same
            if reason and reason not in missing:
                missing.append(reason)
        if "quota" in arguments and self._quota is None:
            missing.append("a quota: crmlab.explore(data, quota=...)")
        return missing

    def _missing_of_earlier(self) -> list[str]:
        if self._earlier is None:
            return ["an earlier fetch: crmlab.explore(data, earlier=...)"]
        if self._earlier.fetched_at >= self._data.fetched_at:
            return ["an earlier fetch: the one that was given was fetched no earlier than the data"]
        return []

    def _not_answerable(self) -> str:
        questions = []
        for entry in CATALOGUE.values():
            missing = self._missing(entry)
            if missing:
                questions.append((entry.question, missing))
        if not questions:
            return ""
        return render(_NOT_ANSWERABLE, questions=questions, opened=not self._sections)

    def _show_section(self) -> None:
        self.question.options = self._sections[self.section.value]  # and with them another question

    def _show_filters(self) -> None:
        filters = CATALOGUE[self.question.value].filters
        for filter_name, filter_list in self.filters.items():
            values: Mapping[str | None, str] = {}
            if filter_name in filters:
                values = self._values.of(filters[filter_name])
            filter_list.offer(values)
        periods = filters.get("period", {})
        self._period.layout.display = display_of(is_shown=bool(periods))
        period_texts = [f"From, to: {columns[0]} of {table}" for table, columns in periods.items()]
        self._period_of.value = "".join(period_texts)
        self._ask()

    def _reset(self) -> None:
        self.since.value = None
        self.until.value = None
        for filter_list in self.filters.values():
            filter_list.clear()

    def _choices(self) -> Choices:
        return Choices(
            values={name: filter_list.chosen for name, filter_list in self.filters.items()},
            since=self.since.value,
            until=self.until.value,
            time_zone=self._time_zone,
            quota=self._quota,
        )

    def _ask(self) -> None:
        self.code.code = script(
            CATALOGUE[self.question.value],
            self._choices(),
            self._data.keys(),
            asked=self._data.asked,
            summary=self._data.summary,
        )
        if self._loop is None:  # no kernel: whoever calls may wait
            asyncio.run(self._answer())
        elif self._answering is None or self._answering.done():
            self._answering = self._loop.create_task(self._answer())

    async def _answer(self) -> None:
        """Show the answer to what is asked; of all that is asked while it is looked for, only the last."""
        answered = None
        while answered != self.code.code:
            script_text = self.code.code
            try:
                if script_text in self._answers:
                    self._show_again(script_text)
                else:
                    self._say("Working…")
                    await asyncio.sleep(self.pause_seconds)
                    await self._compute(script_text)
                self._say("")
            except Exception as error:  # noqa: BLE001 (else it vanishes with the task)
                self.figure.outputs = ()
                self.numbers.outputs = ()
                self._say(_in_words(error))
            answered = script_text

    def _show_again(self, script_text: str) -> None:
        # what was looked at last is forgotten last
        self._answers.move_to_end(script_text)
        for part_name, bundle in self._answers[script_text].items():
            self._show(part_name, bundle)

    async def _compute(self, asked: str) -> None:
        """Show the figure and then the numbers; give up as soon as something else is asked."""
        answer: dict[str, Bundle] = {}
        answer_steps = self._runner.run(asked)
        for part_name, bundle_of in (("figure", _figure), ("numbers", _numbers)):
            if asked != self.code.code:
                return
            # in a thread: the kernel goes on hearing what is chosen
            _, result = await asyncio.to_thread(next, answer_steps)
            answer[part_name] = bundle_of(result)
            if asked == self.code.code:
                self._show(part_name, answer[part_name])
        self._answers[asked] = answer
        if len(self._answers) > _REMEMBERED:
            self._answers.popitem(last=False)

    def _show(self, part: str, bundle: Bundle) -> None:
        output_of = {"figure": self.figure, "numbers": self.numbers}
        # set, and not displayed in it: that needs a kernel
        output = {"output_type": "display_data", "data": bundle, "metadata": {}}
        output_of[part].outputs = (output,)

    def _say(self, words: str) -> None:
        self._status.value = Markup("<span role='status'>{}</span>").format(words)


def _figure(figure: Any) -> Bundle:
    # HTML beside it is for exports of notebooks, which show no widget
    bundle: Bundle = figure._repr_mimebundle_(html_beside=False)
    return bundle


def _numbers(frame: pl.DataFrame) -> Bundle:
    with pl.Config(
        tbl_rows=_ROWS, tbl_cols=-1, thousands_separator=",", fmt_float="full", float_precision=3
    ):
        shown = f'<div class="{NO_FORMULA}">{frame._repr_html_()}</div>'
        return {"text/html": shown, "text/plain": str(frame)}


def _in_words(error: Exception) -> str:
    if isinstance(error, CrmlabError):
        return str(error)
    return f"{type(error).__name__}: this cannot be answered. Run the code in a cell to see where."
