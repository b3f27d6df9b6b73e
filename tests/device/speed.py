"""How fast the networks of the zoo train on a device: examples a second, beside what their MACs would allow.

    python tests/device/speed.py --device cuda --out speed.json

Synthetic data: inputs and labels are drawn once and stay on the device. Plain SGD on cross-entropy, in float32 as torch
has it by default (on CUDA the convolutions in TF32). Each network warms up, and the median of its steps counts, the
device being waited for at the end of each.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import convcalc as cc


class Network(NamedTuple):
    """A network of the table: its batch, its images of one channel, and the notes' examples a second, if any."""

    name: str
    graph: Any
    batch: int
    size: int
    noted: float | None


def quarter(graph: cc.Graph) -> cc.Graph:
    """Return the network with a quarter of the channels of every convolution; linear layers stay as wide."""

    def narrow(layer: cc.Layer) -> cc.Layer:
        if isinstance(layer, cc.Conv):
            return replace(layer, out_channels=layer.out_channels // 4)
        return replace(layer, in_features=None) if isinstance(layer, cc.Linear) else layer

    nodes = [cc.Node(node.name, narrow(node.layer), node.inputs) for node in graph]
    return cc.Graph(nodes, graph.inputs, graph.outputs, name=f"{graph.name}, a quarter of the channels")


def networks() -> list[Network]:
    """Return the networks of the notes; their VGG has, as such tables usually mean, a quarter of the channels."""
    vgg = cc.zoo.vgg11(1, 10)
    resnet = cc.zoo.resnet18(1, 10, bias=True, shortcut_norm=False)
    return [
        Network("LeNet", cc.zoo.lenet(), 256, 28, 35726.4),
        Network("AlexNet", cc.zoo.alexnet(), 128, 224, 3941.8),
        Network("VGG-11", vgg, 128, 224, None),
        Network("VGG-11, quarter width", quarter(vgg), 128, 224, 2463.7),
        Network("NiN", cc.zoo.nin(), 128, 224, 3087.6),
        Network("GoogLeNet", cc.zoo.googlenet(), 128, 96, 3265.5),
        Network("ResNet-18", resnet, 256, 96, 5032.7),
        Network("DenseNet", cc.zoo.densenet(), 256, 96, 5626.3),
    ]


def wait(device: str) -> None:
    """Wait until the device has done what it was asked."""
    import torch

    if device == "cuda":
        torch.cuda.synchronize()


def matrix_rates(device: str) -> dict[str, float]:
    """Return the FLOPs a second of a large matrix product: in float32, and on CUDA in TF32."""
    import torch

    size, times = (8192, 20) if device == "cuda" else (1024, 3)
    a, b = (torch.rand(size, size, device=device) for _ in range(2))
    found = {}
    for name in ("float32", "tf32") if device == "cuda" else ("float32",):
        before = torch.backends.cuda.matmul.allow_tf32
        torch.backends.cuda.matmul.allow_tf32 = name == "tf32"
        try:
            a @ b
            wait(device)
            start = time.perf_counter()
            for _ in range(times):
                a @ b
            wait(device)
        finally:
            torch.backends.cuda.matmul.allow_tf32 = before
        found[name] = 2 * size**3 * times / (time.perf_counter() - start)
    return found


def step_times(net: Network, device: str, batch: int, steps: int, seconds: float) -> tuple[list[float], int | None]:
    """Return the seconds of each step after the warm-up, and the most bytes taken on the device, where that is told."""
    import torch

    torch.manual_seed(0)
    shape = (batch, 1, net.size, net.size)
    module = cc.to_torch(net.graph, shape, device=device).train()
    images, labels = torch.rand(shape, device=device), torch.randint(0, 10, (batch,), device=device)
    loss, optimizer = torch.nn.CrossEntropyLoss(), torch.optim.SGD(module.parameters(), lr=1e-3)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    found: list[float] = []
    end, warm = time.perf_counter() + seconds, 0 if device == "cpu" else 5
    for number in range(warm + steps):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss(module(images), labels).backward()
        optimizer.step()
        wait(device)
        if number >= warm:
            found.append(time.perf_counter() - start)
        if time.perf_counter() > end and len(found) > 1:
            break
    return found, torch.cuda.max_memory_allocated() if device == "cuda" else None


def measured(net: Network, device: str, batch: int | None, steps: int, rates: dict[str, float]) -> dict[str, Any]:
    """Return the row of a network.

    A step multiplies three times as much as a forward: once forward, and for the gradients of outputs and of weights.
    What it must hold are weights, their gradients and every output.
    """
    size = batch or net.batch
    report = cc.inspect(net.graph, (size, 1, net.size, net.size))
    times, peak = step_times(net, device, size, steps, seconds=6)
    step = statistics.median(times)
    rate = rates.get("tf32", rates["float32"])
    return {
        "name": net.name,
        "batch": size,
        "input": f"1x{net.size}x{net.size}",
        "examples_per_second": round(size / step, 1),
        "slowest_and_fastest": [round(size / max(times), 1), round(size / min(times), 1)],
        "steps": len(times),
        "noted": net.noted,
        "macs": report.macs // size,
        "bound": round(rate / (6 * report.macs / size), 1),
        "peak_bytes": peak,
        "estimated_bytes": 2 * report.weight_bytes + report.activation_bytes,
    }


def main() -> None:
    """Measure every network, and write what came so far after each."""
    import torch

    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--batch", type=int, help="instead of each network's own")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    rates = matrix_rates(asked.device)
    document: dict[str, Any] = {
        "matrix_flops": {name: round(rate) for name, rate in rates.items()},
        "tf32_convolutions": asked.device == "cuda" and torch.backends.cudnn.allow_tf32,
        "rows": [],
    }
    for net in sorted(networks(), key=lambda net: net.noted or 0, reverse=True):  # the slowest last
        try:
            document["rows"].append(measured(net, asked.device, asked.batch, asked.steps, rates))
        except (RuntimeError, cc.ConvcalcError) as error:  # out of memory, say: the others are measured all the same
            document["rows"].append({"name": net.name, "failed": str(error).splitlines()[0]})
        asked.out.write_text(json.dumps(document, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
