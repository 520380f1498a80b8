//! Outputs that no cache holds are written in another way: many images give what one gives, bit for bit.

use kernels::avg_pool2d::{AvgPool2d, AvgPool2dGrad};
use kernels::batch_norm::{BatchNorm, BatchNormGrad, BatchNormInference};
use kernels::elementwise::{Elementwise, Expr};
use kernels::max_pool2d::{MaxPool2d, MaxPool2dGrad};
use kernels::philox::Philox;
use kernels::{Activation, Device, Kernel, proof};

/// As many images as make more than 24 MiB of planes like these, or of pairs of their numbers.
const IMAGES: usize = 700;
const PLANE: [usize; 2] = [149, 127];

/// The outputs for one image, and for [`IMAGES`] of the same.
fn outputs(one: &dyn Kernel, many: &dyn Kernel) -> [Vec<Vec<u32>>; 2] {
    let device = Device::cpu();
    let mut random = Philox::new(5, 0);
    let inputs: Vec<Vec<f32>> = proof::samples(one, &mut random)
        .iter()
        .zip(one.inputs())
        .map(|(values, arg)| proof::to_words(arg.kind, values))
        .collect();
    [one, many].map(|kernel| {
        let inputs = inputs.iter().zip(kernel.inputs()).map(|(values, arg)| {
            let repeated = values.repeat(arg.len / values.len());
            device.upload(&repeated).expect("memory")
        });
        let inputs: Vec<_> = inputs.collect();
        let outputs = kernel.outputs();
        let outputs = outputs.iter().map(|arg| device.alloc(arg.len));
        let outputs: Vec<_> = outputs.collect::<Result<_, _>>().expect("memory");
        let (read, written): (Vec<_>, Vec<_>) = (inputs.iter().collect(), outputs.iter().collect());
        device.launch(kernel, &read, &written).expect("launch");
        let words = written.iter().map(|output| output.to_vec_u32());
        words.collect::<Result<_, _>>().expect("the outputs")
    })
}

#[test]
fn many_images_give_what_one_gives() {
    let [h, w] = PLANE;
    let (a, b) = (Expr::input(0), Expr::input(1));
    let chain = |n| Elementwise::new(a.clone() * b.clone() + a.clone(), n * h * w, 2);
    let pool = |n, kernel| AvgPool2d::new([n, 1, h, w], kernel);
    let max_pool = |n, kernel| MaxPool2d::new([n, 1, h, w], kernel);
    let overlapping = |n| max_pool(n, [3, 3]).with([2, 2], [[1, 1], [1, 1]]);
    let norm = |n| BatchNorm::new([n, 1, h * w]).with(Activation::Relu);
    let back = |n| BatchNormGrad {
        forward: norm(n),
        training: false,
    };
    let pairs: [[Box<dyn Kernel>; 2]; 8] = [
        [1, IMAGES].map(|n| Box::new(chain(n)) as _),
        [1, IMAGES].map(|n| Box::new(pool(n, [1, 2])) as _),
        [1, IMAGES].map(|n| Box::new(AvgPool2dGrad(pool(n, [2, 4]))) as _),
        [1, IMAGES].map(|n| Box::new(max_pool(n, [1, 2])) as _),
        [1, IMAGES].map(|n| Box::new(MaxPool2dGrad(max_pool(n, [2, 4]))) as _),
        [1, IMAGES].map(|n| Box::new(MaxPool2dGrad(overlapping(n))) as _),
        [1, IMAGES].map(|n| Box::new(BatchNormInference(norm(n))) as _),
        [1, IMAGES].map(|n| Box::new(back(n)) as _),
    ];
    for [one, many] in &pairs {
        let [want, found] = outputs(&**one, &**many);
        assert_eq!(found[0].len(), IMAGES * want[0].len());
        for (want, found) in want.iter().zip(found) {
            // Sums over all images, such as a weight's gradient, are not theirs.
            if found.len() == IMAGES * want.len() {
                let mut images = found.chunks(want.len());
                assert!(images.all(|image| image == want), "{many:?}");
            }
        }
    }
}
