"""The playground: a page that trains a network on your data, every neuron in sight."""

import random
import sys
import webbrowser
from pathlib import Path

import nn
import viz
from demos._data import XOR, Table, circles, iris, moons, read_table, spirals
from demos._lesson import PICTURES, command, heading

# For each data set the hidden layers that learn it well
HIDDEN = {"xor": [4], "moons": [8, 8], "circles": [4], "spirals": [12, 12], "iris": [6]}


@command
def main(
    *, dataset: str = "xor", data: Path | None = None, hidden_sizes: list[int] | None = None, seed: int = 1,
    output: Path = PICTURES,
) -> None:  # fmt: skip
    """Write the page of a data set, and open it."""
    table = read_table(data).standardized() if data else load(dataset)
    examples = table.examples
    if len(examples) > len(XOR):
        random.Random(seed).shuffle(examples)
    n_test = len(examples) // 4 if len(examples) > len(XOR) else 0
    train, test = examples[n_test:], examples[:n_test]
    n_classes = len(table.classes)
    hidden = hidden_sizes if hidden_sizes is not None else [8] if data else HIDDEN[dataset]
    outputs = 1 if n_classes == 2 else n_classes
    model = nn.MLP(len(table.names) - 1, [*hidden, outputs], hidden="tanh", seed=seed)
    sizes_text = "-".join(map(str, [model.n_inputs, *model.sizes]))
    heading(str(model))
    print(f"{len(train)} examples to train with, {len(test)} to test, {n_classes} classes: {', '.join(table.classes)}")

    output.mkdir(parents=True, exist_ok=True)
    page = viz.playground(
        model, train, output / "playground.html", test=test, seed=seed, inputs=table.names[:-1], classes=table.classes,
        loss=nn.binary_cross_entropy if n_classes == 2 else nn.cross_entropy,
        title=f"{data.stem if data else dataset}: a network {sizes_text} learns",
    )  # fmt: skip
    print(f"\nInteractive page: {page}")
    if sys.stdout.isatty():
        webbrowser.open(page.resolve().as_uri())


def load(dataset: str) -> Table:
    """Return a data set by its name."""
    loaders = {"moons": moons, "circles": circles, "spirals": spirals, "iris": iris}
    if dataset == "xor":
        return Table(["x1", "x2", "x1 xor x2"], [x for x, _ in XOR], ["1" if r > 0 else "0" for _, r in XOR])
    if dataset not in loaders:
        raise ValueError(
            f"the data set must be one of xor, {', '.join(loaders)}, got {dataset!r}: or use --data FILE.csv"
        )
    table = loaders[dataset]()
    return table.standardized() if dataset == "iris" else table


if __name__ == "__main__":
    main()
