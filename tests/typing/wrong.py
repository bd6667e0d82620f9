"""Wrong uses: mypy and pyright report every line that says so, and no other. This file is never run."""

import engine
import nn
import viz
from engine import Backprop, Value

v, w = Value(0.5, "v"), Value(-2, "w")
y = (v * w).tanh()
model = nn.MLP(2, [4, 1])
xor = [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]

v.tahn()  # wrong
v.tanh(1)  # wrong
v.maximum()  # wrong
v + "1"  # wrong
[1.0] * v  # wrong
v @ w  # wrong
v[0]  # wrong
len(v)  # wrong
Value("0.5")  # wrong
Value(0.5, label=3)  # wrong
v.data = "0.5"  # wrong
v.grad = None  # wrong
v.label = 3  # wrong
y.backward(1.0)  # wrong
engine.sigmoidd(v)  # wrong
engine.tanh()  # wrong
engine.tanh("v")  # wrong
engine.dot(v, w)  # wrong
engine.sum(v, w)  # wrong
engine.grad(y)  # wrong
engine.grad(y, "v")  # wrong
engine.grad(y, [v, w]) + 1.0  # wrong
engine.hessian(y, [1.0])  # wrong
engine.topological_order([y])  # wrong
engine.check_gradients(3, [0.5])  # wrong
engine.rule("double", 2, "2")  # wrong
Backprop(1.0)  # wrong
Backprop(y).stepp()  # wrong
Backprop(y).run(until="v")  # wrong
nn.MLP("2", [4, 1])  # wrong
nn.MLP(2, "4")  # wrong
nn.MLP(2, [4, 1], hiden="tanh")  # wrong
nn.Layer(2)  # wrong
nn.Perceptron(2, activation=3)  # wrong
nn.Adam(0.1)  # wrong
nn.train(model, "mse", xor)  # wrong
nn.save(model)  # wrong
viz.draw("y")  # wrong
viz.text(y, precision="3")  # wrong
viz.page(y)  # wrong
