/** The page's cameras and viewings, without a hub: what is said when. */
import './setup.mjs';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Watch } from '../../../web/ui/watch.js';
import { End, Say } from '../../../web/ui/wire.js';

const READY = {
	id: new Uint8Array(16).fill(1), generation: new Uint8Array(16).fill(2), ready: true,
	kemPublic: new Uint8Array(65), intervalUs: 40_000, largest: 65_536, name: 'Door',
};

/** A page that was told of one camera and asked to watch it; the hub has not answered. */
function asked() {
	const said = [];
	const watch = new Watch({ now: () => 1000, wall: () => 1000 },
		{ appeared() {}, vanished() {}, said() {}, watching() {} }, () => {});
	const connection = { home: new Uint8Array(16), session: new Uint8Array(16), identity: {},
		say: (kind, body) => said.push({ kind, stream: body[0] << 8 | body[1] }), send() {} };
	watch.camera(READY);
	watch.opened(connection);
	assert.deepEqual(said, [{ kind: Say.WATCH, stream: 1 }]);
	return { watch, said };
}

/* The hub said no ENDED, so the WATCH is on its way to whatever the camera is by then. */
test('a stream that the hub did not end is unwatched when its camera changes', () => {
	const { watch, said } = asked();
	watch.camera({ ...READY, generation: new Uint8Array(16).fill(3) });
	assert.deepEqual(said[1], { kind: Say.UNWATCH, stream: 1 });
	watch.tick();
	assert.deepEqual(said[2], { kind: Say.WATCH, stream: 2 });
});

test('a stream that the hub did not end is unwatched when its camera goes', () => {
	const { watch, said } = asked();
	watch.gone({ id: READY.id, reason: End.NOT_SHARED });
	assert.deepEqual(said[1], { kind: Say.UNWATCH, stream: 1 });
});

test('a stream that the hub ended is not unwatched', () => {
	const { watch, said } = asked();
	watch.ended({ stream: 1, camera: READY.id, reason: End.NOT_SHARED });
	watch.gone({ id: READY.id, reason: End.NOT_SHARED });
	assert.equal(said.length, 1);
});
