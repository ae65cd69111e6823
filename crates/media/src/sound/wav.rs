//! RIFF WAVE files: where their chunks lie, what the format says, and the samples mixed to one
//! channel. What a chunk other than `fmt ` and `data` holds is passed over.

use std::time::Duration;

use super::LENGTH_MAX;
use crate::codec::g711;

/// Most channels that are mixed.
const CHANNELS_MAX: u16 = 8;

/// Samples a second that are read.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=192_000;

/// A length that was never filled in, because the file was written as a stream.
const UNKNOWN_LENGTH: u32 = u32::MAX;

/// Why bytes are no sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SoundError {
    /// Something else than RIFF WAVE.
    #[error(
        "byte 0: expected a RIFF WAVE file, got {found}; convert it to WAV, for telephony best of \
         16-bit PCM at 8000 Hz, mono"
    )]
    NotWave {
        /// What it looks like.
        found: &'static str,
    },
    /// A chunk that must be there is not.
    #[error("no `{chunk}` chunk; expected one in the {length} bytes of the file, got none")]
    ChunkMissing {
        /// Its four letters.
        chunk: &'static str,
        /// Bytes of the file.
        length: usize,
    },
    /// The format is cut off.
    #[error("`fmt ` chunk at byte {at}: expected at least {expected} bytes, got {got}")]
    FormatShort {
        /// Where the chunk begins.
        at: usize,
        /// Bytes that it must have.
        expected: usize,
        /// Bytes that it has.
        got: usize,
    },
    /// A coding that is not read.
    #[error(
        "`fmt ` chunk at byte {at}: coding; expected PCM (1), float (3), A-law (6) or µ-law (7), \
         got {tag}; convert it to 16-bit PCM"
    )]
    Coding {
        /// Where the chunk begins.
        at: usize,
        /// The format tag; of WAVE_FORMAT_EXTENSIBLE the one inside.
        tag: u16,
    },
    /// A sample size that its coding does not have.
    #[error(
        "`fmt ` chunk at byte {at}: bits of a sample; expected 8, 16, 24 or 32 of PCM, 32 or 64 \
         of float, 8 of G.711, got {bits} of coding {tag}"
    )]
    Bits {
        /// Where the chunk begins.
        at: usize,
        /// The bits.
        bits: u16,
        /// The format tag.
        tag: u16,
    },
    /// No channel, or too many.
    #[error("`fmt ` chunk at byte {at}: channels; expected 1 to {CHANNELS_MAX}, got {channels}")]
    Channels {
        /// Where the chunk begins.
        at: usize,
        /// How many there are.
        channels: u16,
    },
    /// A sample rate out of range.
    #[error(
        "`fmt ` chunk at byte {at}: samples a second; expected {} to {}, got {rate}",
        RATES.start(),
        RATES.end()
    )]
    Rate {
        /// Where the chunk begins.
        at: usize,
        /// The rate.
        rate: u32,
    },
    /// No whole sample is there.
    #[error("`data` chunk at byte {at}: expected samples, got {got} bytes, not one sample")]
    Empty {
        /// Where the chunk begins.
        at: usize,
        /// Bytes that it has.
        got: usize,
    },
    /// Longer than [`LENGTH_MAX`].
    #[error(
        "`data` chunk at byte {at}: length; expected at most {} s of sound, got {seconds} s",
        LENGTH_MAX.as_secs()
    )]
    TooLong {
        /// Where the chunk begins.
        at: usize,
        /// Whole seconds of sound.
        seconds: u64,
    },
}

/// Samples a second, and the samples mixed to one channel.
pub(super) fn read(bytes: &[u8]) -> Result<(u32, Vec<i16>), SoundError> {
    let not_wave = || SoundError::NotWave { found: kind_of(bytes) };
    let (head, _) = bytes.split_first_chunk::<12>().ok_or_else(not_wave)?;
    if !head.starts_with(b"RIFF") || !head.ends_with(b"WAVE") {
        return Err(not_wave());
    }
    let find = |id: &[u8; 4]| chunks(bytes).find(|chunk| chunk.id == *id);
    let missing = |chunk| SoundError::ChunkMissing { chunk, length: bytes.len() };
    let format = Format::read(&find(b"fmt ").ok_or_else(|| missing("fmt "))?)?;
    let data = find(b"data").ok_or_else(|| missing("data"))?;
    let frame = format.coding.octets() * usize::from(format.channels);
    let frames = data.body.len() / frame;
    if frames == 0 {
        return Err(SoundError::Empty { at: data.at, got: data.body.len() });
    }
    let seconds = frames as u64 / u64::from(format.rate);
    if Duration::from_secs(seconds) >= LENGTH_MAX {
        return Err(SoundError::TooLong { at: data.at, seconds });
    }
    let mixed = data.body.chunks_exact(frame).map(|frame| {
        let channels = frame.chunks_exact(format.coding.octets());
        let sum: i32 = channels.map(|octets| i32::from(format.coding.sample(octets))).sum();
        (sum / i32::from(format.channels)) as i16
    });
    Ok((format.rate, mixed.collect()))
}

/// What a file is that is no WAVE file.
fn kind_of(bytes: &[u8]) -> &'static str {
    let text = bytes.trim_ascii_start();
    match bytes {
        [] => "an empty file",
        [b'I', b'D', b'3', ..] => "an MP3 file",
        // Eleven bits of synchronisation, and a layer that is not the reserved one.
        [0xff, second, ..] if second & 0xe0 == 0xe0 && second & 0x06 != 0 => "an MP3 file",
        [b'O', b'g', b'g', b'S', ..] => "an Ogg file",
        [b'f', b'L', b'a', b'C', ..] => "a FLAC file",
        [b'R', b'I', b'F', b'X', ..] => "a WAVE file with its highest bytes first",
        [b'R', b'F', b'6', b'4', ..] => "a WAVE file of 64-bit lengths",
        [b'R', b'I', b'F', b'F', ..] => "a RIFF file that is not, or not wholly, WAVE",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "an MP4 file",
        _ if text.starts_with(b"<") => "HTML or XML",
        _ if text.starts_with(b"{") => "JSON",
        _ => "something else",
    }
}

/// A part of the file.
struct Chunk<'f> {
    id: [u8; 4],
    /// Where it begins.
    at: usize,
    body: &'f [u8],
}

fn chunks(file: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    let streamed = matches!(word(file, 4), Some(0 | UNKNOWN_LENGTH));
    let mut at = 12;
    std::iter::from_fn(move || {
        let rest = file.get(at..)?;
        let (id, after) = rest.split_first_chunk::<4>()?;
        let (length, after) = after.split_first_chunk::<4>()?;
        let announced = u32::from_le_bytes(*length);
        let is_open = announced == UNKNOWN_LENGTH || (announced == 0 && streamed && id == b"data");
        let length = if is_open { after.len() } else { (announced as usize).min(after.len()) };
        let chunk = Chunk { id: *id, at, body: after.get(..length)? };
        // A chunk of odd length is followed by an octet that fills it up.
        at += 8 + length + length % 2;
        Some(chunk)
    })
}

/// How one channel of one sample is written.
#[derive(Clone, Copy)]
enum Coding {
    Unsigned8,
    Pcm16,
    Pcm24,
    Pcm32,
    Float32,
    Float64,
    Alaw,
    Ulaw,
}

struct Format {
    coding: Coding,
    channels: u16,
    rate: u32,
}

impl Format {
    fn read(chunk: &Chunk<'_>) -> Result<Format, SoundError> {
        let Chunk { at, body, .. } = *chunk;
        let short = |expected| SoundError::FormatShort { at, expected, got: body.len() };
        let half = |from| half_word(body, from).ok_or_else(|| short(16));
        let (channels, bits) = (half(2)?, half(14)?);
        let rate = word(body, 4).ok_or_else(|| short(16))?;
        let tag = match half(0)? {
            // WAVE_FORMAT_EXTENSIBLE: the coding is the beginning of a GUID.
            0xfffe => half_word(body, 24).ok_or_else(|| short(26))?,
            tag => tag,
        };
        let coding = match (tag, bits) {
            (1, 8) => Coding::Unsigned8,
            (1, 16) => Coding::Pcm16,
            (1, 24) => Coding::Pcm24,
            (1, 32) => Coding::Pcm32,
            (3, 32) => Coding::Float32,
            (3, 64) => Coding::Float64,
            (6, 8) => Coding::Alaw,
            (7, 8) => Coding::Ulaw,
            (1 | 3 | 6 | 7, _) => return Err(SoundError::Bits { at, bits, tag }),
            _ => return Err(SoundError::Coding { at, tag }),
        };
        if !(1..=CHANNELS_MAX).contains(&channels) {
            return Err(SoundError::Channels { at, channels });
        }
        if !RATES.contains(&rate) {
            return Err(SoundError::Rate { at, rate });
        }
        Ok(Format { coding, channels, rate })
    }
}

impl Coding {
    fn octets(self) -> usize {
        match self {
            Coding::Unsigned8 | Coding::Alaw | Coding::Ulaw => 1,
            Coding::Pcm16 => 2,
            Coding::Pcm24 => 3,
            Coding::Pcm32 | Coding::Float32 => 4,
            Coding::Float64 => 8,
        }
    }

    /// The sample that those octets say; 0 if there are too few.
    fn sample(self, octets: &[u8]) -> i16 {
        match (self, octets) {
            (Coding::Unsigned8, [code]) => (i16::from(*code) - 128) << 8,
            (Coding::Alaw, [code]) => g711::alaw_to_linear(*code),
            (Coding::Ulaw, [code]) => g711::ulaw_to_linear(*code),
            // The two highest octets are the sample; those below them are finer than we can say.
            (Coding::Pcm16 | Coding::Pcm24 | Coding::Pcm32, [.., low, high]) => {
                i16::from_le_bytes([*low, *high])
            }
            (Coding::Float32, [a, b, c, d]) => scaled(f32::from_le_bytes([*a, *b, *c, *d]).into()),
            (Coding::Float64, octets) => {
                octets.try_into().map_or(0, |octets| scaled(f64::from_le_bytes(octets)))
            }
            _ => 0,
        }
    }
}

/// A float of full scale 1; what is no number is silent.
fn scaled(sample: f64) -> i16 {
    // why: `as` saturates, and turns NaN into 0.
    (sample * 32767.0).round() as i16
}

fn half_word(bytes: &[u8], at: usize) -> Option<u16> {
    let (octets, _) = bytes.get(at..)?.split_first_chunk::<2>()?;
    Some(u16::from_le_bytes(*octets))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let (octets, _) = bytes.get(at..)?.split_first_chunk::<4>()?;
    Some(u32::from_le_bytes(*octets))
}
