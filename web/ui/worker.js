/**
 * The worker: everything that must go on whatever the page does. It holds the keys, the socket,
 * the pictures and the timer that blanks them; the page gives it canvases and shows its words.
 */
import { Display } from './display.js';
import { KeyStore } from './keys.js';
import { PULSE_MS } from './pulse.js';

const TICK_MS = 50;

/** @type {any} the types of a page are checked against; this is a worker */
const scope = self;
const { location } = scope;

/** @param {object} message */
const post = (message) => scope.postMessage(message);

const world = {
	WebSocket: scope.WebSocket,
	setTimeout: scope.setTimeout.bind(scope),
	clearTimeout: scope.clearTimeout.bind(scope),
	now: () => performance.now(),
	wall: () => Date.now(),
	random: () => Math.random(),
	decode: (/** @type {Blob} */ blob) => scope.createImageBitmap(blob),
	async reachable() {
		try {
			return (await scope.fetch('icon.svg', { cache: 'no-store' })).ok;
		} catch {
			return false;
		}
	},
};

async function start() {
	const store = await KeyStore.open(scope.indexedDB);
	const display = new Display({
		store, world, post, origin: location.origin, url: `wss://${location.host}/socket`,
	});
	scope.setInterval(() => display.watch.tick(), TICK_MS);
	scope.setInterval(() => post({ type: 'alive' }), PULSE_MS);
	return display;
}

const ready = start();

/** @type {Record<string, (display: Display, message: any) => void | Promise<void>>} */
const HANDLERS = {
	start: (display, { connect }) => display.start(connect),
	connect: (display) => display.connect(),
	pair: (display, { link, name }) => display.pair(link, name),
	canvas: (display, { id, canvas, scale }) => display.watch.attach(id, canvas, scale),
	resize: (display, { id, width, height, scale }) => {
		display.watch.resize(id, width, height, scale);
	},
	visible: (display, { visible }) => display.watch.visible(visible),
	share: (display, { camera, displays }) => display.asks.share(camera, displays),
	decide: (display, { camera, decision }) => display.asks.decide(camera, decision),
	preview: (display, { camera, on }) => display.asks.preview(camera, on),
	goodbye: (display) => display.goodbye(),
};

scope.onmessage = async (/** @type {MessageEvent} */ { data }) => {
	try {
		await HANDLERS[data.type](await ready, data);
	} catch (error) {
		console.error(error);
		const storage = error instanceof DOMException;
		post({
			type: 'status', status: storage ? 'no-storage' : 'broken', detail: String(error),
		});
	}
};
