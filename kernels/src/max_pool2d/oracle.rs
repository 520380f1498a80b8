//! The definition: every window, element by element.

use super::MaxPool2d;

pub fn max_pool2d(s: &MaxPool2d, x: &[f64], outputs: &mut [Vec<f64>]) {
    let [oh, ow] = s.output();
    for plane in 0..s.planes() {
        for oy in 0..oh {
            for ox in 0..ow {
                let mut best = None;
                for ky in 0..s.kernel[0] {
                    for kx in 0..s.kernel[1] {
                        let y = (oy * s.stride[0] + ky).wrapping_sub(s.pad[0][0]);
                        let x_ = (ox * s.stride[1] + kx).wrapping_sub(s.pad[1][0]);
                        if y >= s.h || x_ >= s.w {
                            continue;
                        }
                        let at = y * s.w + x_;
                        let value = x[plane * s.h * s.w + at];
                        match best {
                            Some((top, _)) if !(value > top || value.is_nan()) => {}
                            _ => best = Some((value, at)),
                        }
                    }
                }
                let out = (plane * oh + oy) * ow + ox;
                let (top, at) = best.expect("padding is at most half a window");
                outputs[0][out] = top;
                outputs[1][out] = at as f64;
            }
        }
    }
}

pub fn max_pool2d_grad(s: &MaxPool2d, dy: &[f64], index: &[f64], dx: &mut [f64]) {
    let [oh, ow] = s.output();
    dx.fill(0.0);
    for (out, (gradient, at)) in dy.iter().zip(index).enumerate() {
        let plane = out / (oh * ow);
        dx[plane * s.h * s.w + *at as usize] += gradient;
    }
}
