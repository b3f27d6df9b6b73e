"""The models that `measure_breadth.py` tries: each library's, built with random weights and without a download."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Model:
    """A model to try: how it is built, and its input shapes, by name too, or what gives them."""

    name: str
    build: Callable[[], Any]
    inputs: Any
    dtype: str | None = None


def timm_models() -> Iterator[Model]:
    """Of every file of timm the first model, of large families more, evenly spread over the names."""
    import timm

    for family in timm.list_modules():
        names = timm.list_models(module=family)
        wanted = 1 + (len(names) > 4) + (len(names) > 16)
        for place in range(wanted):
            name = names[place * len(names) // wanted]
            yield Model(name, lambda name=name: timm.create_model(name), lambda model: [_timm_input(model)])


def _timm_input(model: Any) -> tuple[int, ...]:
    return (1, *(model.pretrained_cfg or {}).get("input_size", (3, 224, 224)))


_VIDEO = {"mc3_18": 112, "r2plus1d_18": 112, "r3d_18": 112, "s3d": 224, "mvit_v1_b": 224, "mvit_v2_s": 224}


def torchvision_models() -> Iterator[Model]:
    """All that is not quantized, three detectors among them."""
    import torchvision.models as zoo

    some_detectors = ("fasterrcnn_resnet50_fpn", "retinanet_resnet50_fpn", "ssdlite320_mobilenet_v3_large")
    detectors = set(zoo.list_models(module=zoo.detection))
    flow = set(zoo.list_models(module=zoo.optical_flow))
    segmentation = set(zoo.list_models(module=zoo.segmentation))
    for name in zoo.list_models():
        if name.startswith("quantized") or (name in detectors and name not in some_detectors):
            continue
        settings: dict[str, Any] = {"weights": None}
        if name in detectors | segmentation:
            settings["weights_backbone"] = None
        if name in ("googlenet", "inception_v3"):
            settings |= {"init_weights": False}
        shapes: Any = [(1, 3, 224, 224)]
        if name in _VIDEO or name.startswith("swin3d"):
            shapes = [(1, 3, 16, *[_VIDEO.get(name, 224)] * 2)]
        elif name in flow:
            shapes = [(1, 3, 256, 320)] * 2
        elif name == "inception_v3":
            shapes = [(1, 3, 299, 299)]
        elif name in detectors:
            shapes = [(1, 3, 320, 320)]
        yield Model(name, lambda name=name, settings=settings: zoo.get_model(name, **settings), shapes)


def smp_models() -> Iterator[Model]:
    """Every architecture on three encoders, the usual U-Net on more."""
    import segmentation_models_pytorch as smp

    architectures = (
        "Unet",
        "UnetPlusPlus",
        "MAnet",
        "Linknet",
        "FPN",
        "PSPNet",
        "DeepLabV3",
        "DeepLabV3Plus",
        "PAN",
        "UPerNet",
        "Segformer",
        "DPT",
    )
    usual = ("resnet18", "efficientnet-b0", "mobilenet_v2", "tu-convnext_atto")
    more = ("vgg11_bn", "densenet121", "resnext50_32x4d", "se_resnet50", "mit_b0", "timm-regnetx_002", "mobileone_s0")
    more += ("dpn68", "inceptionv4", "xception", "tu-mobilenetv3_small_100", "tu-resnest14d", "tu-hrnet_w18_small")
    for architecture in architectures:
        encoders = usual + (more if architecture == "Unet" else ())
        if architecture == "DPT":
            encoders = ("tu-vit_tiny_patch16_224", "tu-vit_base_patch16_224.augreg_in21k")
        for encoder in encoders:

            def build(architecture: str = architecture, encoder: str = encoder) -> Any:
                settings = {"dynamic_img_size": True} if architecture == "DPT" else {}
                return getattr(smp, architecture)(encoder, encoder_weights=None, classes=5, **settings)

            yield Model(f"{architecture} {encoder}", build, [(1, 3, 224 if architecture == "DPT" else 256, 224)])


def monai_models() -> Iterator[Model]:
    """Networks of medical images, in 2-D and 3-D."""
    from monai.networks import nets

    def model(
        name: str, shape: tuple[int, ...], *args: Any, more: str = "", shapes: Any = None, **settings: Any
    ) -> Any:
        label = f"{name} {len(shape) - 2}-D{more}"
        return Model(label, lambda: getattr(nets, name)(*args, **settings), shapes or [shape])

    for d in (2, 3):
        one = (1, 1, *[64 if d == 3 else 128] * d)
        s = {"spatial_dims": d, "in_channels": 1, "out_channels": 2}
        yield model("UNet", one, **s, channels=(8, 16, 32), strides=(2, 2), num_res_units=2)
        yield model("UNet", one, **s, channels=(8, 16, 32), strides=(2, 2), norm="batch", more=" plain")
        yield model("BasicUNet", one, **s)
        yield model("BasicUNetPlusPlus", one, **s)
        yield model("AttentionUnet", one, **s, channels=(8, 16, 32), strides=(2, 2))
        yield model("DynUNet", one, **s, kernel_size=(3, 3, 3), strides=(1, 2, 2), upsample_kernel_size=(2, 2))
        yield model("SegResNet", one, **s)
        yield model("SegResNetVAE", one, input_image_size=one[2:], spatial_dims=d, in_channels=1, out_channels=2)
        yield model("VNet", one, **s)
        yield model("HighResNet", one, **s)
        yield model("UNETR", one, in_channels=1, out_channels=2, img_size=one[2:], spatial_dims=d)
        yield model("SwinUNETR", one, in_channels=1, out_channels=2, feature_size=12, spatial_dims=d)
        yield model("ViT", one, in_channels=1, img_size=one[2:], patch_size=16, spatial_dims=d)
        yield model("ViTAutoEnc", one, in_channels=1, img_size=one[2:], patch_size=16, spatial_dims=d)
        yield model("DenseNet121", one, **s)
        yield model("SEResNet50", one, spatial_dims=d, in_channels=1, num_classes=2)
        yield model("EfficientNetBN", one, "efficientnet-b0", spatial_dims=d, in_channels=1, pretrained=False)
        yield model("FlexibleUNet", one, in_channels=1, out_channels=2, backbone="efficientnet-b0", spatial_dims=d)
        yield model("AutoEncoder", one, **s, channels=(8, 16), strides=(2, 2))
        yield model("AutoencoderKL", one, **s, num_res_blocks=(1, 1), channels=(32, 64), attention_levels=(False, True))
        yield model(
            "VQVAE",
            one,
            **s,
            channels=(32, 64),
            num_res_channels=(32, 64),
            num_res_layers=1,
            downsample_parameters=((2, 4, 1, 1),) * 2,
            upsample_parameters=((2, 4, 1, 1, 0),) * 2,
        )
        yield model("PatchDiscriminator", one, spatial_dims=d, channels=16, in_channels=1)
        yield model("MedNeXtS", one, **s)
        yield model("DAF3D", one, in_channels=1, out_channels=2) if d == 3 else model("HoVerNet", (1, 3, 256, 256))
        yield model(
            "DiffusionModelUNet",
            one,
            **s,
            channels=(32, 64),
            attention_levels=(False, True),
            num_res_blocks=1,
            shapes=[one, (1,)],
        )
    one = (1, 1, 64, 64, 64)
    yield Model("resnet18 3-D", lambda: nets.resnet18(spatial_dims=3, n_input_channels=1, num_classes=2), [one])
    yield model("AHNet", (1, 1, 128, 128, 128), spatial_dims=3, upsample_mode="transpose")
    yield model(
        "LocalNet", one, spatial_dims=3, in_channels=1, num_channel_initial=8, extract_levels=(0, 1, 2), out_channels=3
    )
    yield model("Quicknat", (1, 1, 64, 64), num_classes=2, num_channels=1, num_filters=16)
    yield model("MaskedAutoEncoderViT", one, in_channels=1, img_size=(64, 64, 64), patch_size=16)
    yield model("HyenaNDUNETR", one, in_channels=1, out_channels=2, hyena_stages=(True,) * 4)


_TRANSFORMERS: tuple[tuple[str, int, dict[str, Any]], ...] = (
    ("ViTModel", 224, {}),
    ("ViTForImageClassification", 224, {}),
    ("ViTMAEModel", 224, {}),
    ("ViTMSNModel", 224, {}),
    ("DeiTModel", 224, {}),
    ("DeiTForImageClassification", 224, {}),
    ("BeitModel", 224, {}),
    ("BeitForSemanticSegmentation", 224, {"out_indices": [3, 5, 7, 11]}),
    ("Data2VecVisionModel", 224, {}),
    ("SwinModel", 224, {}),
    ("SwinForImageClassification", 224, {}),
    ("Swinv2Model", 256, {"image_size": 256, "window_size": 8}),
    ("Swin2SRModel", 64, {}),
    ("MaskFormerSwinModel", 224, {}),
    ("ConvNextModel", 224, {}),
    ("ConvNextForImageClassification", 224, {}),
    ("ConvNextV2Model", 224, {}),
    ("ResNetModel", 224, {}),
    ("ResNetForImageClassification", 224, {}),
    ("RegNetModel", 224, {}),
    ("BitModel", 224, {}),
    ("MobileNetV1Model", 224, {}),
    ("MobileNetV2Model", 224, {}),
    ("MobileViTModel", 256, {}),
    ("MobileViTForSemanticSegmentation", 256, {}),
    ("MobileViTV2Model", 256, {}),
    ("EfficientNetModel", 224, {}),
    ("SegformerModel", 256, {}),
    ("SegformerForSemanticSegmentation", 256, {}),
    ("PvtModel", 224, {}),
    ("PvtV2Model", 224, {}),
    ("Dinov2Model", 224, {"image_size": 224}),
    ("Dinov2ForImageClassification", 224, {"image_size": 224}),
    ("Dinov2WithRegistersModel", 224, {"image_size": 224}),
    ("DINOv3ViTModel", 224, {}),
    ("DINOv3ConvNextModel", 224, {}),
    ("CLIPVisionModel", 224, {}),
    ("SiglipVisionModel", 224, {}),
    ("ChineseCLIPVisionModel", 224, {}),
    ("AltCLIPVisionModel", 224, {}),
    ("BlipVisionModel", 384, {}),
    ("Blip2VisionModel", 224, {}),
    ("GitVisionModel", 224, {}),
    ("CvtModel", 224, {}),
    ("LevitModel", 224, {}),
    ("PoolFormerModel", 224, {}),
    ("FocalNetModel", 224, {}),
    ("HieraModel", 224, {}),
    ("TimesformerModel", 224, {}),
    ("VivitModel", 224, {}),
    ("VideoMAEModel", 224, {}),
    ("GLPNModel", 256, {}),
    ("DPTForDepthEstimation", 384, {}),
    ("DepthAnythingForDepthEstimation", 224, {}),
    ("ZoeDepthForDepthEstimation", 224, {}),
    ("UperNetForSemanticSegmentation", 224, {}),
    ("VitDetModel", 224, {}),
    ("YolosModel", 512, {}),
    ("DetrModel", 256, {"use_timm_backbone": False}),
    ("DetrForObjectDetection", 256, {"use_timm_backbone": False}),
    ("ConditionalDetrModel", 256, {"use_timm_backbone": False}),
    ("DeformableDetrModel", 256, {"use_timm_backbone": False}),
    ("RTDetrModel", 640, {}),
    ("Mask2FormerModel", 256, {}),
    ("MaskFormerModel", 256, {}),
    ("SamVisionModel", 1024, {}),
    ("SuperPointForKeypointDetection", 224, {}),
    ("TextNetModel", 224, {}),
    ("IJepaModel", 224, {}),
    ("ViTPoseBackbone", 256, {}),
    ("VitPoseBackbone", 256, {}),
)

_AUDIO = ("Wav2Vec2Model", "HubertModel", "WavLMModel", "UniSpeechModel", "SEWModel", "Data2VecAudioModel")


def transformers_models() -> Iterator[Model]:
    """Vision models at their default configuration, on one image or 8 or 16 frames; encoders of raw audio."""
    import transformers

    for name, size, settings in _TRANSFORMERS:
        if not hasattr(transformers, name):
            continue
        frames = {"TimesformerModel": 8, "VideoMAEModel": 16, "VivitModel": 32}.get(name)
        channels = 1 if name.startswith("SuperPoint") else 3
        shape = (1, frames, 3, size, size) if frames else (1, channels, size, size)
        if name == "VitPoseBackbone":
            shape = (1, 3, 256, 192)
        yield Model(name, lambda name=name, settings=settings: _transformer(name, settings), [shape])
    for name in _AUDIO:
        yield Model(name, lambda name=name: _transformer(name, {}), [(1, "T")])
    for name, inputs in (
        ("WhisperEncoder", [(1, 80, 3000)]),
        ("ASTModel", [(1, 1024, 128)]),
        ("EncodecModel", [(1, 1, 16000)]),
        ("DacModel", [(1, 1, 16000)]),
    ):
        yield Model(name, lambda name=name: _transformer(name, {}), inputs)


def _transformer(name: str, settings: dict[str, Any]) -> Any:
    """Build a model of transformers from its configuration class."""
    import transformers

    if name == "WhisperEncoder":
        from transformers.models.whisper.modeling_whisper import WhisperEncoder

        return WhisperEncoder(transformers.WhisperConfig())
    made = getattr(transformers, name)
    config = made.config_class(**settings)
    for part in ("backbone_config",):
        found = getattr(config, part, None)
        if found is not None and hasattr(found, "use_pretrained_backbone"):
            found.use_pretrained_backbone = False
    return made(config)


def diffusers_models() -> Iterator[Model]:
    """Small U-Nets and autoencoders; what is needed besides the image keeps its size."""
    import diffusers as d

    def model(name: str, shapes: Any, **settings: Any) -> Model:
        return Model(name, lambda: getattr(d, name)(**settings), shapes)

    image, latent, text = (1, 3, 64, 64), (1, 4, 32, 32), (1, 77, 64)
    blocks = {"block_out_channels": (32, 64), "layers_per_block": 1}
    attention = {"cross_attention_dim": 64, "attention_head_dim": 8}
    crossed = {
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
    }
    yield model(
        "UNet2DModel",
        [image, (1,)],
        sample_size=64,
        **blocks,
        attention_head_dim=8,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
    )
    yield model("UNet2DConditionModel", [latent, (1,), text], **blocks, **attention, **crossed)
    yield Model(
        "UNet2DConditionModel (Stable Diffusion 1)",
        lambda: d.UNet2DConditionModel(cross_attention_dim=768),
        [(1, 4, 64, 64), (1,), (1, 77, 768)],
    )
    yield model(
        "UNet3DConditionModel",
        [(1, 4, 4, 32, 32), (1,), text],
        **blocks,
        **attention,
        down_block_types=("CrossAttnDownBlock3D", "DownBlock3D"),
        up_block_types=("UpBlock3D", "CrossAttnUpBlock3D"),
    )
    yield model(
        "UNetMotionModel",
        [(1, 4, 4, 32, 32), (1,), (4, 77, 64)],
        **blocks,
        cross_attention_dim=64,
        num_attention_heads=4,
        down_block_types=("CrossAttnDownBlockMotion", "DownBlockMotion"),
        up_block_types=("UpBlockMotion", "CrossAttnUpBlockMotion"),
    )
    coder = {"down_block_types": ("DownEncoderBlock2D",) * 2, "up_block_types": ("UpDecoderBlock2D",) * 2}
    yield model("AutoencoderKL", [image], **blocks, **coder)
    yield Model(
        "AutoencoderKL (Stable Diffusion 1)",
        lambda: d.AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            layers_per_block=2,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            latent_channels=4,
        ),
        [(1, 3, 256, 256)],
    )
    yield model("VQModel", [image], **blocks, **coder)
    yield model(
        "AsymmetricAutoencoderKL", [image], **coder, down_block_out_channels=(32, 64), up_block_out_channels=(32, 64)
    )
    yield model("AutoencoderTiny", [image])
    yield model("ConsistencyDecoderVAE", [(1, 3, 64, 64)])
    yield model("AutoencoderDC", [image])
    yield model("AutoencoderOobleck", [(1, 2, 8192)])
    yield model(
        "DiTTransformer2DModel",
        [latent, (1,), ("long", (1,))],
        num_layers=2,
        num_attention_heads=4,
        attention_head_dim=16,
    )
    yield model(
        "PixArtTransformer2DModel",
        {
            "hidden_states": latent,
            "encoder_hidden_states": text,
            "timestep": (1,),
        },
        num_layers=2,
        num_attention_heads=4,
        attention_head_dim=16,
        sample_size=32,
        caption_channels=64,
        cross_attention_dim=64,
    )
    yield model(
        "SD3Transformer2DModel", [(1, 16, 32, 32), (1, 77, 4096), (1, 2048), (1,)], num_layers=2, sample_size=32
    )
    yield model("UVit2DModel", [("long", (1, 16, 16)), (1, 77, 768), (1, 768), (1, 5)])
    yield model(
        "ControlNetModel",
        [latent, (1,), text, (1, 3, 256, 256)],
        **blocks,
        **attention,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
    )
    yield model("T2IAdapter", [(1, 3, 256, 256)])


LIBRARIES: dict[str, tuple[str, Callable[[], Iterator[Model]]]] = {
    "timm": ("timm", timm_models),
    "torchvision": ("torchvision", torchvision_models),
    "smp": ("segmentation_models_pytorch", smp_models),
    "monai": ("monai", monai_models),
    "transformers": ("transformers", transformers_models),
    "diffusers": ("diffusers", diffusers_models),
}
"""The import name of each library and what is tried of it."""


def forward_takes(model: Any, count: int) -> list[str]:
    """Return the names of the first arguments of a model's forward."""
    names = [name for name in inspect.signature(model.forward).parameters if name != "self"]
    return names[:count]


def version(library: str) -> str:
    """Return the version of a library, without what it was built for."""
    return str(import_module(LIBRARIES[library][0]).__version__).partition("+")[0]
