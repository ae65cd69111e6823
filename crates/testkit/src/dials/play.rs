//! Plays a plan and judges it.

use std::time::Duration;

use call::settings::ReferPolicy;
use serde_json::{Value, json};
use sip::SavedBinding;

use super::act::LONGEST;
use super::manner::{self, CONFIRM, CONFIRM_TARGET, Talk};
use super::moved;
use super::plan::{self, CALLER, DONE, ELSEWHERE, INCOMING, PAIR, Plan, REDIRECTOR};
use super::transfers::{REFER, USER};
use crate::application::{Answer, Application};
use crate::judge::Judge;
use crate::phone::Phone;
use crate::redirector::Redirector;
use crate::script::Script;
use crate::world::{World, WorldConfig};

/// A dial that was played.
#[derive(Debug)]
pub struct Played {
    /// Everybody, at rest.
    pub world: World,
    /// The first thing that broke, in words.
    pub verdict: Result<(), String>,
}

/// Plays the dial of this seed to its end, and judges it.
pub fn play(seed: u64) -> Played {
    let plan = Plan::of(seed);
    let mut world = world(&plan);
    if plan.caller.is_some() {
        world.call("A");
    } else {
        let to = match plan.transfers.has_user {
            true => json!({ "type": "user", "name": USER }),
            false => plan::sip_target(1, true),
        };
        super::Act::Create(to).happen(&mut world);
    }
    for (at, act) in &plan.acts {
        let gone = world.now.duration_since(world.start);
        world.run_for(at.saturating_sub(gone));
        act.happen(&mut world);
    }
    let quiet = world.run_until_quiet(LONGEST);
    let verdict = if quiet { verdict(&mut world) } else { Err(not_quiet(&world)) };
    Played { world, verdict }
}

fn not_quiet(world: &World) -> String {
    let (judged, alive) = (world.judge.verdict(), world.switch.alive());
    match judged {
        Err(broken) => broken,
        Ok(()) => format!("not quiet after {LONGEST:?}: {alive:?}"),
    }
}

fn verdict(world: &mut World) -> Result<(), String> {
    world.judge.at_rest()?;
    let dials = world.judge.results();
    crate::check(world, DONE, dials)?;
    let results = world.application.asked_at(DONE);
    let results: Vec<&Value> = results.iter().map(|asked| &asked.payload).collect();
    moved::check(&results)
}

/// Everybody is there; nobody calls yet.
fn world(plan: &Plan) -> World {
    let mut application = Application::default()
        .answering(INCOMING, Answer::List(plan.list.to_string()))
        .answering(ELSEWHERE, Answer::List(plan.elsewhere.to_string()));
    for result in &plan.results {
        let answer = match result {
            _ if plan.results_fail => Answer::Fails,
            Some(list) => Answer::List(list.to_string()),
            None => Answer::Empty,
        };
        application = application.answering(DONE, answer);
    }
    for (url, answer) in &plan.manner.answers {
        application = application.answering(url, answer.clone());
    }
    for answer in &plan.transfers.answers {
        application = application.answering(REFER, answer.clone());
    }
    application.thinks = plan.thinks;
    application.thinks_at.insert(REFER.to_owned(), plan.transfers.thinks);
    let confirms = [CONFIRM, CONFIRM_TARGET].map(str::to_owned);
    for url in &confirms {
        application.thinks_at.insert(url.clone(), plan.manner.confirming);
    }
    let (seed, weather) = (plan.seed, plan.weather);
    let mut settings = plan::settings(&plan.transfers);
    settings.hold_music = plan.manner.hold_music.then(|| manner::SOUNDS[1].0.to_owned());
    let config = WorldConfig { seed, weather, settings, application };
    let mut world = World::new(config).over(plan.transport);
    world.judge = Judge::default().screened_by(&confirms, plan.manner.screens_everybody);
    let transfers = plan.transfers.policy == ReferPolicy::Transfer;
    world.judge = std::mem::take(&mut world.judge).transferring(transfers);
    world.sounds.extend(manner::SOUNDS.map(|(url, length)| (url.to_owned(), length)));
    world.fetching = plan.manner.fetching;
    world.sound_lag = plan.manner.sound_lag;
    world.opening = plan.opening;
    world.lookup = plan.lookup;
    world.ports_max = plan.ports;
    people(plan, &mut world);
    moved::people(&mut world);
    if plan.transfers.has_user {
        register(&mut world);
    }
    world
}

/// Callee 4 is where the user is.
fn register(world: &mut World) {
    let remote = plan::callee_address(4);
    let binding = SavedBinding {
        contact: format!("<sip:{USER}@{remote}>"),
        flow: world.flow(remote),
        call_id: "registered".to_owned(),
        cseq: 1,
        age: Duration::ZERO,
        remains: Duration::from_secs(30),
    };
    world.with_switch(|switch, now| {
        switch.restore(now, USER, &[binding]);
    });
}

/// Puts the phones of a plan into its world, and what stands beside them.
fn people(plan: &Plan, world: &mut World) {
    let seed = plan.seed;
    let mut talks = plan.manner.talks.iter().cloned();
    let mut refers = plan.transfers.refers.iter().cloned();
    let mut updates = plan.transfers.updates.iter();
    let mut stays = plan.stays.iter();
    let mut says = |phone: &mut Phone| {
        let Talk { offers, keys } = talks.next().unwrap_or_default();
        (phone.offers, phone.keys) = (offers, keys);
        phone.refers = refers.next().unwrap_or_default();
        phone.updates = updates.next().copied().unwrap_or_default();
        phone.stays = stays.next().copied().unwrap_or_default();
    };
    world.names.insert(PAIR.to_owned(), [1, 2].map(plan::callee_address).to_vec());
    let contacts = [1, 2].map(|number| format!("<sip:moved@{}>", plan::callee_address(number)));
    world.redirectors.insert(REDIRECTOR, Redirector { contacts: contacts.to_vec() });
    for (number, (callee, challenge)) in (1..).zip(&plan.callees) {
        let script = Script::Callee(callee.clone());
        let address = plan::callee_address(number);
        let seed = seed ^ (0xB00 + u64::from(number));
        let mut phone = Phone::new(&format!("B{number}"), address, script, seed);
        phone.challenge.clone_from(challenge);
        says(&mut phone);
        world.add(phone);
    }
    if let Some(caller) = &plan.caller {
        let mut phone = Phone::new("A", CALLER, Script::Caller(caller.clone()), seed ^ 0xA);
        says(&mut phone);
        world.add(phone);
    }
}
