//! Random shapes of every kernel against its oracle: what nobody thought of writing down as a case.
//!
//! One table: a kernel's name, and how random numbers become a shape of it. A shape that the kernel refuses is fine;
//! one that it accepts must be right, on the CPU and on every rung. The seed is fixed: with few outputs, a sum near zero
//! passes any relative tolerance once in some thousand shapes.

use kernels::adam::Adam;
use kernels::avg_pool2d::{AvgPool2d, AvgPool2dGrad};
use kernels::batch_norm::{BatchNorm, BatchNormGrad, BatchNormInference};
use kernels::batch_norm_pool::{BatchNormPool, BatchNormPoolGrad};
use kernels::catalogue::CATALOGUE;
use kernels::clip_norm::ClipNorm;
use kernels::conv2d::{Conv2d, Conv2dInputGrad, Conv2dWeightGrad};
use kernels::conv2d_pool::{Conv2dPool, Conv2dPoolInputGrad, Conv2dPoolWeightGrad};
use kernels::dct::{Dct, DctGrad};
use kernels::gather::{Gather, GatherGrad};
use kernels::gru::{Gru, GruGrad};
use kernels::istft::Istft;
use kernels::local_response_norm::{LocalResponseNorm, LocalResponseNormGrad};
use kernels::lstm::{Lstm, LstmGrad};
use kernels::matmul::Matmul;
use kernels::max_pool2d::{MaxPool2d, MaxPool2dGrad};
use kernels::mel::Mel;
use kernels::philox::Philox;
use kernels::rearrange::{Outside, Rearrange};
use kernels::recurrence::Recurrence;
use kernels::reduce::{Reduce, ReduceOp};
use kernels::resize2d::{Mode, Resize2d, Resize2dGrad};
use kernels::rmsprop::RmsProp;
use kernels::sgd::Sgd;
use kernels::softmax::{Softmax, SoftmaxGrad};
use kernels::softmax_cross_entropy::{SoftmaxCrossEntropy, SoftmaxCrossEntropyGrad};
use kernels::stft::{Spectrum, Stft};
use kernels::{Activation, Device, Kernel, proof};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::collections::BTreeSet;

/// Draws numbers for a shape.
struct Draw(Philox);

impl Draw {
    /// From `low` to `high`, both included.
    fn within(&mut self, low: usize, high: usize) -> usize {
        low + self.0.below(high - low + 1)
    }

    fn flag(&mut self) -> bool {
        self.within(0, 1) == 1
    }

    fn pair(&mut self, low: usize, high: usize) -> [usize; 2] {
        [self.within(low, high), self.within(low, high)]
    }

    fn image(&mut self) -> [usize; 4] {
        [
            self.within(1, 3),
            self.within(1, 6),
            self.within(1, 40),
            self.within(1, 40),
        ]
    }

    fn activation(&mut self) -> Activation {
        Activation::ALL[self.within(0, Activation::ALL.len() - 1)]
    }

    fn conv2d(&mut self) -> Conv2d {
        let groups = [1, 1, 1, 2, 3][self.within(0, 4)];
        let [n, c, h, w] = self.image();
        let kernel = self.pair(1, 5);
        let outputs = groups * self.within(1, 8);
        Conv2d {
            stride: self.pair(1, 3),
            pad: [self.pair(0, 3), self.pair(0, 3)],
            dilation: self.pair(1, 2),
            groups,
            ..Conv2d::new([n, c.next_multiple_of(groups), h, w], outputs, kernel)
        }
        .with(self.flag(), self.activation())
    }

    fn conv2d_pool(&mut self) -> Conv2dPool {
        let mut conv = self.conv2d();
        if self.flag() {
            // Whole vectors of channels have a way of their own.
            conv = Conv2d {
                c: 16 * conv.groups,
                ..conv
            };
        }
        Conv2dPool {
            conv,
            window: self.pair(1, 4),
        }
    }

    fn max_pool2d(&mut self) -> MaxPool2d {
        let image = self.image();
        let kernel = self.pair(1, 5);
        let tiled = self.flag();
        let stride = if tiled { kernel } else { self.pair(1, 6) };
        let mut pad = || kernel.map(|k| if tiled { 0 } else { self.within(0, k / 2) });
        let ([above, left], [below, right]) = (pad(), pad());
        MaxPool2d::new(image, kernel).with(stride, [[above, below], [left, right]])
    }

    fn avg_pool2d(&mut self) -> AvgPool2d {
        let MaxPool2d { n, c, h, w, .. } = self.max_pool2d();
        // Now and then a window as wide or as high as the plane.
        let mut side = |length: usize| match self.within(0, 3) {
            0 => length,
            _ => self.within(1, 6),
        };
        let kernel = [side(h), side(w)];
        let stride = if self.flag() { kernel } else { self.pair(1, 6) };
        let mut pad = || {
            kernel.map(|k| {
                if self.flag() {
                    0
                } else {
                    self.within(0, k / 2)
                }
            })
        };
        let ([above, left], [below, right]) = (pad(), pad());
        AvgPool2d {
            count_include_pad: self.flag(),
            ..AvgPool2d::new([n, c, h, w], kernel).with(stride, [[above, below], [left, right]])
        }
    }

    fn batch_norm(&mut self) -> BatchNorm {
        // Few numbers may lie so close together that their deviations are rounding alone.
        let (long, short) = (self.within(32, 10_000), self.within(1, 6));
        let [n, plane] = if self.flag() {
            [long, short]
        } else {
            [short, long]
        };
        let shape = [n, self.within(1, 20), plane];
        BatchNorm {
            affine: self.flag(),
            eps: [1e-5, 1e-3, 0.1][self.within(0, 2)],
            momentum: self.within(0, 10) as f64 / 10.0,
            ..BatchNorm::new(shape).with(self.activation())
        }
    }

    fn batch_norm_pool(&mut self) -> BatchNormPool {
        // As many numbers a channel, at least, as batch_norm's.
        let [n, c, h, w] = self.image();
        let window = self.pair(1, 5);
        let shape = BatchNormPool::new([n, c, h + 32, w], window).with(self.activation());
        if self.flag() { shape } else { shape.plain() }
    }

    fn recurrence(&mut self) -> Recurrence {
        let shape = [self.within(1, 40), self.within(1, 12), self.within(1, 70)];
        let others = self.within(0, 5);
        Recurrence {
            bias: self.flag(),
            activation: self.activation(),
            reverse: self.flag(),
            last: self.flag(),
            columns: shape[2] + others,
            column: self.within(0, others),
            ..Recurrence::new(shape)
        }
    }

    fn gather(&mut self) -> Gather {
        Gather {
            outer: self.within(1, 4),
            rows: self.within(1, 60),
            inner: self.within(1, 40),
            count: self.within(1, 300),
        }
    }

    fn resize2d(&mut self) -> Resize2d {
        Resize2d {
            planes: self.within(1, 6),
            from: self.pair(1, 40),
            to: self.pair(1, 40),
            mode: [Mode::Bilinear, Mode::Area][self.within(0, 1)],
        }
    }

    fn softmax(&mut self) -> Softmax {
        Softmax {
            rows: self.within(1, 80),
            columns: self.within(1, 600),
            log: self.flag(),
        }
    }

    fn dct(&mut self) -> Dct {
        let n = self.within(1, 80);
        Dct {
            outer: self.within(1, 5),
            n,
            inner: self.within(1, 40),
            kept: self.within(1, n),
            ortho: self.flag(),
        }
    }

    /// The length of a frame: often a power of two.
    fn frame(&mut self) -> usize {
        match self.flag() {
            true => 1 << self.within(1, 9),
            false => self.within(2, 100),
        }
    }

    /// Where gradients are cut.
    fn limit(&mut self) -> f64 {
        [f64::INFINITY, 0.25][self.within(0, 1)]
    }

    fn local_response_norm(&mut self) -> LocalResponseNorm {
        let shape = [self.within(1, 3), self.within(1, 80), self.within(1, 100)];
        let tenths = |d: &mut Self, low| d.within(low, 20) as f64 / 10.0;
        let size = self.within(1, 20);
        LocalResponseNorm::new(shape, size).with(tenths(self, 0), tenths(self, 0), tenths(self, 2))
    }

    fn entropy(&mut self) -> SoftmaxCrossEntropy {
        SoftmaxCrossEntropy {
            rows: self.within(1, 80),
            columns: self.within(1, 150),
            weighted: self.flag(),
            smoothing: [0.0, 0.1, 1.0][self.within(0, 2)],
        }
    }
}

type Shape = fn(&mut Draw) -> Box<dyn Kernel>;

/// Every kernel whose shape can be drawn at random.
const SHAPES: &[(&str, Shape)] = &[
    ("adam", |d| {
        let step = d.within(1, 1000) as u32;
        Box::new(Adam {
            weight_decay: d.within(0, 3) as f64 / 10.0,
            limit: d.limit(),
            ..Adam::new(d.within(1, 40_000), 0.01, step)
        })
    }),
    ("clip_norm", |d| {
        let lens = (0..d.within(1, 9)).map(|_| d.within(1, 9000)).collect();
        let max_norm = d.within(1, 100) as f64;
        Box::new(ClipNorm { lens, max_norm })
    }),
    ("avg_pool2d", |d| Box::new(d.avg_pool2d())),
    ("avg_pool2d_grad", |d| {
        Box::new(AvgPool2dGrad(d.avg_pool2d()))
    }),
    ("batch_norm", |d| Box::new(d.batch_norm())),
    ("batch_norm_inference", |d| {
        Box::new(BatchNormInference(d.batch_norm()))
    }),
    ("batch_norm_grad", |d| {
        Box::new(BatchNormGrad {
            forward: d.batch_norm(),
            training: d.flag(),
        })
    }),
    ("batch_norm_pool", |d| Box::new(d.batch_norm_pool())),
    ("batch_norm_pool_grad", |d| {
        Box::new(BatchNormPoolGrad {
            forward: d.batch_norm_pool(),
            before: d.activation(),
        })
    }),
    ("conv2d", |d| Box::new(d.conv2d())),
    ("conv2d_input_grad", |d| {
        Box::new(Conv2dInputGrad(d.conv2d()))
    }),
    ("conv2d_weight_grad", |d| {
        Box::new(Conv2dWeightGrad(d.conv2d()))
    }),
    ("gather", |d| Box::new(d.gather())),
    ("gather_grad", |d| Box::new(GatherGrad(d.gather()))),
    ("gru", |d| Box::new(Gru(d.recurrence()))),
    ("gru_grad", |d| Box::new(GruGrad(d.recurrence()))),
    ("lstm", |d| Box::new(Lstm(d.recurrence()))),
    ("lstm_grad", |d| Box::new(LstmGrad(d.recurrence()))),
    ("local_response_norm", |d| Box::new(d.local_response_norm())),
    ("local_response_norm_grad", |d| {
        Box::new(LocalResponseNormGrad(d.local_response_norm()))
    }),
    ("dct", |d| Box::new(d.dct())),
    ("dct_grad", |d| Box::new(DctGrad(d.dct()))),
    ("istft", |d| {
        let (n_fft, hop) = (d.frame(), d.within(1, 80));
        Box::new(Istft {
            clips: d.within(1, 3),
            frames: d.within(1, 12),
            n_fft,
            hop,
            centre: d.flag(),
            samples: d.within(1, 400),
        })
    }),
    ("mel", |d| {
        let bins = d.within(1, 80);
        Box::new(Mel {
            clips: d.within(1, 3),
            frames: d.within(1, 150),
            bins,
            bands: d.within(1, 20),
            width: d.within(1, bins),
        })
    }),
    ("stft", |d| {
        Box::new(Stft {
            clips: d.within(1, 3),
            samples: d.within(1, 700),
            n_fft: d.frame(),
            hop: d.within(1, 80),
            centre: d.flag(),
            spectrum: [Spectrum::Complex, Spectrum::Magnitude, Spectrum::Power][d.within(0, 2)],
        })
    }),
    ("matmul", |d| {
        let shape = Matmul::new(d.within(1, 150), d.within(1, 150), d.within(1, 400));
        let shape = shape.transposed(d.flag(), d.flag());
        Box::new(shape.with(d.flag(), d.activation()))
    }),
    ("conv2d_pool", |d| Box::new(d.conv2d_pool())),
    ("conv2d_pool_weight_grad", |d| {
        Box::new(Conv2dPoolWeightGrad(d.conv2d_pool()))
    }),
    ("conv2d_pool_input_grad", |d| {
        Box::new(Conv2dPoolInputGrad(d.conv2d_pool()))
    }),
    ("max_pool2d", |d| Box::new(d.max_pool2d())),
    ("max_pool2d_grad", |d| {
        Box::new(MaxPool2dGrad(d.max_pool2d()))
    }),
    ("rearrange", |d| {
        let rank = d.within(0, 6);
        let x: Vec<usize> = (0..rank).map(|_| d.within(1, 9)).collect();
        let mut axes: Vec<usize> = (0..rank).collect();
        (0..rank).for_each(|k| axes.swap(k, d.within(k, rank - 1)));
        let moved = d.flag();
        let by = |d: &mut Draw| if moved { d.within(0, 4) as i64 - 2 } else { 0 };
        let start: Vec<i64> = (0..rank).map(|_| by(d)).collect();
        let longer: Vec<i64> = (0..rank).map(|_| by(d)).collect();
        let y = axes.iter().zip(&longer);
        let y = y.map(|(&axis, longer)| (x[axis] as i64 + longer).max(0) as usize);
        Box::new(Rearrange {
            y: y.collect(),
            x,
            axes,
            start,
            outside: if d.flag() {
                Outside::Keep
            } else {
                Outside::Fill(0.5)
            },
        })
    }),
    ("reduce", |d| {
        let op = ReduceOp::ALL[d.within(0, 3)];
        // One long side, two short ones.
        let mut shape = [d.within(1, 6), d.within(1, 6), d.within(1, 6)];
        let side = d.within(0, 2);
        shape[side] = d.within(1, 40_000);
        let side = d.within(0, 2);
        shape[side] = shape[side].max(d.within(1, 100));
        Box::new(Reduce::new(op, shape))
    }),
    ("resize2d", |d| Box::new(d.resize2d())),
    ("resize2d_grad", |d| Box::new(Resize2dGrad(d.resize2d()))),
    ("softmax", |d| Box::new(d.softmax())),
    ("softmax_grad", |d| Box::new(SoftmaxGrad(d.softmax()))),
    ("rmsprop", |d| {
        Box::new(RmsProp {
            momentum: d.within(0, 2) as f64 / 4.0,
            centered: d.flag(),
            limit: d.limit(),
            ..RmsProp::new(d.within(1, 40_000), 0.01)
        })
    }),
    ("sgd", |d| {
        let momentum = d.within(0, 2) as f64 / 4.0;
        let nesterov = momentum > 0.0 && d.flag();
        Box::new(Sgd {
            limit: d.limit(),
            ..Sgd::new(d.within(1, 40_000), 0.1).with_momentum(momentum, nesterov)
        })
    }),
    ("softmax_cross_entropy", |d| Box::new(d.entropy())),
    ("softmax_cross_entropy_grad", |d| {
        Box::new(SoftmaxCrossEntropyGrad(d.entropy()))
    }),
];

/// A shape that the kernel accepts.
fn shape(name: usize, seed: u64) -> Option<Box<dyn Kernel>> {
    let kernel = SHAPES[name].1(&mut Draw(Philox::new(seed, 1)));
    assert_eq!(kernel.name(), SHAPES[name].0);
    kernel.check().is_ok().then_some(kernel)
}

/// Every rung of the kernel on the device; on the CPU there is one version.
fn prove(device: &Device, kernel: &dyn Kernel, seed: u64) -> Result<(), TestCaseError> {
    for rung in proof::versions(device, kernel) {
        proof::prove(device, kernel, rung, seed)
            .map_err(|error| TestCaseError::fail(format!("{kernel:?} {rung:?}: {error}")))?;
    }
    Ok(())
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Nothing of the catalogue is left out but what has no shape to draw.
#[test]
fn every_kernel_is_drawn() {
    let plain = ["elementwise", "peak_copy", "peak_fma", "power_to_db"];
    let cases = CATALOGUE.iter().flat_map(|(_, cases)| cases());
    let all: BTreeSet<&str> = cases.map(|case| case.kernel.name()).collect();
    let drawn = SHAPES.iter().map(|(name, _)| *name).chain(plain);
    assert_eq!(drawn.collect::<BTreeSet<_>>(), all);
}

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn on_the_cpu(name in 0..SHAPES.len(), seed in any::<u64>()) {
        if let Some(kernel) = shape(name, seed) {
            prove(&Device::cpu(), &*kernel, seed)?;
        }
    }
}

#[cfg(feature = "gpu")]
proptest! {
    #![proptest_config(config(3))]

    /// Few, as each new shape may mean a new pipeline; one device for all kernels of a round.
    #[test]
    fn on_the_gpu(seed in any::<u64>()) {
        let device = Device::open_checked("gpu").expect("an adapter");
        for name in 0..SHAPES.len() {
            if let Some(kernel) = shape(name, seed) {
                prove(&device, &*kernel, seed)?;
            }
        }
    }
}
