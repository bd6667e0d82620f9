"""Two moons told apart by an MLP 2-16-16-1: micrograd's demo."""

from __future__ import annotations

from pathlib import Path

import nn
import viz
from demos import _table
from demos._lesson import exit_on_error, figure, heading, parser, plot_plane, save


def main(arguments: list[str] | None = None) -> None:
    options = parser("moons", __doc__)
    options.add_argument("--data", type=Path, metavar="FILE.csv", help="your own two classes: header, target last")
    options.add_argument("--epochs", type=int, default=300, help="steps at most (default: %(default)s)")
    options.add_argument("--seed", type=int, default=1, help="of the first weights (default: %(default)s)")
    chosen = options.parse_args(arguments)
    with exit_on_error(options):
        lesson(chosen.data, chosen.epochs, chosen.seed, chosen.output)


def lesson(path: Path | None, epochs: int, seed: int, folder: Path) -> None:
    table = _table.read(path).standardised() if path else moons()
    data = table.two_classes()
    picture = figure(9, 4)

    model = nn.MLP(len(data[0][0]), [16, 16, 1], hidden="relu", init="micrograd", seed=seed)
    animation = viz.Animation(model, data, names=table.classes) if model.n_inputs == 2 else None
    heading(str(model))
    print(f"{len(model.parameters())} parameters, {len(data)} examples\n")
    history = nn.train(
        model,
        nn.hinge,
        data,
        optimizer=nn.SGD(model.parameters(), weight_decay=2e-4),  # micrograd's penalty, 1e-4 * theta**2
        schedule=nn.linear_decay(1.0, 0.1, 100),
        batch_size=None,
        epochs=epochs,
        until=lambda history: nn.evaluate(model, nn.hinge, data)[1] == 1.0,
        callback=animation,
    )
    for epoch in sorted({*range(0, history.epochs, 10), history.epochs - 1}):
        print(f"step {epoch:3}  loss {history.loss[epoch]:.4f}  accuracy {100 * history.accuracy[epoch]:5.1f} %")
    loss, accuracy = nn.evaluate(model, nn.hinge, data)
    print(f"\nAfter training: loss {loss:.4f}, accuracy {100 * (accuracy or 0.0):.1f} %.")

    at_plane, at_loss = picture.subplots(1, 2)
    plot_plane(model, data, table.names[:-1], table.classes, at_plane).set_title("The score, 0 on the line")
    viz.plot_loss(history, ax=at_loss)
    save(picture, folder, "moons.png")
    if animation:
        animation.save(folder / "moons.gif")
        print(f"Animation: {folder / 'moons.gif'}")


def moons() -> _table.Table:
    """100 points on two half circles, with a little noise."""
    from sklearn.datasets import make_moons

    points, classes = make_moons(n_samples=100, noise=0.1, random_state=1)
    return _table.Table(["x1", "x2", "moon"], points.tolist(), [str(k) for k in classes])


if __name__ == "__main__":
    main()
