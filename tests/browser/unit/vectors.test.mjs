import './setup.mjs';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as hpke from '../../../web/ui/hpke.js';
import * as sframe from '../../../web/ui/sframe.js';
import { hpkeSealAuth, sframeHeader, sframeSeal } from '../hub_crypto.mjs';
import { HPKE, SFRAME, checkHpke, checkSframe } from '../vectors.mjs';

test('sframe opens what RFC 9605 sealed', async () => {
	assert.ok(await checkSframe(sframe, SFRAME) >= 290);
});

test('hpke opens what RFC 9180 sealed', async () => {
	assert.equal(await checkHpke(hpke, HPKE), 4);
});

test('a header that is not in its shortest form is refused', () => {
	for (const long of ['0800', '0807', '8000', '090001', '0900ff', '88070000']) {
		assert.throws(() => sframe.parseHeader(Buffer.from(long, 'hex')), /minimal/, long);
	}
	for (const short of ['', '08', '0f00', '9901']) {
		assert.throws(() => sframe.parseHeader(Buffer.from(short, 'hex')), /short/, short);
	}
});

test('the fake hub seals what the page opens, also with counters that take bytes', async () => {
	const baseKey = Buffer.alloc(16, 9);
	const key = await sframe.SframeKey.derive(300n, baseKey);
	for (const ctr of [0, 7, 8, 255, 256, 2 ** 24]) {
		assert.deepEqual(sframe.parseHeader(sframeHeader(300, ctr)).ctr, BigInt(ctr));
		const sealed = sframeSeal(baseKey, 300, ctr, Buffer.from('m'), Buffer.from('picture'));
		const opened = await key.open(sframe.parseHeader(sealed), Buffer.from('m'));
		assert.equal(Buffer.from(opened).toString(), 'picture');
		await assert.rejects(key.open(sframe.parseHeader(sealed), Buffer.from('n')));
	}
});
