"""Two moons separated by an MLP 2-16-16-1: micrograd's demo."""

from pathlib import Path

import nn
import viz
from demos._data import moons, read_table
from demos._lesson import PICTURES, command, figure, heading, plot_plane, save


@command
def main(*, data: Path | None = None, epochs: int = 300, seed: int = 1, output: Path = PICTURES) -> None:
    """Train a network on two classes; plot its decision boundary and its losses."""
    table = read_table(data).standardized() if data else moons()
    examples = table.two_classes()
    picture = figure(14, 6)

    model = nn.MLP(len(table.names) - 1, [16, 16, 1], hidden="relu", init="micrograd", seed=seed)
    animation = viz.Animation(model, examples, names=table.classes) if model.n_inputs == 2 else None
    heading(str(model))
    print(f"{len(model.parameters())} parameters, {len(examples)} examples\n")
    optimizer = nn.SGD(model.parameters(), weight_decay=2e-4)  # micrograd's penalty, 1e-4 * theta**2
    history = nn.train(
        model, nn.hinge, examples, optimizer=optimizer, schedule=nn.linear_decay(1.0, 0.1, 100), batch_size=None,
        epochs=epochs, until=lambda history: nn.evaluate(model, nn.hinge, examples)[1] == 1.0, callback=animation,
    )  # fmt: skip
    for epoch in sorted({*range(0, history.epochs, 10), history.epochs - 1}):
        print(f"step {epoch:3}  loss {history.loss[epoch]:.4f}  accuracy {100 * history.accuracy[epoch]:5.1f} %")
    loss, accuracy = nn.evaluate(model, nn.hinge, examples)
    print(f"\nAfter training: loss {loss:.4f}, accuracy {100 * (accuracy or 0.0):.1f} %.")

    at_plane, at_loss = picture.subplots(1, 2)
    plot_plane(model, examples, table, at_plane, scale="score y = model(x)").set_title("The boundary is at y = 0")
    viz.plot_loss(history, ax=at_loss)
    if animation:
        save(animation, output, "moons.gif")
    save(picture, output, "moons.png")


if __name__ == "__main__":
    main()
