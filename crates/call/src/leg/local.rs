//! Our side of a leg's session description: address, identity, version.

use std::net::SocketAddr;

use media::sdp;

/// What we advertise on one leg.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    session_id: u64,
    version: u64,
    address: Option<SocketAddr>,
}

impl Local {
    pub(crate) fn new(session_id: u64) -> Local {
        // RFC 8866 §5.2: a number that other implementations can hold; 63 bits are safe.
        Local { session_id: session_id >> 1, version: 0, address: None }
    }

    /// The RTP port is open at this address.
    pub(crate) fn open(&mut self, address: SocketAddr) {
        self.address = Some(address);
    }

    /// For the next description that may differ from the last (RFC 3264 §8: the version grows).
    pub(crate) fn next(&mut self) -> Option<sdp::Local> {
        let address = self.address?;
        self.version += 1;
        Some(sdp::Local {
            address: address.ip(),
            port: address.port(),
            session_id: self.session_id,
            version: self.version,
        })
    }
}
