//! WAVE files: every coding, odd but usual files, and what is wrong with the others.

use std::f64::consts::TAU;

use media::Sound;
use media::codec::g711;
use media::sound::SoundError;

use crate::support::{Numbers, amplitude, ms};

/// The parts of a WAVE file, to be put together rightly or wrongly.
struct Wave {
    tag: u16,
    channels: u16,
    rate: u32,
    bits: u16,
    data: Vec<u8>,
}

fn chunk(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = [&id[..], &(body.len() as u32).to_le_bytes(), body].concat();
    bytes.resize(bytes.len() + body.len() % 2, 0);
    bytes
}

fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let chunks = chunks.concat();
    let length = (chunks.len() as u32 + 4).to_le_bytes();
    [&b"RIFF"[..], &length, b"WAVE", &chunks].concat()
}

impl Wave {
    fn format(&self) -> Vec<u8> {
        let frame = self.channels * (self.bits / 8);
        let per_second = self.rate * u32::from(frame);
        [
            &self.tag.to_le_bytes()[..],
            &self.channels.to_le_bytes(),
            &self.rate.to_le_bytes(),
            &per_second.to_le_bytes(),
            &frame.to_le_bytes(),
            &self.bits.to_le_bytes(),
        ]
        .concat()
    }

    fn file(&self) -> Vec<u8> {
        riff(&[chunk(b"fmt ", &self.format()), chunk(b"data", &self.data)])
    }
}

/// 16-bit PCM.
fn pcm(rate: u32, samples: &[i16]) -> Wave {
    let data = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    Wave { tag: 1, channels: 1, rate, bits: 16, data }
}

/// A second of a sine.
fn sine(rate: u32, frequency: f64, peak: f64) -> Vec<i16> {
    let sample = |n: u32| peak * (TAU * frequency * f64::from(n) / f64::from(rate)).sin();
    (0..rate).map(|n| sample(n).round() as i16).collect()
}

fn read(file: &[u8]) -> Vec<i16> {
    Sound::from_wav(file).unwrap().samples().to_vec()
}

#[test]
fn pcm_at_8000_is_kept_as_it_is() {
    let samples = sine(8000, 300.0, 20_000.0);
    let sound = Sound::from_wav(&pcm(8000, &samples).file()).unwrap();
    assert_eq!(sound.samples(), samples);
    assert_eq!((sound.duration(), sound.bytes(), sound.repeat()), (ms(1000), 16_000, None));
}

#[test]
fn every_coding_says_the_same() {
    let samples = sine(8000, 300.0, 20_000.0);
    let of = |tag, bits, octets: &dyn Fn(i16) -> Vec<u8>| {
        let data = samples.iter().flat_map(|sample| octets(*sample)).collect();
        read(&Wave { tag, channels: 1, rate: 8000, bits, data }.file())
    };
    let rows: [(&str, Vec<i16>, i16); 8] = [
        ("8 bits", of(1, 8, &|sample| vec![((sample >> 8) + 128) as u8]), 256),
        ("24 bits", of(1, 24, &|s| [&[99], &s.to_le_bytes()[..]].concat()), 0),
        ("32 bits", of(1, 32, &|s| [&[99, 99], &s.to_le_bytes()[..]].concat()), 0),
        ("float", of(3, 32, &|s| (f32::from(s) / 32767.0).to_le_bytes().to_vec()), 1),
        ("double", of(3, 64, &|s| (f64::from(s) / 32767.0).to_le_bytes().to_vec()), 1),
        ("A-law", of(6, 8, &|sample| vec![g711::linear_to_alaw(sample)]), 512),
        ("µ-law", of(7, 8, &|sample| vec![g711::linear_to_ulaw(sample)]), 512),
        ("16 bits", of(1, 16, &|sample| sample.to_le_bytes().to_vec()), 0),
    ];
    for (name, heard, tolerance) in rows {
        assert_eq!(heard.len(), samples.len(), "{name}");
        for (heard, said) in heard.iter().zip(&samples) {
            assert!((heard - said).abs() <= tolerance, "{name}: {heard} for {said}");
        }
    }
}

#[test]
fn floats_beyond_full_scale_are_clipped_and_no_numbers_are_silent() {
    let floats = [2.0_f32, -2.0, f32::NAN, f32::INFINITY];
    let data = floats.iter().flat_map(|float| float.to_le_bytes()).collect();
    let wave = Wave { tag: 3, channels: 1, rate: 8000, bits: 32, data };
    assert_eq!(read(&wave.file()), [i16::MAX, i16::MIN, 0, i16::MAX]);
}

#[test]
fn channels_are_mixed() {
    for channels in 1..=8_u16 {
        let data = (0..channels).flat_map(|n| (i16::MIN / (n as i16 + 1)).to_le_bytes());
        let data: Vec<u8> = data.collect();
        let sum: i32 = (1..=i32::from(channels)).map(|n| i32::from(i16::MIN) / n).sum();
        let wave = Wave { tag: 1, channels, rate: 8000, bits: 16, data };
        assert_eq!(read(&wave.file()), [(sum / i32::from(channels)) as i16]);
    }
}

#[test]
fn every_rate_becomes_8000_with_what_a_telephone_carries() {
    for rate in [4000, 8001, 11_025, 12_000, 16_000, 22_050, 24_000, 44_100, 48_000, 192_000] {
        for frequency in [300.0, 1000.0, 1500.0] {
            let heard = read(&pcm(rate, &sine(rate, frequency, 10_000.0)).file());
            assert_eq!(heard.len(), 8000, "{rate}");
            // why: the filter begins and ends in silence.
            let middle: Vec<f64> = heard[1000..7000].iter().map(|s| f64::from(*s)).collect();
            let found = amplitude(&middle, frequency);
            assert!((found - 10_000.0).abs() < 100.0, "{frequency} Hz at {rate}: {found}");
            let power: f64 = middle.iter().map(|s| s * s).sum::<f64>() / middle.len() as f64;
            let other = (power - found * found / 2.0).abs().sqrt();
            assert!(other < 100.0, "{frequency} Hz at {rate}: {other} of something else");
        }
    }
}

#[test]
fn what_would_fold_back_is_not_heard() {
    for (rate, frequency) in
        [(16_000, 4400.0), (16_000, 7000.0), (44_100, 9000.0), (48_000, 5000.0)]
    {
        let heard = read(&pcm(rate, &sine(rate, frequency, 20_000.0)).file());
        let loudest = heard[1000..7000].iter().map(|sample| sample.abs()).max().unwrap();
        assert!(loudest < 40, "{frequency} Hz at {rate}: {loudest}");
    }
}

#[test]
fn chunks_come_in_any_order_and_of_any_kind() {
    let wave = pcm(8000, &[1, 2, 3]);
    let odd = chunk(b"LIST", b"INFOodd");
    let (format, data) = (chunk(b"fmt ", &wave.format()), chunk(b"data", &wave.data));
    for order in [[&odd, &format, &data], [&data, &odd, &format], [&format, &data, &odd]] {
        assert_eq!(read(&riff(&order.map(Clone::clone))), [1, 2, 3]);
    }
    let padded = chunk(b"fmt ", &[&wave.format()[..], &[0, 0]].concat());
    assert_eq!(read(&riff(&[padded, data])), [1, 2, 3], "a format with its extension");
}

#[test]
fn an_extensible_format_is_what_its_guid_says() {
    let wave = Wave { tag: 0xfffe, ..pcm(8000, &[5, 6]) };
    let mut format = wave.format();
    format.extend([22, 0, 16, 0, 4, 0, 0, 0]);
    format.extend([1, 0, 0, 0, 0, 0, 16, 0, 128, 0, 0, 170, 0, 56, 155, 113]);
    let data = chunk(b"data", &wave.data);
    assert_eq!(read(&riff(&[chunk(b"fmt ", &format), data.clone()])), [5, 6]);
    let cut = Sound::from_wav(&riff(&[chunk(b"fmt ", &format[..24]), data]));
    assert_eq!(cut, Err(SoundError::FormatShort { at: 12, expected: 26, got: 24 }));
}

#[test]
fn a_length_that_was_never_filled_in_reaches_to_the_end() {
    let file = pcm(8000, &[1, 2, 3]).file();
    for (riff, data) in [(u32::MAX, u32::MAX), (0, 0), (u32::MAX, 0), (38, 1_000_000)] {
        let mut streamed = file.clone();
        streamed[4..8].copy_from_slice(&riff.to_le_bytes());
        streamed[40..44].copy_from_slice(&data.to_le_bytes());
        assert_eq!(read(&streamed), [1, 2, 3], "{riff} {data}");
    }
    assert_eq!(read(&file[..file.len() - 1]), [1, 2], "cut off in a sample");
}

#[test]
fn other_files_are_named() {
    let rows: [(&[u8], &str); 9] = [
        (b"", "an empty file"),
        (b"ID3\x04\0\0\0\0\0\0", "an MP3 file"),
        (&[0xff, 0xfb, 0x90, 0x64], "an MP3 file"),
        (b"OggS\0\x02", "an Ogg file"),
        (b"fLaC\0\0\0\x22", "a FLAC file"),
        (b"RIFX\0\0\0\0WAVE", "a WAVE file with its highest bytes first"),
        (b"RIFF\0\0\0\0WEBP", "a RIFF file that is not, or not wholly, WAVE"),
        (b"\n<!doctype html><title>404</title>", "HTML or XML"),
        (b"hello", "something else"),
    ];
    for (bytes, found) in rows {
        assert_eq!(Sound::from_wav(bytes), Err(SoundError::NotWave { found }));
    }
    let error = Sound::from_wav(b"ID3").unwrap_err().to_string();
    assert!(error.starts_with("byte 0: expected a RIFF WAVE file, got an MP3 file; "), "{error}");
}

#[test]
fn faults_say_what_and_where() {
    let fine = || pcm(8000, &[1, 2]);
    let of = |wave: Wave| Sound::from_wav(&wave.file()).unwrap_err();
    let rows = [
        (of(Wave { tag: 2, bits: 4, ..fine() }), SoundError::Coding { at: 12, tag: 2 }),
        (of(Wave { tag: 0x55, ..fine() }), SoundError::Coding { at: 12, tag: 0x55 }),
        (of(Wave { bits: 12, ..fine() }), SoundError::Bits { at: 12, bits: 12, tag: 1 }),
        (of(Wave { tag: 7, ..fine() }), SoundError::Bits { at: 12, bits: 16, tag: 7 }),
        (of(Wave { channels: 0, ..fine() }), SoundError::Channels { at: 12, channels: 0 }),
        (of(Wave { channels: 9, ..fine() }), SoundError::Channels { at: 12, channels: 9 }),
        (of(Wave { rate: 3999, ..fine() }), SoundError::Rate { at: 12, rate: 3999 }),
        (of(Wave { rate: 192_001, ..fine() }), SoundError::Rate { at: 12, rate: 192_001 }),
        (of(Wave { data: vec![1], ..fine() }), SoundError::Empty { at: 36, got: 1 }),
        (
            of(Wave { tag: 7, bits: 8, rate: 4000, data: vec![0xff; 4000 * 1800], ..fine() }),
            SoundError::TooLong { at: 36, seconds: 1800 },
        ),
    ];
    for (error, expected) in rows {
        assert_eq!(error, expected);
    }
    let format = chunk(b"fmt ", &fine().format());
    let missing = |chunk, file: &[u8]| {
        let expected = SoundError::ChunkMissing { chunk, length: file.len() };
        assert_eq!(Sound::from_wav(file), Err(expected));
    };
    missing("data", &riff(&[format]));
    missing("fmt ", &riff(&[chunk(b"data", &[1, 2])]));
    let rate = of(Wave { rate: 96, ..fine() }).to_string();
    assert_eq!(rate, "`fmt ` chunk at byte 12: samples a second; expected 4000 to 192000, got 96");
}

#[test]
fn a_sound_of_almost_half_an_hour_is_read() {
    let data = vec![0xff; 8000 * 1799];
    let wave = Wave { tag: 7, channels: 1, rate: 8000, bits: 8, data };
    assert_eq!(Sound::from_wav(&wave.file()).unwrap().duration(), ms(1_799_000));
}

#[test]
fn broken_files_of_every_kind_are_survived() {
    let mut numbers = Numbers(7);
    let whole = Wave { channels: 2, data: vec![3; 64], ..pcm(11_025, &[]) }.file();
    for _ in 0..20_000 {
        let mut file = whole.clone();
        for _ in 0..=numbers.below(4) {
            let at = numbers.below(file.len());
            file[at] = numbers.next() as u8;
        }
        file.truncate(numbers.below(file.len() + 1));
        if let Err(error) = Sound::from_wav(&file) {
            assert!(!error.to_string().is_empty());
        }
    }
}

#[test]
fn the_warning_is_three_beeps_of_1400_hz() {
    let sound = Sound::warning_tone();
    let samples: Vec<f64> = sound.samples().iter().map(|sample| f64::from(*sample)).collect();
    assert_eq!(samples.len(), 9600);
    for (number, part) in samples.chunks(1600).enumerate() {
        let heard = amplitude(part, 1400.0);
        assert_eq!(heard > 4000.0, number % 2 == 0, "part {number}: {heard}");
        assert!(heard < 8000.0);
    }
}

#[test]
fn samples_beyond_half_an_hour_are_left_out() {
    let sound = Sound::from_samples(vec![0; 1801 * 8000]);
    assert_eq!(sound.duration(), media::sound::LENGTH_MAX);
}
