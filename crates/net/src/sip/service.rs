//! Which of several records comes first: NAPTR (RFC 3263 §4.1) and SRV (RFC 2782).
//!
//! Pure choice; who asked for the records is `resolve.rs`.

use ::sip::Transport;

use crate::seed::Seeds;

/// One NAPTR record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer {
    pub(super) order: u16,
    pub(super) preference: u16,
    pub(super) flags: String,
    pub(super) services: String,
    pub(super) replacement: String,
}

/// One SRV record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) priority: u16,
    pub(super) weight: u16,
    pub(super) port: u16,
    pub(super) target: String,
}

/// Those of the `usable` transports that are offered and the names of their services, the one that
/// the host prefers first.
pub(super) fn offered(
    mut pointers: Vec<Pointer>,
    usable: &[Transport],
) -> Vec<(Transport, String)> {
    pointers.sort_by_key(|pointer| (pointer.order, pointer.preference));
    let offered = pointers.into_iter().filter_map(|pointer| {
        // RFC 3263 §4.1: what is not implemented is left out; only `s` leads to SRV.
        let transport = match pointer.services.to_ascii_uppercase().as_str() {
            _ if !pointer.flags.eq_ignore_ascii_case("s") => return None,
            "SIP+D2U" => Transport::Udp,
            "SIP+D2T" => Transport::Tcp,
            _ => return None,
        };
        usable.contains(&transport).then_some((transport, pointer.replacement))
    });
    offered.collect()
}

/// RFC 2782: by priority, and within one at random by weight.
pub(super) fn in_order(mut services: Vec<Service>, seeds: &mut Seeds) -> Vec<Service> {
    // why: records without weight come first in the running sum, for their small chance.
    services.sort_by_key(|service| (service.priority, service.weight));
    let mut ordered = Vec::with_capacity(services.len());
    while let Some(first) = services.first() {
        let priority = first.priority;
        let group = services.iter().take_while(|service| service.priority == priority);
        let weights: Vec<u64> = group.map(|service| u64::from(service.weight)).collect();
        let drawn = seeds.next_seed() % (weights.iter().sum::<u64>() + 1);
        let mut sum = 0;
        let chosen = weights.iter().position(|weight| {
            sum += weight;
            sum >= drawn
        });
        ordered.push(services.remove(chosen.unwrap_or_default()));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointer(order: u16, preference: u16, services: &str) -> Pointer {
        Pointer {
            order,
            preference,
            flags: "S".to_owned(),
            services: services.to_owned(),
            replacement: format!("{services}.{order}.{preference}"),
        }
    }

    fn service(priority: u16, weight: u16, port: u16) -> Service {
        Service { priority, weight, port, target: "t.example.".to_owned() }
    }

    #[test]
    fn pointers_come_by_order_and_preference_and_only_those_of_ours() {
        let all = vec![
            pointer(20, 1, "SIP+D2U"),
            pointer(10, 9, "sip+d2u"),
            pointer(10, 1, "SIP+D2T"),
            pointer(10, 2, "SIPS+D2T"),
            Pointer { flags: "u".to_owned(), ..pointer(1, 1, "SIP+D2U") },
        ];
        let names = |usable: &[Transport]| -> Vec<String> {
            offered(all.clone(), usable).into_iter().map(|(_, name)| name).collect()
        };
        assert_eq!(names(&[Transport::Udp]), ["sip+d2u.10.9", "SIP+D2U.20.1"]);
        assert_eq!(names(&[Transport::Tcp]), ["SIP+D2T.10.1"]);
        let both = names(&[Transport::Udp, Transport::Tcp]);
        assert_eq!(both, ["SIP+D2T.10.1", "sip+d2u.10.9", "SIP+D2U.20.1"]);
    }

    #[test]
    fn a_lower_priority_always_comes_first() {
        let mut seeds = Seeds::random();
        for _ in 0..100 {
            let services = vec![service(2, 65_535, 3), service(1, 0, 1), service(1, 0, 1)];
            let ports: Vec<u16> =
                in_order(services, &mut seeds).iter().map(|service| service.port).collect();
            assert_eq!(ports, [1, 1, 3]);
        }
    }

    #[test]
    fn within_a_priority_the_weight_decides_how_often_one_is_first() {
        let mut seeds = Seeds::random();
        let mut first = [0_u32; 3];
        for _ in 0..10_000 {
            let services = vec![service(1, 90, 0), service(1, 10, 1), service(1, 0, 2)];
            let ordered = in_order(services, &mut seeds);
            assert_eq!(ordered.len(), 3);
            first[usize::from(ordered[0].port)] += 1;
        }
        assert!((8_500..9_300).contains(&first[0]), "{first:?}");
        assert!((700..1_300).contains(&first[1]), "{first:?}");
        assert!((1..400).contains(&first[2]), "a weight of nothing is a small chance: {first:?}");
    }
}
