//! What separates the columns of a table, and how its numbers are written.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::Error;
use crate::base::files;

/// How much of a file is looked at for its first line.
const FIRST_LINE: u64 = 1 << 22;

/// What stands between the columns of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Separator {
    /// `,`
    Comma,
    /// `;`, as spreadsheets write it where numbers have a decimal comma.
    Semicolon,
    /// A tab.
    Tab,
}

impl Separator {
    const ALL: [Separator; 3] = [Separator::Comma, Separator::Semicolon, Separator::Tab];

    /// The separator that the first line of a file has most of; the first of equals, a comma where there is none.
    pub(crate) fn of(path: &Path) -> Result<Separator, Error> {
        files::check_file(path)?;
        let file = File::open(path).map_err(Error::io("read", path))?;
        let mut line = Vec::new();
        let mut reader = BufReader::new(file.take(FIRST_LINE));
        let read = reader.read_until(b'\n', &mut line);
        read.map_err(Error::io("read", path))?;
        Ok(Separator::of_line(&line))
    }

    fn of_line(line: &[u8]) -> Separator {
        let mut quoted = false;
        let mut counts = [0; 3];
        for byte in line {
            quoted ^= *byte == b'"';
            for (count, separator) in counts.iter_mut().zip(Separator::ALL) {
                *count += usize::from(!quoted && *byte == separator.byte());
            }
        }
        let pairs = Separator::ALL.into_iter().zip(counts);
        let most = pairs.reduce(|most, own| if own.1 > most.1 { own } else { most });
        most.map_or(Separator::Comma, |(separator, _)| separator)
    }

    pub(crate) fn byte(self) -> u8 {
        match self {
            Separator::Comma => b',',
            Separator::Semicolon => b';',
            Separator::Tab => b'\t',
        }
    }

    /// What separates them, in the plural.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Separator::Comma => "commas",
            Separator::Semicolon => "semicolons",
            Separator::Tab => "tabs",
        }
    }

    /// A cell's number; NaN for what is none. Where the comma does not separate columns it may be the decimal point.
    pub(crate) fn number(self, cell: &str) -> f32 {
        let cell = cell.trim();
        let number = match cell.split_once(',') {
            Some((whole, rest)) if self != Separator::Comma && !rest.contains([',', '.']) => {
                format!("{whole}.{rest}").parse()
            }
            _ => cell.parse(),
        };
        number.unwrap_or(f32::NAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_counted_outside_of_quotes() {
        for (line, separator) in [
            ("a,b,c", Separator::Comma),
            ("a;b;c,d", Separator::Semicolon),
            ("a\tb\tc,d", Separator::Tab),
            ("\"a;b;c;d\",e", Separator::Comma),
            ("\"a,b,c\"\te", Separator::Tab),
            ("alone", Separator::Comma),
        ] {
            assert_eq!(Separator::of_line(line.as_bytes()), separator, "{line}");
        }
    }

    #[test]
    fn decimal_commas() {
        assert_eq!(Separator::Semicolon.number(" 1,5"), 1.5);
        assert_eq!(Separator::Tab.number("-1,5e3"), -1500.0);
        assert_eq!(Separator::Semicolon.number("1.5"), 1.5);
        for (separator, cell) in [
            (Separator::Comma, "1,5"),
            (Separator::Semicolon, "1,234,5"),
            (Separator::Semicolon, "1.234,5"),
            (Separator::Semicolon, "1,234.5"),
            (Separator::Tab, "a,b"),
        ] {
            assert!(separator.number(cell).is_nan(), "{cell}");
        }
    }
}
