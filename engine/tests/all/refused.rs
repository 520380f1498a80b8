//! Architectures that are wrong: slips of the pen get a hint, and what does not fit is named.

use engine::architecture::layer::{
    AvgPool2d, BatchNorm, Conv2d, Dropout, Flatten, GlobalAvgPool, Gru, Linear, LocalResponseNorm,
    Lstm, MaxPool2d,
};
use engine::{Architecture, Device, Function, Layer, Network};

#[test]
fn slips_get_a_hint() {
    for (layer, expected) in [
        (
            r#"{"kind": "conv2d", "out_channels": 3, "kernel": 3}"#,
            "did you mean `Conv2d`?",
        ),
        (
            r#"{"kind": "Conv2d", "chanels": 3, "kernel": 3}"#,
            "unknown option `chanels`",
        ),
        (
            r#"{"kind": "Conv2d", "out_chanels": 3, "kernel": 3}"#,
            "did you mean `out_channels`?",
        ),
        (
            r#"{"name": "first", "kind": "Conv2d", "kernel": 3}"#,
            "layer `first`: Conv2d: missing field `out_channels`",
        ),
        (
            r#"{"kind": "Conv2d", "out_channels": 3, "kernel": [3]}"#,
            "neither a size nor [height, width]",
        ),
        (
            r#"{"kind": "Conv2d", "out_channels": 3, "kernel": -3}"#,
            "neither a size nor [height, width]",
        ),
        (
            r#"{"kind": "Conv2d", "out_channels": 3, "kernel": 3, "padding": "sane"}"#,
            "padding \"sane\"",
        ),
        (
            r#"{"kind": "Activation", "function": "rely"}"#,
            "unknown variant `rely`",
        ),
        (
            r#"{"kind": "Linear", "out_features": "clases"}"#,
            "neither a number of units nor \"classes\"",
        ),
        (
            r#"{"kind": "AvgPool2d", "kernel": 3, "count_includes_pad": false}"#,
            "did you mean `count_include_pad`?",
        ),
        (r#"{"kind": "BatchNorm2d"}"#, "did you mean `BatchNorm`?"),
        (
            r#"{"kind": "Flatten", "axis": 1}"#,
            "unknown option `axis` (one of start)",
        ),
        (r#"{"kind": "Gru", "hiden": 3}"#, "did you mean `hidden`?"),
        (
            r#"{"kind": "Lstm", "hidden": 3, "activation": "tan"}"#,
            "unknown variant `tan`",
        ),
        (r#"{"kind": "Lstm"}"#, "missing field `hidden`"),
        (r#"{"out_features": 3}"#, "no `kind`"),
        (r#"{"kind": 3}"#, "not a text"),
    ] {
        let text = format!(r#"{{"input": [1, 8, 8], "layers": [{layer}]}}"#);
        let error = Architecture::from_json(&text).unwrap_err().to_string();
        assert!(error.contains(expected), "{layer}: {error}");
        assert!(!error.contains('\n'));
    }
    let error = Architecture::from_json(r#"{"layers": [], "inputs": []}"#)
        .unwrap_err()
        .to_string();
    assert!(error.contains("inputs"), "{error}");
}

#[test]
fn what_does_not_fit_is_named() {
    let refused = |input: &[usize], layers: Vec<Layer>, expected: &[&str]| {
        let architecture = Architecture {
            input: input.to_vec(),
            layers,
        };
        let error = architecture.summary().unwrap_err().to_string();
        for part in expected {
            assert!(error.contains(part), "{error}");
        }
        let network = Network::new(&architecture, &Device::cpu(), 1);
        assert_eq!(network.err().map(|e| e.to_string()), Some(error));
    };
    let conv = || Layer::from(Conv2d::new(4, [3, 3]));
    refused(
        &[1, 8, 2],
        vec![conv()],
        &["layer `conv1`", "[3, 3]", "8×2"],
    );
    refused(
        &[1, 8, 8],
        vec![conv(), conv(), conv(), conv()],
        &["layer `conv4`"],
    );
    refused(
        &[8, 8],
        vec![conv()],
        &["layer `conv1`", "8×8", "[c, h, w]"],
    );
    refused(
        &[3, 8, 8],
        vec![
            Conv2d {
                groups: 2,
                ..Conv2d::new(4, [3, 3])
            }
            .into(),
        ],
        &["2 groups", "3 input"],
    );
    refused(
        &[1, 8, 8],
        vec![MaxPool2d::new([9, 9]).into()],
        &["layer `pool1`"],
    );
    refused(
        &[4],
        vec![LocalResponseNorm::new(0).into()],
        &["layer `norm1`", "over 0 channels"],
    );
    refused(
        &[8, 8],
        vec![GlobalAvgPool {}.into()],
        &["layer `pool1`", "8×8", "[c, h, w]"],
    );
    refused(
        &[1, 8, 8],
        vec![AvgPool2d::new([9, 9]).into()],
        &["layer `pool1`", "[9, 9]"],
    );
    refused(
        &[4],
        vec![
            BatchNorm {
                eps: 0.0,
                ..BatchNorm::default()
            }
            .into(),
        ],
        &["layer `norm1`", "eps must be above 0"],
    );
    let gru = |hidden| Layer::from(Gru::new(hidden));
    refused(
        &[4],
        vec![gru(3)],
        &["layer `gru1`", "gru", "[t, features]"],
    );
    refused(&[5, 4], vec![gru(0)], &["gru1", "0 hidden"]);
    refused(&[5, 4], vec![gru(usize::MAX)], &["gru1", "2^31"]);
    refused(&[1, 1 << 20], vec![gru(1 << 14)], &["gru1", "2^31"]);
    refused(
        &[5, 4],
        vec![Lstm::new(1 << 31).bidirectional().last().into()],
        &["lstm1", "2^31"],
    );
    refused(
        &[5, 4],
        vec![gru(3), Lstm::new(2).last().into(), gru(3)],
        &["layer `gru2`", "shape 2"],
    );
    refused(
        &[5, 4],
        vec![
            Gru {
                activation: Function::Gelu,
                ..Gru::new(3)
            }
            .into(),
        ],
        &["gru1", "gelu"],
    );
    refused(
        &[5, 4],
        vec![
            Gru {
                l2: -1.0,
                ..Gru::new(3)
            }
            .into(),
        ],
        &["gru1", "l2 = -1"],
    );
    refused(
        &[4],
        vec![Linear::classes().into()],
        &["layer `linear1`", "classes"],
    );
    refused(&[4], vec![Linear::new(0).into()], &["0 features"]);
    refused(
        &[4],
        vec![Dropout { p: 1.0 }.into()],
        &["dropout1", "p = 1"],
    );
    refused(&[4], vec![Linear::new(usize::MAX).into()], &["2^31"]);
    refused(&[1 << 20], vec![Linear::new(1 << 20).into()], &["2^31"]);
    refused(
        &[usize::MAX, 2],
        vec![Flatten::default().into()],
        &["no shape of an example"],
    );
    refused(
        &[],
        vec![Flatten::default().into()],
        &["no shape of an example"],
    );
    let from = |start| vec![Flatten { start }.into()];
    refused(&[4, 2], from(2), &["layer `flatten1`", "4×2 has no axis 2"]);
    let sequence = Architecture {
        input: vec![3, 4, 5],
        layers: from(1),
    };
    assert_eq!(sequence.output().unwrap()[..], [3, 20]);
    refused(&[4], vec![], &["no layers"]);
    let named = |name: &str| Layer::from(Linear::new(3)).named(name);
    refused(&[4], vec![named("a"), named("a")], &["two layers", "`a`"]);
    refused(&[4], vec![named("a/b")], &["`a/b`"]);
    refused(
        &[4],
        vec![
            Linear {
                l2: f32::NAN,
                ..Linear::new(3)
            }
            .into(),
        ],
        &["l2 = NaN"],
    );
}
