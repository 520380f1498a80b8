//! One launch of an optimizer: which parameters it moves, and their gradients as one buffer.

use crate::error::{Error, Result};
use crate::network::Parameter;
use kernels::elementwise::{Elementwise, Expr, View};
use kernels::{Buffer, Device};
use std::ops::Range;

/// Parameters that are moved in one launch.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) parameters: Range<usize>,
    /// Their numbers, and what is kept of them.
    pub(super) updated: Vec<Buffer>,
    /// The penalty of every 64 words.
    pub(super) penalty: Buffer,
}

impl Run {
    /// The gradients of these parameters as one buffer.
    pub(super) fn gathered(
        &self,
        parameters: &[Parameter],
        found: &[Option<&Buffer>],
    ) -> Result<Buffer> {
        let len = self.updated[0].len();
        let parameters = &parameters[self.parameters.clone()];
        let found: Vec<&Buffer> = found[self.parameters.clone()]
            .iter()
            .flatten()
            .copied()
            .collect();
        let together = |buffers: &[&Buffer]| {
            let joined = Buffer::join(buffers).filter(|b| b.len() >= len);
            joined.map(|b| b.first(len))
        };
        if let Some(gradient) = together(&found) {
            return Ok(gradient);
        }
        // Those that lie elsewhere go to their places.
        let mut placed: Vec<Buffer> = Vec::with_capacity(found.len());
        for (p, gradient) in parameters.iter().zip(&found) {
            placed.push(match p.tensor.gradient_place().free() {
                Some(place) => copied(gradient, place)?,
                None => (*gradient).clone(),
            });
        }
        if let Some(gradient) = together(&placed.iter().collect::<Vec<_>>()) {
            return Ok(gradient);
        }
        // Somebody still holds what an earlier step left there.
        let lens: Vec<usize> = found.iter().map(|b| b.len()).collect();
        let places = self.updated[0].device().zeros_together(&lens)?;
        let copies = found.iter().zip(places).map(|(g, place)| copied(g, place));
        let copies: Vec<Buffer> = copies.collect::<Result<_>>()?;
        together(&copies.iter().collect::<Vec<_>>()).ok_or_else(|| {
            Error::option("optimizer", "gradients of one launch do not fit together")
        })
    }
}

/// The same numbers in another buffer.
fn copied(from: &Buffer, to: Buffer) -> Result<Buffer> {
    let device: &Device = from.device();
    let copy = Elementwise {
        expr: Expr::input(0),
        len: from.len(),
        views: vec![View::full(from.len())],
        params: Vec::new(),
    };
    device.launch(&copy, &[from], &[&to])?;
    Ok(to)
}
