//! Outputs that no cache holds are written in another way: many images give what one gives, bit for bit.

use kernels::avg_pool2d::{AvgPool2d, AvgPool2dGrad};
use kernels::batch_norm::{BatchNorm, BatchNormGrad, BatchNormInference};
use kernels::elementwise::{Elementwise, Expr};
use kernels::philox::Philox;
use kernels::{Activation, Device, Kernel, proof};

/// As many images as make more than 32 MiB of planes like these.
const IMAGES: usize = 450;
const PLANE: [usize; 2] = [149, 127];

/// The first output for one image, and for [`IMAGES`] of the same.
fn first_output(one: &dyn Kernel, many: &dyn Kernel) -> [Vec<u32>; 2] {
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
        outputs[0].to_vec_u32().expect("the output")
    })
}

#[test]
fn many_images_give_what_one_gives() {
    let [h, w] = PLANE;
    let (a, b) = (Expr::input(0), Expr::input(1));
    let chain = |n| Elementwise::new(a.clone() * b.clone() + a.clone(), n * h * w, 2);
    let pool = |n| AvgPool2dGrad(AvgPool2d::new([n, 1, h, w], [2, 4]));
    let norm = |n| BatchNorm::new([n, 1, h * w]).with(Activation::Relu);
    let back = |n| BatchNormGrad {
        forward: norm(n),
        training: false,
    };
    let pairs: [[Box<dyn Kernel>; 2]; 4] = [
        [1, IMAGES].map(|n| Box::new(chain(n)) as _),
        [1, IMAGES].map(|n| Box::new(pool(n)) as _),
        [1, IMAGES].map(|n| Box::new(BatchNormInference(norm(n))) as _),
        [1, IMAGES].map(|n| Box::new(back(n)) as _),
    ];
    for [one, many] in &pairs {
        let [want, found] = first_output(&**one, &**many);
        let mut images = found.chunks(want.len());
        assert!(images.all(|image| image == want), "{many:?}");
        assert_eq!(found.len(), IMAGES * want.len());
    }
}
