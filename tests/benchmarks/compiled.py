"""A whole training step, forward, backward and update, by the compiled engine and by its peers: ratios of one run.

Moons is micrograd's demo: an MLP 2-16-16-1 with relu on 100 rows, max-margin loss and 1e-4 L2, full batch. Digits are
scikit-learn's 1,797 images on an MLP 64-32-10 with relu and cross-entropy. float64 and one thread for all. A training
has 1,000 steps, whose time includes recording and flattening the graph; a peer that takes longer than a second for
them does fewer. Everybody starts from the same parameters and must end at the same ones.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before NumPy is imported
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_ENABLE_X64"] = "1"

import argparse
import ctypes
import gc
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import casadi
import numpy as np
import torch
import xad.adj_1st
from micrograd.engine import Value as MicrogradValue
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_digits, make_moons

import engine
import nn
from tests.benchmarks.eager import StoredValue
from tests.benchmarks.numpy_by_hand import train_moons

RATE, DECAY = 0.05, 2e-4  # the penalty 1e-4 * theta**2 has the slope 2e-4 * theta
Matrix = np.ndarray[Any, Any]
Parameters = list[Matrix]  # for each layer the weights (inputs, outputs) and the biases
Training = Callable[[int], Parameters]

torch.set_num_threads(1)


def first_model(sizes: tuple[int, ...]) -> nn.MLP:
    return nn.MLP(sizes[0], sizes[1:], hidden="relu", seed=1)


def start(sizes: tuple[int, ...]) -> Parameters:
    """The parameters of that model, from which everybody starts."""
    return [p.copy() for p in first_parameters(sizes)]


@cache
def first_parameters(sizes: tuple[int, ...]) -> Parameters:
    return take(first_model(sizes))


def split(flat: Matrix, like: Parameters) -> Parameters:
    """The numbers in a row as matrices and vectors of the same shapes."""
    ends = np.cumsum([p.size for p in like])
    return [part.reshape(p.shape) for part, p in zip(np.split(flat, ends[:-1]), like, strict=True)]


class Moons:
    """The data of micrograd's demo, and every contender's training on it: from the start, so many steps."""

    sizes = (2, 16, 16, 1)

    def __init__(self) -> None:
        self.X, classes = make_moons(n_samples=100, noise=0.1, random_state=1)
        self.r = 2.0 * classes - 1.0

    def ours(self, steps: int) -> Parameters:
        model = first_model(self.sizes)
        nn.train(
            model, nn.hinge, list(zip(self.X.tolist(), self.r.tolist(), strict=True)), compiled=True,
            optimizer=nn.SGD(model.parameters(), RATE, weight_decay=DECAY), batch_size=None, epochs=steps,
            until=nn.plateau(-np.inf), progress=False,
        )  # fmt: skip
        return take(model)

    def compiled(self, steps: int) -> Parameters:
        """With the loss written out, penalty and all, `engine.compile`, and a loop on arrays."""
        model = first_model(self.sizes)
        xs, r, parameters = [engine.Value(0.0) for _ in range(2)], engine.Value(1.0), model.parameters()
        loss = (1 - r * model(xs)).relu() + 1e-4 * engine.dot(parameters, parameters)
        replay = engine.compile(loss, [*xs, r])
        rows = np.column_stack([self.X, self.r])
        theta = np.array([p.data for p in replay.parameters])
        for _ in range(steps):
            _, gradient = replay.mean_gradient(rows, theta)
            theta -= RATE * gradient
        for p, number in zip(replay.parameters, theta.tolist(), strict=True):
            p.data = number
        return take(model)

    def jax(self, steps: int) -> Parameters:
        return [np.asarray(p) for p in self.jax_training(start(self.sizes), self.X, self.r, steps)]

    @cached_property
    def jax_training(self) -> Any:
        """The whole loop, jitted."""
        import jax

        def loss(ps: Parameters, X: Matrix, r: Matrix) -> Any:
            h = jax.nn.relu(X @ ps[0] + ps[1])
            h = jax.nn.relu(h @ ps[2] + ps[3])
            scores = (h @ ps[4] + ps[5])[:, 0]
            return jax.nn.relu(1 - r * scores).mean() + DECAY / 2 * sum((p * p).sum() for p in ps)

        def step(ps: Parameters, X: Matrix, r: Matrix) -> Parameters:
            return [p - RATE * by_p for p, by_p in zip(ps, jax.grad(loss)(ps, X, r), strict=True)]

        return jax.jit(lambda ps, X, r, steps: jax.lax.fori_loop(0, steps, lambda _, ps: step(ps, X, r), ps))

    def scalar(self, value: Callable[[float], Any], relu: Callable[[Any], Any], steps: int) -> Parameters:
        """The demo on any class of scalar values with backward()."""
        ps = [[value(x) for x in p.ravel().tolist()] for p in start(self.sizes)]
        flat = [x for p in ps for x in p]

        def score(row: list[float]) -> Any:
            signals: list[Any] = row
            for layer in range(3):
                w, b = ps[2 * layer], ps[2 * layer + 1]
                m = len(b)
                sums = [sum((w[i * m + j] * x for i, x in enumerate(signals)), b[j]) for j in range(m)]
                signals = sums if layer == 2 else [relu(s) for s in sums]
            return signals[0]

        for _ in range(steps):
            losses = [relu(1 + -r * score(row)) for row, r in zip(self.X.tolist(), self.r.tolist(), strict=True)]
            loss = sum(losses) * (1 / len(losses)) + 1e-4 * sum(p * p for p in flat)
            for p in flat:
                p.grad = 0.0
            loss.backward()
            for p in flat:
                p.data -= RATE * p.grad
        return split(np.array([x.data for x in flat]), start(self.sizes))

    def micrograd(self, steps: int) -> Parameters:
        return self.scalar(MicrogradValue, lambda v: v.relu(), steps)

    def microgpt(self, steps: int) -> Parameters:
        return self.scalar(StoredValue, lambda v: v.relu(), steps)

    def xad(self, steps: int) -> Parameters:
        ps = start(self.sizes)
        flat = np.concatenate([p.ravel() for p in ps])
        for _ in range(steps):
            flat = flat - RATE * self.xad_gradient(flat)
        return split(flat, ps)

    def xad_gradient(self, flat: Matrix) -> Matrix:
        rows = list(zip(self.X.tolist(), self.r.tolist(), strict=True))
        with xad.adj_1st.Tape() as tape:
            theta = [xad.adj_1st.Real(x) for x in flat]
            for t in theta:
                tape.registerInput(t)
            tape.newRecording()
            ps = split(np.array(theta, object), start(self.sizes))
            total: Any = xad.adj_1st.Real(0.0)
            for row, r in rows:
                signals: list[Any] = row
                for layer, (w, b) in enumerate(zip(ps[::2], ps[1::2], strict=True)):
                    sums = [sum((v * x for v, x in zip(w[:, j], signals, strict=True)), b[j]) for j in range(len(b))]
                    signals = sums if layer == 2 else [s if s > 0 else 0.0 * s for s in sums]
                margin = 1 - r * signals[0]
                if margin > 0:
                    total = total + margin
            loss = total / len(rows) + 1e-4 * sum((t * t for t in theta), xad.adj_1st.Real(0.0))
            tape.registerOutput(loss)
            loss.derivative = 1.0
            tape.computeAdjoints()
            return np.array([t.derivative for t in theta])

    def casadi(self, steps: int) -> Parameters:
        theta = casadi.SX.sym("theta", sum(p.size for p in start(self.sizes)))
        x, r = casadi.SX.sym("x", 2), casadi.SX.sym("r")
        signals, at = x, 0
        for layer, (n, m) in enumerate(zip(self.sizes, self.sizes[1:], strict=False)):
            w = casadi.reshape(theta[at : at + n * m], m, n)
            signals = casadi.mtimes(w, signals) + theta[at + n * m : at + n * m + m]
            at += n * m + m
            signals = signals if layer == 2 else casadi.fmax(signals, 0)
        loss = casadi.fmax(1 - r * signals, 0)
        row = casadi.Function("row", [theta, x, r], [casadi.gradient(loss, theta)])
        rows = row.map("rows", "serial", len(self.r), [0], [0])
        flat = np.concatenate([p.ravel() for p in start(self.sizes)])
        X, r_row = casadi.DM(self.X.T), casadi.DM(self.r).T
        for _ in range(steps):
            gradient = np.asarray(rows(flat, X, r_row)).ravel() / len(self.r)
            flat = flat - RATE * (gradient + DECAY * flat)
        return split(flat, start(self.sizes))

    def torch(self, steps: int) -> Parameters:
        ps = [torch.tensor(p, requires_grad=True) for p in start(self.sizes)]
        X, r = torch.tensor(self.X), torch.tensor(self.r)
        optimizer = torch.optim.SGD(ps, RATE, weight_decay=DECAY)
        for _ in range(steps):
            h = torch.relu(torch.addmm(ps[1], X, ps[0]))
            h = torch.relu(torch.addmm(ps[3], h, ps[2]))
            scores = torch.addmm(ps[5], h, ps[4])[:, 0]
            loss = torch.relu(1 - r * scores).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return [p.detach().numpy() for p in ps]

    def numpy(self, steps: int) -> Parameters:
        return train_moons(start(self.sizes), self.X, self.r, steps, rate=RATE, decay=DECAY)

    def c(self, steps: int) -> Parameters:
        flat = np.concatenate([p.ravel() for p in start(self.sizes)])
        pointer = ctypes.POINTER(ctypes.c_double)
        arguments = [a.ctypes.data_as(pointer) for a in (flat, self.X, self.r)]
        program().train(*arguments, ctypes.c_int(len(self.r)), ctypes.c_int(steps))
        return split(flat, start(self.sizes))


# Eight rows are one vector, as in the kernels of the compiler.
C = r"""
typedef double V __attribute__((vector_size(64)));  /* eight rows */
#define H 16
#define P (2*H + H + H*H + H + H + 1)
static V sums[P];  /* of the gradients, row by row modulo 8 */
typedef long long I __attribute__((vector_size(64)));
#define where(condition, x) ((V)((I)(x) & (condition)))  /* x in the rows in which it holds, else 0 */

void train(double *p, const double *X, const double *R, int n, int steps) {
    double *W1 = p, *b1 = W1 + 2*H, *W2 = b1 + H, *b2 = W2 + H*H, *W3 = b2 + H, *b3 = W3 + H;
    V *gW1 = sums, *gb1 = gW1 + 2*H, *gW2 = gb1 + H, *gb2 = gW2 + H*H, *gW3 = gb2 + H, *gb3 = gW3 + H, zero = {0};
    int blocks = (n + 7) / 8;
    V x[2][blocks], r[blocks], inside[blocks];
    for (int k = 0; k < 8*blocks; k++) {
        int row = k < n ? k : n - 1, b = k / 8, l = k % 8;
        x[0][b][l] = X[2*row]; x[1][b][l] = X[2*row + 1]; r[b][l] = R[row]; inside[b][l] = k < n ? 1.0/n : 0;
    }
    for (int step = 0; step < steps; step++) {
        for (int k = 0; k < P; k++) sums[k] = zero;
        for (int b = 0; b < blocks; b++) {
            V h1[H], h2[H], d1[H], d2[H], score = zero + b3[0], x0 = x[0][b], x1 = x[1][b];
            for (int j = 0; j < H; j++) { V a = b1[j] + x0*W1[j] + x1*W1[H + j]; h1[j] = where(a > 0, a); }
            for (int j = 0; j < H; j += 8) {
                V a[8];
                for (int k = 0; k < 8; k++) a[k] = zero + b2[j + k];
                for (int i = 0; i < H; i++) for (int k = 0; k < 8; k++) a[k] += h1[i]*W2[i*H + j + k];
                for (int k = 0; k < 8; k++) h2[j + k] = where(a[k] > 0, a[k]);
            }
            for (int j = 0; j < H; j++) score += h2[j]*W3[j];
            V d3 = where(r[b]*score < 1, -r[b]*inside[b]);
            for (int j = 0; j < H; j++) d2[j] = where(h2[j] > 0, d3*W3[j]);
            for (int i = 0; i < H; i += 8) {
                V a[8];
                for (int k = 0; k < 8; k++) a[k] = zero;
                for (int j = 0; j < H; j++) for (int k = 0; k < 8; k++) a[k] += d2[j]*W2[(i + k)*H + j];
                for (int k = 0; k < 8; k++) d1[i + k] = where(h1[i + k] > 0, a[k]);
            }
            for (int j = 0; j < H; j++) { gW1[j] += x0*d1[j]; gW1[H + j] += x1*d1[j]; gb1[j] += d1[j]; }
            for (int i = 0; i < H; i++) for (int j = 0; j < H; j++) gW2[i*H + j] += h1[i]*d2[j];
            for (int j = 0; j < H; j++) { gb2[j] += d2[j]; gW3[j] += h2[j]*d3; }
            gb3[0] += d3;
        }
        for (int k = 0; k < P; k++) {
            V s = sums[k];
            p[k] -= 0.05*(((s[0]+s[1])+(s[2]+s[3])+((s[4]+s[5])+(s[6]+s[7]))) + 2e-4*p[k]);
        }
    }
}
"""


def program() -> ctypes.CDLL:
    """The C program, compiled for this machine."""
    global _program
    if _program is None:
        folder = Path(tempfile.mkdtemp())
        (folder / "moons.c").write_text(C, encoding="utf-8")
        library = folder / "moons.so"
        flags = ["-O3", "-march=native", "-mprefer-vector-width=512", "-shared", "-fPIC"]
        subprocess.run(["cc", *flags, folder / "moons.c", "-o", library], check=True)
        _program = ctypes.CDLL(str(library))
    return _program


_program: ctypes.CDLL | None = None


class Digits:
    """The digits, in batches of `size` in their order."""

    sizes = (64, 32, 10)

    def __init__(self, size: int) -> None:
        images, self.classes = load_digits(return_X_y=True)
        self.X, self.one_hot = images / 16.0, np.eye(10)[self.classes]
        self.size = size
        self.batches = -(-len(self.X) // size)  # steps an epoch

    def ours(self, steps: int) -> Parameters:
        model = first_model(self.sizes)
        nn.train(
            model, nn.cross_entropy, list(zip(self.X, self.classes, strict=True)), compiled=True,
            optimizer=nn.SGD(model.parameters(), RATE), batch_size=self.size, epochs=steps // self.batches,
            until=nn.plateau(-np.inf), shuffle=False, progress=False,
        )  # fmt: skip
        return take(model)

    def jax(self, steps: int) -> Parameters:
        return [np.asarray(p) for p in self.jax_training(start(self.sizes), self.X, self.one_hot, steps)]

    @cached_property
    def jax_training(self) -> Any:
        """The whole loop, jitted. The last batch of an epoch is smaller, so it has a step of its own."""
        import jax

        size, last, n = self.size, (self.batches - 1) * self.size, len(self.X)

        def loss(ps: Parameters, X: Matrix, R: Matrix) -> Any:
            logits = jax.nn.relu(X @ ps[0] + ps[1]) @ ps[2] + ps[3]
            return -(jax.nn.log_softmax(logits) * R).sum(axis=1).mean()

        def step(ps: Parameters, X: Matrix, R: Matrix) -> Parameters:
            return [p - RATE * by_p for p, by_p in zip(ps, jax.grad(loss)(ps, X, R), strict=True)]

        def epoch(ps: Parameters, X: Matrix, R: Matrix) -> Parameters:
            def batch(k: Any, ps: Parameters) -> Parameters:
                rows = [jax.lax.dynamic_slice_in_dim(a, k * size, size) for a in (X, R)]
                return step(ps, *rows)

            return step(jax.lax.fori_loop(0, last // size, batch, ps), X[last:n], R[last:n])

        return jax.jit(
            lambda ps, X, R, steps: jax.lax.fori_loop(0, steps // self.batches, lambda _, ps: epoch(ps, X, R), ps)
        )

    def torch(self, steps: int) -> Parameters:
        ps = [torch.tensor(p, requires_grad=True) for p in start(self.sizes)]
        X, classes = torch.tensor(self.X), torch.tensor(self.classes)
        optimizer = torch.optim.SGD(ps, RATE)
        for step in range(steps):
            at = step % self.batches * self.size
            h = torch.relu(torch.addmm(ps[1], X[at : at + self.size], ps[0]))
            logits = torch.addmm(ps[3], h, ps[2])
            loss = torch.nn.functional.cross_entropy(logits, classes[at : at + self.size])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return [p.detach().numpy() for p in ps]

    def numpy(self, steps: int) -> Parameters:
        W1, b1, W2, b2 = start(self.sizes)
        for step in range(steps):
            at = step % self.batches * self.size
            X, R = self.X[at : at + self.size], self.one_hot[at : at + self.size]
            h = np.maximum(X @ W1 + b1, 0)
            o = h @ W2 + b2
            e = np.exp(o - o.max(axis=1, keepdims=True))
            d2 = (e / e.sum(axis=1, keepdims=True) - R) / len(X)
            d1 = (d2 @ W2.T) * (h > 0)
            W1, b1 = W1 - RATE * (X.T @ d1), b1 - RATE * d1.sum(0)
            W2, b2 = W2 - RATE * (h.T @ d2), b2 - RATE * d2.sum(0)
        return [W1, b1, W2, b2]


def take(model: nn.MLP) -> Parameters:
    layers = [np.array([[w.data for w in neuron.weights] for neuron in layer.neurons]) for layer in model.layers]
    return [p for layer in layers for p in (layer[:, 1:].T, layer[:, 0])]


def agree(name: str, ours: Parameters, theirs: Parameters) -> None:
    for a, b in zip(ours, theirs, strict=True):
        if not np.allclose(a, b, rtol=1e-9, atol=1e-12):
            raise SystemExit(f"{name} ends at other parameters: they differ by {abs(a - b).max():.1e}")


def measure(
    contenders: dict[str, tuple[Training, int]], reference: Training, repeats: int, epoch: int = 1
) -> dict[str, float]:
    """The median CPU seconds of a step of each, in turns, which other processes disturb less than the time on a clock.

    An epoch has `epoch` steps.
    """
    for name, (train, steps) in contenders.items():
        few = min(steps, max(60 // epoch, 1) * epoch)
        agree(name, train(few), reference(few))
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, (train, steps) in contenders.items():
            gc.collect()  # so that nobody pays for what another left
            begin = time.process_time()
            train(steps)
            times[name].append((time.process_time() - begin) / steps)
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def show(console: Console, title: str, seconds: dict[str, float]) -> None:
    table = Table(title=title)
    for head in ("", "microseconds a step", "of glassgrad's"):
        table.add_column(head, justify="right" if head else "left")
    ours = seconds["glassgrad, nn.train"]
    for name, value in sorted(seconds.items(), key=lambda item: -item[1]):
        table.add_row(name, f"{value * 1e6:,.1f}", f"{value / ours:,.2f}")
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.compiled",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--repeats", type=int, default=7, help="trainings each (default: %(default)s)")
    repeats = parser.parse_args().repeats
    console = Console()
    moons = Moons()
    contenders = {
        "micrograd 0.1.0": (moons.micrograd, 1),
        "Values in the style of microgpt": (moons.microgpt, 2),
        "XAD": (moons.xad, 10),
        "CasADi SX, mapped over rows": (moons.casadi, 100),
        "PyTorch eager": (moons.torch, 1000),
        "NumPy by hand": (moons.numpy, 1000),
        "glassgrad, engine.compile and a loop": (moons.compiled, 1000),
        "glassgrad, nn.train": (moons.ours, 1000),
    }
    if shutil.which("cc"):
        contenders["C by hand, in vectors of eight rows"] = (moons.c, 1000)
    if find_spec("jax"):
        contenders["JAX, the whole loop jitted"] = (moons.jax, 1000)
    show(console, f"Moons, 100 rows, full batch; medians of {repeats}", measure(contenders, moons.numpy, repeats))
    sizes = ("batches of 32", 32, 57 * 18), ("batches of 32", 32, 57 * 180), ("full batch", 1797, 300)
    for name, size, steps in sizes:
        digits = Digits(size)
        contenders = {
            "PyTorch eager": (digits.torch, steps),
            "NumPy by hand": (digits.numpy, steps),
            "glassgrad, nn.train": (digits.ours, steps),
        }
        if find_spec("jax"):
            contenders["JAX, the whole loop jitted"] = (digits.jax, steps)
        show(
            console,
            f"Digits, {name}, {steps} steps; medians of {repeats}",
            measure(contenders, digits.numpy, repeats, digits.batches),
        )


if __name__ == "__main__":
    main()
