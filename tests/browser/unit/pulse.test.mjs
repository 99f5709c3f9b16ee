import './setup.mjs';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pulse } from '../../../web/ui/pulse.js';

/** @param {Pulse} pulse @param {number} count */
const turns = (pulse, count) => Array.from({ length: count }, () => pulse.turn()).at(-1);

test('a worker that never spoke is still starting', () => {
	assert.ok(turns(new Pulse(), 100));
});

test('a worker that falls silent for a second is not believed, until it has run again', () => {
	const pulse = new Pulse();
	pulse.beat();
	assert.ok(turns(pulse, 4));
	assert.ok(!turns(pulse, 1));
	assert.ok(!turns(pulse, 20));
	pulse.beat();
	assert.ok(!turns(pulse, 1), 'what it shows may be from before');
	pulse.beat();
	assert.ok(turns(pulse, 1));
});

test('a page that was held up itself blames nobody', () => {
	const pulse = new Pulse();
	pulse.beat();
	assert.ok(turns(pulse, 3));
	/* Four seconds in which neither ran: one turn is due, then all that the worker said. */
	assert.ok(turns(pulse, 1));
	pulse.beat();
	pulse.beat();
	assert.ok(turns(pulse, 1));
});
