// The REST client of jambonz. Its only argument is a JSON object: `url`, where the interface is
// served; `account`; `token`. Each line of stdin is one request, {"of": "calls", "do": "create",
// "with": […]}; its result, or why there is none, is a line of JSON on stdout. It ends when stdin
// does.

'use strict';

const readline = require('readline');
const connect = require('@jambonz/node-client');

const { url, account, token } = JSON.parse(process.argv[2]);
const client = connect(account, token, { baseUrl: url });

const tell = (event, more) => process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);

// One after the other, in the order in which they were asked for.
let last = Promise.resolve();

const ask = async({ of: entity, do: operation, with: values }) => {
  try {
    const result = await client[entity][operation](...values);
    tell('result', { of: entity, do: operation, result: result === undefined ? null : result });
  } catch (error) {
    const status = error.statusCode || null;
    tell('result', { of: entity, do: operation, status, error: error.message });
  }
};

readline.createInterface({ input: process.stdin })
  .on('line', (line) => {
    last = last.then(() => ask(JSON.parse(line)));
  })
  .on('close', () => last.then(() => process.exit(0)));

tell('ready', {});
