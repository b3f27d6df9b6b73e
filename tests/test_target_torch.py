"""Torch modules as targets: what may be called, and what is refused before it is imported or called."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import convcalc
from convcalc.cli.target.constructors import CONSTRUCTORS, is_constructor
from convcalc.cli.target.target import load_target
from convcalc.errors import Unreadable

torch = pytest.importorskip("torch")

LIBRARY = """
import os
from functools import partial
from pathlib import Path
import torch
from torch.hub import load_state_dict_from_url
from click import echo

class Net(torch.nn.Linear):
    @classmethod
    def load(cls):
        Path("ran").touch()

class Writer:
    def __init__(self):
        Path("ran").touch()

def net(features=3, weights=None):
    model = Net(features, 2)
    if weights == "elsewhere":
        from urllib.request import urlopen
        urlopen("http://nowhere.invalid/net.pth")
    if weights == "url":
        model.load_state_dict(load_state_dict_from_url("https://nowhere.invalid/net.pth"))
    elif weights:
        model.load_state_dict(torch.load(weights))
    return model

def text():
    return "text"

def run(config="bundle.json"):
    Path("ran").touch()

ready = Net(4, 2)
deferred = partial(net, 5)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working directory, and beside it a folder of installed packages: one on torch, one that knows nothing of it."""
    packages, work = tmp_path / "packages", tmp_path / "work"
    for place in (packages, work):
        place.mkdir()
    (packages / "target_library").mkdir()
    (packages / "target_library" / "__init__.py").write_text("from target_library.models import net, Net\n")
    (packages / "target_library" / "models.py").write_text(LIBRARY)
    (packages / "target_plain.py").write_text("from pathlib import Path\ndef net():\n    Path('ran').touch()\n")
    monkeypatch.setitem(CONSTRUCTORS, "target_library", lambda found: found.__name__ == "net")
    monkeypatch.syspath_prepend(str(packages))
    monkeypatch.chdir(work)
    yield work
    for name in [name for name in sys.modules if name.startswith(("target_", "convcalc target"))]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("text", "features"),
    [
        ("target_library:net", 3),
        ("target_library:net(7)", 7),
        ("target_library.models:net(features=8)", 8),
        ("target_library:Net(9, 2)", 9),
        ("target_library.models:ready", 4),
        ("torch.nn:Linear(5, 6)", 5),
    ],
)
def test_networks_of_a_library_are_targets(text, features):
    module = load_target(text)
    assert isinstance(module, torch.nn.Linear)
    assert module.in_features == features


def test_what_is_built_takes_no_memory():
    assert load_target("target_library:Net(1000000000, 1000)").weight.device.type == "meta"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("os:system('touch ran')", "os:system('touch ran') would call code of os"),
        ("subprocess:run('touch ran')", "would call code of subprocess"),
        ("builtins:eval('1')", "would call code of builtins"),
        ("builtins:open", "would call code of builtins"),
        ("posix:system('touch ran')", "would call code of posix"),
        ("pickle:load('ran')", "would call code of pickle"),
        ("torch:load('ran')", "would call code of torch.serialization"),
        ("torch:save('1', 'ran')", "would call code of torch.serialization"),
        ("torch.hub:load('a', 'b')", "would call code of torch.hub"),
        ("torch.jit:load('ran')", "would call code of torch.jit"),
        ("torch:hub.load('a', 'b')", "would call code of torch.hub"),
        ("target_library.models:torch.load('ran')", "would call code of torch.serialization"),
        ("target_library.models:os.system('touch ran')", "which is no function or class"),
        ("target_library.models:os.makedirs('ran')", "would call code of os"),
        ("target_library.models:Path('ran')", "would call code of pathlib"),
        ("target_library.models:echo('ran')", "would call code of click"),
        ("target_library.models:Writer()", "would call code of target_library.models"),
        ("target_library.models:Writer", "would call code of target_library.models"),
        ("target_library.models:deferred()", "calls a partial, which is no function or class"),
        ("target_library:net(open('ran', 'w'))", "after the colon stands a name, or one call with literals"),
        ("target_plain:net()", "would call code of target_plain"),
        ("target_plain:net", "would call code of target_plain"),
        ("numpy:save('ran', 1)", "which is no function or class"),
        ("click:open_file('ran', 'w')", "would call code of click"),
        ("target_library.models:text", "would call code of target_library.models"),
        ("target_library.models:run('bundle.json')", "would call code of target_library.models"),
        (
            "target_library.models:run()",
            "'import target_library.models' and 'def net(): return target_library.models.run()'",
        ),
        ("target_library.models:Net.load()", "calls a method, which is no function or class"),
        ("torch.nn.utils:skip_init('x')", "would call code of torch.nn.utils.init"),
        ("torch.nn.functional:relu(1)", "would call code of torch.nn.functional"),
        ("target_library:net(weights='net.pth')", "would load a checkpoint, and checkpoints are not loaded"),
        ("target_library:net(weights='elsewhere')", "would load a checkpoint, and checkpoints are not loaded"),
        ("target_library:net(weights='url')", "would load a checkpoint, and checkpoints are not loaded"),
    ],
)
def test_nothing_else_is_called(folder, text, sentence):
    with pytest.raises(Unreadable) as caught:
        load_target(text)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(folder.iterdir())


def test_of_a_library_every_function_is_refused_but_its_constructors():
    """Whatever a package has: a call runs only where the list or torch.nn.Module says so."""
    import target_library.models as library

    names = [name for name, value in vars(library).items() if callable(value) and not name.startswith("_")]
    called = {name for name in names if not refused(f"target_library.models:{name}")}
    assert called == {"net", "Net", "ready", "deferred"}  # the last two are no functions, and are not called


def refused(text):
    try:
        load_target(text)
    except Unreadable as error:
        return "would call code of" in str(error) or "is no function or class" in str(error)
    return False


@pytest.mark.parametrize(
    ("package", "module", "made", "others"),
    [
        (
            "torchvision",
            "torchvision.models",
            ["resnet18", "vit_b_16", "get_model", "detection.ssd300_vgg16"],
            ["list_models", "get_weight", "get_model_weights", "_api.register_model"],
        ),
        (
            "timm",
            "timm.models",
            ["resnet18", "vit_tiny_patch16_224"],
            ["load_checkpoint", "load_pretrained", "list_models"],
        ),
        ("timm", "timm", ["create_model"], ["list_models", "is_model"]),
        ("segmentation_models_pytorch", "segmentation_models_pytorch", ["create_model"], ["from_pretrained"]),
        ("monai", "monai.networks.nets.resnet", ["resnet50"], ["get_pretrained_resnet_medicalnet", "resnet_block"]),
        ("transformers", "transformers", [], ["set_seed", "pipeline"]),
        ("diffusers", "diffusers.utils", [], ["load_image"]),
    ],
)
def test_the_constructors_of_a_library_are_told_from_its_other_functions(package, module, made, others):
    try:
        home = importlib.import_module(module)
    except (ImportError, RuntimeError):  # not there, or without its compiled part
        pytest.skip(f"{package} cannot be imported")
    for names, wanted in ((made, True), (others, False)):
        for name in names:
            found = home
            for part in name.split("."):
                found = getattr(found, part, None)
            assert found is None or is_constructor(found) is wanted, name


def test_the_standard_library_is_not_even_imported():
    sys.modules.pop("antigravity", None)
    for text in ("antigravity:fly()", "antigravity:fly", "antigravity:geohash(1, 2, 3)"):
        with pytest.raises(Unreadable, match="would call code of antigravity"):
            load_target(text)
    assert "antigravity" not in sys.modules


def test_loaders_are_as_before_after_a_call():
    before = torch.load, torch.serialization.load, torch.hub.get_dir, torch.hub.download_url_to_file
    for text in ("target_library:net", "target_library:net('x')", "target_library:net(weights='url')"):
        with suppress(Unreadable):
            load_target(text)
        assert (torch.load, torch.serialization.load, torch.hub.get_dir, torch.hub.download_url_to_file) == before


def test_code_of_your_own_may_load_its_weights(folder):
    torch.save(torch.nn.Linear(3, 2).state_dict(), folder / "weights.pth")
    source = "import torch\ndef net():\n    net = torch.nn.Linear(3, 2, device='cpu')\n"
    (folder / "own.py").write_text(f"{source}    net.load_state_dict(torch.load('weights.pth'))\n    return net\n")
    assert load_target("own.py:net").in_features == 3


@pytest.mark.parametrize("name", ["model.pt", "a/b.pth", "x.ckpt", "w.safetensors", "W.PT", "net.pt:net", "c.pkl:load"])
def test_files_of_weights_are_not_loaded(folder, name):
    with pytest.raises(Unreadable, match="is a file of weights, and is not loaded"):
        load_target(name)


@pytest.mark.parametrize(
    "arguments", [["own.py:net"], ["own:net"], ["torch.nn:ReLU"], ["target_library:net"]], ids=lambda one: one[0]
)
def test_without_torch_the_way_to_install_it_is_said(folder, arguments):
    (folder / "own.py").write_text("from torch import nn\nnet = nn.ReLU()\n")
    path = os.pathsep.join([str(folder.parent / "packages"), str(Path(convcalc.__file__).parent.parent)])
    code = (
        "import sys\nclass No:\n    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'torch': raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, No())\nfrom convcalc.cli import main\nmain(sys.argv[1:])"
    )
    command = [sys.executable, "-c", code, "inspect", *arguments, "--input", "3x4x4"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'convcalc[torch]'" in done.stderr
    assert "Traceback" not in done.stderr
