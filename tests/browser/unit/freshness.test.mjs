import './setup.mjs';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CameraClock, Freshness, GapWatch, limits } from '../../../web/ui/freshness.js';

test('a picture is live for two seconds, old for three more, and then gone', () => {
	const freshness = new Freshness();
	assert.equal(freshness.look(0).state, 'blank');
	freshness.drawn(1000, 500, false, 66_667);
	assert.equal(freshness.look(1000).state, 'live');
	assert.equal(freshness.look(2500).state, 'live');
	assert.deepEqual(freshness.look(2501), { state: 'ago', seconds: 2 });
	assert.deepEqual(freshness.look(5500), { state: 'ago', seconds: 5 });
	assert.equal(freshness.look(5501).state, 'blank');
	assert.equal(freshness.look(1500).state, 'blank', 'what was gone does not come back');
});

test('a frozen camera is never called live', () => {
	const freshness = new Freshness();
	freshness.drawn(0, 0, true, 66_667);
	assert.equal(freshness.look(100).state, 'frozen');
	assert.equal(freshness.look(2100).state, 'ago');
});

test('the limits of a slow camera scale with its interval', () => {
	assert.deepEqual(limits(1_000_000), { liveMs: 2000, blankMs: 5000 });
	assert.deepEqual(limits(10_000_000), { liveMs: 20_000, blankMs: 50_000 });
});

test('an age is never understated by the way there and back', () => {
	const clock = new CameraClock();
	assert.equal(clock.age(0, 0), null);
	clock.asked('a', 1000);
	/* The camera looked at its clock somewhere between: 50 s. The answer is here 400 ms later. */
	assert.ok(clock.answered('a', 50_000_000, 1400));
	assert.equal(clock.age(50_000_000, 1400), 400);
	assert.equal(clock.age(49_900_000, 1500), 600);
});

test('an answer after more than a second, or to no question, tells no time', () => {
	const clock = new CameraClock();
	clock.asked('a', 0);
	assert.ok(clock.answered('a', 50_000_000, 1001));
	assert.equal(clock.age(50_000_000, 1001), null);
	assert.ok(clock.due(1001), 'asks again at once');
	assert.ok(!clock.answered('a', 50_000_000, 1002), 'each answer counts once');
	assert.ok(!clock.answered('b', 50_000_000, 1002));
});

test('however late and often a question is answered that was asked again, it is no mix-up', () => {
	const clock = new CameraClock();
	const times = 15;
	const answers = [];
	for (let i = 0; i < times; i++) {
		answers.push(clock.asked(`${i}`, 5001 * i));
	}
	for (const nonce of answers) {
		assert.ok(clock.answered(nonce, 50_000_000, 80_000));
		assert.equal(clock.age(50_000_000, 80_000), null);
	}
	assert.ok(!clock.answered(answers[0], 50_000_000, 80_000), 'as often as it was asked');
	const nonce = clock.asked('new', 80_000);
	assert.equal(nonce, 'new');
	assert.ok(clock.answered(nonce, 50_000_000, 80_100));
	assert.equal(clock.age(50_000_000, 80_100), 100);
});

test('the tighter of two answers counts', () => {
	const clock = new CameraClock();
	clock.asked('slow', 0);
	clock.answered('slow', 50_900_000, 900);
	assert.equal(clock.age(50_900_000, 900), 900);
	clock.asked('fast', 1000);
	clock.answered('fast', 51_002_000, 1010);
	assert.equal(clock.age(51_002_000, 1010), 10);
	clock.asked('slow again', 2000);
	clock.answered('slow again', 52_900_000, 2901);
	assert.equal(clock.age(52_901_000, 2901), 2, 'a looser one does not loosen it');
});

test('the time is asked for every minute, and an answer from before a sleep is void', () => {
	const clock = new CameraClock();
	assert.ok(clock.due(0));
	clock.asked('a', 0);
	assert.ok(!clock.due(1));
	clock.answered('a', 50_000_000, 10);
	assert.ok(!clock.due(59_000));
	assert.ok(clock.due(60_010));
	clock.asked('b', 60_010);
	clock.forget();
	assert.ok(clock.answered('b', 110_000_000, 60_020));
	assert.equal(clock.age(110_000_000, 60_020), null);
	assert.ok(clock.due(60_020));
});

test('a gap of more than a second on either clock is a sleep', () => {
	const gap = new GapWatch(0, 0);
	assert.ok(!gap.tick(50, 50));
	assert.ok(!gap.tick(1050, 1050));
	assert.ok(gap.tick(2051, 2051));
	assert.ok(gap.tick(2101, 60_000), 'the monotonic clock may stand still in sleep');
	assert.ok(!gap.tick(2151, 1000), 'a wall clock set back is none');
});
