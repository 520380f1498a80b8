//! Which notes a part plays, and when.

use super::dice::Dice;
use super::instruments::Note;
use super::styles::{Chord, Line, Part, Style};

/// What one clip's seed has chosen for all its parts.
pub(super) struct Song<'a> {
    style: &'a Style,
    progression: &'a [Chord],
    /// Semitones above the parts' base notes.
    key: i32,
    /// Samples from step to step.
    step: f32,
    /// Steps in a bar.
    steps: usize,
    /// The bar of the progression that comes first.
    first_bar: usize,
    /// How far strokes stray from their time, in samples.
    looseness: f32,
}

impl<'a> Song<'a> {
    pub(super) fn new(style: &'a Style, dice: &mut Dice, rate: f32) -> Self {
        let progression = *dice.pick(style.progressions);
        let beats_per_second = dice.between(style.tempo) / 60.0;
        Song {
            style,
            progression,
            key: dice.below(12) as i32,
            step: rate / (beats_per_second * style.steps_per_beat as f32),
            steps: style.parts[0].pattern.len(),
            first_bar: dice.below(progression.len()),
            looseness: dice.between((0.0, 0.008)) * rate,
        }
    }

    pub(super) fn bar_samples(&self) -> f32 {
        self.step * self.steps as f32
    }

    fn chord(&self, bar: usize) -> Chord {
        self.progression[(self.first_bar + bar) % self.progression.len()]
    }

    /// The steps of `pattern` that sound before sample `end`: bar, step in the bar, sample.
    fn hits(
        &self,
        pattern: &'static str,
        end: usize,
        dice: &mut Dice,
    ) -> Vec<(usize, usize, usize)> {
        let mut hits = Vec::new();
        let bars = (end as f32 / self.bar_samples()).ceil() as usize;
        for bar in 0..bars {
            for (step, letter) in pattern.bytes().enumerate() {
                let plays = match letter {
                    b'x' => true,
                    b'o' => dice.unit() < 0.5,
                    _ => false,
                };
                let late = if step % 2 == 1 { self.style.swing } else { 0.0 };
                let stray = self.looseness * dice.unit();
                let start = (bar as f32 * self.bar_samples()
                    + (step as f32 + late) * self.step
                    + stray) as usize;
                if plays && start < end {
                    hits.push((bar, step, start));
                }
            }
        }
        hits
    }

    /// When a drum is struck, and how hard: 1 on the beat, less beside it.
    pub(super) fn strokes(
        &self,
        pattern: &'static str,
        end: usize,
        dice: &mut Dice,
    ) -> Vec<(usize, f32)> {
        let hits = self.hits(pattern, end, dice);
        hits.into_iter()
            .map(|(_, step, start)| (start, self.accent(step) * dice.between((0.85, 1.0))))
            .collect()
    }

    /// The notes of one part before sample `end`, with levels around 1.
    pub(super) fn notes(&self, part: &Part, end: usize, dice: &mut Dice) -> Vec<Note> {
        let length = (part.hold * self.step) as usize;
        let mut walker = self.style.scale.len() as i32;
        let mut notes = Vec::new();
        for (count, (bar, step, start)) in
            self.hits(part.pattern, end, dice).into_iter().enumerate()
        {
            let (root, quality) = self.chord(bar);
            let root_pitch = part.base + (self.key + root) % 12;
            let level = self.accent(step) * dice.between((0.8, 1.0));
            let mut add = |pitch: i32, level: f32| {
                notes.push(Note {
                    start,
                    length,
                    pitch: pitch as f32,
                    level,
                })
            };
            match part.line {
                Line::Root => add(root_pitch, level),
                Line::RootFifth => add(root_pitch + if count % 2 == 1 { 7 } else { 0 }, level),
                Line::Octaves => add(root_pitch + if count % 2 == 1 { 12 } else { 0 }, level),
                Line::Walk => {
                    // Up through the chord, and from below into the next bar's root.
                    let last = step + self.steps / 4 >= self.steps;
                    let next = part.base + (self.key + self.chord(bar + 1).0) % 12;
                    add(
                        if last {
                            next - 1
                        } else {
                            root_pitch + quality[count % quality.len()]
                        },
                        level,
                    );
                }
                // A chord of many notes is no louder than one of few.
                Line::Chord => quality
                    .iter()
                    .for_each(|q| add(root_pitch + q, level * 1.6 / quality.len() as f32)),
                Line::Arpeggio => {
                    let octave = 12 * ((count / quality.len()) % 2) as i32;
                    add(root_pitch + quality[count % quality.len()] + octave, level);
                }
                Line::Melody => {
                    walker = (walker + dice.below(5) as i32 - 2)
                        .clamp(0, 2 * self.style.scale.len() as i32 - 1);
                    let scale = self.style.scale;
                    let (octave, degree) =
                        (walker / scale.len() as i32, walker as usize % scale.len());
                    // On the beat the melody rests on the chord.
                    let pitch = if step % self.style.steps_per_beat == 0 {
                        root_pitch + quality[degree % quality.len()]
                    } else {
                        part.base + self.key % 12 + scale[degree]
                    };
                    add(pitch + 12 * (octave - 1), level);
                }
            }
        }
        notes
    }

    fn accent(&self, step: usize) -> f32 {
        if step.is_multiple_of(self.style.steps_per_beat) {
            1.0
        } else {
            0.75
        }
    }
}
