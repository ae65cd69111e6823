//! Where a host of a SIP URI or a gateway is reached (RFC 3263): NAPTR, SRV, A and AAAA.
//!
//! In goes what the URI says, out come transports and addresses in the order in which they are to
//! be tried. An address literal needs no question, a port needs no SRV, a name of the hosts file
//! no DNS. Trying one after the other is the call's business. Answers are kept for their lifetime;
//! the name servers are those of `/etc/resolv.conf` when the switch starts.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ::sip::Transport;
use hickory_resolver::config::{
    LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Hosts, TokioResolver};
use tokio::sync::Semaphore;

use super::service::{Pointer, Service, in_order, offered};
use crate::seed::Seeds;

/// How long finding a host may take in all; a caller is waiting meanwhile.
pub const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// How long one name server has for one answer; it is asked twice.
const QUERY_TIMEOUT: Duration = Duration::from_secs(1);

/// Hosts looked up at one time; further ones wait for their turn within their own time.
const LOOKUPS_MAX: usize = 64;

/// Addresses of one host that are tried at most.
const HOPS_MAX: usize = 16;

/// Records of one answer that are looked at.
const RECORDS_MAX: usize = 32;

/// Answers of name servers that are remembered.
const CACHE_MAX: u64 = 1024;

/// The longest that one is, whatever it says.
const CACHE_LIFETIME_MAX: Duration = Duration::from_secs(3600);

/// The longest that it is remembered that there is none.
const CACHE_NEGATIVE_MAX: Duration = Duration::from_secs(60);

/// RFC 3261 §19.1.2.
const SIP_PORT: u16 = 5060;

/// One way to reach a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// How.
    pub transport: Transport,
    /// Where.
    pub address: SocketAddr,
}

/// Why a host cannot be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// A name server refused, or none could be asked.
    #[error("host {host}: {question}: {why}; check the name, or the machine's DNS settings")]
    Failed {
        /// What was to be reached.
        host: String,
        /// What was asked, such as `SRV of _sip._udp.example.com`.
        question: String,
        /// What failed.
        why: String,
    },
    /// There is no such record.
    #[error("host {host}: {question}: there is none; check the name")]
    NoAddress {
        /// What was to be reached.
        host: String,
        /// What was asked.
        question: String,
    },
    /// RFC 2782: the target `.` says that the service is not there.
    #[error("host {host}: {question}: says that SIP over {} is not offered", transport.as_str())]
    NotOffered {
        /// What was to be reached.
        host: String,
        /// What was asked.
        question: String,
        /// What is not offered.
        transport: Transport,
    },
    /// No answer within [`LOOKUP_TIMEOUT`].
    #[error("host {host}: {question}: no answer within {} s", LOOKUP_TIMEOUT.as_secs())]
    Timeout {
        /// What was to be reached.
        host: String,
        /// What was asked last.
        question: String,
    },
}

/// Finds hosts. One for the whole switch: it remembers answers.
pub struct Resolver {
    /// The text says why there is none.
    dns: Result<TokioResolver, String>,
    /// Another hosts file than the system's.
    hosts: Option<Hosts>,
    /// What this switch speaks, the preferred first.
    transports: Vec<Transport>,
    turns: Semaphore,
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolver").field("dns", &self.dns.is_ok()).finish_non_exhaustive()
    }
}

/// What a look-up has come to, also where its time is over.
struct Progress {
    host: String,
    port: Option<u16>,
    /// What may be used, the preferred first.
    usable: Vec<Transport>,
    /// Whether the URI says so, and not only what this switch speaks.
    named: bool,
    /// The question that is open, or was asked last.
    question: String,
    hops: Vec<Hop>,
}

impl Resolver {
    /// Asks the name servers of this machine. Without `ipv6` only IPv4 addresses are of use.
    /// `transports` are those that this switch speaks, the preferred first.
    ///
    /// Where the machine has none, or none that can be read, every name outside the hosts file is
    /// an error that says so.
    pub fn system(ipv6: bool, transports: Vec<Transport>) -> Resolver {
        let dns = hickory_resolver::system_conf::read_system_conf()
            .and_then(|(config, options)| build(config, options, ipv6));
        let dns = dns.map_err(|error| format!("/etc/resolv.conf: {error}"));
        Resolver { dns, hosts: None, transports, turns: Semaphore::new(LOOKUPS_MAX) }
    }

    /// Asks this one name server over UDP, and takes this text for the hosts file.
    ///
    /// # Errors
    /// The resolver could not be built, or the text is no hosts file.
    pub fn with_server(
        server: SocketAddr,
        hosts: &str,
        transports: Vec<Transport>,
    ) -> Result<Resolver, String> {
        let mut config = NameServerConfig::udp(server.ip());
        for connection in &mut config.connections {
            connection.port = server.port();
        }
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![config]);
        let dns = build(config, ResolverOpts::default(), true).map_err(|error| error.to_string());
        let mut read = Hosts::default();
        read.read_hosts_conf(hosts.as_bytes()).map_err(|error| error.to_string())?;
        let (dns, turns) = (Ok(dns?), Semaphore::new(LOOKUPS_MAX));
        Ok(Resolver { dns, hosts: Some(read), transports, turns })
    }

    /// The ways to reach `host`, the first to be tried first; never empty. An address literal,
    /// IPv6 with or without brackets, is answered at once. With `transport` every way is over
    /// that; without it RFC 3263 §4.1 chooses among those that this switch speaks.
    ///
    /// # Errors
    /// [`ResolveError`], after [`LOOKUP_TIMEOUT`] at the latest.
    pub async fn resolve(
        &self,
        host: &str,
        port: Option<u16>,
        transport: Option<Transport>,
    ) -> Result<Vec<Hop>, ResolveError> {
        let mut progress = Progress {
            host: host.trim_end_matches('.').to_owned(),
            port,
            usable: transport.map_or_else(|| self.transports.clone(), |named| vec![named]),
            named: transport.is_some(),
            question: "DNS".to_owned(),
            hops: Vec::new(),
        };
        if let Some(address) = literal(host) {
            return Ok(vec![progress.hop(address)]);
        }
        let done = tokio::time::timeout(LOOKUP_TIMEOUT, self.look_up(&mut progress)).await;
        let Progress { host, question, hops, .. } = progress;
        match done {
            // why: what is found can be called, whatever else might have been.
            _ if !hops.is_empty() => Ok(hops),
            Err(_) => Err(ResolveError::Timeout { host, question }),
            Ok(Err(error)) => Err(error),
            Ok(Ok(())) => Err(ResolveError::NoAddress { host, question }),
        }
    }

    async fn look_up(&self, found: &mut Progress) -> Result<(), ResolveError> {
        let _turn = self.turns.acquire().await;
        let known = self.of_hosts_file(&found.host).await;
        if !known.is_empty() {
            found.add(known, found.port, found.preferred());
            return Ok(());
        }
        // RFC 3263 §4.2: a port is an answer already. why: a bare word is a name of the local
        // network, where nobody keeps services.
        if found.port.is_none() && found.host.contains('.') && self.services(found).await? {
            return Ok(());
        }
        let name = found.host.clone();
        self.addresses(found, &name, found.port, found.preferred()).await
    }

    /// NAPTR, then SRV, then the addresses of its targets; false where there is no SRV.
    async fn services(&self, found: &mut Progress) -> Result<bool, ResolveError> {
        let host = found.host.clone();
        let pointers = match found.named {
            // RFC 3263 §4.1: a transport that is named is not asked for.
            true => Vec::new(),
            // why: a name server that cannot answer NAPTR is no reason not to ask it for SRV.
            false => self.pointers(found, &host).await.unwrap_or_default(),
        };
        let mut ways = offered(pointers, &found.usable);
        let guessed = ways.is_empty();
        if guessed {
            let service = |transport: &Transport| {
                (*transport, format!("_sip._{}.{host}", transport.uri_parameter()))
            };
            ways.extend(found.usable.iter().map(service));
        }
        let (mut any, mut last) = (false, None);
        for (transport, name) in ways {
            // RFC 3263 §4.1: any transport that has records will do, so the preferred one does.
            if guessed && !found.hops.is_empty() {
                break;
            }
            let services = self.targets(found, &name).await?;
            any |= !services.is_empty();
            for Service { target, port, .. } in services {
                if found.hops.len() >= HOPS_MAX {
                    return Ok(true);
                }
                if matches!(target.as_str(), "" | ".") {
                    let (host, question) = (found.host.clone(), found.question.clone());
                    last = Some(ResolveError::NotOffered { host, question, transport });
                } else if let Err(error) =
                    self.addresses(found, &target, Some(port), transport).await
                {
                    last = Some(error);
                }
            }
        }
        match last {
            Some(error) if found.hops.is_empty() => Err(error),
            _ => Ok(any),
        }
    }

    async fn pointers(
        &self,
        found: &mut Progress,
        name: &str,
    ) -> Result<Vec<Pointer>, ResolveError> {
        let records = self.records(found, name, RecordType::NAPTR).await?;
        let pointers = records.into_iter().filter_map(|data| match data {
            RData::NAPTR(pointer) => Some(Pointer {
                order: pointer.order,
                preference: pointer.preference,
                flags: String::from_utf8_lossy(&pointer.flags).into_owned(),
                services: String::from_utf8_lossy(&pointer.services).into_owned(),
                replacement: pointer.replacement.to_ascii(),
            }),
            _ => None,
        });
        Ok(pointers.collect())
    }

    async fn targets(
        &self,
        found: &mut Progress,
        name: &str,
    ) -> Result<Vec<Service>, ResolveError> {
        let records = self.records(found, name, RecordType::SRV).await?;
        let services = records.into_iter().filter_map(|data| match data {
            RData::SRV(service) => Some(Service {
                priority: service.priority,
                weight: service.weight,
                port: service.port,
                target: service.target.to_ascii(),
            }),
            _ => None,
        });
        Ok(in_order(services.collect(), &mut Seeds::random()))
    }

    /// The records of this kind; none is no error.
    async fn records(
        &self,
        found: &mut Progress,
        name: &str,
        kind: RecordType,
    ) -> Result<Vec<RData>, ResolveError> {
        found.question = format!("{kind} of {}", name.trim_end_matches('.'));
        let dns = self.dns.as_ref().map_err(|why| found.failed(why))?;
        let mut name = Name::from_utf8(name).map_err(|error| found.failed(&error))?;
        // why: a domain of SIP is a whole name; the search list is for words.
        name.set_fqdn(true);
        match dns.lookup(name, kind).await {
            Ok(lookup) => {
                let records = lookup.answers().iter().take(RECORDS_MAX);
                Ok(records.map(|record| record.data.clone()).collect())
            }
            Err(error) if error.is_no_records_found() => Ok(Vec::new()),
            Err(error) => Err(found.failed(&error)),
        }
    }

    /// Adds the addresses of a name.
    async fn addresses(
        &self,
        found: &mut Progress,
        name: &str,
        port: Option<u16>,
        transport: Transport,
    ) -> Result<(), ResolveError> {
        found.question = format!("A and AAAA of {}", name.trim_end_matches('.'));
        let dns = self.dns.as_ref().map_err(|why| found.failed(why))?;
        match dns.lookup_ip(name).await {
            Ok(lookup) => {
                found.add(lookup.iter().take(RECORDS_MAX).collect(), port, transport);
                Ok(())
            }
            Err(error) if error.is_no_records_found() => {
                let (host, question) = (found.host.clone(), found.question.clone());
                Err(ResolveError::NoAddress { host, question })
            }
            Err(error) => Err(found.failed(&error)),
        }
    }

    /// What the hosts file says, which may have changed since the last time.
    async fn of_hosts_file(&self, host: &str) -> Vec<IpAddr> {
        let Ok(name) = Name::from_utf8(host) else { return Vec::new() };
        if let Some(hosts) = &self.hosts {
            return addresses_in(hosts, &name);
        }
        let read = tokio::task::spawn_blocking(Hosts::from_system).await;
        read.ok().and_then(Result::ok).map_or_else(Vec::new, |hosts| addresses_in(&hosts, &name))
    }
}

impl Progress {
    /// What is taken where nothing says otherwise.
    fn preferred(&self) -> Transport {
        self.usable.first().copied().unwrap_or(Transport::Udp)
    }

    fn hop(&self, address: IpAddr) -> Hop {
        hop(address, self.port, self.preferred())
    }

    fn add(&mut self, addresses: Vec<IpAddr>, port: Option<u16>, transport: Transport) {
        for address in addresses {
            let hop = hop(address, port, transport);
            let nobody = address.is_unspecified() || address.is_multicast();
            if !nobody && self.hops.len() < HOPS_MAX && !self.hops.contains(&hop) {
                self.hops.push(hop);
            }
        }
    }

    fn failed(&self, why: &impl ToString) -> ResolveError {
        let (host, question) = (self.host.clone(), self.question.clone());
        ResolveError::Failed { host, question, why: why.to_string() }
    }
}

fn build(
    config: ResolverConfig,
    options: ResolverOpts,
    ipv6: bool,
) -> Result<TokioResolver, NetError> {
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    *builder.options_mut() = options;
    let options = builder.options_mut();
    options.timeout = QUERY_TIMEOUT;
    options.attempts = 1;
    options.cache_size = CACHE_MAX;
    options.positive_max_ttl = Some(CACHE_LIFETIME_MAX);
    options.negative_max_ttl = Some(CACHE_NEGATIVE_MAX);
    // why: the hosts file is read here, before anything is asked.
    options.use_hosts_file = ResolveHosts::Never;
    options.ip_strategy =
        if ipv6 { LookupIpStrategy::Ipv4AndIpv6 } else { LookupIpStrategy::Ipv4Only };
    builder.build()
}

fn hop(address: IpAddr, port: Option<u16>, transport: Transport) -> Hop {
    Hop { transport, address: SocketAddr::new(address, port.unwrap_or(SIP_PORT)) }
}

fn addresses_in(hosts: &Hosts, name: &Name) -> Vec<IpAddr> {
    let kinds = [RecordType::A, RecordType::AAAA].into_iter();
    let found =
        kinds.filter_map(|kind| hosts.lookup_static_host(&Query::query(name.clone(), kind)));
    found
        .flat_map(|lookup| {
            lookup.answers().iter().filter_map(|record| record.data.ip_addr()).collect::<Vec<_>>()
        })
        .take(RECORDS_MAX)
        .collect()
}

fn literal(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    bare.parse().ok()
}
