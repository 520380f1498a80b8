//! Named pipes, sockets and devices: what has a file's name and is no file.

use std::fs::FileType;
use std::path::Path;

/// What stands at a path in place of a file: a named pipe, a socket or a device, which a program may wait for without
/// end. `None` for files, folders, a path where nothing is, and the program's own open files (`/dev/stdin`,
/// `/dev/fd/3`), which are read like a file.
pub fn special_file(path: &Path) -> Option<&'static str> {
    let own = ["/dev/stdin", "/dev/fd", "/proc/self/fd"];
    if own.iter().any(|own| path.starts_with(own)) {
        return None;
    }
    kind(path.metadata().ok()?.file_type())
}

#[cfg(unix)]
fn kind(kind: FileType) -> Option<&'static str> {
    use std::os::unix::fs::FileTypeExt;
    match kind {
        _ if kind.is_fifo() => Some("a named pipe"),
        _ if kind.is_socket() => Some("a socket"),
        _ if kind.is_char_device() || kind.is_block_device() => Some("a device"),
        _ => None,
    }
}

#[cfg(not(unix))]
fn kind(_: FileType) -> Option<&'static str> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::{Limits, decode};

    #[test]
    fn they_are_refused_by_what_they_are() {
        let socket = std::env::temp_dir().join(format!("melgrad-{}.wav", std::process::id()));
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let error = |path: &Path| decode(path, &Limits::default()).unwrap_err().to_string();
        let refused = error(&socket);
        std::fs::remove_file(&socket).unwrap();
        assert_eq!(
            refused,
            format!("{}: a socket, not a file", socket.display())
        );
        assert_eq!(
            error(Path::new("/dev/zero")),
            "/dev/zero: a device, not a file"
        );
        for file in ["/dev/stdin", "/dev/fd/0", "/", "/no/such/file"] {
            assert_eq!(special_file(Path::new(file)), None, "{file}");
        }
    }
}
