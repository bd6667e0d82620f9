"""microgpt: the model computes its formulas, sees no later token, and learns the same eager and compiled."""

import random
import sys
from functools import partial

import numpy as np
import pytest

import engine
from demos.microgpt import GPT, Tokenizer, by_length, sample, surprise, train

NAMES = ["emma", "ava", "noah", "ada", "liam", "olivia"]


@pytest.fixture
def tokenizer():
    return Tokenizer(NAMES)


@pytest.fixture
def model(tokenizer):
    return GPT(len(tokenizer.vocabulary), seed=1)


@pytest.fixture
def lesson(lesson):
    return partial(lesson, "microgpt")


def by_numpy(W, tokens):
    """Return the logits by the formulas of a GPT, on whole matrices of real or complex numbers."""

    def norm(x):
        return x / np.sqrt((x * x).mean(axis=1, keepdims=True) + 1e-5)

    n, heads = len(tokens), 4
    x = norm(W["token"].T[tokens] + W["position"][:n])
    q, k, v = (
        (norm(x) @ W[f"attention.{name}"].T).reshape(n, heads, -1).swapaxes(0, 1) for name in ("query", "key", "value")
    )
    weights = np.exp(q @ k.swapaxes(1, 2) / np.sqrt(q.shape[2])) * np.tri(n)
    weights = weights / weights.sum(axis=2, keepdims=True)
    x = x + (weights @ v).swapaxes(0, 1).reshape(n, -1) @ W["attention.output"].T
    hidden = norm(x) @ W["up"].T
    x = x + (hidden * (hidden.real > 0)) @ W["down"].T
    return x @ W["unembedding"].T


def by_matrix(model, what):
    """Return a number of every parameter, in matrices by name."""
    rows = {}
    for name, parameter in model.named_parameters():
        rows.setdefault(name.rsplit(".", 2)[0], {}).setdefault(name.rsplit(".", 2)[1], []).append(what(parameter))
    return {name: np.array(list(matrix.values())) for name, matrix in rows.items()}


def test_model_and_gradient_match_the_formulas(model, tokenizer):
    name = "olivia"
    x, r = tokenizer.example(name, model.context)
    tokens = [tokenizer.vocabulary.index(c) for c in f".{name}."]
    W = by_matrix(model, lambda p: p.data)
    logits = model(x)
    np.testing.assert_allclose([[o.data for o in row] for row in logits], by_numpy(W, tokens[:-1]), rtol=1e-12)

    def loss(W):
        o = by_numpy(W, tokens[:-1])
        return np.mean(np.log(np.exp(o).sum(axis=1)) - o[np.arange(len(o)), tokens[1:]])

    ours = surprise(logits, r)
    assert ours.data == pytest.approx(loss(W), rel=1e-12, abs=0.0)
    ours.backward()
    gradient, rng = by_matrix(model, lambda p: p.grad), np.random.default_rng(1)
    for part in W:  # the slope along a random direction, by a complex step, which loses no digits
        direction = rng.normal(size=W[part].shape)
        slope = loss(W | {part: W[part] + 1e-100j * direction}).imag / 1e-100
        assert (gradient[part] * direction).sum() == pytest.approx(slope, rel=1e-9), part


def test_as_many_parameters_as_in_microgpt():
    assert len(GPT(27).parameters()) == 4192


def test_a_later_token_changes_no_earlier_logits(model, tokenizer):
    def logits(text):
        return [[o.data for o in row] for row in model(tokenizer(text))]

    one, other = logits(".emma"), logits(".emno")
    assert one[:3] == other[:3]
    assert one[3] != other[3]
    assert one[4] != other[4]


def test_attention_shares_add_up_to_1(model, tokenizer):
    weights = model.attention.weights(model.embedded(tokenizer(".emma")))
    assert [[len(shares) for shares in by_head] for by_head in weights] == [[t] * 4 for t in (1, 2, 3, 4, 5)]
    for by_head in weights:
        for shares in by_head:
            assert engine.sum(shares).data == pytest.approx(1.0, rel=1e-12, abs=0.0)


def test_an_example_is_a_name_and_the_same_shifted(tokenizer):
    def text(tokens):
        return "".join(tokenizer.vocabulary[[x.data for x in token].index(1.0)] for token in tokens)

    assert [text(part) for part in tokenizer.example("ava", 16)] == [".ava", "ava."]
    assert [text(part) for part in tokenizer.example("olivia", 4)] == [".oli", "oliv"]


def test_same_losses_eager_and_compiled(tokenizer):
    data = [tokenizer.example(name, 16) for name in NAMES * 4]
    runs = {}
    for compiled in (False, True):
        model = GPT(len(tokenizer.vocabulary), seed=1)
        runs[compiled] = train(model, data, compiled=compiled).steps, [p.data for p in model.parameters()]
    assert len(runs[True][0]) == len(data)
    for compiled, eager in zip(runs[True], runs[False], strict=True):
        np.testing.assert_allclose(compiled, eager, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("names", [["emma", "noah", "liam", "anna"] * 4, NAMES * 2 + ["emma", "noah", "ada", "ava"]])
def test_a_batch_has_the_mean_gradient_of_its_names(names, tokenizer):
    def gradient(names):
        model = GPT(len(tokenizer.vocabulary), seed=1)
        train(model, [tokenizer.example(name, 16) for name in names], len(names))
        return np.array([p.grad for p in model.parameters()])

    single = {name: gradient([name]) for name in set(names)}
    mean = np.mean([single[name] for name in names], axis=0)
    np.testing.assert_allclose(gradient(names), mean, rtol=1e-12, atol=1e-12 * np.abs(mean).max())


def test_batches_of_one_length():
    names = [str(n) for n in range(1000)]
    order = by_length(names, 16)
    assert sorted(order) == sorted(names)
    lengths = [{len(name) for name in order[start : start + 16]} for start in range(0, 1000, 16)]
    assert [len(kinds) for kinds in lengths].count(1) >= 60, "all but the leftovers of three lengths"


def test_a_lesson_in_batches(lesson):
    printed = lesson("--steps", "20", "--batch", "16")
    assert "20 steps, 16 names of one length each" in printed


def test_the_learning_rate_goes_down_step_by_step(tokenizer):
    """A step of Adam moves a parameter whose gradient keeps its sign by the learning rate, here half of the first."""
    moved = []
    for names in (["ava"], ["ava", "ava"]):
        model = GPT(len(tokenizer.vocabulary), seed=1)
        train(model, [tokenizer.example(name, 16) for name in names], compiled=False)
        moved.append(model.unembedding[tokenizer.vocabulary.index("l")][0].data)  # "ava" never has an l
    start = GPT(len(tokenizer.vocabulary), seed=1).unembedding[tokenizer.vocabulary.index("l")][0].data
    assert abs(moved[0] - start) == pytest.approx(0.01, rel=1e-3)
    assert abs(moved[1] - moved[0]) == pytest.approx(0.005, rel=0.1)


def test_it_learns_a_name_by_heart(tokenizer):
    model = GPT(len(tokenizer.vocabulary), seed=1)
    history = train(model, [tokenizer.example("olivia", model.context)] * 200)
    assert history.steps[-1] < 0.01
    assert sample(model, tokenizer, 0.5, random.Random(1)) == "olivia"


def test_a_low_temperature_takes_the_likeliest(model, tokenizer):
    def samples(temperature):
        return {sample(model, tokenizer, temperature, random.Random(seed)) for seed in range(5)}

    assert len(samples(1e-6)) == 1
    assert len(samples(1.0)) == 5


def test_a_sample_ends_with_the_context(model, tokenizer, monkeypatch):
    monkeypatch.setattr(random.Random, "choices", lambda self, tokens, weights: ["a"])
    assert sample(model, tokenizer, 1.0, random.Random(1)) == "a" * model.context


def test_the_lesson_prints_80_columns_and_leaves_its_picture(lesson, tmp_path):
    printed = lesson("--steps", "120")
    assert max(map(len, printed.splitlines())) <= 80
    assert "GPT with 4192 parameters" in printed
    assert "steps  101 to  120" in printed
    assert len([line for line in printed.splitlines() if line.endswith((" new", " training set"))]) == 20
    assert 10_000 < (tmp_path / "pictures/microgpt.png").stat().st_size < 200_000


def test_own_names(lesson, tmp_path):
    (tmp_path / "names.txt").write_text("\n".join(NAMES) + "\n\nanna-Lena the very long\n", encoding="utf-8")
    printed = lesson("--data", "names.txt", "--steps", "20", "--seed", "3", "--temperature", "1")
    assert f"7 names, {len(set(''.join(NAMES)) | set('anna-Lena the very long.'))} tokens" in printed
    assert printed == lesson("--data", "names.txt", "--steps", "20", "--seed", "3", "--temperature", "1")


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        ("", [], "names.txt .* one name per line"),
        ("ann\nst. john\n", [], "names.txt: .* '.*', .* 'st. john'"),
        ("ann\n", ["--steps", "0"], "--steps .* 1 .* 0"),
        ("ann\n", ["--batch", "0"], "--batch .* 1 .* 0"),
        ("ann\n", ["--temperature", "0"], "--temperature .* above 0"),
    ],
)
def test_mistakes_of_the_user(content, arguments, message, lesson, tmp_path):
    (tmp_path / "names.txt").write_text(content, encoding="utf-8")
    with pytest.raises(SystemExit, match=message):
        lesson("--data", "names.txt", *arguments)


def test_without_faker_it_says_what_to_install(lesson, monkeypatch):
    monkeypatch.setitem(sys.modules, "faker.providers.person.en", None)
    with pytest.raises(SystemExit, match=r"faker: pip install 'glassgrad\[demos\]'"):
        lesson()
