//! The program without the feature `mpi`.

// a test may panic
#![allow(clippy::unwrap_used)]

#[cfg(not(feature = "mpi"))]
#[test]
fn nothing_of_mpi_is_in_the_program() {
    let program = std::fs::read(env!("CARGO_BIN_EXE_manyworlds")).unwrap();
    let holds = |part: &str| program.windows(part.len()).any(|bytes| bytes == part.as_bytes());
    assert!(holds("manyworlds"), "nothing is found in the program at all");
    for part in ["libmpi", "MPI_Init", "MPI_Allgather", "OMPI_COMM_WORLD", "PMI_RANK", "mpirun"] {
        assert!(!holds(part), "{part} is in the program");
    }
}
