//! Numbers moved, picked, resized: gradients, PyTorch's answers, what is refused.

use crate::golden::{Golden, pair};
use crate::gradients::check;
use engine::gradcheck::random;
use engine::ops::ResizeMode;
use engine::{Device, Tensor};
use serde_json::Value;

fn numbers<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn gradients_of_what_is_moved() {
    let x = [random([2, 3, 4, 5], 1, 0.0)];
    for axes in [[0, 1, 2, 3], [3, 2, 1, 0], [0, 2, 3, 1], [1, 0, 3, 2]] {
        check("permute", &x, |t| t[0].permute(&axes));
    }
    check("slice", &x, |t| t[0].slice(2, 1..3)?.slice(0, 1..2));
    check("pad", &x, |t| {
        t[0].pad(&[[0, 0], [1, 2], [-1, 3], [-2, -1]], 0.5)
    });
    let parts = [
        random([2, 1, 3], 1, 0.0),
        random([2, 4, 3], 2, 0.0),
        random([2, 2, 3], 3, 0.0),
    ];
    check("concat", &parts, |t| {
        Tensor::concat(&[&t[0], &t[1], &t[2]], 1)
    });
    check("concat twice", &parts[..1], |t| {
        Tensor::concat(&[&t[0], &t[0]], 2)
    });
}

#[test]
fn gradients_of_what_is_picked_and_resized() {
    let x = [random([4, 3, 5], 1, 0.0)];
    for (axis, index) in [(0, vec![3, 0, 3]), (1, vec![2, 2, 2, 0, 1]), (2, vec![4])] {
        check("index_select", &x, |t| {
            t[0].index_select(axis, &t[0].device().upload_u32(&index)?)
        });
    }
    let x = [random([2, 2, 5, 7], 1, 0.0)];
    for mode in [ResizeMode::Bilinear, ResizeMode::Area] {
        for to in [[10, 14], [2, 3], [5, 7], [9, 4], [1, 1]] {
            check("resize", &x, |t| t[0].resize(to, mode));
        }
    }
}

#[test]
fn gradients_of_softmax() {
    for shape in [vec![3, 5], vec![2, 2, 4], vec![2, 70], vec![3]] {
        let x = [random(shape, 1, 0.0)];
        check("softmax", &x, |t| t[0].softmax());
        check("log_softmax", &x, |t| t[0].log_softmax());
    }
}

#[test]
fn moved_as_in_pytorch() {
    let golden = Golden::open("rearrange");
    for (case, options) in &golden.cases {
        let axis = options["axis"].as_u64().unwrap_or(0) as usize;
        match options["op"].as_str().unwrap() {
            "permute" => golden.check(case, &["x"], |t| {
                t[0].permute(&numbers::<Vec<usize>>(&options["axes"]))
            }),
            "slice" => golden.check(case, &["x"], |t| {
                let [begin, end] = pair(&options["range"]);
                t[0].slice(axis, begin..end)
            }),
            "pad" => golden.check(case, &["x"], |t| {
                let value = options["value"].as_f64().unwrap() as f32;
                t[0].pad(&numbers::<Vec<[i64; 2]>>(&options["pad"]), value)
            }),
            "concat" => {
                golden.check(case, &["a", "b"], |t| Tensor::concat(&[&t[0], &t[1]], axis));
            }
            other => panic!("{case}: {other}"),
        }
    }
}

#[test]
fn picked_and_resized_as_in_pytorch() {
    let golden = Golden::open("gather");
    for (case, options) in &golden.cases {
        let index = golden.labels(&format!("{case}/index"));
        let axis = options["axis"].as_u64().unwrap() as usize;
        golden.check(case, &["x"], |t| t[0].index_select(axis, &index));
    }
    let golden = Golden::open("resize2d");
    for (case, options) in &golden.cases {
        let mode = match options["mode"].as_str() {
            Some("area") => ResizeMode::Area,
            Some("bilinear") => ResizeMode::Bilinear,
            other => panic!("{case}: {other:?}"),
        };
        golden.check(case, &["x"], |t| t[0].resize(pair(&options["size"]), mode));
    }
}

#[test]
fn softmax_as_in_pytorch() {
    let golden = Golden::open("softmax");
    for (case, options) in &golden.cases {
        golden.check(case, &["x"], |t| match options["op"].as_str() {
            Some("softmax") => t[0].softmax(),
            Some("log_softmax") => t[0].log_softmax(),
            other => panic!("{case}: {other:?}"),
        });
    }
}

#[test]
fn what_cannot_be_moved_is_refused() {
    let device = Device::cpu();
    let x = Tensor::zeros(&device, [2, 3, 4]).unwrap();
    let refused = |result: engine::Result<Tensor>, expected: &str| {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    for axes in [&[0, 1][..], &[0, 1, 1], &[0, 1, 3], &[0, 1, 2, 2]] {
        refused(x.permute(axes), "permute: shape 2×3×4");
    }
    refused(x.slice(3, 0..1), "no axis 3");
    refused(x.slice(1, 2..4), "no part 2..4 along axis 1");
    refused(x.slice(1, 2..2), "no part 2..2");
    refused(x.pad(&[[0, 0]; 2], 0.0), "another number of axes");
    refused(x.pad(&[[0, 0], [-1, -2], [0, 0]], 0.0), "nothing left");
    refused(x.pad(&[[0, 0], [-9, 0], [0, 0]], 0.0), "nothing left");
    refused(
        x.pad(&[[0, 0], [i64::MIN, i64::MAX], [0, 0]], 0.0),
        "out of reach",
    );
    refused(x.pad(&[[1 << 20, 0]; 3], 0.0), "2^31");
    let y = Tensor::zeros(&device, [2, 3, 5]).unwrap();
    refused(Tensor::concat(&[&x, &y], 1), "2×3×4 and 2×3×5");
    refused(
        Tensor::concat(&[&x, &y.flatten().unwrap()], 0),
        "2×3×4 and 2×15",
    );
    refused(Tensor::concat(&[&x], 3), "no axis 3");
    refused(Tensor::concat(&[], 0), "nothing to put together");
    refused(
        x.index_select(3, &device.upload_u32(&[0]).unwrap()),
        "no axis 3",
    );
    refused(x.index_select(0, &device.upload_u32(&[]).unwrap()), "empty");
    let other = Tensor::zeros(&Device::cpu(), [2, 3, 4]).unwrap();
    refused(Tensor::concat(&[&x, &other], 1), "lives on");
    refused(
        x.resize([2, 2], ResizeMode::Area),
        "2×3×4 is not [n, c, h, w]",
    );
    let image = x.reshape([1, 2, 3, 4]).unwrap();
    refused(image.resize([0, 2], ResizeMode::Bilinear), "empty side");
    refused(image.resize([1 << 30, 1 << 30], ResizeMode::Area), "2^31");
    refused(Tensor::zeros(&device, [1 << 40]), "2^31");
    let none = Tensor::zeros(&device, [0, 1 << 40, 1 << 40]).unwrap();
    assert_eq!(none.flatten().unwrap().elements(), 0);
    let _ = none.sum(0);
    // A number that is nobody's shows.
    let picked = x
        .index_select(2, &device.upload_u32(&[3, 4]).unwrap())
        .unwrap();
    let picked = picked.to_vec().unwrap();
    assert!(picked.chunks(2).all(|two| two[0] == 0.0 && two[1].is_nan()));
}
