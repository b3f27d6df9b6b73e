"""The short list of library functions that make a model and do nothing else, library by library.

Classes of models are subclasses of `torch.nn.Module` and need no list: those of transformers and diffusers are such.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any


def is_constructor(found: Any) -> bool:
    """Whether a function is on the list; its library is imported already.

    >>> is_constructor(print)
    False
    """
    listed = CONSTRUCTORS.get(str(found.__module__).partition(".")[0])
    return listed is not None and listed(found)


def _torchvision(found: Any) -> bool:
    """What torchvision has registered as the builder of a model, and the function that calls one by its name."""
    models = sys.modules.get("torchvision.models")
    if models is None:
        return False
    return found is models.get_model or any(models.get_model_builder(name) is found for name in models.list_models())


def _timm(found: Any) -> bool:
    """What timm has registered as the entry to a model, and `create_model`."""
    timm, name = sys.modules["timm"], found.__name__
    if found is getattr(timm, "create_model", None):
        return True
    return bool(timm.is_model(name)) and timm.models.model_entrypoint(name) is found


def _segmentation_models_pytorch(found: Any) -> bool:
    return found is getattr(sys.modules["segmentation_models_pytorch"], "create_model", None)


def _monai(found: Any) -> bool:
    """Functions of `monai.networks.nets` that are called as a network with its depth: resnet18, vista3d132."""
    inside = str(found.__module__).startswith("monai.networks.nets.")
    return inside and re.fullmatch(r"[a-z][a-z0-9]*[0-9]", found.__name__) is not None


CONSTRUCTORS: dict[str, Callable[[Any], bool]] = {
    "torchvision": _torchvision,
    "timm": _timm,
    "segmentation_models_pytorch": _segmentation_models_pytorch,
    "monai": _monai,
}
"""By the name of the package: whether one of its functions is a constructor of models."""
