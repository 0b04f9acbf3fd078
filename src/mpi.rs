//! Ranks that talk by MPI: OpenMPI, MPICH and their kin.

use crate::error::{Error, Result};
use crate::gpu::{Rank, Transport};
use mpi::Threading;
use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};
use std::sync::{Mutex, PoisonError};

/// MPI, from its start to its end.
static UNIVERSE: Mutex<Option<Universe>> = Mutex::new(None);

/// Bytes of a rank that go into one message at most: MPI counts in 31 bits.
const MESSAGE: usize = 1 << 28;

/// All ranks that were started together.
#[derive(Clone, Copy, Debug)]
pub struct Mpi {
    rank: Rank,
    local: Rank,
}

impl Mpi {
    /// Joins the ranks that a launcher (`mpirun`, `srun`) has started; once in a process.
    ///
    /// # Errors
    /// [`Error::Rank`] where MPI was started before.
    pub fn join() -> Result<Self> {
        let refuse = |reason: &str| Error::Rank { rank: "MPI".to_owned(), reason: reason.to_owned(), code: 1 };
        let (universe, _) = mpi::initialize_with_threading(Threading::Serialized)
            .ok_or_else(|| refuse("it was started before in this process; start it once"))?;
        let rank_of =
            |of: &SimpleCommunicator| Rank { index: of.rank().cast_unsigned(), count: of.size().cast_unsigned() };
        let world = universe.world();
        let joined = Self { rank: rank_of(&world), local: rank_of(&world.split_shared(world.rank())) };
        *UNIVERSE.lock().unwrap_or_else(PoisonError::into_inner) = Some(universe);
        Ok(joined)
    }

    /// Which of the ranks of its host it is.
    pub fn local(self) -> Rank {
        self.local
    }

    /// Leaves the other ranks, once all of them do; nothing is exchanged behind it.
    pub fn leave() {
        drop(UNIVERSE.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Ends all ranks at once with an exit code, this process included.
    pub fn abort(code: u8) -> ! {
        SimpleCommunicator::world().abort(code.into())
    }
}

impl Transport for Mpi {
    fn rank(&self) -> Rank {
        self.rank
    }

    fn gather(&self, own: &[u8], all: &mut [u8]) -> Result<()> {
        let world = SimpleCommunicator::world();
        if own.is_empty() {
            return Ok(());
        }
        if own.len() <= MESSAGE {
            world.all_gather_into(own, all);
            return Ok(());
        }
        let mut pieces = vec![0; MESSAGE * self.rank.count as usize];
        for (n, piece) in own.chunks(MESSAGE).enumerate() {
            let pieces = &mut pieces[..piece.len() * self.rank.count as usize];
            world.all_gather_into(piece, pieces);
            for (rank, piece) in pieces.chunks_exact(piece.len()).enumerate() {
                let first = rank * own.len() + n * MESSAGE;
                all[first..first + piece.len()].copy_from_slice(piece);
            }
        }
        Ok(())
    }

    fn scatter(&self, own: &[u8], pieces: &mut [u8]) -> Result<()> {
        if !own.is_empty() {
            SimpleCommunicator::world().all_to_all_into(own, pieces);
        }
        Ok(())
    }
}
