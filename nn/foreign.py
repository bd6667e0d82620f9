"""The names that other libraries have for networks, with errors that say what to write instead."""

from __future__ import annotations

# Replacements of the names that other libraries have in their package.
PACKAGE_NAMES = {
    "Neuron": "nn.Perceptron(2, 'tanh'), or nn.micrograd.Neuron(2)",
    "Linear": "nn.Layer(2, 3, 'linear')",
    **dict.fromkeys(["Sequential", "MLPClassifier", "MLPRegressor"], "nn.MLP(2, [4, 1])"),
    **dict.fromkeys(["ReLU", "Tanh", "Sigmoid"], "nn.MLP(2, [4, 1], hidden='relu')"),
    "Parameter": "engine.Value(0.5, 'w')",
    **dict.fromkeys(["MSELoss", "mse_loss"], "nn.mse"),
    **dict.fromkeys(["BCELoss", "BCEWithLogitsLoss"], "nn.binary_cross_entropy, which takes logits"),
    **dict.fromkeys(["CrossEntropyLoss", "NLLLoss"], "nn.cross_entropy, which takes logits"),
    **dict.fromkeys(["optim", "AdamW"], "nn.Adam(model.parameters()) or nn.SGD(model.parameters())"),
}

# Advice for the attributes that their models have.
MODEL_NAMES = {
    "weights": "model.parameters(), or those of a neuron, model.layers[0].neurons[0].weights",
    **dict.fromkeys(["w", "weight", "coef_"], "neuron.weights[1:], where neuron is a Perceptron"),
    **dict.fromkeys(["b", "bias", "intercept_"], "neuron.weights[0], where neuron is a Perceptron"),
    "nonlin": "neuron.activation, where neuron is a Perceptron",
    **dict.fromkeys(["fit", "train"], "nn.train(model, loss, data)"),
    **dict.fromkeys(["eval", "score"], "nn.evaluate(model, loss, data)"),
    "evaluate": "nn.evaluate(model, loss, data)",
    "compile": "nn.train(model, loss, data, optimizer=nn.Adam(model.parameters()))",
    "predict": "model(x), or [model(x) for x in xs] for many examples",
    "predict_proba": "engine.softmax(model(x))",
    "summary": "print(model)",
}


class OtherName:
    """An attribute that every model lacks. Unlike `__getattr__`, it does not make other attributes slower."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, thing: object, owner: type) -> object:
        message = f"{owner.__name__!r} object has no attribute {self.name!r}: use {MODEL_NAMES[self.name]}"
        raise AttributeError(message, name=self.name, obj=thing)
