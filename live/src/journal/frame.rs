//! What stands in a segment: a header, then frames.
//!
//! ```text
//! header   "blis.rec" version:4 size of a unit:4 writer:4 run:8 crc:4
//! frame    crc:4 units:4 first:8 unit …
//! ```
//!
//! Numbers are in little-endian order. `first` is the sequence number of the first entry of a frame, and those after it
//! follow without a gap. An entry is in one frame, with its text. Each checksum is a CRC-32 (ISO 3309) over all that it is
//! next to. A frame that is cut off, or whose checksum is another one, ends the segment: what is behind it is not looked at.

use std::io::{self, Read};

use super::MOST;
use super::entry::{Bytes, Entry, SIZE};

/// The version of headers, frames and units.
pub const VERSION: u32 = 3;

const MAGIC: [u8; 8] = *b"blis.rec";
/// Bytes of the header of a segment.
pub const HEADER: usize = 32;
/// Bytes of a frame before its units.
pub const FRAME: usize = 16;

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Who writes it, from 0.
    pub writer: u32,
    /// The run.
    pub run: u64,
}

/// What the beginning of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// A segment of this version.
    Header(Header),
    /// A segment of another version.
    Version(u32),
    /// A segment that was cut off within its header, or damaged there.
    Torn,
    /// No segment.
    Foreign,
}

impl Header {
    /// As it is written.
    pub fn encode(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&(SIZE as u32).to_le_bytes());
        bytes[16..20].copy_from_slice(&self.writer.to_le_bytes());
        bytes[20..28].copy_from_slice(&self.run.to_le_bytes());
        let crc = crc32(&[&bytes[..28]]);
        bytes[28..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// What a file begins with.
    pub fn decode(bytes: &[u8]) -> Beginning {
        let magic = bytes.get(..8).unwrap_or(bytes);
        match (MAGIC.starts_with(magic), bytes.len() < HEADER) {
            (false, _) => return Beginning::Foreign,
            (true, true) => return Beginning::Torn,
            (true, false) => {}
        }
        let version = u32_at(bytes, 8);
        // Earlier versions have checksums of another kind.
        let is_earlier = (1..VERSION).contains(&version);
        if !is_earlier && crc32(&[&bytes[..28]]) != u32_at(bytes, 28) {
            return Beginning::Torn;
        }
        match (version, u32_at(bytes, 12) as usize) {
            (VERSION, SIZE) => Beginning::Header(Header {
                writer: u32_at(bytes, 16),
                run: u64_at(bytes, 20),
            }),
            _ => Beginning::Version(version),
        }
    }
}

/// Writes units, [`MOST`] at most, as a frame to the end of `out`; `first` is the sequence number of the first entry.
pub fn write(first: u64, units: &[Bytes], out: &mut Vec<u8>) {
    let number = (units.len() as u32).to_le_bytes();
    let first = first.to_le_bytes();
    let units = units.as_flattened();
    let crc = crc32(&[&number, &first, units]);
    out.extend_from_slice(&crc.to_le_bytes());
    out.extend_from_slice(&number);
    out.extend_from_slice(&first);
    out.extend_from_slice(units);
}

/// Writes any number of entries, of which the first has this number, as frames.
pub fn write_all<'a>(first: u64, entries: impl IntoIterator<Item = &'a Entry>, out: &mut Vec<u8>) {
    let (mut first, mut number) = (first, 0);
    let mut units = Vec::with_capacity(MOST);
    for entry in entries {
        if units.len() + entry.units() > MOST {
            write(first, &units, out);
            units.clear();
            (first, number) = (first + number, 0);
        }
        units.extend(entry.encode());
        number += 1;
    }
    if number > 0 {
        write(first, &units, out);
    }
}

/// A frame that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The sequence number of its first entry.
    pub first: u64,
    /// Its units.
    pub units: Vec<Bytes>,
}

impl Frame {
    /// How many bytes of its segment it is.
    pub fn size(&self) -> u64 {
        (FRAME + SIZE * self.units.len()) as u64
    }
}

/// What comes next in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// A frame.
    Frame(Frame),
    /// Nothing.
    End,
    /// So many bytes that are no frame.
    Torn(u64),
}

/// Reads the next frame.
///
/// # Errors
/// Those of the reader.
pub fn read(from: &mut impl Read) -> io::Result<Next> {
    let mut head = [0; FRAME];
    let got = fill(from, &mut head)?;
    if got == 0 {
        return Ok(Next::End);
    }
    let number = u32_at(&head, 4) as usize;
    if got < FRAME || number == 0 || number > MOST {
        return Ok(Next::Torn(got as u64 + rest(from)?));
    }
    let mut units: Vec<Bytes> = vec![[0; SIZE]; number];
    let body = units.as_flattened_mut();
    let filled = fill(from, body)?;
    if filled < body.len() || crc32(&[&head[4..], body]) != u32_at(&head, 0) {
        return Ok(Next::Torn((FRAME + filled) as u64 + rest(from)?));
    }
    let first = u64_at(&head, 8);
    Ok(Next::Frame(Frame { first, units }))
}

/// Fills `bytes` as far as there is something; how far.
///
/// # Errors
/// Those of the reader.
pub fn fill(from: &mut impl Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match from.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return Err(why),
        }
    }
    Ok(filled)
}

fn rest(from: &mut impl Read) -> io::Result<u64> {
    io::copy(from, &mut io::sink())
}

/// The four bytes at a place that is there.
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(four)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(eight)
}

/// The checksum of these parts one behind the other.
pub fn crc32(parts: &[&[u8]]) -> u32 {
    let mut sum = Checksum::default();
    parts.iter().for_each(|part| sum.add(part));
    sum.value()
}

/// The CRC-32 (ISO 3309) of what comes one part after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checksum(u32);

impl Checksum {
    /// Goes on with this part.
    pub fn add(&mut self, part: &[u8]) {
        let mut sum = crc32fast::Hasher::new_with_initial(self.0);
        sum.update(part);
        self.0 = sum.finalize();
    }

    /// Goes on with an entry, if the record of a run that has ended still has it.
    pub fn keep(&mut self, entry: &Entry) {
        if entry.what.is_kept() {
            entry.encode().for_each(|unit| self.add(&unit));
        }
    }

    /// That of all that came.
    pub fn value(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests;
