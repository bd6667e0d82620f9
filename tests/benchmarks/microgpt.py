"""A training step of the demo microgpt, beside the same model on plain Values and in PyTorch: ratios of one run.

The plain Values are in the style of Karpathy's microgpt, a node for every `+` and `*`. A step reads one name: forward,
backward and an update of all 4,192 parameters by Adam. A training goes through the same 20 names again and again, a
slow contender once. Compiled, 1,000 steps with different names are timed with all that is recorded and flattened for
them, then a step of those that follow, also in batches of 16 names of one length. Processor time, float64 and one
thread for all. Everybody starts from the same parameters, and must have the same losses; batches have others.
"""

from __future__ import annotations

import argparse
import itertools
import math
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

import nn
from demos.microgpt import END, GPT, Tokenizer, by_length, first_names, surprise, train
from tests.benchmarks.eager import StoredValue

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

RATE, BETAS, EPSILON = 0.01, (0.85, 0.99), 1e-8
NAMES = 20
BATCH = 16  # names per step
COMPILED, REPLAYED = "glassgrad compiled, 1,000 steps", "glassgrad compiled, a step more"
BATCHES = f"glassgrad compiled, a name more in batches of {BATCH}"
Losses = list[float]
Matrices = dict[str, list[list[float]]]

sys.setrecursionlimit(10**5)  # the plain Values sort their graph recursively


def matrices(model: GPT) -> Matrices:
    """The parameters as numbers."""
    parts = vars(model) | vars(model.attention)
    names = ("token", "position", "query", "key", "value", "output", "up", "down", "unembedding")
    return {name: [[p.data for p in row] for row in parts[name]] for name in names}


class Plain:
    """The model in scalar operations, each of them a StoredValue."""

    def __init__(self, start: Matrices) -> None:
        self.W = {name: [[StoredValue(x) for x in row] for row in rows] for name, rows in start.items()}
        self.token_rows = list(zip(*self.W["token"], strict=True))
        self.parameters = [p for rows in self.W.values() for row in rows for p in row]

    def train(self, names: Sequence[list[int]]) -> Losses:
        means, squares = [0.0] * len(self.parameters), [0.0] * len(self.parameters)
        losses = []
        for step, tokens in enumerate(names):
            loss = self.loss(tokens)
            loss.backward()
            rate = RATE * (1 - step / len(names))
            for i, p in enumerate(self.parameters):
                means[i] = BETAS[0] * means[i] + (1 - BETAS[0]) * p.grad
                squares[i] = BETAS[1] * squares[i] + (1 - BETAS[1]) * p.grad**2
                mean = means[i] / (1 - BETAS[0] ** (step + 1))
                square = squares[i] / (1 - BETAS[1] ** (step + 1))
                p.data -= rate * mean / (square**0.5 + EPSILON)
                p.grad = 0
            losses.append(loss.data)
        return losses

    def loss(self, tokens: list[int]) -> StoredValue:
        keys: list[list[StoredValue]] = []
        values: list[list[StoredValue]] = []
        losses = []
        for position, (token, following) in enumerate(itertools.pairwise(tokens)):
            probabilities = plain_softmax(self.logits(token, position, keys, values))
            losses.append(-1 * plain_log(probabilities[following]))
        return sum(losses, StoredValue(0.0)) * (1 / len(losses))

    def logits(self, token: int, position: int, keys: list[Any], values: list[Any]) -> list[StoredValue]:
        W = self.W
        x = plain_norm(plain_add(self.token_rows[token], W["position"][position]))
        normed = plain_norm(x)
        query = plain_linear(W["query"], normed)
        keys.append(plain_linear(W["key"], normed))
        values.append(plain_linear(W["value"], normed))
        mixed = []
        for start in range(0, 16, 4):
            head = slice(start, start + 4)
            scores = [plain_sum(query[head], key[head]) * 0.5 for key in keys]
            weights = plain_softmax(scores)
            mixed += [plain_sum(weights, [value[i] for value in values]) for i in range(start, start + 4)]
        x = plain_add(x, plain_linear(W["output"], mixed))
        hidden = [a.relu() for a in plain_linear(W["up"], plain_norm(x))]
        x = plain_add(x, plain_linear(W["down"], hidden))
        return plain_linear(W["unembedding"], x)


def plain_exp(a: StoredValue) -> StoredValue:
    return StoredValue(math.exp(a.data), (a,), (math.exp(a.data),))


def plain_log(a: StoredValue) -> StoredValue:
    return StoredValue(math.log(a.data), (a,), (1 / a.data,))


def plain_power(a: StoredValue, b: float) -> StoredValue:
    return StoredValue(a.data**b, (a,), (b * a.data ** (b - 1),))


def plain_sum(ws: Sequence[StoredValue], xs: Sequence[StoredValue]) -> Any:
    return sum(w * x for w, x in zip(ws, xs, strict=True))


def plain_linear(matrix: Sequence[Sequence[StoredValue]], x: Sequence[StoredValue]) -> list[StoredValue]:
    return [plain_sum(row, x) for row in matrix]


def plain_add(x: Sequence[StoredValue], y: Sequence[StoredValue]) -> list[StoredValue]:
    return [a + b for a, b in zip(x, y, strict=True)]


def plain_norm(x: list[StoredValue]) -> list[StoredValue]:
    scale = plain_power(plain_sum(x, x) * (1 / len(x)) + 1e-5, -0.5)
    return [a * scale for a in x]


def plain_softmax(logits: Sequence[StoredValue]) -> list[StoredValue]:
    largest = max(o.data for o in logits)
    exps = [plain_exp(o + -largest) for o in logits]
    total = sum(exps, StoredValue(0.0))
    return [e * plain_power(total, -1) for e in exps]


def by_torch(start: Matrices, names: Sequence[list[int]]) -> Losses:
    """The model on tensors."""
    W = {name: torch.tensor(rows, dtype=torch.float64, requires_grad=True) for name, rows in start.items()}
    optimizer = torch.optim.Adam(W.values(), RATE, BETAS, EPSILON)
    hidden_from = torch.full((16, 16), -math.inf, dtype=torch.float64).triu(1)

    def norm(x: Any) -> Any:
        return x * ((x * x).mean(1, keepdim=True) + 1e-5) ** -0.5

    losses = []
    for step, tokens in enumerate(names):
        n = len(tokens) - 1
        x = norm(W["token"].T[tokens[:-1]] + W["position"][:n])
        normed = norm(x)
        q, k, v = ((normed @ W[name].T).view(n, 4, 4).transpose(0, 1) for name in ("query", "key", "value"))
        weights = (q @ k.transpose(1, 2) * 0.5 + hidden_from[:n, :n]).softmax(2)
        x = x + (weights @ v).transpose(0, 1).reshape(n, 16) @ W["output"].T
        x = x + (norm(x) @ W["up"].T).relu() @ W["down"].T
        loss = torch.nn.functional.cross_entropy(x @ W["unembedding"].T, torch.tensor(tokens[1:]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.param_groups[0]["lr"] = RATE * (1 - step / len(names))
        optimizer.step()
        losses.append(loss.item())
    return losses


def contenders() -> dict[str, tuple[Callable[[int], Losses], int]]:
    """Each as a function of the number of rounds through the names, and how many it does when it is timed."""
    names = [name for name in first_names() if len(name) < 16]
    random.Random(1).shuffle(names)
    tokenizer = Tokenizer(names)
    tokens = [[tokenizer.vocabulary.index(c) for c in f"{END}{name}{END}"] for name in names[:NAMES]]
    data = [tokenizer.example(name, 16) for name in names[:NAMES]]

    def model() -> GPT:
        return GPT(len(tokenizer.vocabulary), seed=1)

    def different(rounds: int) -> Losses:
        return train(model(), [tokenizer.example(name, 16) for name in names[: rounds * NAMES]]).steps

    def replayed(rounds: int, batch: int = 1) -> Losses:
        """In epochs, for which nothing is recorded but in the first."""
        learner = model()
        examples = [tokenizer.example(name, 16) for name in by_length(names[:NAMES] * batch, batch)]
        return nn.train(
            learner, surprise, examples, optimizer=nn.Adam(learner.parameters(), RATE, BETAS, EPSILON), compiled=True,
            schedule=nn.linear_decay(RATE, 0.0, rounds), epochs=rounds, until=nn.plateau(-math.inf), batch_size=batch,
            shuffle=False, progress=False,
        ).steps  # fmt: skip

    start = matrices(model())
    found: dict[str, tuple[Callable[[int], Losses], int]] = {
        "Values in the style of microgpt": (lambda rounds: Plain(start).train(tokens * rounds), 1),
        "glassgrad eager": (lambda rounds: train(model(), data * rounds, compiled=False).steps, 2),
        COMPILED: (different, 1000 // NAMES),
        REPLAYED: (replayed, 1000 // NAMES),
        BATCHES: (lambda rounds: replayed(rounds, BATCH), 200 // NAMES),
    }
    if torch:
        torch.set_num_threads(1)
        found["PyTorch eager"] = (lambda rounds: by_torch(start, tokens * rounds), 10)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.microgpt",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--repeats", type=int, default=5, help="trainings each (default: %(default)s)")
    repeats = parser.parse_args().repeats
    trainings = contenders()
    plain, *_ = trainings
    reference = trainings[plain][0](1)
    for name, (training, _) in trainings.items():
        if name != BATCHES and not all(
            math.isclose(a, b, rel_tol=1e-9) for a, b in zip(training(1), reference, strict=True)
        ):
            raise SystemExit(f"{name} has other losses")
    times: dict[str, list[float]] = {name: [] for name in trainings}
    for _ in range(repeats):
        for name, (training, rounds) in trainings.items():
            once = seconds(training, rounds)
            if name in (REPLAYED, BATCHES):
                once = (seconds(training, 5 * rounds) - once) / 4 / (BATCH if name == BATCHES else 1)
            times[name].append(once / rounds / NAMES)
    medians = {name: statistics.median(found) for name, found in times.items()}
    table = Table(title=f"A name in a training of microgpt, losses equal to 1e-9; medians of {repeats}")
    for head in ("", "microseconds a name", "times as fast"):
        table.add_column(head, justify="right" if head else "left")
    for name, value in sorted(medians.items(), key=lambda item: -item[1]):
        table.add_row(name, f"{value * 1e6:,.0f}", f"{medians[plain] / value:,.1f}")
    Console().print(table)


def seconds(training: Callable[[int], Losses], rounds: int) -> float:
    begin = time.process_time()
    training(rounds)
    return time.process_time() - begin


if __name__ == "__main__":
    main()
