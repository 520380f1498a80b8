//! Summary of a network: the table of its layers.

use super::Architecture;
use crate::error::Result;
use serde::Serialize;

/// Summary of a network. Serialises to the JSON of `melgrad summary`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// One row per layer, first to last.
    pub layers: Vec<LayerSummary>,
    /// Number of trainable parameters; without BatchNorm's running statistics.
    pub parameters: u64,
    /// Number of multiply-adds for one example, forward.
    pub multiply_adds: u64,
    /// Bytes of the parameters, and of the statistics saved with them.
    pub parameter_bytes: u64,
    /// Bytes for inference on one example at a time, parameters included.
    pub inference_bytes: u64,
    /// Bytes per example of a batch in training, without [`Summary::training_fixed_bytes`].
    pub training_bytes_per_example: u64,
    /// Bytes for training, independent of the batch: parameters, gradients, Adam's two moments.
    pub training_fixed_bytes: u64,
}

/// One row of a [`Summary`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerSummary {
    /// Path of the layer: `block2/conv1`.
    pub name: String,
    /// Kind of the layer: `Conv2d`.
    pub kind: &'static str,
    /// Output shape for one example.
    pub output: Vec<usize>,
    /// Number of trainable parameters.
    pub parameters: u64,
    /// Number of multiply-adds for one example, forward.
    pub multiply_adds: u64,
}

impl Architecture {
    /// Returns layers, output shapes, parameters, multiply-adds and memory.
    ///
    /// # Errors
    /// Layers that do not fit together, with the layer's path and both shapes.
    pub fn summary(&self) -> Result<Summary> {
        let plan = self.plan()?;
        let memory = self.memory()?;
        let row = |step: &super::plan::Step| LayerSummary {
            name: step.path.clone(),
            kind: step.kind,
            output: step.output.to_vec(),
            parameters: plan.parameters[step.parameters.clone()]
                .iter()
                .filter(|p| p.learned)
                .map(|p| p.shape.elements() as u64)
                .sum(),
            multiply_adds: step.multiply_adds,
        };
        let layers: Vec<LayerSummary> = plan.steps.iter().map(row).collect();
        Ok(Summary {
            parameters: layers.iter().map(|l| l.parameters).sum(),
            multiply_adds: layers
                .iter()
                .map(|l| l.multiply_adds)
                .fold(0, u64::saturating_add),
            layers,
            parameter_bytes: memory.parameter_bytes,
            inference_bytes: memory.inference(1),
            training_bytes_per_example: memory.training_bytes_per_example,
            training_fixed_bytes: memory.training_fixed_bytes,
        })
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut rows =
            vec![["layer", "kind", "output", "parameters", "multiply-adds"].map(String::from)];
        rows.extend(self.layers.iter().map(|l| {
            [
                l.name.clone(),
                l.kind.to_string(),
                crate::Shape::from(&l.output[..]).to_string(),
                grouped(l.parameters),
                grouped(l.multiply_adds),
            ]
        }));
        let (parameters, multiply_adds) = (grouped(self.parameters), grouped(self.multiply_adds));
        rows.push([
            "total".into(),
            String::new(),
            String::new(),
            parameters,
            multiply_adds,
        ]);
        let width = |i: usize| {
            rows.iter()
                .map(|row| row[i].chars().count())
                .max()
                .unwrap_or(0)
        };
        let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(width);
        for [layer, kind, output, parameters, multiply_adds] in &rows {
            writeln!(
                f,
                "{layer:a$}  {kind:b$}  {output:>c$}  {parameters:>d$}  {multiply_adds:>e$}"
            )?;
        }
        write!(
            f,
            "memory: {} to classify; to train {} + {} per example of a batch",
            bytes(self.inference_bytes),
            bytes(self.training_fixed_bytes),
            bytes(self.training_bytes_per_example)
        )
    }
}

/// Formats `1234567` as `1.2 MiB`.
pub(super) fn bytes(n: u64) -> String {
    match n {
        0..1_048_576 => format!("{:.1} KiB", n as f64 / 1024.0),
        _ => format!("{:.1} MiB", n as f64 / 1_048_576.0),
    }
}

/// Formats `1234567` as `1 234 567`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
