//! The windows of a sound of any length, some at a time, so that memory does not grow with it.

use std::path::Path;

use audio::{Clip, Limits, Segment, Stream};
use kernels::Device;

use crate::Error;
use crate::input::AT_ONCE;
use crate::input::{Input, Windows};

/// Sounds of up to so many samples are taken into memory whole: three minutes at 44.1 kHz.
const IN_MEMORY: u64 = 1 << 23;

/// Hands over the windows of a sound file, or of a part of it, some at a time. What is long is decoded twice, piece by
/// piece: where its windows lie depends on its length.
///
/// Returns the file's faults that cost sound but are no error ([`Stream::warnings`]).
///
/// # Errors
/// [`Error::Audio`] or [`Error::Features`] naming the file and what is wrong with it; whatever `heard` refuses.
pub(crate) fn for_windows(
    input: &Input,
    path: &Path,
    segment: &Segment,
    mut heard: impl AsyncFnMut(Windows) -> Result<(), Error>,
) -> Result<Vec<String>, Error> {
    let name = path.display().to_string();
    let open = || -> Result<Stream<'static>, Error> {
        let mut stream = Stream::open(path, &Limits::LONG)?;
        stream.limit_to(segment)?;
        Ok(stream)
    };
    let mut stream = open()?;
    // A pipe cannot be read twice.
    let is_long = stream.about().is_none_or(|samples| samples > IN_MEMORY) && path.is_file();
    let samples = match is_long && input.seconds.is_some() {
        true => count(&mut stream)?,
        false => 0,
    };
    kernels::block_on(async {
        if samples == 0 {
            stream.set_limits(&Limits::default());
            let clip = stream.clip(&Segment::default())?;
            input
                .each_windows(&Device::cpu(), &clip, &name, heard)
                .await?;
            return Ok(stream.warnings());
        }
        let mut windows_of = WindowStream::new(input, open()?, samples, &name);
        while let Some(windows) = windows_of.next(AT_ONCE).await? {
            heard(windows).await?;
        }
        // It was read to its end to be counted.
        Ok(stream.warnings())
    })
}

/// Cuts a stream into the windows that [`Input::windows`] cuts a clip into.
struct WindowStream<'a> {
    input: &'a Input,
    name: &'a str,
    stream: Stream<'a>,
    cuts: std::vec::IntoIter<(usize, usize)>,
    /// Samples from the number `base` on.
    buffer: Vec<f32>,
    base: usize,
}

impl<'a> WindowStream<'a> {
    /// For a stream of so many samples, at its start; `name` goes into errors.
    fn new(
        input: &'a Input,
        stream: Stream<'a>,
        samples: usize,
        name: &'a str,
    ) -> WindowStream<'a> {
        WindowStream {
            input,
            name,
            cuts: input.cuts(samples, stream.sample_rate()).into_iter(),
            stream,
            buffer: Vec::new(),
            base: 0,
        }
    }

    /// The next windows, `most` at most; `None` after the last.
    async fn next(&mut self, most: usize) -> Result<Option<Windows>, Error> {
        // Features are computed where they were computed for the training: on the CPU.
        let device = Device::cpu();
        let mut all = Windows::default();
        for _ in 0..most {
            let Some((from, to)) = self.cuts.next() else {
                break;
            };
            self.fill(from, to)?;
            let clip = Clip {
                samples: self.buffer[..self.buffer.len().min(to - from)].to_vec(),
                sample_rate: self.stream.sample_rate(),
            };
            let window = self.input.window(&device, &clip, self.name).await?;
            all.append(window);
        }
        Ok((all.windows > 0).then_some(all))
    }

    /// Makes the buffer begin at `from` and reach to `to`, where the sound does.
    fn fill(&mut self, from: usize, to: usize) -> Result<(), Error> {
        loop {
            let before = from.saturating_sub(self.base).min(self.buffer.len());
            self.buffer.drain(..before);
            self.base += before;
            let filled = self.base == from && self.buffer.len() >= to - from;
            if filled || !self.stream.read(&mut self.buffer)? {
                return Ok(());
            }
        }
    }
}

/// How many samples are left in a stream, which is read to its end.
fn count(stream: &mut Stream<'_>) -> Result<usize, Error> {
    let (mut total, mut samples) = (0, Vec::new());
    while stream.read(&mut samples)? {
        total += samples.len();
        samples.clear();
    }
    Ok(total)
}

#[cfg(all(test, feature = "report"))]
mod tests {
    use super::*;
    use audio::{FeatureSettings, synth, wav};

    #[test]
    fn windows_come_as_they_come_from_a_clip_in_memory() {
        let bytes = wav::encode(&synth::clip(1, 2, 7.3, 8000));
        let mut input = Input {
            seconds: Some(0.8),
            ..crate::recipe::Recipe::load("demo").unwrap().input
        };
        input.features = FeatureSettings {
            sample_rate: 8000,
            n_fft: 256,
            hop: 128,
            n_mels: 16,
            ..FeatureSettings::default()
        };
        let open = || Stream::from_bytes(&bytes, "x", &Limits::LONG).unwrap();
        let samples = count(&mut open()).unwrap();
        let clip = audio::decode_bytes(&bytes, "x", &Limits::default()).unwrap();
        assert_eq!(samples, clip.samples.len());
        let whole = input.windows(&Device::cpu(), &clip, "x").unwrap();
        let mut windows_of = WindowStream::new(&input, open(), samples, "x");
        let (mut windows, mut values) = (0, Vec::new());
        while let Some(some) = kernels::block_on(windows_of.next(2)).unwrap() {
            assert!(some.windows <= 2);
            windows += some.windows;
            values.extend(some.values);
        }
        assert_eq!((windows, whole.windows), (9, 9));
        assert!(values == whole.values);

        drop(windows_of);
        input.seconds = Some(0.1);
        let (mut heard, mut turns) = (0, 0);
        let hear = async |windows: Windows| {
            heard += windows.windows;
            turns += 1;
            assert!(windows.windows <= AT_ONCE);
            Ok(())
        };
        kernels::block_on(input.each_windows(&Device::cpu(), &clip, "x", hear)).unwrap();
        assert_eq!((heard, turns), (73, 5));
    }
}
