//! What a phone does in a scenario that is put together by a test: `caller_by_steps` and
//! `callee_by_steps`. The first INVITE is in the file, the rest is here, step by step.
//!
//! A scenario that [waits](Steps::waits) goes on when the test has seen what it wanted to see
//! ([`Run::proceeds`](super::sipp::Run::proceeds)), so that no test has to guess times.

/// See the module. `Display` gives the text for `{{steps}}`.
#[derive(Clone, Debug)]
pub(crate) struct Steps {
    text: String,
    /// How its requests begin: the request's method, and its target, From and To.
    is_caller: bool,
    /// Number of its next request.
    cseq: u32,
}

impl std::fmt::Display for Steps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// What stands at the end of a message without body.
const NO_BODY: &str = "    Content-Length: 0\n\n";

#[allow(clippy::wrong_self_convention)] // A step says what is done to the phone.
impl Steps {
    /// Those of `caller_by_steps`, after its INVITE.
    pub(crate) fn of_caller() -> Steps {
        Steps { text: String::new(), is_caller: true, cseq: 2 }
    }

    /// Those of `callee_by_steps`, after the INVITE that it got.
    pub(crate) fn of_callee() -> Steps {
        Steps { text: String::new(), is_caller: false, cseq: 1 }
    }

    fn with(mut self, text: &str) -> Steps {
        self.text += text;
        self
    }

    /// Until the test lets it go on.
    pub(crate) fn waits(self) -> Steps {
        self.with("<recv request=\"PUBLISH\"/>\n")
    }

    /// Of the caller: it is answered, and acknowledges that.
    pub(crate) fn is_answered(self) -> Steps {
        let ack = self.request("ACK", 1, &[], "");
        let provisional = ["100", "180", "183"]
            .map(|status| format!("<recv response=\"{status}\" optional=\"true\"/>\n"));
        self.with(&provisional.concat())
            .with("<recv response=\"200\" rrs=\"true\"/>\n")
            .with(&format!("<send>{ack}</send>\n"))
    }

    /// Of the callee: it answers its INVITE with this status line, header lines and description.
    pub(crate) fn responds(self, line: &str, headers: &[&str], body: &str) -> Steps {
        let headers: String = headers.iter().map(|header| format!("    {header}\n")).collect();
        let end = ending("application/sdp", body);
        let retransmits = if line.starts_with('1') { "" } else { " retrans=\"200\"" };
        self.with(&format!(
            "<send{retransmits}><![CDATA[\n    SIP/2.0 {line}\n    Via:[$via]\n    \
             From:[$remote]\n    To:[$local];tag=[pid]p[call_number]\n    \
             Call-ID: [call_id]\n    CSeq:[$invited]\n    \
             Contact: <sip:[local_ip]:[local_port]>\n{headers}{end}  ]]></send>\n"
        ))
    }

    /// Of the callee: it rings.
    pub(crate) fn rings(self) -> Steps {
        self.responds("180 Ringing", &[], "")
    }

    /// Of the callee: it answers, and that is acknowledged.
    pub(crate) fn answers(self) -> Steps {
        self.answers_with(&[])
    }

    /// The same, with these header lines.
    pub(crate) fn answers_with(self, headers: &[&str]) -> Steps {
        self.responds("200 OK", headers, "{{sdp}}").with("<recv request=\"ACK\"/>\n")
    }

    /// It sends a request inside its call, with these header lines, and wants this status.
    pub(crate) fn asks(self, method: &str, headers: &[&str], body: &str, status: u16) -> Steps {
        let request = self.request(method, self.cseq, headers, body);
        let mut steps = self.with(&format!(
            "<send retrans=\"200\">{request}</send>\n\
             <recv response=\"100\" optional=\"true\"/>\n<recv response=\"{status}\"/>\n"
        ));
        if method == "INVITE" {
            let ack = steps.request("ACK", steps.cseq, &[], "");
            steps = steps.with(&format!("<send>{ack}</send>\n"));
        }
        steps.cseq += 1;
        steps
    }

    /// It sends an INVITE without a description, and its own with the ACK.
    pub(crate) fn asks_for_an_offer(self, answer: &str) -> Steps {
        let invite = self.request("INVITE", self.cseq, &[], "");
        let ack = self.request("ACK", self.cseq, &[], answer);
        let mut steps = self.with(&format!(
            "<send retrans=\"200\">{invite}</send>\n\
             <recv response=\"100\" optional=\"true\"/>\n<recv response=\"200\"/>\n\
             <send>{ack}</send>\n"
        ));
        steps.cseq += 1;
        steps
    }

    /// It gets a request inside its call, and answers with this status line and header lines.
    pub(crate) fn is_asked(self, method: &str, line: &str, headers: &[&str]) -> Steps {
        let headers: String = headers.iter().map(|header| format!("    {header}\n")).collect();
        self.with(&format!(
            "<recv request=\"{method}\"/>\n<send><![CDATA[\n    SIP/2.0 {line}\n    \
             [last_Via:]\n    [last_From:]\n    [last_To:]\n    [last_Call-ID:]\n    \
             [last_CSeq:]\n    Contact: <sip:[local_ip]:[local_port]>\n{headers}{NO_BODY}  \
             ]]></send>\n"
        ))
    }

    /// The other side hangs up.
    pub(crate) fn is_hung_up(self) -> Steps {
        self.is_asked("BYE", "200 OK", &[])
    }

    /// It hangs up.
    pub(crate) fn hangs_up(self) -> Steps {
        self.asks("BYE", &[], "", 200)
    }

    /// Of the caller: a provisional response that is to be acknowledged (RFC 3262).
    pub(crate) fn gets_reliably(self, status: u16) -> Steps {
        self.with(&format!(
            "<recv response=\"100\" optional=\"true\"/>\n\
             <recv response=\"{status}\" rrs=\"true\"><action>\
             <ereg regexp=\".*\" search_in=\"hdr\" header=\"RSeq:\" assign_to=\"rseq\"/>\
             </action></recv>\n"
        ))
    }

    /// Of the caller: it acknowledges that provisional response.
    pub(crate) fn acknowledges(self) -> Steps {
        self.asks("PRACK", &["RAck:[$rseq] 1 INVITE"], "", 200)
    }

    /// Of the callee: it is invited again, as another try at the same call.
    pub(crate) fn is_invited_again(self) -> Steps {
        let save = |header: &str, name: &str| {
            format!(
                "<ereg regexp=\".*\" search_in=\"hdr\" header=\"{header}:\" \
                 assign_to=\"{name}\"/>"
            )
        };
        let saved = save("Via", "via") + &save("CSeq", "invited");
        self.with("<recv request=\"ACK\"/>\n")
            .with(&format!("<recv request=\"INVITE\"><action>{saved}</action></recv>\n"))
    }

    /// It gets an INVITE inside its call, and answers with these header lines.
    pub(crate) fn is_reinvited(self, headers: &[&str]) -> Steps {
        let headers: String = headers.iter().map(|header| format!("    {header}\n")).collect();
        let end = ending("application/sdp", "{{sdp}}");
        self.with(&format!(
            "<recv request=\"INVITE\"/>\n<send retrans=\"200\"><![CDATA[\n    \
             SIP/2.0 200 OK\n    [last_Via:]\n    [last_From:]\n    [last_To:]\n    \
             [last_Call-ID:]\n    [last_CSeq:]\n    \
             Contact: <sip:[local_ip]:[local_port]>\n{headers}{end}  ]]></send>\n\
             <recv request=\"ACK\"/>\n"
        ))
    }

    fn request(&self, method: &str, cseq: u32, headers: &[&str], body: &str) -> String {
        let headers: String = headers.iter().map(|header| format!("    {header}\n")).collect();
        let (target, parties) = if self.is_caller {
            (
                "[next_url]",
                "    From: \"Caller\" <sip:491701234567@[local_ip]:[local_port]>;\
                 tag=[pid]c[call_number]\n    \
                 To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]\n",
            )
        } else {
            ("[$target]", "    From:[$local];tag=[pid]p[call_number]\n    To:[$remote]\n")
        };
        let kind = headers
            .lines()
            .find_map(|line| line.trim().strip_prefix("Content-Type: "))
            .map_or("application/sdp", |_| "");
        let end = ending(kind, body);
        format!(
            "<![CDATA[\n    {method} {target} SIP/2.0\n    \
             Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\n{parties}    \
             Call-ID: [call_id]\n    CSeq: {cseq} {method}\n    \
             Contact: <sip:[local_ip]:[local_port]>\n    Max-Forwards: 70\n{headers}{end}  ]]>"
        )
    }
}

/// Content-Type, unless it is there already, Content-Length and the body.
fn ending(kind: &str, body: &str) -> String {
    if body.is_empty() {
        return NO_BODY.to_owned();
    }
    let kind = if kind.is_empty() { String::new() } else { format!("    Content-Type: {kind}\n") };
    format!("{kind}    Content-Length: [len]\n\n    {body}\n")
}
