"""A terminal of fixed width: a pseudo-terminal that stands in for standard error."""

import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Terminal:
    """What was written to it, once it is closed."""

    def __init__(self) -> None:
        self.text = ""

    @property
    def frames(self) -> list[str]:
        """What stood in a line, each time that it was written anew."""
        lines = self.text.replace("\n", "").split("\r")
        return [line.rstrip() for line in lines if line.strip()]


@contextmanager
def terminal(columns: int) -> Iterator[tuple[Terminal, TextIO]]:
    """Give a terminal and the stream to write to it."""
    import fcntl  # POSIX alone has these two
    import termios

    reader, writer = os.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    seen = Terminal()
    chunks: list[bytes] = []

    def drain() -> None:
        try:
            while chunk := os.read(reader, 4096):
                chunks.append(chunk)
        except OSError:
            pass  # so Linux says that the writer is closed

    thread = threading.Thread(target=drain)
    thread.start()
    try:
        with open(writer, "w", encoding="utf-8") as stream:
            yield seen, stream
    finally:
        thread.join()
        os.close(reader)
        seen.text = b"".join(chunks).decode()
