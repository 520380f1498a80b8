//! Labelled clips, and their split into training, validation and test.
//!
//! In: a folder, a table, a dataset's published files. Out: a list of clips with labels and groups
//! ([`Dataset`](dataset::Dataset)), and a [`Split`](split::Split).
//!
//! | file | holds |
//! | --- | --- |
//! | `dataset/` | layouts on disk: a folder per label, GTZAN, FMA, Ballroom, feature tables |
//! | `labels.rs` | labels merged and renamed |
//! | `group.rs` | which clips belong together (the tracks of one album, the slices of one track) |
//! | `split/` | parts by fraction, by pattern, by the dataset's own lists |
//! | `kfold.rs` | k-fold cross-validation |

pub mod dataset;
pub mod group;
pub mod kfold;
pub mod labels;
pub mod split;
