//! Types whose values have names: in files, on the command line, in error messages.

/// Display and parsing by name; an unknown name's error lists the known ones.
macro_rules! by_name {
    ($type:ident, $what:literal) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $type {
            type Err = Error;

            fn from_str(name: &str) -> Result<Self> {
                $type::ALL
                    .into_iter()
                    .find(|v| v.name() == name)
                    .ok_or_else(|| {
                        let known = $type::ALL.map($type::name).join(", ");
                        Error::Settings(format!(
                            concat!("unknown ", $what, " `{}`; there is: {}"),
                            name, known
                        ))
                    })
            }
        }
    };
}

pub(super) use by_name;
