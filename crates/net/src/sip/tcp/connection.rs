//! One connection: a task that connects if it has to, cuts the stream into messages, writes what is
//! queued, answers keep-alives, and ends when anything is wrong or too slow.
//!
//! In go the messages of its queue, out come [`News`]. It holds no more than one message that is
//! not complete and one that is being written.

use std::future::pending;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use ::sip::framing::{Frame, Framer, FramingError, PONG};
use ::sip::{Flow, Transmit};
use bytes::{Buf, Bytes};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;

use super::super::advertised::Advertised;
use super::limits::{
    KEEPALIVE_AFTER, KEEPALIVE_INTERVAL, KEEPALIVES, READ_FREE, READ_MAX, REFUSAL_TIMEOUT,
    SOCKET_BUFFER, TcpLimits,
};
use super::table::{ConnectionId, Seat, counted};

/// What the owner of the table hears.
#[derive(Debug)]
pub(super) enum News {
    /// A peer connected.
    Accepted(TcpStream, SocketAddr),
    /// A whole message.
    Message(Flow, Bytes),
    /// A connection is over, or never was.
    Ended {
        id: ConnectionId,
        remote: SocketAddr,
        /// Flows of messages that were not written.
        unsent: Vec<Flow>,
        why: String,
    },
}

/// How a connection begins.
#[derive(Debug)]
pub(super) enum Beginning {
    Accepted(TcpStream),
    /// From this address of ours, where it must be a certain one.
    Connect(Option<IpAddr>),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) seat: Seat,
    pub(super) remote: SocketAddr,
    pub(super) advertised: Arc<Advertised>,
    pub(super) limits: TcpLimits,
    pub(super) news: mpsc::Sender<News>,
}

/// What a connection that stands is doing.
struct Talk {
    stream: TcpStream,
    flow: Flow,
    framer: Framer,
    /// Bytes of the budget that the framer holds.
    held: usize,
    writing: Option<Writing>,
    pong_due: bool,
    /// When the message under way, or the first one, must be there.
    message_due: Option<Instant>,
    /// When something of what is being written must have been taken.
    write_due: Option<Instant>,
}

/// What is left of a message, or of a keep-alive, which has no flow and counts for nothing.
struct Writing {
    flow: Option<Flow>,
    bytes: Bytes,
    counts: usize,
}

impl Connection {
    pub(super) async fn run(mut self, beginning: Beginning) {
        let accepted = matches!(beginning, Beginning::Accepted(_));
        let (why, unsent) = match self.begin(beginning).await {
            Ok(stream) => self.talk(stream, accepted).await,
            Err(error) => (error.to_string(), None),
        };
        self.end(why, unsent).await;
    }

    async fn begin(&mut self, beginning: Beginning) -> io::Result<TcpStream> {
        let stream = match beginning {
            Beginning::Accepted(stream) => stream,
            Beginning::Connect(from) => {
                let connecting = connect(self.remote, from);
                tokio::select! {
                    connected = tokio::time::timeout(self.limits.connect_timeout, connecting) => {
                        let late = |_| io::Error::from(io::ErrorKind::TimedOut);
                        connected.map_err(late)??
                    }
                    _ = &mut self.seat.alive => return Err(io::ErrorKind::Interrupted.into()),
                }
            }
        };
        stream.set_nodelay(true)?;
        let socket = SockRef::from(&stream);
        // why: a peer that vanished without a word must not keep its place for an hour.
        let keepalive = TcpKeepalive::new()
            .with_time(KEEPALIVE_AFTER)
            .with_interval(KEEPALIVE_INTERVAL)
            .with_retries(KEEPALIVES);
        socket.set_tcp_keepalive(&keepalive)?;
        socket.set_tcp_user_timeout(Some(self.limits.write_timeout))?;
        Ok(stream)
    }

    /// Until it is over: why, and what was being written.
    async fn talk(&mut self, stream: TcpStream, accepted: bool) -> (String, Option<Flow>) {
        let flow = match stream.local_addr() {
            Ok(here) => self.advertised.flow_at(self.remote, here.ip()),
            Err(error) => return (error.to_string(), None),
        };
        self.seat.gauge.touch();
        let mut talk = Talk {
            stream,
            flow,
            framer: Framer::new(),
            held: 0,
            writing: None,
            pong_due: false,
            message_due: accepted.then(|| Instant::now() + self.limits.message_timeout),
            write_due: None,
        };
        let why = loop {
            if let Err(why) = self.turn(&mut talk).await {
                break why;
            }
        };
        self.seat.reading.give(talk.held);
        let unsent = talk.writing.and_then(|writing| {
            self.written(writing.counts);
            writing.flow
        });
        (why, unsent)
    }

    /// One thing that happens.
    async fn turn(&mut self, talk: &mut Talk) -> Result<(), String> {
        if talk.writing.is_none() && std::mem::take(&mut talk.pong_due) {
            talk.writing = Some(Writing { flow: None, bytes: Bytes::from_static(PONG), counts: 0 });
        }
        let idle_due = self.seat.gauge.last_used() + self.limits.idle_timeout;
        let due = [talk.message_due, talk.write_due, Some(idle_due)].into_iter().flatten().min();
        let too_slow = async {
            match due {
                Some(due) => tokio::time::sleep_until(due.into()).await,
                None => pending().await,
            }
        };
        tokio::select! {
            ready = talk.stream.readable() => {
                ready.map_err(|error| error.to_string())?;
                self.read(talk).await
            }
            ready = talk.stream.writable(), if talk.writing.is_some() => {
                ready.map_err(|error| error.to_string())?;
                self.write(talk).map_err(|error| error.to_string())
            }
            queued = self.seat.outbox.recv(), if talk.writing.is_none() => {
                let Some(transmit) = queued else {
                    return Err("no longer wanted".to_owned());
                };
                let counts = counted(&transmit);
                let Transmit { flow, bytes, .. } = transmit;
                talk.writing = Some(Writing { flow: Some(flow), bytes, counts });
                self.write(talk).map_err(|error| error.to_string())
            }
            _ = &mut self.seat.alive => Err("given up: no room, or it took too little".to_owned()),
            () = too_slow => self.overdue(talk),
        }
    }

    /// Takes what the kernel has, once, and passes the messages on.
    async fn read(&self, talk: &mut Talk) -> Result<(), String> {
        let (frames, broken) = self.take_frames(talk)?;
        for frame in frames {
            match frame {
                // why: a peer that does not take its pongs gets one for all its pings.
                Frame::Ping => talk.pong_due = true,
                Frame::Message(bytes) => {
                    let sent = self.news.send(News::Message(talk.flow, bytes)).await;
                    sent.map_err(|_| "the gateway has ended".to_owned())?;
                }
            }
        }
        if let Some(broken) = broken {
            self.refuse(talk).await;
            return Err(broken.to_string());
        }
        Ok(())
    }

    /// RFC 3261 §18.3: a request whose end nobody can tell gets its 400, then the stream ends.
    async fn refuse(&self, talk: &mut Talk) {
        let Some(refusal) = talk.framer.refusal(self.remote) else { return };
        let (stream, writing) = (&mut talk.stream, &talk.writing);
        let saying = async {
            if let Some(writing) = writing {
                stream.write_all(&writing.bytes).await?;
            }
            stream.write_all(&refusal).await?;
            stream.shutdown().await?;
            // why: closing over bytes that nobody read resets the connection, and then the peer
            // may never see the answer.
            let mut rest = [0; 512];
            while stream.read(&mut rest).await? > 0 {}
            Ok::<(), io::Error>(())
        };
        // why: the connection is over whether the peer took the answer or not.
        let _said = tokio::time::timeout(REFUSAL_TIMEOUT, saying).await;
    }

    /// What is whole of what the kernel has, and why nothing more can be.
    fn take_frames(&self, talk: &mut Talk) -> Result<(Vec<Frame>, Option<FramingError>), String> {
        let mut buffer = [0; READ_MAX];
        let read = match talk.stream.try_read(&mut buffer) {
            Ok(0) => return Err("closed by the peer".to_owned()),
            Ok(read) => buffer.get(..read).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Ok((Vec::new(), None));
            }
            Err(error) => return Err(error.to_string()),
        };
        talk.framer.push(read);
        let mut frames = Vec::new();
        let broken = loop {
            match talk.framer.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        if !frames.is_empty() {
            self.seat.gauge.touch();
        }
        talk.message_due = match talk.message_due {
            due @ Some(_) if frames.is_empty() => due,
            _ if !talk.framer.is_within_message() => None,
            _ => Some(Instant::now() + self.limits.message_timeout),
        };
        self.account(talk)?;
        Ok((frames, broken))
    }

    /// Keeps the budget in step with what the framer holds.
    fn account(&self, talk: &mut Talk) -> Result<(), String> {
        let holds = talk.framer.held().saturating_sub(READ_FREE);
        if holds > talk.held && !self.seat.reading.take(holds - talk.held) {
            return Err("too many bytes are held for all connections".to_owned());
        }
        self.seat.reading.give(talk.held.saturating_sub(holds));
        talk.held = holds;
        Ok(())
    }

    /// Writes what the kernel takes, once.
    fn write(&self, talk: &mut Talk) -> io::Result<()> {
        let Some(Writing { bytes, counts, .. }) = &mut talk.writing else { return Ok(()) };
        match talk.stream.try_write(bytes) {
            Ok(taken) => {
                bytes.advance(taken);
                talk.write_due = None;
                if bytes.is_empty() {
                    self.written(*counts);
                    talk.writing = None;
                    self.seat.gauge.touch();
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        if talk.write_due.is_none() && talk.writing.is_some() {
            talk.write_due = Some(Instant::now() + self.limits.write_timeout);
        }
        Ok(())
    }

    /// So much of the queue no longer waits.
    fn written(&self, bytes: usize) {
        self.seat.writing.give(self.seat.gauge.done(bytes));
    }

    fn overdue(&self, talk: &Talk) -> Result<(), String> {
        let now = Instant::now();
        let over = |due: Option<Instant>| due.is_some_and(|due| due <= now);
        if over(talk.message_due) {
            let within = self.limits.message_timeout;
            return Err(format!("no whole message within {within:?}"));
        }
        if over(talk.write_due) {
            return Err(format!("took nothing for {:?}", self.limits.write_timeout));
        }
        // Otherwise it was used since the time was looked at.
        let idle = now.saturating_duration_since(self.seat.gauge.last_used());
        if idle >= self.limits.idle_timeout { Err(format!("idle for {idle:?}")) } else { Ok(()) }
    }

    /// Gives back what it held and says so.
    async fn end(mut self, why: String, unsent: Option<Flow>) {
        self.seat.outbox.close();
        let mut unsent: Vec<Flow> = unsent.into_iter().collect();
        while let Ok(transmit) = self.seat.outbox.try_recv() {
            self.written(counted(&transmit));
            if !unsent.contains(&transmit.flow) {
                unsent.push(transmit.flow);
            }
        }
        let Connection { seat, remote, news, .. } = self;
        // why: an error means that the gateway has ended and nobody waits any more.
        let _ended = news.send(News::Ended { id: seat.id, remote, unsent, why }).await;
    }
}

async fn connect(remote: SocketAddr, from: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if remote.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    let size = u32::try_from(SOCKET_BUFFER).unwrap_or(u32::MAX);
    socket.set_send_buffer_size(size)?;
    socket.set_recv_buffer_size(size)?;
    if let Some(from) = from {
        socket.bind(SocketAddr::new(from, 0))?;
    }
    socket.connect(remote).await
}
