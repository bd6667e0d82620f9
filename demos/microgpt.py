"""A GPT that makes up names: Karpathy's microgpt, in Values."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import engine
import nn
from demos._lesson import exit_on_error, figure, heading, parser, save
from engine import Value
from viz.style import ORANGE, SKY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

END = "."  # begins and ends every name
Vector = tuple[Value, ...]
Matrix = list[Vector]


def linear(matrix: Matrix, x: Vector) -> Vector:
    """The matrix times x: a weighted sum for every row."""
    return tuple([engine.dot(weights, x) for weights in matrix])


def add(x: Vector, y: Vector) -> Vector:
    return tuple([a + b for a, b in zip(x, y, strict=True)])


def rms_norm(x: Vector) -> Vector:
    """x divided by the root of the mean of its squares, so that no layer sees large numbers or small ones."""
    scale = (engine.dot(x, x) / len(x) + 1e-5) ** -0.5
    return tuple([a * scale for a in x])


class Attention(nn.Module):
    """How tokens hear of one another: a query of each meets the keys of others, and takes of their values by the match.

    Every head does so for its own share of the numbers. Causal: a token sees itself and those before it.
    """

    def __init__(self, width: int, heads: int, rng: random.Random) -> None:
        self.query, self.key, self.value = (matrix(width, width, rng) for _ in range(3))
        self.output = matrix(width, width, rng)
        size = width // heads
        self.heads = [slice(start, start + size) for start in range(0, width, size)]

    def weights(self, xs: list[Vector]) -> list[list[Vector]]:
        """For every token, and in it for every head, how much it takes of each token up to itself."""
        queries = [linear(self.query, x) for x in xs]
        keys = [linear(self.key, x) for x in xs]
        return [
            [match(query[head], [key[head] for key in keys[:t]]) for head in self.heads]
            for t, query in enumerate(queries, start=1)
        ]

    def __call__(self, xs: list[Vector]) -> list[Vector]:
        values = [linear(self.value, x) for x in xs]
        heard = []
        for t, by_head in enumerate(self.weights(xs), start=1):
            columns = list(zip(*values[:t], strict=True))  # for each number of a value what it is in tokens 1 to t
            mixed = [engine.dot(w, c) for w, head in zip(by_head, self.heads, strict=True) for c in columns[head]]
            heard.append(linear(self.output, tuple(mixed)))
        return heard


def match(query: Vector, keys: list[Vector]) -> Vector:
    """softmax(q^T k / sqrt(size)) over the keys (Vaswani et al. 2017)."""
    return tuple(engine.softmax([engine.dot(query, key) / len(query) ** 0.5 for key in keys]))


class GPT(nn.Module):
    """From tokens, as one-hot vectors, to logits for the token that follows each.

    A token goes through as `width` numbers, to which attention and the MLP each add something: the residual stream.
    """

    def __init__(
        self, tokens: int, width: int = 16, heads: int = 4, context: int = 16, seed: int | None = None
    ) -> None:
        rng = random.Random(seed)
        self.token = matrix(width, tokens, rng)
        self.position = matrix(context, width, rng)
        self.attention = Attention(width, heads, rng)
        self.up, self.down = matrix(4 * width, width, rng), matrix(width, 4 * width, rng)
        self.unembedding = matrix(tokens, width, rng)

    @property
    def context(self) -> int:
        """How many tokens it sees at most."""
        return len(self.position)

    def __call__(self, tokens: Sequence[Vector]) -> list[Vector]:
        xs = self.embedded(tokens)
        heard = self.attention([rms_norm(x) for x in xs])
        xs = [add(x, more) for x, more in zip(xs, heard, strict=True)]
        xs = [add(x, self.mlp(rms_norm(x))) for x in xs]
        return [linear(self.unembedding, x) for x in xs]

    def embedded(self, tokens: Sequence[Vector]) -> list[Vector]:
        """What a token is and where it stands. To multiply by a 1 among zeros is to look a column up."""
        return [rms_norm(add(linear(self.token, x), p)) for x, p in zip(tokens, self.position, strict=False)]

    def mlp(self, x: Vector) -> Vector:
        hidden = tuple([a.relu() for a in linear(self.up, x)])
        return linear(self.down, hidden)


def matrix(rows: int, columns: int, rng: random.Random) -> Matrix:
    return [tuple([Value(rng.gauss(0.0, 0.08)) for _ in range(columns)]) for _ in range(rows)]


def surprise(logits: list[Vector], following: Sequence[Vector]) -> Value:
    """The cross-entropy: the mean of -log of the probability that softmax gives to the token which did follow."""
    return engine.sum([engine.logsumexp(o) - engine.dot(r, o) for o, r in zip(logits, following, strict=True)]) / len(
        logits
    )


class Tokenizer:
    """Characters as one-hot vectors: a 1 where the character stands in the vocabulary, among zeros."""

    def __init__(self, names: Sequence[str]) -> None:
        self.vocabulary = [END, *sorted(set("".join(names)) - {END})]

    def __call__(self, text: str) -> list[Vector]:
        return [tuple([Value(float(c == token)) for token in self.vocabulary]) for c in text]

    def example(self, name: str, context: int) -> tuple[list[Vector], list[Vector]]:
        """A name and the same shifted by one: what is read, and what is to be foretold at each place."""
        return self((END + name)[:context]), self((name + END)[:context])


def sample(model: GPT, tokenizer: Tokenizer, temperature: float, rng: random.Random) -> str:
    """A name, token by token: each drawn by the model's probabilities, and then read as if it had been there.

    A temperature below 1 makes the likely likelier.
    """
    text = END
    with engine.no_grad():
        while len(text) <= model.context:
            logits = model(tokenizer(text))[-1]
            probabilities = engine.softmax([o / temperature for o in logits])
            (token,) = rng.choices(tokenizer.vocabulary, [float(y) for y in probabilities])
            if token == END:
                break
            text += token
    return text[1:]


def main(arguments: list[str] | None = None) -> None:
    options = parser("microgpt", __doc__)
    options.add_argument("--data", type=Path, metavar="FILE.txt", help="your own names, one a line")
    options.add_argument("--steps", type=int, default=1000, help="of training, a name each (default: %(default)s)")
    options.add_argument("--temperature", type=float, default=0.5, help="of the samples (default: %(default)s)")
    options.add_argument("--seed", type=int, default=1, help="of all that is random (default: %(default)s)")
    chosen = options.parse_args(arguments)
    with exit_on_error(options):
        if chosen.steps < 1 or not chosen.temperature > 0.0:
            raise ValueError("it takes 1 step or more, and a temperature above 0")
        lesson(chosen.data, chosen.steps, chosen.temperature, chosen.seed, chosen.output)


def lesson(path: Path | None, steps: int, temperature: float, seed: int, folder: Path) -> None:
    names = read(path) if path else first_names()
    picture = figure(9, 4)
    rng = random.Random(seed)
    rng.shuffle(names)
    tokenizer = Tokenizer(names)
    n_tokens = len(tokenizer.vocabulary)
    model = GPT(n_tokens, seed=seed)

    heading(f"{len(names):,} names, {n_tokens} tokens: {' '.join(tokenizer.vocabulary)}")
    print(f"A name is many examples. Of {names[0]!r} the model reads, and has to foretell:")
    for t, token in enumerate((names[0] + END)[: model.context]):
        print(f"  {END + names[0][:t]:16} {token}")

    heading(str(model))
    print("embedding, attention of 4 heads, MLP, unembedding; every token is 16 numbers")

    heading(f"{steps:,} steps, a name each")
    print(f"To know nothing is a loss of log({n_tokens}) = {math.log(n_tokens):.3f}.")
    history = train(model, [tokenizer.example(name, model.context) for name in islice(cycle(names), steps)])
    for start in range(0, len(history.steps), 100):
        losses = history.steps[start : start + 100]
        print(f"steps {start + 1:4} to {start + len(losses):4}  mean loss {fmean(losses):.3f}")
    if unread := names[steps : steps + 100]:
        loss, _ = nn.evaluate(model, surprise, [tokenizer.example(name, model.context) for name in unread])
        print(f"{len(unread)} names not read  mean loss {loss:.3f}")

    text = (END + max(names[:100], key=len))[:8]
    weights = look(model, tokenizer, text)

    heading(f"20 names at temperature {temperature:g}")
    for _ in range(20):
        name = sample(model, tokenizer, temperature, rng)
        kind = "read in training" if name in names[:steps] else "a name, not read" if name in names else "new"
        print(f"  {name:16} {kind}")

    axes = picture.subplot_mosaic([["loss", "loss", "head 1", "head 2"], ["loss", "loss", "head 3", "head 4"]])
    plot_losses(history.steps, axes.pop("loss"))
    plot_attention(weights, text, axes)
    save(picture, folder, "microgpt.png")


def train(model: GPT, data: list[tuple[list[Vector], list[Vector]]], *, compiled: bool = True) -> nn.History:
    """A step for each example, by Adam, with a learning rate that goes down to 0 in a straight line."""
    return nn.train(
        model,
        surprise,
        data,
        optimizer=nn.Adam(model.parameters(), betas=(0.85, 0.99)),
        schedule=nn.linear_decay(0.01, 0.0, epochs=1),
        epochs=1,
        batch_size=1,
        shuffle=False,
        compiled=compiled,
    )


def look(model: GPT, tokenizer: Tokenizer, text: str) -> list[list[Vector]]:
    """Tell what the model makes of the last token of a text; the weights of the attention."""
    with engine.no_grad():
        tokens = tokenizer(text)
        chances = engine.softmax(model(tokens)[-1])
        weights = model.attention.weights([rms_norm(x) for x in model.embedded(tokens)])
    heading(f"What follows {text!r}?")
    likeliest = sorted(zip(map(float, chances), tokenizer.vocabulary, strict=True), reverse=True)[:6]
    print("  ".join(f"{token} {chance:.0%}" for chance, token in likeliest))
    print(f"\nThe {text[-1]!r} looks at " + "".join(f"{token:>6}" for token in text))
    for number, shares in enumerate(weights[-1], start=1):
        print(f"  with head {number} " + "".join(f"{float(share):6.0%}" for share in shares))
    return weights


def plot_losses(losses: list[float], ax: Axes) -> None:
    means = [fmean(losses[max(step - 50, 0) : step]) for step in range(1, len(losses) + 1)]
    ax.plot(range(1, len(losses) + 1), losses, ".", markersize=2, color=SKY, label="a name")
    ax.plot(range(1, len(losses) + 1), means, color=ORANGE, label="mean of the last 50")
    ax.set(xlabel="step", ylabel="loss")
    ax.legend(fontsize="small")


def plot_attention(weights: list[list[Vector]], text: str, axes: dict[str, Axes]) -> None:
    """For every head a row for each token: how much it takes of those above the columns."""
    for number, (title, ax) in enumerate(axes.items()):
        shares = [[float(share) for share in by_head[number]] for by_head in weights]
        ax.imshow([row + [0.0] * (len(text) - len(row)) for row in shares], cmap="Blues", vmin=0.0, vmax=1.0)
        ax.set_xticks(range(len(text)), list(text))
        ax.set_yticks(range(len(text)), list(text))
        ax.set(title=title, xlabel="looks at", ylabel="token")


def first_names() -> list[str]:
    """The English first names that faker knows, in small letters.

    Raises:
        ImportError: faker, which brings them, is missing.
    """
    try:
        from faker.providers.person.en import Provider
    except ImportError:
        raise ImportError("the names need faker: pip install 'glassgrad[demos]'") from None
    return sorted({name.lower() for name in Provider.first_names})


def read(path: Path) -> list[str]:
    """The lines of a file, without empty ones.

    Raises:
        ValueError: there is none, or one has the token that ends a name.
    """
    names = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not names:
        raise ValueError(f"{path}: it takes a name a line, and there is none")
    for name in names:
        if END in name:
            raise ValueError(f"{path}: {name!r} has a {END!r}, which ends a name")
    return names


if __name__ == "__main__":
    main()
