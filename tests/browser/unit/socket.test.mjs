import './setup.mjs';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Socket } from '../../../web/ui/socket.js';

/** Time and a network that do nothing by themselves. */
function makeWorld() {
	const world = {
		time: 0, sockets: [], timers: [],
		now: () => world.time,
		random: () => 1,
		setTimeout: (callback, ms) => {
			const timer = { callback, at: world.time + ms };
			world.timers.push(timer);
			return timer;
		},
		clearTimeout: (timer) => {
			world.timers = world.timers.filter((other) => other !== timer);
		},
		/** Runs the next timer. @returns {number} how long it took */
		step: () => {
			world.timers.sort((a, b) => a.at - b.at);
			const timer = world.timers.shift();
			const waited = timer.at - world.time;
			world.time = timer.at;
			timer.callback();
			return waited;
		},
		WebSocket: class {
			readyState = 0;
			sent = [];

			constructor(url, protocol) {
				Object.assign(this, { url, protocol });
				world.sockets.push(this);
			}

			send(data) {
				this.sent.push(data);
			}

			close() {
				this.closed = true;
			}

			open() {
				this.readyState = 1;
				this.onopen();
			}

			lose(code = 1006) {
				this.readyState = 3;
				this.onclose({ code });
			}
		},
	};
	return world;
}

function makeSocket(world, again = true) {
	const log = [];
	const socket = new Socket('wss://hub/socket', world, {
		opened: () => log.push('opened'),
		received: (data) => log.push(data),
		lost: (loss) => {
			log.push(loss);
			return again;
		},
	});
	socket.start();
	return { socket, log };
}

test('it comes back, later each time, at most every five seconds', () => {
	const world = makeWorld();
	makeSocket(world);
	const waits = [];
	for (let i = 0; i < 8; i++) {
		world.sockets.at(-1).lose();
		waits.push(world.step());
	}
	assert.deepEqual(waits, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
});

test('a connection that held starts the waits anew, one that was thrown out does not', () => {
	const world = makeWorld();
	makeSocket(world);
	for (const [held, wait] of [[0, 100], [10, 200], [4999, 400], [5000, 100]]) {
		world.sockets.at(-1).open();
		world.time += held;
		world.sockets.at(-1).lose();
		assert.equal(world.step(), wait);
	}
});

test('a refusal is asked about seldom', () => {
	const world = makeWorld();
	const { socket } = makeSocket(world);
	socket.slowDown();
	let wait = 0;
	for (let i = 0; i < 12; i++) {
		world.sockets.at(-1).open();
		world.sockets.at(-1).lose(4000);
		wait = world.step();
	}
	assert.equal(wait, 30_000);
});

test('an opening that hangs is given up after ten seconds', () => {
	const world = makeWorld();
	const { log } = makeSocket(world);
	assert.equal(world.step(), 10_000);
	assert.ok(world.sockets[0].closed);
	assert.deepEqual(log, [{ code: 1006, everOpened: false }]);
});

test('a stopped socket, and one that was dropped, say nothing more', () => {
	const world = makeWorld();
	const { socket, log } = makeSocket(world);
	const [first] = world.sockets;
	first.open();
	socket.drop();
	first.onmessage({ data: new ArrayBuffer(1) });
	first.lose();
	assert.deepEqual(log, ['opened', { code: 1006, everOpened: true }]);
	world.step();
	socket.stop();
	world.sockets[1].open();
	world.sockets[1].lose();
	assert.equal(log.length, 2);
	socket.send(new Uint8Array(1));
	assert.equal(world.timers.length, 0);
});

test('it asks for our subprotocol and for binary messages, and takes no text', () => {
	const world = makeWorld();
	const { log } = makeSocket(world);
	const [socket] = world.sockets;
	assert.equal(socket.protocol, 'camgate.v1');
	assert.equal(socket.binaryType, 'arraybuffer');
	socket.open();
	socket.onmessage({ data: 'text' });
	assert.deepEqual(log[1], new Uint8Array(0));
});
