//! Errors of the engine.

use crate::shape::Shape;

/// Result type of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// All errors of the engine. Every message is one line.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Error of a device, a buffer or a kernel.
    #[error(transparent)]
    Kernel(#[from] kernels::Error),
    /// A shape is invalid for an operation.
    #[error("{operation}: shape {shape} {problem}")]
    Shape {
        /// Name of the operation.
        operation: &'static str,
        /// The shape.
        shape: Shape,
        /// What is wrong with it.
        problem: String,
    },
    /// Two shapes do not match.
    #[error("{operation}: {left} and {right} do not go together: {problem}")]
    Shapes {
        /// Name of the operation.
        operation: &'static str,
        /// Shape of the first operand, or the shape found.
        left: Shape,
        /// Shape of the second operand, or the shape expected.
        right: Shape,
        /// What is wrong with them.
        problem: String,
    },
    /// An option is invalid.
    #[error("{operation}: {problem}")]
    Option {
        /// Name of the operation.
        operation: &'static str,
        /// What is wrong, with the values.
        problem: String,
    },
    /// Error inside a network's layer.
    #[error("layer `{path}`: {source}")]
    Layer {
        /// Path of the layer: `block2/conv1`.
        path: String,
        /// Error of the layer.
        source: Box<Error>,
    },
    /// An architecture cannot be read or built.
    #[error("architecture: {0}")]
    Architecture(String),
    /// `backward` on a tensor without a history.
    #[error("backward: {0}")]
    History(String),
    /// Weights do not fit the network.
    #[error("weights do not fit the network: {0}")]
    Weights(Misfit),
    /// A file is not a model file, or is damaged.
    #[error("model file: {0}")]
    ModelFile(String),
    /// A batch needs more memory than there is.
    #[error("a batch of {batch} does not fit: {reason}; the largest that does is {largest}")]
    Batch {
        /// Batch size requested.
        batch: usize,
        /// Memory needed and available.
        reason: String,
        /// Largest batch size that fits (0: not even one example).
        largest: usize,
    },
}

impl Error {
    /// Returns the error with the path of its layer. Paths of nested layers are joined: `block2/conv1`.
    pub fn at(self, path: &str) -> Self {
        match self {
            Error::Layer {
                path: inner,
                source,
            } => Error::Layer {
                path: format!("{path}/{inner}"),
                source,
            },
            source => Error::Layer {
                path: path.to_string(),
                source: Box::new(source),
            },
        }
    }

    /// Returns the error inside the layer, if there is a layer; else the error itself.
    pub fn cause(&self) -> &Error {
        match self {
            Error::Layer { source, .. } => source.cause(),
            error => error,
        }
    }

    pub(crate) fn option(operation: &'static str, problem: impl Into<String>) -> Self {
        Error::Option {
            operation,
            problem: problem.into(),
        }
    }

    pub(crate) fn shape(operation: &'static str, shape: &[usize], problem: impl ToString) -> Self {
        Error::Shape {
            operation,
            shape: shape.into(),
            problem: problem.to_string(),
        }
    }

    pub(crate) fn shapes(
        operation: &'static str,
        left: &[usize],
        right: &[usize],
        problem: impl ToString,
    ) -> Self {
        Error::Shapes {
            operation,
            left: left.into(),
            right: right.into(),
            problem: problem.to_string(),
        }
    }
}

/// Differences between given weights and those of a network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Misfit {
    /// Names that only the network has, each with a similar unexpected name if there is one.
    pub missing: Vec<(String, Option<String>)>,
    /// Names that only the file has.
    pub unexpected: Vec<String>,
    /// Common names whose shapes differ, with the shape in the file and the shape in the network.
    pub mismatched: Vec<(String, Shape, Shape)>,
}

impl Misfit {
    /// Whether all weights fit.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.mismatched.is_empty()
    }
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let quoted = |name: &String| format!("`{name}`");
        let missing = self.missing.iter().map(|(name, like)| match like {
            Some(like) => format!("`{name}` (is it `{like}`?)"),
            None => quoted(name),
        });
        let mismatched = self.mismatched.iter().map(|(name, file, network)| {
            format!("`{name}` is {file} in the file, {network} in the network")
        });
        let groups = [
            ("missing", list(missing)),
            ("unexpected", list(self.unexpected.iter().map(quoted))),
            ("mismatched", list(mismatched)),
        ];
        let groups = groups.into_iter().filter(|(_, text)| !text.is_empty());
        let groups: Vec<String> = groups
            .map(|(what, text)| format!("{what} {text}"))
            .collect();
        f.write_str(&groups.join("; "))
    }
}

/// Lists at most eight items, and the number of the others.
pub(crate) fn list(items: impl ExactSizeIterator<Item = String>) -> String {
    let more = items.len().saturating_sub(8);
    let mut shown: Vec<String> = items.take(8).collect();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    shown.join(", ")
}
