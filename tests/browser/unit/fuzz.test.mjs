/**
 * The page's parsers on bytes that no hub would send: each returns or throws Malformed, and nothing
 * else. Reproducible by its seed: FUZZ_SEED=n FUZZ_RUNS=n node --test fuzz.test.mjs
 */
import './setup.mjs';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Malformed, fromBase64url, toBase64url } from '../../../web/ui/bytes.js';
import { parseHeader } from '../../../web/ui/sframe.js';
import * as wire from '../../../web/ui/wire.js';

const SEED = Number(process.env.FUZZ_SEED ?? 1);
const RUNS = Number(process.env.FUZZ_RUNS ?? 3000);
const LONGEST = 300;

/** Numbers that look like chance and come again with the seed (mulberry32). */
class Chance {
	#state;

	constructor(seed) {
		this.#state = seed >>> 0;
	}

	below(limit) {
		this.#state = (this.#state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) % limit;
	}

	bytes(size) {
		return Uint8Array.from({ length: size }, () => this.below(256));
	}
}

/** Any bytes, or those of a good message with some changed, cut or added. */
function input(chance, good) {
	if (chance.below(4) === 0) {
		return chance.bytes(chance.below(LONGEST));
	}
	const size = chance.below(3) > 0 ? good.length
		: Math.max(0, good.length + chance.below(9) - 4);
	const bytes = new Uint8Array(size);
	bytes.set(good.subarray(0, size));
	for (let n = chance.below(4); n > 0 && size > 0; n--) {
		bytes[chance.below(size)] = chance.below(256);
	}
	return bytes;
}

/** A message that each parser takes. */
const GOOD = {
	parseChallenge: [0x10, 1, 1, ...Array(113).fill(7)],
	parseSigned: [0x20, ...Array(16 + 4).fill(7), 1, ...Array(90).fill(7)],
	parseWelcome: [...Array(80).fill(7), 1, 3, 65, 66, 67, 0, 2],
	parseCamera: [...Array(16).fill(7), 1, 1, 2, ...Array(16 + 65 + 8).fill(7), 3, 65, 66, 67],
	parseCameraGone: [...Array(16).fill(7), 1],
	parseKey: [0, 1, ...Array(16 + 16 + 4).fill(7), 1, ...Array(65 + 56).fill(7)],
	parseEnded: [0, 3, ...Array(16).fill(7), 4],
	parseFrameHeader: [...Array(26).fill(7), 0, 0, 0, ...Array(5).fill(7)],
	parseChunk: [1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 99, ...Array(90).fill(7)],
	parseAbort: [2, 0, 0, 3, 0, 0, 0, 9],
};

/** Calls it; what it returned, or null when it refused. */
function tryIt(parse, bytes) {
	try {
		return parse(bytes);
	} catch (error) {
		assert.ok(error instanceof Malformed, `${error.stack} at ${Buffer.from(bytes).toString('hex')}`);
		return null;
	}
}

for (const [name, good] of Object.entries(GOOD)) {
	test(`${name} takes or refuses any bytes (seed ${SEED})`, () => {
		const chance = new Chance(SEED);
		let taken = 0;
		assert.ok(tryIt(wire[name], Uint8Array.from(good)), 'the good message itself');
		for (let run = 0; run < RUNS; run++) {
			taken += tryIt(wire[name], input(chance, Uint8Array.from(good))) ? 1 : 0;
		}
		assert.ok(taken > 0 && taken < RUNS, `${taken} of ${RUNS} taken`);
	});
}

test(`a wrapped key is of the length that its purpose says (seed ${SEED})`, () => {
	const chance = new Chance(SEED);
	for (let run = 0; run < RUNS; run++) {
		const purpose = chance.below(6);
		const bytes = chance.bytes(chance.below(64));
		const size = purpose === wire.Purpose.WATCH || purpose === wire.Purpose.TIME ? 40 : 16;
		const parsed = tryIt((data) => wire.parseWrapped(purpose, data), bytes);
		assert.ok(parsed === null || bytes.length === size);
	}
});

/** One of the two numbers of an SFrame header, in its shortest form. */
function shortest(value) {
	if (value < 8n) {
		return { bits: Number(value), bytes: [] };
	}
	const bytes = [];
	for (let rest = value; rest > 0n; rest >>= 8n) {
		bytes.unshift(Number(rest & 0xffn));
	}
	return { bits: 8 | (bytes.length - 1), bytes };
}

test(`an SFrame header that is taken is the only one of its numbers (seed ${SEED})`, () => {
	const chance = new Chance(SEED);
	let taken = 0;
	for (let run = 0; run < RUNS; run++) {
		const parsed = tryIt(parseHeader, chance.bytes(chance.below(24)));
		if (parsed) {
			const [kid, ctr] = [shortest(parsed.kid), shortest(parsed.ctr)];
			assert.deepEqual([...parsed.header],
				[(kid.bits << 4) | ctr.bits, ...kid.bytes, ...ctr.bytes]);
			taken++;
		}
	}
	assert.ok(taken > 0 && taken < RUNS);
});

test(`a link that is taken has one spelling (seed ${SEED})`, () => {
	const chance = new Chance(SEED);
	const good = toBase64url(Uint8Array.from([1, ...Array(56).fill(7)]));
	for (let run = 0; run < RUNS; run++) {
		const text = String.fromCharCode(...input(chance, Uint8Array.from(good, (c) => c.charCodeAt(0))));
		if (tryIt(() => wire.parseLink(text), new Uint8Array())) {
			assert.equal(toBase64url(fromBase64url(text)), text);
		}
	}
});
