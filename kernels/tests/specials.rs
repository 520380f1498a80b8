//! NaN, infinities and denormals in every input of every kernel: on the CPU and on every rung, against the oracle.
//! Nothing is listed here but what is excepted: the catalogue is walked.
//!
//! A NaN or an infinity stands at one random place. Where the oracle says NaN, a kernel must say NaN, and nowhere
//! else; an infinity may come out as NaN, as a sum by another route (an FFT) may meet infinities of both signs.
//! Denormals may be read as 0, as a GPU is free to do: what they count shows in no output but for some steps of the
//! smallest normal number. What else an output sums may round otherwise without them: twice a proof's tolerance.

mod levels;

use kernels::catalogue::CATALOGUE;
use kernels::kernel::Kind;
use kernels::philox::Philox;
use kernels::{Case, Device, Kernel, Role, proof};
use std::collections::BTreeSet;

/// What an input holds that is no common number.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Special {
    Nan,
    Infinity,
    Denormals,
}
use Special::*;

/// What becomes of products with 0 that the oracle makes and a kernel does not, or the other way round.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Zeros {
    /// 0 · NaN where the oracle multiplies nothing.
    Made,
    /// Nothing multiplied where the oracle says 0 · NaN.
    LeftOut,
}
use Zeros::*;

/// Where outputs that even a very large number in the same place would not change may be NaN or not.
#[rustfmt::skip] // One line each.
const ZEROS: &[(&str, &[&str], Zeros, &str)] = &[
    ("conv2d", &["weight"], Made, "over padding"),
    ("conv2d_input_grad", &["weight"], Made, "where no output looked"),
    ("conv2d_weight_grad", &["dy"], Made, "over padding"),
    ("conv2d_pool", &["weight"], Made, "over padding"),
    ("conv2d_pool_weight_grad", &["dy", "y"], Made, "over padding"),
    ("conv2d_pool_weight_grad", &["x"], LeftOut, "what has not won"),
    ("conv2d_pool_input_grad", &["weight"], Made, "where no output looked"),
    ("conv2d_pool_input_grad", &["weight"], LeftOut, "what has not won"),
    ("elementwise", &["x0"], LeftOut, "a compiler folds x · 0"),
    ("istft", &["re", "im"], LeftOut, "turns by whole quarters"),
    ("local_response_norm", &["x"], Made, "a power of 0"),
    ("local_response_norm_grad", &["x"], Made, "a power of 0 or less"),
    ("mel", &["x"], LeftOut, "zeros at the end of a filter"),
    ("stft", &["x", "window"], LeftOut, "the first and last bin's imaginary parts"),
];

/// What is not asked at all.
#[rustfmt::skip] // One line each.
const EXCEPTIONS: &[(&str, &str, Special, &str)] = &[
    ("adam", "v", Denormals, "a step divided by its root is as large as that is small"),
    ("softmax_cross_entropy_grad", "weights", Denormals, "1 / Σ weights is no f32"),
];

/// All proof cases that the oracle is done with soon.
fn cases() -> impl Iterator<Item = (String, Case)> {
    let all = CATALOGUE.iter().flat_map(|(name, cases, _)| {
        let cases = cases().into_iter();
        cases.map(move |case| (format!("{name}/{}", case.name), case))
    });
    all.filter(|(_, case)| case.role == Role::Proof && case.kernel.flops() < 1 << 24)
}

/// One kernel with a special in one of its arguments: inputs, and outputs that are updated.
struct Trial<'a> {
    kernel: &'a dyn Kernel,
    special: Special,
    values: Vec<Vec<f64>>,
    /// What the oracle says to common numbers, and to a very large one in the place.
    clean: Vec<Vec<f64>>,
    far: Option<Vec<Vec<f64>>>,
    zeros: Vec<Zeros>,
}

impl<'a> Trial<'a> {
    fn new(kernel: &'a dyn Kernel, which: usize, name: &str, special: Special) -> Self {
        let mut random = Philox::new(7, 0);
        let mut values = proof::samples(kernel, &mut random);
        let reads = values.len();
        values.extend(proof::before(kernel, &mut random));
        let oracle = |values: &[Vec<f64>]| {
            let mut outputs = values[reads..].to_vec();
            let inputs: Vec<&[f64]> = values[..reads].iter().map(Vec::as_slice).collect();
            kernel.oracle(&inputs, &mut outputs);
            outputs
        };
        let clean = oracle(&values);
        let at = (random.uniform() * values[which].len() as f32) as usize;
        let sign = values[which][at].signum();
        let zeros: Vec<Zeros> = (ZEROS.iter())
            .filter(|(k, inputs, ..)| *k == kernel.name() && inputs.contains(&name))
            .map(|(_, _, zeros, _)| *zeros)
            .collect();
        let far = (!zeros.is_empty()).then(|| {
            let mut values = values.clone();
            values[which][at] = sign * 1e6;
            oracle(&values)
        });
        match special {
            Nan => values[which][at] = f64::NAN,
            Infinity => values[which][at] = sign * f64::INFINITY,
            Denormals => values[which]
                .iter_mut()
                .for_each(|v| *v = f64::from((*v * 1e-39) as f32)),
        }
        Trial {
            kernel,
            special,
            values,
            clean,
            far,
            zeros,
        }
    }

    /// Runs one version; `Ok` says how many outputs were no common numbers.
    fn run(&self, device: &Device, rung: Option<&str>) -> Result<usize, String> {
        let (inputs, before) = self.values.split_at(self.kernel.inputs().len());
        let results = proof::results(device, self.kernel, rung, inputs, before.to_vec())?;
        let mut seen = 0;
        for (which, (arg, [got, want])) in self.kernel.outputs().iter().zip(&results).enumerate() {
            let (clean, far) = (&self.clean[which], self.far.as_ref().map(|far| &far[which]));
            // Which of several numbers is the largest that may all be 0, or all be no numbers, nobody says.
            if arg.kind == Kind::U32
                && (self.special == Denormals || self.kernel.name() == "conv2d_pool")
            {
                continue;
            }
            let finite = want.iter().chain(clean).filter(|w| w.is_finite());
            let scale = finite.fold(0.0, |m: f64, w| m.max(w.abs()));
            let tiny = 16.0 * f64::from(f32::MIN_POSITIVE) * self.kernel.reduction() as f64;
            let allowed = 2.0 * scale * proof::tolerance(self.kernel, arg.kind) + tiny;
            let near = |a: f64, b: f64| (a - b).abs() <= allowed;
            for (at, (&g, &w)) in got.iter().zip(want).enumerate() {
                let same = match self.special {
                    Nan if w.is_nan() => g.is_nan(),
                    _ if w.abs() <= f64::from(f32::MAX) => near(g, w),
                    _ => !g.is_finite(),
                };
                let free = |zeros: &Zeros| match (zeros, far) {
                    (Made, Some(far)) => w.is_finite() && !g.is_finite() && near(far[at], w),
                    (LeftOut, Some(far)) => {
                        !w.is_finite() && near(far[at], clean[at]) && near(g, clean[at])
                    }
                    _ => false,
                };
                if !same && !self.zeros.iter().any(free) {
                    return Err(format!(
                        "`{}`[{at}] is {g} and should be {w} (allowed {allowed:.1e})",
                        arg.name
                    ));
                }
                seen += usize::from(match self.special {
                    Denormals => w != 0.0 && w.abs() < f64::from(f32::MIN_POSITIVE),
                    _ => !w.is_finite(),
                });
            }
        }
        Ok(seen)
    }
}

/// Every special in every input of every case, on all versions of a device.
fn specials_on(device: &Device) {
    let (mut failures, mut trials, mut seen) = (Vec::new(), 0, [0; 3]);
    let mut proved = BTreeSet::new();
    for (case_name, case) in cases() {
        let kernel = &*case.kernel;
        let (reads, writes) = (kernel.inputs(), kernel.outputs());
        let args = reads.iter().chain(&writes).enumerate();
        for (which, arg) in args.filter(|(which, arg)| *which < reads.len() || arg.updated) {
            for special in [Nan, Infinity, Denormals] {
                let excepted = |(k, input, s, _): &(&str, &str, Special, &str)| {
                    (*k, *input, *s) == (kernel.name(), arg.name, special)
                };
                if arg.kind == Kind::U32 || arg.len == 0 || EXCEPTIONS.iter().any(excepted) {
                    continue;
                }
                let trial = Trial::new(kernel, which, arg.name, special);
                for rung in proof::versions(device, kernel) {
                    trials += 1;
                    proved.insert(kernel.name());
                    match trial.run(device, rung) {
                        Ok(some) => seen[special as usize] += some,
                        Err(error) => failures.push(format!(
                            "{case_name} {} {} {special:?} {rung:?}: {error}",
                            kernel.name(),
                            arg.name
                        )),
                    }
                }
            }
        }
    }
    println!("{trials} trials, of which these outputs were no common numbers: {seen:?}");
    assert!(
        failures.is_empty(),
        "{} of {trials} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(trials > 4000 && seen.iter().all(|seen| *seen > 100_000));
    let all = CATALOGUE.iter().flat_map(|(_, cases, _)| cases());
    let missed: BTreeSet<_> = all
        .map(|case| case.kernel.name())
        .filter(|name| !proved.contains(name))
        .collect();
    assert!(missed.is_empty(), "not looked at: {missed:?}");
}

#[test]
fn cpu_keeps_specials() {
    println!("level {:?}", kernels::cpu::level());
    specials_on(&Device::cpu());
}

#[test]
fn slower_instructions_keep_specials() {
    levels::at_slower_levels("cpu_keeps_specials");
}

#[cfg(feature = "gpu")]
#[test]
fn every_rung_keeps_specials() {
    specials_on(&Device::open("gpu").expect("an adapter"));
}
