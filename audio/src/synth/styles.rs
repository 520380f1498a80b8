//! The ten styles, as data: one row each.
//!
//! A pattern is one bar, one letter per step: `x` always plays, `o` in half of the bars, `.` never.

/// Semitones above a chord's root.
pub(super) type Quality = &'static [i32];

const MAJOR: Quality = &[0, 4, 7];
const MINOR: Quality = &[0, 3, 7];
const POWER: Quality = &[0, 7, 12];
const SEVENTH: Quality = &[0, 4, 7, 10];
const MINOR_7: Quality = &[0, 3, 7, 10];
const MAJOR_7: Quality = &[0, 4, 7, 11];
const NINTH: Quality = &[0, 4, 10, 14];

/// One bar's chord: its root in semitones above the key, and its quality.
pub(super) type Chord = (i32, Quality);

/// What a part does with a chord.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Line {
    /// The root at every step.
    Root,
    /// Root and fifth in turn.
    RootFifth,
    /// Root and its octave in turn.
    Octaves,
    /// Steps towards the next chord's root through the scale.
    Walk,
    /// All notes at once.
    Chord,
    /// One note of the chord after another.
    Arpeggio,
    /// A random walk through the scale that comes to rest on notes of the chord.
    Melody,
}

/// How one instrument sounds.
#[derive(Debug)]
pub(super) struct Timbre {
    /// Amplitudes of the first partials.
    pub(super) partials: &'static [f32],
    /// Seconds from silence to full.
    pub(super) attack: f32,
    /// Seconds in which it falls to 1/e of the way down to `sustain`.
    pub(super) decay: f32,
    /// Level held to the note's end.
    pub(super) sustain: f32,
    /// Depth of vibrato (5.5 Hz) in semitones.
    pub(super) vibrato: f32,
    /// Detuning of a second voice in semitones; 0 for none.
    pub(super) chorus: f32,
}

const SAW: &[f32] = &[
    1.0, 0.5, 0.333, 0.25, 0.2, 0.167, 0.143, 0.125, 0.111, 0.1, 0.091, 0.083, 0.077, 0.071, 0.067,
    0.0625, 0.059, 0.056,
];
const SQUARE: &[f32] = &[
    1.0, 0.0, 0.333, 0.0, 0.2, 0.0, 0.143, 0.0, 0.111, 0.0, 0.091, 0.0, 0.077, 0.0, 0.067,
];
const STRING: &[f32] = &[1.0, 0.7, 0.55, 0.4, 0.3, 0.22, 0.15, 0.1, 0.07, 0.05];
const PLUCKED: &[f32] = &[1.0, 0.65, 0.3, 0.35, 0.12, 0.18, 0.05, 0.08];
const REED: &[f32] = &[0.7, 1.0, 0.75, 0.5, 0.45, 0.25, 0.2, 0.1];
const DRAWBARS: &[f32] = &[0.8, 1.0, 0.6, 0.7, 0.0, 0.3, 0.0, 0.4];
const BELL: &[f32] = &[1.0, 0.15, 0.05, 0.25, 0.0, 0.0, 0.12];
const HAMMER: &[f32] = &[1.0, 0.45, 0.25, 0.16, 0.1, 0.06, 0.03];
const ROUND: &[f32] = &[1.0, 0.35, 0.1];
const PURE: &[f32] = &[1.0, 0.08];

const fn timbre(
    partials: &'static [f32],
    attack: f32,
    decay: f32,
    sustain: f32,
    vibrato: f32,
    chorus: f32,
) -> Timbre {
    Timbre {
        partials,
        attack,
        decay,
        sustain,
        vibrato,
        chorus,
    }
}

const PIANO: Timbre = timbre(HAMMER, 0.004, 0.5, 0.05, 0.0, 0.03);
const RHODES: Timbre = timbre(BELL, 0.005, 0.7, 0.1, 0.0, 0.05);
const ORGAN: Timbre = timbre(DRAWBARS, 0.01, 1.0, 0.9, 0.1, 0.08);
const STRINGS: Timbre = timbre(STRING, 0.12, 1.0, 0.9, 0.15, 0.12);
const FIDDLE: Timbre = timbre(STRING, 0.04, 1.0, 0.8, 0.3, 0.0);
const FLUTE: Timbre = timbre(ROUND, 0.06, 1.0, 0.9, 0.2, 0.0);
const SAX: Timbre = timbre(REED, 0.03, 0.6, 0.8, 0.25, 0.0);
const GUITAR: Timbre = timbre(PLUCKED, 0.003, 0.25, 0.05, 0.0, 0.02);
const BANJO: Timbre = timbre(SQUARE, 0.002, 0.09, 0.0, 0.0, 0.0);
const MUTED: Timbre = timbre(PLUCKED, 0.002, 0.05, 0.0, 0.0, 0.0);
const ELECTRIC: Timbre = timbre(SAW, 0.004, 0.8, 0.6, 0.05, 0.06);
const SYNTH: Timbre = timbre(SAW, 0.01, 0.3, 0.5, 0.0, 0.15);
const PAD: Timbre = timbre(STRING, 0.2, 2.0, 0.9, 0.05, 0.2);
const VOICE: Timbre = timbre(REED, 0.05, 0.8, 0.9, 0.35, 0.04);
const SQUARE_LEAD: Timbre = timbre(SQUARE, 0.01, 0.4, 0.6, 0.15, 0.0);
const UPRIGHT: Timbre = timbre(ROUND, 0.008, 0.3, 0.1, 0.0, 0.0);
const FINGER_BASS: Timbre = timbre(HAMMER, 0.005, 0.4, 0.3, 0.0, 0.0);
const SYNTH_BASS: Timbre = timbre(SAW, 0.004, 0.15, 0.4, 0.0, 0.0);
const SUB: Timbre = timbre(PURE, 0.01, 0.9, 0.5, 0.0, 0.0);

/// One instrument's part.
#[derive(Debug)]
pub(super) struct Part {
    /// What may play it.
    pub(super) timbres: &'static [Timbre],
    /// When.
    pub(super) pattern: &'static str,
    /// Which notes.
    pub(super) line: Line,
    /// The key's MIDI note number at its lowest.
    pub(super) base: i32,
    /// How long a note is held, in steps.
    pub(super) hold: f32,
    /// How loud.
    pub(super) level: f32,
}

const fn part(
    timbres: &'static [Timbre],
    line: Line,
    base: i32,
    hold: f32,
    level: f32,
    pattern: &'static str,
) -> Part {
    Part {
        timbres,
        pattern,
        line,
        base,
        hold,
        level,
    }
}

/// One bar of drums.
#[derive(Debug)]
pub(super) struct Drums {
    /// Bass drum.
    pub(super) kick: &'static str,
    /// Snare drum, or claps.
    pub(super) snare: &'static str,
    /// Closed hi-hat.
    pub(super) hat: &'static str,
    /// Open hi-hat, or ride cymbal.
    pub(super) open: &'static str,
    /// How loud.
    pub(super) level: f32,
}

/// One kind of music.
#[derive(Debug)]
pub(super) struct Style {
    /// The label.
    pub(super) name: &'static str,
    /// Beats per minute, from and to.
    pub(super) tempo: (f32, f32),
    /// Steps in a beat.
    pub(super) steps_per_beat: usize,
    /// By how much of a step every second step comes late.
    pub(super) swing: f32,
    /// Chords bar by bar, several to choose from.
    pub(super) progressions: &'static [&'static [Chord]],
    /// Semitones of the melody's scale.
    pub(super) scale: &'static [i32],
    /// Bass, chords, melody and more.
    pub(super) parts: &'static [Part],
    /// Drums, if any.
    pub(super) drums: Option<Drums>,
    /// Distortion of all but the drums: 0 for none.
    pub(super) drive: f32,
    /// Where the low-pass filter over everything begins, in Hz, from and to.
    pub(super) tone: (f32, f32),
    /// Share of echo.
    pub(super) room: f32,
}

const MAJOR_SCALE: &[i32] = &[0, 2, 4, 5, 7, 9, 11];
const MINOR_SCALE: &[i32] = &[0, 2, 3, 5, 7, 8, 10];
const BLUES_SCALE: &[i32] = &[0, 3, 5, 6, 7, 10];
const MAJOR_FIVE: &[i32] = &[0, 2, 4, 7, 9];
const DORIAN: &[i32] = &[0, 2, 3, 5, 7, 9, 10];
const PHRYGIAN: &[i32] = &[0, 1, 3, 5, 7, 8, 10];

const I: Chord = (0, MAJOR);
const IV: Chord = (5, MAJOR);
const V: Chord = (7, MAJOR);
const VI: Chord = (9, MINOR);
const I7: Chord = (0, SEVENTH);
const IV7: Chord = (5, SEVENTH);
const V7: Chord = (7, SEVENTH);
const MIN: Chord = (0, MINOR);

/// The ten rows, in the order of their names.
#[rustfmt::skip] // Patterns of one style stand below one another.
pub(super) const STYLES: [Style; 10] = [
    Style {
        name: "blues",
        tempo: (72.0, 112.0),
        steps_per_beat: 3,
        swing: 0.0,
        progressions: &[&[I7, I7, IV7, I7, V7, IV7], &[I7, IV7, I7, V7]],
        scale: BLUES_SCALE,
        parts: &[
            part(&[UPRIGHT, FINGER_BASS], Line::Walk, 33, 2.5, 0.9, "x.ox.ox.ox.o"),
            part(&[GUITAR, PIANO], Line::Chord, 52, 1.5, 0.45, "x.xo.xx.xo.x"),
            part(&[ELECTRIC, SAX], Line::Melody, 64, 2.0, 0.5, "o.oo.ox.oo.."),
        ],
        drums: Some(Drums { kick: "x.....x....o", snare: "...x.....x..", hat: "x.xx.xx.xx.x", open: "............", level: 0.5 }),
        drive: 0.6,
        tone: (3500.0, 7000.0),
        room: 0.15,
    },
    Style {
        name: "classical",
        tempo: (60.0, 116.0),
        steps_per_beat: 4,
        swing: 0.0,
        progressions: &[&[I, IV, V, I], &[I, VI, (2, MINOR), V], &[MIN, (8, MAJOR), (5, MINOR), V]],
        scale: MAJOR_SCALE,
        parts: &[
            part(&[STRINGS], Line::Chord, 48, 8.0, 0.35, "x.......x......."),
            part(&[PIANO, FLUTE], Line::Arpeggio, 60, 2.0, 0.4, "x.x.x.xox.x.x.xo"),
            part(&[FIDDLE, FLUTE, PIANO], Line::Melody, 72, 4.0, 0.45, "x...o.x.x...o..."),
            part(&[STRINGS], Line::Root, 36, 14.0, 0.4, "x..............."),
        ],
        drums: None,
        drive: 0.0,
        tone: (5000.0, 10_000.0),
        room: 0.4,
    },
    Style {
        name: "country",
        tempo: (96.0, 132.0),
        steps_per_beat: 4,
        swing: 0.1,
        progressions: &[&[I, IV, I, V], &[I, I, IV, V], &[I, V, IV, I]],
        scale: MAJOR_FIVE,
        parts: &[
            part(&[UPRIGHT, FINGER_BASS], Line::RootFifth, 36, 3.0, 0.8, "x.......x......."),
            part(&[GUITAR], Line::Chord, 55, 1.5, 0.5, "....x.o.....x.o."),
            part(&[BANJO], Line::Arpeggio, 62, 1.0, 0.5, "x.xxx.xxx.xxx.xx"),
            part(&[FIDDLE, GUITAR], Line::Melody, 69, 2.0, 0.4, "o...x.o.x...o.o."),
        ],
        drums: Some(Drums { kick: "x.......x.......", snare: "..o.x.o...o.x.o.", hat: "................", open: "................", level: 0.35 }),
        drive: 0.0,
        tone: (6000.0, 10_000.0),
        room: 0.1,
    },
    Style {
        name: "disco",
        tempo: (112.0, 130.0),
        steps_per_beat: 4,
        swing: 0.0,
        progressions: &[&[(0, MINOR_7), (5, MINOR_7)], &[(0, MINOR_7), (10, MAJOR), (8, MAJOR_7), (10, MAJOR)]],
        scale: DORIAN,
        parts: &[
            part(&[SYNTH_BASS, FINGER_BASS], Line::Octaves, 33, 1.5, 0.85, "x.x.x.x.x.x.x.x."),
            part(&[MUTED, GUITAR], Line::Chord, 60, 0.8, 0.45, "o.xxo.x.o.xxo.xo"),
            part(&[STRINGS], Line::Melody, 76, 3.0, 0.4, "x.....o.x...o..."),
        ],
        drums: Some(Drums { kick: "x...x...x...x...", snare: "....x.......x...", hat: "x...x...x...x...", open: "..x...x...x...x.", level: 0.8 }),
        drive: 0.0,
        tone: (8000.0, 10_500.0),
        room: 0.15,
    },
    Style {
        name: "hiphop",
        tempo: (78.0, 98.0),
        steps_per_beat: 4,
        swing: 0.18,
        progressions: &[&[(0, MINOR_7)], &[(0, MINOR_7), (8, MAJOR_7)], &[MIN, (10, MAJOR)]],
        scale: MINOR_SCALE,
        parts: &[
            part(&[SUB], Line::Root, 28, 5.0, 1.2, "x.....o...x..o.."),
            part(&[RHODES, PIANO], Line::Chord, 55, 6.0, 0.3, "x.......o..x...."),
            part(&[FLUTE, SQUARE_LEAD], Line::Melody, 67, 1.5, 0.22, "o..o....o..o..o."),
        ],
        drums: Some(Drums { kick: "x..o..o.x.x..o..", snare: "....x.......x..o", hat: "x.x.x.xox.x.xoxo", open: "..............o.", level: 1.1 }),
        drive: 0.0,
        tone: (2800.0, 5500.0),
        room: 0.08,
    },
    Style {
        name: "jazz",
        tempo: (110.0, 190.0),
        steps_per_beat: 2,
        swing: 0.33,
        progressions: &[&[(2, MINOR_7), (7, NINTH), (0, MAJOR_7), (9, SEVENTH)], &[(0, MAJOR_7), (9, MINOR_7), (2, MINOR_7), (7, NINTH)]],
        scale: DORIAN,
        parts: &[
            part(&[UPRIGHT], Line::Walk, 33, 1.9, 0.95, "x.x.x.x."),
            part(&[RHODES, PIANO], Line::Chord, 53, 1.0, 0.35, "o..x.o.."),
            part(&[SAX, FLUTE], Line::Melody, 65, 1.2, 0.5, "xoxxoxxo"),
        ],
        drums: Some(Drums { kick: "o.......", snare: ".....o.o", hat: "..x...x.", open: "x.xxx.xx", level: 0.32 }),
        drive: 0.0,
        tone: (5000.0, 9000.0),
        room: 0.25,
    },
    Style {
        name: "metal",
        tempo: (130.0, 185.0),
        steps_per_beat: 4,
        swing: 0.0,
        progressions: &[&[(0, POWER), (1, POWER)], &[(0, POWER), (0, POWER), (3, POWER), (1, POWER)], &[(0, POWER), (8, POWER)]],
        scale: PHRYGIAN,
        parts: &[
            part(&[SYNTH_BASS], Line::Root, 28, 1.0, 0.6, "x.xxx.xxx.xxx.xx"),
            part(&[ELECTRIC], Line::Chord, 40, 1.2, 0.9, "x.xxx.xxx.xxx.xx"),
            part(&[ELECTRIC], Line::Chord, 40, 6.0, 0.6, "x.......o......."),
            part(&[ELECTRIC], Line::Melody, 64, 1.0, 0.3, "oooooooooooooooo"),
        ],
        drums: Some(Drums { kick: "xxxxxxxxxxxxxxxx", snare: "....x.......x...", hat: "x...x...x...x...", open: "x.......o.......", level: 0.75 }),
        drive: 9.0,
        tone: (7000.0, 10_500.0),
        room: 0.05,
    },
    Style {
        name: "pop",
        tempo: (94.0, 126.0),
        steps_per_beat: 4,
        swing: 0.0,
        progressions: &[&[I, V, VI, IV], &[VI, IV, I, V], &[I, VI, IV, V]],
        scale: MAJOR_FIVE,
        parts: &[
            part(&[SYNTH_BASS], Line::Root, 36, 1.8, 0.7, "x.x.x.x.x.x.x.x."),
            part(&[SYNTH, PAD], Line::Chord, 60, 7.0, 0.35, "x.......x......."),
            part(&[SYNTH, SQUARE_LEAD], Line::Arpeggio, 72, 1.0, 0.45, "x.xxx.xxx.xxx.xx"),
            part(&[VOICE], Line::Melody, 67, 2.5, 0.55, "x..ox.o.x..ox..."),
        ],
        drums: Some(Drums { kick: "x.......x.o.....", snare: "....x.......x...", hat: "x.x.x.x.x.x.x.x.", open: "..............o.", level: 0.65 }),
        drive: 0.0,
        tone: (9000.0, 10_500.0),
        room: 0.3,
    },
    Style {
        name: "reggae",
        tempo: (66.0, 88.0),
        steps_per_beat: 4,
        swing: 0.12,
        progressions: &[&[I, IV], &[I, V, IV, I], &[MIN, (10, MAJOR)]],
        scale: MAJOR_FIVE,
        parts: &[
            part(&[FINGER_BASS], Line::RootFifth, 33, 2.5, 1.0, "x..x..x.o.x.x..o"),
            part(&[MUTED, ORGAN], Line::Chord, 60, 0.9, 0.9, "..x...x...x...x."),
            part(&[ORGAN], Line::Chord, 60, 0.7, 0.4, "..xo..xo..xo..xo"),
            part(&[SAX, VOICE], Line::Melody, 64, 2.5, 0.25, "o.....o...o....."),
        ],
        drums: Some(Drums { kick: "........x.......", snare: "........x.....o.", hat: "x.x.x.x.x.x.x.x.", open: "................", level: 0.5 }),
        drive: 0.0,
        tone: (5000.0, 8500.0),
        room: 0.35,
    },
    Style {
        name: "rock",
        tempo: (106.0, 150.0),
        steps_per_beat: 4,
        swing: 0.0,
        progressions: &[&[(0, POWER), (10, POWER), (5, POWER), (0, POWER)], &[(0, POWER), (5, POWER), (7, POWER), (5, POWER)]],
        scale: BLUES_SCALE,
        parts: &[
            part(&[FINGER_BASS], Line::Root, 33, 1.8, 0.8, "x.x.x.x.x.x.x.x."),
            part(&[ELECTRIC], Line::Chord, 45, 1.9, 0.8, "x.x.x.x.x.xox.x."),
            part(&[ELECTRIC], Line::Melody, 64, 2.0, 0.45, "x.o.x..oo.x.x.o."),
        ],
        drums: Some(Drums { kick: "x.......x.x....o", snare: "....x.......x...", hat: "x.x.x.x.x.x.x.x.", open: "o...............", level: 0.85 }),
        drive: 4.0,
        tone: (5000.0, 8000.0),
        room: 0.12,
    },
];
