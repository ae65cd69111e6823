//! `tone_stream://` scripts.

use media::{Repeat, Sound};

use crate::support::amplitude;

fn read(text: &str) -> Sound {
    Sound::from_tone_stream(text).unwrap()
}

fn part(sound: &Sound, from_ms: usize, to_ms: usize) -> Vec<f64> {
    let samples = &sound.samples()[from_ms * 8..to_ms * 8];
    samples.iter().map(|sample| f64::from(*sample)).collect()
}

#[test]
fn a_ringback_script_is_two_frequencies_then_silence() {
    let sound = read("tone_stream://L=20;%(2000,4000,440,480)");
    assert_eq!(sound.repeat(), Some(Repeat::Times(20)));
    assert_eq!(sound.samples().len(), 6000 * 8);
    let tone = part(&sound, 0, 2000);
    for frequency in [440.0, 480.0] {
        let found = amplitude(&tone, frequency);
        // 0 dBm0 has a peak of 22827, and -7 dBm0 is less by 0.447.
        assert!((found / 10_196.0 - 1.0).abs() < 0.01, "{frequency}: {found}");
    }
    assert!(amplitude(&tone, 620.0) < 50.0);
    assert!(part(&sound, 2000, 6000).iter().all(|sample| *sample == 0.0));
}

#[test]
fn parts_follow_each_other_with_their_levels_and_rounds() {
    let sound = read("%(274,0,913.8);%(100,50,1370.6) v=-20;l=2;%(100,100,1776.7);loops=-1");
    assert_eq!(sound.repeat(), Some(Repeat::Forever));
    assert_eq!(sound.samples().len(), (274 + 150 + 400) * 8);
    assert!(amplitude(&part(&sound, 0, 274), 913.8) > 9000.0);
    assert!(amplitude(&part(&sound, 274, 374), 1370.6) > 9000.0);
    for begin in [424, 624] {
        let quiet = amplitude(&part(&sound, begin, begin + 100), 1776.7);
        assert!((quiet - 2282.7).abs() < 40.0, "{quiet}");
        assert!(part(&sound, begin + 100, begin + 200).iter().all(|sample| *sample == 0.0));
    }
}

#[test]
fn a_script_without_rounds_is_heard_as_often_as_asked() {
    assert_eq!(read("%(100,0,440)").repeat(), None);
    let once = read("L=3;%(100,0,440)").with_repeat(None);
    assert_eq!(once.repeat(), None);
}

#[test]
fn four_loud_frequencies_do_not_wrap_around() {
    let sound = read("v=0;%(100,0,500,501,502,503)");
    let samples = sound.samples();
    for pair in samples.windows(2) {
        assert!((i32::from(pair[1]) - i32::from(pair[0])).abs() < 16_000, "{pair:?}");
    }
}

#[test]
fn faults_name_the_character() {
    let rows = [
        ("", "character 1: expected at least one tone like `%(2000,4000,440,480)`, got none"),
        ("tone_stream://", "character 15: expected at least one tone like"),
        ("L=2", "character 4: expected at least one tone like"),
        ("%(0,0,440)", "character 11: expected at least one tone like"),
        ("tone_stream://x", "character 15: expected `%(on,off,frequency…)`, `L=`, `loops=`"),
        ("%(100,0)", "character 8: expected `,`, got `)`"),
        ("%(100;0,440)", "character 6: expected `,`, got `;`"),
        ("%(100,0,440", "character 12: expected `,`, got the end"),
        ("%(,0,440)", "character 3: milliseconds of tone; expected 0 to 60000, got `,`"),
        ("%(60001,0,440)", "character 3: milliseconds of tone; expected 0 to 60000, got `60001`"),
        ("%(1,-5,440)", "character 5: milliseconds of pause; expected 0 to 60000, got `-5`"),
        ("%(1,0,4000)", "character 7: frequency in Hz; expected 20 to 3900, got `4000`"),
        ("%(1,0,4.4.0)", "character 7: frequency in Hz; expected 20 to 3900, got `4.4.0`"),
        ("%(1,0,1000,2000,3000,440,50)", "character 26: expected `)` after four frequencies"),
        ("v=3;%(1,0,440)", "character 3: level in dBm0; expected -63 to 0, got `3`"),
        ("l=0;%(1,0,440)", "character 3: rounds of a tone; expected 1 to 1000, got `0`"),
        ("L=-2;%(1,0,440)", "character 3: rounds of the script; expected -1 to 1000000"),
        (
            "l=100;%(2000,4000,440)",
            "character 9: milliseconds of one round; expected at most 300000, got more",
        ),
        ("é%(1,0,440)", "character 1: expected"),
        ("%(1,0,440)é", "character 11: expected"),
    ];
    for (text, expected) in rows {
        let error = Sound::from_tone_stream(text).unwrap_err().to_string();
        let found = error.strip_prefix("tone script, ").unwrap();
        assert!(found.starts_with(expected), "{text}: {error}");
    }
    let long = "%(1,0,440);".repeat(200);
    let error = Sound::from_tone_stream(&long).unwrap_err().to_string();
    assert!(error.contains("characters of the script; expected at most 1024"), "{error}");
}
