//! Demonstration without a download: melgrad makes music of ten genres, and trains a network on it.
//!
//! The music is synthetic, and all results say so.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use audio::synth::{self, GENRES};
use engine::Device;

use crate::Error;
use crate::base::control::{Control, Event};
use crate::base::files;
use crate::base::parallel::map;
use crate::classify::{Answer, Classifier};
use crate::recipe::Recipe;
use crate::run::folder::RunFolder;
use crate::run::pipeline::{Outcome, Training, train_folder};

/// Number of clips in the demo: enough for training, few enough for a minute.
const CLIPS: usize = 400;

/// Settings of synthetic music to write.
#[derive(Debug, Clone, Copy)]
pub struct Synthesis<'a> {
    /// Output folder: `DIR/LABEL/LABEL.00000.wav`.
    pub dir: &'a Path,
    /// Total number of clips, divided among the ten labels.
    pub clips: usize,
    /// Duration of each clip.
    pub seconds: f32,
    /// Sample rate, in Hz.
    pub sample_rate: u32,
    /// Seed of the music.
    pub seed: u64,
}

/// Result of [`demo`].
#[derive(Debug, Clone)]
pub struct Demo {
    /// Result of the training, with the metrics on the test clips.
    pub outcome: Outcome,
    /// A test clip.
    pub clip: PathBuf,
    /// Label of the clip.
    pub truth: String,
    /// The model's prediction for it. The model is read from its file, as in any program.
    pub answer: Answer,
}

/// Writes synthetic music, as 16-bit WAV files in a folder per label. Replaces files of the same name.
///
/// # Errors
/// [`Error::Setting`] if there are no clips or the length is invalid; [`Error::Io`]; [`Error::Stopped`].
pub fn synthesise(synthesis: &Synthesis<'_>, control: Control<'_>) -> Result<Vec<PathBuf>, Error> {
    let Synthesis {
        dir,
        clips,
        seconds,
        sample_rate,
        seed,
    } = *synthesis;
    if clips == 0 {
        return Err(Error::setting("clips", "0 clips; at least 1"));
    }
    if !(seconds > 0.0 && seconds <= synth::MAX_SECONDS) {
        let reason = format!(
            "{seconds} is not above 0 and up to {} seconds",
            synth::MAX_SECONDS
        );
        return Err(Error::setting("seconds", reason));
    }
    if !(1000..=192_000).contains(&sample_rate) {
        let reason = format!("{sample_rate} is not between 1000 and 192000 Hz");
        return Err(Error::setting("sample_rate", reason));
    }
    for genre in GENRES.iter().take(clips) {
        files::make_folder(&dir.join(genre))?;
    }
    let done = AtomicUsize::new(0);
    map(clips, |index| {
        control.check()?;
        let (genre, number) = (index % GENRES.len(), index / GENRES.len());
        let path = dir
            .join(GENRES[genre])
            .join(format!("{}.{number:05}.wav", GENRES[genre]));
        // Distant seeds share no clips.
        let own = seed.wrapping_mul(1 << 20).wrapping_add(number as u64);
        let clip = synth::clip(genre, own, seconds, sample_rate);
        files::write_bytes(&path, &audio::wav::encode(&clip))?;
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        control.tell(Event::Synthesis { done, total: clips });
        Ok(path)
    })
}

/// Makes music in `out/music`, trains the recipe `demo` on it in `out/run`, and classifies a test clip.
///
/// # Errors
/// As [`train_folder`]: [`Error::RunExists`] if `out` already holds a demo.
pub fn demo(out: &Path, seed: u64, device: &Device, control: Control<'_>) -> Result<Demo, Error> {
    demo_of(CLIPS, out, seed, device, control)
}

fn demo_of(
    clips: usize,
    out: &Path,
    seed: u64,
    device: &Device,
    control: Control<'_>,
) -> Result<Demo, Error> {
    let recipe = Recipe::load("demo")?;
    let (music, run) = (out.join("music"), out.join("run"));
    RunFolder::check_free(&run)?;
    let synthesis = Synthesis {
        dir: &music,
        clips,
        seconds: recipe.input.seconds.unwrap_or(3.0) as f32,
        sample_rate: recipe.input.features.sample_rate,
        seed,
    };
    synthesise(&synthesis, control)?;
    let training = Training {
        data: &music,
        recipe,
        out: &run,
        seed,
        cache: None,
        profile: false,
    };
    let outcome = train_folder(&training, device, control)?;
    let held_back = outcome
        .tested
        .first()
        .ok_or_else(|| Error::setting("clips", "too few to hold one back"))?;
    let (clip, truth) = (held_back.path.clone(), held_back.truth.clone());
    let answer = Classifier::load_on(outcome.run.best(), device)?.classify_file(&clip)?;
    Ok(Demo {
        outcome,
        clip,
        truth,
        answer,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_story_in_small() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("demo");
        let demo = demo_of(40, &out, 1, &Device::cpu(), Control::none()).unwrap();
        assert!(
            demo.clip
                .starts_with(out.join("music").canonicalize().unwrap()),
            "{:?}",
            demo.clip
        );
        assert!(GENRES.contains(&demo.truth.as_str()));
        assert_eq!(demo.answer.ranking.len(), 10);
        let tested = &demo.outcome.tested[0];
        assert_eq!(
            (&tested.path, &tested.answer),
            (&demo.clip, &demo.answer.best().label)
        );
        let report = std::fs::read_to_string(demo.outcome.run.report()).unwrap();
        assert!(report.contains("The music is synthetic"));
        let error = demo_of(40, &out, 1, &Device::cpu(), Control::none()).unwrap_err();
        assert!(matches!(error, Error::RunExists { .. }), "{error}");
        let error = demo_of(
            2,
            &dir.path().join("few"),
            1,
            &Device::cpu(),
            Control::none(),
        )
        .unwrap_err();
        assert!(error.to_string().contains("to hold one back"), "{error}");
    }
}
