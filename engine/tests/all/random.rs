//! Architectures drawn at random: what is foretold of them is what comes out, and no text makes the reader panic.

use engine::architecture::layer::{
    Activation, AvgPool1d, AvgPool2d, BatchNorm, Combine, Conv1d, Conv2d, Dropout, Flatten,
    GlobalAvgPool, GlobalMaxPool, Interpolation, Linear, LocalResponseNorm, MaxPool1d, MaxPool2d,
    Pad2d, Parallel, Permute, Reshape, Resize, Sequential, Softmax,
};
use engine::{
    Architecture, AvailableMemory, Device, Function, Layer, Mode, Network, Padding, Tensor,
};
use proptest::prelude::*;
const OPTIONS: &[(&str, &str)] = &[
    (
        "Conv2d",
        "out_channels kernel stride padding dilation groups l2",
    ),
    ("MaxPool2d", "kernel stride padding"),
    ("AvgPool2d", "kernel stride padding"),
    ("GlobalAvgPool", ""),
    ("GlobalMaxPool", ""),
    ("BatchNorm", "eps momentum"),
    ("LocalResponseNorm", "size alpha beta k"),
    ("Activation", "function"),
    ("Linear", "out_features activation l2"),
    ("Flatten", "start"),
    ("Dropout", "p"),
    ("Sequential", "layers"),
    ("Parallel", "branches combine axis"),
    ("Permute", "axes"),
    ("Reshape", "shape"),
    ("Pad2d", "padding value"),
    ("Resize", "size mode"),
    ("Softmax", ""),
    (
        "Conv1d",
        "out_channels kernel stride padding dilation groups",
    ),
    ("MaxPool1d", "kernel stride padding"),
    ("Gru", "hidden activation l2"),
    ("Lstm", "hidden activation l2"),
    ("AvgPool1d", "kernel stride padding"),
];

/// A layer of any kind with most of its options, and values of every form.
fn any_layer() -> impl Strategy<Value = String> {
    let kinds = OPTIONS.iter().map(|(kind, _)| *kind);
    assert!(kinds.eq(engine::architecture::Kind::NAMES.iter().copied()));
    let value = prop_oneof![
        3 => "[1-9]|[0-9]{1,20}",
        2 => r"\[(-?[0-9]{1,12},){0,2}-?[0-9]{1,12}\]",
        1 => r"\[\[-?[0-9]{1,6},[0-9]{1,6}\],\[[0-9]{1,12},-?[0-9]{1,6}\]\]",
        1 => r"-[0-9]{1,3}|0\.[0-9]",
        1 => r#""(same|valid|add|area|relu|gelu|classes)""#,
        1 => r#"\[\]|\[\[\],\[\]\]|\[\{"kind":"Flatten"\}\]|\[\[\{"kind":"Softmax"\}\],\[\]\]"#,
    ];
    let values = prop::collection::vec(prop::option::weighted(0.8, value), 7);
    (prop::sample::select(OPTIONS), values).prop_map(|((kind, options), values)| {
        let fields = options.split_whitespace().zip(values);
        let fields = fields.filter_map(|(name, value)| Some(format!(r#","{name}":{}"#, value?)));
        format!(r#"{{"kind":"{kind}"{}}}"#, fields.collect::<String>())
    })
}

fn layers() -> impl Strategy<Value = Vec<Layer>> {
    let padding = || {
        prop_oneof![
            Just(Padding::Valid),
            Just(Padding::Same),
            (0usize..3, 0usize..3).prop_map(|(h, w)| Padding::Zeros([[h, w], [w, h]])),
        ]
    };
    let function = || {
        prop_oneof![
            Just(None),
            Just(Some(Function::Relu)),
            Just(Some(Function::Gelu)),
            Just(Some(Function::Sigmoid)),
        ]
    };
    let conv = (
        1usize..5,
        1usize..4,
        1usize..4,
        1usize..3,
        1usize..3,
        1usize..3,
        padding(),
        function(),
    )
        .prop_map(
            |(out_channels, kh, kw, stride, dilation, groups, padding, activation)| {
                Layer::from(Conv2d {
                    stride: [stride, 1],
                    dilation: [1, dilation],
                    groups,
                    padding,
                    activation,
                    ..Conv2d::new(out_channels, [kh, kw])
                })
            },
        );
    let pool = (1usize..4, 1usize..4, prop::option::of(1usize..3), padding()).prop_map(
        |(h, w, stride, padding)| {
            Layer::from(MaxPool2d {
                stride: stride.map(|s| [s, s]),
                padding,
                ..MaxPool2d::new([h, w])
            })
        },
    );
    let other = prop_oneof![
        function().prop_map(|f| match f {
            Some(function) => Activation { function }.into(),
            None => Layer::from(Dropout { p: 0.5 }),
        }),
        (1usize..6).prop_map(|n| Layer::from(Linear::new(n))),
        (1usize..4, 1usize..4, any::<bool>(), padding()).prop_map(|(h, w, count, padding)| {
            Layer::from(AvgPool2d {
                padding,
                count_include_pad: count,
                ..AvgPool2d::new([h, w])
            })
        }),
        any::<bool>().prop_map(|affine| Layer::from(BatchNorm {
            affine,
            ..BatchNorm::default()
        })),
        (1usize..7).prop_map(|size| Layer::from(LocalResponseNorm::new(size))),
        Just(Layer::from(GlobalAvgPool {})),
        Just(Layer::from(GlobalMaxPool {})),
        (0usize..4).prop_map(|start| Layer::from(Flatten { start })),
        Just(Layer::from(Softmax {})),
        Just(vec![0, 1, 2])
            .prop_shuffle()
            .prop_map(|axes| Layer::from(Permute { axes })),
        prop::collection::vec(prop_oneof![Just(-1i64), 1i64..4], 1..4)
            .prop_map(|shape| Layer::from(Reshape { shape })),
        ([[-2i64..3, 0..3], [0..3, -2..3]]).prop_map(|padding| Layer::from(Pad2d {
            padding,
            value: 0.5
        })),
        ([1usize..9, 1..9], any::<bool>()).prop_map(|(size, area)| Layer::from(Resize {
            size,
            mode: if area {
                Interpolation::Area
            } else {
                Interpolation::Bilinear
            },
        })),
        (1usize..4, 1usize..4, 1usize..4).prop_map(|(channels, kernel, pool)| {
            let flat = Reshape { shape: vec![1, -1] };
            let (conv, max) = (Conv1d::new(channels, kernel), MaxPool1d::new(pool));
            let layers = vec![
                flat.into(),
                conv.into(),
                max.into(),
                AvgPool1d::new(pool).into(),
            ];
            Layer::from(Sequential { layers })
        }),
    ];
    let plain = prop_oneof![3 => conv, 2 => pool, 2 => other].boxed();
    let branches = prop::collection::vec(prop::collection::vec(plain.clone(), 0..3), 1..4);
    let parallel = (branches, any::<bool>(), 0usize..3).prop_map(|(branches, add, axis)| {
        let combine = if add { Combine::Add } else { Combine::Concat };
        Layer::from(Parallel {
            branches,
            combine,
            axis,
        })
    });
    prop::collection::vec(prop_oneof![6 => plain, 1 => parallel], 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// What inference foretells is what comes out; what it refuses is refused before anything runs.
    #[test]
    fn inference_foretells_every_shape(layers in layers(), c in 1usize..4, h in 1usize..9, w in 1usize..9, n in 1usize..3) {
        let architecture = Architecture { input: vec![c, h, w], layers };
        prop_assert_eq!(&Architecture::from_json(&architecture.to_json().unwrap()).unwrap(), &architecture);
        let Ok(summary) = architecture.summary() else {
            prop_assert!(Network::new(&architecture, &Device::cpu(), 1).is_err());
            return Ok(());
        };
        let device = Device::cpu();
        let network = Network::new(&architecture, &device, 1).unwrap();
        let learned: usize = network.parameters().iter().map(|p| p.tensor.elements()).sum();
        prop_assert_eq!(learned as u64, summary.parameters);
        let values: Vec<f32> = (0..n * c * h * w).map(|i| (i % 7) as f32 - 3.0).collect();
        let x = Tensor::from_vec(&device, values, [n, c, h, w]).unwrap();
        let mut outputs = Vec::new();
        let mut watch = |_: &str, output: &Tensor| { outputs.push(output.shape()[1..].to_vec()); Ok(()) };
        let mode = Mode::Train { seed: 1, step: 1 };
        let watched = match network.forward_watched(&x, mode, &mut watch) {
            // Whether there is a variance depends on the batch.
            Err(error) if error.to_string().contains("one number a channel") => return Ok(()),
            watched => watched.unwrap(),
        };
        prop_assert_eq!(outputs, summary.layers.iter().map(|l| l.output.clone()).collect::<Vec<_>>());
        let plain = network.forward(&x, mode).unwrap();
        prop_assert_eq!(watched.to_vec().unwrap(), plain.to_vec().unwrap());
        if learned > 0 {
            let gradients = plain.sum_all().unwrap().backward().unwrap();
            for p in network.parameters() {
                prop_assert_eq!(gradients.get(&p.tensor).unwrap().shape(), p.tensor.shape());
            }
        }
    }

    /// No text makes the reader panic.
    #[test]
    fn any_json_is_read_or_refused(input in "[0-9]{1,3}(,[0-9]{1,3}){0,2}", layers in prop::collection::vec(any_layer(), 1..4)) {
        let text = format!(r#"{{"input": [{input}], "layers": [{}]}}"#, layers.join(","));
        if let Ok(architecture) = Architecture::from_json(&text) {
            let _ = (architecture.summary(), architecture.memory().map(|m| m.check(20, AvailableMemory { buffer: Some(1 << 27), total: Some(1 << 30) })));
        }
    }
}
