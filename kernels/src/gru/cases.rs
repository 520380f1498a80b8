//! The papers' layers; the small shapes are `recurrence::shapes`.

use super::{Gru, GruGrad};
use crate::activation::Activation;
use crate::draw::Draw;
use crate::kernel::{Case, Kernel};
use crate::recurrence::{Recurrence, shapes};

/// The cases of `gru` and `gru_grad`.
pub fn cases() -> Vec<Case> {
    let new = Recurrence::new;
    let papers = [
        ("ajufo-crnn-1", new([20, 41, 32])),
        ("ajufo-crnn-2", new([20, 41, 32]).last()),
        ("ajufo-crnn-elu", new([20, 41, 112]).with(Activation::Elu)),
        ("dwivedi-parallel", new([64, 160, 64]).backward().last()),
        ("wide-batch", new([256, 64, 128])),
    ];
    shapes::cases(Gru, GruGrad, &papers)
}

/// A random shape of each; not all of them are possible.
pub fn random(d: &mut Draw) -> Vec<Box<dyn Kernel>> {
    vec![
        Box::new(Gru(shapes::any(d))),
        Box::new(GruGrad(shapes::any(d))),
    ]
}
