"""Colours for light and dark screens: in the dark a colour keeps its hue and inverts its lightness."""

from __future__ import annotations

import colorsys
import re
import xml.etree.ElementTree as ET

from viz.style import BLUE, GREEN, ORANGE


def colour_rules(svg: ET.Element) -> str:
    """Return the CSS for the colours of a page and of its drawing, light and dark.

    >>> '[fill="#ffffff"]{fill:#1c1c1c}' in colour_rules(ET.fromstring('<circle fill="#ffffff"/>'))
    True
    """
    named = {"blue": BLUE, "orange": ORANGE, "green": GREEN}
    light = "".join(f"--{name}:{colour};--{name}-text:{_darker(colour)};" for name, colour in named.items())
    dark = "".join(f"--{name}:{_inverted(colour)};--{name}-text:{_inverted(colour)};" for name, colour in named.items())
    drawn = {(kind, x.get(kind, "")) for x in svg.iter() for kind in ("fill", "stroke")}
    rules = "".join(
        f':where([data-theme="dark"]) [{kind}="{colour}"]{{{kind}:{_inverted(colour)}}}'
        for kind, colour in sorted(drawn)
        if re.fullmatch("#[0-9a-f]{6}", colour)
    )
    return f':root{{{light}}}\n@media screen{{:root[data-theme="dark"]{{{dark}}}{rules}}}\n'


def _inverted(colour: str) -> str:
    """Return a colour of the same hue that is as far from a dark background as `colour` from white."""
    hue, lightness, saturation = _hls(colour)
    return _hex(hue, 0.11 + 0.8 * (1 - lightness), 0.8 * saturation)


def _darker(colour: str) -> str:
    """Return a darker shade of a colour, for text on a light background."""
    hue, lightness, saturation = _hls(colour)
    return _hex(hue, 0.75 * lightness, saturation)


def _hls(colour: str) -> tuple[float, float, float]:
    return colorsys.rgb_to_hls(*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)))


def _hex(hue: float, lightness: float, saturation: float) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in colorsys.hls_to_rgb(hue, lightness, saturation))
