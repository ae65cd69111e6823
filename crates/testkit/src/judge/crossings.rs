//! The crossings of a dial that have names, and how often each occurred.

/// Two things that were under way at the same time, or one that came when nobody waited for it
/// any more. Seen from the switch: "after" means that the switch had already acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Crossing {
    /// A callee's 200 arrives after the CANCEL left.
    AnswerCrossesCancel,
    /// A callee answers while its CANCEL still waits for a provisional response.
    AnswerBeforeCancelMayLeave,
    /// A callee's 200 arrives after another has won.
    SecondAnswer,
    /// A callee's 200 arrives after the caller's CANCEL.
    AnswerAfterCallerCancelled,
    /// A callee's 200 arrives after the caller's BYE.
    AnswerAfterCallerHungUp,
    /// A callee's 200 arrives after the ring timeout.
    AnswerAfterRingTimeout,
    /// A 200 arrives from whoever was given up for the next one: a gateway, or a target.
    AnswerAfterProgressTimeout,
    /// A callee refuses by itself after the CANCEL left.
    RefusalCrossesCancel,
    /// A callee asks for credentials after the CANCEL left.
    ChallengeCrossesCancel,
    /// A callee's BYE arrives after ours left.
    CalleeByeCrossesOurs,
    /// The caller's BYE arrives after ours left.
    CallerByeCrossesOurs,
    /// The caller's CANCEL arrives after our 200 left.
    CancelCrossesOurAnswer,
    /// The caller's CANCEL arrives after our failure left.
    CancelCrossesOurFailure,
    /// The caller hangs up before its ACK of our 200 has arrived.
    ByeBeforeAck,
    /// Our 200 is never acknowledged.
    AckNeverCame,
    /// A callee's 200 arrives again, for our ACK was lost or late.
    AnswerRepeated,
    /// The caller leaves before its own RTP port is open.
    CallerGoneWhilePortOpens,
    /// The caller leaves while a webhook is being asked.
    CallerGoneWhileAsking,
    /// A webhook answers after the caller has left.
    HookAnswersTooLate,
    /// A webhook fails while the caller waits.
    HookFails,
    /// The webhook of a result answers nothing, and the list goes on.
    HookAnswersNothing,
    /// The webhook of a result answers another list, and the caller is dialled on.
    HookAnswersAnotherDial,
    /// A look-up ends after its callee is no longer wanted.
    NameFoundTooLate,
    /// A callee's name has no address.
    NameUnknown,
    /// A port opens after its callee is no longer wanted.
    PortOpensTooLate,
    /// No port is free.
    PortRefused,
    /// A callee asks for credentials, and is called again with them.
    ChallengeAnswered,
    /// A redirection is followed.
    RedirectionFollowed,
    /// A carrier's next gateway, or the next address of a name, is called.
    NextWayTried,
    /// A callee never says anything.
    CalleeSilent,
    /// A peer vanishes in the middle of a call, and its media with it.
    MediaStops,
    /// A program ends the caller while callees ring.
    ParentEndedWhileRinging,
    /// A program ends the caller while it talks.
    ParentEndedWhileTalking,
    /// A program ends the caller while a webhook is being asked.
    ParentEndedWhileAsking,
    /// A program ends a callee that rings.
    ChildEndedWhileRinging,
    /// A program ends the callee that talks.
    ChildEndedWhileTalking,
    /// A program sends the caller elsewhere while callees ring.
    NewHookWhileRinging,
    /// A program sends the caller elsewhere while it talks.
    NewHookWhileTalking,
    /// A program sends the caller elsewhere while a webhook is being asked.
    NewHookWhileAsking,
    /// A program's command arrives after the call has ended.
    CommandTooLate,
    /// A callee answers that is to be screened, while another one is.
    ScreenedSideBySide,
    /// A callee is accepted, while another one is still screened.
    AcceptedWhileAnotherIsScreened,
    /// A callee is declined, while others ring on.
    DeclinedWhileOthersRing,
    /// Others are given up, for they have rung for too long, while a callee is screened.
    ScreenedWhenRingTimeEnds,
    /// The caller leaves while a callee is screened.
    CallerGoneWhileScreening,
    /// A callee hangs up while it is screened.
    CalleeGoneWhileScreened,
    /// A confirmHook answers after its callee is gone.
    ConfirmAnswersTooLate,
    /// A confirmHook cannot be asked.
    ConfirmFails,
    /// A program ends a callee that is screened.
    ChildEndedWhileScreened,
    /// A program sends the caller elsewhere while a callee is screened.
    NewHookWhileScreening,
    /// A callee whose early media the caller hears answers, and is screened.
    EarlyMediaGivesWay,
    /// A callee presses a key while it is screened.
    KeyWhileScreened,
    /// A key is heard after the bridge has ended.
    KeyAfterBridge,
    /// A party changes its session after our BYE left.
    HoldCrossesBye,
    /// Both parties hold each other.
    BothHold,
    /// The bridge ends while a party is held.
    HeldWhenBridgeEnds,
    /// Audio cannot be had.
    SoundCannotBeHad,
    /// Audio has ended by itself when it is stopped.
    SoundEndsAsItIsStopped,
    /// A leg ends while it is played to.
    SoundCutShort,
    /// A callee is given up, for it does not ring.
    NeverRang,
    /// A target has rung for too long, and the next is called.
    NextTargetCalled,
    /// A party sends REFER before it is connected.
    ReferWhileRinging,
    /// A party sends REFER while one of the two is held.
    ReferWhileHeld,
    /// A party sends REFER while a change of its session is under way.
    ReferBesideOffer,
    /// A REFER arrives after our BYE left.
    ReferCrossesBye,
    /// Both parties send REFER, and neither has its answer.
    ReferCrossesRefer,
    /// A party sends REFER while another of its waits for the hook.
    ReferAgain,
    /// A party hangs up while the hook of its REFER is being asked.
    ReferrerLeavesWhileAsking,
    /// The hook of a REFER answers a status that refuses it.
    ReferHookRefuses,
    /// The hook of a REFER cannot be asked.
    ReferHookFails,
    /// The hook of a REFER answers nothing, and the bridge stays.
    ReferHookChangesNothing,
    /// The hook of a REFER answers after the bridge has ended.
    ReferHookAnswersTooLate,
    /// A callee's REFER sends the caller on.
    CallerSentOn,
    /// A caller's REFER makes the callee a call of its own.
    CalleeGoesAlone,
    /// The partners of a phone with two calls are connected to each other.
    PartnersJoined,
    /// Whoever a transfer leads to refuses.
    TransferTargetFails,
    /// Whoever a transfer leads to answers, and is connected.
    TransferTargetAnswers,
    /// Who was transferred hangs up before anybody has answered.
    TransferredPartyLeaves,
    /// Who sent a REFER that was accepted hangs up.
    ReferrerLeaves,
    /// A REFER is accepted of whose course nobody wants to know.
    NobodyIsToldOfRefer,
    /// Of a NOTIFY the peer says that it knows of no such call.
    NotifyCrossesBye,
    /// A party holds the other by UPDATE.
    HoldByUpdate,
    /// A party holds the other by `c=0.0.0.0`.
    HoldWithoutAddress,
    /// A party has us make the offer, and answers it in its ACK.
    OfferAskedFor,
    /// A party is told to send its audio past the switch, and does.
    AudioLeaves,
    /// It is told to send it to the switch again, and does.
    AudioComesBack,
    /// It is told to send it elsewhere, and refuses.
    AudioStays,
    /// It makes an offer of its own while it is told so.
    OfferWhileAudioLeaves,
}

impl Crossing {
    /// All of them, in the order above.
    pub const ALL: [Crossing; 88] = {
        use Crossing as C;
        [
            C::AnswerCrossesCancel,
            C::AnswerBeforeCancelMayLeave,
            C::SecondAnswer,
            C::AnswerAfterCallerCancelled,
            C::AnswerAfterCallerHungUp,
            C::AnswerAfterRingTimeout,
            C::AnswerAfterProgressTimeout,
            C::RefusalCrossesCancel,
            C::ChallengeCrossesCancel,
            C::CalleeByeCrossesOurs,
            C::CallerByeCrossesOurs,
            C::CancelCrossesOurAnswer,
            C::CancelCrossesOurFailure,
            C::ByeBeforeAck,
            C::AckNeverCame,
            C::AnswerRepeated,
            C::CallerGoneWhilePortOpens,
            C::CallerGoneWhileAsking,
            C::HookAnswersTooLate,
            C::HookFails,
            C::HookAnswersNothing,
            C::HookAnswersAnotherDial,
            C::NameFoundTooLate,
            C::NameUnknown,
            C::PortOpensTooLate,
            C::PortRefused,
            C::ChallengeAnswered,
            C::RedirectionFollowed,
            C::NextWayTried,
            C::CalleeSilent,
            C::MediaStops,
            C::ParentEndedWhileRinging,
            C::ParentEndedWhileTalking,
            C::ParentEndedWhileAsking,
            C::ChildEndedWhileRinging,
            C::ChildEndedWhileTalking,
            C::NewHookWhileRinging,
            C::NewHookWhileTalking,
            C::NewHookWhileAsking,
            C::CommandTooLate,
            C::ScreenedSideBySide,
            C::AcceptedWhileAnotherIsScreened,
            C::DeclinedWhileOthersRing,
            C::ScreenedWhenRingTimeEnds,
            C::CallerGoneWhileScreening,
            C::CalleeGoneWhileScreened,
            C::ConfirmAnswersTooLate,
            C::ConfirmFails,
            C::ChildEndedWhileScreened,
            C::NewHookWhileScreening,
            C::EarlyMediaGivesWay,
            C::KeyWhileScreened,
            C::KeyAfterBridge,
            C::HoldCrossesBye,
            C::BothHold,
            C::HeldWhenBridgeEnds,
            C::SoundCannotBeHad,
            C::SoundEndsAsItIsStopped,
            C::SoundCutShort,
            C::NeverRang,
            C::NextTargetCalled,
            C::ReferWhileRinging,
            C::ReferWhileHeld,
            C::ReferBesideOffer,
            C::ReferCrossesBye,
            C::ReferCrossesRefer,
            C::ReferAgain,
            C::ReferrerLeavesWhileAsking,
            C::ReferHookRefuses,
            C::ReferHookFails,
            C::ReferHookChangesNothing,
            C::ReferHookAnswersTooLate,
            C::CallerSentOn,
            C::CalleeGoesAlone,
            C::PartnersJoined,
            C::TransferTargetFails,
            C::TransferTargetAnswers,
            C::TransferredPartyLeaves,
            C::ReferrerLeaves,
            C::NobodyIsToldOfRefer,
            C::NotifyCrossesBye,
            C::HoldByUpdate,
            C::HoldWithoutAddress,
            C::OfferAskedFor,
            C::AudioLeaves,
            C::AudioComesBack,
            C::AudioStays,
            C::OfferWhileAudioLeaves,
        ]
    };

    /// Its name in words: `answer crosses cancel`.
    pub fn name(self) -> String {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push(' ');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }
}

/// How often each crossing occurred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meter([u64; Crossing::ALL.len()]);

impl Default for Meter {
    fn default() -> Meter {
        Meter([0; Crossing::ALL.len()])
    }
}

impl Meter {
    /// It occurred once more.
    pub(crate) fn count(&mut self, crossing: Crossing) {
        self.0[crossing as usize] += 1;
    }

    /// How often this occurred.
    pub fn of(&self, crossing: Crossing) -> u64 {
        self.0[crossing as usize]
    }

    /// Adds the counts of another.
    pub fn add(&mut self, other: &Meter) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum += more;
        }
    }

    /// Those that never occurred.
    pub fn missing(&self) -> Vec<Crossing> {
        Crossing::ALL.into_iter().filter(|crossing| self.of(*crossing) == 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_crossing_has_its_own_place_and_name() {
        for (place, crossing) in Crossing::ALL.into_iter().enumerate() {
            assert_eq!(crossing as usize, place, "{crossing:?}");
        }
        assert_eq!(Crossing::AnswerCrossesCancel.name(), "answer crosses cancel");
    }

    #[test]
    fn what_never_occurred_is_missing() {
        let mut meter = Meter::default();
        meter.count(Crossing::SecondAnswer);
        assert_eq!(meter.of(Crossing::SecondAnswer), 1);
        assert_eq!(meter.missing().len(), Crossing::ALL.len() - 1);
    }
}
