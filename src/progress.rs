//! Progress of work: bars with the time left in a terminal, plain lines elsewhere.

use crate::terminal;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use melgrad::models::base::control::{Control, Event};
use melgrad::models::training::history::EpochRow;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Minimum interval between plain lines.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

/// Progress display of one piece of work.
pub struct Progress {
    /// Hidden if standard error is not a terminal.
    bar: ProgressBar,
    terminal: bool,
    /// Current stage, and the time of its last plain line.
    stage: Mutex<(&'static str, Instant)>,
    first_epoch: AtomicUsize,
}

impl Progress {
    /// Creates a display that shows nothing before the first event.
    pub fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        let shape = match terminal::colour() {
            true => "{bar:30.cyan/238}",
            false => "{bar:30}",
        };
        let template = format!("{{msg:<10}} {shape} {{pos}}/{{len}}  {{elapsed}}, {{eta}} left");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        Progress {
            bar,
            terminal,
            stage: Mutex::new(("", Instant::now())),
            first_epoch: AtomicUsize::new(1),
        }
    }

    /// Runs `work` with a [`Control`] that reports its progress and stops it on Ctrl-C.
    pub fn watch<T>(&self, work: impl FnOnce(Control<'_>) -> T) -> T {
        let events = |event: Event<'_>| self.event(event);
        let result = work(Control {
            events: &events,
            stop: crate::interrupt::flag(),
        });
        self.bar.finish_and_clear();
        result
    }

    /// Shows one event.
    pub fn event(&self, event: Event<'_>) {
        match event {
            Event::Warning(text) => self.above(|| terminal::warning(text)),
            Event::Dataset {
                layout,
                labels,
                clips,
            } => self.say(&format!(
                "dataset: {clips} clips, {labels} labels, layout {layout} (--layout names another)"
            )),
            Event::Synthesis { done, total } => self.count("synthesis", done, total),
            Event::Features { done, total } => self.count("features", done, total),
            Event::Bench { done, total, name } => match self.terminal {
                true => self.count("bench", done, total),
                false => {
                    let left = self.time_left(done, total);
                    self.say(&format!("bench: {done}/{total} {name}{left}"));
                }
            },
            Event::Profile(profile) => profile.to_string().lines().for_each(|line| self.say(line)),
            Event::Run { number, runs, name } => {
                self.say(&format!("run {number} of {runs}: {name}"));
            }
            Event::Split {
                labels,
                train,
                validation,
                test,
            } => self.say(&format!(
                "{labels} labels; clips: {train} train, {validation} validate, {test} test"
            )),
            Event::Training {
                first_epoch,
                epochs,
                steps,
            } => {
                self.first_epoch.store(first_epoch, Ordering::Relaxed);
                self.begin("training", (epochs + 1).saturating_sub(first_epoch) * steps);
            }
            Event::Step { epoch, step, steps } => {
                let epochs_done = epoch.saturating_sub(self.first_epoch.load(Ordering::Relaxed));
                self.bar.set_position((epochs_done * steps + step) as u64);
            }
            Event::Epoch { row, best } => self.say(&epoch_line(row, best)),
            _ => {}
        }
    }

    fn say(&self, text: &str) {
        self.above(|| terminal::note(text));
    }

    /// Prints above the bar, without breaking it.
    fn above(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    fn begin(&self, what: &'static str, total: usize) {
        if let Ok(mut stage) = self.stage.lock() {
            *stage = (what, Instant::now());
        }
        self.bar.reset();
        self.bar.set_length(total as u64);
        self.bar.set_message(what);
        if self.terminal {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    /// Returns `, about 3 min left`, estimated from the time so far.
    fn time_left(&self, done: usize, total: usize) -> String {
        let Ok(mut stage) = self.stage.lock() else {
            return String::new();
        };
        if done == 0 {
            stage.1 = Instant::now();
        }
        if done == 0 || done == total {
            return String::new();
        }
        let each = stage.1.elapsed().as_secs_f64() / done as f64;
        let seconds = each * (total - done) as f64;
        match seconds < 100.0 {
            true => format!(", about {seconds:.0} s left"),
            false => format!(", about {:.0} min left", seconds / 60.0),
        }
    }

    fn count(&self, what: &'static str, done: usize, total: usize) {
        let stage = self.stage.lock().map_or("", |stage| stage.0);
        if stage != what {
            self.begin(what, total);
        }
        self.bar.set_position(done as u64);
        if self.terminal {
            return;
        }
        if let Ok(mut stage) = self.stage.lock()
            && (done == total || stage.1.elapsed() >= PLAIN_INTERVAL)
        {
            stage.1 = Instant::now();
            terminal::note(&format!("{what}: {done}/{total}"));
        }
    }
}

fn epoch_line(row: &EpochRow, best: bool) -> String {
    let mut line = format!(
        "epoch {:>3}  loss {:.4}  accuracy {:.3}",
        row.epoch, row.train_loss, row.train_accuracy
    );
    if let (Some(loss), Some(accuracy)) = (row.validation_loss, row.validation_accuracy) {
        line += &format!("  |  validation: loss {loss:.4}  accuracy {accuracy:.3}");
    }
    line + &format!("  {:.1} s{}", row.seconds, if best { "  best" } else { "" })
}
