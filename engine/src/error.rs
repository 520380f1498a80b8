//! What can go wrong between an architecture and its numbers.

use crate::shape::Shape;

/// Results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that the engine can refuse. Every message is one line.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A device, a buffer or a kernel refused.
    #[error(transparent)]
    Kernel(#[from] kernels::Error),
    /// A shape that an operation cannot use.
    #[error("{operation}: shape {shape} {problem}")]
    Shape {
        /// Which operation.
        operation: &'static str,
        /// The shape.
        shape: Shape,
        /// Why not.
        problem: String,
    },
    /// Two shapes that do not go together.
    #[error("{operation}: {left} and {right} do not go together: {problem}")]
    Shapes {
        /// Which operation.
        operation: &'static str,
        /// The first operand's shape, or the one found.
        left: Shape,
        /// The second operand's shape, or the one expected.
        right: Shape,
        /// Why not.
        problem: String,
    },
    /// An option that makes no sense.
    #[error("{operation}: {problem}")]
    Option {
        /// Which operation.
        operation: &'static str,
        /// What is wrong, with the figures.
        problem: String,
    },
    /// The same, inside a network.
    #[error("layer `{path}`: {source}")]
    Layer {
        /// The layer's path: `block2/conv1`.
        path: String,
        /// What went wrong there.
        source: Box<Error>,
    },
    /// An architecture that cannot be read or built.
    #[error("architecture: {0}")]
    Architecture(String),
    /// `backward` where there is nothing to go back through.
    #[error("backward: {0}")]
    History(String),
    /// Weights that do not fit the network.
    #[error("weights do not fit the network: {0}")]
    Weights(Misfit),
    /// A file that is no model file, or a damaged one.
    #[error("model file: {0}")]
    ModelFile(String),
    /// A batch that needs more memory than there is.
    #[error("a batch of {batch} does not fit: {reason}; the largest that does is {largest}")]
    Batch {
        /// The batch size asked for.
        batch: usize,
        /// What it needs and what there is.
        reason: String,
        /// The largest batch size that fits (0: not even one).
        largest: usize,
    },
}

impl Error {
    /// The same error, said of the layer at `path`. Paths of nested layers join: `block2/conv1`.
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

    /// What went wrong in the layer, where the error is said of one; otherwise itself.
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

/// How given weights differ from those a network has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Misfit {
    /// Names that the network has and the file has not, each with a similar unexpected name where there is one.
    pub missing: Vec<(String, Option<String>)>,
    /// Names that the file has and the network has not.
    pub unexpected: Vec<String>,
    /// Names of both, with the shape in the file and the shape in the network.
    pub mismatched: Vec<(String, Shape, Shape)>,
}

impl Misfit {
    /// Whether everything fits.
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

/// At most eight of them, and how many more there are.
pub(crate) fn list(items: impl ExactSizeIterator<Item = String>) -> String {
    let more = items.len().saturating_sub(8);
    let mut shown: Vec<String> = items.take(8).collect();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    shown.join(", ")
}
