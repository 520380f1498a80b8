//! Numbers that begin where a cache line does: of vectors that are as long as a line, each would else lie across two, and
//! be read and written at half the speed.

use std::ops::{Deref, DerefMut};

/// Bytes of a cache line.
const LINE: usize = 64;

/// A vector of fixed length, on its own cache lines.
#[derive(Debug)]
pub struct Aligned<T> {
    store: Vec<T>,
    start: usize,
}

impl<T: Copy + Default> Aligned<T> {
    /// `len` zeros.
    pub fn new(len: usize) -> Self {
        let room = LINE / size_of::<T>().clamp(1, LINE);
        let mut store = vec![T::default(); len + room];
        // `align_offset` may say that it cannot tell.
        let start = store.as_ptr().align_offset(LINE).min(room);
        store.truncate(start + len);
        Aligned { store, start }
    }
}

impl<T> Deref for Aligned<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.store[self.start..]
    }
}

impl<T> DerefMut for Aligned<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.store[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_begins_at_a_line() {
        for len in [0, 1, 15, 16, 17, 1025] {
            let (floats, pairs) = (Aligned::<f32>::new(len), Aligned::<[f32; 2]>::new(len));
            assert_eq!((floats.len(), pairs.len()), (len, len));
            assert_eq!(floats.as_ptr().align_offset(LINE), 0);
            assert_eq!(pairs.as_ptr().align_offset(LINE), 0);
            assert!(floats.iter().all(|value| *value == 0.0));
        }
    }
}
