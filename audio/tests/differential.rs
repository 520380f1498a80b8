//! Sound encoded by the tools at hand, decoded here and by ffmpeg, libsndfile or opusdec: the same samples.
//!
//! A tool that is missing skips its rows, by name; where the variable `CI` is set it is a failure.
#![cfg(feature = "formats")]

use audio::{Clip, Limits, decode, decode_bytes};
use std::path::Path;
use std::process::{Command, Stdio};

/// Who says what is right.
#[derive(Clone, Copy, PartialEq)]
enum Judge {
    Ffmpeg,
    Sndfile,
    Opusdec,
}

/// One encoding.
struct Row {
    file: String,
    channels: u16,
    /// The tool and its arguments; `IN` and `OUT` stand for the files.
    encode: Vec<String>,
    judge: Judge,
    /// How far samples may be apart, and by how many the lengths may differ.
    apart: f32,
    slack: usize,
}

const RATE: u32 = 44_100;

/// Two thirds of a second of tones, clicks and noise, different in every channel, as 16-bit WAV.
fn sound(channels: u16) -> Vec<u8> {
    let mut noise = 1u32;
    let mut data = Vec::new();
    for i in 0..RATE * 2 / 3 {
        for channel in 0..u32::from(channels) {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let t = f64::from(i) / f64::from(RATE);
            let tone = [220.0, 1310.0, 5200.0]
                .map(|f| (t * f * std::f64::consts::TAU + f64::from(channel)).sin());
            let click = if (i + 3000 * channel) % 9000 < 60 {
                0.3
            } else {
                0.02
            };
            let rough = click * (f64::from(noise >> 8) / f64::from(1 << 23) - 1.0);
            let sample = 0.12 * tone.iter().sum::<f64>() + rough;
            data.extend(((sample * 32_000.0) as i16).to_le_bytes());
        }
    }
    let block = 2 * channels;
    let extensible = channels > 2;
    let mut file = b"RIFF\0\0\0\0WAVEfmt ".to_vec();
    file.extend(if extensible { 40u32 } else { 16 }.to_le_bytes());
    file.extend(if extensible { 0xfffeu16 } else { 1 }.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(RATE.to_le_bytes());
    file.extend((RATE * u32::from(block)).to_le_bytes());
    file.extend([block.to_le_bytes(), 16u16.to_le_bytes()].concat());
    if extensible {
        // The speakers that FLAC and Vorbis have for so many channels.
        let speakers: u32 = [7, 0x33, 0x37, 0x3f, 0x70f, 0x63f][usize::from(channels) - 3];
        file.extend([22u16.to_le_bytes(), 16u16.to_le_bytes()].concat());
        file.extend(speakers.to_le_bytes());
        file.extend([
            1, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71,
        ]);
    }
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    let size = (file.len() as u32 - 8).to_le_bytes();
    file[4..8].copy_from_slice(&size);
    file
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut row = |file: &str, channels, encode: &str, judge, apart, slack| {
        rows.push(Row {
            file: format!("{channels}-{file}"),
            channels,
            encode: encode.split(' ').map(String::from).collect(),
            judge,
            apart,
            slack,
        });
    };
    use Judge::{Ffmpeg, Opusdec, Sndfile};
    let exact = 1e-7;
    for channels in 1..=8 {
        for form in [
            "pcm_u8",
            "pcm_s16le",
            "pcm_s24le",
            "pcm_s32le",
            "pcm_f32le",
            "pcm_f64le",
        ] {
            let encode = format!("ffmpeg -i IN -c:a {form} OUT");
            row(&format!("{form}.wav"), channels, &encode, Sndfile, exact, 0);
        }
        for level in [0, 5, 8] {
            let encode = format!("flac -s -{level} -o OUT IN");
            row(
                &format!("{level}.flac"),
                channels,
                &encode,
                Sndfile,
                exact,
                0,
            );
        }
        for quality in ["-1", "1", "3", "4", "6"] {
            let encode = format!("oggenc -Q -q {quality} -o OUT IN");
            row(
                &format!("q{quality}.ogg"),
                channels,
                &encode,
                Sndfile,
                1e-6,
                0,
            );
        }
        for rate in [64, 256] {
            let encode = format!("opusenc --quiet --bitrate {rate} IN OUT");
            row(&format!("{rate}.opus"), channels, &encode, Opusdec, 1e-6, 0);
        }
    }
    for channels in [1, 2] {
        for form in ["alaw", "mulaw"] {
            let encode = format!("ffmpeg -i IN -c:a pcm_{form} OUT");
            row(&format!("{form}.wav"), channels, &encode, Sndfile, exact, 0);
            row(&format!("{form}.au"), channels, &encode, Sndfile, exact, 0);
        }
        for form in ["adpcm_ms", "adpcm_ima_wav"] {
            // libsndfile gives the whole last block, whatever the header counts.
            let encode = format!("ffmpeg -i IN -c:a {form} OUT");
            row(
                &format!("{form}.wav"),
                channels,
                &encode,
                Sndfile,
                exact,
                2048,
            );
        }
        for form in ["pcm_s8", "pcm_s16be", "pcm_s24be", "pcm_s32be"] {
            let encode = format!("ffmpeg -i IN -c:a {form} OUT");
            row(
                &format!("{form}.aiff"),
                channels,
                &encode,
                Sndfile,
                exact,
                0,
            );
            row(&format!("{form}.au"), channels, &encode, Sndfile, exact, 0);
        }
        for form in ["pcm_s16le", "pcm_f32be"] {
            let encode = format!("ffmpeg -i IN -c:a {form} OUT");
            row(
                &format!("{form}.aifc"),
                channels,
                &format!("{encode} -f aiff"),
                Sndfile,
                exact,
                0,
            );
            row(&format!("{form}.caf"), channels, &encode, Sndfile, exact, 0);
        }
        row(
            "sox.aifc",
            channels,
            "sox IN -t aifc OUT",
            Sndfile,
            exact,
            0,
        );
        row("sox24.au", channels, "sox IN -b 24 OUT", Sndfile, exact, 0);
        row(
            "rf64.wav",
            channels,
            "ffmpeg -i IN -rf64 always OUT",
            Sndfile,
            exact,
            0,
        );
        row(
            "alac.m4a",
            channels,
            "ffmpeg -i IN -c:a alac OUT",
            Ffmpeg,
            exact,
            0,
        );
        row(
            "flac.mka",
            channels,
            "ffmpeg -i IN -c:a flac OUT",
            Ffmpeg,
            exact,
            0,
        );
        row(
            "flac.ogg",
            channels,
            "ffmpeg -i IN -c:a flac OUT",
            Ffmpeg,
            exact,
            0,
        );
        row(
            "vorbis.mka",
            channels,
            "ffmpeg -i IN -c:a libvorbis OUT",
            Ffmpeg,
            1e-6,
            0,
        );
        // ffmpeg keeps what fills the last frame of AAC in MP4; symphonia does not tell Matroska's padding. ffmpeg has
        // libopus decode to 16 bits.
        row(
            "aac.m4a",
            channels,
            "ffmpeg -i IN -c:a aac -b:a 96k OUT",
            Ffmpeg,
            1e-4,
            1024,
        );
        row(
            "aac.aac",
            channels,
            "ffmpeg -i IN -c:a aac -b:a 96k OUT",
            Ffmpeg,
            1e-4,
            0,
        );
        row(
            "aac.mka",
            channels,
            "ffmpeg -i IN -c:a aac -b:a 96k OUT",
            Ffmpeg,
            1e-4,
            2048,
        );
        row(
            "opus.webm",
            channels,
            "ffmpeg -i IN -c:a libopus -b:a 64k OUT",
            Ffmpeg,
            3.2e-5,
            960,
        );
        for rate in ["12k", "24k"] {
            let encode = format!("ffmpeg -i IN -c:a libopus -application voip -b:a {rate} OUT");
            row(
                &format!("voip{rate}.opus"),
                channels,
                &encode,
                Opusdec,
                1e-6,
                0,
            );
        }
        for flags in ["-b 128", "-V 2", "-V 7 --resample 22.05"] {
            let file = format!("{}.mp3", flags.replace(' ', "_"));
            let encode = format!("lame --quiet {flags} IN OUT");
            row(&file, channels, &encode, Ffmpeg, 1e-5, 1152);
        }
    }
    rows
}

/// Whether the tool is there; in CI it has to be.
fn is_there(tool: &str) -> bool {
    let mut asked = Command::new(tool);
    asked.arg("--version").stdin(Stdio::null());
    let there = asked
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok();
    assert!(
        there || std::env::var_os("CI").is_none(),
        "{tool} is missing"
    );
    there
}

fn run(command: &[String]) -> Vec<u8> {
    let mut tool = Command::new(&command[0]);
    if command[0] == "ffmpeg" {
        tool.args(["-v", "error", "-nostdin", "-y"]);
    }
    let output = tool
        .args(&command[1..])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", command.join(" "));
    output.stdout
}

/// What the judge decodes, mixed to one channel.
fn judged(judge: Judge, file: &Path, channels: u16) -> Vec<f32> {
    let (file, wav) = (
        file.display().to_string(),
        format!("{}.wav", file.display()),
    );
    let float = |command: &str| {
        let words = command.split(' ').map(|word| match word {
            "IN" => file.clone(),
            "OUT" => wav.clone(),
            other => other.into(),
        });
        run(&words.collect::<Vec<_>>())
    };
    match judge {
        Judge::Ffmpeg => {
            let codec = if file.ends_with("webm") {
                "-c:a libopus "
            } else {
                ""
            };
            let raw = float(&format!("ffmpeg {codec}-i IN -f f32le -"));
            let samples = raw
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
            let samples: Vec<f32> = samples.collect();
            let gain = 1.0 / f32::from(channels);
            let blocks = samples.chunks_exact(channels.into());
            return blocks
                .map(|block| gain * block.iter().sum::<f32>())
                .collect();
        }
        Judge::Sndfile => {
            // From integers to floats it would bring the peak to full scale.
            let floats = [".ogg", "_f32", "_f64"]
                .iter()
                .any(|kind| file.contains(kind));
            let kind = if floats { "float32" } else { "pcm32" };
            float(&format!("sndfile-convert -{kind} IN OUT"))
        }
        Judge::Opusdec => float("opusdec --quiet --float --rate 48000 --no-dither IN OUT"),
    };
    decode(Path::new(&wav), &Limits::default()).unwrap().samples
}

#[test]
fn every_encoding_is_what_other_decoders_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut missing = std::collections::BTreeSet::new();
    let tools = [
        "ffmpeg",
        "flac",
        "lame",
        "oggenc",
        "opusdec",
        "opusenc",
        "sndfile-convert",
        "sox",
    ];
    missing.extend(tools.into_iter().filter(|tool| !is_there(tool)));
    let (mut checked, mut wrong) = (0, Vec::new());
    for row in rows() {
        let judge = match row.judge {
            Judge::Ffmpeg => "ffmpeg",
            Judge::Sndfile => "sndfile-convert",
            Judge::Opusdec => "opusdec",
        };
        if missing.contains(judge) || missing.contains(row.encode[0].as_str()) {
            continue;
        }
        let original = folder.path().join(format!("{}.wav", row.channels));
        std::fs::write(&original, sound(row.channels)).unwrap();
        let file = folder.path().join(&row.file);
        let words = row.encode.iter().map(|word| match word.as_str() {
            "IN" => original.display().to_string(),
            "OUT" => file.display().to_string(),
            other => other.into(),
        });
        run(&words.collect::<Vec<_>>());
        let expected = judged(row.judge, &file, row.channels);
        let found = decode(&file, &Limits::default()).map(|clip| clip.samples);
        checked += 1;
        match found {
            Err(error) => wrong.push(error.to_string()),
            Ok(found) => {
                let pairs = found.iter().zip(&expected);
                let apart = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                let (own, theirs) = (found.len(), expected.len());
                if apart > row.apart || own.abs_diff(theirs) > row.slack || own == 0 {
                    let what = &row.file;
                    wrong.push(format!(
                        "{what}: {own} samples, {theirs} wanted, off by {apart:e}"
                    ));
                }
            }
        }
    }
    println!("{checked} encodings compared; missing: {missing:?}");
    assert!(wrong.is_empty(), "of {checked}:\n{}", wrong.join("\n"));
}

/// Internet radio, as it is recorded: one file behind the other.
#[test]
fn chains_of_every_codec_are_read_whole() {
    if !["flac", "oggenc", "opusenc"]
        .iter()
        .all(|tool| is_there(tool))
    {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("in.wav"), sound(2)).unwrap();
    for encode in [
        "flac -s --ogg -o OUT IN",
        "oggenc -Q -o OUT IN",
        "opusenc --quiet IN OUT",
    ] {
        let words = encode.split(' ').map(|word| match word {
            "IN" => path("in.wav"),
            "OUT" => path("one.ogg"),
            other => other.into(),
        });
        run(&words.collect::<Vec<_>>());
        let one = std::fs::read(path("one.ogg")).unwrap();
        let read = |bytes: &[u8]| -> Clip { decode_bytes(bytes, "x", &Limits::default()).unwrap() };
        let (once, twice) = (read(&one), read(&one.repeat(2)));
        assert!(twice.samples == once.samples.repeat(2), "{encode}");
        std::fs::remove_file(path("one.ogg")).unwrap();
    }
}
