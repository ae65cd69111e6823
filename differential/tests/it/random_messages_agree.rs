//! Four thousand sound messages: all three read the same from each, apart from what is known of the
//! oracles.

use differential::{Reading, ezk, ours, rsipstack};
use proptest::prop_assert;
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestCaseError, TestRunner};

use crate::known_differences::{Oracle, without_known};
use crate::sound_message::message;

const MESSAGES: u32 = 4_000;

fn agree(
    oracle: Oracle,
    text: &[u8],
    ours: &Reading,
    theirs: Option<Reading>,
) -> Result<(), TestCaseError> {
    let Some(theirs) = theirs else {
        return Err(TestCaseError::fail(format!("{oracle:?} refuses it")));
    };
    let (ours, theirs) = without_known(oracle, text, ours.clone(), theirs);
    let differences = ours.differences(&theirs);
    if differences.is_empty() {
        return Ok(());
    }
    Err(TestCaseError::fail(format!("ours and {oracle:?}: {differences:#?}")))
}

#[test]
fn all_three_read_the_same() {
    let config = Config {
        cases: MESSAGES,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(20_261_122),
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&message(), |bytes| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mine = ours(&bytes).ok_or_else(|| TestCaseError::fail("ours refuses it"))?;
        prop_assert!(mine.from.is_some() && mine.to.is_some() && mine.vias.is_some(), "{mine:#?}");
        prop_assert!(mine.call_id.is_some() && mine.cseq.is_some(), "{mine:#?}");
        let verdict = agree(Oracle::Rsipstack, &bytes, &mine, rsipstack(&bytes))
            .and_then(|()| agree(Oracle::Ezk, &bytes, &mine, ezk(&bytes)));
        verdict.map_err(|fault| TestCaseError::fail(format!("{fault}\n{text}")))
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
