import './setup.mjs';
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { until } from '../until.mjs';
import { FakeHub } from '../fake_hub.mjs';
import { linkText, makeDisplay } from './node_display.mjs';

const open = [];

afterEach(() => {
	for (const thing of open.splice(0).reverse()) {
		(thing.close ?? thing.stop).call(thing);
	}
});

const SMALL = { width: 128, height: 64 };

function startHub(cameras = [{ name: 'Door', tag: 1, ...SMALL }]) {
	const hub = new FakeHub({ cameras });
	open.push(hub);
	return hub;
}

function startDisplay(hub, options) {
	const display = makeDisplay(hub, options);
	open.push(display);
	return display;
}

/** A hub, and a display that is paired with it and live. */
async function live(options, cameras) {
	const hub = startHub(cameras);
	const display = startDisplay(hub, options);
	await display.display.pair(linkText(hub.link()), 'Node');
	await until('live', () => display.words().includes('LIVE'));
	return { hub, ...display, all: display };
}

test('a link pairs, and the next start logs in', async () => {
	const { hub, store, posts, close } = await live();
	assert.equal(posts.find(({ type }) => type === 'welcome').owner, true);
	assert.equal(store.kept.size, 1);
	close();
	const again = startDisplay(hub, { store });
	await again.display.start(true);
	await until('live again', () => again.words().includes('LIVE'));
	assert.equal(hub.displays.size, 1);
});

test('nothing paired says so and does not connect', async () => {
	const hub = startHub();
	const { display, status } = startDisplay(hub);
	await display.start(true);
	assert.equal(status(), 'unpaired');
	assert.equal(hub.connections.size, 0);
});

test('a spent link is refused, and leaves no pairing behind', async () => {
	const hub = startHub();
	const link = linkText(hub.link());
	const first = startDisplay(hub);
	await first.display.pair(link, 'First');
	await until('live', () => first.words().includes('LIVE'));
	const second = startDisplay(hub);
	await second.display.pair(link, 'Second');
	await until('refused', () => second.status() === 'link-refused');
	assert.equal(second.store.kept.size, 0);
});

test('a welcome that was lost on the way is fetched by logging in', async () => {
	const hub = startHub();
	const welcome = hub.faults.loseWelcome = { times: 1 };
	const { display, words, store } = startDisplay(hub);
	await display.pair(linkText(hub.link()), 'Node');
	await until('live', () => words().includes('LIVE'));
	assert.equal(welcome.times, 0);
	assert.ok(store.kept.has('paired'));
});

test('a hub with another identity gets nothing, and is not asked again', async () => {
	const { hub, store, close } = await live();
	close();
	const other = startHub();
	const { display, status } = startDisplay(other, { store });
	await display.start(true);
	await until('refused loudly', () => status() === 'wrong-hub');
	assert.deepEqual(other.log, []);
	assert.ok(hub.displays.size === 1 && other.displays.size === 0);
});

test('a removed display is dark at once, and says why', async () => {
	const { hub, words, images, status } = await live();
	hub.revokeAll();
	await until('dark', () => images().every((image) => !image));
	assert.doesNotMatch(words(), /LIVE|NO PICTURE/);
	await until('refused', () => status() === 'refused');
});

test('a camera that is taken away is not shared, the other stays live', async () => {
	const cameras = [{ name: 'Door', tag: 1, ...SMALL }, { name: 'Door 2', tag: 2, ...SMALL }];
	const { hub, words } = await live({}, cameras);
	await until('both', () => /LIVE Door \| .*LIVE Door 2/.test(words()));
	hub.unshare(hub.cameras[0]);
	await until('not shared', () => words().startsWith('Door NOT SHARED'));
	await until('the other is live', () => /LIVE Door 2/.test(words()));
	assert.equal(hub.log.filter(({ what }) => what === 'watch').length, 2);
});

test('a camera that was taken away while we were not there is not shared', async () => {
	const { hub, words } = await live();
	hub.displays.forEach((display) => display.cameras.clear());
	hub.connections.forEach((connection) => connection.cut());
	await until('not shared', () => words().includes('NOT SHARED'));
});

test('a lost connection is marked at once and comes back', async () => {
	const { hub, words, images } = await live();
	hub.connections.forEach((connection) => connection.cut());
	await until('marked', () => words().includes('RECONNECTING'));
	assert.deepEqual(images(), [false]);
	await until('live again', () => words().includes('LIVE'));
});

test('silence ages the picture in words, then takes it away', async () => {
	const { hub, words, images } = await live();
	hub.faults.mute = true;
	await until('ago', () => words().includes('2 s ago'));
	await until('blank', () => words().includes('NO PICTURE'));
	assert.deepEqual(images(), [false]);
	hub.faults.mute = false;
	await until('live again', () => words().includes('LIVE'));
});

test('one broken frame is refused, reported once, shown, and over with the next key', async () => {
	const { hub, words } = await live();
	hub.faults.corrupt = 1;
	await until('counted', () => words().includes('1 refused') && words().includes('LIVE'));
	const reports = hub.log.filter(({ what }) => what === 'report');
	assert.deepEqual(reports.map(({ reason }) => reason), [4]);
	assert.equal(hub.cameras[0].epoch, 2);
	assert.equal(hub.acks.filter(({ outcome }) => outcome === 'refused').length, 1);
	assert.equal(hub.connections.size, 1);
});

test('every frame is answered, so that credits never run out', async () => {
	const { hub } = await live();
	const answered = () => hub.acks.length;
	hub.faults.oldMs = 60_000;
	await until('late ones', () => hub.acks.filter(({ outcome }) => outcome === 'late').length > 5);
	hub.faults.oldMs = 0;
	const before = answered();
	await until('drawn again', () => answered() > before + 5
		&& hub.acks.at(-1).outcome === 'drawn');
});

test('a hidden page shows nothing, says so, and lets the camera go', async () => {
	const { hub, display, images } = await live();
	display.watch.visible(false);
	assert.deepEqual(images(), [false]);
	await until('hidden', () => hub.acks.at(-1).outcome === 'hidden');
	await until('unwatched', () => hub.log.at(-1).what === 'unwatch');
	display.watch.visible(true);
	await until('live again', () => images()[0]);
});

test('after a sleep nothing old is shown, and the time is asked for first', async () => {
	const skew = { ms: 0, wallMs: 0 };
	const { hub, images, display, words } = await live({ skew });
	const { times } = hub;
	skew.wallMs = 3_600_000;
	display.watch.tick();
	assert.deepEqual(images(), [false]);
	await until('asked', () => hub.times > times);
	await until('live again', () => words().includes('LIVE'));
});

/* Its promise is kept before any timer runs, and where the clock stood still nothing else tells. */
test('a picture that was decoded while we slept is not painted', async () => {
	const skew = { ms: 0, wallMs: 0 };
	let slept = null;
	let sleepy = false;
	const decoded = (image) => {
		if (sleepy) {
			sleepy = false;
			skew.wallMs += 3_600_000;
			slept = Object.assign(image, { painted: false, closed: false });
			slept.close = () => {
				slept.closed = true;
			};
		}
		return image;
	};
	const { words } = await live({ skew, decoded });
	sleepy = true;
	await until('woken up', () => slept?.closed);
	assert.equal(slept.painted, false);
	await until('live again', () => words().includes('LIVE'));
});

test('what is painted anew after a sleep is no picture', async () => {
	const skew = { ms: 0, wallMs: 0 };
	const { hub, images, display, words } = await live({ skew });
	const id = hub.cameras[0].id.toString('hex');
	skew.wallMs = 3_600_000;
	display.watch.resize(id, 320, 192, 1);
	assert.deepEqual(images(), [false]);
	await until('live again', () => words().includes('LIVE'));
});

test('a key that comes slowly tells no time: it is asked for again', async () => {
	const hub = startHub();
	hub.faults.keyDelayMs = 1200;
	const { display, words } = startDisplay(hub);
	await display.pair(linkText(hub.link()), 'Node');
	await until('asked again', () => hub.times > 0);
	assert.ok(!words().includes('LIVE'));
	hub.faults.keyDelayMs = 0;
	await until('live', () => words().includes('LIVE'));
});

test('a new generation is watched anew, a camera offline says so', async () => {
	const { hub, words, images } = await live();
	const [camera] = hub.cameras;
	camera.ready = false;
	hub.changed(camera);
	await until('offline', () => words().includes('OFFLINE'));
	assert.deepEqual(images(), [false]);
	camera.start();
	hub.changed(camera);
	await until('live again', () => words().includes('LIVE'));
});

test('a scheduled rotation is acknowledged and loses no frame', async () => {
	const { hub, words } = await live();
	const [camera] = hub.cameras;
	hub.announce(camera);
	await until('acknowledged', () => hub.log.some(({ what }) => what === 'key-ack'));
	camera.switch();
	const before = hub.acks.length;
	await until('more frames', () => hub.acks.length > before + 3);
	assert.ok(hub.acks.every(({ outcome }) => outcome !== 'refused'));
	await until('still live', () => words().includes('LIVE'));
});

test('names, frozen and test pictures are written with the picture', async () => {
	const { hub, words } = await live({}, [{ name: 'Door', tag: 1, test: true, ...SMALL }]);
	assert.match(words(), /LIVE TEST PICTURE Door/);
	hub.cameras[0].flags |= 1;
	await until('frozen', () => words().includes('FROZEN'));
	assert.ok(!words().includes('LIVE'));
});

test('a message that the hub did not sign ends the session and clears the screen', async () => {
	for (const fault of ['badSignature', 'repeatCounter', 'foreignSession']) {
		const { hub, posts, words, images, close } = await live();
		hub.faults[fault] = true;
		hub.changed(hub.cameras[0]);
		await until('fault', () => posts.some(({ status }) => status === 'fault'));
		assert.ok(!images()[0] || /LIVE| s ago/.test(words()), fault);
		await until('live again', () => words().includes('LIVE'));
		close();
	}
});

test('a welcome of another login is none', async () => {
	const { hub, store, close } = await live();
	close();
	hub.faults.foreignTranscript = true;
	const { display, posts, words } = startDisplay(hub, { store });
	await display.start(true);
	await until('fault', () => posts.some(({ status }) => status === 'fault'));
	await until('live at the next try', () => words().includes('LIVE'));
});

test('a key for another display opens nothing, is reported, and replaced', async () => {
	const hub = startHub();
	hub.faults.foreignKey = true;
	const { display, words } = startDisplay(hub);
	await display.pair(linkText(hub.link()), 'Node');
	await until('live with the next key', () => words().includes('LIVE'));
	const reports = hub.log.filter(({ what }) => what === 'report');
	assert.deepEqual(reports.map(({ reason }) => reason), [5]);
});

test('frames on another camera\'s stream are never drawn there', async () => {
	const cameras = [{ name: 'Door', tag: 1, ...SMALL },
		{ name: 'Garden', tag: 2, width: 192, height: 64 }];
	const { hub, words, shapes } = await live({}, cameras);
	await until('both', () => /LIVE Door \| .*LIVE Garden/.test(words()));
	hub.faults.crossed = true;
	await until('reported', () => hub.log.some(({ what, reason }) =>
		what === 'report' && reason === 1));
	const drawn = new Set();
	const end = Date.now() + 500;
	await until('a while of crossed frames', () => {
		drawn.add(shapes());
		return Date.now() > end;
	});
	for (const shape of drawn) {
		assert.match(shape, /^(-|128x64) (-|192x64)$/);
	}
	hub.faults.crossed = false;
	await until('both again', () => /LIVE.* Door \| .*LIVE.* Garden/.test(words()));
});

test('watching pulses four times a second', async () => {
	const { hub } = await live();
	const before = hub.pulses;
	const since = Date.now();
	await until('four pulses', () => hub.pulses - before >= 4);
	const ms = Date.now() - since;
	// The first of them may come at once; a busy machine may make them late, never early.
	assert.ok(ms >= 650, `${ms} ms`);
});

test('goodbye attests what was seen', async () => {
	const { hub, display } = await live();
	const answered = (what) => hub.acks.filter(({ outcome }) => outcome === what).length;
	await until('some frames', () => answered('drawn') > 4);
	display.goodbye();
	await until('unwatch', () => hub.log.at(-1).what === 'unwatch');
	const { received, drawn } = hub.log.at(-1);
	assert.equal(drawn, answered('drawn'));
	assert.ok(received >= hub.acks.length, 'one may be on its way to the screen');
});

test('a camera with a fault says so on its tile, and is live at once when it delivers', async () => {
	const { hub, words } = await live();
	const [camera] = hub.cameras;
	camera.failing = true;
	hub.faults.mute = true;
	hub.changed(camera);
	await until('the fault is told', () => words().includes('CAMERA FAULT'));
	hub.faults.mute = false;
	camera.failing = false;
	hub.changed(camera);
	await until('live again', () => words().includes('LIVE'));
});

test('a tile that was taken away says so for a while, and longer if nobody could read it', async () => {
	const skew = { ms: 0, wallMs: 0 };
	const { hub, words, display, posts } = await live({ skew });
	hub.unshare(hub.cameras[0]);
	/* The stream's end says so too, before CAMERA_GONE: what the hub says last was heard. */
	hub.plugIn({ name: 'Next', tag: 2, ...SMALL });
	await until('all is heard', () => posts.some(({ type }) => type === 'ask'));
	assert.match(words(), /NOT SHARED/);
	display.watch.visible(false);
	skew.ms += 30_000;
	display.watch.tick();
	display.watch.visible(true);
	assert.ok(words().includes('NOT SHARED'), 'nobody could see it');
	skew.ms += 19_000;
	display.watch.tick();
	assert.ok(words().includes('NOT SHARED'));
	skew.ms += 2000;
	display.watch.tick();
	assert.equal(words(), '');
	hub.displays.forEach((to) => to.cameras.add('Door'));
	hub.changed(hub.cameras[0]);
	await until('live in a new place', () => words().includes('LIVE'));
});

test('an owner is asked about a new camera, and its answers are heard', async () => {
	const { hub, posts, display } = await live();
	const told = (type) => posts.filter((post) => post.type === type);
	hub.plugIn({ name: 'New', tag: 2, ...SMALL });
	await until('asked', () => told('ask').length === 1);
	const { camera } = told('ask')[0];
	assert.equal(camera.name, 'New');
	assert.deepEqual(told('screen').map(({ name, own, paired }) => [name, own, paired]),
		[['Node', true, true]]);
	display.asks.share(camera.id, [told('screen')[0].id]);
	await until('over', () => told('ask-over').some(({ id }) => id === camera.id));
	await until('heard', () => hub.log.some(({ what }) => what === 'share'));
	hub.plugIn({ name: 'Next', tag: 3, ...SMALL });
	await until('asked again', () => told('ask').length === 2);
	assert.equal(told('screen').length, 1, 'the displays are known already');
	display.asks.decide(told('ask')[1].camera.id, 1);
	await until('ignored', () => hub.log.some(({ what }) => what === 'ignore'));
});

test('who is no owner is not asked', async () => {
	const hub = startHub();
	const { display, posts, words } = startDisplay(hub);
	await display.pair(linkText(hub.link({ owner: false })), 'Node');
	await until('live', () => words().includes('LIVE'));
	hub.plugIn({ name: 'New', tag: 2, ...SMALL });
	hub.changed(hub.cameras[0]);
	await until('some more frames', () => hub.acks.length > 6);
	assert.ok(!posts.some(({ type }) => type === 'ask' || type === 'screen'));
});

test('a preview is marked as one, and its tile goes at once when it is over', async () => {
	const { hub, posts, display, words } = await live();
	const camera = hub.plugIn({ name: 'New', tag: 2, ...SMALL });
	await until('asked', () => posts.some(({ type }) => type === 'ask'));
	const id = camera.id.toString('hex');
	display.asks.preview(id, true);
	await until('previewed', () => /LIVE PREVIEW New/.test(words()));
	display.asks.preview(id, false);
	await until('gone', () => !words().includes('New'));
	display.asks.preview(id, true);
	await until('previewed again', () => /LIVE PREVIEW New/.test(words()));
	hub.connections.forEach((connection) => connection.cut());
	await until('gone with the connection', () => !words().includes('New')
		&& words().includes('LIVE'));
	assert.deepEqual(posts.filter((post) => post.type === 'previewing' && post.id === id)
		.map(({ on }) => on), [true, false, true]);
});
