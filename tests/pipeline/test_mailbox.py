"""Mailboxes: bounded, closable, and blind to what nobody wants."""

from __future__ import annotations

from edgevoice.mailbox import Mailbox
from edgevoice.testing.virtual import VirtualClock


def make(size: int = 2) -> tuple[VirtualClock, set[int], Mailbox[int]]:
    clock = VirtualClock()
    dead: set[int] = set()
    return clock, dead, Mailbox(clock.monitor(), size, lambda item: item in dead)


def test_items_come_out_in_the_order_they_went_in() -> None:
    """First in, first out."""
    _, _, box = make()
    box.put(1)
    box.put(2)
    assert [box.get(), box.get()] == [1, 2]


def test_dead_items_are_never_delivered() -> None:
    """What died while it waited is skipped."""
    _, dead, box = make()
    box.put(1)
    box.put(2)
    dead.add(1)
    assert box.get() == 2


def test_a_full_mailbox_makes_its_writer_wait() -> None:
    """`put` returns when a reader has made room, and not before."""
    clock, _, box = make(1)
    box.put(1)

    def reader() -> None:
        clock.sleep(5.0)
        box.get()

    clock.spawn(reader, "reader")
    assert box.put(2)
    assert clock.now() == 5.0


def test_a_writer_waiting_with_a_dead_item_is_let_go() -> None:
    """Cancellation goes around the queue: nobody waits to post what nobody wants."""
    clock, dead, box = make(1)
    box.put(1)

    def killer() -> None:
        clock.sleep(1.0)
        dead.add(2)

    clock.spawn(killer, "killer")
    assert not box.put(2)
    assert clock.now() == 1.0


def test_a_closed_mailbox_gives_what_is_left_and_then_nothing() -> None:
    """Closing means the end of the stream, not its loss."""
    _, _, box = make()
    box.put(1)
    box.close()
    assert not box.put(2)
    assert not box.closed
    assert [box.get(), box.get()] == [1, None]
    assert box.closed


def test_an_offer_is_made_only_to_an_empty_mailbox() -> None:
    """`offer` never waits and never queues behind anything."""
    _, dead, box = make()
    assert box.offer(1)
    assert not box.offer(2)
    dead.add(1)
    assert box.offer(3)
    assert box.get() == 3


def test_reading_can_be_given_up_after_a_while() -> None:
    """`get` with a timeout returns None when it has passed."""
    clock, _, box = make()
    assert box.get(timeout=0.5) is None
    assert clock.now() == 0.5
