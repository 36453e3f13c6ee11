"""Forked children of a test: one that may die, or several that do the same at the same moment."""

from __future__ import annotations

import multiprocessing
import os
import traceback
from collections.abc import Callable
from typing import Any

FORK = multiprocessing.get_context("fork")


def in_child(do: Callable[[], Any]) -> int:
    """Does it in a process of its own; its exit code, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        try:
            do()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def together(count: int, do: Callable[[int], Any]) -> list[Any]:
    """What `count` processes get that do it at the same moment."""
    barrier, results = FORK.Barrier(count), FORK.Queue()

    def run(number: int) -> None:
        barrier.wait(20)
        try:
            results.put((number, do(number)))
        except BaseException as error:
            results.put((number, error))

    processes = [FORK.Process(target=run, args=(number,)) for number in range(count)]
    for process in processes:
        process.start()
    found = sorted((results.get(timeout=30) for _ in processes), key=lambda each: each[0])
    for process in processes:
        process.join(10)
    return [each for _, each in found]
