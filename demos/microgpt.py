"""A GPT that invents names: Karpathy's microgpt."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from itertools import chain, cycle, islice
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import engine
import nn
from demos._lesson import PICTURES, command, figure, heading, save
from engine import Value
from viz.style import ORANGE, SKY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

END = "."  # begins and ends every name
Vector = tuple[Value, ...]
Matrix = list[Vector]


def linear(matrix: Matrix, x: Vector) -> Vector:
    """Return the product of a matrix and x: one weighted sum per row."""
    return tuple([engine.dot(weights, x) for weights in matrix])


def add(x: Vector, y: Vector) -> Vector:
    """Return x + y."""
    return tuple([a + b for a, b in zip(x, y, strict=True)])


def rms_norm(x: Vector) -> Vector:
    """Return x divided by its root mean square, so that every layer sees numbers of similar size."""
    scale = (engine.dot(x, x) / len(x) + 1e-5) ** -0.5
    return tuple([a * scale for a in x])


class Attention(nn.Module):
    """Attention: each token's query is compared with the other tokens' keys; the match weights their values.

    Every head does so for its own part of the vectors. Attention is causal: a token sees itself and earlier tokens.
    """

    def __init__(self, width: int, heads: int, rng: random.Random) -> None:
        self.query, self.key, self.value = (matrix(width, width, rng) for _ in range(3))
        self.output = matrix(width, width, rng)
        size = width // heads
        self.heads = [slice(start, start + size) for start in range(0, width, size)]

    def weights(self, xs: list[Vector]) -> list[list[Vector]]:
        """Return, for every token and every head, the weight of each token up to this one."""
        keys = [linear(self.key, x) for x in xs]
        weights = []
        for t, query in enumerate([linear(self.query, x) for x in xs], start=1):
            weights.append([match(query[head], [key[head] for key in keys[:t]]) for head in self.heads])
        return weights

    def __call__(self, xs: list[Vector]) -> list[Vector]:
        """Return the weighted values of each token."""
        values = [linear(self.value, x) for x in xs]
        outputs = []
        for t, by_head in enumerate(self.weights(xs), start=1):
            columns = list(zip(*values[:t], strict=True))  # each component of the values, over tokens 1 to t
            mixed = [engine.dot(w, c) for w, head in zip(by_head, self.heads, strict=True) for c in columns[head]]
            outputs.append(linear(self.output, tuple(mixed)))
        return outputs


def match(query: Vector, keys: list[Vector]) -> Vector:
    """Return softmax(q^T k / sqrt(size)) over the keys (Vaswani et al. 2017)."""
    return tuple(engine.softmax([engine.dot(query, key) / len(query) ** 0.5 for key in keys]))


class GPT(nn.Module):
    """A function from tokens, as one-hot vectors, to the logits of the token that follows each.

    A token is a vector of `width` numbers, to which attention and the MLP are added: the residual stream.
    """

    def __init__(self, tokens: int, width: int = 16, heads: int = 4, context: int = 16, seed: int | None = None):
        rng = random.Random(seed)
        self.token = matrix(width, tokens, rng)
        self.position = matrix(context, width, rng)
        self.attention = Attention(width, heads, rng)
        self.up, self.down = matrix(4 * width, width, rng), matrix(width, 4 * width, rng)
        self.unembedding = matrix(tokens, width, rng)

    @property
    def context(self) -> int:
        """The maximum number of tokens it sees."""
        return len(self.position)

    def __call__(self, tokens: Sequence[Vector]) -> list[Vector]:
        """Return the logits after each token."""
        xs = self.embedded(tokens)
        xs = [add(x, y) for x, y in zip(xs, self.attention([rms_norm(x) for x in xs]), strict=True)]
        xs = [add(x, self.mlp(rms_norm(x))) for x in xs]
        return [linear(self.unembedding, x) for x in xs]

    def embedded(self, tokens: Sequence[Vector]) -> list[Vector]:
        """Return the sum of the embeddings of each token and of its position; a one-hot x selects a column."""
        return [rms_norm(add(linear(self.token, x), p)) for x, p in zip(tokens, self.position, strict=False)]

    def mlp(self, x: Vector) -> Vector:
        """Return the output of the hidden layer for one token."""
        return linear(self.down, tuple([a.relu() for a in linear(self.up, x)]))


def matrix(rows: int, columns: int, rng: random.Random) -> Matrix:
    """Return a matrix of random parameters."""
    return [tuple([Value(rng.gauss(0.0, 0.08)) for _ in range(columns)]) for _ in range(rows)]


def surprise(logits: list[Vector], following: Sequence[Vector]) -> Value:
    """Return the cross-entropy: the mean of -log softmax(logits) at the tokens that followed."""
    losses = [engine.logsumexp(o) - engine.dot(r, o) for o, r in zip(logits, following, strict=True)]
    return engine.sum(losses) / len(losses)


class Tokenizer:
    """A map from characters to one-hot vectors: 1 at the character's place in the vocabulary, 0 elsewhere.

    Texts with the same character in the same place share its vector.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.vocabulary = [END, *sorted(set("".join(names)) - {END})]
        self.vectors: dict[tuple[object, ...], Vector] = {}

    def __call__(self, text: str, role: str = "input") -> list[Vector]:
        """Return the tokens of a text; inputs and targets have different ones."""
        for place in enumerate(text):
            if (role, *place) not in self.vectors:
                self.vectors[role, *place] = tuple([Value(float(place[1] == token)) for token in self.vocabulary])
        return [self.vectors[role, *place] for place in enumerate(text)]

    def example(self, name: str, context: int) -> tuple[list[Vector], list[Vector]]:
        """Return the tokens of a name and the tokens that follow each of them."""
        return self((END + name)[:context]), self((name + END)[:context], "target")


def by_length(names: Iterable[str], size: int) -> list[str]:
    """Return names in batches of `size` of one length, since those share a graph; the last batches are mixed.

    >>> by_length(["emma", "ava", "noah", "liam", "ada", "mia"], 2)
    ['emma', 'noah', 'ava', 'ada', 'liam', 'mia']
    """
    batches: list[str] = []
    waiting: dict[int, list[str]] = {}
    for name in names:
        group = waiting.setdefault(len(name), [])
        group.append(name)
        if len(group) == size:
            batches += waiting.pop(len(name))
    return [*batches, *chain.from_iterable(waiting.values())]


def sample(model: GPT, tokenizer: Tokenizer, temperature: float, rng: random.Random) -> str:
    """Draw a name, token by token, from the model's probabilities; a temperature below 1 favours likely tokens."""
    text = END
    with engine.no_grad():
        while len(text) <= model.context:
            logits = model(tokenizer(text))[-1]
            probabilities = engine.softmax([o / temperature for o in logits])
            (token,) = rng.choices(tokenizer.vocabulary, [y.data for y in probabilities])
            if token == END:
                break
            text += token
    return text[1:]


@command
def main(
    *,
    file: Path | None = None,
    steps: int = 1000,
    batch: int = 1,
    temperature: float = 0.5,
    seed: int = 1,
    output: Path = PICTURES,
) -> None:
    """Train a GPT on names, show what it attends to, and let it invent names."""
    if steps < 1:
        raise ValueError(f"--steps must be 1 or more, got {steps}")
    if batch < 1:
        raise ValueError(f"--batch must be 1 or more, got {batch}")
    if not temperature > 0.0:
        raise ValueError(f"--temperature must be above 0, got {temperature}")
    names = read(file) if file else first_names()
    picture = figure(18, 9)
    rng = random.Random(seed)
    rng.shuffle(names)
    tokenizer = Tokenizer(names)
    n_tokens = len(tokenizer.vocabulary)
    model = GPT(n_tokens, seed=seed)

    heading(f"{len(names):,} names, {n_tokens} tokens: {' '.join(tokenizer.vocabulary)}")
    print(f"A name gives many examples. From {names[0]!r} the model reads and must predict:")
    for t, token in enumerate((names[0] + END)[: model.context]):
        print(f"  {END + names[0][:t]:16} {token}")

    heading(str(model))
    print("embedding, attention with 4 heads, MLP, unembedding; a token is a vector of 16")

    n_read = steps * batch
    heading(f"{steps:,} steps, {'one name' if batch == 1 else f'{batch} names of one length'} each")
    print(f"Guessing uniformly gives a loss of log({n_tokens}) = {math.log(n_tokens):.3f}.")
    order = by_length(islice(cycle(names), n_read), batch)
    history = train(model, [tokenizer.example(name, model.context) for name in order], batch)
    for start in range(0, len(history.steps), 100):
        losses = history.steps[start : start + 100]
        print(f"steps {start + 1:4} to {start + len(losses):4}  mean loss {fmean(losses):.3f}")
    if held_out := names[n_read : n_read + 100]:
        loss, _ = nn.evaluate(model, surprise, [tokenizer.example(name, model.context) for name in held_out])
        print(f"{len(held_out)} held-out names  mean loss {loss:.3f}")

    text = (END + max(names[:100], key=len))[:8]
    weights = inspect(model, tokenizer, text)

    heading(f"20 names at temperature {temperature:g}")
    for _ in range(20):
        name = sample(model, tokenizer, temperature, rng)
        known = "in the training set" if name in names[:n_read] else "real name, not in the training set"
        print(f"  {name:16} {known if name in names else 'new'}")

    axes = picture.subplot_mosaic([["loss", "head 1", "head 2"], ["loss", "head 3", "head 4"]])
    plot_losses(history.steps, axes.pop("loss"))
    plot_attention(weights, text, axes)
    save(picture, output, "microgpt.png")


def train(
    model: GPT, data: list[tuple[list[Vector], list[Vector]]], batch: int = 1, *, compiled: bool = True
) -> nn.History:
    """Train by Adam, `batch` examples per step, with a learning rate that decreases linearly to 0."""
    optimizer = nn.Adam(model.parameters(), betas=(0.85, 0.99))
    return nn.train(
        model, surprise, data, optimizer=optimizer, schedule=nn.linear_decay(0.01, 0.0, epochs=1), epochs=1,
        batch_size=batch, shuffle=False, compiled=compiled,
    )  # fmt: skip


def inspect(model: GPT, tokenizer: Tokenizer, text: str) -> list[list[Vector]]:
    """Print the model's prediction after a text and its attention at the last token; return all attention weights."""
    with engine.no_grad():
        tokens = tokenizer(text)
        chances = engine.softmax(model(tokens)[-1])
        weights = model.attention.weights([rms_norm(x) for x in model.embedded(tokens)])
    heading(f"The likeliest tokens after {text!r}")
    likeliest = sorted(zip([chance.data for chance in chances], tokenizer.vocabulary, strict=True), reverse=True)[:6]
    print("  ".join(f"{token} {chance:.0%}" for chance, token in likeliest))
    print(f"\n{text[-1]!r} attends to  " + "".join(f"{token:>6}" for token in text))
    for number, shares in enumerate(weights[-1], start=1):
        print(f"  in head {number}   " + "".join(f"{share.data:6.0%}" for share in shares))
    return weights


def plot_losses(losses: list[float], ax: Axes) -> None:
    """Plot the loss of every step and its moving average."""
    means = [fmean(losses[max(step - 50, 0) : step]) for step in range(1, len(losses) + 1)]
    ax.plot(range(1, len(losses) + 1), losses, ".", markersize=4, color=SKY, label="one step")
    ax.plot(range(1, len(losses) + 1), means, color=ORANGE, label="mean of the last 50")
    ax.set(xlabel="step", ylabel="loss")
    ax.legend()


def plot_attention(weights: list[list[Vector]], text: str, axes: dict[str, Axes]) -> None:
    """Plot the attention weights of every head: a row for each token, a column for each token that it attends to."""
    for number, (title, ax) in enumerate(axes.items()):
        shares = [[share.data for share in by_head[number]] for by_head in weights]
        shaded = ax.imshow([row + [0.0] * (len(text) - len(row)) for row in shares], cmap="Blues", vmin=0.0, vmax=1.0)
        ax.set_xticks(range(len(text)), list(text))
        ax.set_yticks(range(len(text)), list(text))
        ax.set(title=title, xlabel="attends to", ylabel="token")
    ax.figure.colorbar(shaded, ax=list(axes.values()), label="attention weight")


def first_names() -> list[str]:
    """Return the English first names of the package faker, in lower case."""
    from faker.providers.person.en import Provider

    return sorted({name.lower() for name in Provider.first_names})


def read(path: Path) -> list[str]:
    """Return the lines of a file that are not empty."""
    names = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not names:
        raise ValueError(f"{path} must have one name per line, got none")
    for name in names:
        if END in name:
            raise ValueError(f"{path}: a name must not contain {END!r}, which ends a name, got {name!r}")
    return names


if __name__ == "__main__":
    main()
