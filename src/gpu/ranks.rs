//! Several processes that train together, each with a device: their number, and how they talk.

use crate::error::{Error, Result};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Which of several processes this one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rank {
    /// Its number, from 0.
    pub index: u32,
    /// How many there are.
    pub count: u32,
}

impl Rank {
    /// The only one.
    pub const ALONE: Self = Self { index: 0, count: 1 };

    /// Whether there are no others.
    pub fn is_alone(self) -> bool {
        self.count == 1
    }

    /// Whether it is the one that decides, writes and prints.
    pub fn is_first(self) -> bool {
        self.index == 0
    }
}

/// What carries bytes between ranks. All ranks make the same calls in the same order; each returns once its own bytes are there.
///
/// The command line's is MPI (feature `mpi`). A program that embeds this library may bring its own, of threads or of sockets.
pub trait Transport: fmt::Debug + Send + Sync {
    /// Which rank this is.
    fn rank(&self) -> Rank;

    /// Puts the bytes of every rank into `all`, in the order of ranks. All of them give as many.
    ///
    /// # Errors
    /// [`Error::Rank`] where another rank cannot be reached.
    fn gather(&self, own: &[u8], all: &mut [u8]) -> Result<()>;

    /// Gives piece r of `own` to rank r, and puts the pieces that this rank is given into `pieces`, in the order of ranks. All
    /// pieces are as long.
    ///
    /// # Errors
    /// Those of [`Transport::gather`].
    fn scatter(&self, own: &[u8], pieces: &mut [u8]) -> Result<()>;
}

/// The ranks of a run, this process among them. Clones share it.
#[derive(Clone, Debug)]
pub struct Ranks {
    transport: Arc<dyn Transport>,
    /// Whether each has whole agents, and not a share of the worlds of all.
    deals: bool,
    spent: Arc<Spent>,
}

/// What talking to others has taken.
#[derive(Debug, Default)]
struct Spent {
    exchanges: AtomicU64,
    bytes: AtomicU64,
    talking: Mutex<Duration>,
    /// Whether nobody waits for this one any more.
    apart: AtomicBool,
}

/// What talking to other ranks has taken so far; see [`Ranks::traffic`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Exchanges.
    pub exchanges: u64,
    /// Bytes that this rank has given for them.
    pub bytes: u64,
    /// Time in the transport, waiting for other ranks included.
    pub time: Duration,
}

/// Words of all ranks together up to which all of them get everything: one round trip, where two would carry less.
const TOGETHER: usize = 1 << 16;

impl Ranks {
    /// Ranks that talk by this.
    pub fn new(transport: impl Transport + 'static) -> Self {
        Self { transport: Arc::new(transport), deals: false, spent: Arc::default() }
    }

    /// The same ranks where each trains some agents by itself, and all of them hear of all agents.
    #[must_use]
    pub fn dealing(self) -> Self {
        Self { deals: true, ..self }
    }

    /// Whether each trains some agents by itself.
    pub fn deals(&self) -> bool {
        self.deals
    }

    /// Which of them this process is.
    pub fn rank(&self) -> Rank {
        self.transport.rank()
    }

    /// What talking to others has taken so far.
    pub fn traffic(&self) -> Traffic {
        Traffic {
            exchanges: self.spent.exchanges.load(Ordering::Relaxed),
            bytes: self.spent.bytes.load(Ordering::Relaxed),
            time: *self.spent.talking.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// The bytes of every rank, in the order of ranks; all of them give as many.
    ///
    /// # Errors
    /// [`Error::Rank`].
    pub fn gather(&self, own: &[u8]) -> Result<Vec<u8>> {
        let mut all = vec![0; own.len() * self.rank().count as usize];
        self.timed(own.len(), |transport| transport.gather(own, &mut all))?;
        Ok(all)
    }

    /// Texts of every rank, of any length.
    ///
    /// # Errors
    /// [`Error::Rank`].
    pub fn gather_bytes(&self, own: &[u8]) -> Result<Vec<Vec<u8>>> {
        let lengths: Vec<u64> = bytemuck::pod_collect_to_vec(&self.gather(&(own.len() as u64).to_ne_bytes())?);
        let longest = lengths.iter().copied().max().unwrap_or(0) as usize;
        let mut padded = own.to_vec();
        padded.resize(longest, 0);
        let all = self.gather(&padded)?;
        let of = |(rank, &length): (usize, &u64)| all[rank * longest..rank * longest + length as usize].to_vec();
        Ok(lengths.iter().enumerate().map(of).collect())
    }

    /// The result of a step that every rank takes by itself: where one has failed all have, with the error of the first of those.
    ///
    /// # Errors
    /// This rank's own error, or [`Error::Rank`] with what another one says.
    pub fn agree<T>(&self, result: Result<T>) -> Result<T> {
        // an exit code, and a text behind it
        let said = match &result {
            Ok(_) => Vec::new(),
            Err(error) => std::iter::once(error.exit_code()).chain(error.to_string().into_bytes()).collect(),
        };
        let all = self.gather_bytes(&said)?;
        let failed = all.iter().enumerate().find_map(|(rank, said)| said.split_first().map(|said| (rank, said)));
        if failed.is_some() {
            self.part();
        }
        match (result, failed) {
            (Ok(_), Some((rank, (&code, said)))) => {
                let reason = String::from_utf8_lossy(said).into_owned();
                Err(Error::Rank { rank: format!("rank {rank}"), reason, code })
            }
            (result, _) => result,
        }
    }

    /// Notes that all ranks know that nothing more is exchanged: their run has ended, or all have failed at the same place.
    pub(crate) fn part(&self) {
        self.spent.apart.store(true, Ordering::Relaxed);
    }

    /// Whether nobody waits for this one any more.
    pub fn have_parted(&self) -> bool {
        self.spent.apart.load(Ordering::Relaxed)
    }

    /// Means over ranks of numbers that each has, summed in the order of ranks, whatever the number of round trips.
    ///
    /// # Errors
    /// [`Error::Rank`].
    pub fn mean(&self, numbers: &mut [f32]) -> Result<()> {
        let ranks = self.rank().count as usize;
        if numbers.len() * ranks <= TOGETHER {
            let all: Vec<f32> = bytemuck::pod_collect_to_vec(&self.gather(bytemuck::cast_slice(numbers))?);
            means(&all, numbers);
            return Ok(());
        }
        // each rank sums a piece, and gives it to all
        let piece = numbers.len().div_ceil(ranks);
        let mut given = numbers.to_vec();
        given.resize(piece * ranks, 0.0);
        let mut pieces = vec![0.0f32; piece * ranks];
        self.timed(4 * given.len(), |transport| {
            transport.scatter(bytemuck::cast_slice(&given), bytemuck::cast_slice_mut(&mut pieces))
        })?;
        let mut own = vec![0.0f32; piece];
        means(&pieces, &mut own);
        self.timed(4 * piece, |transport| {
            transport.gather(bytemuck::cast_slice(&own), bytemuck::cast_slice_mut(&mut given))
        })?;
        numbers.copy_from_slice(&given[..numbers.len()]);
        Ok(())
    }

    fn timed(&self, bytes: usize, talk: impl FnOnce(&dyn Transport) -> Result<()>) -> Result<()> {
        self.spent.apart.store(false, Ordering::Relaxed);
        let started = Instant::now();
        let done = talk(&*self.transport);
        *self.spent.talking.lock().unwrap_or_else(PoisonError::into_inner) += started.elapsed();
        self.spent.exchanges.fetch_add(1, Ordering::Relaxed);
        self.spent.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        done
    }
}

/// Means of the numbers of each rank, one after the other in `all`.
fn means(all: &[f32], to: &mut [f32]) {
    let count = to.len();
    let ranks = all.len() / count.max(1);
    for (i, mean) in to.iter_mut().enumerate() {
        let sum: f64 = (0..ranks).map(|rank| f64::from(all[rank * count + i])).sum();
        *mean = (sum / ranks as f64) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::means;

    #[test]
    fn means_are_of_the_same_place_of_every_rank() {
        let mut to = [0.0; 3];
        means(&[1.0, 2.0, 3.0, 3.0, 2.0, f32::NAN], &mut to);
        assert_eq!(to[..2], [2.0, 2.0]);
        assert!(to[2].is_nan());
    }
}
