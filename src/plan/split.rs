//! How buffers that hold something of every world are shared out among ranks, each of which has a block of the worlds.

/// Where the worlds are in a buffer that a run needs to go on: `[outer][world][inner]` words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// Worlds of this rank.
    pub worlds: u32,
    /// Neighbouring words of a world.
    pub inner: u32,
    /// Of how many rows of worlds every first one holds places of a ring, which the number of worlds is a part of
    /// (`shaders/part/explorer.wgsl`); 0 = none does.
    pub places: u32,
}

/// The bit of a place that says that its ring began anew.
const BEGAN_ANEW: u32 = 1 << 31;

impl Split {
    /// Words in the order of neighbouring worlds, one rank after the other.
    pub fn joined(self, ranks: &[&[u32]]) -> Vec<u32> {
        let count = ranks.len() as u32;
        let row = (self.worlds * self.inner) as usize;
        let rows = ranks.first().map_or(0, |words| words.len() / row.max(1));
        let of_row = |n: usize| {
            ranks.iter().enumerate().flat_map(move |(rank, words)| {
                let words = &words[n * row..(n + 1) * row];
                words
                    .iter()
                    .map(move |&word| if self.has_places(n) { self.among_all(word, rank as u32, count) } else { word })
            })
        };
        (0..rows).flat_map(of_row).collect()
    }

    /// What is one rank's of so many.
    pub fn shared(self, words: &[u32], rank: u32, count: u32) -> Vec<u32> {
        let row = (self.worlds * self.inner) as usize;
        let rows = words.chunks_exact((row * count as usize).max(1));
        let own = rows.enumerate().flat_map(|(n, words)| {
            let words = &words[rank as usize * row..(rank as usize + 1) * row];
            words.iter().map(move |&word| if self.has_places(n) { self.own(word, rank, count) } else { word })
        });
        own.collect()
    }

    fn has_places(self, row: usize) -> bool {
        self.places > 0 && row.is_multiple_of(self.places as usize)
    }

    /// A place in the ring of a single process, from that in a rank's: step · worlds + world.
    fn among_all(self, word: u32, rank: u32, count: u32) -> u32 {
        let place = word & !BEGAN_ANEW;
        let (step, world) = (place / self.worlds, place % self.worlds);
        word & BEGAN_ANEW | (step * self.worlds * count + rank * self.worlds + world)
    }

    /// The other way round.
    fn own(self, word: u32, rank: u32, count: u32) -> u32 {
        let all = self.worlds * count;
        let place = word & !BEGAN_ANEW;
        let (step, world) = (place / all, place % all);
        word & BEGAN_ANEW | (step * self.worlds + world.wrapping_sub(rank * self.worlds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ranks_have_joins_world_by_world_and_comes_apart_again() {
        let split = Split { worlds: 2, inner: 2, places: 0 };
        // [row][world][inner], worlds 0 and 1 on one rank, 2 and 3 on the other
        let (a, b) = ([0, 1, 10, 11, 100, 101, 110, 111], [20, 21, 30, 31, 120, 121, 130, 131]);
        let all = split.joined(&[&a, &b]);
        assert_eq!(all, [0, 1, 10, 11, 20, 21, 30, 31, 100, 101, 110, 111, 120, 121, 130, 131]);
        assert_eq!((split.shared(&all, 0, 2), split.shared(&all, 1, 2)), (a.to_vec(), b.to_vec()));
    }

    #[test]
    fn places_of_a_ring_are_those_of_one_process() {
        let split = Split { worlds: 3, inner: 1, places: 2 };
        // third step, and what else a world keeps
        let anew = |place: u32| place + BEGAN_ANEW;
        let (a, b) = ([6, 7, anew(8), 6, 7, 8], [6, 7, 8, 60, 70, 80]);
        let all = split.joined(&[&a, &b]);
        assert_eq!(all, [12, 13, anew(14), 15, 16, 17, 6, 7, 8, 60, 70, 80]);
        assert_eq!((split.shared(&all, 0, 2), split.shared(&all, 1, 2)), (a.to_vec(), b.to_vec()));
    }
}
