// An application made with the client library of jambonz, as its users write one: lists built by
// WebhookResponse, requests verified by its middleware.
//
// Its only argument is a JSON object: `ip`, its own address; `secret`, the key of signatures;
// `credentials`, what Basic authentication must carry, as `user:password`, or nothing. Each line
// of stdin gives a path the list that it is answered with: {"path": …, "list": [[verb, {…}], …]}.
// Each request becomes a line of JSON on stdout. It ends when stdin does.

'use strict';

const http = require('http');
const readline = require('readline');
const { WebhookResponse } = require('@jambonz/node-client');

const { ip, secret, credentials } = JSON.parse(process.argv[2]);
const lists = new Map();

const tell = (event, more) => process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);

const build = (list) => {
  const app = new WebhookResponse();
  for (const [verb, properties] of list) app[verb](properties);
  return app;
};

/** What the middleware makes of the request: `null`, or why it refuses. */
const refusal = (request) => {
  let passed = false;
  try {
    WebhookResponse.verifyJambonzSignature(secret)(request, null, () => {
      passed = true;
    });
    return passed ? null : 'the middleware did not go on';
  } catch (error) {
    return error.message;
  }
};

const authorized = (request) => {
  if (!credentials) return true;
  const expected = `Basic ${Buffer.from(credentials).toString('base64')}`;
  return request.headers.authorization === expected;
};

const server = http.createServer(async(request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const [path, query = ''] = request.url.split('?');
  // As a framework does it: JSON is parsed, and headers are asked for by any spelling. What a
  // GET has signed is its query.
  request.body = text ? JSON.parse(text) : query;
  request.get = (name) => request.headers[name.toLowerCase()];
  tell('request', {
    path,
    query,
    method: request.method,
    body: request.body,
    refusal: refusal(request),
    authorized: authorized(request)
  });
  if (!authorized(request)) {
    response.writeHead(401).end();
  } else if (lists.has(path)) {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(build(lists.get(path))));
  } else {
    response.writeHead(200).end();
  }
});

server.listen(0, ip, () => tell('ready', { port: server.address().port }));

readline.createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { path, list } = JSON.parse(line);
    lists.set(path, list);
    tell('told', { path });
  })
  .on('close', () => process.exit(0));
