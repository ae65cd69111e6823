"""A phone made of PJSUA2: events as lines of JSON on stdout, commands as lines of JSON on stdin.

Its only argument is a JSON object: `ip`, its own address; `registrar`, host and port; `transport`,
`udp` or `tcp`; `user` and `password`; `tone`, a WAV file that it plays in every call; `recording`,
the file for what it hears; `log`. It ends when stdin does.

Commands: {"do": "register"}, {"do": "call", "uri": ...}, {"do": "answer"},
{"do": "refuse", "status": ...}, {"do": "hold"}, {"do": "resume"}, {"do": "press", "keys": ...},
{"do": "transfer", "uri": ...}, {"do": "join"}, {"do": "hang up"}. They are for its newest call;
`join` connects the party of the oldest with that of the newest, and leaves both.
"""

import json
import os
import select
import sys

import pjsua2 as pj

# The longest time of one look for messages, in milliseconds.
LOOK = 10
STATES = {
    pj.PJSIP_INV_STATE_CALLING: "calling",
    pj.PJSIP_INV_STATE_EARLY: "ringing",
    pj.PJSIP_INV_STATE_CONFIRMED: "confirmed",
    pj.PJSIP_INV_STATE_DISCONNECTED: "over",
}


def tell(event, **more):
    print(json.dumps({"event": event, **more}), flush=True)


class Call(pj.Call):
    def __init__(self, account, number=pj.PJSUA_INVALID_ID):
        super().__init__(account, number)
        self.account = account

    def onCallState(self, prm):
        info = self.getInfo()
        if info.state in STATES:
            tell(STATES[info.state], status=info.lastStatusCode, reason=info.lastReason)
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.account.calls.remove(self)

    def onCallMediaState(self, prm):
        # Its list of media lives as long as the information does.
        info = self.getInfo()
        for index, media in enumerate(info.media):
            if media.type != pj.PJMEDIA_TYPE_AUDIO:
                continue
            tell("media", status=media.status, direction=media.dir)
            if media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                audio = self.getAudioMedia(index)
                self.account.player.startTransmit(audio)
                audio.startTransmit(self.account.recorder)

    def onCallTransferStatus(self, prm):
        tell("transferred", status=prm.statusCode, final=prm.finalNotify)

    def onDtmfDigit(self, prm):
        tell("key", key=prm.digit)


class Account(pj.Account):
    def __init__(self):
        super().__init__()
        self.calls = []

    def begin(self, call):
        self.calls.append(call)
        return call

    def onRegState(self, prm):
        tell("registered" if prm.code == 200 else "refused", status=prm.code, reason=prm.reason)

    def onIncomingCall(self, prm):
        call = self.begin(Call(self, prm.callId))
        ringing = pj.CallOpParam()
        ringing.statusCode = pj.PJSIP_SC_RINGING
        call.answer(ringing)
        tell("incoming", uri=call.getInfo().remoteUri)

    def obey(self, command):
        what = command["do"]
        call = self.calls[-1] if self.calls else None
        if what == "register":
            self.setRegistration(True)
        elif what == "call":
            self.begin(Call(self)).makeCall(command["uri"], pj.CallOpParam(True))
        elif what in ("answer", "refuse"):
            answer = pj.CallOpParam()
            answer.statusCode = command.get("status", pj.PJSIP_SC_OK)
            call.answer(answer)
        elif what == "hold":
            call.setHold(pj.CallOpParam(True))
        elif what == "resume":
            resume = pj.CallOpParam(True)
            resume.opt.flag = pj.PJSUA_CALL_UNHOLD
            call.reinvite(resume)
        elif what == "press":
            keys = pj.CallSendDtmfParam()
            keys.method = pj.PJSUA_DTMF_METHOD_RFC2833
            keys.digits = command["keys"]
            call.sendDtmf(keys)
        elif what == "transfer":
            call.xfer(command["uri"], pj.CallOpParam(True))
        elif what == "join":
            self.calls[0].xferReplaces(call, pj.CallOpParam(True))
        elif what == "hang up":
            call.hangup(pj.CallOpParam())
        else:
            raise ValueError(f"no such command: {what}")


def start_endpoint(phone):
    endpoint = pj.Endpoint()
    endpoint.libCreate()
    config = pj.EpConfig()
    config.logConfig.level = 4
    config.logConfig.consoleLevel = 0
    config.logConfig.msgLogging = 1
    config.logConfig.filename = phone["log"]
    config.uaConfig.threadCnt = 0
    config.medConfig.clockRate = 8000
    config.medConfig.sndClockRate = 8000
    config.medConfig.noVad = True
    config.medConfig.ecTailLen = 0
    # The clock of the conference never stops between calls.
    config.medConfig.sndAutoCloseTime = -1
    endpoint.libInit(config)
    endpoint.audDevManager().setNullDev()
    for codec in endpoint.codecEnum2():
        # More codecs would make an INVITE that is too long for UDP.
        if not codec.codecId.startswith("PCM"):
            endpoint.codecSetPriority(codec.codecId, 0)
    transport = pj.TransportConfig()
    transport.boundAddress = phone["ip"]
    kinds = {"udp": pj.PJSIP_TRANSPORT_UDP, "tcp": pj.PJSIP_TRANSPORT_TCP}
    endpoint.transportCreate(kinds[phone["transport"]], transport)
    endpoint.libStart()
    return endpoint


def start_account(phone):
    config = pj.AccountConfig()
    transport = "" if phone["transport"] == "udp" else ";transport=" + phone["transport"]
    config.idUri = f"sip:{phone['user']}@{phone['registrar']}"
    config.regConfig.registrarUri = f"sip:{phone['registrar']}{transport}"
    config.regConfig.registerOnAdd = False
    config.regConfig.retryIntervalSec = 0
    if transport:
        config.sipConfig.proxies.append(f"sip:{phone['registrar']}{transport};lr")
    config.sipConfig.authCreds.append(
        pj.AuthCredInfo("digest", "*", phone["user"], 0, phone["password"])
    )
    config.mediaConfig.transportConfig.boundAddress = phone["ip"]
    config.mediaConfig.transportConfig.port = 0
    account = Account()
    account.player = pj.AudioMediaPlayer()
    account.player.createPlayer(phone["tone"])
    account.recorder = pj.AudioMediaRecorder()
    account.recorder.createRecorder(phone["recording"])
    account.create(config)
    return account


def main():
    phone = json.loads(sys.argv[1])
    endpoint = start_endpoint(phone)
    account = start_account(phone)
    tell("ready")
    os.set_blocking(sys.stdin.fileno(), False)
    text = b""
    while True:
        endpoint.libHandleEvents(LOOK)
        if not select.select([sys.stdin], [], [], 0)[0]:
            continue
        more = os.read(sys.stdin.fileno(), 4096)
        if not more:
            break
        *lines, text = (text + more).split(b"\n")
        for line in lines:
            account.obey(json.loads(line))
    tell("ended")
    endpoint.libDestroy(pj.PJSUA_DESTROY_NO_NETWORK)
    os._exit(0)


main()
