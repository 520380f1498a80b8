//! Memory pool of a device: free blocks by size, lent again in the order of their creation.

use std::collections::BTreeMap;

/// Item with the number by which a pool knows it. Numbers are unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbered<B> {
    pub number: u64,
    pub block: B,
}

impl<B> Numbered<B> {
    pub fn map<C>(self, f: impl FnOnce(B) -> C) -> Numbered<C> {
        Numbered {
            number: self.number,
            block: f(self.block),
        }
    }
}

/// Free blocks. The pool lends the oldest block that fits.
///
/// So a repeated training step meets the same blocks from its second time on, and makes nothing new: where the first
/// time found a free block, the second finds the same one, since blocks made later are younger; where the first time
/// made one, that one is the oldest of those not yet in use.
#[derive(Debug)]
pub(crate) struct Pool<B> {
    /// By size class, then by number.
    free: BTreeMap<usize, BTreeMap<u64, B>>,
    next_number: u64,
    free_words: usize,
    live_words: usize,
    peak_words: usize,
}

impl<B> Default for Pool<B> {
    fn default() -> Self {
        Pool {
            free: BTreeMap::new(),
            next_number: 0,
            free_words: 0,
            live_words: 0,
            peak_words: 0,
        }
    }
}

impl<B> Pool<B> {
    /// Returns the size class of `len` words: at most an eighth larger.
    pub fn class(len: usize) -> usize {
        let len = len.max(64);
        len.next_multiple_of((len.next_power_of_two() / 16).max(64))
    }

    /// Lends a free block of this class, or of one up to half as large again: clips of varying length then share
    /// blocks.
    pub fn take(&mut self, class: usize) -> Option<Numbered<B>> {
        let (number, class) = self
            .free
            .range(class..=class + class / 2)
            .filter_map(|(class, blocks)| Some((*blocks.first_key_value()?.0, *class)))
            .min()?;
        self.free_words -= class;
        self.lend(class);
        let block = self.free.get_mut(&class)?.remove(&number)?;
        Some(Numbered { number, block })
    }

    /// Books a new block of this class under the number that is given back. With it comes what to release first,
    /// where much more lies free than was ever in use.
    pub fn book(&mut self, class: usize) -> (u64, Vec<Numbered<B>>) {
        self.lend(class);
        self.next_number += 1;
        let released = match self.free_words > 2 * self.peak_words {
            true => self.drain(),
            false => Vec::new(),
        };
        (self.next_number, released)
    }

    /// Removes all free blocks.
    pub fn drain(&mut self) -> Vec<Numbered<B>> {
        self.free_words = 0;
        std::mem::take(&mut self.free)
            .into_values()
            .flatten()
            .map(|(number, block)| Numbered { number, block })
            .collect()
    }

    /// Cancels a booking whose memory could not be allocated.
    pub fn unbook(&mut self, class: usize) {
        self.live_words -= class;
    }

    /// Takes a block back.
    pub fn put(&mut self, class: usize, lent: Numbered<B>) {
        self.live_words -= class;
        self.free_words += class;
        let blocks = self.free.entry(class).or_default();
        blocks.insert(lent.number, lent.block);
    }

    fn lend(&mut self, class: usize) {
        self.live_words += class;
        self.peak_words = self.peak_words.max(self.live_words);
    }

    /// Returns the pool's statistics.
    pub fn usage(&self) -> Usage {
        Usage {
            live_bytes: 4 * self.live_words as u64,
            free_bytes: 4 * self.free_words as u64,
            peak_bytes: 4 * self.peak_words as u64,
        }
    }
}

/// Memory of a device, as counted by our pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Bytes in buffers in use.
    pub live_bytes: u64,
    /// Bytes kept for reuse.
    pub free_bytes: u64,
    /// Peak of the bytes in use.
    pub peak_bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_classes_cover_and_waste_little() {
        for len in (1..5000).chain([1 << 20, (1 << 20) + 1, 53_000_000]) {
            let class = Pool::<()>::class(len);
            assert!(
                class >= len && (len < 1024 || class <= len + len / 8 + 1),
                "{len} -> {class}"
            );
            assert_eq!(Pool::<()>::class(class), class, "a class is its own class");
        }
    }

    /// A pool that lends and makes blocks, each of them its class.
    fn lend(pool: &mut Pool<usize>, class: usize) -> Numbered<usize> {
        pool.take(class).unwrap_or_else(|| {
            let (number, released) = pool.book(class);
            assert!(released.is_empty());
            Numbered {
                number,
                block: class,
            }
        })
    }

    #[test]
    fn pool_lends_the_oldest_block_that_fits() {
        let mut pool = Pool::default();
        let [small, large] = [768, 1024].map(|class| lend(&mut pool, class));
        for block in [large, small] {
            pool.put(block.block, block);
        }
        assert_eq!(pool.take(512), Some(small));
        assert_eq!(pool.take(512), None, "twice as large is too large");
        assert_eq!(pool.take(768), Some(large), "a little too large is not");
        pool.put(1024, large);
        pool.put(768, small);
        assert_eq!(pool.usage().live_bytes, 0);
    }

    /// A step of random requests, each held for a random time, meets the same blocks whenever it is repeated.
    #[test]
    fn a_repeated_step_meets_the_same_blocks() {
        let mut pool = Pool::default();
        let mut step = |seed| {
            let mut random = crate::philox::Philox::new(seed, 0);
            let (mut held, mut met) = (Vec::new(), Vec::new());
            for _ in 0..300 {
                if random.below(5) < 3 {
                    let class = Pool::<()>::class(64 + random.below(4000));
                    let lent = lend(&mut pool, class);
                    met.push(lent.number);
                    held.push(lent);
                } else if !held.is_empty() {
                    let lent: Numbered<usize> = held.swap_remove(random.below(held.len()));
                    pool.put(lent.block, lent);
                }
            }
            for lent in held {
                pool.put(lent.block, lent);
            }
            met
        };
        assert_eq!(step(1), step(1));
        for seed in 2..6 {
            step(seed);
        }
        let second = [step(1), step(1)];
        assert_eq!(second[0], second[1]);
    }
}
