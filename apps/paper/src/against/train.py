"""The network of `pnpm paper --check-torch` in PyTorch: trained from the same weights on the same batches, and measured.

Reads a folder that check-torch.ts has written, and writes torch.json into it.
"""

import json
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F


def read_weights(path, shapes, dtype):
    flat = np.fromfile(path, dtype=np.float32)
    weights, start = [], 0
    for shape in shapes:
        size = int(np.prod(shape))
        weights.append(torch.tensor(flat[start : start + size].reshape(shape), dtype=dtype))
        start += size
    assert start == flat.size
    return weights


class Network:
    """3x3 convolutions with BN and ReLU, 2x2 max pooling, and a dense layer, in the order of the blocks."""

    def __init__(self, blocks, weights, epsilon):
        self.blocks, self.epsilon = blocks, epsilon
        rest = list(weights)
        self.convolutions = []
        for block in blocks:
            if block == "pool":
                continue
            kernel, gamma, beta = rest[0], rest[1], rest[2]
            rest = rest[3:]
            # Height, width, in, out: PyTorch has out and in first.
            self.convolutions.append([kernel.permute(3, 2, 0, 1).contiguous(), gamma, beta])
        self.kernel, self.bias = rest
        self.parameters = [p for own in self.convolutions for p in own] + [self.kernel, self.bias]

    def forward(self, x, seen=None):
        """`seen`: called with the input of each BN layer, channels last."""
        at = 0
        for block in self.blocks:
            if block == "pool":
                x = F.max_pool2d(x, 2)
                continue
            kernel, gamma, beta = self.convolutions[at]
            at += 1
            x = F.conv2d(x, kernel, padding=1)
            if seen is not None:
                seen(at - 1, x.detach().permute(0, 2, 3, 1).reshape(-1, x.shape[1]).numpy())
            x = F.relu(F.batch_norm(x, None, None, gamma, beta, True, 0.0, self.epsilon))
        # Flattened as TensorFlow does: channels last.
        return x.permute(0, 2, 3, 1).reshape(x.shape[0], -1) @ self.kernel + self.bias


def plain_moments(values):
    """Mean and variance per channel, in float64, by two passes."""
    values = values.astype(np.float64)
    mean = values.sum(axis=0) / len(values)
    return mean, ((values - mean) ** 2).sum(axis=0) / len(values)


def main(folder):
    torch.set_num_threads(1)
    with open(os.path.join(folder, "job.json")) as file:
        job = json.load(file)
    path = lambda name: os.path.join(folder, name)
    images = np.fromfile(path("images.bin"), dtype=np.uint8).reshape(-1, 1, 28, 28)
    labels = np.fromfile(path("labels.bin"), dtype=np.uint8)

    network = Network(job["blocks"], read_weights(path("initial.bin"), job["shapes"], torch.float32), job["epsilon"])
    for parameter in network.parameters:
        parameter.requires_grad_(True)
    optimizer = torch.optim.SGD(network.parameters, lr=job["learningRate"])
    losses = []
    for step in range(job["steps"]):
        own = slice(step * job["batch"], (step + 1) * job["batch"])
        x = torch.tensor(images[own].astype(np.float32) / np.float32(255))
        y = torch.tensor(labels[own].astype(np.int64))
        loss = F.cross_entropy(network.forward(x), y)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    # PreciseBN of the other side's trained weights, in float64 from the first convolution on.
    trained = Network(job["blocks"], read_weights(path("trained.bin"), job["shapes"], torch.float64), job["epsilon"])
    moments = [[] for _ in trained.convolutions]
    with torch.no_grad():
        for start in range(0, job["preciseSamples"], job["preciseBatch"]):
            x = torch.tensor(images[start : start + job["preciseBatch"]].astype(np.float64) / 255)
            trained.forward(x, lambda layer, values: moments[layer].append(plain_moments(values)))
    statistics = []
    for own in moments:
        mean = sum(m for m, _ in own) / len(own)
        variance = sum(v + m * m for m, v in own) / len(own) - mean * mean
        statistics.append({"mean": mean.tolist(), "variance": variance.tolist()})
    with open(path("torch.json"), "w") as file:
        json.dump({"version": torch.__version__, "losses": losses, "statistics": statistics}, file)


main(sys.argv[1])
