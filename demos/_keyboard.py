"""Single key presses from the terminal."""

import os
import sys

ARROWS = {
    "\x1b[A": "up", "\x1b[B": "down", "\x1b[C": "right", "\x1b[D": "left",  # Unix
    "\xe0H": "up", "\xe0P": "down", "\xe0M": "right", "\xe0K": "left",  # Windows
}  # fmt: skip


def read_key() -> str:
    """Wait for a key and return its character, or the name of an arrow key; "" at the end of the input."""
    if sys.platform == "win32":
        import msvcrt

        key = msvcrt.getwch()
        return ARROWS.get("\xe0" + msvcrt.getwch(), "") if key in "\0\xe0" else key
    import select
    import termios

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    settings = termios.tcgetattr(terminal)
    settings[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)  # single keys, not shown; Ctrl-C is one of them
    termios.tcsetattr(terminal, termios.TCSADRAIN, settings)
    try:
        key = os.read(terminal, 1)
        if key == b"\x1b" and select.select([terminal], [], [], 0.05)[0]:  # the Esc key sends nothing more
            key += os.read(terminal, 2)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
    return ARROWS.get(key.decode(errors="replace"), key.decode(errors="replace"))
