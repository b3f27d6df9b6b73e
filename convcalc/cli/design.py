"""`convcalc design`: the stacks that meet a wish, and published ones solved for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import click

from convcalc.cli.network import Asked, target_options
from convcalc.cli.options import Command, Form, NetworkCommand, echo_table, form_options
from convcalc.designs.designing import LISTED, MOST_LISTED, Designs
from convcalc.designs.designing import design as find_designs
from convcalc.designs.text import SPARE, design_table
from convcalc.designs.wish import ORDER
from convcalc.errors import ConvcalcError, NoSolution
from convcalc.render.words import labelled

F = TypeVar("F", bound=Callable[..., Any])
ALONE = "Print the best stack alone."


class _Option(NamedTuple):
    """How an option of a wish is written, what it says, and what holds where it is not given."""

    flags: tuple[str, ...]
    text: str
    default: str = ""


OPTIONS = {
    "kernel_size": _Option(("-k", "--k", "--kernel-size"), "Kernel sizes: 3, 3..7.", "3"),
    "layers": _Option(("--layers",), "How many layers: 4, ..6, 2..6.", "any number"),
    "dilation": _Option(("-d", "--dilation"), "Dilations: 1, ..32.", "1"),
    "strides": _Option(("--strides",), "Strides of a layer: 1..4.", "1; with --stride 1 and 2"),
    "channels": _Option(("--channels",), "Channels of each layer: 64x128x256, the last for all others.", "64"),
    "in_channels": _Option(("--in-channels",), "Channels of the input.", "1"),
    "size": _Option(("--size",), "Size of the input, one an axis: 512, 512x512.", "512"),
    "causal": _Option(("--causal",), "Pad before the input alone."),
    "holes": _Option(("--holes",), "Let stacks pass that do not read all of their field."),
    "minimize": _Option(("--minimize",), "What is least; the others decide between equals.", "layers"),
    "pareto": _Option(("--pareto",), "Those that none betters in layers, parameters and MACs at once."),
    "limit": _Option(("--limit",), "Stacks to list.", str(LISTED)),
}
TYPES = {"minimize": click.Choice(list(ORDER)), "limit": click.IntRange(1, MOST_LISTED)}


def wish_options(*names: str, **defaults: str) -> Callable[[F], F]:
    """Add options of a wish by their names; `defaults` are those of a command that has its own."""

    def decorate(command: F) -> F:
        for name in reversed(names):
            flags, text, usual = OPTIONS[name]
            default = defaults.get(name, usual)
            settings: dict[str, Any] = {"type": TYPES.get(name)} if default else {"is_flag": True}
            text = f"{text} [default: {default}]" if default else text
            command = click.option(*flags, name, help=text, **settings)(command)
        return command

    return decorate


class _Wish(Command, click.Group):
    """A command, and those below it."""


@click.group(
    cls=_Wish,
    invoke_without_command=True,
    short_help="Stacks of convolutions that meet a wish: receptive field, stride, cost.",
)
@click.option("--field", help="The receptive field: 201, exactly that; 200..260; 200..")
@click.option("--stride", help="The stride, all layers together. [default: any that --strides gives]")
@wish_options(*OPTIONS)
@form_options(alone=ALONE)
@click.pass_context
def design(ctx: click.Context, /, form: Form, field: str | None, stride: str | None, **wished: Any) -> None:
    """The stacks of convolutions with this receptive field and stride, best first, never with holes.

    \b
      convcalc design --field 201 --stride 8
      convcalc design --field 200..260 --k 3..7 --layers ..6 --dilation ..32
      convcalc design --field 65 --stride 8 --minimize macs --channels 32x64x128 --size 224x224
      convcalc design --field 631 --k 8 --dilation ..64 --causal --json
      convcalc design patchgan --field 70
    \b
    The search is exact within its bounds: what is least is proved, and where there is none, that
    there is none (exit status 1), with the bound that forbids it. Of stacks that cost the same and
    differ in dilations or order alone one is shown, whose largest dilation is least. Layers are
    padded so that a stride of 1 keeps the size. Each line is one that convcalc stack and inspect read.
    """
    if ctx.invoked_subcommand is not None:
        if field or stride or any(value is not None and value is not False for value in wished.values()):
            raise click.UsageError(f"options of {ctx.invoked_subcommand} stand after it", ctx)
        return
    if field is None:
        raise click.UsageError("give the receptive field as --field 201, or one of the commands below", ctx)
    _answer(form, find_designs(field, stride, **_given(wished)))


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _answer(form: Form, found: Designs) -> None:
    """Give the stacks, or why there are none."""

    def words() -> None:
        if found.best:
            echo_table(*design_table(found.best), SPARE)
        click.echo(labelled(found.notes))

    form.answer(found.record, words, lambda: [one.stack for one in found.best[:1]], _refusal(found))


def _refusal(found: Designs) -> ConvcalcError | None:
    if found.best:
        return None
    none = "no stack meets the wish" if found.complete else "no stack was found"
    return NoSolution(
        f"{none}: {found.reason}", rule="field and stride as wished, within the bounds", fixes=found.fixes
    )


@design.command(cls=Command, short_help="The PatchGAN discriminator with a receptive field.")
@click.option("--field", required=True, help="The receptive field: 70.")
@form_options(alone=ALONE)
def patchgan(form: Form, field: str) -> None:
    """The PatchGAN discriminator with this receptive field: kernels of 4, strides of 2, then two layers of stride 1.

    \b
      convcalc design patchgan --field 70
    """
    from convcalc.designs import preset

    _answer(form, preset.patchgan(field))


@design.command(cls=Command, short_help="Temporal convolutional networks with a receptive field.")
@click.option("--field", required=True, help="The receptive field: 631.")
@wish_options("kernel_size", "channels")
@form_options(alone=ALONE)
def tcn(form: Form, field: str, **wished: Any) -> None:
    """Temporal convolutional networks with this receptive field: two causal layers a block, dilations 1, 2, 4, ...

    \b
      convcalc design tcn --field 631 --k 8
    """
    from convcalc.designs import preset

    _answer(form, preset.tcn(field, **_given(wished)))


@design.command(cls=Command, short_help="Front ends of audio with a hop and a field in time.")
@click.option("--rate", required=True, help="Samples a second: 16000.")
@click.option("--hop", required=True, help="The hop, a time or samples: 20ms, 320.")
@click.option("--field", required=True, help="The receptive field, a time or samples: 25ms, 400.")
@wish_options(
    *("kernel_size", "layers", "strides", "channels", "minimize", "limit"),
    kernel_size="2..10",
    strides="2..5",
    channels="512",
)
@form_options(alone=ALONE)
def frontend(form: Form, rate: str, hop: str, field: str, **wished: Any) -> None:
    """Front ends of audio, unpadded convolutions with a hop and a receptive field in time, as wav2vec 2.0 has one.

    \b
      convcalc design frontend --rate 16000 --hop 20ms --field 25ms
      convcalc design frontend --rate 16000 --hop 10ms --field 25ms --minimize macs
    \b
    MACs are those of one second.
    """
    from convcalc.designs import preset

    _answer(form, preset.frontend(rate, hop, field, **_given(wished)))


@design.command(cls=Command, short_help="The sizes that a U-Net takes near a size.")
@click.option("--size", required=True, help="The size wanted: 572.")
@click.option("--levels", default="4", show_default=True, help="How often it halves.")
@form_options(alone="Print the sizes alone, those of the cropped network first.")
def unet(form: Form, size: str, levels: str) -> None:
    """The sizes that a U-Net of so many levels takes and uses in full, near a size: cropped as published, or padded.

    \b
      convcalc design unet --size 572 --levels 4
      convcalc design unet --size 100 --levels 2 --json
    """
    from convcalc.designs.unet import unet_sizes

    found = unet_sizes(size, levels)

    def words() -> None:
        echo_table(*found.table())
        click.echo(labelled(found.notes()))

    form.answer(found.record, words, lambda: [f"{n}" for one in (found.cropped, found.padded) for n, _ in one.sizes])


@design.command(cls=NetworkCommand, short_help="The transposed layers that bring every size of an encoder back.")
@target_options
@form_options(alone="Print the torch code alone.")
def decoder(asked: Asked, form: Form) -> None:
    """The transposed layers that bring every size that TARGET takes back, with the output_padding that each needs.

    \b
      convcalc design decoder resnet18
      convcalc design decoder "conv 64 k4 s2 p1; conv 128 k3 s2 p1" --input 3x100x75
      convcalc design decoder vgg11 -q
    \b
    From the last map that TARGET makes, along the first input of every layer. TARGET and --input as
    in convcalc inspect. The code is a torch module; sizes come back, values do not.
    """
    from convcalc.cli.opened import guarded, open_target
    from convcalc.designs import decoder as decoding
    from convcalc.designs.decoder_text import decoder_lines, decoder_table

    opened = open_target(asked)
    with guarded(asked.target, "walking"):
        found = decoding.decoder(opened.graph, opened.shapes)

    def words() -> None:
        echo_table(*decoder_table(found, form.style))
        click.echo("\n".join([*decoder_lines(found), "", found.source]))

    form.answer(found.record, words, lambda: [found.source])
