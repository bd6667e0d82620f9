"""The lessons of the lecture: each runs, prints true statements, and saves its pictures."""

import importlib
import math
import re
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.text import Text
from mpmath import mp

from demos import _data, error_propagation, forward_backward, two_layer
from demos._data import read_table
from demos._lesson import report_agreement
from tests.demos.helpers import run_once

LESSONS = {
    "perceptron": "perceptron.png",
    "activations": "activations.png",
    "hidden_layer": "hidden_layer.png",
    "gradient_descent": "gradient_descent.png",
    "derivation": "derivation.png",
    "two_layer": "two_layer.png",
    "symmetry": "symmetry.png",
    "forward_backward": "forward_backward.png",
    "forward_mode": "forward_mode.png",
    "error_propagation": "error_propagation.svg",
    "moons": "moons.png",
    "newton": "newton.png",
    "derivatives": "derivatives.svg",
    "uncertainty": "uncertainty.png",
    "greeks": "greeks.png",
    "microgpt": "microgpt.png",
}
MORE = {
    "perceptron": ["pictures/perceptron_mistakes.png", "pictures/perceptron.gif"],
    "activations": ["pictures/activations_threshold.png", "pictures/activations_posterior.png"],
    "hidden_layer": ["pictures/hidden_layer.svg", "pictures/hidden_layer_regions.png"],
    "gradient_descent": ["pictures/gradient_descent_rates.png"],
    "error_propagation": ["pictures/error_propagation.html"],
    "moons": ["pictures/moons.gif"],
    "derivatives": ["pictures/derivatives.png"],
    "forward_backward": ["pictures/forward_backward.svg"],
}


@pytest.mark.parametrize(("name", "picture"), LESSONS.items())
def test_every_lesson_prints_80_columns_and_leaves_its_picture(name, picture, lesson, tmp_path):
    text = lesson(name)
    assert max(map(len, text.splitlines())) <= 80
    assert f"Picture: pictures/{picture}" in text.splitlines()[-2:]
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert left == {f"pictures/{picture}"} | set(MORE.get(name, []))
    assert (tmp_path / "pictures" / picture).stat().st_size > 5_000


@pytest.mark.parametrize("name", LESSONS)
def test_every_lesson_has_help(name, lesson, capsys):
    with pytest.raises(SystemExit) as stop:
        lesson(name, "--help")
    assert stop.value.code == 0
    assert "--output PATH" in capsys.readouterr().out


def test_the_folder_of_the_pictures_is_created(lesson, tmp_path):
    lesson("forward_backward", "--output", "a/b")
    assert (tmp_path / "a" / "b" / "forward_backward.png").exists()


def test_gradient_descent_ends_at_the_minimum_of_himmelblaus_function(lesson):
    text = lesson("gradient_descent")
    assert "  62    3.00000    2.00000" in text
    assert 0 < float(re.search(r"Converged: \|grad L\| is (\S+)\.\n", text)[1]) < 1e-6
    assert re.search(r"All 126 .* by hand match grad ", text)


def test_gradient_descent_on_another_surface(lesson):
    text = lesson("gradient_descent", "w1**2 + 4*w2**2", "--start", "1", "1", "--eta", "0.1", "--steps", "20")
    w1, w2 = 0.8**20, 0.2**20  # each step multiplies by 1 - eta * curvature
    assert f"  20 {w1:10.5f} {w2:10.5f}" in text
    assert "Not converged" in text


def test_two_layer(lesson):
    text = lesson("two_layer")
    assert ", converged" in text
    assert re.search(r"All \d{3},\d{3} .* match backward\(\)", text)
    assert float(re.search(r"held-out examples: (\S+) %", text)[1]) > 90


def test_two_layer_rules_are_the_gradient_of_the_loss():
    V, W, x, k = [[0.1, -0.4, 0.3], [0.2, 0.5, -0.6]], [[0.3, 0.7], [-0.2, 0.4]], [1.0, 0.8], 1
    delta_V, delta_W = two_layer.updates(V, W, x, [0.0, 1.0], eta=0.5)

    def loss(v, w):
        z = [mp.mpf(1), *(1 / (1 + mp.exp(-mp.fdot(row, x))) for row in w)]
        o = [mp.fdot(row, z) for row in v]
        return -mp.log(mp.exp(o[k]) / mp.fsum(map(mp.exp, o)))

    for deltas, matrix, by in ((delta_V, V, lambda m: loss(m, W)), (delta_W, W, lambda m: loss(V, m))):
        for i, row in enumerate(matrix):
            for j, w in enumerate(row):

                def along(t, matrix=matrix, by=by, i=i, j=j):
                    moved = [list(r) for r in matrix]
                    moved[i][j] = t
                    return by(moved)

                with mp.workdps(50):
                    assert deltas[i][j] == pytest.approx(float(-0.5 * mp.diff(along, w)), rel=1e-12, abs=0.0)


@pytest.mark.parametrize(
    ("arguments", "function"),
    [(["two_layer", "--epochs", "1"], "updates"), (["error_propagation"], "update_weights"), (["perceptron"], "dot")],
)
def test_a_wrong_rule_is_detected(arguments, function, lesson, monkeypatch):
    module = importlib.import_module(f"demos.{arguments[0]}")
    right = getattr(module, function)
    wrong = {
        "updates": lambda V, W, x, r, eta: right(V, W, x, r, 1.01 * eta),
        "update_weights": lambda w, e, y, deltas, df, eta: right(w, e, y, deltas, df, 1.01 * eta),
        "dot": lambda ws, xs: 1.01 * right(ws, xs),
    }
    monkeypatch.setattr(module, function, wrong[function])
    with pytest.raises(SystemExit, match=r"must match backward\(\)"):
        lesson(*arguments)


def test_report_agreement(capsys):
    report_agreement("gradients", [0.0, 1e-13], 1e-12)
    assert capsys.readouterr().out == "All 2 gradients match backward() (largest difference 1e-13).\n"
    with pytest.raises(ArithmeticError):
        report_agreement("gradients", [0.0, math.nan], 1e-12)


def test_forward_backward_on_the_published_network():
    z = forward_backward.forward_pass(forward_backward.EXAMPLE, [1.0, -1.0])
    rounded = [[round(z_i, 2) for z_i in signals[1:]] for signals in z]
    assert rounded == [[1.0, -1.0], [0.98, 0.12], [0.86, 0.11], [0.62, 0.83]]  # H. Lee, Deep Learning Tutorial
    z = forward_backward.forward_pass(forward_backward.EXAMPLE, [0.0, 0.0])
    assert [round(y, 2) for y in z[-1][1:]] == [0.51, 0.85]


def test_forward_backward_counts_multiplications():
    counts = forward_backward.multiplications(forward_backward.EXAMPLE, [1.0, -1.0], [1.0, 0.0])
    in_passes = 2 + 2 * (2 * 3) + 18  # output neurons, hidden neurons with two receivers each, weights
    along_paths = 6 * 1 * 2 + 6 * 2 * 4 + 6 * 4 * 6  # by layer from the last: weights, paths, each path's
    assert counts == (in_passes, along_paths)


def test_the_network_of_the_example_is_drawn_with_its_signals():
    _, pictures = run_once("forward_backward")
    drawing = pictures["forward_backward.svg"].source
    z = forward_backward.forward_pass(forward_backward.EXAMPLE, [1.0, -1.0])
    for z_j in (z_j for signals in z[1:] for z_j in signals[1:]):
        assert f"{z_j:.3g}" in drawing


def test_forward_backward_on_another_network(lesson):
    text = lesson("forward_backward", "--sizes", "3", "2", "1", "--seed", "5")
    assert "sizes [3, 2, 1]" in text
    assert "All 11 gradients match" in text


def test_error_propagation_is_gradient_descent():
    x, z, eta = {"x1": 1.0, "x2": 0.5}, 1.0, 0.5
    f, df = error_propagation.ACTIVATIONS["sigmoid"]
    w = error_propagation.INITIAL
    e, y = error_propagation.forward(w, x, f)
    deltas = error_propagation.propagate_error(w, e, z - y["6"], df)
    new = error_propagation.update_weights(w, e, y, deltas, df, eta)

    def squared_error(weights):
        W1 = np.array([[weights[m, n] for m in ("x1", "x2")] for n in "123"])
        W2 = np.array([[weights[m, n] for m in "123"] for n in "45"])
        W3 = np.array([[weights[m, "6"] for m in "45"]])
        signal = np.array([1.0, 0.5])
        for W in (W1, W2, W3):
            signal = 1 / (1 + np.exp(-W @ signal))
        return (z - signal[0]) ** 2 / 2

    for link in w:
        step = 1e-20j  # the complex-step derivative has no rounding error
        gradient = squared_error(w | {link: w[link] + step}).imag / 1e-20
        assert new[link] == pytest.approx(w[link] - eta * gradient, rel=1e-14, abs=0.0)


def test_error_propagation_goes_forward_again():
    text, _ = run_once("error_propagation")
    before, after = map(float, re.search(r"E = .* was (\S+) and is (\S+)\.\n", text).groups())
    w = np.array([*error_propagation.INITIAL.values()])
    new = np.array([float(x) for x in re.findall(r"^w\S+' .*\n .* = (\S+)$", text, re.MULTILINE)])
    for weights, E in ((w, before), (new, after)):
        signal = np.array([1.0, 0.5])
        for first, last, rows in ((0, 6, 3), (6, 12, 2), (12, 14, 1)):
            signal = 1 / (1 + np.exp(-weights[first:last].reshape(rows, -1) @ signal))
        assert (1 - signal[0]) ** 2 / 2 == pytest.approx(E, rel=1e-4)
    assert after < before


def test_the_errors_of_outputs_for_other_losses():
    text, _ = run_once("error_propagation")
    a = np.array([0.5, -2.0])
    sigmoid = 1 / (1 + np.exp(-a))
    r = np.array([1.0, 0.0])
    exact = [
        a - r, (sigmoid - r) * sigmoid * (1 - sigmoid), sigmoid - r, np.exp(a) / np.exp(a).sum() - r,
        np.where(1 - np.array([1, -1]) * a > 0, [-1.0, 1.0], 0.0),
    ]  # fmt: skip
    rows = re.findall(r"  1\.0, -?[01]\.0 +(\S+), (\S+)$", text, re.MULTILINE)
    assert np.array(rows, float) == pytest.approx(np.array(exact), rel=5e-3)


def test_error_propagation_shows_the_factor_that_the_slides_leave_out(lesson):
    def times(text):
        return [float(line.split()[-1]) for line in text.splitlines() if line.startswith("  w") and "ratio" not in line]

    factors = times(lesson("error_propagation"))
    assert factors[-2:] == [1.0, 1.0], "right for the output neuron"
    assert min(factors[:-2]) > 4, "f'(e) of a sigmoid is 1/4 at most"
    assert times(lesson("error_propagation", "--activation", "linear")) == [1.0] * 14


def test_moons_are_separated_completely(lesson):
    assert "accuracy 100.0 %." in lesson("moons")


def test_own_data(lesson, tmp_path):
    (tmp_path / "own.csv").write_text("height,weight,kind\n1,1,cat\n1,2,cat\n\n2,1,cat\n5,5,dog\n6,5,dog\n5,6,dog\n")
    assert lesson("perceptron", "--data", "own.csv").count("Right: 6 of 6") == 2
    assert "2 classes: cat, dog" in lesson("two_layer", "--data", "own.csv")
    assert "accuracy 100.0 %." in lesson("moons", "--data", "own.csv")


@pytest.mark.parametrize("columns", [1, 4])
def test_own_data_of_other_widths(columns, lesson, tmp_path):
    rows = [[*(str(i * (j + 1)) for j in range(columns)), str(int(i > 5))] for i in range(12)]
    header = [*(f"c{j}" for j in range(columns)), "kind"]
    (tmp_path / "own.csv").write_text("\n".join(map(",".join, [header, *rows])))
    for name in ("perceptron", "two_layer", "moons"):
        assert "Picture:" in lesson(name, "--data", "own.csv", "--epochs", "5")


def test_a_table_of_four_rows_has_no_held_out_examples(lesson, tmp_path):
    (tmp_path / "own.csv").write_text("a,b,kind\n0,0,x\n0,1,y\n1,0,y\n1,1,x\n")
    text = lesson("two_layer", "--data", "own.csv", "--epochs", "5")
    assert "Picture:" in text
    assert "held-out" not in text


def test_table_of_numbers_and_classes(tmp_path):
    (tmp_path / "own.csv").write_text('\ufeffa, b,kind\n1,-2e3,10\n0.5,"3",9\n', encoding="utf-8")
    table = read_table(tmp_path / "own.csv")
    assert table.names == ["a", "b", "kind"]
    assert table.rows == [[1.0, -2000.0], [0.5, 3.0]]
    assert table.classes == ["9", "10"]
    assert np.allclose(np.std(table.standardized().rows, axis=0), 1.0)
    assert np.allclose(np.mean(table.standardized().rows, axis=0), 0.0)


@pytest.mark.parametrize("scale", [1e308, 1.0, 1e-200])
def test_columns_of_any_size_are_standardized(scale):
    table = _data.Table(["a", "kind"], [[-scale], [scale], [scale]], ["x", "y", "y"])
    assert [x for (x,) in table.standardized().rows] == pytest.approx([-(2**0.5), 0.5**0.5, 0.5**0.5], abs=1e-15)


def test_names_with_dollar_signs_are_shown_as_they_are(lesson, tmp_path, monkeypatch):
    (tmp_path / "own.csv").write_text("$\\frac{a$,cost in $ and $,$k$\n1,2,$0$\n2,1,1\n3,3,1\n1,1,$0$\n")
    shown = []
    monkeypatch.setattr("demos.perceptron.save", lambda picture, *_: shown.extend(picture.findobj(Text)))
    lesson("perceptron", "--data", "own.csv", "--epochs", "5")
    words = {text.get_text() for text in shown}
    assert {r"\$\frac{a\$, standardized", r"cost in \$ and \$, standardized", r"\$k\$", r"\$0\$"} <= words


def test_a_folder_is_no_table(lesson, tmp_path):
    with pytest.raises(SystemExit, match=r"must be a CSV file: .*directory|Permission denied"):
        lesson("perceptron", "--data", str(tmp_path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b,kind\n1,2,x\n1,two,y\n", "own.csv, line 3, column 'b': .* finite number, got 'two'"),
        ("a,b,kind\n1,2,x\n1,,y\n", "line 3, column 'b': .* finite number, got ''"),
        ("a,b,kind\n1,nan,x\n1,2,y\n", "line 2, column 'b'"),
        ("a,b,kind\n1,inf,x\n1,2,y\n", "line 2, column 'b'"),
        ("a,b,kind\n1,2,x\n\n1,2\n", "line 4: .* 3 columns.* 2"),
        ("a,b,kind\n1,2,x\n1,2,\n", "line 3, column 'kind': .*target"),
        ("a,a,kind\n1,2,x\n1,2,y\n", "line 1: .*different names.*'a', 'a'"),
        ("1,2,3\n1,2,3\n1,2,3\n", "line 1: .*names.*only numbers.*'1', '2', '3'"),
        ("a,b,kind\n1,2,x\n2,2,x\n", r"own.csv, column 'kind': .* 2 or more classes, got only \['x'\]"),
        ("a;b;kind\n1;2;x\n1;2;y\n", "line 1: .* 2 or more .*commas"),
        ("a,b,kind\n", "header and at least 2 examples, got 1"),
        ("", "got 0 line"),
        (b"a,b\n\xff\xfe,1\n1,1\n", "must be a CSV file"),
        ('a,b,kind\n1,"2,x\n', "must be a CSV file"),
    ],
)
def test_bad_files_are_named_by_line_and_column(content, message, lesson, tmp_path):
    (tmp_path / "own.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    for name in ("perceptron", "two_layer", "moons"):
        with pytest.raises(SystemExit, match=message):
            lesson(name, "--data", "own.csv")
    assert not (tmp_path / "pictures").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["perceptron", "--data", "none.csv"], "No such file"),
        (["gradient_descent", "--eta", "0.1"], "goes too far"),
        (["gradient_descent", "w1 +* w2"], "not an expression"),
        (["forward_backward", "--sizes", "3"], r"--sizes .* \[3\]"),
        (["forward_backward", "--sizes", "200", "200", "1"], "--sizes .* 20,000.* 40,000"),
        (["error_propagation", "--activation", "relu"], "--activation .* sigmoid, tanh, linear, got relu"),
        (["gradient_descent", "w1**2"], "w2 has a value but does not occur"),
        (["moons", "--epochs", "0"], "epochs .* at least 1"),
        (["two_layer", "--hidden", "0"], "1 or more|at least 1"),
        (["two_layer", "--epochs", "0"], "--epochs must be 1 or more, got 0"),
        (["two_layer", "--eta", "1000"], "math range error: try smaller numbers"),
        (["derivatives", "--range", "3", "1"], "--range .* increasing order, got 3 1"),
        (["perceptron", "--output", "file"], "file"),
    ],
)
def test_mistakes_of_the_user(arguments, message, lesson, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit, match=message):
        lesson(*arguments)


def test_three_classes_are_not_two(lesson, tmp_path):
    (tmp_path / "own.csv").write_text("a,kind\n1,x\n2,y\n3,z\n")
    for name in ("perceptron", "moons"):
        with pytest.raises(SystemExit, match=r"'kind' .* 2 classes, got 3: x, y, z"):
            lesson(name, "--data", "own.csv")


def test_without_matplotlib_a_lesson_says_what_to_install(tmp_path):
    code = "import sys; sys.modules['matplotlib'] = None; from demos import moons; moons.main([])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=60,
                            env={"PYTHONPATH": importlib.import_module("demos").__path__[0] + "/.."})  # fmt: skip
    assert result.returncode == 1
    assert "pip install 'glassgrad[demos]'" in result.stderr
    assert "Traceback" not in result.stderr
