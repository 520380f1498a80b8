//! A run as a report, with pictures of some clips.

use super::{ClipAnswer, Outcome};
use crate::Error;
use crate::base::files;
use crate::data::dataset::Content;
use crate::input::Input;
use crate::input::picture::is_picture;
use crate::report::{Example, Report};

/// Maximum number of correct predictions shown, and of wrong ones.
const EXAMPLES: usize = 3;

/// Writes the run as one page.
pub(super) fn report(outcome: &Outcome) -> Result<Report, Error> {
    let (recipe, data) = (&outcome.settings.recipe, &outcome.settings.data);
    let [train, validation, test] = data.split;
    Ok(Report {
        title: recipe.name.clone(),
        subtitle: format!(
            "{} labels · {train} clips to learn from, {validation} to choose the epoch, {test} to test · {} · trained on {} with seed {}",
            data.labels.len(),
            data.dir,
            outcome.settings.device,
            outcome.settings.seed
        ),
        notes: recipe
            .notes
            .iter()
            .chain(&outcome.warnings)
            .cloned()
            .collect(),
        history: outcome.history.clone(),
        best_epoch: Some(outcome.best_epoch).filter(|&epoch| epoch > 0),
        metrics: outcome.metrics.clone(),
        claimed: recipe.claimed.clone().into_iter().collect(),
        examples: examples(&outcome.tested, &recipe.input),
        settings: outcome.settings.to_toml()?,
    })
}

/// Returns the most confident correct predictions of different labels, and the most confident wrong ones.
fn examples(tested: &[ClipAnswer], input: &Input) -> Vec<Example> {
    let mut sure: Vec<&ClipAnswer> = tested.iter().collect();
    sure.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    let mut shown: Vec<&ClipAnswer> = Vec::new();
    for right in [true, false] {
        let mut labels: Vec<&str> = Vec::new();
        for clip in sure
            .iter()
            .filter(|clip| (clip.truth == clip.answer) == right)
        {
            if labels.len() < EXAMPLES && !labels.contains(&clip.truth.as_str()) {
                labels.push(&clip.truth);
                shown.push(clip);
            }
        }
    }
    let example = |clip: &ClipAnswer| Example {
        name: clip.name.clone(),
        truth: clip.truth.clone(),
        answer: clip.answer.clone(),
        probability: clip.probability as f32,
        // A clip that can no longer be read is shown without a picture.
        picture: picture(clip, input).unwrap_or_default(),
    };
    shown.into_iter().map(example).collect()
}

/// The beginning of a clip, as long as a window, as the features show it before they are resized; nothing for a
/// table's row.
fn picture(clip: &ClipAnswer, input: &Input) -> Result<Vec<u8>, Error> {
    if Content::of_name(&clip.path).is_none() {
        return Ok(Vec::new());
    }
    let file = files::read_bytes(&clip.path)?;
    if is_picture(&file) {
        return Ok(file);
    }
    let name = clip.path.display().to_string();
    let mut sound = audio::decode_bytes(&file, &name, &audio::Limits::default())?;
    if let Some(seconds) = input.seconds {
        let samples = seconds * f64::from(sound.sample_rate);
        sound.samples.truncate((samples as usize).max(1));
    }
    // A table has no picture: the log-mel spectrogram is shown instead.
    let settings = match input.features.is_picture() {
        true => input.features.clone(),
        false => audio::FeatureSettings::default(),
    };
    let features = audio::extract(&engine::Device::cpu(), &settings, &sound)?;
    let options = audio::plot::PlotOptions {
        width: 640,
        height: 320,
        ..Default::default()
    };
    Ok(audio::plot::spectrogram_png(
        &features, &settings, &options,
    )?)
}
