//! The features of variants of training clips: their sound is changed before (see [`SoundVariants`]).

use std::sync::atomic::{AtomicUsize, Ordering};

use audio::Clip;
use kernels::Device;

use super::{Prepared, Work};
use crate::Error;
use crate::base::control::{Control, Event};
use crate::base::parallel::map;
use crate::base::random::{Stream, stream};
use crate::input::Input;
use crate::input::augment::SoundVariants;
use crate::input::cache::Cache;
use crate::input::examples::ClipFeatures;

/// What became of the clips that were to be varied.
#[derive(Debug, Clone, Default)]
pub struct Variants {
    /// The features of every variant, with the number of its clip; by clip, and then by the variant's number.
    pub features: Vec<(usize, ClipFeatures)>,
    /// A sentence for each clip that has none, because its file is no longer what it was.
    pub warnings: Vec<String>,
}

/// Computes the features of the variants of the `chosen` clips, or takes them from the caches, one for each variant.
///
/// # Errors
/// [`Error::Stopped`].
pub fn variants(
    prepared: &Prepared,
    chosen: &[usize],
    input: &Input,
    sound: &SoundVariants,
    caches: &[Cache],
    control: Control<'_>,
) -> Result<Variants, Error> {
    let work = Work {
        device: Device::cpu(),
        input,
        extract: prepared.extract,
        control,
    };
    let (done, total) = (AtomicUsize::new(0), chosen.len());
    let results = map(total, |at| {
        let result = work.variants(prepared, chosen[at], sound, caches);
        if matches!(result, Err(Error::Stopped)) {
            return Err(Error::Stopped);
        }
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        control.tell(Event::Features { done, total });
        Ok(result)
    })?;
    let mut variants = Variants::default();
    for (&clip, result) in chosen.iter().zip(results) {
        match result {
            Ok(all) => variants
                .features
                .extend(all.into_iter().map(|one| (clip, one))),
            Err(error) => variants
                .warnings
                .push(format!("{error}; used without variants")),
        }
    }
    Ok(variants)
}

impl Work<'_> {
    /// The variants of one clip; none, where one of them fails.
    fn variants(
        &self,
        prepared: &Prepared,
        clip: usize,
        sound: &SoundVariants,
        caches: &[Cache],
    ) -> Result<Vec<ClipFeatures>, Error> {
        let item = &prepared.dataset.items[clip];
        let (bytes, hash) = Self::content(item)?;
        let name = item.path.display().to_string();
        // Decoded where the first variant is missing.
        let mut original: Option<Clip> = None;
        let one = |(number, cache): (usize, &Cache)| {
            self.control.check()?;
            self.through(cache, hash, || {
                let original = match &mut original {
                    Some(clip) => clip,
                    none => none.insert(audio::decode_bytes(&bytes, &name, &Default::default())?),
                };
                let random = stream(hash.seed(), Stream::Variant, number as u64);
                let rate = self.input.features.sample_rate;
                let varied = sound.variant(original, rate, random);
                let varied = varied.map_err(|source| Error::Features {
                    name: name.clone(),
                    source,
                })?;
                self.windows(&varied, &name)
            })
        };
        caches.iter().enumerate().map(one).collect()
    }
}
