# A first application. Run it: python3 examples/application.py
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

def incoming(call):
    targets = [{"type": "user", "name": name} for name in ("demo-1", "demo-2")]
    return [{"verb": "dial", "answerOnBridge": True, "timeout": 20,
             "actionHook": "/dial-done", "target": targets}]

def dial_done(result):
    done = result["dial_call_status"] == "completed"
    return [] if done else [{"verb": "sip:decline", "status": 480, "reason": "Nobody is there"}]

class Application(BaseHTTPRequestHandler):
    def do_POST(self):
        payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = {"/incoming": incoming, "/dial-done": dial_done}.get(self.path, lambda _: [])
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer(payload)).encode())

ThreadingHTTPServer(("127.0.0.1", 9000), Application).serve_forever()
