"""Ctrl-C: raised at safe places only, and nothing is left behind."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import minilayer as ml
from minilayer.utils import cpus
from minilayer.utils.cpus import single_threaded_blas
from minilayer.utils.interrupts import (
    SIGNALS_OF_IMPATIENCE,
    deferred_interrupts,
    interruptible,
    raise_interrupt,
)
from minilayer.utils.types import Array
from tests.stress import interrupts
from tests.stress.every_instruction import interrupt_everywhere

WATCHDOG_SECONDS = 60
"""Against a hang."""

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
threads_and_forks = pytest.mark.filterwarnings(
    "ignore:.*multi-threaded, use of fork.*:DeprecationWarning"
)
has_signals = pytest.mark.skipif(os.name != "posix", reason="the system cannot send SIGINT")


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


@contextmanager
def interrupted() -> Iterator[pytest.ExceptionInfo[KeyboardInterrupt]]:
    """Expect a KeyboardInterrupt."""
    with pytest.raises(KeyboardInterrupt) as caught:
        yield caught


@pytest.fixture(autouse=True)
def handler() -> Iterator[Any]:
    """The handler of SIGINT, which every test must leave in place."""
    before = signal.getsignal(signal.SIGINT)
    yield before
    assert signal.getsignal(signal.SIGINT) is before


# Deferral


def test_a_signal_is_raised_at_the_end() -> None:
    done = []
    with interrupted(), deferred_interrupts():
        ctrl_c()
        done.append("the rest")
    assert done == ["the rest"]


def test_several_signals_are_raised_as_one() -> None:
    with interrupted(), deferred_interrupts():
        ctrl_c()
        ctrl_c()
    with deferred_interrupts():
        raise_interrupt()  # none is left


def test_a_signal_is_raised_where_the_code_says_so() -> None:
    done = []
    with deferred_interrupts():
        raise_interrupt()
        ctrl_c()
        done.append("before")
        with interrupted():
            raise_interrupt()
        raise_interrupt()
        done.append("after")
    assert done == ["before", "after"]


def test_it_is_raised_beside_another_exception() -> None:
    with interrupted() as caught, deferred_interrupts():
        ctrl_c()
        raise OSError("disk full")
    assert isinstance(caught.value.__context__, OSError)


def test_interruptible_code_is_interrupted_at_once_and_once() -> None:
    done = []
    with deferred_interrupts():
        with interrupted(), interruptible():
            try:
                ctrl_c()
                done.append("never")
            finally:
                ctrl_c()  # a second one must not cut the cleaning up short
                done.append("cleaned up")
        done.append("outside")
        with interrupted():
            raise_interrupt()  # the second one
    assert done == ["cleaned up", "outside"]


def test_interruptible_code_does_not_begin_after_a_signal() -> None:
    done = []
    with deferred_interrupts():
        ctrl_c()
        with interrupted(), interruptible():
            done.append("never")
        ctrl_c()  # deferred again
        with interrupted():
            raise_interrupt()
    assert done == []


def test_a_deferral_leaves_the_signal_to_one_around_it() -> None:
    """The outer one may be in the middle of something, whatever the inner one would allow."""
    done = []
    with interrupted(), deferred_interrupts():
        with deferred_interrupts():
            ctrl_c()
            raise_interrupt()
            with interruptible():
                done.append("inner")
        done.append("outer")
    assert done == ["inner", "outer"]


def test_a_deferral_within_interruptible_code_does_as_if_it_were_alone() -> None:
    done = []
    with deferred_interrupts():
        with interrupted(), interruptible():
            with deferred_interrupts():
                ctrl_c()
                done.append("deferred")
            done.append("never")
        with interrupted(), interruptible():
            with deferred_interrupts():
                pass
            ctrl_c()
            done.append("never")
    assert done == ["deferred"]


def test_outside_of_a_deferral_nothing_changes(handler: Any) -> None:
    raise_interrupt()
    with interruptible():
        assert signal.getsignal(signal.SIGINT) is handler
    with interrupted(), interruptible():
        ctrl_c()


def test_signals_in_a_row_end_code_that_hangs() -> None:
    sent = 0
    with suppress(KeyboardInterrupt), deferred_interrupts():
        while True:
            sent += 1
            ctrl_c()
    assert sent == SIGNALS_OF_IMPATIENCE


# The user's own handler


@pytest.fixture
def own_handler(handler: Any) -> Iterator[list[int]]:
    """A handler that raises nothing; the signals that it was given."""
    given: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: given.append(number))
    yield given
    signal.signal(signal.SIGINT, handler)


def test_a_handler_of_the_users_own_is_called(own_handler: list[int]) -> None:
    with deferred_interrupts():
        ctrl_c()
        assert own_handler == []
        with interruptible():
            assert own_handler == [signal.SIGINT]
            ctrl_c()
            ctrl_c()
            assert own_handler == [signal.SIGINT] * 3
        ctrl_c()
        ctrl_c()
    assert own_handler == [signal.SIGINT] * 4
    ctrl_c()
    assert own_handler == [signal.SIGINT] * 5


def test_a_signal_while_the_users_handler_runs_is_handed_over_too(handler: Any) -> None:
    given = []

    def send_another(number: int, frame: FrameType | None) -> None:
        given.append(number)
        if len(given) == 1:
            ctrl_c()

    signal.signal(signal.SIGINT, send_another)
    try:
        with deferred_interrupts(), interruptible():
            ctrl_c()
            assert given == [signal.SIGINT] * 2
    finally:
        signal.signal(signal.SIGINT, handler)


def test_a_handler_that_is_set_meanwhile_stays(own_handler: list[int]) -> None:
    def another(number: int, frame: FrameType | None) -> None:
        pass

    with deferred_interrupts():
        signal.signal(signal.SIGINT, another)
    assert signal.getsignal(signal.SIGINT) is another


def test_our_handler_that_is_put_back_too_late_is_replaced_again(handler: Any) -> None:
    with deferred_interrupts():
        ours = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, ours)
    with interrupted(), deferred_interrupts():
        ctrl_c()
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.parametrize("setting", [signal.SIG_IGN, signal.SIG_DFL])
def test_a_process_that_ignores_signals_or_ends_still_does(setting: Any, handler: Any) -> None:
    signal.signal(signal.SIGINT, setting)
    try:
        with deferred_interrupts(), deferred_interrupts(), interruptible():
            raise_interrupt()
            assert signal.getsignal(signal.SIGINT) == setting
    finally:
        signal.signal(signal.SIGINT, handler)


@has_signals
def test_a_process_that_ignores_signals_from_its_start_still_does() -> None:
    code = """
import signal
from minilayer.utils.interrupts import deferred_interrupts
with deferred_interrupts():
    signal.raise_signal(signal.SIGINT)
assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
"""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a new process inherits that
    try:
        subprocess.run([sys.executable, "-c", code], check=True)
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_defer_nothing(handler: Any) -> None:
    begins, ends = threading.Event(), threading.Event()

    def hold() -> None:
        with deferred_interrupts(), interruptible():
            begins.set()
            assert ends.wait(WATCHDOG_SECONDS)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert begins.wait(WATCHDOG_SECONDS)
        assert signal.getsignal(signal.SIGINT) is handler
        with interrupted():
            ctrl_c()
    finally:
        ends.set()
        thread.join()


def test_other_threads_raise_nothing_of_the_main_threads() -> None:
    begins, ends = threading.Event(), threading.Event()
    raised = []

    def hold() -> None:
        try:
            raise_interrupt()
            with deferred_interrupts(), interruptible():
                begins.set()
                assert ends.wait(WATCHDOG_SECONDS)
        except KeyboardInterrupt:
            raised.append("in the other thread")

    thread = threading.Thread(target=hold)
    try:
        with interrupted(), deferred_interrupts():
            ctrl_c()
            thread.start()
            assert begins.wait(WATCHDOG_SECONDS)
            ctrl_c()  # the other thread's interruptible code does not let it through
            raised.append("at the end")
    finally:
        ends.set()
        thread.join()
    assert raised == ["at the end"]


# Forks


def in_child(work: Callable[[], bool]) -> bool:
    """Return what the work returns in a forked child."""
    child = os.fork()
    if child == 0:
        status = 2
        with suppress(BaseException):
            status = 0 if work() else 1
        os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@forks
@threads_and_forks
@pytest.mark.parametrize("thread", ["main", "another"])
def test_a_child_has_the_users_handler(thread: str, handler: Any) -> None:
    """A child of another thread does not have the one that defers."""

    def is_interrupted() -> bool:
        assert signal.getsignal(signal.SIGINT) is handler
        for _ in range(2):
            with suppress(KeyboardInterrupt):
                ctrl_c()
                return False
            with suppress(KeyboardInterrupt):
                with deferred_interrupts():
                    ctrl_c()
                return False
        return True

    found = []
    with deferred_interrupts():
        forking = threading.Thread(target=lambda: found.append(in_child(is_interrupted)))
        if thread == "main":
            forking.run()
        else:
            forking.start()
            forking.join()
    assert found == [True]


def defers_and_raises() -> bool:
    done = []
    with suppress(KeyboardInterrupt), deferred_interrupts():
        ctrl_c()
        done.append("deferred")
        raise_interrupt()
        done.append("never")
    return done == ["deferred"]


@forks
@threads_and_forks
def test_a_child_does_not_inherit_a_signal() -> None:
    def raises_nothing() -> bool:
        with deferred_interrupts():
            raise_interrupt()
        return defers_and_raises()

    with interrupted(), deferred_interrupts():
        ctrl_c()
        found = in_child(raises_nothing)
    assert found


@forks
@threads_and_forks
def test_a_child_defers_anew_whatever_the_handler_was(own_handler: list[int], handler: Any) -> None:
    with deferred_interrupts():
        signal.signal(signal.SIGINT, handler)
        assert in_child(defers_and_raises)


BLAS_THREADS = 3


def blas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.fixture
def three_blas_threads() -> Iterator[None]:
    """A setting that the library would never choose by itself."""
    with threadpool_limits(BLAS_THREADS, user_api="blas"):
        yield
        assert blas_threads() == {BLAS_THREADS}


class Hooked(ml.Activation):
    """Hands rows on, after a call of the test's function."""

    def __init__(self, hook: Callable[[], object]) -> None:
        self.hook = hook

    def config(self) -> dict[str, Any]:
        return {"hook": self.hook}

    def function(self, x: Array, out: Array) -> None:
        self.hook()
        np.copyto(out, x)

    def gradient(self, x: Array, y: Array, dy: Array, out: Array) -> None:
        np.copyto(out, dy)


def hooked(hook: Callable[[], object], workers: int = 2, shards: int = 10) -> ml.Objective:
    model = ml.Sequential([ml.Dense(2, 2), Hooked(hook), ml.Dense(2, 1)], seed=0)
    X = np.random.default_rng(0).standard_normal((2 * shards, 2))
    return ml.Objective(model, X, X[:, :1], ml.SquaredError(), workers=workers, shards=shards)


class Beside:
    """An evaluation by another thread, in its middle from enter to exit."""

    def __init__(self) -> None:
        self._begins, self._ends = threading.Event(), threading.Event()
        self.objective = hooked(self._stay, workers=1)
        self._thread = threading.Thread(target=lambda: self.objective(self.objective.x0))

    def _stay(self) -> None:
        self._begins.set()
        assert self._ends.wait(WATCHDOG_SECONDS)

    def __enter__(self) -> ml.Objective:
        self._thread.start()
        assert self._begins.wait(WATCHDOG_SECONDS)
        return self.objective

    def __exit__(self, *exception: object) -> None:
        self._ends.set()
        self._thread.join()


@forks
@threads_and_forks
def test_a_child_puts_back_what_only_other_threads_hold(three_blas_threads: None) -> None:
    with Beside():
        assert blas_threads() == {1}
        assert in_child(lambda: blas_threads() == {BLAS_THREADS})
        assert blas_threads() == {1}


@forks
@threads_and_forks
def test_a_child_keeps_what_its_own_thread_holds(three_blas_threads: None) -> None:
    def is_released_at_the_end() -> bool:
        with single_threaded_blas():
            pass
        return blas_threads() == {1}

    with Beside(), single_threaded_blas(), single_threaded_blas():
        assert in_child(is_released_at_the_end)
    child = None
    with suppress(KeyboardInterrupt), Beside():
        with single_threaded_blas():
            child = os.fork()
        if child == 0:
            os._exit(0 if blas_threads() == {BLAS_THREADS} else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@forks
@threads_and_forks
def test_a_child_does_not_wait_for_a_lock_of_another_thread(three_blas_threads: None) -> None:
    begins, ends = threading.Event(), threading.Event()

    def stay() -> None:
        with cpus._lock:
            begins.set()
            assert ends.wait(WATCHDOG_SECONDS)

    def hold() -> bool:
        signal.alarm(WATCHDOG_SECONDS)
        with single_threaded_blas():
            return blas_threads() == {1}

    thread = threading.Thread(target=stay)
    thread.start()
    try:
        assert begins.wait(WATCHDOG_SECONDS)
        assert in_child(hold)
    finally:
        ends.set()
        thread.join()


# Evaluations and runs


@pytest.mark.parametrize(("workers", "most"), [(1, 1), (2, 12)])
def test_an_evaluation_begins_no_further_shards(
    workers: int, most: int, three_blas_threads: None
) -> None:
    """Two workers may have begun the twelve shards that wait to be combined, of forty."""
    begun = 0

    def interrupt_the_first() -> None:
        nonlocal begun
        begun += 1
        if begun == 1:
            os.kill(os.getpid(), signal.SIGINT)

    objective = hooked(interrupt_the_first, workers=workers, shards=40)
    with interrupted():
        objective(objective.x0)
    assert begun <= most
    cost, gradient = objective(objective.x0)
    expected = hooked(lambda: None, shards=40)(objective.x0)
    assert cost == expected[0]
    np.testing.assert_array_equal(gradient, expected[1])


def test_waiting_for_another_threads_evaluation_can_be_interrupted() -> None:
    with Beside() as objective:
        timer = threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT))
        timer.start()
        with interrupted():
            objective(objective.x0)
        timer.join()


def test_a_layer_that_hangs_in_another_thread_can_be_left() -> None:
    go_on = threading.Event()
    objective = hooked(lambda: go_on.wait(WATCHDOG_SECONDS), shards=2)
    ends = threading.Event()

    def insist() -> None:
        while not ends.wait(0.02):
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=insist)
    try:
        with interrupted():
            try:
                thread.start()
                objective(objective.x0)
            finally:
                ends.set()
                thread.join()
    finally:
        go_on.set()


@pytest.mark.parametrize(
    ("where", "iterations"), [("callback", 3), ("objective", 1), ("validation", 2)]
)
def test_a_signal_in_a_run_ends_it_with_a_result(
    where: str, iterations: int, three_blas_threads: None
) -> None:
    """The third call of a function is interrupted. Validations begin with the start."""
    bowl = hooked(lambda: None)
    calls = 0

    def interrupt(place: str) -> None:
        nonlocal calls
        calls += place == where
        if place == where and calls == 3:
            ctrl_c()

    class Interrupted(ml.ProblemWrapper):
        def __call__(self, x: Array, /) -> tuple[float, Array]:
            interrupt("objective")
            return super().__call__(x)

    def metric(Y: Array, predictions: Array) -> float:
        interrupt("validation")
        return 0.0

    start = bowl.x0
    result = ml.GradientDescent(1e-3, max_iterations=20).minimize(
        Interrupted(bowl),
        callback=lambda _: interrupt("callback"),
        validation=ml.Validation(np.ones((3, 2)), np.ones((3, 1)), metric=metric),
    )
    assert result.status == ml.Status.INTERRUPTED
    assert result.nit == iterations
    assert len(result.history) == 1 + result.nit
    np.testing.assert_array_equal(bowl.model.parameters, result.x)
    assert not np.array_equal(result.x, start)


def test_a_signal_while_a_run_ends_is_told_in_its_result() -> None:
    class LateSignal(ml.ProblemWrapper):
        def set_parameters(self, x: Array, /) -> None:
            ctrl_c()
            super().set_parameters(x)

    objective = hooked(lambda: None)
    result = ml.LBFGS(max_iterations=3).minimize(LateSignal(objective))
    assert result.status == ml.Status.INTERRUPTED
    np.testing.assert_array_equal(objective.model.parameters, result.x)


@pytest.mark.parametrize(
    ("name", "stride"),
    [
        ("evaluations", 83),
        ("one worker", 83),
        ("beside a thread", 83),
        ("products", 83),
        ("minibatches", 83),
        ("predict", 41),
        ("passes", 23),
        ("LBFGS", 9001),
        ("TNC", 9001),
        ("gradient descent", 9001),
        ("LBFGS, stored", 40_001),
        ("TNC, stored", 9001),
    ],
)
def test_a_signal_at_any_instruction_leaves_nothing_behind(name: str, stride: int) -> None:
    times, problems = interrupt_everywhere(name, stride, first=1 + stride // 3)
    assert times > 3
    assert problems == []


@has_signals
def test_random_signals_leave_nothing_behind(capfd: pytest.CaptureFixture[str]) -> None:
    work = ["evaluations", "beside a thread", "LBFGS, stored"]
    failed = interrupts.main(["--signals", "60", "--seed", "1", "--work", *work])
    assert not failed, capfd.readouterr()
