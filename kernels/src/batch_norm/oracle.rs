//! The definition, channel by channel.

use super::{BatchNorm, BatchNormGrad};

/// Where the numbers of a channel lie.
fn places(s: &BatchNorm, channel: usize) -> impl Iterator<Item = usize> + Clone {
    let (c, plane) = (s.c, s.plane);
    (0..s.n).flat_map(move |image| (0..plane).map(move |p| (image * c + channel) * plane + p))
}

/// Normalises a channel and notes what with.
fn normalise(
    s: &BatchNorm,
    channel: usize,
    x: &[f64],
    [mean, var]: [f64; 2],
    affine: &[&[f64]],
    outputs: &mut [Vec<f64>],
) {
    let rstd = 1.0 / (var + s.eps).sqrt();
    let (weight, bias) = match affine {
        [weight, bias] => (weight[channel], bias[channel]),
        _ => (1.0, 0.0),
    };
    for i in places(s, channel) {
        let y = (x[i] - mean) * rstd * weight + bias;
        outputs[0][i] = s.activation.oracle(y);
    }
    outputs[1][channel] = mean;
    outputs[1][s.c + channel] = rstd;
}

pub fn batch_norm(s: &BatchNorm, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
    let x = inputs[0];
    let count = s.count() as f64;
    for channel in 0..s.c {
        let mean = places(s, channel).map(|i| x[i]).sum::<f64>() / count;
        let squares: f64 = places(s, channel).map(|i| (x[i] - mean).powi(2)).sum();
        normalise(
            s,
            channel,
            x,
            [mean, squares / count],
            &inputs[1..],
            outputs,
        );
        for (running, value) in [(2, mean), (3, squares / (count - 1.0))] {
            let running = &mut outputs[running][channel];
            *running = (1.0 - s.momentum) * *running + s.momentum * value;
        }
    }
}

pub fn inference(s: &BatchNorm, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
    for channel in 0..s.c {
        let statistics = [inputs[1][channel], inputs[2][channel]];
        normalise(s, channel, inputs[0], statistics, &inputs[3..], outputs);
    }
}

pub fn grad(s: &BatchNormGrad, inputs: &[&[f64]], outputs: &mut [Vec<f64>]) {
    let (x, dy, stats) = (inputs[0], inputs[1], inputs[2]);
    let BatchNormGrad {
        forward: s,
        training,
    } = s;
    let count = s.count() as f64;
    for channel in 0..s.c {
        let (mean, rstd) = (stats[channel], stats[s.c + channel]);
        let weight = inputs.get(3).map_or(1.0, |weight| weight[channel]);
        let normal = |i: usize| (x[i] - mean) * rstd;
        let dbias: f64 = places(s, channel).map(|i| dy[i]).sum();
        let dweight: f64 = places(s, channel).map(|i| dy[i] * normal(i)).sum();
        for i in places(s, channel) {
            let through = match training {
                true => (dbias + normal(i) * dweight) / count,
                false => 0.0,
            };
            outputs[0][i] = weight * rstd * (dy[i] - through);
        }
        outputs[1][channel] = dweight;
        outputs[2][channel] = dbias;
    }
}
