"""Right uses: mypy and pyright accept every line, and the test runs it."""

from typing import assert_type

import engine
import nn
import viz
from engine import Backprop, Value

v, w = Value(0.5, "v"), Value(-2, "w")

assert_type(v + 1, Value)
assert_type(2 - v * w / 3, Value)
assert_type(2**v, Value)
assert_type(v**2, Value)
assert_type(-v, Value)
assert_type(abs(v), Value)
assert_type(v < 1, bool)
assert_type(v.data, float)
assert_type(v.grad, float)
assert_type(v.parents, tuple[Value, ...])
total = sum([v, v]) * 2

assert_type(v.tanh(), Value)
assert_type(v.maximum(0.0), Value)
assert_type(engine.tanh(v), Value)
assert_type(engine.sigmoid(0.5), Value)
assert_type(engine.maximum(v, 1), Value)
assert_type(engine.sum([v, 1.0]), Value)
assert_type(engine.dot([v, w], [1.0, 2.0]), Value)
assert_type(engine.softmax([v, 2.0]), list[Value])

y = (v * w).tanh()
y.backward()
assert_type(engine.topological_order(y), list[Value])
assert_type(engine.grad(y, v), float)
assert_type(engine.grad(y, [v, w]), list[float])
assert_type(engine.grad(y, v, create_graph=True), Value)
assert_type(engine.grad(y, [v, w], create_graph=True), list[Value])
assert_type(engine.hessian(y, v), float)
assert_type(engine.hessian(y, [v, w]), list[list[float]])
assert_type(engine.jacobian([y], [v, w]), list[list[float]])
with engine.no_grad():
    v.tanh()

y.zero_grad()
walk = Backprop(y)
step = walk.step()
assert step is not None
assert_type(walk.run(until=v), Backprop)
assert_type(str(walk.reset()), str)

check = engine.check_gradients(lambda a, b: a * b, [1.0, 2.0])
assert_type(check.error, float)

perceptron = nn.Perceptron(2, activation="sigmoid")
assert_type(perceptron([0.0, 1.0]), Value)
model = nn.MLP(2, [4, 1], hidden="tanh", seed=1)
output = model([0.0, 1.0])
xor = [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]
history = nn.train(
    model, nn.binary_cross_entropy, xor, optimizer=nn.SGD(model.parameters(), 0.1), epochs=2, progress=False
)
assert_type(history.loss, list[float])
assert_type(history.converged, bool)
for name, parameter in model.named_parameters():
    assert_type(name, str)
    assert_type(parameter, Value)

assert_type(viz.draw(y), viz.Drawing)
assert_type(str(viz.text(y)), str)
viz.network(model, [0, 1], 1, loss=nn.binary_cross_entropy)
