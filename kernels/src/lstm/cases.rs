//! The papers' layers; the small shapes are `recurrence::cases`.

use super::{Lstm, LstmGrad};
use crate::kernel::Case;
use crate::recurrence::{Recurrence, cases};

/// The cases of `lstm` and `lstm_grad`.
pub fn cases() -> Vec<Case> {
    let new = Recurrence::new;
    let papers = [
        ("dwivedi-crnn", new([32, 76, 96]).last()),
        ("wide-batch", new([256, 64, 128])),
    ];
    cases::cases(Lstm, LstmGrad, &papers)
}
