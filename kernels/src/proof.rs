//! Compares a kernel with its oracle: on any device, with any rung, for any case.
//!
//! Inputs are random. Outputs start as NaN, so unwritten elements are detected. Behind every input and output is a
//! guard zone, so a read past the end returns NaN, and a write past it is detected. The tolerance is that of f32 sums:
//! it grows with the root of the reduction length and with the size of the values.

use crate::device::Device;
use crate::kernel::{Arg, Kernel, Kind};
use crate::philox::Philox;

/// Words in a guard zone.
const GUARD: usize = 64;

/// Value in a guard zone.
const SENTINEL: f32 = -1234.5;

/// Result of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Found {
    /// Largest error of any output element, relative to the largest value of that output.
    pub max_error: f64,
    /// Tolerance, in the same units.
    pub tolerance: f64,
}

/// Random values for an argument: f32 numbers, held in f64; whole ones for integers.
pub fn sample(kernel: &dyn Kernel, arg: &Arg, random: &mut Philox) -> Vec<f64> {
    (0..arg.len)
        .map(|_| {
            let unit = 2.0 * f64::from(random.uniform()) - 1.0;
            let value = kernel.sample(arg.name, unit);
            match arg.kind {
                Kind::F32 => f64::from(value as f32),
                Kind::U32 => value.floor(),
            }
        })
        .collect()
}

/// Random values for all inputs of a kernel.
pub fn samples(kernel: &dyn Kernel, random: &mut Philox) -> Vec<Vec<f64>> {
    let mut inputs: Vec<Vec<f64>> = kernel
        .inputs()
        .iter()
        .map(|arg| sample(kernel, arg, random))
        .collect();
    kernel.arrange(&mut inputs);
    inputs
}

/// What the outputs of a kernel hold before: random values where they are updated, otherwise NaN.
pub fn before(kernel: &dyn Kernel, random: &mut Philox) -> Vec<Vec<f64>> {
    kernel
        .outputs()
        .iter()
        .map(|arg| match arg.updated {
            true => sample(kernel, arg, random),
            false => vec![f64::NAN; arg.len],
        })
        .collect()
}

/// Values as the words of a buffer.
pub fn to_words(kind: Kind, values: &[f64]) -> Vec<f32> {
    values
        .iter()
        .map(|&v| match kind {
            Kind::F32 => v as f32,
            Kind::U32 => f32::from_bits(v as u32),
        })
        .collect()
}

fn to_values(kind: Kind, words: &[f32]) -> Vec<f64> {
    words
        .iter()
        .map(|w| match kind {
            Kind::F32 => f64::from(*w),
            Kind::U32 => f64::from(w.to_bits()),
        })
        .collect()
}

/// The versions that serve a kernel on a device: the names of the rungs there, `None` on the CPU.
pub fn versions(device: &Device, kernel: &dyn Kernel) -> Vec<Option<&'static str>> {
    match device.rungs(kernel) {
        Some(rungs) => rungs.into_iter().map(Some).collect(),
        None => vec![None],
    }
}

/// Runs a kernel on a device and compares it with its oracle on random inputs. An error is a text that says what is
/// wrong.
pub fn prove(
    device: &Device,
    kernel: &dyn Kernel,
    rung: Option<&str>,
    seed: u64,
) -> Result<Found, String> {
    let mut random = Philox::new(seed, 0);
    kernel.check().map_err(|error| error.to_string())?;
    let inputs = samples(kernel, &mut random);
    let outputs = before(kernel, &mut random);
    prove_on(device, kernel, rung, &inputs, outputs)
}

/// [`prove`] on inputs of the caller's choice; `outputs` are what the outputs hold before.
pub fn prove_on(
    device: &Device,
    kernel: &dyn Kernel,
    rung: Option<&str>,
    inputs: &[Vec<f64>],
    outputs: Vec<Vec<f64>>,
) -> Result<Found, String> {
    let mut found = Found::default();
    let results = results(device, kernel, rung, inputs, outputs)?;
    for (arg, [got, want]) in kernel.outputs().iter().zip(&results) {
        compare(kernel, arg, got, want, 1.0, &mut found)?;
    }
    Ok(found)
}

/// What a kernel gives for inputs, and what its oracle gives: both for every output, whose guard zones are looked at.
pub fn results(
    device: &Device,
    kernel: &dyn Kernel,
    rung: Option<&str>,
    inputs: &[Vec<f64>],
    mut outputs: Vec<Vec<f64>>,
) -> Result<Vec<[Vec<f64>; 2]>, String> {
    let text = |error: crate::Error| error.to_string();
    let (reads, writes) = (kernel.inputs(), kernel.outputs());
    let read: Vec<_> = reads
        .iter()
        .zip(inputs)
        .map(|(arg, values)| {
            let mut words = to_words(arg.kind, values);
            words.extend([f32::NAN; GUARD]);
            device.upload_block(&words, arg.len)
        })
        .collect::<Result<_, _>>()
        .map_err(text)?;
    let written: Vec<_> = writes
        .iter()
        .zip(&outputs)
        .map(|(arg, values)| {
            let mut words: Vec<f32> = match arg.updated {
                true => to_words(arg.kind, values),
                false => vec![f32::NAN; arg.len],
            };
            words.extend([SENTINEL; GUARD]);
            device.upload_block(&words, arg.len)
        })
        .collect::<Result<_, _>>()
        .map_err(text)?;
    device
        .launch_rung(
            kernel,
            rung,
            &read.iter().collect::<Vec<_>>(),
            &written.iter().collect::<Vec<_>>(),
        )
        .map_err(text)?;
    kernel.oracle(
        &inputs.iter().map(Vec::as_slice).collect::<Vec<_>>(),
        &mut outputs,
    );
    let mut results = Vec::new();
    for ((arg, buffer), want) in writes.iter().zip(&written).zip(outputs) {
        let words = crate::device::block_on(buffer.read_block(arg.len + GUARD)).map_err(text)?;
        if let Some(at) = words[arg.len..].iter().position(|w| *w != SENTINEL) {
            return Err(format!("`{}`: wrote {at} elements past its end", arg.name));
        }
        results.push([to_values(arg.kind, &words[..arg.len]), want]);
    }
    Ok(results)
}

/// The largest error that a kernel is allowed, relative to the largest value of the output.
pub fn tolerance(kernel: &dyn Kernel, kind: Kind) -> f64 {
    let terms = (kernel.reduction() as f64).sqrt();
    match kind {
        Kind::F32 => f64::from(f32::EPSILON) * (16.0 + 2.0 * terms),
        Kind::U32 => 0.0,
    }
}

/// Holds the outputs of two devices, as words, against each other: each may be off by what a proof allows.
pub fn agree(kernel: &dyn Kernel, got: &[Vec<f32>], want: &[Vec<f32>]) -> Result<Found, String> {
    let mut found = Found::default();
    for ((arg, got), want) in kernel.outputs().iter().zip(got).zip(want) {
        let (got, want) = (to_values(arg.kind, got), to_values(arg.kind, want));
        compare(kernel, arg, &got, &want, 2.0, &mut found)?;
    }
    Ok(found)
}

fn compare(
    kernel: &dyn Kernel,
    arg: &Arg,
    got: &[f64],
    want: &[f64],
    slack: f64,
    found: &mut Found,
) -> Result<(), String> {
    let scale = want
        .iter()
        .filter(|w| w.is_finite())
        .fold(0.0, |m: f64, w| m.max(w.abs()));
    let scale = scale.max(f64::from(f32::MIN_POSITIVE));
    let tolerance = slack * tolerance(kernel, arg.kind);
    found.tolerance = found.tolerance.max(tolerance);
    for (at, (&g, &w)) in got.iter().zip(want).enumerate() {
        // Infinities must be equal, NaN must meet NaN.
        let error = if g == w || (g.is_nan() && w.is_nan()) {
            0.0
        } else {
            (g - w).abs() / scale
        };
        if error.is_nan() || error > tolerance {
            return Err(format!(
                "`{}`[{at}] is {g} and should be {w} (error {error:.1e} of full scale {scale:.3}, allowed {tolerance:.1e})",
                arg.name
            ));
        }
        found.max_error = found.max_error.max(error);
    }
    Ok(())
}
