"""Colours for light and dark screens: on dark screens a colour keeps its hue, and its lightness is inverted."""

from __future__ import annotations

import colorsys
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping

from viz.style import BLUE, GREEN, ORANGE


def colour_rules(svg: ET.Element, *others: Mapping[str, str]) -> str:
    """Return the CSS for the colours of a page, of its drawing, and of other SVG attributes, light and dark.

    >>> '[fill="#ffffff"]{fill:#1c1c1c}' in colour_rules(ET.fromstring('<circle fill="#ffffff"/>'))
    True
    """
    named = {"blue": BLUE, "orange": ORANGE, "green": GREEN}
    light = "".join(f"--{name}:{colour};--{name}-text:{_darker(colour)};" for name, colour in named.items())
    dark = "".join(f"--{name}:{_inverted(colour)};--{name}-text:{_inverted(colour)};" for name, colour in named.items())
    attributes = [*(element.attrib for element in svg.iter()), *others]
    drawn = {(kind, x.get(kind, "")) for x in attributes for kind in ("fill", "stroke")}
    rules = "".join(
        f':where([data-theme="dark"]) [{kind}="{colour}"]{{{kind}:{_inverted(colour)}}}'
        for kind, colour in sorted(drawn)
        if re.fullmatch("#[0-9a-f]{6}", colour)
    )
    return f':root{{{light}}}\n@media screen{{:root[data-theme="dark"]{{{dark}}}{rules}}}\n'


def _inverted(colour: str) -> str:
    """Return a colour of the same hue for a dark background: dark for a light `colour`, light for a dark one."""
    return _recoloured(colour, lambda lightness: 0.11 + 0.8 * (1 - lightness), 0.8)


def _darker(colour: str) -> str:
    """Return a darker shade of a colour, for text on a light background."""
    return _recoloured(colour, lambda lightness: 0.75 * lightness, 1.0)


def _recoloured(colour: str, change: Callable[[float], float], saturation_factor: float) -> str:
    hue, lightness, saturation = colorsys.rgb_to_hls(*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)))
    rgb = colorsys.hls_to_rgb(hue, change(lightness), saturation_factor * saturation)
    return "#" + "".join(f"{round(255 * part):02x}" for part in rgb)
