"""Reading in which calls another thread is."""

import gc
import threading

from queues.execution import interrupts


def test_no_garbage_is_collected_while_the_frames_of_another_thread_are_read():
    """In Python 3.11 that crashes the process: what a collection runs lets the other thread run."""
    # given a thread that is deep in calls, and an interpreter that collects at every second object
    go_on, collections = threading.Event(), []

    def deep(calls: int) -> None:
        go_on.wait(20) if calls == 0 else deep(calls - 1)

    def note(*event: object) -> None:
        collections.append(event)

    thread = threading.Thread(target=deep, args=(50,))
    thread.start()
    assert thread.ident
    usual = gc.get_threshold()
    gc.callbacks.append(note)
    gc.set_threshold(1)
    try:
        # when its frames are read
        collections.clear()
        frames = interrupts.frames_of(thread.ident)
        during = len(collections)
        others: list[list[int]] = [[] for _ in range(10)]
        after = len(collections)
    finally:
        gc.set_threshold(*usual)
        gc.callbacks.remove(note)
        go_on.set()
        thread.join()

    # then nothing is collected until that is done, and then it is
    assert len(frames) > 50 > len(others)
    assert during == 0
    assert after > 0
