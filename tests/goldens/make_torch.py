"""Golden arrays from PyTorch: inputs, outputs and gradients of every layer definition melgrad follows.

    python tests/goldens/make_torch.py        # writes the .safetensors beside this script

Inputs are float32 numbers; everything else is computed by PyTorch in float64 and rounded to float32
once, so that a difference from these numbers is the tested code's own. README.md tells the layout.
"""
import json
import zlib
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

HERE = Path(__file__).parent
generator = torch.Generator().manual_seed(20261120)


def rand(*shape, scale=1.0):
    """Float32 normal numbers, held in float64, whose gradient is wanted."""
    x = torch.randn(*shape, generator=generator) * scale
    return x.double().requires_grad_()


def seeded(make):
    """The function with a random generator of its own, so that adding one changes no other file."""
    def run():
        global generator
        before, generator = generator, torch.Generator().manual_seed(zlib.crc32(make.__name__.encode()))
        make()
        generator = before
    run.__name__ = make.__name__
    return run


def write(name, arrays, cases):
    """One file: the arrays, and in its metadata the options of each case as JSON."""
    out = {}
    for key, t in arrays.items():
        t = t.detach()
        out[key] = (t.to(torch.int32) if not t.is_floating_point() else t.float()).contiguous()
    # One key only: safetensors writes several in no fixed order, and the files would change at every run.
    meta = {"golden": json.dumps({"format": 1, "torch": torch.__version__, "cases": cases})}
    save_file(out, HERE / f"{name}.safetensors", metadata=meta)


def with_gradient(arrays, case, inputs, output):
    """Keeps inputs, output, an upstream gradient dy, and the inputs' gradients."""
    dy = torch.randn(output.shape, generator=generator).double()
    grads = torch.autograd.grad(output, list(inputs.values()), dy)
    arrays[f"{case}/y"] = output
    arrays[f"{case}/dy"] = dy
    for (key, x), g in zip(inputs.items(), grads):
        arrays[f"{case}/{key}"] = x
        arrays[f"{case}/d{key}"] = g


def matmul():
    """c = op(a) op(b), [m, k] x [k, n]; a transposed operand is stored transposed."""
    arrays, cases, (m, k, n) = {}, {}, (5, 7, 3)
    for ta in (False, True):
        for tb in (False, True):
            case = "nt"[ta] + "nt"[tb]
            a, b = rand(*((k, m) if ta else (m, k))), rand(*((n, k) if tb else (k, n)))
            with_gradient(arrays, case, {"a": a, "b": b}, (a.T if ta else a) @ (b.T if tb else b))
            cases[case] = {"m": m, "k": k, "n": n, "transpose_a": ta, "transpose_b": tb}
    write("matmul", arrays, cases)


def conv2d():
    """y = conv2d(x, w) + b, then relu where the case says so."""
    arrays, cases = {}, {}
    # batch, channels in and out, input, kernel, stride, padding, dilation, groups, bias, relu
    table = {
        "plain": (2, 3, 4, (6, 7), (3, 3), (1, 1), (0, 0), (1, 1), 1, True, False),
        "same_relu": (2, 2, 3, (5, 6), (3, 3), (1, 1), (1, 1), (1, 1), 1, True, True),
        "no_bias": (1, 1, 2, (4, 4), (2, 2), (1, 1), (0, 0), (1, 1), 1, False, False),
        "stride": (2, 3, 2, (9, 8), (3, 3), (2, 3), (1, 0), (1, 1), 1, True, False),
        "stride_over_kernel": (1, 2, 2, (10, 9), (2, 2), (3, 4), (0, 0), (1, 1), 1, True, False),
        "dilation": (1, 2, 3, (9, 11), (3, 2), (1, 1), (2, 1), (2, 3), 1, True, False),
        "groups": (2, 4, 6, (5, 5), (3, 3), (1, 1), (1, 1), (1, 1), 2, True, False),
        "depthwise_relu": (1, 3, 3, (7, 6), (3, 3), (2, 1), (1, 1), (1, 1), 3, True, True),
        "everything": (2, 4, 4, (11, 10), (3, 2), (2, 2), (3, 1), (2, 2), 2, True, True),
        "wide_kernel": (1, 1, 2, (3, 9), (3, 5), (1, 1), (0, 0), (1, 1), 1, True, False),
        "pointwise": (2, 5, 3, (3, 4), (1, 1), (1, 1), (0, 0), (1, 1), 1, True, True),
    }
    for case, (n, ci, co, size, kernel, stride, pad, dil, groups, bias, relu) in table.items():
        inputs = {"x": rand(n, ci, *size), "w": rand(co, ci // groups, *kernel, scale=0.5)}
        if bias:
            inputs["b"] = rand(co)
        y = F.conv2d(inputs["x"], inputs["w"], inputs.get("b"), stride, pad, dil, groups)
        with_gradient(arrays, case, inputs, F.relu(y) if relu else y)
        cases[case] = {"batch": n, "in_channels": ci, "out_channels": co, "input": size, "kernel": kernel, "stride": stride,
                       "padding": pad, "dilation": dil, "groups": groups, "bias": bias, "relu": relu}
    write("conv2d", arrays, cases)


def max_pool2d():
    """Values, and indices into each H*W plane as PyTorch counts them."""
    arrays, cases, inf, nan = {}, {}, float("inf"), float("nan")
    special = torch.tensor([[1.0, nan, -inf, -inf], [0.0, nan, -inf, -inf], [inf, 2.0, -0.0, 0.0], [inf, 3.0, 0.0, -0.0]])
    table = {
        "plain": (rand(2, 3, 6, 8), (2, 2), (2, 2), (0, 0)),
        "papers": (rand(1, 2, 6, 10), (2, 4), (2, 4), (0, 0)),
        "overlap": (rand(1, 2, 7, 7), (3, 3), (2, 2), (0, 0)),
        "padded": (rand(2, 2, 5, 6), (3, 3), (2, 2), (1, 1)),
        "stride_over_kernel": (rand(1, 1, 9, 9), (2, 2), (3, 4), (0, 0)),
        "ties": (torch.ones(1, 2, 4, 6).double().requires_grad_(), (2, 3), (2, 3), (0, 0)),
        "ties_padded": (torch.zeros(1, 1, 4, 4).double().requires_grad_(), (3, 3), (2, 2), (1, 1)),
        "special": (special[None, None].double().requires_grad_(), (2, 2), (2, 2), (0, 0)),
        "all_minus_inf": (torch.full((1, 1, 4, 4), -inf).double().requires_grad_(), (2, 2), (2, 2), (1, 1)),
    }
    for case, (x, kernel, stride, pad) in table.items():
        y, index = F.max_pool2d(x, kernel, stride, pad, return_indices=True)
        with_gradient(arrays, case, {"x": x}, y)
        arrays[f"{case}/index"] = index
        cases[case] = {"kernel": kernel, "stride": stride, "padding": pad}
    write("max_pool2d", arrays, cases)


def reductions():
    """sum, mean and max (with argmax) over the named axes; the reduced axes are kept with length 1."""
    arrays, cases = {}, {}
    for shape, axes in [((4, 5), [0]), ((4, 5), [1]), ((3, 4, 5), [1]), ((3, 4, 5), [0, 2]), ((2, 3, 4, 5), [2, 3]), ((2, 3, 4, 5), [0, 1, 2, 3])]:
        for op in ("sum", "mean"):
            case, x = f"{op}_{len(shape)}d_{''.join(map(str, axes))}", rand(*shape)
            with_gradient(arrays, case, {"x": x}, getattr(x, op)(axes, keepdim=True))
            cases[case] = {"op": op, "axes": axes}
    for shape, axis in [((4, 5), 1), ((4, 5), 0), ((3, 4, 5), 1)]:
        case, x = f"max_{len(shape)}d_{axis}", rand(*shape)
        y, index = x.max(axis, keepdim=True)
        with_gradient(arrays, case, {"x": x}, y)
        arrays[f"{case}/index"] = index
        cases[case] = {"op": "max", "axes": [axis]}
    write("reductions", arrays, cases)


def activations():
    """Each activation at the same points, kinks and large arguments among them."""
    points = torch.cat([torch.linspace(-4, 4, 33), torch.tensor([-100.0, -20.0, -1e-3, 1e-3, 20.0, 100.0])])
    table = {
        "relu": F.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
        "elu": F.elu, "elu_half": lambda x: F.elu(x, alpha=0.5),
        "leaky_relu": F.leaky_relu, "leaky_relu_fifth": lambda x: F.leaky_relu(x, 0.2),
        "gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    }
    options = {"elu": {"alpha": 1.0}, "elu_half": {"alpha": 0.5}, "leaky_relu": {"slope": 0.01}, "leaky_relu_fifth": {"slope": 0.2}}
    arrays, cases = {}, {}
    for case, f in table.items():
        x = points.double().requires_grad_()
        with_gradient(arrays, case, {"x": x}, f(x))
        cases[case] = options.get(case, {})
    write("activations", arrays, cases)


def softmax_cross_entropy():
    """loss of logits x against class indices; mean reduction divides by the sum of the labels' weights."""
    arrays, cases = {}, {}
    table = {"plain": (6, 5, False, 1.0), "weighted": (6, 5, True, 1.0), "large": (4, 3, False, 60.0), "one_clip": (1, 10, True, 1.0)}
    for case, (n, classes, weighted, scale) in table.items():
        x = rand(n, classes, scale=scale)
        label = torch.randint(classes, (n,), generator=generator)
        weight = torch.rand(classes, generator=generator).double() + 0.25 if weighted else None
        loss = F.cross_entropy(x, label, weight=weight)
        arrays |= {f"{case}/x": x, f"{case}/label": label, f"{case}/loss": loss.reshape(1), f"{case}/probability": F.softmax(x, 1),
                   f"{case}/dx": torch.autograd.grad(loss, x)[0]}
        if weighted:
            arrays[f"{case}/weight"] = weight
        cases[case] = {"weighted": weighted}
    write("softmax_cross_entropy", arrays, cases)


def linear():
    """y = x w^T + b, w stored [out, in]."""
    arrays = {}
    x, w, b = rand(4, 7), rand(5, 7), rand(5)
    with_gradient(arrays, "linear", {"x": x, "w": w, "b": b}, F.linear(x, w, b))
    write("linear", arrays, {"linear": {"in": 7, "out": 5}})


def adam():
    """Five steps with given gradients g/0..4; weight decay is L2, added to the gradient (Adam, not AdamW)."""
    arrays, cases = {}, {}
    for case, options in {"default": {}, "decay": {"weight_decay": 0.01, "lr": 0.01}, "betas": {"betas": (0.5, 0.9), "eps": 1e-4, "lr": 0.1}}.items():
        p = rand(11)
        arrays[f"{case}/p"] = p.clone()
        opt = torch.optim.Adam([p], **{"lr": 1e-3, **options})
        for step in range(5):
            p.grad = torch.randn(11, generator=generator).double()
            if step == 2:
                p.grad.zero_()
            arrays[f"{case}/g/{step}"] = p.grad.clone()
            opt.step()
            arrays[f"{case}/p/{step}"] = p.clone()
        state = opt.state[p]
        arrays[f"{case}/m"], arrays[f"{case}/v"] = state["exp_avg"], state["exp_avg_sq"]
        group = opt.param_groups[0]
        cases[case] = {k: group[k] for k in ("lr", "betas", "eps", "weight_decay")}
    write("adam", arrays, cases)


@seeded
def optimizers():
    """Ten steps of two parameters with given gradients g/STEP/NAME; clipped by norm, then by value, where the case says so."""
    kinds = {"sgd": torch.optim.SGD, "rmsprop": torch.optim.RMSprop, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    table = {
        "sgd": ("sgd", 0.1, {}, None, None),
        "sgd_momentum": ("sgd", 0.1, {"momentum": 0.9}, None, None),
        "sgd_nesterov_decay": ("sgd", 0.05, {"momentum": 0.8, "nesterov": True, "weight_decay": 0.1}, None, None),
        "rmsprop": ("rmsprop", 0.01, {}, None, None),
        "rmsprop_momentum": ("rmsprop", 0.01, {"momentum": 0.9, "alpha": 0.9, "eps": 1e-4}, None, None),
        "rmsprop_everything": ("rmsprop", 0.01, {"momentum": 0.5, "centered": True, "weight_decay": 0.1}, None, None),
        "adam": ("adam", 0.01, {"beta1": 0.8, "beta2": 0.99}, None, None),
        "adamw": ("adamw", 0.01, {}, None, None),
        "adamw_decay": ("adamw", 0.1, {"weight_decay": 0.3, "eps": 1e-4}, None, None),
        "clip_norm": ("sgd", 0.1, {"momentum": 0.9}, 5.0, None),
        "clip_norm_never": ("adam", 0.01, {}, 1e3, None),
        "clip_both": ("sgd", 0.1, {}, 5.0, 0.5),
    }
    arrays, cases = {}, {}
    for case, (kind, lr, options, norm, value) in table.items():
        names = {"w": (7, 11), "b": (5,)}
        p = {n: torch.randn(*shape, generator=generator).double().requires_grad_() for n, shape in names.items()}
        given = {k: v for k, v in options.items() if k not in ("beta1", "beta2")}
        if "beta1" in options:
            given["betas"] = (options["beta1"], options["beta2"])
        opt = kinds[kind](p.values(), lr=lr, **given)
        for n, t in p.items():
            arrays[f"{case}/p/{n}"] = t.clone()
        norms = []
        for step in range(10):
            for n, t in p.items():
                t.grad = torch.randn(*names[n], generator=generator).double() * (0.0 if step == 4 else 1.0)
                arrays[f"{case}/g/{step}/{n}"] = t.grad.clone()
            if norm:
                norms.append(torch.nn.utils.clip_grad_norm_(p.values(), norm))
            if value:
                torch.nn.utils.clip_grad_value_(p.values(), value)
            opt.step()
            for n, t in p.items():
                arrays[f"{case}/p/{step}/{n}"] = t.clone()
        if norm:
            arrays[f"{case}/norm"] = torch.stack(norms)
        cases[case] = {"rule": {"kind": kind, **options}, "lr": lr, "clip_norm": norm, "clip_value": value}
    write("optimizers", arrays, cases)


@seeded
def label_smoothing():
    """Cross-entropy with targets of (1 - s) at the label and s / classes everywhere, weights and ignored labels included."""
    table = {"plain": (6, 5, False, 0.1), "weighted": (6, 5, True, 0.2), "all": (4, 7, True, 1.0), "one_clip": (1, 10, False, 0.3),
             "ignored": (9, 4, True, 0.1), "weightless": (5, 4, True, 0.25)}
    arrays, cases = {}, {}
    for case, (n, classes, weighted, smoothing) in table.items():
        x = (2 * torch.randn(n, classes, generator=generator)).double().requires_grad_()
        label = torch.randint(classes, (n,), generator=generator)
        weight = torch.rand(classes, generator=generator).double() + 0.25 if weighted else None
        if case == "ignored":
            label[2] = label[5] = 100
        if case == "weightless":
            weight[label[0]] = 0.0
        loss = F.cross_entropy(x, label, weight=weight, label_smoothing=smoothing, ignore_index=100)
        arrays |= {f"{case}/x": x, f"{case}/label": label, f"{case}/loss": loss.reshape(1), f"{case}/dx": torch.autograd.grad(loss, x)[0]}
        if weighted:
            arrays[f"{case}/weight"] = weight
        cases[case] = {"weighted": weighted, "smoothing": smoothing}
    write("label_smoothing", arrays, cases)


def ajufo_cnn():
    """The whole network of recipe ajufo-cnn on a small picture: logits, loss, gradients, ten steps of Adam."""
    torch.manual_seed(7)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 32, 3), torch.nn.ReLU(), torch.nn.MaxPool2d((2, 4)),
        torch.nn.Conv2d(32, 64, 3), torch.nn.ReLU(), torch.nn.MaxPool2d((2, 4)),
        torch.nn.Flatten(), torch.nn.Linear(64 * 6 * 3, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10)).double()
    names = {"0": "conv1", "3": "conv2", "7": "linear1", "9": "linear2"}
    called = {key: f"{names[key.split('.')[0]]}.{key.split('.')[1]}" for key, _ in net.named_parameters()}
    x, label = rand(4, 1, 32, 64), torch.tensor([3, 0, 9, 3])
    arrays = {"x": x, "label": label}
    with torch.no_grad():
        for key, p in net.named_parameters():
            p.copy_(p.float().double())
            arrays[f"weights/{called[key]}"] = p.clone()
    opt, losses = torch.optim.Adam(net.parameters(), lr=1e-3), []
    for step in range(11):
        opt.zero_grad()
        logits = net(x)
        loss = F.cross_entropy(logits, label)
        losses.append(loss.item())
        loss.backward()
        if step == 0:
            arrays["logits"], arrays["loss"] = logits.clone(), loss.reshape(1).clone()
            for key, p in net.named_parameters():
                arrays[f"gradients/{called[key]}"] = p.grad.clone()
        opt.step()
    arrays["loss_curve"], arrays["logits_after_10_steps"] = torch.tensor(losses).double(), logits
    write("ajufo_cnn", arrays, {"ajufo_cnn": {"lr": 1e-3, "steps": 10}})


@seeded
def rearrange():
    """permute, slice (narrow), pad with a value (negative: crop), concat of a and b; pad is [before, after] for each axis."""
    arrays, cases = {}, {}
    for axes in [(1, 0), (0, 2, 3, 1), (3, 1, 0, 2), (0, 3, 1, 2)]:
        case, x = f"permute_{''.join(map(str, axes))}", rand(*(2, 3, 4, 5)[: len(axes)])
        with_gradient(arrays, case, {"x": x}, x.permute(axes))
        cases[case] = {"op": "permute", "axes": axes}
    for axis, begin, end in [(0, 1, 2), (1, 0, 2), (2, 1, 4)]:
        case, x = f"slice_{axis}", rand(2, 3, 5)
        with_gradient(arrays, case, {"x": x}, x.narrow(axis, begin, end - begin))
        cases[case] = {"op": "slice", "axis": axis, "range": [begin, end]}
    for i, (pad, value) in enumerate([([(0, 0), (1, 2), (3, 0)], 0.0), ([(1, 0), (-1, 2), (-2, -1)], 1.5), ([(0, 0), (-1, -1), (2, 2)], -0.5)]):
        case, x = f"pad_{i}", rand(2, 3, 5)
        with_gradient(arrays, case, {"x": x}, F.pad(x, [n for axis in reversed(pad) for n in axis], value=value))
        cases[case] = {"op": "pad", "pad": pad, "value": value}
    for axis in range(3):
        lengths = [2, 3, 4]
        shapes = [[n if k == axis else lengths[k] for k in range(3)] for n in (2, 5)]
        case, a, b = f"concat_{axis}", rand(*shapes[0]), rand(*shapes[1])
        with_gradient(arrays, case, {"a": a, "b": b}, torch.cat([a, b], axis))
        cases[case] = {"op": "concat", "axis": axis}
    write("rearrange", arrays, cases)


@seeded
def gather():
    """index_select along an axis; some rows often, some never."""
    arrays, cases = {}, {}
    for axis, index in [(0, [3, 0, 3, 3, 1]), (1, [1, 1]), (2, [4, 3, 2, 1, 0, 0])]:
        case, x, index = f"axis_{axis}", rand(5, 2, 6), torch.tensor(index)
        with_gradient(arrays, case, {"x": x}, x.index_select(axis, index))
        arrays[f"{case}/index"] = index
        cases[case] = {"axis": axis}
    write("gather", arrays, cases)


@seeded
def resize2d():
    """interpolate: bilinear with align_corners=False and no antialiasing, and area."""
    arrays, cases = {}, {}
    for mode in ("bilinear", "area"):
        for (h, w), (oh, ow) in [((4, 5), (8, 10)), ((9, 7), (3, 3)), ((5, 6), (5, 6)), ((3, 11), (7, 4)), ((1, 1), (3, 2)), ((6, 5), (1, 1))]:
            case, x = f"{mode}_{h}x{w}_{oh}x{ow}", rand(2, 3, h, w)
            options = {"align_corners": False} if mode == "bilinear" else {}
            with_gradient(arrays, case, {"x": x}, F.interpolate(x, (oh, ow), mode=mode, **options))
            cases[case] = {"mode": mode, "size": [oh, ow]}
    write("resize2d", arrays, cases)


@seeded
def softmax():
    """softmax and log_softmax along the last axis."""
    arrays, cases = {}, {}
    for case, shape, scale in [("plain", (4, 7), 1.0), ("large", (2, 3, 5), 60.0), ("long", (2, 130), 3.0)]:
        for op in ("softmax", "log_softmax"):
            x = rand(*shape, scale=scale)
            with_gradient(arrays, f"{op}_{case}", {"x": x}, getattr(F, op)(x, -1))
            cases[f"{op}_{case}"] = {"op": op}
    write("softmax", arrays, cases)


@seeded
def conv1d():
    """conv1d with bias, max_pool1d and avg_pool1d on [n, c, t]."""
    arrays, cases = {}, {}
    table = {  # channels in and out, t, kernel, stride, padding, dilation, groups
        "plain": (3, 4, 9, 3, 1, 0, 1, 1), "stride": (2, 3, 11, 4, 3, 2, 1, 1),
        "dilation": (2, 2, 12, 3, 1, 2, 2, 1), "groups": (4, 6, 8, 5, 2, 2, 1, 2),
    }
    for case, (ci, co, t, kernel, stride, pad, dilation, groups) in table.items():
        inputs = {"x": rand(2, ci, t), "w": rand(co, ci // groups, kernel), "b": rand(co)}
        with_gradient(arrays, case, inputs, F.conv1d(inputs["x"], inputs["w"], inputs["b"], stride, pad, dilation, groups))
        cases[case] = {"op": "conv", "channels": co, "kernel": kernel, "stride": stride, "padding": pad, "dilation": dilation, "groups": groups}
    for op in ("max", "avg"):
        for kernel, stride, pad in [(2, 2, 0), (3, 2, 1), (2, 3, 0)]:
            case, x = f"{op}_{kernel}{stride}{pad}", rand(2, 3, 11)
            with_gradient(arrays, case, {"x": x}, getattr(F, f"{op}_pool1d")(x, kernel, stride, pad))
            cases[case] = {"op": op, "kernel": kernel, "stride": stride, "padding": pad}
    write("conv1d", arrays, cases)


@seeded
def parallel():
    """A small inception module, whose branches are put together along the channels, and a residual block, whose are added."""
    arrays = {}
    conv = lambda ci, co, k: {"weight": rand(co, ci, k, k, scale=0.5), "bias": rand(co)}
    weights = {
        "parallel1/branch1/conv1": conv(3, 2, 1), "parallel1/branch2/conv1": conv(3, 4, 1), "parallel1/branch2/conv2": conv(4, 3, 3),
        "parallel1/branch3/conv1": conv(3, 2, 1), "parallel2/branch1/conv1": conv(7, 7, 3), "parallel2/branch1/conv2": conv(7, 7, 3),
    }
    x = rand(2, 3, 6, 7)
    run = lambda path, x, pad: F.conv2d(x, weights[path]["weight"], weights[path]["bias"], padding=pad)
    a = F.relu(run("parallel1/branch1/conv1", x, 0))
    b = F.relu(run("parallel1/branch2/conv2", F.relu(run("parallel1/branch2/conv1", x, 0)), 1))
    c = F.relu(run("parallel1/branch3/conv1", F.max_pool2d(x, 3, 1, 1), 0))
    joined = torch.cat([a, b, c], 1)
    y = F.relu(run("parallel2/branch1/conv2", F.relu(run("parallel2/branch1/conv1", joined, 1)), 1) + joined)
    inputs = {f"{path}.{key}": w for path, both in weights.items() for key, w in both.items()}
    with_gradient(arrays, "net", {"x": x, **inputs}, y)
    write("parallel", arrays, {"net": {}})


def walk(name, x, p, suffix, activation):
    """One direction of a GRU or LSTM step by step, with any activation: every state, and the last."""
    w_ih, w_hh = p[f"weight_ih_l0{suffix}"], p[f"weight_hh_l0{suffix}"]
    b_ih, b_hh = p.get(f"bias_ih_l0{suffix}", 0.0), p.get(f"bias_hh_l0{suffix}", 0.0)
    h = torch.zeros(x.shape[0], w_hh.shape[1], dtype=x.dtype)
    cell, states, times = h, [None] * x.shape[1], range(x.shape[1])
    for time in reversed(times) if suffix else times:
        gi, gh = x[:, time] @ w_ih.T + b_ih, h @ w_hh.T + b_hh
        if name == "gru":
            (ir, iz, i_n), (hr, hz, hn) = gi.chunk(3, 1), gh.chunk(3, 1)
            r, z = torch.sigmoid(ir + hr), torch.sigmoid(iz + hz)
            n = activation(i_n + r * hn)
            h = (1 - z) * n + z * h
        else:
            i, f, g, o = (gi + gh).chunk(4, 1)
            cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * activation(g)
            h = torch.sigmoid(o) * activation(cell)
        states[time] = h
    return torch.stack(states, 1), h


def recurrent(name):
    """torch.nn.GRU or LSTM, batch first; where the activation is not tanh, the same walk written out."""
    arrays, cases = {}, {}
    activations = {"tanh": torch.tanh, "relu": F.relu, "elu": F.elu, "sigmoid": torch.sigmoid}
    # batch, steps, features, hidden, bias, both directions, last state only, activation
    table = {
        "plain": (3, 5, 4, 6, True, False, False, "tanh"),
        "no_bias": (2, 4, 3, 5, False, False, False, "tanh"),
        "both": (2, 5, 3, 4, True, True, False, "tanh"),
        "last": (3, 6, 2, 5, True, False, True, "tanh"),
        "both_last": (2, 5, 3, 4, True, True, True, "tanh"),
        "one_step": (2, 1, 3, 4, True, True, False, "tanh"),
        "one_of_each": (1, 1, 1, 1, True, False, False, "tanh"),
        "odd": (1, 7, 31, 33, True, False, False, "tanh"),
        "elu": (3, 4, 3, 5, True, False, True, "elu"),
        "relu": (2, 4, 3, 5, True, True, False, "relu"),
        "sigmoid": (2, 4, 3, 5, True, False, False, "sigmoid"),
    }
    for case, (n, t, features, hidden, bias, both, last, activation) in table.items():
        kind = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[name]
        shapes = kind(features, hidden, bias=bias, bidirectional=both).named_parameters()
        inputs = {"x": rand(n, t, features)} | {key: rand(*p.shape, scale=0.5) for key, p in shapes}
        suffixes = ["", "_reverse"][: 1 + both]
        states, ends = zip(*(walk(name, inputs["x"], inputs, s, activations[activation]) for s in suffixes))
        y, end = torch.cat(states, 2), torch.cat(ends, 1)
        if activation == "tanh":
            zero = torch.zeros(len(suffixes), n, hidden, dtype=torch.float64)
            flat = [inputs[key] for key in inputs if key != "x"]
            run, start = {"gru": (torch.gru, zero), "lstm": (torch.lstm, (zero, zero))}[name]
            theirs, their_end, *_ = run(inputs["x"], start, flat, bias, 1, 0.0, False, both, True)
            their_end = their_end.transpose(0, 1).reshape(n, -1)
            torch.testing.assert_close(y, theirs)
            torch.testing.assert_close(end, their_end)
            y, end = theirs, their_end
        with_gradient(arrays, case, inputs, end if last else y)
        cases[case] = {"bias": bias, "bidirectional": both, "last": last, "activation": activation}
    write(name, arrays, cases)


@seeded
def gru():
    """Gates r, z, n; see recurrent."""
    recurrent("gru")


@seeded
def lstm():
    """Gates i, f, g, o; another activation stands for both tanh, as in Keras; see recurrent."""
    recurrent("lstm")


@seeded
def avg_pool2d():
    """Means of windows, padding counted or not."""
    arrays, cases = {}, {}
    table = {
        "plain": ((2, 3, 6, 8), (2, 2), (2, 2), (0, 0), True),
        "papers": ((1, 2, 6, 10), (2, 4), (2, 4), (0, 0), True),
        "overlap": ((1, 2, 7, 7), (3, 3), (2, 2), (0, 0), True),
        "padded": ((2, 2, 5, 6), (3, 3), (2, 1), (1, 1), True),
        "padded_inside": ((2, 2, 5, 6), (3, 3), (2, 1), (1, 1), False),
        "padded_wide": ((1, 1, 3, 9), (2, 5), (1, 2), (1, 2), False),
        "stride_over_kernel": ((1, 1, 9, 9), (2, 2), (3, 4), (0, 0), True),
        "global": ((3, 4, 5, 7), (5, 7), (5, 7), (0, 0), True),
    }
    for case, (shape, kernel, stride, pad, include) in table.items():
        x = rand(*shape)
        with_gradient(arrays, case, {"x": x}, F.avg_pool2d(x, kernel, stride, pad, count_include_pad=include))
        cases[case] = {"kernel": kernel, "stride": stride, "padding": pad, "count_include_pad": include}
    write("avg_pool2d", arrays, cases)


@seeded
def global_max_pool():
    """The largest number of each plane, and its place in the plane."""
    arrays, cases, inf, nan = {}, {}, float("inf"), float("nan")
    special = torch.tensor([[[1.0, nan], [nan, inf]], [[-inf, -inf], [-inf, -inf]], [[-0.0, 0.0], [0.0, -0.0]], [[-inf, -3.0], [-2.0, -3.0]]])
    table = {
        "plain": rand(3, 4, 5, 7), "one_row": rand(2, 3, 1, 9), "one_number": rand(2, 3, 1, 1), "large": rand(1, 2, 20, 33),
        "ties": torch.ones(1, 2, 4, 6).double().requires_grad_(), "special": special[None].double().requires_grad_(),
    }
    for case, x in table.items():
        y, index = F.adaptive_max_pool2d(x, 1, return_indices=True)
        with_gradient(arrays, case, {"x": x}, y.flatten(1))
        arrays[f"{case}/index"] = index
        cases[case] = {"kernel": x.shape[2:], "stride": x.shape[2:], "padding": (0, 0)}
    write("global_max_pool", arrays, cases)


@seeded
def batch_norm():
    """By the batch (running statistics before and after) or by the running statistics; w and b are weight and bias."""
    arrays, cases = {}, {}
    # shape, affine, training, momentum, eps, scale and mean of x
    table = {
        "images": ((4, 3, 5, 6), True, True, 0.1, 1e-5, 1.0, 0.0),
        "rows": ((7, 5), True, True, 0.1, 1e-5, 1.0, 0.0),
        "plain": ((3, 4, 2, 2), False, True, 0.3, 1e-3, 1.0, 0.0),
        "far": ((4, 2, 9, 8), True, True, 1.0, 1e-5, 0.25, 64.0),
        "small": ((2, 3, 1, 1), True, True, 0.1, 0.5, 1.0, 0.0),
        "inference": ((4, 3, 5, 6), True, False, 0.1, 1e-5, 1.0, 0.0),
        "inference_plain": ((1, 6), False, False, 0.1, 1e-3, 1.0, 0.0),
    }
    for case, (shape, affine, training, momentum, eps, scale, mean) in table.items():
        x = (rand(*shape, scale=scale).detach() + mean).float().double().requires_grad_()
        inputs = {"x": x} | ({"w": rand(shape[1]), "b": rand(shape[1])} if affine else {})
        running = {"running_mean": rand(shape[1]).detach(), "running_var": rand(shape[1]).detach().square().float().double() + 0.5}
        arrays |= {f"{case}/{key}": t.clone() for key, t in running.items()}
        y = F.batch_norm(x, *running.values(), inputs.get("w"), inputs.get("b"), training, momentum, eps)
        with_gradient(arrays, case, inputs, y)
        arrays |= {f"{case}/{key}_after": t.clone() for key, t in running.items()}
        cases[case] = {"affine": affine, "training": training, "momentum": momentum, "eps": eps}
    write("batch_norm", arrays, cases)


@seeded
def local_response_norm():
    """Divided by a power of the neighbouring channels' squares."""
    arrays, cases = {}, {}
    table = {
        "default": ((2, 7, 3, 4), {"size": 5}, 1.0),
        "loud": ((2, 7, 3, 4), {"size": 5, "alpha": 0.5, "beta": 0.75, "k": 2.0}, 3.0),
        "even": ((1, 6, 5, 2), {"size": 4, "alpha": 1.0, "beta": 0.5, "k": 0.5}, 1.0),
        "single": ((2, 3, 2, 2), {"size": 1, "alpha": 0.1, "beta": 1.0, "k": 1.0}, 1.0),
        "wider_than_channels": ((2, 3, 5, 1), {"size": 9, "alpha": 2.0, "beta": 1.5, "k": 1.0}, 1.0),
    }
    for case, (shape, options, scale) in table.items():
        x = rand(*shape, scale=scale).detach().float().double().requires_grad_()
        with_gradient(arrays, case, {"x": x}, F.local_response_norm(x, **options))
        cases[case] = {"alpha": 1e-4, "beta": 0.75, "k": 1.0} | options
    write("local_response_norm", arrays, cases)


def schedules():
    """Learning rates in float64, step by step: epochs of four steps, every scheduler as melgrad's recipes spell it."""
    base, steps = 0.1, 4
    losses = [1.0, 0.8, 0.81, 0.8, 0.79996, 0.7, 0.7, 0.71, 0.72, 0.7, 0.69, 0.7, 0.7, 0.7, 0.7, 0.7]
    S = torch.optim.lr_scheduler
    whole = len(losses) * steps

    def run(make, per_step, watched=None, lr=base):
        parameter = torch.zeros(1, requires_grad=True)
        optimizer = torch.optim.SGD([parameter], lr=lr)
        scheduler = make(optimizer)
        rates = []
        for epoch in range(len(losses)):
            for _ in range(steps):
                rates.append(optimizer.param_groups[0]["lr"])
                optimizer.step()
                # PyTorch's own last step would be one too many.
                if per_step and len(rates) < whole:
                    scheduler.step()
            if not per_step:
                scheduler.step(*([] if watched is None else [watched(losses[epoch])]))
        return rates

    cases = []

    def case(schedule, *args, **options):
        cases.append({"schedule": schedule, "rates": run(*args, **options)})

    for options in ({"factor": 0.5, "patience": 1}, {"factor": 0.5, "patience": 1, "cooldown": 2},
                    {"factor": 0.3, "patience": 0, "threshold": 0.0, "min_lr": 0.02}):
        case({"kind": "plateau"} | options, lambda o: S.ReduceLROnPlateau(o, **options), False, lambda loss: loss)
        case({"kind": "plateau", "by": "accuracy"} | options,
             lambda o: S.ReduceLROnPlateau(o, mode="max", **options), False, lambda loss: 10.0 - loss)
    case({"kind": "step", "step_size": 3, "gamma": 0.5}, lambda o: S.StepLR(o, 3, 0.5), False)
    case({"kind": "cosine"}, lambda o: S.CosineAnnealingLR(o, len(losses)), False)
    case({"kind": "cosine", "t_max": 5, "eta_min": 0.01}, lambda o: S.CosineAnnealingLR(o, 5, 0.01), False)
    case({"kind": "one-cycle"}, lambda o: S.OneCycleLR(o, base, whole, cycle_momentum=False), True)
    case({"kind": "one-cycle", "pct_start": 0.4, "div_factor": 10.0, "final_div_factor": 100.0},
         lambda o: S.OneCycleLR(o, base, whole, pct_start=0.4, div_factor=10.0, final_div_factor=100.0,
                                cycle_momentum=False), True)
    for mode, gamma in (("triangular", 1.0), ("triangular2", 1.0), ("exp_range", 0.97)):
        case({"kind": "cyclical", "step_size": 1.5, "div_factor": 4.0, "mode": mode, "gamma": gamma},
             lambda o: S.CyclicLR(o, base / 4, base, step_size_up=6, mode=mode, gamma=gamma, cycle_momentum=False), True)
    golden = {"format": 1, "torch": torch.__version__, "learning_rate": base, "steps": steps, "losses": losses,
              "cases": cases}
    (HERE / "schedules.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    for make in (matmul, conv2d, max_pool2d, reductions, activations, softmax_cross_entropy, linear, adam, ajufo_cnn,
                 rearrange, gather, resize2d, softmax, conv1d, parallel, optimizers, label_smoothing,
                 gru, lstm, avg_pool2d, global_max_pool, batch_norm, local_response_norm, schedules):
        make()
    for f in sorted(HERE.glob("*.safetensors")):
        print(f"{f.stat().st_size:8d} {f.name}")
