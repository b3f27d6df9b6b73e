"""What a device measures goes into the pages, what a CPU measures does not, and what is not measured says so."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

import convcalc as cc

ROOT = Path(__file__).parent.parent
HOME = ROOT / "tests" / "device"


@pytest.fixture
def fill(monkeypatch):
    """The script, as a module."""
    monkeypatch.syspath_prepend(str(HOME))
    spec = importlib.util.spec_from_file_location("fill", HOME / "fill.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.modules.pop("tables", None)


def document(kind):
    """A result, as `run.py` writes it."""
    counts = {"checked": 90, "refused": 10, "mismatches": [], "unchecked": [{"kind": "tiles", "why": "no", "count": 1}]}
    row = {"name": "LeNet", "batch": 256, "input": "1x28x28", "examples_per_second": 123456.7, "noted": 35726.4}
    return {
        "device": {
            "date": "2026-12-01 10:00 UTC",
            "type": kind,
            "name": "a device",
            "driver": "580.1",
            "python": "3.12.3",
            "torch": "2.11.0",
            "cuda": "13.0",
            "cudnn": 91900,
        },
        "small": kind == "cpu",
        "seconds": 200.0,
        "tests": {"counts": {"passed": 5}},
        "speed": {
            "matrix_flops": {"float32": 5e13, "tf32": 4e14},
            "rows": [{**row, "bound": 9e6, "peak_bytes": 2**30, "estimated_bytes": 2**29}],
        },
        "verify": [
            {"name": "layers", "command": "convcalc verify layers", **counts, "interrupted": True, "seconds": 60.0},
            {"name": "unet", "command": "convcalc verify unet", "not_run": "out of time"},
        ],
    }


def test_the_pages_hold_what_the_script_writes(fill):
    """Until a device is measured; then this is the test of the last result instead."""
    for page in fill.PAGES:
        text = page.read_text(encoding="utf-8")
        assert "<!-- device: " in text
        if "not yet measured" in text:
            assert fill.filled(text, fill.blocks(None)) == text


def test_a_result_of_a_device_fills_them(fill, tmp_path, monkeypatch):
    pages = [tmp_path / page.name for page in fill.PAGES]
    for page, copy in zip(fill.PAGES, pages, strict=True):
        copy.write_text(page.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(fill, "PAGES", pages)
    (tmp_path / "device.json").write_text(json.dumps(document("cuda")), encoding="utf-8")
    assert fill.main([str(tmp_path / "device.json")]) == 0
    verified, speed = (page.read_text(encoding="utf-8") for page in pages)
    assert "On a device, driver 580.1, torch 2.11.0, CUDA 13.0, cuDNN 91900, Python 3.12.3, 2026-12-01" in verified
    assert "| `convcalc verify layers` | 100 | 90 | 10 | 0 | 1 | 60.0, then stopped |" in verified
    assert "| `convcalc verify unet` | not run: out of time |" in verified
    assert "| `convcalc verify lenet --device cuda` | not yet measured |" in verified
    assert "| LeNet | 256 | 1x28x28 | 35,726 | 123,457 | 9,000,000 | 1.00 GiB | 0.50 GiB |" in speed
    assert "| NiN | 128 | 1x224x224 | 3,088 | not yet measured |" in speed
    assert "50.00 TFLOP/s in float32, 400.00 TFLOP/s in tf32" in speed
    assert fill.main([]) == 0
    assert [page.read_text(encoding="utf-8") for page in pages] == [
        fill.filled(page.read_text(encoding="utf-8"), fill.blocks(None)) for page in fill.PAGES
    ]


def test_a_result_of_the_cpu_is_refused(fill, tmp_path, capsys):
    (tmp_path / "device.json").write_text(json.dumps(document("cpu")), encoding="utf-8")
    before = [page.read_text(encoding="utf-8") for page in fill.PAGES]
    assert fill.main([str(tmp_path / "device.json")]) == 2
    assert "measured on the CPU" in capsys.readouterr().err
    assert [page.read_text(encoding="utf-8") for page in fill.PAGES] == before


def test_every_network_of_the_table_is_one_that_runs(fill, monkeypatch):
    spec = importlib.util.spec_from_file_location("speed", HOME / "speed.py")
    speed = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "speed", speed)
    spec.loader.exec_module(speed)
    nets = speed.networks()
    rows = [(net.name, net.batch, f"1x{net.size}x{net.size}", net.noted) for net in nets]
    assert rows == list(sys.modules["tables"].NETWORKS)
    reports = [cc.inspect(net.graph, (2, 1, net.size, net.size)) for net in nets]
    assert [report.output for report in reports] == [(2, 10)] * 8
    full, quarter = reports[2:4]
    assert full.layers[-1].macs == quarter.layers[-1].macs
    assert 14 < full.macs / quarter.macs < 17


def test_its_own_page_says_where_it_is_small(fill):
    tables = sys.modules["tables"]
    assert "no figures of a device" in tables.markdown(document("cpu"))
    assert "no figures of a device" not in tables.markdown(document("cuda"))
    assert "5 passed" in tables.markdown(document("cuda"))
