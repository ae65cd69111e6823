//! ITU-T G.711: linear samples to and from µ-law and A-law, and one law to the other in place.
//!
//! Linear samples are 16 bits wide with the codec's 14 (µ) or 13 (A) bits on top. A sample that
//! lies on a decision value goes where the ITU-T G.191 reference puts it: away from zero when
//! positive, towards zero when negative.
//!
//! The conversion between the laws is by way of linear: it is transparent in the sense of
//! G.711 §4 (tandem conversions add nothing after the first).

use super::Codec;

/// What is added to a µ-law magnitude so that every segment begins at a power of two; 16-bit
/// scale.
const MU_BIAS: i32 = 132;

/// Largest magnitude that µ-law can say, 16-bit scale.
const MU_CLIP: i32 = 32_635;

/// Bits that A-law inverts on the line (G.711 table 1, even bits).
const A_INVERSION: u8 = 0x55;

/// µ-law code to 16-bit linear.
pub const fn ulaw_to_linear(code: u8) -> i16 {
    let code = !code;
    let step = ((code & 0x0f) as i32) << 3;
    let magnitude = ((step + MU_BIAS) << ((code & 0x70) >> 4)) - MU_BIAS;
    if code & 0x80 != 0 { -magnitude as i16 } else { magnitude as i16 }
}

/// 16-bit linear to the µ-law code of its interval.
pub const fn linear_to_ulaw(sample: i16) -> u8 {
    // why: the one's complement of a negative sample, not its negation, is what G.191 measures.
    let (sign, magnitude) = if sample < 0 { (0x80, !(sample as i32)) } else { (0, sample as i32) };
    let clipped = if magnitude > MU_CLIP { MU_CLIP } else { magnitude };
    let biased = (clipped + MU_BIAS) as u32;
    let segment = 24 - biased.leading_zeros();
    let step = (biased >> (segment + 3)) & 0x0f;
    !(sign | ((segment << 4) | step) as u8)
}

/// A-law code to 16-bit linear.
pub const fn alaw_to_linear(code: u8) -> i16 {
    let code = code ^ A_INVERSION;
    let step = ((code & 0x0f) as i32) << 4;
    let segment = (code & 0x70) >> 4;
    let magnitude = if segment == 0 { step + 8 } else { (step + 0x108) << (segment - 1) };
    if code & 0x80 != 0 { magnitude as i16 } else { -magnitude as i16 }
}

/// 16-bit linear to the A-law code of its interval.
pub const fn linear_to_alaw(sample: i16) -> u8 {
    let (sign, magnitude) =
        if sample < 0 { (0, !(sample as i32) as u32) } else { (0x80, sample as u32) };
    let code = if magnitude < 256 {
        magnitude >> 4
    } else {
        let segment = 24 - magnitude.leading_zeros();
        (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f)
    };
    (sign | code as u8) ^ A_INVERSION
}

/// The code of a sample in the law of `codec`.
pub const fn encode(codec: Codec, sample: i16) -> u8 {
    match codec {
        Codec::Pcmu => linear_to_ulaw(sample),
        Codec::Pcma => linear_to_alaw(sample),
    }
}

/// The sample of a code in the law of `codec`.
pub const fn decode(codec: Codec, code: u8) -> i16 {
    match codec {
        Codec::Pcmu => ulaw_to_linear(code),
        Codec::Pcma => alaw_to_linear(code),
    }
}

static ULAW_TO_ALAW: [u8; 256] = conversion(Codec::Pcmu, Codec::Pcma);
static ALAW_TO_ULAW: [u8; 256] = conversion(Codec::Pcma, Codec::Pcmu);

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, index below 256")]
const fn conversion(from: Codec, to: Codec) -> [u8; 256] {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = encode(to, decode(from, code as u8));
        code += 1;
    }
    table
}

/// Rewrites a payload of one law in the other, octet for octet; does nothing if they are equal.
pub fn convert(from: Codec, to: Codec, payload: &mut [u8]) {
    let table = match (from, to) {
        (Codec::Pcmu, Codec::Pcma) => &ULAW_TO_ALAW,
        (Codec::Pcma, Codec::Pcmu) => &ALAW_TO_ULAW,
        (Codec::Pcmu, Codec::Pcmu) | (Codec::Pcma, Codec::Pcma) => return,
    };
    rewrite(table, payload);
}

/// Puts for each octet the one that the table has for it.
pub(super) fn rewrite(table: &[u8; 256], payload: &mut [u8]) {
    for octet in payload {
        *octet = look_up(table, *octet);
    }
}

#[allow(clippy::indexing_slicing, reason = "an octet cannot exceed 255")]
fn look_up(table: &[u8; 256], octet: u8) -> u8 {
    table[usize::from(octet)]
}
