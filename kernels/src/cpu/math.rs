//! Elementary functions without branches or tables, so that loops over them vectorise.
//!
//! Each is within 4 units in the last place of the true value over its whole range, `erf` within 8 (tested); each passes
//! NaN on, and gives the limits at ±∞. Results below the smallest normal number become zero.

// The constants are the published coefficients, digit for digit.
#![allow(clippy::excessive_precision)]

/// `e^x`. The exponent is split off (`x = n·ln 2 + r`, Cody & Waite), `e^r` is a polynomial of degree 6.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let (p, whole) = split(x.clamp(-103.0, 88.8));
    // 2^n in two halves, so that neither leaves the range of normal numbers.
    let half = whole >> 1;
    let y = p * power_of_two(half) * power_of_two(whole - half);
    let y = if x > 88.722_84 { f32::INFINITY } else { y };
    let y = if x < -87.336_55 { 0.0 } else { y };
    if x.is_nan() { x } else { y }
}

/// `x`, or `e^x - 1` below zero, where the exponential needs no care: the same bits as with [`exp`].
#[inline(always)]
pub fn elu(x: f32) -> f32 {
    let (p, whole) = split(x.clamp(-87.3, 0.0));
    if x < 0.0 {
        p * power_of_two(whole) - 1.0
    } else {
        x
    }
}

/// `e^x` as `p·2^n`.
#[inline(always)]
fn split(x: f32) -> (f32, i32) {
    const SHIFT: f32 = 12_582_912.0; // 1.5 · 2^23: adding it rounds to a whole number
    let shifted = x * std::f32::consts::LOG2_E + SHIFT;
    let n = shifted - SHIFT;
    let r = (x - n * 0.693_359_375) + n * 2.121_944_4e-4;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 5.000_000_1e-1;
    let p = p * r * r + r + 1.0;
    // `n` as an integer stands in the low bits of `shifted`; a cast would saturate, which does not vectorise.
    (p, shifted.to_bits().wrapping_sub(SHIFT.to_bits()) as i32)
}

#[inline(always)]
fn power_of_two(e: i32) -> f32 {
    f32::from_bits((e.wrapping_add(127) as u32) << 23)
}

/// `ln x`. The exponent is split off, the logarithm of the mantissa is a polynomial of degree 8.
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    let tiny = x < f32::MIN_POSITIVE;
    let scaled = if tiny { x * 8_388_608.0 } else { x };
    let bits = scaled.to_bits();
    let exponent = (bits >> 23) as i32 - 126 - if tiny { 23 } else { 0 };
    let mantissa = f32::from_bits((bits & 0x007f_ffff) | 0x3f00_0000); // [0.5, 1)
    let low = mantissa < std::f32::consts::FRAC_1_SQRT_2;
    let e = (exponent - i32::from(low)) as f32;
    let m = if low { mantissa + mantissa } else { mantissa } - 1.0;
    let z = m * m;
    let p = 7.037_683_6e-2;
    let p = p * m - 1.151_461_0e-1;
    let p = p * m + 1.167_699_9e-1;
    let p = p * m - 1.242_014_1e-1;
    let p = p * m + 1.424_932_3e-1;
    let p = p * m - 1.666_805_8e-1;
    let p = p * m + 2.000_071_5e-1;
    let p = p * m - 2.499_999_4e-1;
    let p = p * m + 3.333_333_1e-1;
    let y = m * z * p + e * -2.121_944_4e-4 - 0.5 * z;
    let y = m + y + e * 0.693_359_375;
    let y = if x == f32::INFINITY { x } else { y };
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    if x < 0.0 || x.is_nan() { f32::NAN } else { y }
}

/// `tanh x`: an odd polynomial near zero, `1 - 2 / (e^2x + 1)` beyond.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let z = x * x;
    let p = -5.704_988_7e-3;
    let p = p * z + 2.063_908_9e-2;
    let p = p * z - 5.373_971_6e-2;
    let p = p * z + 1.333_144_3e-1;
    let p = p * z - 3.333_328_2e-1;
    let near = x * z * p + x;
    let far = 1.0 - 2.0 / (exp(2.0 * x.abs()) + 1.0);
    let y = if x.abs() < 0.625 {
        near
    } else {
        far.copysign(x)
    };
    if x.is_nan() { x } else { y }
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    let e = exp(-x.abs());
    let above = if x >= 0.0 { 1.0 } else { e };
    above / (1.0 + e)
}

/// The error function, by the Chebyshev fit to `erfc` of Numerical Recipes (§6.2, error 1.2e-7).
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let z = x.abs();
    let t = 1.0 / (1.0 + 0.5 * z);
    let p = 0.170_872_77;
    let p = p * t - 0.822_152_23;
    let p = p * t + 1.488_515_87;
    let p = p * t - 1.135_203_98;
    let p = p * t + 0.278_868_07;
    let p = p * t - 0.186_288_06;
    let p = p * t + 0.096_784_18;
    let p = p * t + 0.374_091_96;
    let p = p * t + 1.000_023_68;
    let p = p * t - 1.265_512_23;
    let far = 1.0 - t * exp(-z * z + p);
    // Near zero 1 - erfc loses digits: the Taylor series does not.
    let s = x * x;
    let q = -1.0 / 42.0;
    let q = q * s + 0.1;
    let q = q * s - 1.0 / 3.0;
    let near = x * (q * s + 1.0) * std::f32::consts::FRAC_2_SQRT_PI;
    if z < 0.3 { near } else { far.copysign(x) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        name: &str,
        ours: fn(f32) -> f32,
        truth: fn(f64) -> f64,
        range: (f64, f64),
        ulps: f64,
    ) {
        let mut worst = (0.0, 0.0);
        let even = |i| (range.0 + (range.1 - range.0) * f64::from(i) / 200_000.0) as f32;
        // As many of every exponent, of either sign.
        let every = (0..=u32::MAX).step_by(10_007).map(f32::from_bits);
        let within = |x: &f32| (range.0..=range.1).contains(&f64::from(*x));
        for x in (0..200_000).map(even).chain(every.filter(within)) {
            let want = truth(f64::from(x));
            let error = (f64::from(ours(x)) - want).abs();
            let unit = (want.abs() * f64::from(f32::EPSILON)).max(f64::from(f32::MIN_POSITIVE));
            if error / unit > worst.0 {
                worst = (error / unit, x);
            }
        }
        assert!(worst.0 <= ulps, "{name}: {} units at {}", worst.0, worst.1);
    }

    #[test]
    fn elementary_functions_are_accurate() {
        check("exp", exp, f64::exp, (-87.3, 88.7), 3.0);
        check("ln", ln, f64::ln, (1e-45, f32::MAX.into()), 3.0);
        check("tanh", tanh, f64::tanh, (-12.0, 12.0), 4.0);
        check(
            "sigmoid",
            sigmoid,
            |x| 1.0 / (1.0 + (-x).exp()),
            (-87.0, 87.0),
            4.0,
        );
        // Its published fit is an absolute one.
        check("erf", erf, erf_series, (-3.0, 3.0), 8.0);
    }

    #[test]
    fn elu_is_that_of_exp_bit_by_bit() {
        let steps = (0..400_000).map(|i| -100.0 + i as f32 * 3e-4);
        let odd = [
            0.0,
            -0.0,
            -1e-40,
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            -f32::MAX,
        ];
        for x in steps.chain(odd) {
            let want = if x < 0.0 { exp(x) - 1.0 } else { x };
            assert_eq!(elu(x).to_bits(), want.to_bits(), "{x}");
        }
    }

    fn erf_series(x: f64) -> f64 {
        let mut term = x;
        let mut sum = x;
        for n in 1..80 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    }

    #[test]
    fn limits_and_nan() {
        let inf = f32::INFINITY;
        assert_eq!((exp(inf), exp(-inf), exp(0.0)), (inf, 0.0, 1.0));
        assert_eq!((ln(0.0), ln(inf), ln(1.0)), (-inf, inf, 0.0));
        assert_eq!((tanh(inf), tanh(-inf)), (1.0, -1.0));
        assert_eq!((sigmoid(inf), sigmoid(-inf)), (1.0, 0.0));
        assert_eq!((erf(inf), erf(-inf)), (1.0, -1.0));
        for f in [exp, ln, tanh, sigmoid, erf] {
            assert!(f(f32::NAN).is_nan());
        }
        assert!(ln(-1.0).is_nan());
    }
}
