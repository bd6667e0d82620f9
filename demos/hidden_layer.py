"""Half planes and regions: what a hidden layer does (P17-P22)."""

from itertools import chain, product
from math import dist
from pathlib import Path

import nn
import viz
from demos._data import XOR, Examples
from demos._lesson import PICTURES, command, figure, heading, plot_corners, report_agreement, save, share_legend
from engine.formatting import format_number
from nn.signals import signals_of
from viz.plots.axes import Axes
from viz.style import DARK, GREEN, PURPLE

HALF_PLANES = {"z1": GREEN, "z2": PURPLE}
HIDDEN_AREA = (-1.7, 1.7), (-1.7, 1.7)
NEAR = 0.4  # corners that are closer in hidden space share a label

# Each region is a union of convex ones, and each of these an intersection of half planes w0 + w1 x1 + w2 x2 > 0.
HALF_PLANE = [[(-1.0, 1.0, 0.0)]]
TRIANGLE = [[(-0.5, 1.0, 0.0), (-0.5, 0.0, 1.0), (3.02, -1.0, -1.0)]]
LETTER_L = [
    [(-0.5, 1.0, 0.0), (1.2, -1.0, 0.0), (-0.5, 0.0, 1.0), (2.5, 0.0, -1.0)],
    [(-0.5, 1.0, 0.0), (2.5, -1.0, 0.0), (-0.5, 0.0, 1.0), (1.2, 0.0, -1.0)],
]
REGIONS = {"1 half plane": HALF_PLANE, "AND of 3 half planes": TRIANGLE, "OR of 2 ANDs": LETTER_L}
SQUARE = (0.0, 3.0), (0.0, 3.0)

Region = list[list[tuple[float, float, float]]]


@command
def main(*, seed: int = 2, epochs: int = 400, eta: float = 0.05, output: Path = PICTURES) -> None:
    """Train two hidden neurons on XOR, look into their space, and build regions out of half planes."""
    strip, regions = figure(16, 8.6), figure(15, 5.6)
    heading("A network of 2 inputs, 2 hidden neurons and 1 output learns XOR (P17)")
    model = nn.MLP(2, [2, 1], hidden="tanh", seed=seed)
    states = [model.state_dict()]
    history = nn.train(
        model, nn.hinge, XOR, optimizer=nn.Adam(model.parameters(), eta), epochs=epochs, seed=seed,
        callback=lambda history: states.append(model.state_dict()),
    )  # fmt: skip
    print(f"{history.ending}: {history.latest}")

    heading("Each hidden neuron divides the plane by a line (P21)")
    for j, neuron in enumerate(model.layers[0].neurons, start=1):
        print(f"z{j} > 0 where {line(neuron)} > 0")

    heading("The four corners, as the output neuron sees them (P22)")
    print("    x1   x2        z1       z2        y    r")
    for letter, (x, r) in zip("ABCD", XOR, strict=True):
        z1, z2 = hidden_outputs(model, x)
        y = model(x).data
        numbers = "".join(f"{format_number(number, 3):>9}" for number in (z1, z2, y))
        print(f"{letter} {x[0]:4g}{x[1]:5g} {numbers}{r:5}{'' if (y > 0) == (r > 0) else '   wrong'}")
    print("In the plane of z1 and z2 one line divides them:")
    print(f"y = {line(model.layers[1].neurons[0], 'z')} = 0")

    axes = strip.subplots(2, 4)
    for column, share in enumerate((0.0, 0.25, 0.5, 1.0)):
        epoch = round(share * history.epochs)
        model.load_state_dict(states[epoch])
        plot_inputs(model, axes[0, column], "before training" if epoch == 0 else f"epoch {epoch}")
        plot_hidden_space(model, axes[1, column])
    share_legend(strip, axes[0, 0], "Above: the plane of the inputs. Below: the same corners in the plane of z1 and z2")

    heading("AND of half planes is a convex region, OR of convex regions any region (P21-P22)")
    print("With the threshold as activation, a neuron computes AND of n inputs with the")
    print("weights 1 and the bias weight -(n - 1), and OR with the bias weight n - 1:")
    for ax, (name, region) in zip(regions.subplots(1, 3), REGIONS.items(), strict=True):
        network = network_of(region)
        grid = [(i / 20 + 0.01, j / 20 + 0.01) for i in range(60) for j in range(60)]
        print(f"\n{name}: {network}")
        differences = [abs(network(x).data - (1.0 if contains(region, x) else -1.0)) for x in grid]
        report_agreement("outputs", differences, 0.0, "the inequalities")
        points = [(x, network(x).data) for x in product((0.25, 0.75, 1.25, 1.75, 2.25, 2.75), repeat=2)]
        viz.plot_decision_boundary(network, points, names=["y = -1", "y = 1"], area=SQUARE, ax=ax)
        ax.set(title=name, aspect="equal")
    share_legend(regions, ax, "A network of thresholds: y = 1 in the region, else -1")

    save(viz.network(model, [0.0, 1.0]), output, "hidden_layer.svg")
    save(regions, output, "hidden_layer_regions.png")
    save(strip, output, "hidden_layer.png")


def line(neuron: nn.Perceptron, name: str = "x") -> str:
    """Return the weighted sum of a neuron as text."""
    w0, w1, w2 = (format_number(w.data, 3) for w in neuron.weights)
    return f"{w0} + {w1} {name}1 + {w2} {name}2".replace("+ -", "- ")


def hidden_outputs(model: nn.MLP, x: list[float]) -> list[float]:
    """Return the outputs z of the hidden layer."""
    return [z for z in signals_of(model, x).z[0] if z is not None]


def plot_inputs(model: nn.MLP, ax: Axes, title: str) -> None:
    """Plot the output over the plane of the inputs, with the line of each hidden neuron."""
    plot_corners(model, XOR, ax, title)
    low, high = ax.get_xlim()
    for (name, colour), neuron in zip(HALF_PLANES.items(), model.layers[0].neurons, strict=True):
        w0, w1, w2 = (w.data for w in neuron.weights)
        # The point of the line that is closest to the middle of the square, and the direction of the line
        distance = (w0 + (w1 + w2) / 2) / (w1 * w1 + w2 * w2)
        at = 0.5 - w1 * distance, 0.5 - w2 * distance
        ax.axline(at, (at[0] - w2, at[1] + w1), color=colour, linestyle="--", label=f"{name} = 0")
    ax.set(xlim=(low, high), ylim=(low, high))
    label_corners([x for x, _ in XOR], ax)


def plot_hidden_space(model: nn.MLP, ax: Axes) -> None:
    """Plot the output over the plane of the hidden outputs, with the four corners in it."""
    data: Examples = [(hidden_outputs(model, x), r) for x, r in XOR]
    viz.plot_decision_boundary(model.layers[1].neurons[0], data, area=HIDDEN_AREA, ax=ax)
    label_corners([z for z, _ in data], ax)
    ax.set(xlabel="z1", ylabel="z2", aspect="equal", xticks=[-1, 0, 1], yticks=[-1, 0, 1])


def label_corners(places: list[list[float]], ax: Axes) -> None:
    """Write the letters A to D of the corners above their places; places that are close together share a label."""
    labels: dict[tuple[float, ...], str] = {}
    for letter, place in zip("ABCD", places, strict=True):
        near = next((other for other in labels if dist(other, place) < NEAR), tuple(place))
        labels[near] = labels.get(near, "") + letter
    for (z1, z2), letters in labels.items():
        ax.annotate(letters, (z1, z2), (0, 7), textcoords="offset points", ha="center", va="bottom", color=DARK)


def network_of(region: Region) -> nn.MLP:
    """Return the network of thresholds whose output is 1 in a region, else -1."""
    half_planes = sorted({half_plane for convex in region for half_plane in convex})
    network = nn.MLP(2, [len(half_planes), len(region), 1], hidden="sign", output="sign")
    ands = [[1.0 - len(convex), *(float(h in convex) for h in half_planes)] for convex in region]
    union = [len(region) - 1.0, *(1.0 for _ in region)]
    for parameter, weight in zip(network.parameters(), chain(*half_planes, *ands, union), strict=True):
        parameter.data = weight
    return network


def contains(region: Region, x: tuple[float, float]) -> bool:
    """Return whether a point is in a region, by its inequalities."""
    return any(all(w0 + w1 * x[0] + w2 * x[1] > 0 for w0, w1, w2 in convex) for convex in region)


if __name__ == "__main__":
    main()
