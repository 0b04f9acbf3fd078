//! Commands over several ranks, which `mpirun` or `srun` starts. What the launcher starts is a guard: it starts this program
//! again, which joins the others by MPI, and says which rank on which host it was if that dies. The first rank prints and writes;
//! the others say nothing, or write it into files of their own.

use super::say::{self, say};
use super::{ExitCode, drivers, signals};
use crate::gpu::{Rank, Ranks};
use crate::mpi::Mpi;
use crate::{Error, Result};
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::sync::OnceLock;

/// What says that this process has a guard: the guard's number.
const GUARDED: &str = "MANYWORLDS_GUARD";

/// Exit code of a job one of whose ranks has died.
const DIED: u8 = 5;

/// The names under which launchers tell a process its rank and how many there are: OpenMPI, MPICH and its kin, Slurm's PMIx.
const LAUNCHERS: [[&str; 2]; 3] =
    [["OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"], ["PMI_RANK", "PMI_SIZE"], ["PMIX_RANK", "SLURM_NTASKS"]];

/// The same for how many ranks a host has.
const ON_A_HOST: [&str; 3] = ["OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "SLURM_NTASKS_PER_NODE"];

/// The ranks that this process has joined, and which of its host's it is.
static JOINED: OnceLock<(Ranks, Rank)> = OnceLock::new();

fn number(name: &str) -> Option<u32> {
    std::env::var(name).ok()?.trim().parse().ok()
}

/// The rank that a launcher has given this process, where it has started several.
fn launched() -> Option<Rank> {
    let rank = |[index, count]: [&str; 2]| Some(Rank { index: number(index)?, count: number(count)? });
    LAUNCHERS.into_iter().find_map(rank).filter(|rank| rank.count > 1)
}

/// Whether a launcher has started several.
pub fn are_several() -> bool {
    launched().is_some()
}

/// Whether another process tells what is to be told: this is not the first rank.
pub fn is_quiet() -> bool {
    launched().is_some_and(|rank| !rank.is_first())
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Threads of a software driver for one of so many ranks of this host, which may have been given cores of its own.
fn threads(ranks: u32) -> u32 {
    let own = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let all = text.lines().filter(|line| line.starts_with("processor")).count() as u32;
    if own < all { own } else { (own / ranks).max(1) }
}

/// Where a launcher has started this process as one of several: starts the rank and waits for it; what the process ends with.
pub fn guard(work: drivers::Work, arguments: &[OsString], remedy: &str) -> Option<ExitCode> {
    let rank = launched()?;
    if let Some(guard) = number(GUARDED) {
        #[cfg(target_os = "linux")]
        super::foreign::die_with(guard);
        let _ = guard;
        return None;
    }
    let mut wanted = drivers::wanted(work);
    // a processor that plays several GPUs is shared out
    if let Some(ranks) = ON_A_HOST.into_iter().find_map(number).filter(|ranks| *ranks > 1)
        && std::env::var_os("LP_NUM_THREADS").is_none()
        && !wanted.iter().any(|(name, _)| *name == "LP_NUM_THREADS")
    {
        wanted.push(("LP_NUM_THREADS", threads(ranks).to_string().into()));
    }
    // signals go to the whole group: the rank obeys them, and this process waits for it
    for signal in signals::heard() {
        let _ = signal_hook::flag::register(signal, std::sync::Arc::default());
    }
    let started = super::again().and_then(|mut program| {
        program.args(arguments).envs(wanted).env(GUARDED, std::process::id().to_string());
        program.status()
    });
    let place = format!("rank {} on {}", rank.index, host());
    Some(match started {
        Err(error) => {
            say(format_args!("error: {place} could not be started: {error}"));
            ExitCode(DIED)
        }
        Ok(status) => match status.code() {
            Some(code) => ExitCode(u8::try_from(code).unwrap_or(1)),
            None => match status.signal().and_then(|signal| u8::try_from(signal).ok()) {
                // the whole job was told to end
                Some(signal) if signals::heard().contains(&i32::from(signal)) => ExitCode(128 + signal),
                _ => {
                    say(format_args!("error: {place} died ({status}), and the job ends; {remedy}"));
                    ExitCode(DIED)
                }
            },
        },
    })
}

/// Joins the other ranks, where a launcher has started several.
pub fn join() -> Result<()> {
    let Some(launched) = launched() else { return Ok(()) };
    let mpi = Mpi::join()?;
    let ranks = Ranks::new(mpi);
    if ranks.rank() != launched {
        let (started, known) = (launched.count, ranks.rank().count);
        let reason = format!(
            "the launcher has started {started} processes and MPI knows {known}; use the mpirun of the MPI that this program was \
             built with"
        );
        return Err(Error::Rank { rank: format!("rank {}", launched.index), reason, code: 2 });
    }
    if !ranks.rank().is_first() {
        say::be_quiet();
    }
    let _ = JOINED.set((ranks, mpi.local()));
    Ok(())
}

/// Leaves them, once all do.
pub fn leave() {
    if JOINED.get().is_some() {
        Mpi::leave();
    }
}

/// The ranks that this process trains with.
pub fn joined() -> Option<&'static Ranks> {
    JOINED.get().map(|(ranks, _)| ranks)
}

/// Which of its host's ranks this is.
pub fn local() -> Rank {
    JOINED.get().map_or(Rank::ALONE, |(_, local)| *local)
}

/// The result of a step that every rank takes by itself: an error of one is an error of all.
pub fn agree<T>(result: Result<T>) -> Result<T> {
    match joined() {
        Some(ranks) => ranks.agree(result),
        None => result,
    }
}

/// The same text on all ranks: the first one's.
pub fn of_first(text: &str) -> Result<String> {
    let Some(ranks) = joined() else { return Ok(text.to_owned()) };
    let all = ranks.gather_bytes(text.as_bytes())?;
    Ok(String::from_utf8_lossy(all.first().map_or(&[][..], Vec::as_slice)).into_owned())
}

/// Fails where ranks have been given different things to do.
pub fn same(what: &str, of: &[u8]) -> Result<()> {
    let Some(ranks) = joined() else { return Ok(()) };
    let hash = *blake3::hash(of).as_bytes();
    let all = ranks.gather(&hash)?;
    let other = all.chunks_exact(hash.len()).position(|other| other != &all[..hash.len()]);
    let refuse = |rank| Error::Rank {
        rank: format!("rank {rank}"),
        reason: format!("{what} is another than that of rank 0; give all ranks the same files and arguments"),
        code: 2,
    };
    ranks.agree(other.map_or(Ok(()), |rank| Err(refuse(rank))))
}

/// From here on what this rank says goes into a file of a run's directory.
pub fn log_into(run: &Path) -> Result<()> {
    let Some(ranks) = joined() else { return Ok(()) };
    let folder = run.join("ranks");
    let path = folder.join(format!("rank-{}.log", ranks.rank().index));
    let file = std::fs::create_dir_all(&folder).and_then(|()| std::fs::File::create(&path));
    let file = file.map_err(|error| Error::file("write", &path, &error))?;
    say::log_into(file);
    say(format_args!("rank {} of {} on {}", ranks.rank().index, ranks.rank().count, host()));
    Ok(())
}

/// Ends the job where this rank has failed and others wait for it.
pub fn abort_after(error: &Error) {
    let Some(ranks) = joined().filter(|ranks| !ranks.have_parted()) else { return };
    if !ranks.rank().is_first() {
        say::aloud(format_args!("error: rank {} on {}: {}", ranks.rank().index, host(), super::one_error(error)));
    }
    Mpi::abort(error.exit_code());
}
