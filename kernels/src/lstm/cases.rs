//! The papers' layers; the small shapes are `recurrence::shapes`.

use super::{Lstm, LstmGrad};
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};
use crate::recurrence::{Recurrence, shapes};

/// The cases of `lstm` and `lstm_grad`.
pub fn cases() -> Vec<Case> {
    let new = Recurrence::new;
    let papers = [
        ("dwivedi-crnn", new([32, 76, 96]).last()),
        ("wide-batch", new([256, 64, 128])),
    ];
    shapes::cases(Lstm, LstmGrad, &papers)
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    vec![
        Box::new(Lstm(shapes::any(d))),
        Box::new(LstmGrad(shapes::any(d))),
    ]
}
