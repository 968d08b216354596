"""A clock that moves only when a test says so: no test asserts on elapsed time."""


class FakeClock:
    """Stands in for ``time.perf_counter``; the fixture ``clock`` puts it there."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
