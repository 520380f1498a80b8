//! The polyphase filter bank that all layers end in (ISO/IEC 11172-3, 2.4.3.2 and table B.3): 32 subbands, one value of
//! each at a time, become 32 samples.
//!
//! Each time slot's values `S[k]` become a vector `V[i] = Σ_k cos((16 + i)(2k + 1)π/64) · S[k]` of 64, and 32 samples are
//! `Σ_{n<8} D[64n + j] · V_{t-2n}[j] + D[64n + 32 + j] · V_{t-2n-1}[32 + j]`: a window over the last 16 vectors. The cosine
//! is even in `k` about 15½ where `i` is even and odd where it is odd, so half of the products do; and `V` is odd about 16
//! and even about 48, so half of the sums do. Everything here is stored with the even `i` or `j` of each 32 first, and
//! three time slots are worked on at once, to keep the processor's adders busy.

use super::aligned::Aligned;
use kernels::vectorized;
use std::array::from_fn;
use std::f64::consts::PI;
use std::sync::LazyLock;

/// Subbands, and samples from one value of each.
pub(super) const SUBBANDS: usize = 32;

/// Values of each subband in the largest frame or granule.
pub(super) const MOST_SLOTS: usize = 36;

/// Vectors that the next window sees.
const PAST: usize = 15;

/// Time slots at once: all layers' frames have a multiple.
const AT_ONCE: usize = 3;

/// Half of a vector `V`, or 32 samples: even places first.
type Half = [f32; SUBBANDS];

/// The filter bank of one channel.
pub(super) struct Synthesis {
    /// The vectors before, the latest last, and room for more.
    vectors: Box<Aligned<[[Half; 2]; PAST + MOST_SLOTS]>>,
}

impl Synthesis {
    pub(super) fn new() -> Self {
        Synthesis {
            vectors: Box::new(Aligned([[[0.0; SUBBANDS]; 2]; PAST + MOST_SLOTS])),
        }
    }

    /// Goes on as if these slots, the last [`PAST`] of them, had been heard before.
    pub(super) fn rewind(&mut self, slots: &[Half]) {
        let (_, last) = slots.split_at(slots.len() - PAST);
        vectors(&TABLES.0, last, &mut self.vectors.0[..PAST]);
    }

    /// Appends 32 samples for each of `slots`, of which there are a multiple of three.
    pub(super) fn run(&mut self, slots: &[Half], samples: &mut Vec<f32>) {
        let end = PAST + slots.len();
        let before = samples.len();
        samples.resize(before + slots.len() * SUBBANDS, 0.0);
        let (tables, all) = (&TABLES.0, &mut self.vectors.0);
        vectors(tables, slots, &mut all[PAST..end]);
        window(tables, &all[..end], &mut samples[before..]);
        all.copy_within(slots.len()..end, 0);
    }
}

/// For each of the first subbands, of eight even, or odd, `i` from 0 on and eight up to 48: the others mirror them.
type Cosines = [[f32; 16]; SUBBANDS / 2];

struct Tables {
    even: Cosines,
    odd: Cosines,
    /// `D[64n + j]` and `D[64n + 32 + j]`.
    window: [[Half; 2]; 8],
}

static TABLES: LazyLock<Aligned<Tables>> = LazyLock::new(|| {
    let cosines = |odd: usize| -> Cosines {
        from_fn(|k| {
            from_fn(|place| {
                let i = match place {
                    0..8 => 2 * place + odd,
                    _ => 34 - odd + 2 * (place - 8),
                };
                ((16 + i) as f64 * (2 * k + 1) as f64 * PI / 64.0).cos() as f32
            })
        })
    };
    let place = |j: usize| if j < 16 { 2 * j } else { 2 * j - 31 };
    Aligned(Tables {
        even: cosines(0),
        odd: cosines(1),
        window: from_fn(|n| from_fn(|half| from_fn(|j| d(64 * n + 32 * half + place(j))))),
    })
});

/// The window of table B.3.
fn d(i: usize) -> f32 {
    let value = match i {
        0..=256 => WINDOW[i],
        _ if i.is_multiple_of(64) => WINDOW[512 - i],
        _ => -WINDOW[512 - i],
    };
    value as f32 / 65_536.0
}

vectorized! {
    fn vectors(tables: &Tables, slots: &[Half], vectors: &mut [[Half; 2]]) {
        let (slots, _) = slots.as_chunks::<AT_ONCE>();
        let (vectors, _) = vectors.as_chunks_mut::<AT_ONCE>();
        for (slots, vectors) in slots.iter().zip(vectors) {
            let [even, odd] = [sums(&tables.even, slots, 1.0), sums(&tables.odd, slots, -1.0)];
            for (vector, (even, odd)) in vectors.iter_mut().zip(even.iter().zip(&odd)) {
                *vector = [
                    from_fn(|j| match j {
                        0..8 => even[j],
                        8 => 0.0,
                        9..16 => -even[16 - j],
                        16..24 => odd[j - 16],
                        _ => -odd[31 - j],
                    }),
                    from_fn(|j| match j {
                        0 => -even[0],
                        1..9 => even[7 + j],
                        9..16 => even[23 - j],
                        16..24 => odd[j - 8],
                        _ => odd[39 - j],
                    }),
                ];
            }
        }
    }

    /// `vectors` holds the past and then one for each 32 samples.
    fn window(tables: &Tables, vectors: &[[Half; 2]], samples: &mut [f32]) {
        for (first, samples) in samples.chunks_exact_mut(AT_ONCE * SUBBANDS).enumerate() {
            // Vector t of the first of three slots stands at 15.
            let seen: &[[Half; 2]; PAST + AT_ONCE] = match vectors[first * AT_ONCE..].first_chunk() {
                Some(seen) => seen,
                None => return,
            };
            let mut sums = [[0f32; SUBBANDS]; AT_ONCE];
            for n in 0..8 {
                for half in 0..2 {
                    let window = &tables.window[n][half];
                    for slot in 0..AT_ONCE {
                        let vector = &seen[PAST + slot - 2 * n - half][half];
                        for j in 0..SUBBANDS {
                            sums[slot][j] += window[j] * vector[j];
                        }
                    }
                }
            }
            for (samples, sums) in samples.chunks_exact_mut(SUBBANDS).zip(&sums) {
                for j in 0..16 {
                    samples[2 * j] = sums[j];
                    samples[2 * j + 1] = sums[16 + j];
                }
            }
        }
    }
}

/// The sums that the even or the odd half of each slot's vector consists of.
#[inline(always)]
fn sums(cosines: &Cosines, slots: &[Half; AT_ONCE], sign: f32) -> [[f32; 16]; AT_ONCE] {
    let mut sums = [[0f32; 16]; AT_ONCE];
    for (k, cosines) in cosines.iter().enumerate() {
        for (sums, slot) in sums.iter_mut().zip(slots) {
            let both = slot[k] + sign * slot[SUBBANDS - 1 - k];
            for (sum, cosine) in sums.iter_mut().zip(cosines) {
                *sum += cosine * both;
            }
        }
    }
    sums
}

/// The first half of `D`, and its middle, in units of 2^-16.
#[rustfmt::skip]
const WINDOW: [i32; 257] = [
    0, -1, -1, -1, -1, -1, -1, -2, -2, -2, -2, -3, -3, -4, -4, -5, -5, -6, -7, -7, -8, -9, -10,
    -11, -13, -14, -16, -17, -19, -21, -24, -26, -29, -31, -35, -38, -41, -45, -49, -53, -58, -63,
    -68, -73, -79, -85, -91, -97, -104, -111, -117, -125, -132, -139, -147, -154, -161, -169, -176,
    -183, -190, -196, -202, -208, 213, 218, 222, 225, 227, 228, 228, 227, 224, 221, 215, 208, 200,
    189, 177, 163, 146, 127, 106, 83, 57, 29, -2, -36, -72, -111, -153, -197, -244, -294, -347,
    -401, -459, -519, -581, -645, -711, -779, -848, -919, -991, -1064, -1137, -1210, -1283, -1356,
    -1428, -1498, -1567, -1634, -1698, -1759, -1817, -1870, -1919, -1962, -2001, -2032, -2057, -2075,
    -2085, -2087, -2080, -2063, 2037, 2000, 1952, 1893, 1822, 1739, 1644, 1535, 1414, 1280, 1131,
    970, 794, 605, 402, 185, -45, -288, -545, -814, -1095, -1388, -1692, -2006, -2330, -2663, -3004,
    -3351, -3705, -4063, -4425, -4788, -5153, -5517, -5879, -6237, -6589, -6935, -7271, -7597, -7910,
    -8209, -8491, -8755, -8998, -9219, -9416, -9585, -9727, -9838, -9916, -9959, -9966, -9935, -9863,
    -9750, -9592, -9389, -9139, -8840, -8492, -8092, -7640, -7134, 6574, 5959, 5288, 4561, 3776,
    2935, 2037, 1082, 70, -998, -2122, -3300, -4533, -5818, -7154, -8540, -9975, -11455, -12980,
    -14548, -16155, -17799, -19478, -21189, -22929, -24694, -26482, -28289, -30112, -31947, -33791,
    -35640, -37489, -39336, -41176, -43006, -44821, -46617, -48390, -50137, -51853, -53534, -55178,
    -56778, -58333, -59838, -61289, -62684, -64019, -65290, -66494, -67629, -68692, -69679, -70590,
    -71420, -72169, -72835, -73415, -73908, -74313, -74630, -74856, -74992, 75038
];

#[cfg(test)]
mod tests {
    use super::*;
    use approx::abs_diff_eq;

    /// The standard's own flow chart, in f64.
    #[test]
    fn samples_are_those_of_the_definition() {
        let slots: [Half; 27] = from_fn(|t| from_fn(|k| ((t * 37 + k * k) as f32 * 0.7).sin()));
        let mut v = vec![0f64; 1024];
        let mut expected = Vec::new();
        for slot in &slots {
            v.rotate_right(64);
            for (i, v) in v[..64].iter_mut().enumerate() {
                let angle = |k: usize| ((16 + i) * (2 * k + 1)) as f64 * PI / 64.0;
                *v = (0..32).map(|k| angle(k).cos() * f64::from(slot[k])).sum();
            }
            expected.extend((0..32).map(|j| -> f64 {
                let u = |i: usize| v[i / 64 * 128 + i % 64 + if i % 64 < 32 { 0 } else { 64 }];
                (0..16)
                    .map(|i| u(j + 32 * i) * f64::from(d(j + 32 * i)))
                    .sum()
            }));
        }
        let mut samples = Vec::new();
        let mut synthesis = Synthesis::new();
        for part in [&slots[..12], &slots[12..]] {
            synthesis.run(part, &mut samples);
        }
        assert_eq!(samples.len(), expected.len());
        for (i, (a, b)) in samples.iter().zip(expected).enumerate() {
            assert!(
                abs_diff_eq!(f64::from(*a), b, epsilon = 2e-6),
                "{i}: {a} {b}"
            );
        }
    }
}
