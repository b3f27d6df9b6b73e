"""Every call that convcalc knows gives the shapes that torch gives: at once, and by its formula at other sizes."""

# ruff: noqa: E402 -- what captures needs torch, which is asked for first
import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="torch is an extra: pip install 'convcalc[torch]'")

from calls import STEPS, Of, agrees, arg, captured, flat, outputs

from convcalc.analysis.report.inspection import inspect_graph
from convcalc.bridge.calls import SPECS
from convcalc.bridge.calls.registry import add, functions
from convcalc.bridge.trace import capture
from convcalc.errors import BadArgument, BadShape
from convcalc.layers import Opaque

F = torch.nn.functional
x = arg(1, 4, 6, 8)
y = arg(1, 4, 6, 8)
seq = arg(2, 5, 12)
vec = arg(2, 6)


def cases(**named):
    return [pytest.param(*case, id=name) for name, case in named.items()]


# -- the table ---------------------------------------------------------------------------------------------------


def test_no_function_has_two_specs():
    with pytest.raises(BadArgument, match="relu has a spec already"):
        add(functions("relu"), lambda x: None, "relu")


def test_every_spec_can_be_called():
    assert len(SPECS) > 900
    assert all(callable(made) and callable(function) for function, made in SPECS.items())


def test_a_function_that_torch_does_not_have_is_refused():
    with pytest.raises(BadArgument, match="no function of torch is called relux"):
        add(functions("relux"), lambda x: None, "relux")


# -- the same shape ----------------------------------------------------------------------------------------------

NAMED = """
abs acos angle asin atan ceil clamp_min cos cosh digamma erf erfc exp exp2 expm1 floor frac isfinite isinf isnan lgamma
log log10 log1p log2 logical_not logit nan_to_num neg positive rad2deg reciprocal round rsqrt sgn sigmoid sign signbit
sin sinc sinh sqrt square tan tanh tril triu trunc relu relu_ sigmoid_ tanh_ exp_ clone detach contiguous zeros_like
ones_like rand_like randn_like empty_like
"""


@pytest.mark.parametrize("name", NAMED.split())
def test_functions_of_each_value(name):
    function = getattr(torch, name, None) or getattr(torch.Tensor, name)
    args = (0.1,) if name == "clamp_min" else ()
    assert agrees(lambda x: function(x + 1, *args), x) == len(STEPS)


ACTIVATIONS = """
relu relu6 elu selu celu leaky_relu rrelu glu gelu silu mish softplus softsign hardtanh hardswish hardsigmoid logsigmoid
softshrink hardshrink tanhshrink dropout dropout2d alpha_dropout sigmoid tanh
"""


@pytest.mark.parametrize("name", ACTIVATIONS.split())
def test_activations(name):
    assert agrees(lambda x: getattr(F, name)(x, dim=1) if name == "glu" else getattr(F, name)(x), x) > 0


@pytest.mark.parametrize(
    "function",
    [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a * b.mean((2, 3), keepdim=True),
        lambda a, b: a / (b + 1),
        lambda a, b: 1 / (a + b),
        lambda a, b: 1 - a % (b + 1),
        lambda a, b: 2**a + a**2 + a**b,
        lambda a, b: a // (b + 1),
        lambda a, b: -a + abs(b),
        lambda a, b: (a > b) & ~(a < 0.5) | (a == b) ^ (a != b),
        lambda a, b: torch.where(a > b, a, 0.0),
        lambda a, b: torch.where(a > b, a, b[:, :1]),
        lambda a, b: torch.lerp(a, b, 0.5),
        lambda a, b: torch.addcmul(a, a, b, value=2),
        lambda a, b: torch.maximum(a, b) + torch.min(a, b) + torch.atan2(a, b),
        lambda a, b: torch.clamp(a, min=b),
        lambda a, b: a.masked_fill(b > 0.5, 0.0),
        lambda a, b: a.add_(b).mul_(2).sub_(1).div_(3),
        lambda a, b: torch.complex(a, b).abs(),
        lambda a, b: torch.polar(a, b).real,
        lambda a, b: a.where(b > 0, b),
        lambda a, b: torch.heaviside(a, b) + torch.hypot(a, b) + torch.logaddexp(a, b),
        lambda a, b: torch.cross(a[:, :3], b[:, :3], dim=1),
        lambda a, b: torch.broadcast_tensors(a[:, :1], b)[0],
        lambda a, b: a[:, :, :1].expand_as(b),
        lambda a, b: a.flatten(2).view_as(b) + a.flatten(1).reshape_as(b),
        lambda a, b: torch.isclose(a, b).float(),
        lambda a, b: a.type_as(b).to(b).float().double().half(),
        lambda a, b: a.copy_(b),
        lambda a, b: F.cosine_similarity(a, b) + F.cosine_similarity(a, b, dim=1),
        lambda a, b: F.pairwise_distance(a, b, keepdim=True),
        lambda a, b: F.mse_loss(a, b) + F.l1_loss(a, b, reduction="sum") + F.smooth_l1_loss(a, b),
        lambda a, b: F.mse_loss(a, b, reduction="none"),
        lambda a, b: F.binary_cross_entropy_with_logits(a, b),
        lambda a, b: F.kl_div(a, b, reduction="batchmean"),
    ],
)
def test_two_tensors(function):
    assert agrees(function, x, y) == len(STEPS)


# -- over axes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.sum(),
        lambda x: x.sum(-1),
        lambda x: torch.sum(x, (2, 3), keepdim=True),
        lambda x: x.sum(axis=1),
        lambda x: x.mean((-2, -1)),
        lambda x: torch.mean(x, dim=1, keepdim=True),
        lambda x: x.mean(axis=(2, 3), keepdims=True),
        lambda x: x.prod(1),
        lambda x: x.amax((2, 3)) + x.amin((2, 3)),
        lambda x: x.max(),
        lambda x: x.max(1)[0] + x.min(dim=1).values,
        lambda x: x.max(2, True),
        lambda x: x.max(dim=-1, keepdim=True).indices,
        lambda x: x.median(1)[0] + x.median(),
        lambda x: x.mode(),
        lambda x: x.kthvalue(2, 1),
        lambda x: torch.aminmax(x, dim=1),
        lambda x: x.argmax(1) + x.argmin(1),
        lambda x: x.argmax(),
        lambda x: (x > 0).all(1) | (x > 0).any(1),
        lambda x: x.logsumexp(1),
        lambda x: x.logsumexp((2, 3), True),
        lambda x: x.std(1),
        lambda x: x.std(1, True),
        lambda x: x.var((2, 3), unbiased=False, keepdim=True),
        lambda x: x.var(1, False, True),
        lambda x: torch.var_mean(x, dim=1, keepdim=True),
        lambda x: torch.std_mean(x),
        lambda x: x.norm() + x.norm(2, dim=(1, 2, 3)),
        lambda x: x.norm(p=2, dim=1, keepdim=True),
        lambda x: torch.norm(x, 2, 1),
        lambda x: torch.linalg.norm(x, dim=1),
        lambda x: torch.linalg.vector_norm(x, 2, (2, 3), True),
        lambda x: torch.linalg.matrix_norm(x),
        lambda x: x.count_nonzero(1),
        lambda x: torch.quantile(x, 0.5, 1),
        lambda x: x.nansum((2, 3)),
        lambda x: x.cumsum(1) + x.cumprod(-1),
        lambda x: torch.cumsum(x, dim=2),
        lambda x: x.cummax(1),
        lambda x: torch.cummin(x, dim=-1).values,
        lambda x: x.softmax(1) + F.softmax(x, dim=-1) + torch.log_softmax(x, 2),
        lambda x: F.softmin(x, dim=1),
        lambda x: F.gumbel_softmax(x, 0.5),
        lambda x: F.gumbel_softmax(x, tau=1, dim=1),
        lambda x: F.normalize(x) + F.normalize(x, dim=-1),
        lambda x: x.sort(),
        lambda x: torch.sort(x, dim=1, descending=True)[1],
        lambda x: x.argsort(1) + x.argsort(descending=True),
        lambda x: x.topk(3),
        lambda x: torch.topk(x, k=2, dim=1).values,
        lambda x: x.topk(x.shape[2] // 2, 2).indices,
        lambda x: F.local_response_norm(x, 2),
        lambda x: torch.linalg.det(x[..., :2, :2]),
        lambda x: torch.linalg.inv(x[..., :2, :2] + 3 * torch.eye(2)),
        lambda x: torch.det(x[..., :2, :2]) + x[..., :2, :2].inverse().sum(),
    ],
)
def test_over_axes(function):
    assert agrees(function, x) == len(STEPS)


def test_softmax_without_an_axis_takes_the_one_that_torch_takes():
    for function in (F.softmax, F.log_softmax):
        with pytest.warns(UserWarning, match="Implicit dimension"):
            graph = captured(function, arg(2, 3))
        assert graph.nodes[-1].layer.dim == 1


@pytest.mark.parametrize(
    "module",
    [
        torch.nn.BatchNorm2d(4).eval(),
        torch.nn.BatchNorm2d(4, affine=False).eval(),
        torch.nn.GroupNorm(2, 4),
        torch.nn.InstanceNorm2d(4),
        torch.nn.InstanceNorm2d(4, track_running_stats=True, affine=True).eval(),
        torch.nn.LocalResponseNorm(2),
        torch.nn.PReLU(4),
        torch.nn.ChannelShuffle(2),
        torch.nn.utils.parametrizations.weight_norm(torch.nn.Conv2d(4, 6, 3)),
        torch.nn.utils.parametrizations.spectral_norm(torch.nn.Conv2d(4, 6, 3)).eval(),
        torch.nn.utils.parametrizations.orthogonal(torch.nn.Linear(8, 8)).eval(),
    ],
)
def test_modules_of_one_tensor(module):
    graph = capture(module, (1, 4, 6, 8))
    assert not any(isinstance(node.layer, Opaque) for node in graph.nodes if node.name == graph.outputs[0])
    with torch.no_grad():
        assert outputs(graph, [(1, 4, 6, 8)]) == flat(module(torch.rand(1, 4, 6, 8)))
        assert outputs(graph, [(1, 4, 7, 8)]) == flat(module(torch.rand(1, 4, 7, 8)))
    assert sum(node.weights.params for node in graph) == sum(value.numel() for value in module.parameters())


def test_the_order_of_arguments_of_torch_itself_is_another():
    weight, bias, mean, var = (torch.rand(4) for _ in range(4))
    assert agrees(lambda x: torch.batch_norm(x, weight, bias, mean, var, False, 0.1, 1e-5, False), x)
    assert agrees(lambda x: torch.instance_norm(x, weight, bias, None, None, True, 0.1, 1e-5, False), x)
    assert agrees(lambda x: torch.group_norm(x, 2, weight, bias), x)


# -- another shape -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.view(1, -1),
        lambda x: x.view(x.size(0), x.shape[1], -1),
        lambda x: x.reshape((x.shape[0], 2, 2, *x.shape[2:])),
        lambda x: torch.reshape(x, shape=(1, -1)),
        lambda x: x.view(torch.int32),
        lambda x: x.flatten(1),
        lambda x: torch.flatten(x, start_dim=2),
        lambda x: x.ravel(),
        lambda x: x.unflatten(1, (2, -1)),
        lambda x: torch.unflatten(x, dim=1, sizes=(2, 2)),
        lambda x: x.permute(0, 2, 3, 1),
        lambda x: x.permute((0, -1, 1, 2)),
        lambda x: torch.permute(x, dims=(1, 0, 2, 3)),
        lambda x: x.transpose(1, 2).swapaxes(0, 3),
        lambda x: torch.transpose(x, dim0=-1, dim1=1),
        lambda x: x.mT + x.transpose(-2, -1),
        lambda x: x.flatten(1).T + x.flatten(1).t(),
        lambda x: x.movedim(1, -1),
        lambda x: torch.moveaxis(x, (1, 2), (3, 1)),
        lambda x: x.squeeze(0),
        lambda x: x.squeeze(),
        lambda x: x[:, :1].squeeze(1).unsqueeze(-1),
        lambda x: torch.unsqueeze(x, dim=0),
        lambda x: x.mean((2, 3), keepdim=True).expand(-1, -1, x.shape[2], 3),
        lambda x: torch.broadcast_to(x[:, :1], x.shape),
        lambda x: x.repeat(1, 2, 1, 3),
        lambda x: x.repeat(2, 1, 1, 1, x.shape[2]),
        lambda x: torch.tile(x, (2,)),
        lambda x: x.repeat_interleave(2, dim=1),
        lambda x: torch.repeat_interleave(x, 3),
        lambda x: torch.roll(x, 1),
        lambda x: x.roll((x.shape[2] // 2, 1), (2, 3)),
        lambda x: x.flip(1) + torch.flip(x, [2, 3]) + torch.fliplr(x) + torch.flipud(x),
        lambda x: torch.rot90(x, 1, (2, 3)),
        lambda x: torch.rot90(x, 2, [2, 3]),
        lambda x: x.as_strided((2, 2), (1, 2)),
        lambda x: torch.view_as_real(torch.view_as_complex(x.unflatten(1, (2, 2)).movedim(2, -1).contiguous())),
        lambda x: x.diagonal(dim1=2, dim2=3),
        lambda x: x.diagonal(1, -2, -1),
        lambda x: torch.linalg.diagonal(x, offset=-2),
        lambda x: torch.diag_embed(x, 1),
        lambda x: torch.diag(x[0, 0, 0]),
        lambda x: torch.diag(x[0, 0], -1),
        lambda x: torch.atleast_3d(x[0, 0]) + torch.atleast_2d(x[0, 0, 0])[..., None],
        lambda x: torch.atleast_3d(x[0, 0, 0]),
        lambda x: x.unfold(2, 3, 2),
        lambda x: x.unfold(2, 2, 1).unfold(dimension=3, size=3, step=3),
        lambda x: x.data.mean(1),
    ],
)
def test_views(function):
    assert agrees(function, x) > 0


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x[0],
        lambda x: x[:, 1],
        lambda x: x[..., -1],
        lambda x: x[:, :, 1:-1, ::2],
        lambda x: x[:, None, ..., 2:],
        lambda x: x[:, :, : x.shape[2] // 2],
        lambda x: x[:, :, -3:, x.shape[3] - 2 :],
        lambda x: x[:, [0, 2]],
        lambda x: x[:, [2, 1, 0], :, :],
        lambda x: x[:, torch.tensor([0, 1, 1])],
        lambda x: x[:, torch.tensor([0, 1, 1]), 2:],
        lambda x: x[:, torch.tensor([[0], [1]]), torch.tensor([0, 3])],
        lambda x: x[:, torch.tensor([0, 1]), :, torch.tensor([0, 3])],
        lambda x: x[0, :, torch.tensor([0, 3])],
        lambda x: x[0, torch.tensor([0, 3])],
        lambda x: x[:, torch.arange(x.shape[2])[:, None] % 4, torch.arange(x.shape[2])],
        lambda x: torch.select(x, 1, 2),
        lambda x: x.narrow(2, 1, x.shape[2] - 2),
        lambda x: torch.index_select(x, 1, torch.tensor([0, 3])),
        lambda x: x.gather(1, torch.zeros(1, 2, 3, 3, dtype=torch.long)),
        lambda x: torch.take(x, torch.zeros(3, 2, dtype=torch.long)),
        lambda x: x.take_along_dim(x.argmax(1, keepdim=True), 1),
        lambda x: x.scatter(1, torch.zeros(1, 2, 3, 3, dtype=torch.long), 1.0),
        lambda x: x.index_fill(1, torch.tensor([0]), 2.0),
        lambda x: x.chunk(2, 1),
        lambda x: torch.chunk(x, 3, dim=1),
        lambda x: x.chunk(2, dim=-1)[0],
        lambda x: x.split(2, 1),
        lambda x: x.split(3, dim=1)[1],
        lambda x: x.split([1, 3], 1),
        lambda x: torch.split(x, [x.shape[2] - 1, 1], dim=2)[0],
        lambda x: x.split(x.shape[2] // 2, 2)[0],
        lambda x: torch.tensor_split(x, 3, 1),
        lambda x: x.tensor_split(4, dim=2),
        lambda x: x.tensor_split((1, 3), dim=1),
        lambda x: torch.tensor_split(x, indices=(2, -1), dim=3),
        lambda x: x.unbind(1),
        lambda x: list(x[0]),
        lambda x: torch.cat([x, x[:, :2]], 1),
        lambda x: torch.cat((x, x), dim=-1),
        lambda x: torch.cat([x, torch.zeros(0)], 1),
        lambda x: torch.stack([x, x]),
        lambda x: torch.stack((x, x, x), dim=-1),
        lambda x: torch.hstack([x, x]),
        lambda x: torch.vstack([x[0, 0, 0], x[0, 0, 1]]),
        lambda x: torch.dstack([x, x]),
        lambda x: torch.hstack([x[0, 0, 0], x[0, 0, 0]]),
        lambda x: F.pad(x, (1, 2)),
        lambda x: F.pad(x, (1, 1, 2, 0), mode="reflect"),
        lambda x: F.pad(x, (0, 0, 0, 0, 1, 1)),
        lambda x: F.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2)),
        lambda x: F.one_hot(x.argmax(1), 4),
        lambda x: torch.searchsorted(torch.arange(5.0), x) + torch.bucketize(x, torch.arange(3.0)),
        lambda x: torch.histc(x, 7),
    ],
)
def test_parts_and_pieces(function):
    assert agrees(function, x) > 0


@pytest.mark.parametrize(
    "function",
    [lambda x: x.split(4, 3)[1], lambda x: x.chunk(3, 3)[1], lambda x: x.unbind(3)[1], lambda x: list(x)[-1]],
)
def test_more_or_fewer_pieces_are_another_graph(function):
    graph = captured(function, x)
    for n in range(2, 14):
        if n > 4:
            theirs = flat(function(torch.rand(1, 4, 6, n)))
            assert outputs(graph, [(1, 4, 6, n)]) == theirs  # captured again, where it does not hold
    count = len(graph.nodes[-1].outputs)
    held = [n for n in range(1, 14) if graph.holds({graph.inputs[0]: (1, 4, 6, n)})]
    assert held == [n for n in range(1, 14) if _count(function, n) == count]


def _count(function, n):
    """How many pieces torch makes."""
    made = []
    with _Counting(made), contextlib.suppress(IndexError):
        function(torch.rand(1, 4, 6, n))
    return made[0]


class _Counting(torch.overrides.TorchFunctionMode):
    def __init__(self, made):
        super().__init__()
        self.made = made

    def __torch_function__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if isinstance(out, tuple | list):
            self.made.append(len(out))
        return out


def test_assignments_in_place_keep_the_shape():
    def written(x):
        x[:, 0] = 1
        x[:, :, 1:] *= 2
        x[0, torch.tensor([1])] += 1
        return x * 1

    assert agrees(written, x) > 0


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.zeros(x.shape[2], 3),
        lambda x: torch.ones((2, x.shape[3])),
        lambda x: torch.full((x.shape[2],), 2.0),
        lambda x: torch.rand(x.shape) + torch.randn(*x.shape) + torch.empty(size=x.shape),
        lambda x: torch.arange(x.shape[2]),
        lambda x: torch.arange(1, x.shape[3], 2),
        lambda x: torch.arange(x.shape[2] - 1, -1, -1),
        lambda x: torch.arange(0.5, x.shape[2], 1.0),
        lambda x: torch.arange(0, x.shape[3] / 2, 0.25),
        lambda x: torch.arange(start=0, end=x.shape[2], step=3),
        lambda x: torch.linspace(-1, 1, x.shape[2]) + torch.linspace(0, 1, steps=x.shape[2]),
        lambda x: torch.eye(x.shape[2], 3),
        lambda x: torch.eye(x.shape[2]),
        lambda x: torch.randint(5, (x.shape[2], 2)) + torch.randint(0, 5, size=(2,)),
        lambda x: torch.randperm(x.shape[2]),
        lambda x: torch.tensor([[1.0, 2.0]]) + x.sum(),
        lambda x: x.new_zeros(x.shape[2], 3) + x.new_ones((3,)),
        lambda x: x.new_full((x.shape[2],), 2.0) + x.new_empty((1,)),
        lambda x: x.new_tensor([1.0, 2.0]),
        lambda x: torch.full_like(x, 3) + torch.bernoulli(x.clamp(0, 1)) + torch.normal(x, 1.0),
        lambda x: torch.normal(0.0, 1.0, size=(x.shape[2],)),
        lambda x: torch.multinomial(x[0, 0] + 1, 2),
        lambda x: torch.hann_window(x.shape[2]),
        lambda x: torch.meshgrid(torch.arange(x.shape[2]), torch.arange(x.shape[3]), indexing="ij"),
        lambda x: torch.meshgrid([torch.arange(x.shape[2]), torch.arange(x.shape[3]), torch.arange(2)], indexing="xy"),
        lambda x: torch.stack(torch.meshgrid(torch.arange(x.shape[2]), torch.arange(x.shape[3]), indexing="ij")),
        lambda x: F.affine_grid(x[:, :2, 0, :3], x.shape, align_corners=False),
    ],
)
def test_what_is_made_from_sizes(function):
    assert agrees(function, x) == len(STEPS)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.fft.fft(x),
        lambda x: torch.fft.rfft(x, dim=2),
        lambda x: torch.fft.irfft(torch.fft.rfft(x)),
        lambda x: torch.fft.irfft(torch.fft.rfft(x), n=x.shape[-1]),
        lambda x: torch.fft.fft2(x) + torch.fft.ifft2(x),
        lambda x: torch.fft.rfft2(x, norm="ortho"),
        lambda x: torch.fft.irfft2(torch.fft.rfft2(x), s=x.shape[-2:]),
        lambda x: torch.fft.rfftn(x, dim=(2, 3)),
        lambda x: torch.fft.fftn(x) + torch.fft.fftshift(torch.fft.ifftn(x), dim=(2, 3)),
        lambda x: torch.fft.rfftn(x, s=(4, 4)),
        lambda x: torch.fft.hfft(x) + torch.fft.hfft(x, dim=-1),
        lambda x: torch.fft.ihfft(x),
        lambda x: torch.fft.fftfreq(x.shape[2]),
        lambda x: torch.fft.rfftfreq(x.shape[3]),
    ],
)
def test_spectra(function):
    assert agrees(function, x) == len(STEPS)


def test_windows_of_a_signal():
    signal = arg(2, 1, 60)

    def spectrum(x, **more):
        return torch.stft(x[:, 0], 16, 5, window=torch.hann_window(16, device=x.device), return_complex=True, **more)

    assert agrees(spectrum, signal) == len(STEPS)
    assert agrees(lambda x: spectrum(x, center=False), signal) == len(STEPS)
    assert agrees(lambda x: torch.view_as_real(spectrum(x, onesided=False)), signal) == len(STEPS)


# -- windows -----------------------------------------------------------------------------------------------------

small = st.integers(1, 3)


@settings(max_examples=25)
@given(
    axes=st.integers(1, 3),
    k=small,
    s=small,
    p=st.integers(0, 2),
    d=small,
    groups=st.sampled_from([1, 2]),
    t=st.booleans(),
)
def test_convolutions(axes, k, s, p, d, groups, t):
    image = arg(1, 4, *(9, 8, 10)[:axes])
    if t:
        weight = torch.rand(4, 3, *[k] * axes)
        function = getattr(F, f"conv_transpose{axes}d")
        outer = max(s, d) - 1
        assert agrees(lambda x: function(x, weight, None, s, p, outer, groups, d), image) >= 0
    else:
        weight, bias = torch.rand(6, 4 // groups, *[k] * axes), torch.rand(6)
        function = getattr(F, f"conv{axes}d")
        assert agrees(lambda x: function(x, weight, bias, s, p, dilation=d, groups=groups), image) >= 0


@settings(max_examples=25)
@given(
    axes=st.integers(1, 3),
    k=st.integers(2, 4),
    s=st.none() | small,
    p=st.integers(0, 1),
    ceil=st.booleans(),
    kind=st.sampled_from(["max", "avg", "lp", "indices", "adaptive_max", "adaptive_avg", "fraction"]),
)
def test_pooling(axes, k, s, p, ceil, kind):
    image = arg(1, 4, *(9, 8, 10)[:axes])
    function = getattr(F, f"{kind.replace('indices', 'max')}_pool{axes}d", None)
    if kind == "lp":
        assert agrees(lambda x: function(x, 2, k, s, ceil), image) >= 0
    elif kind.startswith("adaptive"):
        wanted = (k, None, 1)[:axes]
        assert agrees(lambda x: function(x, wanted), image) == len(STEPS)
        assert agrees(lambda x: function(x, k), image) == len(STEPS)
    elif kind == "indices":
        assert agrees(lambda x: function(x, k, s, p, ceil_mode=ceil, return_indices=True), image) >= 0
    elif kind == "max":
        assert agrees(lambda x: function(x, kernel_size=k, stride=s, padding=p, ceil_mode=ceil), image) >= 0
    elif kind == "avg":
        assert agrees(lambda x: function(x, k, s, p, ceil), image) >= 0


@pytest.mark.parametrize(
    "function",
    [
        lambda x: F.conv2d(x, torch.rand(6, 4, 3, 3), padding="same"),
        lambda x: F.conv2d(x, torch.rand(6, 4, 4, 2), padding="same", dilation=2),
        lambda x: F.conv2d(x, torch.rand(6, 4, 3, 3), padding="valid"),
        lambda x: torch.conv2d(x, torch.rand(4, 1, 3, 3), groups=4, stride=(2, 1), padding=(1, 0)),
        lambda x: torch.convolution(x, torch.rand(6, 4, 3, 3), None, (2, 2), (1, 1), (1, 1), False, (0, 0), 1),
        lambda x: torch.convolution(x, torch.rand(4, 6, 3, 3), None, (2, 2), (1, 1), (1, 1), True, (1, 1), 1),
        lambda x: F.conv2d(x[0], torch.rand(6, 4, 3, 3)),
        lambda x: F.max_pool2d(x[0], 2) + F.avg_pool2d(x[0], (2, 2)),
        lambda x: F.adaptive_avg_pool2d(x, (x.shape[2] // 2, 1)),
        lambda x: F.adaptive_max_pool2d(x, 2, return_indices=True),
        lambda x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2),
        lambda x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2, output_size=x.shape[2:]),
        lambda x: F.max_unpool2d(*F.max_pool2d(x, 3, 2, 1, return_indices=True), 3, 2, 1, output_size=x.size()),
        lambda x: F.interpolate(x, scale_factor=2),
        lambda x: F.interpolate(x, scale_factor=(0.5, 2), mode="bilinear", align_corners=False),
        lambda x: F.interpolate(x, size=(x.shape[2] * 2, 7), mode="bicubic"),
        lambda x: F.interpolate(x, x.shape[2:], mode="area"),
        lambda x: F.interpolate(x, 5),
        lambda x: torch.nn.Upsample(scale_factor=3)(x),
        lambda x: F.pixel_shuffle(x, 2),
        lambda x: F.pixel_unshuffle(F.interpolate(x, scale_factor=2), 2),
        lambda x: F.channel_shuffle(x, 2),
        lambda x: F.unfold(x, 3, padding=1),
        lambda x: F.unfold(x, (2, 3), dilation=(1, 2), stride=2),
        lambda x: F.fold(F.unfold(x, 2, stride=2), x.shape[2:], 2, stride=2),
        lambda x: F.grid_sample(x, F.affine_grid(x[:, :2, 0, :3], x.shape, align_corners=False), align_corners=False),
        lambda x: F.grid_sample(x, torch.zeros(1, 3, x.shape[2], 2), align_corners=True),
    ],
)
def test_resizing(function):
    assert agrees(function, x) > 0


@settings(max_examples=15)
@given(
    n=st.integers(4, 12), size=st.integers(1, 4), step=st.integers(1, 4), k=st.integers(1, 5), count=st.integers(1, 5)
)
def test_windows_pieces_and_slices(n, size, step, k, count):
    image = arg(1, 4, n, n + 1)
    assert agrees(lambda x: x.unfold(2, size, step), image) == sum(n + d[0] >= size for d in STEPS)
    assert agrees(lambda x: x.tensor_split(count, 2), image) == len(STEPS)
    assert agrees(lambda x: x[:, :, size % n :: step], image) == len(STEPS)
    assert agrees(lambda x: x[:, :, -size:, :-1], image) == len(STEPS)
    captured(lambda x: x.chunk(k, 2), image)
    captured(lambda x: x.split(k, 3), image)


# -- products, recurrent networks, attention -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda x: F.linear(x, torch.rand(3, 12), torch.rand(3)),
        lambda x: x @ x.mT,
        lambda x: torch.bmm(x, x.transpose(1, 2)),
        lambda x: torch.matmul(x, torch.rand(12)),
        lambda x: torch.mm(x[0], x[0].t()) + x[0].mm(x[0].T),
        lambda x: torch.mv(x[0], x[0, 0]),
        lambda x: x[0, 0].dot(x[0, 1]) + torch.vdot(x[0, 0], x[0, 1]),
        lambda x: torch.addmm(torch.rand(3), x[0], torch.rand(12, 3)),
        lambda x: torch.baddbmm(torch.rand(1, 5, 5), x, x.mT, beta=0.5),
        lambda x: torch.addmv(torch.rand(5), x[0], x[0, 0]),
        lambda x: torch.einsum("bij,bkj->bik", x, x),
        lambda x: torch.einsum("bij,kj->bk", [x, x[0]]),
        lambda x: torch.einsum("...j,...j", x, x),
        lambda x: torch.outer(x[0, 0], x[0, 1]),
        lambda x: torch.inner(x, x),
        lambda x: torch.tensordot(x, x, dims=([1, 2], [1, 2])),
        lambda x: torch.tensordot(x, x.permute(1, 2, 0), 2),
        lambda x: torch.kron(x, torch.rand(2, 3)),
        lambda x: torch.cdist(x, x),
        lambda x: torch.linalg.multi_dot([x[0], x[0].T, x[0]]),
        lambda x: torch.linalg.vecdot(x, x),
        lambda x: F.bilinear(x, x, torch.rand(3, 12, 12)),
        lambda x: torch.conv_tbc(x, torch.rand(3, 12, 4), torch.rand(4), 1),
        lambda x: F.scaled_dot_product_attention(x[:, None], x[:, None], x[:, None], is_causal=True),
    ],
)
def test_products(function):
    assert agrees(function, seq) >= 0


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize(("layers", "both", "first", "bias"), [(1, False, False, True), (2, True, True, False)])
def test_recurrent_networks(kind, layers, both, first, bias):
    module = getattr(torch.nn, kind)(12, 7, layers, bidirectional=both, batch_first=first, bias=bias)
    graph = capture(module, (2, 5, 12))
    assert outputs(graph, [(2, 5, 12)]) == flat(module(torch.rand(2, 5, 12)))
    assert sum(node.weights.params for node in graph) == sum(value.numel() for value in module.parameters())
    assert graph.nodes[-1].layer.params((2, 5, 12)) == sum(value.numel() for value in module.parameters())
    assert len(graph.outputs) == (3 if kind == "LSTM" else 2)


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@settings(max_examples=15)
@given(
    features=st.integers(1, 9),
    hidden=st.integers(2, 9),
    layers=st.integers(1, 3),
    both=st.booleans(),
    bias=st.booleans(),
    projected=st.booleans(),
)
def test_a_projected_lstm_is_read_from_its_weights(features, hidden, layers, both, bias, projected):
    proj = hidden // 2 if projected else 0
    module = torch.nn.LSTM(features, hidden, layers, bias=bias, bidirectional=both, proj_size=proj)
    graph = capture(module, (3, 2, features))
    (layer,) = [node.layer for node in graph if node.layer.op == "lstm"]
    assert (layer.proj_size, layer.hidden_size, layer.input_size) == (proj, hidden, features)
    assert layer.params((3, 2, features)) == sum(value.numel() for value in module.parameters())
    assert outputs(graph, [(3, 2, features)]) == flat(module(torch.rand(3, 2, features)))


@pytest.mark.parametrize("kind", ["RNNCell", "GRUCell", "LSTMCell"])
def test_cells(kind):
    module = getattr(torch.nn, kind)(6, 7)
    graph = capture(module, (2, 6))
    assert outputs(graph, [(2, 6)]) == flat(module(torch.rand(2, 6)))
    assert not any(isinstance(node.layer, Opaque) for node in graph)
    (cell,) = [node for node in graph if node.layer.op.endswith("cell")]
    assert cell.layer.params((2, 6)) == cell.weights.params == sum(value.numel() for value in module.parameters())


def test_packed_sequences_are_opaque_by_name():
    class Packed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = torch.nn.LSTM(12, 7)

        def forward(self, x):
            sizes = torch.tensor([2, 2, 2, 1, 1], device="cpu")
            return self.lstm(torch.nn.utils.rnn.PackedSequence(x.flatten(0, 1)[:8], sizes))[0].data

    graph = capture(Packed(), (2, 5, 12))
    assert [node.layer.why for node in graph if isinstance(node.layer, Opaque) and node.layer.op == "lstm"] == [
        "a packed sequence, whose lengths are values"
    ]


@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("needs", [True, False])
def test_multihead_attention(average, first, needs):
    class Attend(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = torch.nn.MultiheadAttention(12, 3, batch_first=first, kdim=8, vdim=6)

        def forward(self, q, k, v):
            both = self.inner(q, k, v, need_weights=needs, average_attn_weights=average)
            return [out for out in both if out is not None]

    module = Attend()
    shapes = [(2, 5, 12), (2, 7, 8), (2, 7, 6)] if first else [(5, 2, 12), (7, 2, 8), (7, 2, 6)]

    graph = capture(module, shapes)
    assert outputs(graph, shapes) == flat(module(*map(torch.rand, shapes)))
    (layer,) = [node.layer for node in graph if node.layer.op == "multihead"]
    assert layer.params(*shapes) == sum(value.numel() for value in module.parameters())


@pytest.mark.parametrize(
    "module",
    [
        torch.nn.TransformerEncoderLayer(12, 3, 16, batch_first=True),
        torch.nn.TransformerEncoder(torch.nn.TransformerEncoderLayer(12, 2, 16, batch_first=True), 2),
        torch.nn.TransformerEncoderLayer(12, 3, 16, norm_first=True, activation="gelu"),
    ],
)
def test_transformer_layers(module):
    graph = capture(module, (2, 5, 12))
    assert not any(isinstance(node.layer, Opaque) for node in graph)
    assert outputs(graph, [(2, 5, 12)]) == [(2, 5, 12)]
    assert sum(node.weights.params for node in graph) == sum(value.numel() for value in module.parameters())


def test_a_whole_transformer():
    module = torch.nn.Transformer(12, 2, 1, 1, 16, batch_first=True)
    mask = module.generate_square_subsequent_mask(5)
    graph = capture(Of(lambda a, b: module(a, b, tgt_mask=mask)), [(2, 7, 12), (2, 5, 12)], check=False)
    assert graph.capture.error is None
    assert not any(isinstance(node.layer, Opaque) and node.layer.op != "tensor" for node in graph)
    assert outputs(graph, [(2, 7, 12), (2, 5, 12)]) == [(2, 5, 12)]


def test_a_mask_of_another_size_is_refused_as_torch_does():
    def attend(q):
        q = q.flatten(2).transpose(1, 2)
        return F.scaled_dot_product_attention(q, q, q, attn_mask=torch.zeros(6, 6))

    graph = captured(attend, arg(1, 4, 2, 3))
    with pytest.raises(RuntimeError):
        attend(torch.rand(1, 4, 3, 3))
    with pytest.raises(BadShape, match="the mask"):
        outputs(graph, [(1, 4, 3, 3)])


def test_bags_of_embeddings():
    module = torch.nn.EmbeddingBag(10, 4, mode="sum")
    graph = capture(module, (3, 5), dtype=torch.long)
    assert outputs(graph, [(3, 5)]) == [(3, 4)]
    assert graph.nodes[-1].layer.op == "embeddingbag"
    by_offset = Of(lambda index: module(index, torch.tensor([0, 2])))
    assert outputs(capture(by_offset, (5,), dtype=torch.long), [(5,)]) == [(2, 4)]


# -- what is not known is said by name ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda x: torch.repeat_interleave(x, torch.tensor([1, 2, 1, 1]), dim=1, output_size=5), "how often"),
        (lambda x: torch.nn.functional.fractional_max_pool2d(x, 2, output_size=3), "no rule"),
    ],
)
def test_what_values_decide_is_opaque(function, why):
    graph = capture(Of(function), (1, 4, 6, 8))
    assert graph.capture.error is None
    assert why in " ".join(node.layer.why for node in graph if isinstance(node.layer, Opaque))


def test_numpys_names_of_arguments_are_understood():
    graph = captured(lambda x: torch.sum(x, axis=2, keepdims=True), x)
    assert graph.nodes[-1].layer.dims == (2,)


def test_an_operator_of_another_library_is_opaque_by_name():
    with torch.library._scoped_library("convcalc_tests", "DEF") as library:
        library.define("every_other(Tensor x) -> Tensor")
        library.impl("every_other", lambda x: x[..., ::2].clone(), "Meta")
        graph = capture(Of(lambda x: torch.ops.convcalc_tests.every_other(x).relu()), (1, 4, 6, 8))
    (call,) = [node for node in graph if isinstance(node.layer, Opaque)]
    assert (call.layer.op, call.layer.shapes) == ("every_other", ((1, 4, 6, 4),))
    assert inspect_graph(graph).layers[-1].symbolic is None


def test_the_parts_of_complex_numbers_have_a_row_of_their_own():
    graph = captured(lambda x: torch.view_as_real(torch.fft.rfft(x)), x)
    assert "view_as_real" in [node.layer.op for node in graph]
