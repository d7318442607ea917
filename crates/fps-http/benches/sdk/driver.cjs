// Creates refunds with the official SDK, so many at once, when it is told to: the other side of
// `main.rs`. It sends nothing of its own and measures nothing.
//
// node driver.cjs PORT KEY_FILE KEY_ID AT_ONCE WARM_UP_CALLS CALLS
'use strict';

const { randomUUID } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { createInterface } = require('node:readline');
const { WebStoreClient } = require('@amazonpay/amazon-pay-api-sdk-nodejs');

const [port, keyFile, publicKeyId, atOnce, warmUpCalls, calls] = process.argv.slice(2);

const client = new WebStoreClient({
  publicKeyId,
  privateKey: readFileSync(keyFile, 'utf8'),
  region: 'us',
  algorithm: 'AMZN-PAY-RSASSA-PSS-V2',
  overrideServiceUrl: `localhost:${port}`,
});

async function refund() {
  const payload = {
    chargeId: 'S01-5105180-3221187-C056351',
    refundAmount: { amount: '14.00', currencyCode: 'USD' },
  };
  const headers = { 'x-amz-pay-idempotency-key': randomUUID().replace(/-/g, '') };
  const answer = await client.createRefund(payload, headers);
  if (answer.status !== 201 || answer.data.refundId === undefined) {
    throw new Error(`not a refund: ${answer.status}`);
  }
}

async function all(count) {
  let left = count;
  const one = async () => {
    while (left > 0) {
      left -= 1;
      await refund();
    }
  };
  await Promise.all(Array.from({ length: Number(atOnce) }, one));
}

async function main() {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  await all(Number(warmUpCalls));
  console.log('ready');
  await lines.next();
  await all(Number(calls));
  console.log('done');
  await lines.next();
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error.message);
    process.exit(1);
  },
);
