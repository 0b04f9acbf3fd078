//! The frames of a film, of which only what changes is kept.

/// Frames of one size, at one rate.
#[derive(Debug)]
pub struct Film {
    pub width: u32,
    pub height: u32,
    /// Frames per second.
    pub fps: f64,
    frames: Vec<Changes>,
    last: Vec<u32>,
}

/// The pixels in which a frame differs from the one before: runs (first, length), and the words of all of them.
#[derive(Debug, Default)]
pub struct Changes {
    runs: Vec<(u32, u32)>,
    words: Vec<u32>,
}

impl Changes {
    /// The runs: place of the first pixel, and words.
    pub fn runs(&self) -> impl Iterator<Item = (usize, &[u32])> {
        let mut done = 0;
        self.runs.iter().map(move |&(first, length)| {
            let words = &self.words[done..done + length as usize];
            done += length as usize;
            (first as usize, words)
        })
    }

    /// Puts them into a picture.
    pub fn apply(&self, picture: &mut [u32]) {
        for (first, words) in self.runs() {
            picture[first..first + words.len()].copy_from_slice(words);
        }
    }
}

impl Film {
    pub fn new(width: u32, height: u32, fps: f64) -> Self {
        Self { width, height, fps, frames: Vec::new(), last: vec![0; width as usize * height as usize] }
    }

    /// Adds a frame, `[row][column]`; what was drawn is opaque, so that all of the first one is a change.
    pub fn add(&mut self, pixels: &[u32]) {
        let mut changes = Changes::default();
        let mut at = 0;
        while let Some(first) = (at..self.last.len()).find(|&i| pixels[i] != self.last[i]) {
            let end = (first..self.last.len()).find(|&i| pixels[i] == self.last[i]).unwrap_or(self.last.len());
            changes.runs.push((first as u32, (end - first) as u32));
            changes.words.extend_from_slice(&pixels[first..end]);
            self.last[first..end].copy_from_slice(&pixels[first..end]);
            at = end;
        }
        self.frames.push(changes);
    }

    /// What changes from frame to frame.
    pub fn frames(&self) -> &[Changes] {
        &self.frames
    }

    /// The last frame.
    pub fn last(&self) -> &[u32] {
        &self.last
    }
}

/// Red, green, blue of a word.
pub fn rgb(word: u32) -> [u8; 3] {
    let [r, g, b, _] = word.to_le_bytes();
    [r, g, b]
}

/// The smallest rectangle (left, top, width, height) around the places for which `changed` holds in a picture of this width.
pub fn bounds(width: usize, changed: impl Iterator<Item = usize>) -> Option<[usize; 4]> {
    let mut box_: Option<[usize; 4]> = None;
    for at in changed {
        let (x, y) = (at % width, at / width);
        let b = box_.get_or_insert([x, y, x, y]);
        *b = [b[0].min(x), b[1].min(y), b[2].max(x), b[3].max(y)];
    }
    box_.map(|[left, top, right, bottom]| [left, top, right + 1 - left, bottom + 1 - top])
}

#[cfg(test)]
mod tests {
    use super::Film;

    #[test]
    fn frames_come_back_as_they_were() {
        let frames = [[1, 2, 3, 4, 5, 6], [1, 2, 9, 9, 5, 7], [1, 2, 9, 9, 5, 7], [8, 2, 9, 4, 4, 4]];
        let mut film = Film::new(3, 2, 30.0);
        for frame in &frames {
            film.add(frame);
        }
        let mut picture = vec![0; 6];
        for (changes, frame) in film.frames().iter().zip(&frames) {
            changes.apply(&mut picture);
            assert_eq!(picture, frame);
        }
        assert_eq!(film.frames()[2].runs().count(), 0);
        assert_eq!(film.last(), frames[3]);
    }
}
