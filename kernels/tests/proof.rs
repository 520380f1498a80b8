//! Every kernel of the catalogue: on the CPU and every rung against its oracle, bad shapes refused, every shader
//! valid. Nothing is listed here: the catalogue is walked.

mod levels;

use kernels::catalogue::CATALOGUE;
use kernels::{Case, Cooperative, Device, Limits, Pass, Role, proof};
use std::collections::{BTreeMap, HashSet};

fn cases(role: fn(Role) -> bool) -> impl Iterator<Item = (String, Case)> {
    CATALOGUE
        .iter()
        .flat_map(|(name, cases, _)| {
            cases()
                .into_iter()
                .map(move |case| (format!("{name}/{}", case.name), case))
        })
        .filter(move |(_, case)| role(case.role))
}

fn proofs() -> impl Iterator<Item = (String, Case)> {
    cases(|role| role == Role::Proof)
}

/// Runs every proof and fails with all that went wrong.
fn report(failures: Vec<String>, proved: usize) {
    assert!(proved > 0, "nothing was proved");
    assert!(
        failures.is_empty(),
        "{} of {proved} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn cpu_meets_the_oracle() {
    println!("level {:?}", kernels::cpu::level());
    let device = Device::cpu();
    let mut failures = Vec::new();
    let mut proved = 0;
    for (name, case) in proofs() {
        for seed in 0..3 {
            proved += 1;
            if let Err(error) = proof::prove(&device, &*case.kernel, None, seed) {
                failures.push(format!("{name}: {error}"));
            }
        }
    }
    report(failures, proved);
}

#[test]
fn slower_instructions_meet_the_oracle() {
    levels::at_slower_levels("cpu_meets_the_oracle");
}

#[test]
fn bad_shapes_are_refused() {
    let mut seen = 0;
    for (name, case) in cases(|role| matches!(role, Role::Bad(_))) {
        let Role::Bad(text) = case.role else {
            unreachable!()
        };
        let error = case.kernel.check().expect_err(&name).to_string();
        assert!(
            error.contains(text),
            "{name}: `{error}` does not say `{text}`"
        );
        assert!(
            error.starts_with(case.kernel.name()),
            "{name}: `{error}` does not name its kernel"
        );
        seen += 1;
    }
    assert!(seen > 0);
}

#[test]
fn case_names_are_unique_and_every_kernel_is_covered() {
    let mut kernels: BTreeMap<&str, Vec<Case>> = BTreeMap::new();
    for (_, case) in cases(|_| true) {
        kernels.entry(case.kernel.name()).or_default().push(case);
    }
    for (name, cases) in kernels {
        let names: HashSet<_> = cases.iter().map(|case| case.name).collect();
        assert_eq!(names.len(), cases.len(), "{name} names two cases alike");
        let roles = |role| cases.iter().filter(|case| case.role == role).count();
        assert!(roles(Role::Bench) > 0, "{name} has nothing to bench");
        assert!(roles(Role::Proof) > 0, "{name} has nothing to prove");
        for case in cases {
            assert!(!case.kernel.rungs().is_empty(), "{name} has no rungs");
        }
    }
}

/// A device that allows more than WebGPU promises: rungs that need it are planned too.
const LARGE: Limits = Limits {
    workgroup_memory: 65_536,
    threads_per_group: 1024,
    binding_bytes: 2 << 30,
    ..Limits::WEBGPU
};

/// [`LARGE`] with matrix units that take blocks of this side.
const fn matrices(side: u32) -> Limits {
    Limits {
        cooperative: Some(Cooperative { side, threads: 128 }),
        ..LARGE
    }
}

/// naga, with no GPU: every shader with the constants of every case, on small devices and large ones, says what it is
/// at the top, is valid, and becomes SPIR-V.
#[test]
fn every_permutation_of_every_shader_is_valid() {
    let mut seen = HashSet::new();
    for (name, case) in cases(|role| !matches!(role, Role::Bad(_))) {
        for rung in case.kernel.rungs() {
            let devices = [Limits::WEBGPU, LARGE, matrices(8), matrices(16)];
            let plans = devices.map(|limits| case.kernel.plan(rung, &limits));
            for pass in plans.into_iter().flatten().flat_map(|plan| plan.passes) {
                let constants = pass.constants.iter().map(|(k, v)| (*k, v.to_bits()));
                let key = (pass.source.to_string(), constants.collect::<Vec<_>>());
                if seen.insert(key) {
                    compile(&pass).unwrap_or_else(|error| {
                        panic!("{name}: {} {:?}: {error}", pass.name, pass.constants)
                    });
                }
            }
        }
    }
    println!("{} permutations", seen.len());
    assert!(seen.len() > 100);
}

/// Each shader is read alone, so that what several need stands in each: in the same words.
#[test]
fn what_shaders_share_is_the_same_in_all() {
    for name in ["activate", "inactivate", "is_nan"] {
        let mut bodies = HashSet::new();
        for (_, case) in proofs() {
            for rung in case.kernel.rungs() {
                let plan = case.kernel.plan(rung, &matrices(8));
                for pass in plan.into_iter().flat_map(|plan| plan.passes) {
                    let body = pass.source.split_once(&format!("\nfn {name}("));
                    let body = body.and_then(|(_, body)| body.split_once("\n}\n"));
                    bodies.extend(body.map(|(body, _)| body.to_string()));
                }
            }
        }
        assert_eq!(bodies.len(), 1, "{name}: {bodies:#?}");
    }
}

fn compile(pass: &Pass) -> Result<(), String> {
    use naga::back::{pipeline_constants::process_overrides, spv};
    use naga::valid::{Capabilities, ValidationFlags, Validator};
    let source: &str = &pass.source;
    if !source.starts_with("// ") {
        return Err("no header".into());
    }
    if pass.bindings.len() > 7 {
        return Err(format!("{} storage bindings", pass.bindings.len()));
    }
    let module = naga::front::wgsl::parse_str(source).map_err(|e| e.emit_to_string(source))?;
    let matrices =
        Capabilities::COOPERATIVE_MATRIX | Capabilities::SHADER_FLOAT16 | Capabilities::SUBGROUP;
    let capabilities = match source.contains("coop_mat") {
        true => matrices,
        false => Capabilities::empty(),
    };
    let info = Validator::new(ValidationFlags::all(), capabilities)
        .validate(&module)
        .map_err(|e| e.emit_to_string(source))?;
    let constants = pass.constants.iter();
    let constants = constants.map(|(name, value)| (name.to_string(), *value));
    let (stage, entry_point) = (naga::ShaderStage::Compute, "main");
    let entry = Some((stage, entry_point));
    let (module, info) = process_overrides(&module, &info, entry, &constants.collect())
        .map_err(|error| error.to_string())?;
    let pipeline = spv::PipelineOptions {
        shader_stage: stage,
        entry_point: entry_point.into(),
    };
    let options = spv::Options::default();
    let words = spv::write_vec(&module, &info, &options, Some(&pipeline));
    match words.map_err(|error| error.to_string())?.first() {
        Some(0x0723_0203) => Ok(()),
        other => Err(format!("SPIR-V begins with {other:?}")),
    }
}

/// Every rung with bounds checks off, as it runs.
#[cfg(feature = "gpu")]
#[test]
fn every_rung_meets_the_oracle() {
    rungs_on(Device::open("gpu"));
}

/// Every rung with bounds checks on: one that needs them to be right would differ from the above.
#[cfg(feature = "gpu")]
#[test]
fn every_rung_meets_the_oracle_with_bounds_checks() {
    rungs_on(Device::open_checked("gpu"));
}

/// No adapter is a failure.
#[cfg(feature = "gpu")]
fn rungs_on(device: kernels::Result<Device>) {
    let device = device.expect("an adapter: `scripts/test` installs Mesa's software Vulkan");
    let mut failures = Vec::new();
    let mut proved = 0;
    let mut idle: HashSet<&str> = proofs()
        .flat_map(|(_, case)| case.kernel.rungs().iter().map(|rung| rung.name))
        .collect();
    if device
        .limits()
        .is_some_and(|limits| limits.cooperative.is_none())
    {
        idle.retain(|rung| !rung.ends_with("_cooperative"));
    }
    for (name, case) in proofs() {
        let rungs = device.rungs(&*case.kernel).expect("a GPU");
        assert!(!rungs.is_empty(), "{name}: no rung serves it");
        for rung in rungs {
            idle.remove(rung);
            proved += 1;
            if let Err(error) = proof::prove(&device, &*case.kernel, Some(rung), 7) {
                failures.push(format!("{name} {rung}: {error}"));
            }
        }
    }
    report(failures, proved);
    assert!(idle.is_empty(), "rungs that no proof has run: {idle:?}");
}
