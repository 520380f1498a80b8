//! Runs the same work for many items, on all threads.

use crate::Error;

/// Returns the results of `one` for every number below `len`, in order. The first error ends the work.
pub(crate) fn map<R: Send>(
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

/// Gives `take` what `one` makes of every number below `len`, in order, while other threads go on with what follows:
/// whoever has made something hands over all whose turn it is. At most `ahead` are made or wait at a time. The first
/// error
/// of either ends it.
pub(crate) fn in_order<R: Send>(
    len: usize,
    ahead: usize,
    one: impl Fn(usize) -> Result<R, Error> + Sync,
    take: impl FnMut(R) -> Result<(), Error> + Send,
) -> Result<(), Error> {
    #[cfg(feature = "threads")]
    {
        let line = ordered::Line::new(len, one, take);
        rayon::in_place_scope_fifo(|scope| {
            (0..ahead.clamp(1, len.max(1))).for_each(|_| line.begin(scope));
        });
        line.outcome()
    }
    #[cfg(not(feature = "threads"))]
    {
        let (_, mut take) = (ahead, take);
        (0..len).try_for_each(|at| take(one(at)?))
    }
}

#[cfg(feature = "threads")]
mod ordered {
    use std::collections::BTreeMap;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use rayon::ScopeFifo;

    use crate::Error;

    /// Work whose results are consumed in order.
    pub(super) struct Line<R, O, T> {
        len: usize,
        one: O,
        state: Mutex<State<R, T>>,
    }

    struct State<R, T> {
        /// Number of items started.
        begun: usize,
        /// Number of results passed on.
        taken: usize,
        /// Results that wait, by number.
        waiting: BTreeMap<usize, R>,
        /// `None` while a thread passes results on.
        take: Option<T>,
        outcome: Result<(), Error>,
    }

    impl<R, O, T> Line<R, O, T>
    where
        R: Send,
        O: Fn(usize) -> Result<R, Error> + Sync,
        T: FnMut(R) -> Result<(), Error> + Send,
    {
        pub(super) fn new(len: usize, one: O, take: T) -> Self {
            let state = State {
                begun: 0,
                taken: 0,
                waiting: BTreeMap::new(),
                take: Some(take),
                outcome: Ok(()),
            };
            Line {
                len,
                one,
                state: Mutex::new(state),
            }
        }

        /// Starts the next item, if there is one. Each result passed on starts another.
        pub(super) fn begin<'s>(&'s self, scope: &ScopeFifo<'s>) {
            let mut state = self.lock();
            if state.begun == self.len || state.outcome.is_err() {
                return;
            }
            let at = state.begun;
            state.begun += 1;
            drop(state);
            scope.spawn_fifo(move |scope| {
                let made = (self.one)(at);
                let mut state = self.lock();
                let made = made.map(|result| drop(state.waiting.insert(at, result)));
                state.end(made);
                while let Some((mut take, result)) = state.turn() {
                    drop(state);
                    let outcome = take(result);
                    self.begin(scope);
                    state = self.lock();
                    state.taken += 1;
                    state.take = Some(take);
                    state.end(outcome);
                }
            });
        }

        pub(super) fn outcome(self) -> Result<(), Error> {
            let state = self.state.into_inner();
            state.unwrap_or_else(PoisonError::into_inner).outcome
        }

        fn lock(&self) -> MutexGuard<'_, State<R, T>> {
            self.state.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    impl<R, T> State<R, T> {
        /// Returns the next result to pass on, if it is ready, no other thread is passing results on, and nothing has
        /// failed.
        fn turn(&mut self) -> Option<(T, R)> {
            if self.outcome.is_err() {
                return None;
            }
            let take = self.take.take()?;
            let Some(result) = self.waiting.remove(&self.taken) else {
                self.take = Some(take);
                return None;
            };
            Some((take, result))
        }

        fn end(&mut self, outcome: Result<(), Error>) {
            if self.outcome.is_ok() {
                self.outcome = outcome;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn results_come_in_order_and_never_too_many_wait() {
        for (len, ahead) in [(0, 1), (1, 8), (100, 1), (100, 3), (7, usize::MAX / 2)] {
            let (begun, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let mut seen = Vec::new();
            let one = |at| {
                begun.fetch_add(1, Ordering::SeqCst);
                assert!(at < taken.load(Ordering::SeqCst) + ahead, "{at}");
                // The first items are the slowest.
                std::thread::sleep(std::time::Duration::from_micros(100 * (3 - at as u64 % 4)));
                Ok(at)
            };
            let take = |at| {
                seen.push(at);
                taken.fetch_add(1, Ordering::SeqCst);
                Ok(())
            };
            in_order(len, ahead, one, take).unwrap();
            assert_eq!(seen, (0..len).collect::<Vec<_>>());
            assert_eq!(begun.into_inner(), len);
        }
    }

    #[test]
    fn an_error_of_either_ends_it() {
        let mut seen = Vec::new();
        let one = |at| match at {
            20 => Err(Error::setting("twenty", "one")),
            _ => Ok(at),
        };
        let error = in_order(1000, 4, one, |at| {
            seen.push(at);
            Ok(())
        });
        assert!(error.unwrap_err().to_string().contains("twenty"));
        assert!(seen.len() <= 20 && seen.iter().copied().eq(0..seen.len()));

        let take = |at| match at {
            20 => Err(Error::setting("twenty", "take")),
            _ => Ok(()),
        };
        let error = in_order(1000, 4, Ok, take).unwrap_err();
        assert!(error.to_string().contains("twenty"), "{error}");
    }

    #[test]
    #[should_panic(expected = "zero")]
    fn a_panic_leaves_nobody_waiting() {
        let one = |at| match at {
            0 => panic!("zero"),
            _ => Ok(at),
        };
        let _ = in_order(1000, 2, one, |_| Ok(()));
    }
}
