"""The pages of a numbered list, by their number: what they hold, and what that tells of further ones. Pure."""

from __future__ import annotations

from crmlab.connector import may_be_full

#: pages without news after a full one that make sure of the end
_ENOUGH_BARREN = 2


class NumberedPages:
    """What came of a numbered list, in whatever order its pages arrived.

    A page brings news where it holds something that no page of a lower number holds.
    """

    def __init__(self) -> None:
        #: records of each page
        self.heights: dict[int, int] = {}
        #: how many records all pages hold
        self.came = 0
        #: the highest number that was answered
        self.highest = 0
        self._asked_sizes: dict[int, int | None] = {}
        self._signatures: dict[int, int] = {}
        #: by signature, the lowest number of a page that has it
        self._first: dict[int, int] = {}

    def note(self, number: int, height: int, *, signature: int, asked_size: int | None) -> None:
        """Take note of a page."""
        self.came += height - self.heights.get(number, 0)
        self.highest = max(self.highest, number)
        self.heights[number] = height
        self._asked_sizes[number] = asked_size
        self._signatures[number] = signature
        self._first[signature] = min(number, self._first.get(signature, number))

    def brings_news(self, number: int, *, height: int, signature: int) -> bool:
        """Whether a page with that number would hold something that no page of a lower number holds."""
        return height > 0 and self._first.get(signature, number) >= number

    def is_empty(self, number: int) -> bool:
        """Whether a page was answered and holds nothing."""
        return self.heights.get(number) == 0

    def repeats(self, number: int) -> int | None:
        """Return the first page that a page repeats; None where it repeats none."""
        if not self.heights.get(number):
            return None
        first_page = self._first[self._signatures[number]]
        if first_page == number:
            return None
        return first_page

    def is_news(self, number: int) -> bool:
        """Whether a page holds something that no page of a lower number holds."""
        return self.heights[number] > 0 and self.repeats(number) is None

    @property
    def last(self) -> int:
        """The number of the last page that brings news; 0 where none does."""
        return max((number for number in self.heights if self.is_news(number)), default=0)

    def is_as_full_as_asked(self, number: int) -> bool:
        """Whether a page holds as many records as it was asked for."""
        asked_size = self._asked_sizes.get(number)
        return asked_size is not None and self.heights.get(number, 0) >= asked_size

    def may_be_full(self, number: int) -> bool:
        """Whether a page holds as many records as it was asked for, or as pages of this list seem to hold."""
        height = self.heights.get(number, 0)
        if number == 1 or not self.heights.get(1):
            return self.is_as_full_as_asked(number) or may_be_full(height)
        return height >= self.heights[1]

    @property
    def may_go_on(self) -> bool:
        """Whether there may be more although the last page brought nothing: none did, or a full one just before it."""
        barren_after = self.highest - self.last
        may_not_be_the_last = self.last == 0 or self.may_be_full(self.last)
        return may_not_be_the_last and 0 < barren_after < _ENOUGH_BARREN

    def repeated_in_words(self, *, may_repeat_last: bool) -> str:
        """Say which pages repeat another one in the place of others; empty where none does.

        A page that is not full may come again at the end of a list. With `may_repeat_last` a full one may as well, if
        it is not the first page.
        """
        repetitions: list[tuple[int, int]] = []
        last_number = self.last
        for number in sorted(self.heights):
            first_page = self.repeats(number)
            if first_page is None:
                continue
            may_come_again = not self.may_be_full(first_page) or (
                may_repeat_last and first_page > 1
            )
            if number < last_number or not may_come_again:
                repetitions.append((number, first_page))
        if not repetitions:
            return ""
        number, first_page = repetitions[0]
        others = f" (and {len(repetitions) - 1} more)" if len(repetitions) > 1 else ""
        meaning = "the service seems to ignore which page is asked for, or to repeat its last one"
        return f"page {number} repeats page {first_page}{others}: {meaning}"

    def short_in_words(self) -> str:
        """Say that a page holds fewer records than one after it; empty where none does."""
        fullest_after = 0
        short_number = 0
        for number in sorted(filter(self.is_news, self.heights), reverse=True):
            height = self.heights[number]
            if height < fullest_after:
                short_number = number
            fullest_after = max(fullest_after, height)
        if not short_number:
            return ""
        return f"page {short_number} holds fewer records than pages after it"

    def empty_in_words(self) -> str:
        """Say that a page is empty although one after it is not; empty where none is."""
        last_number = self.last
        empty_numbers = [number for number in self.heights if self.is_empty(number)]
        empty_numbers = [number for number in empty_numbers if number < last_number]
        if not empty_numbers:
            return ""
        return f"page {min(empty_numbers)} is empty, though page {last_number} holds records"
