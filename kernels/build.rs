//! Writes the catalogue: every folder of `src` that has a `cases.rs` is a kernel.

use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=src");
    let mut rows = Vec::new();
    for entry in fs::read_dir("src")? {
        let folder = entry?.path();
        let Some(name) = folder.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if folder.join("cases.rs").exists() {
            let cases = format!("crate::{name}::cases");
            rows.push(format!("(\"{name}\", {cases}::cases, {cases}::random),"));
        }
    }
    rows.sort();
    let out = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    let rows = rows.join("\n");
    fs::write(
        Path::new(&out).join("catalogue.rs"),
        format!("&[\n{rows}\n]\n"),
    )
}
