//! The definition: every element of y by its index.

use super::{Outside, Rearrange};

pub fn rearrange(s: &Rearrange, x: &[f64], y: &mut [f64]) {
    for (at, y) in y.iter_mut().enumerate() {
        // The index of this element, and of the one in x.
        let mut rest = at;
        let mut index = vec![0; s.x.len()];
        for k in (0..s.y.len()).rev() {
            index[s.axes[k]] = (rest % s.y[k]) as i64 + s.start[k];
            rest /= s.y[k];
        }
        let inside = (index.iter().zip(&s.x)).all(|(&i, &len)| (0..len as i64).contains(&i));
        match s.outside {
            _ if inside => {
                let place = |at, (&i, &len): (&i64, &usize)| at * len + i as usize;
                *y = x[index.iter().zip(&s.x).fold(0, place)];
            }
            Outside::Fill(value) => *y = f64::from(value),
            Outside::Keep => {}
        }
    }
}
