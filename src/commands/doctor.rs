//! `melgrad doctor`

use crate::failure::Failure;
use crate::options::count;
use crate::terminal;
use clap::Args;
use melgrad::Device;
use melgrad::kernels::cpu;
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Write;

/// List devices, drivers and limits; say which device would be chosen, and why
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  melgrad doctor\n  melgrad doctor --json")]
pub struct Doctor {
    /// Print one JSON document: {"chosen", "devices": [{"name", "kind", "software", "driver", "features", "limits"}]}
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    chosen: String,
    devices: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    name: String,
    kind: &'static str,
    software: bool,
    driver: String,
    features: Vec<&'static str>,
    limits: Value,
}

impl Doctor {
    pub fn run(self) -> Result<(), Failure> {
        let mut devices = adapters();
        devices.push(processor());
        let device = Device::auto();
        let report = Report {
            chosen: device.name().into(),
            devices,
        };
        match self.json {
            true => terminal::print_json(&report),
            false => terminal::print(&text(&report, &device)),
        }
    }
}

#[cfg(feature = "gpu")]
fn adapters() -> Vec<Entry> {
    use melgrad::kernels::{block_on, gpu};
    let entry = |found: gpu::Report| Entry {
        name: found.name,
        kind: found.kind,
        software: found.software,
        driver: found.driver,
        features: found.features,
        limits: json!({
            "groups_per_dimension": found.limits.groups_per_dimension,
            "workgroup_memory": found.limits.workgroup_memory,
            "threads_per_group": found.limits.threads_per_group,
            "binding_bytes": found.limits.binding_bytes,
        }),
    };
    block_on(gpu::list()).into_iter().map(entry).collect()
}

#[cfg(not(feature = "gpu"))]
fn adapters() -> Vec<Entry> {
    Vec::new()
}

fn processor() -> Entry {
    let features = match cpu::level() {
        cpu::Level::Portable => vec![],
        cpu::Level::Avx2 => vec!["avx2", "fma"],
        cpu::Level::Avx512 => vec!["avx2", "fma", "avx512"],
    };
    Entry {
        name: "cpu".into(),
        kind: "cpu",
        software: false,
        driver: format!("none, {}", std::env::consts::ARCH),
        features,
        limits: json!({ "threads": cpu::threads() }),
    }
}

fn text(report: &Report, device: &Device) -> String {
    let hardware = report
        .devices
        .iter()
        .any(|entry| entry.kind != "cpu" && !entry.software);
    let software = report.devices.iter().any(|entry| entry.software);
    let why = match (device.is_gpu(), hardware, software) {
        (true, ..) => "a hardware GPU",
        (false, true, _) => "there is a hardware GPU, but it could not be opened",
        (false, false, true) => {
            "no hardware GPU; a software one works, but is only taken by --device gpu"
        }
        (false, false, false) if cfg!(feature = "gpu") => {
            "no GPU with a Vulkan, Metal or DirectX 12 driver"
        }
        (false, false, false) => "this build has no GPU support",
    };
    let mut text = format!("chosen: {} ({why})\n", terminal::one_line(&report.chosen));
    for entry in &report.devices {
        let mark = if entry.name == report.chosen {
            "*"
        } else {
            " "
        };
        let features = if entry.features.is_empty() {
            "none".into()
        } else {
            entry.features.join(", ")
        };
        let limit = |key: &str| entry.limits[key].as_u64().unwrap_or(0);
        let limits = match entry.kind {
            "cpu" => count(cpu::threads(), "thread"),
            _ => format!(
                "{} MiB in one binding, {} KiB of workgroup memory, {} threads in a group",
                limit("binding_bytes") >> 20,
                limit("workgroup_memory") >> 10,
                limit("threads_per_group")
            ),
        };
        // Writing into a String cannot fail.
        let _ = write!(
            text,
            "\n{mark} {}\n    kind      {}\n    driver    {}\n    features  {features}\n    limits    {limits}\n",
            terminal::one_line(&entry.name),
            entry.kind,
            terminal::one_line(&entry.driver),
        );
    }
    text
}
