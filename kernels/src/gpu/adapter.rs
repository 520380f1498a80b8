//! Adapters: what GPUs there are, and which one is taken.

use crate::error::{Error, Result};
use crate::kernel::{Cooperative, Limits};

/// Which adapter is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice<'a> {
    /// A real GPU or nothing.
    Hardware,
    /// The best there is, a software adapter where there is no other.
    Any,
    /// The best whose name holds this text (case ignored).
    Named(&'a str),
}

impl Choice<'_> {
    fn words(self) -> String {
        match self {
            Choice::Hardware => "auto".into(),
            Choice::Any => "gpu".into(),
            Choice::Named(name) => format!("gpu:{name}"),
        }
    }
}

/// One adapter, as `doctor` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The driver's name for it; `gpu:NAME` takes any part of it.
    pub name: String,
    /// `discrete`, `integrated`, `virtual`, `software` or `other`.
    pub kind: &'static str,
    /// Whether the CPU does the work.
    pub software: bool,
    /// Graphics API, driver and its version.
    pub driver: String,
    /// Features that matter to kernels and measuring, as far as the adapter has them.
    pub features: Vec<&'static str>,
    /// What plans depend on.
    pub limits: Limits,
}

/// Every adapter of this machine, the best first.
pub async fn list() -> Vec<Report> {
    adapters().await.iter().map(report).collect()
}

fn instance() -> wgpu::Instance {
    wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: wgpu::Backends::PRIMARY,
        flags: wgpu::InstanceFlags::empty(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    })
}

async fn adapters() -> Vec<wgpu::Adapter> {
    let mut adapters = instance().enumerate_adapters(wgpu::Backends::PRIMARY).await;
    adapters.sort_by_key(|adapter| rank(kind(&adapter.get_info())));
    adapters
}

fn kind(info: &wgpu::AdapterInfo) -> &'static str {
    let name = info.name.to_lowercase();
    let software = ["llvmpipe", "swiftshader", "basic render", "lavapipe"];
    match info.device_type {
        _ if software.iter().any(|s| name.contains(s)) => "software",
        wgpu::DeviceType::Cpu => "software",
        wgpu::DeviceType::DiscreteGpu => "discrete",
        wgpu::DeviceType::IntegratedGpu => "integrated",
        wgpu::DeviceType::VirtualGpu => "virtual",
        wgpu::DeviceType::Other => "other",
    }
}

fn rank(kind: &str) -> usize {
    ["discrete", "integrated", "virtual", "other", "software"]
        .iter()
        .position(|k| *k == kind)
        .unwrap_or(usize::MAX)
}

fn report(adapter: &wgpu::Adapter) -> Report {
    let info = adapter.get_info();
    let features = [
        ("timestamp-query", wgpu::Features::TIMESTAMP_QUERY),
        ("shader-f16", wgpu::Features::SHADER_F16),
        ("subgroups", wgpu::Features::SUBGROUP),
        ("immediates", wgpu::Features::IMMEDIATES),
        ("pipeline-cache", wgpu::Features::PIPELINE_CACHE),
        (
            "cooperative-matrix",
            wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX,
        ),
    ];
    Report {
        kind: kind(&info),
        software: kind(&info) == "software",
        driver: [info.backend.to_str(), &info.driver, &info.driver_info]
            .iter()
            .filter(|part| !part.is_empty())
            .copied()
            .collect::<Vec<_>>()
            .join(", "),
        features: features
            .iter()
            .filter(|(_, feature)| adapter.features().contains(*feature))
            .map(|(name, _)| *name)
            .collect(),
        limits: limits(&adapter.limits(), kind(&info) == "software"),
        name: info.name,
    }
}

/// The part of wgpu's limits that plans depend on.
pub(super) fn limits(limits: &wgpu::Limits, software: bool) -> Limits {
    Limits {
        groups_per_dimension: limits.max_compute_workgroups_per_dimension,
        workgroup_memory: limits.max_compute_workgroup_storage_size,
        threads_per_group: limits
            .max_compute_invocations_per_workgroup
            .min(limits.max_compute_workgroup_size_x),
        binding_bytes: limits
            .max_storage_buffer_binding_size
            .min(limits.max_buffer_size),
        iterations: match software {
            true => Limits::SOFTWARE_ITERATIONS,
            false => Limits::CARD_ITERATIONS,
        },
        cooperative: None,
    }
}

/// The features that rungs on matrix units need.
const COOPERATIVE: wgpu::Features = wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX
    .union(wgpu::Features::SHADER_F16)
    .union(wgpu::Features::SUBGROUP);

/// The matrix units of an adapter: blocks of halves with sums in f32, large ones before small ones.
fn cooperative(adapter: &wgpu::Adapter) -> Option<Cooperative> {
    use wgpu::CooperativeScalarType::{F16, F32};
    if !adapter.features().contains(COOPERATIVE) {
        return None;
    }
    let properties = adapter.cooperative_matrix_properties();
    let fits = |side: &u32| {
        properties.iter().any(|p| {
            [p.m_size, p.n_size, p.k_size] == [*side; 3] && (p.ab_type, p.cr_type) == (F16, F32)
        })
    };
    let threads = 4 * adapter.get_info().subgroup_max_size;
    let side = [16, 8].into_iter().find(fits)?;
    let limits = adapter.limits();
    // Of workgroup memory the rungs take 25 KiB at most, with sides of 16.
    (threads <= limits.max_compute_invocations_per_workgroup
        && limits.max_compute_workgroup_storage_size >= 25 << 10)
        .then_some(Cooperative { side, threads })
}

/// The adapter of this choice with an open device; `matrices` opens its matrix units too, where it has them.
pub(super) async fn request(
    choice: Choice<'_>,
    matrices: bool,
) -> Result<(Report, wgpu::Device, wgpu::Queue)> {
    let adapters = adapters().await;
    let reports: Vec<Report> = adapters.iter().map(report).collect();
    let position = reports.iter().position(|found| match choice {
        Choice::Hardware => !found.software,
        Choice::Any => true,
        Choice::Named(part) => found.name.to_lowercase().contains(&part.to_lowercase()),
    });
    let no = |reason: String| Error::NoDevice {
        wanted: choice.words(),
        reason,
    };
    let Some(position) = position else {
        let names: Vec<_> = reports.iter().map(|r| format!("`{}`", r.name)).collect();
        return Err(no(match names.len() {
            0 => "no Vulkan, Metal, DirectX 12 or WebGPU adapter is installed".into(),
            _ => format!("there is {}", names.join(", ")),
        }));
    };
    let (adapter, mut report) = (&adapters[position], reports[position].clone());
    report.limits.cooperative = cooperative(adapter).filter(|_| matrices);
    let mut wanted = wgpu::Features::TIMESTAMP_QUERY;
    let mut experimental = wgpu::ExperimentalFeatures::disabled();
    if report.limits.cooperative.is_some() {
        wanted |= COOPERATIVE;
        // SAFETY: wgpu says that what is experimental may have bugs that end in undefined behaviour. Who asks for
        // matrix units takes that risk; nobody else's device has them.
        experimental = unsafe { wgpu::ExperimentalFeatures::enabled() };
    }
    let (device, queue) = adapter
        .request_device(&wgpu::DeviceDescriptor {
            label: Some("melgrad"),
            required_features: adapter.features() & wanted,
            required_limits: adapter.limits(),
            experimental_features: experimental,
            ..Default::default()
        })
        .await
        .map_err(|error| no(error.to_string()))?;
    Ok((report, device, queue))
}
