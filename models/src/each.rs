//! The same work for many things, on all threads.

use crate::Error;

/// What `one` makes of every number below `len`, in order; the first error ends it.
pub(crate) fn each<R: Send>(
    len: usize,
    one: impl Fn(usize) -> Result<R, Error> + Sync + Send,
) -> Result<Vec<R>, Error> {
    #[cfg(feature = "threads")]
    {
        use rayon::prelude::*;
        (0..len).into_par_iter().map(one).collect()
    }
    #[cfg(not(feature = "threads"))]
    {
        (0..len).map(one).collect()
    }
}
