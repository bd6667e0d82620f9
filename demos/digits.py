"""Handwritten digits classified by an MLP 64-32-10."""

from __future__ import annotations

from math import fsum, sqrt
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import engine
import nn
from demos._data import Examples
from demos._lesson import PICTURES, command, figure, heading, save
from engine import Value
from engine.formatting import format_number
from viz.plots.axes import Axes
from viz.style import BLUE, GREY, ORANGE

SIDE = 8  # width and height of an image, in pixels
MAX_MISREAD = 8  # misread digits in the picture, the most confident first
N_STRONGEST = 6  # hidden neurons in the plot of a decision


class Reading(NamedTuple):
    """An image of the digit r and the posterior probability of each digit; x is its ink, in rows from the top."""

    x: list[float]
    r: int
    posteriors: list[float]

    @property
    def likeliest(self) -> list[int]:
        """The digits in order of decreasing probability."""
        return sorted(range(10), key=lambda k: -self.posteriors[k])

    @property
    def right(self) -> bool:
        """Whether the likeliest digit is r."""
        return self.likeliest[0] == self.r

    def __str__(self) -> str:
        k = self.likeliest[0]
        return f"{self.r} read as {k}: {self.posteriors[k]:.2f}"


@command
def main(*, hidden: int = 32, epochs: int = 100, seed: int = 1, times: int = 10, output: Path = PICTURES) -> None:
    """Train a network, show which digits it misreads and why, and repeat the training with other seeds."""
    if times < 1:
        raise ValueError(f"--times must be 1 or more, got {times}")
    picture, paths = figure(16, 11), figure(14, 15)
    training, held_out = images(seed)

    heading(f"{len(training):,} training images of {SIDE} by {SIDE} pixels, {len(held_out)} held out")
    model, history = train(training, hidden, epochs, seed)
    print(f"{model}: {len(model.parameters()):,} parameters")
    print(f"After {epochs} epochs: {history.latest}.")
    readings = read(model, held_out)
    wrong = [reading for reading in readings if not reading.right]
    wrong.sort(key=lambda reading: -max(reading.posteriors))
    print(f"Held out: {len(wrong)} of {len(readings)} misread, accuracy {100 * accuracy(readings):.1f} %.")
    used = weights_in_use(model)
    print(f"Weight decay left {len(used)} of the {hidden} hidden neurons with noticeable weights.")

    heading("Confusion matrix: how many held-out digits r were read as y")
    pairs = [(reading.r, reading.likeliest[0]) for reading in readings]
    print("   r   y =" + "".join(f"{y:5}" for y in range(10)))
    for r in range(10):
        print(f"   {r}      " + "".join(f"{pairs.count((r, y)) or '.':>5}" for y in range(10)))

    heading("The terms that decide between the two likeliest digits k and l")
    print("o_k - o_l = v_k0 - v_l0 + sum_h (v_kh - v_lh) z_h, over the hidden neurons h:")
    right = [reading for reading in readings if reading.right]
    shown = [*right[:1], *wrong[:1]]
    for ax, reading in zip(paths.subplots(len(shown), squeeze=False).flat, shown, strict=True):
        plot_decision(model, reading, ax)

    heading("Other splits and other initial weights: accuracy in % on the held-out digits")
    accuracies = [accuracy(readings)]
    for other in range(seed + 1, seed + times):
        training, held_out = images(other)
        accuracies.append(accuracy(read(train(training, hidden, epochs, other)[0], held_out)))
    print(f"seeds {seed} to {seed + times - 1}: {', '.join(f'{100 * share:.1f}' for share in accuracies)}")
    print(f"The lowest is {100 * min(accuracies):.1f} %, the mean {100 * fmean(accuracies):.1f} %.")

    plot_weights(used, wrong[:MAX_MISREAD], picture.subplots())
    save(picture, output, "digits.png")
    save(paths, output, "digits_paths.png")


def images(seed: int) -> tuple[Examples, Examples]:
    """Return scikit-learn's 1,797 digits (Alpaydin and Kaynak 1998), split 4 : 1 with equal shares of each digit."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    ink, digits = load_digits(return_X_y=True)
    parts: list[Any] = train_test_split(ink / 16, digits, test_size=0.2, stratify=digits, random_state=seed)
    x, x_held_out, r, r_held_out = (part.tolist() for part in parts)
    return list(zip(x, r, strict=True)), list(zip(x_held_out, r_held_out, strict=True))


def train(examples: Examples, hidden: int, epochs: int, seed: int) -> tuple[nn.MLP, nn.History]:
    """Return a trained network and its history."""
    model = nn.MLP(SIDE * SIDE, [hidden, 10], hidden="relu", seed=seed)
    optimizer = nn.Adam(model.parameters(), weight_decay=5e-4)
    history = nn.train(
        model, nn.cross_entropy, examples, optimizer=optimizer, schedule=nn.cosine_decay(0.02, 0.0, epochs),
        batch_size=32, epochs=epochs, until=lambda history: False, seed=seed,
    )  # fmt: skip
    return model, history


def read(model: nn.MLP, examples: Examples) -> list[Reading]:
    """Classify images; the network is recorded for one and replayed for all."""
    pixels = [Value(0.0, f"x{i}") for i in range(1, model.n_inputs + 1)]
    posteriors = engine.compile(engine.softmax(model(pixels)), pixels)([x for x, _ in examples])
    return [Reading(x, r, y) for (x, r), y in zip(examples, posteriors.tolist(), strict=True)]


def accuracy(readings: list[Reading]) -> float:
    """Return the share of images that are read correctly."""
    return fmean(reading.right for reading in readings)


def weights_in_use(model: nn.MLP) -> dict[int, list[float]]:
    """Return the pixel weights of the hidden neurons that have any above 1/20 of the largest."""
    images = {h: [w.data for w in neuron.weights[1:]] for h, neuron in enumerate(model.layers[0].neurons, start=1)}
    largest = max(abs(w) for image in images.values() for w in image)
    return {h: image for h, image in images.items() if max(map(abs, image)) > largest / 20}


def plot_weights(images: dict[int, list[float]], misread: list[Reading], ax: Axes) -> None:
    """Plot misread digits, and below them the weights of hidden neurons as images."""
    for column, reading in enumerate(misread):
        plot_image(reading.x, ax, 1.1 * column, 1.75)
        ax.text(1.1 * column + 0.5, 2.8, str(reading), ha="center", va="bottom", size="small")
    largest = max(abs(w) for image in images.values() for w in image)
    for place, (h, image) in enumerate(images.items()):
        row, column = divmod(place, 8)
        plot_signed(image, ax, 1.1 * column, -1.3 * row, largest)
        ax.text(1.1 * column + 0.5, -1.3 * row + 1.03, f"z{h}", ha="center", va="bottom", size="small", color=GREY)
    ax.text(4.35, 1.4, "Weights of the hidden neurons: filled = positive, hollow = negative", ha="center", va="bottom")
    ax.set_title("Held-out digits, misread as the likeliest class and its probability")
    ax.set(xlim=(-0.1, 8.8), ylim=(-1.3 * ((len(images) - 1) // 8) - 0.1, 3.1), aspect="equal")
    ax.set_axis_off()


def plot_decision(model: nn.MLP, reading: Reading, ax: Axes) -> None:
    """Print and plot how the strongest hidden neurons decide between the two likeliest digits of an image."""
    hidden, output = model.layers
    k, other = reading.likeliest[:2]
    v_k, v_other = ([v.data for v in output.neurons[digit].weights] for digit in (k, other))
    z = [1.0, *(z_h.data for z_h in hidden(reading.x))]
    terms = [(a - b) * z_h for a, b, z_h in zip(v_k, v_other, z, strict=True)]
    strongest = sorted(range(1, len(z)), key=lambda h: -abs(terms[h]))[:N_STRONGEST]
    rest = fsum(terms) - terms[0] - fsum(terms[h] for h in strongest)
    addends = [f"{format_number(terms[0], 2)} (bias)", *(f"{format_number(terms[h], 2)} (z{h})" for h in strongest)]
    lines = [" + ".join(addends[:4]), " + ".join([*addends[4:], f"{format_number(rest, 2)} (the others)"])]
    print(f"\n{reading}; second {other}: {reading.posteriors[other]:.2f}")
    print(f"o{k} - o{other} = " + "\n        + ".join(lines).replace("+ -", "- "))
    odds = f"{reading.posteriors[k]:.4g} / {reading.posteriors[other]:.4g}"
    print(f"        = {format_number(fsum(terms), 4)} = log({odds})")

    ax.set_title(f"{reading}. The {len(strongest)} hidden neurons that weigh most between {k} and {other}")
    ax.text(0.0, -4.6, "boxes: weight w times ink x", size="small", color=GREY)
    ax.text(6.1, -4.6, "lines: weight v times output z; hollow and dashed: negative", size="small", color=GREY)
    plot_image(reading.x, ax, 0.0, -2.0, 4.0)
    neurons = {h: hidden.neurons[h - 1].weights[1:] for h in strongest}
    inputs = {h: [w.data * x for w, x in zip(ws, reading.x, strict=True)] for h, ws in neurons.items()}
    largest = max(abs(product) for products in inputs.values() for product in products) or 1.0
    place = {digit: 4.05 - 0.9 * digit for digit in range(10)}
    for row, h in enumerate(strongest):
        y = 3.7 - 1.45 * row
        ax.plot([4.1, 6.0], [0.0, y], color=GREY, linewidth=0.5)
        plot_signed(inputs[h], ax, 6.1, y - 0.65, largest, 1.3)
        ax.text(7.5, y, f"z{h} = {format_number(z[h], 2)}", va="center", size="small")
        for digit, v in ((k, v_k[h]), (other, v_other[h])):
            colour, dashes = (BLUE, "solid") if v > 0 else (ORANGE, "dashed")
            ax.plot([9.0, 12.4], [y, place[digit]], color=colour, linestyle=dashes, linewidth=abs(v * z[h]))
    for digit, y in place.items():
        share = reading.posteriors[digit]
        ax.text(12.7, y, str(digit), ha="center", va="center", weight="bold" if digit == reading.r else "normal")
        ax.barh(y, 3 * share, height=0.6, left=13.0, color=BLUE if digit == reading.r else ORANGE)
        if share >= 0.005:
            ax.text(13.1 + 3 * share, y, f"{share:.2f}", va="center", size="small")
    ax.set(xlim=(-0.1, 17.0), ylim=(-4.7, 4.7))


def plot_image(x: list[float], ax: Axes, left: float = 0.0, bottom: float = 0.0, size: float = 1.0) -> None:
    """Plot the ink of a digit."""
    extent = (left, left + size, bottom, bottom + size)
    ax.imshow([x[i : i + SIDE] for i in range(0, len(x), SIDE)], cmap="gray_r", vmin=0, vmax=1, extent=extent)
    ax.set_axis_off()


def plot_signed(numbers: list[float], ax: Axes, left: float, bottom: float, largest: float, side: float = 1.0) -> None:
    """Plot a number for every pixel as a square whose area is its size: filled if positive, hollow if negative."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    pixel = side / SIDE
    ax.add_patch(Rectangle((left, bottom), side, side, facecolor="none", edgecolor=GREY, linewidth=0.5))
    for above, face, edge in ((True, BLUE, BLUE), (False, "white", ORANGE)):
        squares = []
        for i, w in enumerate(numbers):
            if (w > 0) == above:
                size = pixel * sqrt(abs(w) / largest)
                x, y = left + pixel * (i % SIDE + 0.5), bottom + side - pixel * (i // SIDE + 0.5)
                squares.append(Rectangle((x - size / 2, y - size / 2), size, size))
        ax.add_collection(PatchCollection(squares, facecolor=face, edgecolor=edge, linewidth=0.7))


if __name__ == "__main__":
    main()
