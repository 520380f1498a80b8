//! Two programs in one run folder; programs that are killed, and programs that are told to stop.
#![cfg(unix)]

use crate::program::{command, home, melgrad, music, second, small_recipe, write, write_wav};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// A command that runs while the test goes on. It is killed with this value.
struct Running {
    child: Child,
    /// Open, and nothing is written to it.
    _stdin: Option<ChildStdin>,
    err: BufReader<ChildStderr>,
}

impl Running {
    fn start(home: &Path, args: &[&str]) -> Running {
        let mut command = command(home);
        command.args(args).stdin(Stdio::piped());
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let err = BufReader::new(child.stderr.take().unwrap());
        let _stdin = child.stdin.take();
        Running { child, _stdin, err }
    }

    /// A training that takes very long, in its second epoch.
    fn training(home: &Path, out: &str) -> Running {
        let mut running = Running::start(home, &training(out));
        running.wait_for("epoch   1");
        running
    }

    #[track_caller]
    fn wait_for(&mut self, words: &str) {
        let (mut line, mut all) = (String::new(), String::new());
        while !line.contains(words) {
            line.clear();
            let read = self.err.read_line(&mut line).unwrap();
            all += &line;
            assert!(read > 0, "it ended before {words:?}: {all}");
        }
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Sends SIGTERM: how long it took to end, its exit code and what it said then.
    fn terminated(mut self) -> (Duration, Option<i32>, String) {
        self.signal("TERM");
        let sent = Instant::now();
        let code = self.child.wait().unwrap().code();
        let took = sent.elapsed();
        let mut text = String::new();
        self.err.read_to_string(&mut text).unwrap();
        (took, code, text)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn training(out: &str) -> [&str; 11] {
    [
        "train",
        "--data",
        "music",
        "--recipe",
        "small.toml",
        "--out",
        out,
        "--epochs",
        "100000",
        "--device",
        "cpu",
    ]
}

/// Names in a folder, sorted.
fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn two_programs_do_not_write_one_run() {
    let home = home();
    music(home.path(), 2, 6);
    small_recipe(home.path());
    let first = Running::training(home.path(), "run");
    let process = format!("process {}", first.child.id());
    let resume = ["train", "--resume", "--out", "run", "--device", "cpu"];
    melgrad(home.path(), resume)
        .fails(1, &["run: ", &process])
        .hints("--out");
    melgrad(home.path(), training("run")).fails(1, &["run: ", &process]);
    let (_, code, text) = first.terminated();
    assert_eq!(code, Some(1), "{text}");
    melgrad(home.path(), [&resume[..], &["--epochs", "2"]].concat()).done();
    let table = fs::read_to_string(home.path().join("run/history.csv")).unwrap();
    let epochs = table
        .lines()
        .skip(1)
        .map(|row| row.split(',').next().unwrap());
    let expected: Vec<String> = (1..table.lines().count()).map(|n| n.to_string()).collect();
    assert!(epochs.eq(&expected), "each epoch once: {table}");
}

#[test]
fn searches_series_and_reproductions_are_locked_too() {
    let home = home();
    music(home.path(), 2, 6);
    let recipe = small_recipe(home.path());
    let mut text = fs::read_to_string(&recipe).unwrap();
    text += "[search]\n\"training.learning_rate\" = { from = 1e-4, to = 1e-2, log = true }\n";
    write(&recipe, text.as_bytes());
    let long = ["--data", "music", "--device", "cpu", "--out", "there"];
    let epochs = ["--set", "training.epochs=100000"];
    let search = [&["search", "small.toml"], &long[..], &epochs].concat();
    let series = [&training("there")[..], &["--repeats", "2"]].concat();
    let reproduce = [&["reproduce", "small.toml"], &long[..], &epochs].concat();
    for (args, folder) in [
        (search, "there"),
        (series, "there"),
        (reproduce, "there/small"),
    ] {
        let mut first = Running::start(home.path(), &args);
        first.wait_for("epoch   1");
        let process = format!("process {}", first.child.id());
        melgrad(home.path(), &args).fails(1, &[&format!("{folder}: "), &process]);
        let (took, code, text) = first.terminated();
        assert_eq!(code, Some(1), "{args:?}: {text}");
        assert!(
            took < Duration::from_secs(3) && text.contains("goes on"),
            "{text}"
        );
        fs::remove_dir_all(home.path().join("there")).unwrap();
    }
}

#[test]
fn what_a_killed_program_left_half_written_is_cleared() {
    let home = home();
    music(home.path(), 2, 6);
    small_recipe(home.path());
    let half = |name: &str| name.ends_with(".melgrad.tmp");
    drop(Running::training(home.path(), "run"));
    // As a program leaves it that is killed while it writes a checkpoint.
    let stale = home
        .path()
        .join("run/.last.safetensors.99999-0.melgrad.tmp");
    fs::write(stale, [0; 1000]).unwrap();
    // One that a living process holds stays.
    let held = home.path().join("run/.held.1-1.melgrad.tmp");
    let file = fs::File::create(&held).unwrap();
    file.lock().unwrap();
    let resume = [
        "train", "--resume", "--out", "run", "--epochs", "2", "--device", "cpu",
    ];
    melgrad(home.path(), resume).done();
    let mut after = names(&home.path().join("run"));
    after.retain(|name| half(name));
    assert_eq!(after, [".held.1-1.melgrad.tmp"]);
}

#[test]
fn every_command_ends_soon_when_told_to() {
    let home = home();
    music(home.path(), 2, 6);
    small_recipe(home.path());
    write_wav(&home.path().join("a.wav"), &second(0, 1));
    // Long in one piece: a step of a large batch, measurements, and sound that never comes.
    let train = [
        &training("run")[..],
        &["--set", "input.frames=512", "--batch", "1000"],
    ]
    .concat();
    let commands = [
        (train, "dataset"),
        (
            vec!["bench", "--rung", "all", "--device", "cpu"],
            "bench: 1/",
        ),
        (
            vec!["classify", "a.wav", "/dev/stdin", "--device", "cpu"],
            "device: ",
        ),
        (
            vec![
                "features",
                "/dev/stdin",
                "--out",
                "b.npy",
                "--device",
                "cpu",
            ],
            "device: ",
        ),
        (
            vec!["synth", "--out", "more", "--clips", "100000"],
            "synthesis: ",
        ),
    ];
    for (args, begun) in commands {
        let mut running = Running::start(home.path(), &args);
        running.wait_for(begun);
        // Until the handler is there.
        std::thread::sleep(Duration::from_millis(300));
        let (took, code, text) = running.terminated();
        assert!(
            took < Duration::from_secs(4),
            "{args:?} took {took:?}: {text}"
        );
        assert_eq!(code, Some(1), "{args:?}: {text}");
        assert!(text.contains("error: "), "{args:?}: {text}");
    }
    let left = names(home.path());
    assert!(!left.iter().any(|name| name.ends_with(".tmp")), "{left:?}");
}

/// Makes a named pipe. Nobody writes to it.
fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn pipes_and_sockets_are_passed_over_or_refused() {
    let home = home();
    let music = music(home.path(), 2, 6);
    small_recipe(home.path());
    pipe(&music.join("blues/pipe.wav"));
    let socket = music.join("blues/socket.mp3");
    let _listener = std::os::unix::net::UnixListener::bind(socket).unwrap();
    std::os::unix::fs::symlink("self.wav", music.join("blues/self.wav")).unwrap();
    std::os::unix::fs::symlink(".", music.join("blues/up")).unwrap();
    let device = ["--device", "cpu"];
    let train = [
        "train",
        "--data",
        "music",
        "--recipe",
        "small.toml",
        "--out",
        "run",
    ];
    melgrad(home.path(), [&train[..], &device].concat())
        .done()
        .warns("pipe.wav: a named pipe, left out")
        .warns("socket.mp3: a socket, left out")
        .warns("self.wav: a link that leads nowhere")
        .warns("up: a link to a folder already searched");
    fs::remove_file(music.join("blues/self.wav")).unwrap();
    let features = ["features", "music", "--out", "music.npy"];
    melgrad(home.path(), [&features[..], &device].concat())
        .done()
        .warns("pipe.wav: a named pipe, left out")
        .warns("up: a link to a folder above it, left out");
    melgrad(home.path(), ["classify", "music", "--device", "cpu"])
        .done()
        .warns("socket.mp3: a socket, left out");

    pipe(&home.path().join("p.wav"));
    pipe(&home.path().join("p.toml"));
    let refused = [
        "classify p.wav --device cpu",
        "features p.wav --out x.npy --device cpu",
        "spectrogram p.wav --out x.png --device cpu",
        "classify music/blues/blues.00000.wav --model p.wav --device cpu",
        "train --data music --recipe p.toml --out x --device cpu",
        "bench compare p.wav p.wav",
        "summary p.toml",
    ];
    for words in refused {
        melgrad(home.path(), words.split(' ')).fails(1, &["p.", "a named pipe, not a file"]);
    }
}

#[test]
fn names_cannot_drive_a_terminal() {
    let home = home();
    let name = "evil\u{1b}[31m\nname";
    let file = home.path().join(format!("{name}.wav"));
    write_wav(&file, &second(0, 1));
    write(&home.path().join(format!("{name}.mp3")), b"not a sound");
    let classify = ["classify", ".", "--device", "cpu"];
    let ran = melgrad(home.path(), classify).fails(1, &["evil\\u{1b}[31m\\nname.mp3"]);
    assert!(
        ran.out.contains(name),
        "as it is for other programs: {}",
        ran.out
    );
    // A terminal, where the system has the tool for one.
    let line = format!("{} classify . --device cpu", env!("CARGO_BIN_EXE_melgrad"));
    let mut script = Command::new("script");
    script
        .args(["-qec", &line, "/dev/null"])
        .current_dir(home.path());
    let Ok(output) = script.stdin(Stdio::null()).output() else {
        eprintln!("skipped: no `script`");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("evil\\u{1b}[31m\\nname.wav"), "{text:?}");
    assert!(!text.contains("evil\u{1b}"), "{text:?}");
}
