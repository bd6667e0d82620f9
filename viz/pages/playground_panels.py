"""The panels beside the plane of the playground: curves, confusion matrices and histograms, with their words."""

from __future__ import annotations

NAMES = {"curves": "curves", "confusion": "confusion matrix", "histograms": "histograms"}

MARKS = {  # of neurons
    "dead": "for every training example its slope is 0, so its weights do not learn",
    "saturated": "for nearly every training example its slope is below 0.02, so its weights hardly learn",
    "exploding": "the gradient of its weights is longer than 100, so its steps are large: "
    "choose a smaller learning rate, or smaller first weights",
}


def marks_markup() -> str:
    """Return the marks that a neuron can have, hidden."""
    return "".join(f'<b data-mark="{mark}" title="{text}" hidden> {mark}</b>' for mark, text in MARKS.items())


def explanations_markup() -> str:
    """Return the explanations of the marks, hidden."""
    return "".join(f'<span data-explains="{mark}" hidden>{mark}: {text}</span>' for mark, text in MARKS.items())


def panels_markup(task: str) -> str:
    """Return the panels and the choice among them, as HTML.

    Args:
        task: "hinge", "binary", "classes" or "number"; a model of numbers has no confusion matrix.
    """
    panels = {"curves": _curves(has_accuracy=task != "number"), "histograms": HISTOGRAMS}
    if task != "number":
        panels["confusion"] = CONFUSION
    choices = "".join(
        f'<label><input type="radio" name="play-panel" value="{name}"{" checked" if name == "curves" else ""}> '
        f"<span>{text}</span></label>"
        for name, text in NAMES.items()
        if name in panels
    )
    return f'<fieldset><legend class="spoken">show</legend>{choices}</fieldset>' + "".join(
        f'<div id="play-{name}" role="group" aria-label="{NAMES[name]}">{markup}</div>'
        for name, markup in panels.items()
    )


def _curves(*, has_accuracy: bool) -> str:
    """Return the curves of the loss and of the accuracy, with their last numbers."""
    curves = []
    for kind in ["loss", "accuracy"] if has_accuracy else ["loss"]:
        labels = {
            part: "accuracy" if (part, kind) == ("training", "accuracy") else f"{part} {kind}"
            for part in ("training", "test")
        }
        numbers = "".join(
            f'<span class="{part}">{part} '
            f'<output id="play-{part}-{kind}" aria-live="off" aria-label="{label}"></output></span>'
            for part, label in labels.items()
        )
        paths = '<path class="now"/>' + "".join(
            f'<path class="{part}" data-part="{part}" data-kind="{kind}"/>' for part in labels
        )
        curves.append(
            f"<figure><figcaption><b>{kind}</b> {numbers}</figcaption>"
            f'<svg viewBox="0 0 300 100" preserveAspectRatio="none" role="img" aria-label="{kind} by epoch">{paths}'
            "</svg>"
            f'<p class="ends" aria-hidden="true"><span>0</span><output data-last="{kind}"></output></p></figure>'
        )
    return "".join(curves)


MARK = '<svg viewBox="-6 -6 12 12" aria-hidden="true"><path data-class="{k}"/></svg>'

# Rows are the classes of the examples, columns those that the network predicts.
CONFUSION = "".join(
    f'<table class="{part}" data-part="{part}"><caption>{part}: class by prediction</caption>'
    "<thead><tr><td></td></tr></thead><tbody></tbody></table>"
    for part in ("training", "test")
) + (
    f'<template id="play-prediction"><th scope="col" title="{{name}}">{MARK}'
    '<span class="spoken">predicted {name}</span></th></template>'
    f'<template id="play-class"><tr><th scope="row">{MARK} {{name}}</th></tr></template>'
    '<template id="play-cell"><td title="class {actual} taken for {predicted}">'
    '<span class="spoken">class {actual} taken for {predicted}: </span><b></b></td></template>'
)


def _histograms(name: str) -> str:
    """Return the row of the histograms of a layer."""
    return (
        f'<div><b>{name}</b><figure data-kind="outputs" tabindex="0" role="img" aria-label="outputs of {name}">'
        '<svg viewBox="0 0 24 20" preserveAspectRatio="none"><rect x="-1" width="1" height="20"/><path/></svg>'
        '<p class="ends"><output data-end="low"></output><output data-end="high"></output></p></figure>'
        f'<figure data-kind="gradients" tabindex="0" role="img" aria-label="gradients of {name}">'
        '<svg viewBox="0 0 24 20" preserveAspectRatio="none"><rect x="-1" width="1" height="20"/><path/></svg>'
        '<p class="ends"><span>0</span><span>1e-6</span><span>0.001</span><span>1</span><span>1000</span></p>'
        "</figure></div>"
    )


def _place(name: str) -> str:
    return f'<output data-place="{name}"></output>'


HISTOGRAMS = (
    '<div class="head"><b></b><span>outputs of the neurons</span>'
    "<span>gradients of the weights, by size</span></div>"
    '<div class="rows"></div>'
    '<p id="play-histogram-numbers" role="status">'
    '<span data-says="nothing">Point at a bar for its numbers, or use Tab and the arrow keys.</span>'
    f'<span data-says="numbers" hidden><b data-place="figure"></b>: {_place("n")} numbers from {_place("least")} to '
    f"{_place('largest')}, mean {_place('mean')}, standard deviation {_place('deviation')}. "
    f'<span data-bar="outputs" hidden>{_place("count")} from {_place("from")} to {_place("to")}.</span>'
    f'<span data-bar="gradients" hidden>{_place("count")} of a size from {_place("from")} to {_place("to")}.</span>'
    f'<span data-bar="least" hidden>{_place("count")} smaller than {_place("to")}.</span></span></p>'
    f'<template id="play-histogram">{_histograms("layer {layer}")}</template>'
    f'<template id="play-histogram-output">{_histograms("output layer")}</template>'
)
