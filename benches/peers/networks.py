"""The networks of models/recipes in PyTorch, built from the recipes' own files so that both sides run the same layers."""
import tomllib
from pathlib import Path

import torch
from torch import nn

RECIPES = Path(__file__).resolve().parents[2] / "models" / "recipes"
ACTIVATIONS = {"relu": nn.ReLU, "elu": nn.ELU}
CLASSES = 10  # As `melgrad bench` and peer.rs have it.


class Permute(nn.Module):
    """melgrad's axes do not count the batch."""

    def __init__(self, axes):
        super().__init__()
        self.axes = [0, *(a + 1 for a in axes)]

    def forward(self, x):
        return x.permute(self.axes)


class Gru(nn.Module):
    def __init__(self, features, hidden, last):
        super().__init__()
        self.gru, self.last = nn.GRU(features, hidden, batch_first=True), last

    def forward(self, x):
        y = self.gru(x)[0]
        return y[:, -1] if self.last else y


def modules(layer, shape, classes):
    """The modules of one layer of the file, for inputs of this shape (batch first)."""
    options = dict(layer)
    kind, activation = options.pop("kind"), options.pop("activation", None)
    options.pop("l2", None)  # A term of the loss; neither side's measured step has it.
    options.pop("name", None)
    numbers = lambda v: tuple(v) if isinstance(v, list) else v
    match kind:
        case "Conv2d":
            made = nn.Conv2d(shape[1], options.pop("out_channels"), numbers(options.pop("kernel")), padding=numbers(options.pop("padding", 0)))
        case "MaxPool2d":
            made = nn.MaxPool2d(numbers(options.pop("kernel")))
        case "BatchNorm":
            made = nn.BatchNorm2d(shape[1])
        case "Dropout":
            made = nn.Dropout(options.pop("p"))
        case "Permute":
            made = Permute(options.pop("axes"))
        case "Flatten":
            made = nn.Flatten(options.pop("start", 0) + 1)
        case "Gru":
            made = Gru(shape[-1], options.pop("hidden"), options.pop("last", False))
        case "Linear":
            outputs = options.pop("out_features")
            made = nn.Linear(shape[-1], classes if outputs == "classes" else outputs)
        case _:
            raise NotImplementedError(f"layers of kind {kind}")
    if options:
        raise NotImplementedError(f"{kind}: {', '.join(options)}")
    return [made] + ([ACTIVATIONS[activation]()] if activation else [])


def recipe(name):
    return tomllib.loads((RECIPES / f"{name}.toml").read_text())


def network(name, classes=CLASSES):
    """A recipe's network with PyTorch's own first weights, and the shape of its batch of training."""
    file = recipe(name)
    settings = file["input"]
    shape = (settings.get("channels", 1), settings["features"]["n_mels"], settings["frames"])
    found, x = [], torch.zeros(1, *shape)
    with torch.no_grad():
        for layer in file["architecture"]["layers"]:
            for module in modules(layer, x.shape, classes):
                x = module.eval()(x)
                found.append(module.train())
    return nn.Sequential(*found), (file["training"]["batch"], *shape)
