// y[i] = expression(x0 at i, x1 at i, …, parameters, random at i)
//
// Rung 1: one thread per element, one pass over memory however long the chain is; the template of every elementwise
// kernel. As it stands it copies x0; the bindings and the body of `value` are written for the expression at hand.

// Word 0: elements of y. Words 1 + 3·k: outer, repeat·inner, inner of input k. From word PARAMS: the parameters.
@group(0) @binding(0) var<uniform> words: array<vec4<u32>, 16>;
@group(0) @binding(1) var<storage, read> x0: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

const PARAMS: u32 = 19;

fn word(i: u32) -> u32 {
    return words[i / 4u][i % 4u];
}

// Zero, which a compiler does not know.
fn nothing() -> u32 {
    return word(0u) & 0x80000000u;
}

// Shader compilers may assume that there is no NaN: ask the bits.
fn is_nan(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

// Where element i of y reads input k.
fn at(k: u32, i: u32) -> u32 {
    let inner = word(3u + 3u * k);
    return i / word(2u + 3u * k) % word(1u + 3u * k) * inner + i % inner;
}

// The high half of a 64-bit product, from 16-bit halves.
fn multiply_high(a: u32, b: u32) -> u32 {
    let low = (a & 0xffffu) * (b & 0xffffu);
    let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
    let other = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
    return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (other >> 16u);
}

// Uniform in [0, 1): Philox4x32-10 with the seed and stream at `first`, element i (kernels/src/philox.rs).
fn random(first: u32, i: u32) -> f32 {
    var key = vec2(word(first), word(first + 1u));
    var c = vec4(i / 4u, 0u, word(first + 2u), word(first + 3u));
    for (var round = 0u; round < 10u; round++) {
        let a = 0xD2511F53u;
        let b = 0xCD9E8D57u;
        c = vec4(multiply_high(b, c.z) ^ c.y ^ key.x, b * c.z, multiply_high(a, c.x) ^ c.w ^ key.y, a * c.x);
        key += vec2(0x9E3779B9u, 0xBB67AE85u);
    }
    return f32(c[i % 4u] >> 8u) / 16777216.0;
}

// The error function: Taylor series near zero, Chebyshev fit to erfc beyond (kernels/src/cpu/math.rs).
fn erf(x: f32) -> f32 {
    let z = abs(x);
    let t = 1.0 / (1.0 + 0.5 * z);
    var p = 0.17087277;
    p = p * t - 0.82215223;
    p = p * t + 1.48851587;
    p = p * t - 1.13520398;
    p = p * t + 0.27886807;
    p = p * t - 0.18628806;
    p = p * t + 0.09678418;
    p = p * t + 0.37409196;
    p = p * t + 1.00002368;
    p = p * t - 1.26551223;
    let far = sign(x) * (1.0 - t * exp(p - z * z));
    let s = x * x;
    let near = x * (((-1.0 / 42.0 * s + 0.1) * s - 1.0 / 3.0) * s + 1.0) * 1.1283791671;
    return select(far, near, z < 0.3);
}

fn value(i: u32) -> f32 {
    return x0[at(0u, i)];
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = (group.y * groups.x + group.x) * 64u + thread;
    if i < word(0u) {
        y[i] = value(i);
    }
}
