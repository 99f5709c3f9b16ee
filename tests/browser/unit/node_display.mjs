/**
 * The page's worker without a browser: the real modules against the fake hub over a websocket that
 * is none, with canvases that only remember what was written on them.
 */
import './setup.mjs';
import { EventEmitter } from 'node:events';
import { Display } from '../../../web/ui/display.js';
import { jpegSize } from '../../../web/ui/jpeg.js';

/** Remembers the words and pictures of the last painting. */
class Context {
	constructor(canvas) {
		this.canvas = canvas;
		this.words = [];
		this.image = null;
	}

	fillRect(x, y, width, height) {
		if (width === this.canvas.width && height === this.canvas.height) {
			this.words = [];
			this.image = null;
		}
	}

	drawImage(image) {
		this.words = [];
		this.image = image;
		image.painted = true;
	}

	fillText(text) {
		this.words.push(text);
	}

	measureText(text) {
		return { width: text.length };
	}

	beginPath() {}

	arc() {}

	fill() {}
}

/** Both ends of a connection to this hub. Messages arrive in order, a little later. */
function makeWebSocket(hub) {
	return class {
		readyState = 0;
		#hubEnd = new EventEmitter();

		constructor() {
			this.#hubEnd.send = (data) => setImmediate(() => {
				const copy = Uint8Array.from(data);
				this.onmessage?.({ data: copy.buffer });
			});
			this.#hubEnd.close = (code) => setImmediate(() => this.#lost(code));
			this.#hubEnd.terminate = () => this.#lost(1006);
			setImmediate(() => this.#opened());
		}

		#opened() {
			if (hub.stopped) {
				this.#lost(1006);
			} else if (this.readyState === 0) {
				this.readyState = 1;
				this.onopen();
				hub.accept(this.#hubEnd, hub.origin);
			}
		}

		#lost(code) {
			if (this.readyState < 3) {
				this.readyState = 3;
				this.#hubEnd.emit('close');
				this.onclose({ code });
			}
		}

		send(data) {
			const copy = Uint8Array.from(data);
			setImmediate(() => this.#hubEnd.emit('message', copy));
		}

		close() {
			this.readyState = Math.max(this.readyState, 2);
			setImmediate(() => this.#lost(1005));
		}
	};
}

export function makeStore() {
	const kept = new Map();
	return {
		kept,
		load: async (which) => kept.get(which) ?? null,
		savePending: async (pairing) => void kept.set('pending', pairing),
		savePaired: async (pairing) => {
			kept.delete('pending');
			kept.set('paired', pairing);
		},
		dropPending: async () => void kept.delete('pending'),
	};
}

/** @param {import('../fake_hub.mjs').FakeHub} hub @param {object} [options] */
export function makeDisplay(hub, {
	store = makeStore(), skew = { ms: 0, wallMs: 0 }, decoded = (image) => image,
} = {}) {
	const posts = [];
	const contexts = new Map();
	const world = {
		WebSocket: makeWebSocket(hub),
		setTimeout, clearTimeout,
		now: () => performance.now() + skew.ms,
		wall: () => Date.now() + skew.wallMs,
		random: () => Math.random(),
		reachable: async () => true,
		decode: async (blob) => {
			const bytes = new Uint8Array(await blob.arrayBuffer());
			return decoded({ ...jpegSize(bytes), close() {} });
		},
	};
	const display = new Display({
		store, world, origin: hub.origin, url: 'wss://hub.test:8443/socket',
		post: (message) => {
			posts.push(message);
			if (message.type === 'appeared') {
				const canvas = { width: 640, height: 384 };
				const context = new Context(canvas);
				canvas.getContext = () => context;
				contexts.set(message.id, context);
				setImmediate(() => display.watch.attach(message.id, canvas, 1));
			} else if (message.type === 'vanished') {
				contexts.delete(message.id);
			}
		},
	});
	const timer = setInterval(() => display.watch.tick(), 50);
	return {
		display, store, posts,
		/** All that is written on the tiles now. */
		words: () => Array.from(contexts.values(), ({ words }) => words.join(' ')).join(' | '),
		images: () => Array.from(contexts.values(), ({ image }) => image !== null),
		/** The sizes of the pictures on the tiles, which tell cameras apart. */
		shapes: () => Array.from(contexts.values(), ({ image }) =>
			(image === null ? '-' : `${image.width}x${image.height}`)).join(' '),
		status: () => posts.filter(({ type }) => type === 'status').at(-1)?.status,
		close: () => {
			clearInterval(timer);
			display.goodbye();
			display.stop();
		},
	};
}

export const linkText = (link) => link.slice(link.indexOf('=') + 1);
