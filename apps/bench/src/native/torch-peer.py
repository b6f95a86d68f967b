"""A peer that runs in PyTorch: reads one JSON object a line, answers with one.

{"make": "network", ...}: builds a network and its batch from a file of float32 values. {"make": "norm", ...}: the same for
batch normalization alone. {"run": n}: n steps. {"solve": file}: one step from the start, its results to a file.
"""

import json
import sys

import torch
from torch import nn


def read(path):
    """All float32 values of a file."""
    with open(path, "rb") as file:
        return torch.frombuffer(bytearray(file.read()), dtype=torch.float32)


def write(path, tensors):
    with open(path, "wb") as file:
        for tensor in tensors:
            file.write(tensor.detach().contiguous().numpy().tobytes())


class Values:
    """Hands out the values of a file one after the other."""

    def __init__(self, values):
        self.values = values
        self.at = 0

    def take(self, *shape):
        size = 1
        for length in shape:
            size *= length
        taken = self.values[self.at : self.at + size].reshape(shape).clone()
        self.at += size
        return taken


class Network(nn.Module):
    """The steps of network.ts. `order` lists the parameters as TensorFlow.js has them, with the way back to its shape."""

    def __init__(self, steps, size, channels, values, order):
        super().__init__()
        self.steps = []
        self.size, self.channels = size, channels
        for step in steps:
            self.add(step, values, order)

    def add(self, step, values, order):
        op = step["op"]
        if op in ("conv", "depthwise"):
            kernel, stride = step["kernel"], step["stride"]
            depthwise = op == "depthwise"
            filters = self.channels if depthwise else step["filters"]
            groups = self.channels if depthwise else 1
            layer = nn.Conv2d(self.channels, filters, kernel, stride, kernel // 2, bias=False, groups=groups)
            # Height, width, in and out; a depthwise filter has a multiplier of 1 at the end.
            weight = values.take(kernel, kernel, self.channels, 1 if depthwise else filters)
            to = (2, 3, 0, 1) if depthwise else (3, 2, 0, 1)
            back = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
            layer.weight.data = weight.permute(to).contiguous()
            order.append((layer.weight, lambda w, back=back: w.permute(back)))
            self.channels = filters
            self.size = (self.size + stride - 1) // stride
        elif op == "norm":
            # torch keeps what tf.layers replaces: 1 - 0.99.
            layer = nn.BatchNorm2d(self.channels, eps=1e-3, momentum=0.01)
            layer.weight.data = values.take(self.channels)
            layer.bias.data = values.take(self.channels)
            order.append((layer.weight, lambda w: w))
            order.append((layer.bias, lambda w: w))
        elif op == "relu":
            layer = nn.ReLU()
        elif op == "halve":
            layer = nn.MaxPool2d(2)
            self.size //= 2
        elif op == "mean":
            layer = Mean()
            self.size = 1
        elif op == "flatten":
            layer = nn.Flatten()
        elif op == "dense":
            # Flattened images have their channels last there, and first here.
            size, channels, units = self.size, self.channels, step["units"]
            layer = nn.Linear(size * size * channels, units)
            weight = values.take(size, size, channels, units)
            layer.weight.data = weight.permute(3, 2, 0, 1).reshape(units, -1).contiguous()
            layer.bias.data = values.take(units)
            shape = (units, channels, size, size)
            order.append((layer.weight, lambda w: w.reshape(shape).permute(2, 3, 1, 0)))
            order.append((layer.bias, lambda w: w))
        else:
            main = Network(step["main"], self.size, self.channels, values, order)
            shortcut = Network(step["shortcut"], self.size, self.channels, values, order)
            layer = Sum(main, shortcut)
            self.size, self.channels = main.size, main.channels
        self.add_module(str(len(self.steps)), layer)
        self.steps.append(layer)

    def forward(self, x):
        for step in self.steps:
            x = step(x)
        return x


class Mean(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


class Sum(nn.Module):
    def __init__(self, main, shortcut):
        super().__init__()
        self.main, self.shortcut = main, shortcut

    def forward(self, x):
        return self.main(x) + self.shortcut(x)


def last(x, layout):
    return x.contiguous(memory_format=torch.channels_last) if layout == "channels_last" else x.contiguous()


def make_network(task):
    values = Values(read(task["file"]))
    height, width, channels = task["input"]
    order = []
    model = Network(task["steps"], height, channels, values, order)
    x = last(values.take(task["batch"], height, width, channels).permute(0, 3, 1, 2), task["layout"])
    labels = values.take(task["batch"]).long()
    if task["layout"] == "channels_last":
        model = model.to(memory_format=torch.channels_last)
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=task["rate"], momentum=task["momentum"])
    loss_of = nn.CrossEntropyLoss()

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(model(x), labels)
        loss.backward()
        optimizer.step()
        return loss

    def solve(path):
        loss = step()
        write(path, [loss.reshape(1)] + [back(weight) for weight, back in order])

    return step, solve


def make_norm(task):
    values = Values(read(task["file"]))
    shape, layout = task["shape"], task["layout"]
    channels = shape[-1]

    def image():
        taken = values.take(*shape)
        return last(taken.permute(0, 3, 1, 2), layout) if len(shape) == 4 else taken

    x, dy = image().requires_grad_(), image()
    gamma = values.take(channels).requires_grad_()
    beta = values.take(channels).requires_grad_()

    def step():
        y = nn.functional.batch_norm(x, None, None, gamma, beta, True, 0.01, 1e-3)
        return (y, *torch.autograd.grad(y, (x, gamma, beta), dy))

    def solve(path):
        y, dx, dgamma, dbeta = step()
        if len(shape) == 4:
            y, dx = y.permute(0, 2, 3, 1), dx.permute(0, 2, 3, 1)
        write(path, [y, dx, dgamma, dbeta])

    return step, solve


def main():
    step = solve = None
    for line in sys.stdin:
        task = json.loads(line)
        answer = {}
        if "make" in task:
            torch.set_num_threads(task["threads"])
            step, solve = (make_network if task["make"] == "network" else make_norm)(task)
            answer["version"] = torch.__version__
        elif "solve" in task:
            solve(task["solve"])
        else:
            for _ in range(task["run"]):
                step()
        print(json.dumps(answer), flush=True)


main()
