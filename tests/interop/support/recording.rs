//! What a phone that is a program of its own plays and records: files of 16-bit samples.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{PATIENCE, tone};

/// Samples a second of every file here.
const RATE: u32 = 8000;
/// New samples without which nothing is judged: 400 ms.
const NEW: usize = 3200;
/// Samples that a tone is judged by, the last ones: 200 ms.
const JUDGED: usize = 1600;
/// Least share of the tone in them. A jitter buffer of another program may drop a packet.
const CLEAR: f64 = 0.8;

/// Writes a minute of this tone as WAV.
pub(crate) fn write_tone(path: &Path, hertz: f64) {
    fs::write(path, wav(hertz, 60_000)).expect("the directory of the test can be written");
}

/// So many milliseconds of this tone as WAV, one channel.
pub(crate) fn wav(hertz: f64, milliseconds: u32) -> Vec<u8> {
    let samples = tone::samples(hertz, 0, RATE / 1000 * milliseconds);
    let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let length = u32::try_from(data.len()).expect("a test is short");
    let mut file = Vec::with_capacity(data.len() + 44);
    file.extend(b"RIFF");
    file.extend((length + 36).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    // PCM, one channel; bytes a second, bytes a sample, bits a sample.
    file.extend([1, 0, 1, 0]);
    file.extend(RATE.to_le_bytes());
    file.extend((RATE * 2).to_le_bytes());
    file.extend([2, 0, 16, 0]);
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(data);
    file
}

/// The samples of a recording that may still grow: its header need not tell the length.
pub(crate) fn samples(path: &Path) -> Vec<f64> {
    let bytes = fs::read(path).unwrap_or_default();
    let Some(start) = bytes.windows(4).position(|name| name == b"data") else { return Vec::new() };
    let data = bytes.get(start + 8..).unwrap_or_default();
    data.chunks_exact(2).map(|pair| f64::from(i16::from_le_bytes([pair[0], pair[1]]))).collect()
}

/// Waits until this tone, and nothing else, is what is being recorded. `samples` gives all so far.
pub(crate) fn hears(hertz: f64, samples: impl Fn() -> Vec<f64>) {
    let before = samples().len();
    let until = Instant::now() + PATIENCE;
    loop {
        let samples = samples();
        let enough = samples.len() >= before + NEW;
        let last = &samples[samples.len().saturating_sub(JUDGED)..];
        let share = tone::share(last, hertz);
        if enough && share > CLEAR {
            return;
        }
        let new = samples.len() - before;
        let heard = format!("{new} new samples after {before}, share {share:.2}");
        assert!(Instant::now() < until, "{hertz} Hz not heard: {heard}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_written_tone_is_read_back() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.wav", std::process::id()));
    write_tone(&path, 700.0);
    let samples = samples(&path);
    fs::remove_file(&path).expect("it was written");
    assert_eq!(samples.len(), 480_000);
    assert!(tone::share(&samples[..JUDGED], 700.0) > 0.98);
    assert!(tone::share(&samples[..JUDGED], 1100.0) < 0.02);
}
