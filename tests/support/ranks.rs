//! Ranks that are threads of one process: they talk through memory, and share the device.

use super::gpu;
use manyworlds::gpu::{Gpu, Rank, Ranks, Transport};
use manyworlds::{Error, Result};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Where ranks meet.
#[derive(Debug, Default)]
struct Place {
    round: Mutex<Round>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Round {
    given: Vec<Vec<u8>>,
    came: usize,
    left: usize,
    /// Whether what was given is still being fetched.
    fetching: bool,
}

/// One of them.
#[derive(Debug)]
struct Thread {
    rank: Rank,
    place: Arc<Place>,
}

/// How long one waits for the others before it says so.
const PATIENCE: Duration = Duration::from_mins(2);

impl Thread {
    /// Gives `own`, and looks at what all have given.
    fn meet<T>(&self, own: &[u8], look: impl FnOnce(&[Vec<u8>]) -> T) -> Result<T> {
        let (count, index) = (self.rank.count as usize, self.rank.index as usize);
        let lost =
            || Error::Rank { rank: format!("rank {index}"), reason: "the others did not come".to_owned(), code: 5 };
        let wait = |round, done: fn(&Round) -> bool| {
            let waited = self.place.changed.wait_timeout_while(round, PATIENCE, |round| !done(round));
            let (round, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            if timeout.timed_out() { Err(lost()) } else { Ok(round) }
        };
        let round = self.place.round.lock().unwrap_or_else(PoisonError::into_inner);
        let mut round = wait(round, |round| !round.fetching)?;
        round.given.resize(count, Vec::new());
        round.given[index] = own.to_vec();
        round.came += 1;
        if round.came == count {
            round.fetching = true;
            self.place.changed.notify_all();
        }
        let mut round = wait(round, |round| round.fetching)?;
        let seen = look(&round.given);
        round.left += 1;
        if round.left == count {
            *round = Round::default();
            self.place.changed.notify_all();
        }
        Ok(seen)
    }
}

impl Transport for Thread {
    fn rank(&self) -> Rank {
        self.rank
    }

    fn gather(&self, own: &[u8], all: &mut [u8]) -> Result<()> {
        self.meet(own, |given| all.copy_from_slice(&given.concat()))
    }

    fn scatter(&self, own: &[u8], pieces: &mut [u8]) -> Result<()> {
        let (index, each) = (self.rank.index as usize, own.len() / self.rank.count as usize);
        self.meet(own, |given| {
            let pieces_of: Vec<&[u8]> = given.iter().map(|words| &words[index * each..(index + 1) * each]).collect();
            pieces.copy_from_slice(&pieces_of.concat());
        })
    }
}

/// What so many ranks give, each in a thread of its own.
pub fn on_ranks<T: Send>(count: u32, work: impl Fn(&Gpu) -> T + Sync) -> Vec<T> {
    let place = Arc::new(Place::default());
    std::thread::scope(|scope| {
        let of = |index| {
            let (place, work) = (Arc::clone(&place), &work);
            scope.spawn(move || {
                work(&gpu().clone().with_ranks(Ranks::new(Thread { rank: Rank { index, count }, place })))
            })
        };
        let threads: Vec<_> = (0..count).map(of).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|error| std::panic::resume_unwind(error)))
            .collect()
    })
}
