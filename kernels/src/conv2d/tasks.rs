//! How the rows of a convolution's output are shared out among tasks.
//!
//! The first and the last rows of a padded map look past the image with a part of the kernel. Rows that look at it with
//! the same part make a zone; tasks are rows of one zone, of several images where they are few, so that what would be
//! multiplied by zeros alone is left away. Over maps of four rows that is a sixth of all.

use super::strips::{Strips, Task, whole};
use std::ops::Range;

/// Floats in a strip: 512 KB.
const STRIP: usize = 128 * 1024;

/// Columns of the product that a task should have.
const COLUMNS: usize = 480;

impl Strips<'_> {
    /// All rows of all images, in tasks.
    pub fn tasks(&self, nr: usize) -> Vec<Task> {
        let mut tasks = Vec::new();
        for (zone, seen) in self.zones(nr) {
            let share = self.share(nr, zone.len(), whole(&seen).len());
            let all = (0..self.n).flat_map(|image| zone.clone().map(move |row| [image, row]));
            tasks.extend(all.collect::<Vec<_>>().chunks(share).map(|rows| Task {
                rows: rows.to_vec(),
                seen: seen.clone(),
            }));
        }
        tasks
    }

    /// Zones of rows, with the kernel's rows that each row of their windows sees the image with. One zone with the
    /// whole kernel where a zone might not fill tiles.
    fn zones(&self, nr: usize) -> Vec<(Range<usize>, Vec<Range<usize>>)> {
        let window = self.pool[0];
        if self.n * self.grid[1] < 4 * nr {
            return vec![(0..self.grid[0], vec![0..self.kernel[0]; window])];
        }
        let mut zones: Vec<(Range<usize>, Vec<_>)> = Vec::new();
        for row in 0..self.grid[0] {
            let seen = (row * window..(row + 1) * window).map(|row| self.seen(row));
            let seen: Vec<_> = seen.collect();
            match zones.last_mut() {
                Some((rows, same)) if *same == seen => rows.end += 1,
                _ => zones.push((row..row + 1, seen)),
            }
        }
        zones
    }

    /// The kernel's rows with which a row of the un-pooled output sees the image; at least one.
    fn seen(&self, row: usize) -> Range<usize> {
        let top = (row * self.stride[0]) as isize - self.pad[0];
        let before = |y: isize| y.max(0).unsigned_abs().div_ceil(self.dilation[0]);
        let first = before(-top).min(self.kernel[0] - 1);
        let last = before(self.images.h as isize - top).min(self.kernel[0]);
        first..last.max(first + 1)
    }

    /// Rows of the image between one row of the output and the next.
    pub fn step(&self) -> usize {
        self.pool[0] * self.stride[0]
    }

    /// Rows of the image that `count` neighbours of the output see with `kernel` of the kernel's rows.
    pub fn height(&self, count: usize, kernel: usize) -> usize {
        (count * self.pool[0] - 1) * self.stride[0] + self.dilation[0] * (kernel - 1) + 1
    }

    /// How many rows of a zone make one task, of `zone` rows in each image: as many as the cache holds, and such that
    /// the last tile is rarely half empty.
    fn share(&self, nr: usize, zone: usize, kernel: usize) -> usize {
        let [rows, columns] = self.grid;
        let height = |count: usize| {
            let rest = match count % zone {
                0 => 0,
                rest => self.height(rest, kernel),
            };
            count / zone * self.height(zone, kernel) + rest
        };
        // Enough tasks for the threads, but none of less than a tile.
        let shared = (self.n * rows / 16).max(nr.div_ceil(columns));
        let most = (2 * COLUMNS).div_ceil(columns).min(shared);
        let waste = |&count: &usize| {
            let tiles = (count * columns).div_ceil(nr);
            // Work for each row of the output, in columns; rows that two tasks read count as an eighth of their width.
            let halo = height(count).saturating_sub(count * self.step()) * columns / 8;
            (tiles * nr * self.pool[0] + halo) * 1024 / count
        };
        let row = self.c * self.phases() * self.places();
        (1..=most)
            .filter(|&count| height(count) * row <= STRIP)
            .min_by_key(waste)
            .unwrap_or(1)
    }
}
