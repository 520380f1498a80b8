//! Rows of kernels: each rung of a case, checked and timed.

use std::cell::OnceCell;

use kernels::measure::{Budget, Peaks, Subject};
use kernels::{Case, Counters};

use super::quick::{self, Shape};
use super::{Bench, Checked, Names};

impl Bench<'_> {
    /// Measures the selected rungs. A quick run has a time limit in seconds for all of them together.
    pub(super) fn kernel(&mut self, case: Case, seconds: Option<f64>) -> Result<(), String> {
        let device = self.device;
        let name = format!("{}/{}", case.kernel.name(), case.name);
        let mut shapes = quick::shapes(case);
        let reason = quick::ruled_out(device, &*shapes[0].kernel);
        shapes.retain(|shape| quick::ruled_out(device, &*shape.kernel).is_none());
        let Some(largest) = shapes.first() else {
            self.leave_out(&name, &reason.unwrap_or_default());
            return Ok(());
        };
        let rungs = |shape: &Shape| match device.rungs(&*shape.kernel) {
            Some(rungs) => rungs.into_iter().map(Some).collect(),
            None => vec![None],
        };
        let mut wanted: Vec<Option<&str>> = rungs(largest);
        if !self.all_rungs {
            wanted.drain(..wanted.len().saturating_sub(1));
        }
        let seconds = seconds.map(|seconds| seconds / wanted.len() as f64);
        // One example is quick on most devices, but can be too much for a software adapter.
        let proofs = shapes.iter().position(Shape::is_proof);
        let proofs = proofs.unwrap_or(shapes.len());
        let probe = proofs.saturating_sub(usize::from(!device.is_software()));
        let subjects: Vec<OnceCell<Subject<'_>>> = shapes.iter().map(|_| OnceCell::new()).collect();
        let subject = |at: usize| -> Result<&Subject<'_>, String> {
            if let Some(made) = subjects[at].get() {
                return Ok(made);
            }
            let made = Subject::new(device, &*shapes[at].kernel).map_err(text)?;
            Ok(subjects[at].get_or_init(|| made))
        };
        for rung in wanted {
            if self.control.check().is_err() {
                break;
            }
            let mut at = 0;
            if let Some(seconds) = seconds {
                let serves = |&at: &usize| rungs(&shapes[at]).contains(&rung);
                let served: Vec<usize> = (0..shapes.len()).filter(serves).collect();
                let own = served.iter().find(|&&at| at >= probe);
                let own = own.or(served.last()).copied().unwrap_or(0);
                let launch = || subject(own)?.once(rung).map_err(text);
                let cold = launch()?;
                // The first launch includes the compilation of the pipeline.
                let warm = launch()?.min(cold);
                self.overhead = self.overhead.min(warm);
                // The overhead of a launch does not depend on the shape.
                let warm = (warm - self.overhead).max(warm / 8.0);
                at = quick::fitting(&shapes, &served, own, warm, seconds);
            }
            self.rung(subject(at)?, &shapes[at], rung, seconds)?;
        }
        Ok(())
    }

    /// Measures one row.
    fn rung(
        &mut self,
        subject: &Subject<'_>,
        shape: &Shape,
        rung: Option<&str>,
        seconds: Option<f64>,
    ) -> Result<(), String> {
        let kernel = &*shape.kernel;
        let before = self.copying()?;
        let cold = subject.once(rung).map_err(text)?;
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
        let timing = match seconds {
            Some(seconds) => subject.time_warm(rung, self.peaks.clock, quick::budget(seconds)),
            None => subject.time(rung, self.peaks.clock, Budget::FULL),
        };
        let timing = timing.map_err(text)?;
        let cost = Counters {
            flops: kernel.flops(),
            bytes: kernel.bytes(),
            ..Counters::default()
        };
        let names = Names {
            kernel: kernel.name().into(),
            case: shape.case.clone(),
            rung: rung.unwrap_or("cpu").into(),
            halved: shape.halved,
        };
        let peaks = Peaks {
            bytes: (before + self.copying()?) / 2.0,
            ..self.peaks
        };
        self.row(names, cost, cold, timing, checked, peaks);
        Ok(())
    }
}

fn text(error: kernels::Error) -> String {
    error.to_string()
}
