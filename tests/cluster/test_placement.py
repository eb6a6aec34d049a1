"""Which worker reads which account: the limit of a vendor holds whatever workers come and go."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.cluster.placement import MAX_ATTEMPTS, Job, Placement, Seat
from crmlab.connector import Limits

BY_IP = Limits(rate=5, burst=10, scope="ip")
BY_ACCOUNT = Limits(rate=5, burst=10, scope="account")
NONE = Limits()
TWO = [Seat("tcp://a:1", "a", 4), Seat("tcp://a:2", "a", 4)]
THREE = [*TWO, Seat("tcp://b:1", "b", 4)]


def job(number: int, limits: Limits, service: str = "service") -> Job:
    counted = "" if limits.scope == "ip" else str(number)
    return Job(f"{service}-{number}", f"account {number}", (service, "host", counted), limits)


def jobs(count: int, limits: Limits) -> list[Job]:
    return [job(number, limits) for number in range(count)]


def test_of_one_machine_one_worker_reads_what_is_counted_by_its_address() -> None:
    placement = Placement(jobs(20, BY_IP))
    placement.see(TWO, 0)

    placed = placement.place(0)

    assert len({address for _, address in placed}) == 1
    assert len(placed) == 4


def test_each_machine_has_a_limit_of_its_own() -> None:
    placement = Placement(jobs(20, BY_IP))
    placement.see(THREE, 0)

    placed = {address for _, address in placement.place(0)}

    assert len(placed) == 2
    assert "tcp://b:1" in placed


@pytest.mark.parametrize("limits", [BY_ACCOUNT, NONE])
def test_what_is_counted_by_itself_is_read_by_all(limits: Limits) -> None:
    placement = Placement(jobs(20, limits))
    placement.see(THREE, 0)

    placed = placement.place(0)

    assert {address for _, address in placed} == {seat.address for seat in THREE}
    assert len(placed) == len({each for each, _ in placed}) == 12
    assert placement.place(0) == []


def test_two_refreshes_at_once_choose_the_same_worker() -> None:
    chosen = set()
    for count in (3, 7):
        placement = Placement(jobs(count, BY_IP))
        placement.see(TWO, 0)
        chosen |= {address for _, address in placement.place(0)}

    assert len(chosen) == 1


def test_services_take_turns() -> None:
    of_services = [job(number, NONE, name) for name in ("one", "other") for number in range(9)]
    placement = Placement(of_services)
    placement.see(TWO, 0)

    placed = [each.scope[0] for each, _ in placement.place(0)]

    assert placed.count("one") == placed.count("other") == 4


def test_after_a_worker_is_gone_another_one_waits_for_the_window() -> None:
    placement = Placement(jobs(6, BY_IP))
    placement.see(TWO, 0)
    first = placement.place(0)[0][1]
    left = [seat for seat in TWO if seat.address != first]

    lost = placement.see(left, 100)

    assert len(lost) == 4
    assert placement.place(101.9) == []
    again = placement.place(102)
    assert {address for _, address in again} == {left[0].address}
    assert [each.attempt for each, _ in again] == [2, 2, 2, 2]


def test_an_account_that_is_counted_by_itself_waits_alone() -> None:
    placement = Placement(jobs(5, BY_ACCOUNT))
    placement.see(TWO[:1], 0)
    placement.place(0)

    placement.see(TWO[1:], 100)

    assert [each.attempt for each, _ in placement.place(100)] == [1]
    assert [each.attempt for each, _ in placement.place(102)] == [2, 2, 2]


def test_an_account_with_which_each_worker_dies_is_given_up() -> None:
    placement = Placement(jobs(1, NONE))
    for attempt in range(MAX_ATTEMPTS):
        placement.see([Seat(f"tcp://a:{attempt}", "a", 1)], 0)
        assert len(placement.place(0)) == 1

    lost = placement.see([], 0)

    assert [each.attempt for each in lost] == [MAX_ATTEMPTS]
    assert placement.waiting == []


@given(
    seed=st.integers(0, 10_000),
    kinds=st.lists(st.sampled_from([BY_IP, BY_ACCOUNT, NONE]), min_size=1, max_size=30),
)
def test_whatever_comes_and_goes_the_limits_hold(seed: int, kinds: list[Limits]) -> None:
    drawn = random.Random(seed)
    placement = Placement([job(number, limits) for number, limits in enumerate(kinds)])
    seats = {f"tcp://{number}": Seat(f"tcp://{number}", "ab"[number % 2], 3) for number in range(4)}
    lost_at: dict[str, tuple[str, int]] = {}
    for now in range(400):
        if drawn.random() < 0.05 and now < 300:
            old = seats.pop(drawn.choice(sorted(seats)))
            seats[f"tcp://{now + 10}"] = Seat(f"tcp://{now + 10}", old.machine, 3)
            for each, address in placement.running.items():
                if address == old.address:
                    lost_at[each.name] = (old.machine, now)
        placement.see(seats.values(), now)
        for each, address in placement.place(now):
            machine, when = lost_at.get(each.name, ("", -9))
            if each.limits == BY_ACCOUNT or machine == seats[address].machine:
                assert each.limits == NONE or now - when >= 2
        _check(placement, seats)
        for each in [*placement.running]:
            if drawn.random() < 0.3:
                placement.done(each)
    assert placement.running == {}


def _check(placement: Placement, seats: dict[str, Seat]) -> None:
    at_work = placement.running
    by_ip = {address for each, address in at_work.items() if each.limits == BY_IP}
    machines = [seats[address].machine for address in by_ip]
    assert len(machines) == len(set(machines))
    for address in seats:
        assert sum(each == address for each in at_work.values()) <= 3
    assert not {each.name for each in at_work} & {each.name for each in placement.waiting}
