//! The papers' layers; the small shapes are `recurrence::cases`.

use super::{Gru, GruGrad};
use crate::activation::Activation;
use crate::kernel::Case;
use crate::recurrence::{Recurrence, cases};

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
    cases::cases(Gru, GruGrad, &papers)
}
