"""Targets: what each text means, what is refused before it runs, and one sentence for whatever goes wrong."""

from __future__ import annotations

import sys

import pytest

from convcalc.cli.target.target import load_target
from convcalc.errors import Unreadable

NET = """
import os
import subprocess
from dataclasses import dataclass
from os import system
from convcalc import Conv, Linear, ReLU, Sequential
from convcalc.network.graph import Graph
from convcalc.network.node import Node
from convcalc.zoo import resnet18
from helpers_of_net import width

net = Sequential(conv=Conv(width, 3), act=ReLU())
graph = Graph([Node("fc", Linear(3))])
layer = Conv(8, 3)
number = 7
nets = [net]

def make(channels=4, *, depth=1):
    return Sequential(*[Conv(channels, 3) for _ in range(depth)])

def broken():
    raise KeyError("no such key")

def wrong():
    return "text"

class Net(Sequential):
    def __init__(self, channels=2):
        super().__init__(Conv(channels, 1))

class Deep:
    net = net
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with net.py, a package, a broken file, and the module that net.py imports."""
    (tmp_path / "net.py").write_text(NET)
    (tmp_path / "helpers_of_net.py").write_text("width = 5\n")
    (tmp_path / "bad.py").write_text("x = 1\n\ny = x / 0\n")
    (tmp_path / "syntax.py").write_text("def f(:\n")
    (tmp_path / "leaves.py").write_text("import sys\nprint('noise')\nsys.exit('goodbye')\n")
    (tmp_path / "relative.py").write_text("from . import net\n")
    package = tmp_path / "target_pkg"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "mod.py").write_text("from convcalc import Conv\ndef make(k):\n    return Conv(4, k)\nnet = make(3)\n")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith(("target_pkg", "helpers_of_net", "convcalc target"))]:
        del sys.modules[name]


def refused(text: str) -> str:
    with pytest.raises(Unreadable) as caught:
        load_target(text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("lenet", 12),
        (" lenet(modern=True) ", 12),
        ("densenet(blocks=(2, 2))", 29),
        ("conv 64 k4 s2 p1 *3; maxpool k2 s2", 4),
        ("conv 8 k3 p1:2", 1),
        ("relu", 1),
        ("(conv k3; relu) *2; gap; flatten; linear 10", 7),
        ("net.py:net", 2),
        ("net.py:graph", 1),
        ("net.py:layer", 1),
        ("net.py:make", 1),
        ("net.py:make(9, depth=3)", 3),
        ("net.py:make(channels=9)", 1),
        ("net.py:Net", 1),
        ("net.py:Net(7)", 1),
        ("net.py:Deep.net", 2),
        ("net.py:resnet18(classes=10)", 69),
        ("target_pkg.mod:net", 1),
        ("target_pkg.mod:make(3)", 1),
        ("convcalc.zoo:nin(classes=3)", 30),
    ],
)
def test_every_form_of_target_is_a_graph(folder, text, nodes):
    assert len(load_target(text)) == nodes


def test_the_folder_of_a_file_is_on_the_path_while_it_loads(folder, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    before = list(sys.path)
    assert load_target(f"{folder}/net.py:net")["conv"].layer.out_channels == 5
    assert sys.path == before


def test_stack_nodes_are_named_as_the_stack_command_names_them():
    assert [node.name for node in load_target("(conv k3; relu) *2")] == ["conv1", "relu1", "conv2", "relu2"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("os:system('touch ran')", "would call code of os, which is not in the working directory"),
        ("subprocess:run('touch ran')", "would call code of subprocess, which is not in the working directory"),
        ("posixpath:os.system('touch ran')", "would call code of posixpath"),
        ("net.py:system('touch ran')", "calls a builtin_function_or_method, which is no function or class"),
        ("net.py:os.system('touch ran')", "calls a builtin_function_or_method"),
        ("net.py:subprocess.run(['touch', 'ran'])", "would call code of subprocess"),
        ("net.py:subprocess.Popen", "would call code of subprocess"),
        ("net.py:make(os.system('touch ran'))", "after the colon stands a name, or one call with literals"),
        ("net.py:make(*[1])", "after the colon stands a name, or one call with literals"),
        ("net.py:[net for net in [1]]", "after the colon stands a name, or one call with literals"),
    ],
)
def test_only_functions_and_classes_of_ones_own_are_called(folder, text, sentence):
    assert sentence in refused(text)
    assert not (folder / "ran").exists()


def test_what_is_to_be_called_elsewhere_is_not_even_imported(folder):
    sys.modules.pop("this", None)
    assert "would call code of this" in refused("this:make()")
    assert "this" not in sys.modules


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "'' is no target: write a zoo network, a stack"),
        ("a\0b", "is no target"),
        ("lnet", "no network 'lnet' in the zoo; did you mean lenet?"),
        ("gelus", "no network 'gelus' in the zoo; did you mean gelu?"),
        ("resnet18(clases=10)", "resnet18 takes (in_channels"),
        ("resnet18(", "is no network: write a name, or a call with literals"),
        ("resnet50(stride_on='5x5')", "unknown stride_on '5x5'"),
        ("conf 64 k3", "unknown op 'conf' (did you mean conv?)"),
        ("net.py", "'net.py' names a file and nothing in it; it has net.py:make, "),
        ("nte.py:net", "no file 'nte.py'; did you mean net.py?"),
        ("nowhere/net.py:net", "no file 'nowhere/net.py'"),
        ("n" * 5000 + ".py:net", "no file"),
        ("net.py:nett", "net.py has no 'nett'; did you mean net?"),
        ("net.py:net.layers", "net.py has no 'layers'"),
        ("net.py:number", "net.py:number is an int, no torch module, and no graph, block or layer of convcalc"),
        ("net.py:nets", "net.py:nets is a list, no torch module, and no graph, block or layer of convcalc"),
        ("net.py:wrong", "net.py:wrong is a str, no torch module"),
        ("net.py:net()", "net.py:net() calls a Sequential, which is no function or class"),
        ("net.py:make(1, 2, 3)", "calling net.py:make(1, 2, 3) fails: TypeError: make() takes"),
        ("net.py:make(dept=3)", "TypeError: make() got an unexpected keyword argument 'dept'"),
        ("net.py:make('a', depth='b')", "fails at net.py:19: TypeError"),
        ("net.py:broken", "calling net.py:broken fails at net.py:22: KeyError: 'no such key'"),
        ("net.py:", "cannot read ''"),
        ("bad.py:net", "loading bad.py fails at bad.py:3: ZeroDivisionError: division by zero"),
        ("bad:net", "loading bad fails at bad.py:3: ZeroDivisionError: division by zero"),
        ("syntax.py:net", "loading syntax.py fails at syntax.py:1: SyntaxError: invalid syntax"),
        ("leaves.py:net", "loading leaves.py fails at leaves.py:3: SystemExit: goodbye"),
        ("relative.py:net", "loading relative.py fails at relative.py:1: ImportError: attempted relative import"),
        ("target_pkg.mdo:net", "no module 'target_pkg.mdo' here or installed"),
        ("nett:net", "no module 'nett' here or installed; did you mean net?"),
        ("nett:net()", "no module 'nett' here or installed; did you mean net?"),
        ("..:net", "'..' is no name of a module"),
    ],
)
def test_whatever_is_wrong_is_one_sentence(folder, text, sentence):
    assert sentence in refused(text)


def test_what_a_file_prints_is_not_part_of_the_answer(folder, capsys):
    refused("leaves.py:net")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "noise\n")


# -- what people write instead ----------------------------------------------------------------------------------------


def test_a_file_alone_lists_its_modules_and_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tfport.py").write_text(
        "import torch.nn as nn\nraise SystemExit('this was run')\n"
        "class Same(nn.Conv2d): pass\nclass Net(nn.Module): pass\nclass Small(Net): pass\nclass Config: pass\n"
    )
    assert refused("tfport.py") == "'tfport.py' names a file and nothing in it; it has tfport.py:Net, tfport.py:Small"
    (tmp_path / "made.py").write_text("import torch\ndef make(): pass\ndef _own(): pass\nnet = torch.nn.ReLU()\n")
    assert refused("made.py") == "'made.py' names a file and nothing in it; it has made.py:make, made.py:net"
    (tmp_path / "broken.py").write_text("def (:")
    assert refused("broken.py") == "'broken.py' names a file and nothing in it: write broken.py:name"


def test_a_dotted_name_is_offered_with_its_colon(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pkg").mkdir()
    for name in ("tfport.py", "pkg/net.py"):
        (tmp_path / name).write_text("")
    assert refused("tfport.Net") == "'tfport.Net' is no target: did you mean tfport.py:Net?"
    assert refused("pkg.net.Net(3)") == "'pkg.net.Net(3)' is no target: did you mean pkg/net.py:Net(3)?"
    assert refused("torchvision.models.resnet18").endswith("did you mean torchvision.models:resnet18?")


@pytest.mark.parametrize(
    ("word", "op"),
    [
        *((word, "tconv") for word in ("deconv", "Deconv2d", "upconv")),
        *((word, "maxpool") for word in ("max", "pool", "Pool2d")),
        *[("avg", "avgpool"), ("convv", "conv")],
    ],
)
def test_other_words_for_an_op_are_offered_its_own(word, op):
    assert refused(f"conv 8 k3; {word} 2") == f"unknown op {word!r} (did you mean {op}?)"
