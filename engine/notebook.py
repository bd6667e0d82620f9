"""Pictures in notebooks: where viz is installed, the first Value that a notebook shows imports it."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any


def running_shell() -> Any:
    """Return the shell of IPython in which Python runs, None without one."""
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


class Pictured:
    """An object that viz shows as a picture in a notebook.

    viz registers the pictures with IPython when it is imported. The engine does not depend on it: it only looks for it
    by name when an object is displayed.
    """

    __slots__ = ()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Return the text; IPython adds to it what viz has registered."""
        shell = running_shell()
        if shell and "text/html" in shell.display_formatter.active_types and importlib.util.find_spec("viz"):
            importlib.import_module("viz")
        return {"text/plain": repr(self)}
