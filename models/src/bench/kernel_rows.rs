//! Rows of kernels: each rung of a case, checked and timed.

use kernels::measure::{Budget, Peaks, Subject, Timing};
use kernels::{Case, Counters, Kernel};

use super::quick::{self, Shape};
use super::{Bench, Checked, Names};

/// A launch may take this part of a row's time: it is made cold, to be checked, and to be timed.
const LAUNCH: f64 = 0.25;

impl Bench<'_> {
    /// Every rung that is asked for, in a quick look within so many seconds in all.
    pub(super) fn kernel(&mut self, case: Case, seconds: Option<f64>) -> Result<(), String> {
        let device = self.device;
        let mut shape = Shape {
            kernel: case.kernel,
            halved: 0,
        };
        shape.halve_while(|kernel| quick::ruled_out(device, kernel).is_some());
        if let Some(reason) = quick::ruled_out(device, &*shape.kernel) {
            self.leave_out(&format!("{}/{}", shape.kernel.name(), case.name), &reason);
            return Ok(());
        }
        let rungs = |kernel: &dyn Kernel| match device.rungs(kernel) {
            Some(rungs) => rungs.into_iter().map(Some).collect(),
            None => vec![None],
        };
        let mut wanted: Vec<Option<&str>> = rungs(&*shape.kernel);
        if !self.all_rungs {
            wanted.drain(..wanted.len().saturating_sub(1));
        }
        let seconds = seconds.map(|seconds| seconds / wanted.len() as f64);
        if let Some(seconds) = seconds {
            let peaks = self.peaks;
            shape.halve_while(|kernel| quick::takes_longer(kernel, &peaks, seconds));
        }
        // The best first, so that only those behind it have smaller shapes for the sake of a slow one.
        let first = self.rows.len();
        while !wanted.is_empty() && self.control.check().is_ok() {
            let subject = Subject::new(device, &*shape.kernel).map_err(text)?;
            let served = rungs(&*shape.kernel);
            let mut too_long = 1.0;
            while let Some(&rung) = wanted.last()
                && self.control.check().is_ok()
            {
                let case = case.name;
                if !served.contains(&rung) {
                    let name = rung.unwrap_or_default();
                    self.leave_out(
                        &format!("{name}/{case}"),
                        "it does not serve the smaller shape",
                    );
                } else {
                    too_long = self.rung(&subject, case, &shape, rung, seconds)?;
                    if too_long > 1.0 {
                        break;
                    }
                }
                wanted.pop();
            }
            drop(subject);
            while too_long > 1.0 && shape.halve() {
                too_long /= 2.0;
            }
        }
        self.rows[first..].reverse();
        Ok(())
    }

    /// One row. Where a launch takes longer than a quick look has for it, and the batch can be halved, there is none:
    /// then this says how many times as long.
    fn rung(
        &mut self,
        subject: &Subject<'_>,
        case: &str,
        shape: &Shape,
        rung: Option<&str>,
        seconds: Option<f64>,
    ) -> Result<f64, String> {
        let kernel = &*shape.kernel;
        let before = self.copying()?;
        let cold = subject.once(rung).map_err(text)?;
        if let Some(seconds) = seconds
            && cold > LAUNCH * seconds
            && kernel.smaller().is_some()
        {
            let too_long = subject.once(rung).map_err(text)? / (LAUNCH * seconds);
            if too_long > 1.0 {
                return Ok(too_long);
            }
        }
        let checked = match rung {
            Some(_) => Checked {
                against: "cpu",
                error: subject.check_against_cpu(rung)?.max_error,
            },
            None => Checked {
                against: "oracle",
                error: self.proved(kernel.name())?,
            },
        };
        let timing: Timing = match seconds {
            Some(seconds) => subject.time_warm(rung, self.peaks.clock, quick::budget(seconds)),
            None => subject.time(rung, self.peaks.clock, Budget::FULL),
        }
        .map_err(text)?;
        let cost = Counters {
            flops: kernel.flops(),
            bytes: kernel.bytes(),
            ..Counters::default()
        };
        let names = Names {
            kernel: kernel.name().into(),
            case: format!("{case}{}", quick::suffix(shape.halved)),
            rung: rung.unwrap_or("cpu").into(),
            halved: shape.halved,
        };
        let peaks = Peaks {
            bytes: (before + self.copying()?) / 2.0,
            ..self.peaks
        };
        self.row(names, cost, cold, timing, checked, peaks);
        Ok(1.0)
    }
}

fn text(error: kernels::Error) -> String {
    error.to_string()
}
