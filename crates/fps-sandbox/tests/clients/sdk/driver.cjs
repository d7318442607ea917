// Amazon's own SDK against the sandbox, over the sandbox's own TLS: what a shop does with it must work.
// The control API arranges the charges; everything else goes through the SDK, as it is published.
//
// node driver.cjs SANDBOX_JSON
'use strict';

const assert = require('node:assert/strict');
const { randomUUID } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { WebStoreClient } = require('@amazonpay/amazon-pay-api-sdk-nodejs');

const sandbox = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const [merchant] = sandbox.merchants;
const privateKey = readFileSync(merchant.private_key_file, 'utf8');

function clientWith(algorithm) {
  return new WebStoreClient({
    publicKeyId: merchant.public_key_id,
    privateKey,
    region: 'us',
    algorithm,
    overrideServiceUrl: new URL(sandbox.url).host,
  });
}

const client = clientWith('AMZN-PAY-RSASSA-PSS-V2');

async function control(method, path, body) {
  const answer = await fetch(`${sandbox.control}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

async function charge(state = 'completed') {
  const amount = { amount: '100.00', currencyCode: 'USD' };
  const made = await control('POST', '/payments', { service: 'amazon-pay', amount, state });
  return made.id;
}

const price = (amount, currencyCode = 'USD') => ({ amount, currencyCode });
const keyed = (key) => ({ 'x-amz-pay-idempotency-key': key ?? randomUUID().replace(/-/g, '') });

// What the SDK throws for an answer that is no success.
async function refused(call, status, reasonCode) {
  const answer = await call.then(
    (success) => assert.fail(`not refused: ${success.status}`),
    (error) => error.response ?? Promise.reject(error),
  );
  assert.deepEqual([answer.status, answer.data.reasonCode], [status, reasonCode]);
  assert.equal(typeof answer.data.message, 'string');
}

// The clock of the sandbox is moved on, so that nothing is waited for.
async function ended(refundId) {
  await control('POST', '/clock', { advance: '1h' });
  for (let tries = 0; tries < 200; tries += 1) {
    const { data, status } = await client.getRefund(refundId);
    assert.equal(status, 200);
    if (data.statusDetails.state !== 'RefundInitiated') return data;
  }
  return assert.fail(`${refundId} does not end`);
}

const steps = {
  async 'create refund, and read it to its end'() {
    const chargeId = await charge();
    const { data, status, headers } = await client.createRefund(
      { chargeId, refundAmount: price('14.00'), softDescriptor: 'Back' },
      keyed(),
    );
    assert.equal(status, 201);
    assert.ok(headers['x-amz-pay-request-id']);
    assert.equal(data.chargeId, chargeId);
    assert.deepEqual(data.refundAmount, price('14.00'));
    assert.equal(data.softDescriptor, 'Back');
    assert.equal(data.statusDetails.state, 'RefundInitiated');
    for (const name of ['refundId', 'creationTimestamp', 'releaseEnvironment']) assert.ok(data[name], name);
    const end = await ended(data.refundId);
    assert.equal(end.statusDetails.state, 'Refunded');
    const { data: seen } = await client.getCharge(chargeId);
    assert.deepEqual(seen.refundedAmount, price('14.00'));
  },

  async 'both algorithms, and one key for a repeated request'() {
    const payload = { chargeId: await charge(), refundAmount: price('5.00') };
    const headers = keyed();
    const first = await client.createRefund(payload, headers);
    const again = await clientWith('AMZN-PAY-RSASSA-PSS').createRefund(payload, headers);
    assert.deepEqual([again.status, again.data], [201, first.data]);
    const { data } = await client.getCharge(payload.chargeId);
    assert.deepEqual(data.refundedAmount, price('5.00'));
  },

  async 'another request under the same key'() {
    const payload = { chargeId: await charge(), refundAmount: price('5.00') };
    const headers = keyed();
    await client.createRefund(payload, headers);
    const other = { ...payload, refundAmount: price('6.00') };
    await refused(client.createRefund(other, headers), 400, 'DuplicateIdempotencyKey');
  },

  async 'more than is left, and another currency'() {
    const chargeId = await charge();
    const over = { chargeId, refundAmount: price('115.01') };
    await refused(client.createRefund(over, keyed()), 400, 'TransactionAmountExceeded');
    const euros = { chargeId, refundAmount: price('1.00', 'EUR') };
    await refused(client.createRefund(euros, keyed()), 400, 'CurrencyMismatch');
    const all = { chargeId, refundAmount: price('115.00') };
    assert.equal((await client.createRefund(all, keyed())).status, 201);
  },

  async 'a refund that is declined'() {
    const chargeId = await charge();
    await control('PUT', `/outcomes/payments/${chargeId}`, { reason: 'AmazonRejected' });
    const { data } = await client.createRefund({ chargeId, refundAmount: price('1.00') }, keyed());
    const end = await ended(data.refundId);
    assert.equal(end.statusDetails.state, 'Declined');
    assert.equal(end.statusDetails.reasonCode, 'AmazonRejected');
  },

  async 'capture, and no refund before it'() {
    const chargeId = await charge('reserved');
    const refund = { chargeId, refundAmount: price('1.00') };
    await refused(client.createRefund(refund, keyed()), 422, 'InvalidChargeStatus');
    const { data, status } = await client.captureCharge(
      chargeId,
      { captureAmount: price('60.00'), softDescriptor: 'Shop' },
      keyed(),
    );
    assert.equal(status, 200);
    assert.equal(data.statusDetails.state, 'Captured');
    assert.deepEqual(data.captureAmount, price('60.00'));
    assert.equal((await client.createRefund(refund, keyed())).status, 201);
  },

  async 'cancel, which is final'() {
    const chargeId = await charge('reserved');
    const { data, status } = await client.cancelCharge(chargeId, { cancellationReason: 'Sold out' });
    assert.equal(status, 200);
    assert.equal(data.statusDetails.state, 'Canceled');
    const capture = client.captureCharge(chargeId, { captureAmount: price('1.00') }, keyed());
    await refused(capture, 422, 'InvalidChargeStatus');
  },

  async 'what is not there, and a key that is not known'() {
    await refused(client.getRefund('S01-0000000-0000000-R000000'), 404, 'ResourceNotFound');
    const stranger = new WebStoreClient({
      publicKeyId: 'SANDBOX-AAAAAAAAAAAAAAAAAAAAAAAA',
      privateKey,
      region: 'us',
      algorithm: 'AMZN-PAY-RSASSA-PSS-V2',
      overrideServiceUrl: new URL(sandbox.url).host,
    });
    const charged = stranger.getCharge('S01-0000000-0000000-C000000');
    await refused(charged, 403, 'InvalidAuthentication');
  },
};

async function main() {
  for (const [name, step] of Object.entries(steps)) {
    await step();
    console.log(`ok   ${name}`);
  }
  const verified = await control('GET', '/verify');
  assert.ok(verified, 'the books balance');
  console.log(`${Object.keys(steps).length} steps of the npm SDK`);
}

main().catch((error) => {
  console.error(error.stack ?? error);
  process.exit(1);
});
