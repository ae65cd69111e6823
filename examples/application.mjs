// A first application. Run it: node examples/application.mjs
import { createServer } from "node:http";

const answers = {
  "/incoming": (call) => [
    { verb: "dial", answerOnBridge: true, timeout: 20, actionHook: "/dial-done",
      target: ["demo-1", "demo-2"].map((name) => ({ type: "user", name })) },
  ],
  "/dial-done": (result) => (result.dial_call_status === "completed" ? []
    : [{ verb: "sip:decline", status: 480, reason: "Nobody is there" }]),
};

createServer(async (request, response) => {
  const payload = JSON.parse(Buffer.concat(await request.toArray()) || "{}");
  console.log(request.url, payload.call_status, payload.dial_call_status ?? "");
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(answers[request.url]?.(payload) ?? []));
}).listen(9000, "127.0.0.1");
