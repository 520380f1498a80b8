//! Compiled rungs and bind groups, kept for as long as their buffers live.

use super::driver::Driver;
use crate::error::{Error, Result};
use crate::kernel::Pass;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A compiled rung with its constants.
pub(super) struct Pipeline {
    name: String,
    constants: Vec<(&'static str, f64)>,
    /// Which of the storage bindings are only read: part of the key, since it is part of the layout.
    reads: Vec<bool>,
    layout: wgpu::BindGroupLayout,
    pub pipeline: wgpu::ComputePipeline,
}

/// Caches keyed by (rung, constants) and by (pipeline, buffers).
#[derive(Default)]
pub(super) struct Pipelines {
    list: Vec<Pipeline>,
    by_hash: HashMap<u64, Vec<usize>>,
    groups: HashMap<(usize, [Words; MAX_BINDINGS]), wgpu::BindGroup>,
}

/// What a storage binding shows: words of a buffer.
#[derive(Clone, Copy)]
pub(super) struct Binding<'a> {
    /// The buffer's identity.
    pub id: u64,
    pub buffer: &'a wgpu::Buffer,
    /// The first word; a multiple of [`PLACE`](crate::buffer::PLACE).
    pub start: usize,
    /// How many.
    pub words: usize,
}

/// Identity, start and length of a binding's words.
type Words = (u64, usize, usize);

/// Storage bindings in one pass.
pub(super) const MAX_BINDINGS: usize = 7;

impl Pipelines {
    /// The position of the pipeline for a pass, compiled on first use.
    pub fn find(&mut self, driver: &Driver, pass: &Pass, reads: &[bool]) -> Result<usize> {
        let mut hasher = DefaultHasher::new();
        pass.name.hash(&mut hasher);
        reads.hash(&mut hasher);
        for (name, value) in &pass.constants {
            (name, value.to_bits()).hash(&mut hasher);
        }
        let hash = hasher.finish();
        let known = self.by_hash.entry(hash).or_default();
        let same =
            |p: &Pipeline| p.name == pass.name && p.constants == pass.constants && p.reads == reads;
        if let Some(&position) = known.iter().find(|&&position| same(&self.list[position])) {
            return Ok(position);
        }
        if reads.len() > MAX_BINDINGS || pass.params.len() > Pass::MAX_PARAMS {
            return Err(Error::Driver {
                device: "melgrad".into(),
                operation: pass.name.to_string(),
                reason: format!(
                    "a pass may have {MAX_BINDINGS} storage bindings and {} parameters",
                    Pass::MAX_PARAMS
                ),
            });
        }
        driver.watch.tally.pipelines.add(1);
        known.push(self.list.len());
        self.list.push(compile(driver, pass, reads));
        Ok(self.list.len() - 1)
    }

    /// How many pipelines and bind groups there are.
    pub fn made(&self) -> (usize, usize) {
        (self.list.len(), self.groups.len())
    }

    /// The pipeline at a position.
    pub fn get(&self, position: usize) -> &Pipeline {
        &self.list[position]
    }

    /// The bind group of a pipeline over these words.
    pub fn group(
        &mut self,
        driver: &Driver,
        uniforms: &wgpu::Buffer,
        position: usize,
        bindings: &[Binding],
    ) -> &wgpu::BindGroup {
        let mut key = [(u64::MAX, 0, 0); MAX_BINDINGS];
        for (slot, b) in key.iter_mut().zip(bindings) {
            *slot = (b.id, b.start, b.words);
        }
        let pipeline = &self.list[position];
        self.groups.entry((position, key)).or_insert_with(|| {
            driver.watch.tally.bind_groups.add(1);
            let uniform = wgpu::BindGroupEntry {
                binding: 0,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer: uniforms,
                    offset: 0,
                    size: wgpu::BufferSize::new(4 * Pass::MAX_PARAMS as u64),
                }),
            };
            let storage = (1..)
                .zip(bindings)
                .map(|(binding, words)| wgpu::BindGroupEntry {
                    binding,
                    resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                        buffer: words.buffer,
                        offset: 4 * words.start as u64,
                        size: wgpu::BufferSize::new(4 * words.words as u64),
                    }),
                });
            driver.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(&pipeline.name),
                layout: &pipeline.layout,
                entries: &std::iter::once(uniform).chain(storage).collect::<Vec<_>>(),
            })
        })
    }

    /// Some pipeline with a bind group of its own.
    #[cfg(test)]
    pub fn any(&self) -> (&wgpu::ComputePipeline, &wgpu::BindGroup) {
        let ((position, _), group) = self.groups.iter().next().expect("a launch");
        (&self.list[*position].pipeline, group)
    }

    /// Forgets the bind groups of buffers that are gone.
    pub fn forget(&mut self, gone: &[u64]) {
        if !gone.is_empty() {
            self.groups
                .retain(|(_, key), _| !key.iter().any(|(id, ..)| gone.contains(id)));
        }
    }
}

fn compile(driver: &Driver, pass: &Pass, reads: &[bool]) -> Pipeline {
    let (device, checked) = (&driver.device, driver.checked);
    let entry = |binding: u32, ty| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty,
            has_dynamic_offset: binding == 0,
            min_binding_size: None,
        },
        count: None,
    };
    let mut entries = vec![entry(0, wgpu::BufferBindingType::Uniform)];
    for (binding, &read_only) in (1..).zip(reads) {
        entries.push(entry(
            binding,
            wgpu::BufferBindingType::Storage { read_only },
        ));
    }
    let name = pass.name.to_string();
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some(&name),
        entries: &entries,
    });
    let descriptor = wgpu::ShaderModuleDescriptor {
        label: Some(&name),
        source: wgpu::ShaderSource::Wgsl(pass.source.clone()),
    };
    let module = if checked {
        device.create_shader_module(descriptor)
    } else {
        // SAFETY: our own shaders, whose shapes were validated on the host; proofs run every one of them over
        // guard zones, checked and unchecked.
        unsafe {
            device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked())
        }
    };
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(&name),
        bind_group_layouts: &[Some(&layout)],
        immediate_size: 0,
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(&name),
        layout: Some(&pipeline_layout),
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: &pass.constants,
            zero_initialize_workgroup_memory: checked,
        },
        cache: None,
    });
    Pipeline {
        name,
        constants: pass.constants.clone(),
        reads: reads.to_vec(),
        layout,
        pipeline,
    }
}
