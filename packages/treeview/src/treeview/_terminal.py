"""Writing to a terminal, or to whatever the output has been redirected to."""

import os
from typing import TextIO


def wants_color(stream: TextIO) -> bool:
    """Whether text written to a stream should carry ANSI codes.

    `NO_COLOR` (https://no-color.org) and `FORCE_COLOR` (https://force-color.org) in the environment
    decide, in this order; then whether the stream is a terminal that knows colours.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    if os.environ.get("TERM") == "dumb":
        return False
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # no such method, or closed
        return False


def write_line(stream: TextIO, line: str) -> None:
    """Writes text and a newline; characters that the stream has no code for as escapes."""
    try:
        stream.write(f"{line}\n")
    except UnicodeEncodeError:
        encoding = getattr(stream, "encoding", None) or "ascii"
        known = line.encode(encoding, "backslashreplace").decode(encoding)
        stream.write(f"{known}\n")
