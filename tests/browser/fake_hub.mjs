/**
 * A hub in Node, written from PROTOCOL.md alone: for working on the page without a hub, for tests
 * that need a hub which misbehaves on purpose, and as a second reading of the protocol.
 * It talks to whatever looks like a websocket of a server; fake_server.mjs puts it on a real one.
 */
import { createPublicKey, generateKeyPairSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { FakeCamera, PURPOSE } from './fake_camera.mjs';
import { hmac, pointToJwk, sha256, signRaw, verifyRaw } from './hub_crypto.mjs';

const PIECE = 16352;
const CREDITS = 2;

export const KIND = { WELCOME: 1, CAMERA: 2, CAMERA_GONE: 3, KEY: 4, ENDED: 5, NEW_CAMERA: 6,
	NEW_CAMERA_GONE: 7, SCREEN: 8 };
export const DECISIONS = [null, 'ignore', 'confirm', 'nobody'];
const NOT_SHARED = 1;
const PREVIEW_OVER = 6;
export const OUTCOMES = [null, 'drawn', 'late', 'hidden', 'refused'];

/** One connection, from upgrade to close. */
class Connection {
	constructor(hub, websocket, origin) {
		Object.assign(this, { hub, websocket, origin });
		this.session = randomBytes(16);
		this.said = 0;
		this.heard = 0;
		this.display = null;
		this.streams = new Map();
		this.challenge = Buffer.concat([Buffer.from([0x10, ...hub.faults.versions ?? [1, 1]]), this.session, randomBytes(32),
			hub.public]);
		websocket.send(this.challenge);
		websocket.on('message', (data) => {
			try {
				this.receive(Buffer.from(data));
			} catch (error) {
				hub.log.push({ what: 'refused', why: String(error) });
				websocket.close(4000);
			}
		});
		websocket.on('close', () => {
			this.streams.clear();
			hub.connections.delete(this);
		});
	}

	say(kind, body) {
		const head = Buffer.alloc(22);
		head[0] = 0x20;
		this.session.copy(head, 1);
		head.writeUInt32BE(this.said++, 17);
		head[21] = kind;
		const message = Buffer.concat([head, body]);
		this.spoil(message);
		const signed = Buffer.concat([Buffer.from('camgate message v1'), message]);
		const signature = signRaw(this.hub.key, signed);
		if (this.hub.takeFault('badSignature')) {
			signature[9] ^= 1;
		}
		this.websocket.send(Buffer.concat([message, signature]));
	}

	spoil(message) {
		if (this.hub.takeFault('repeatCounter')) {
			message.writeUInt32BE(this.said - 2, 17);
		}
		if (this.hub.takeFault('foreignSession')) {
			message[1] ^= 1;
		}
	}

	receive(data) {
		if (data[0] === 0x03 && this.display) {
			this.acknowledged(data);
		} else if (data[0] === 0x04 && this.display && data.length === 1) {
			this.hub.pulses++;
		} else if (data[0] === 0x11 && !this.display) {
			this.login(data);
		} else if (data[0] === 0x12 && !this.display) {
			this.pair(data);
		} else if (data[0] === 0x21 && this.display) {
			this.hear(data);
		} else {
			throw new Error('unexpected message');
		}
	}

	transcript(displayId, nonce) {
		const origin = Buffer.from(this.origin);
		return sha256('camgate transcript v1', Buffer.from([1]), this.challenge,
			Buffer.from([origin.length]), origin, displayId, nonce);
	}

	login(data) {
		if (data.length !== 130) {
			throw new Error('login size');
		}
		const displayId = data.subarray(2, 34);
		const display = this.hub.displays.get(displayId.toString('hex'));
		if (!display) {
			throw new Error('unknown display');
		}
		const T = this.transcript(displayId, data.subarray(34, 66));
		const signed = Buffer.concat([Buffer.from('camgate login v1'), T]);
		if (!verifyRaw(display.key, signed, data.subarray(66))) {
			throw new Error('login signature');
		}
		this.welcome(display, T);
	}

	pair(data) {
		const link = this.hub.links.get(data.subarray(2, 10).toString('hex'));
		const signPublic = data.subarray(10, 75);
		const kemPublic = data.subarray(75, 140);
		const nonce = data.subarray(140, 172);
		const size = data[172];
		const name = data.subarray(173, 173 + size).toString();
		const proof = data.subarray(173 + size, 205 + size);
		const signature = data.subarray(205 + size);
		const id = sha256('camgate display v1', signPublic, kemPublic);
		const T = this.transcript(id, nonce);
		if (!link || !timingSafeEqual(proof, hmac(link.secret, 'camgate pair v1', T))) {
			throw new Error('wrong link');
		}
		const key = createPublicKey({ key: pointToJwk(signPublic), format: 'jwk' });
		const signed = Buffer.concat([Buffer.from('camgate pair v1'), T, proof, data.subarray(172, 173 + size)]);
		if (signature.length !== 64 || !verifyRaw(key, signed, signature)) {
			throw new Error('pair signature');
		}
		this.hub.links.delete(link.id);
		const display = { id, key, kemPublic: Buffer.from(kemPublic), name, owner: link.owner,
			cameras: new Set(link.cameras) };
		this.hub.displays.set(id.toString('hex'), display);
		this.welcome(display, T);
	}

	welcome(display, T) {
		if (this.hub.faults.loseWelcome?.times > 0) {
			this.hub.faults.loseWelcome.times--;
			this.cut();
			return;
		}
		this.display = display;
		const name = Buffer.from(display.name);
		const cameras = this.hub.cameras.filter((camera) => display.cameras.has(camera.name));
		const { home } = this.hub;
		if (this.hub.takeFault('foreignTranscript')) {
			T[0] ^= 1;
		}
		this.say(KIND.WELCOME, Buffer.concat([T, home, display.id,
			Buffer.from([display.owner ? 1 : 0, name.length]), name,
			Buffer.from([0, cameras.length])]));
		cameras.forEach((camera) => this.say(KIND.CAMERA, camera.describe()));
		this.hub.connections.forEach((connection) => connection.tellScreen(display));
		this.hub.cameras.filter(({ unknown }) => unknown).forEach((camera) => this.ask(camera));
	}

	/** Asks an owner about a camera; the displays it may be shown to come first. */
	ask(camera) {
		if (!this.display?.owner) {
			return;
		}
		if (!this.asked) {
			this.asked = true;
			this.hub.displays.forEach((display) => this.tellScreen(display));
		}
		this.say(KIND.NEW_CAMERA, camera.announceNew());
	}

	tellScreen(display) {
		if (this.asked) {
			const name = Buffer.from(display.name);
			this.say(KIND.SCREEN, Buffer.concat([display.id, Buffer.from([1, name.length]), name]));
		}
	}

	/** Only an owner may say these. */
	hearOwner(kind, body) {
		if (!this.display.owner) {
			throw new Error('not an owner');
		}
		const camera = this.hub.cameras.find(({ id }) => id.equals(body.subarray(0, 16)));
		if (kind === 6) {
			const display = this.hub.displays.get(body.subarray(16).toString('hex'));
			this.hub.log.push({ what: 'share', camera: camera.name, display: display.name });
			display.cameras.add(camera.name);
			this.hub.decided(camera);
		} else if (kind === 7) {
			const decision = DECISIONS[body[16]];
			this.hub.log.push({ what: decision, camera: camera.name });
			camera.quarantined &&= decision !== 'confirm';
			camera.ready &&= decision !== 'ignore';
			this.hub.decided(camera);
		} else {
			this.hub.log.push({ what: 'preview', camera: camera.name, on: body[16] === 1 });
			this.endPreview();
			if (body[16] === 1 && camera.unknown) {
				this.preview = camera;
				this.say(KIND.CAMERA, camera.describe(true));
			}
		}
	}

	endPreview() {
		const camera = this.preview;
		this.preview = null;
		if (!camera) {
			return;
		}
		this.endStreams(camera, PREVIEW_OVER);
		camera.rotate();
		if (!this.display.cameras.has(camera.name)) {
			this.say(KIND.CAMERA_GONE, Buffer.concat([camera.id, Buffer.from([PREVIEW_OVER])]));
		}
	}

	endStreams(camera, reason) {
		this.streams.forEach((stream, number) => {
			if (stream.camera === camera) {
				this.streams.delete(number);
				this.say(KIND.ENDED, Buffer.concat([Buffer.from([number >> 8, number & 255]),
					camera.id, Buffer.from([reason])]));
			}
		});
	}

	hear(data) {
		const message = data.subarray(0, -64);
		const signed = Buffer.concat([Buffer.from('camgate message v1'), message]);
		if (!this.session.equals(data.subarray(1, 17)) || data.readUInt32BE(17) !== this.heard++
			|| !verifyRaw(this.display.key, signed, data.subarray(-64))) {
			throw new Error('signed message');
		}
		const body = message.subarray(22);
		const stream = body.readUInt16BE(0);
		const kind = data[21];
		if (kind >= 6) {
			this.hearOwner(kind, body);
			return;
		}
		if (kind === 1) {
			this.watch(stream, body);
		} else if (kind === 2) {
			this.hub.log.push({ what: 'unwatch', stream, received: body.readUInt32BE(2),
				drawn: body.readUInt32BE(6) });
			this.streams.delete(stream);
		} else if (kind === 3) {
			this.hub.times++;
			this.sendKey(this.streams.get(stream), PURPOSE.TIME, body.subarray(2));
		} else if (kind === 4) {
			this.hub.log.push({ what: 'report', stream, reason: body[34],
				epoch: body.readUInt32BE(35) });
			this.hub.rotate(this.streams.get(stream)?.camera);
		} else if (kind === 5) {
			this.hub.log.push({ what: 'key-ack', stream, epoch: body.readUInt32BE(2) });
		}
	}

	watch(stream, body) {
		const camera = this.hub.cameras.find(({ id }) => id.equals(body.subarray(2, 18)));
		this.hub.log.push({ what: 'watch', stream, camera: camera?.name });
		const may = this.display.cameras.has(camera?.name) || this.preview === camera;
		if (!camera || !may) {
			this.say(KIND.ENDED, Buffer.concat([body.subarray(0, 18), Buffer.from([1])]));
			return;
		}
		const watched = { number: stream, camera, sent: 0, answered: 0, keyed: false };
		this.streams.set(stream, watched);
		this.sendKey(watched, PURPOSE.WATCH, body.subarray(19));
	}

	/** No frame may come before its key, so only a delay that a test asks for is one. */
	sendKey(stream, purpose, nonce) {
		const delayMs = purpose === PURPOSE.BREAK ? 0 : this.hub.faults.keyDelayMs ?? 0;
		if (stream && delayMs > 0) {
			setTimeout(() => this.sayKey(stream, purpose, nonce), delayMs);
		} else if (stream) {
			this.sayKey(stream, purpose, nonce);
		}
	}

	sayKey(stream, purpose, nonce) {
		if (!this.streams.has(stream.number)) {
			return;
		}
		const { id } = this.display;
		const kemPublic = this.hub.takeFault('foreignKey') ? this.hub.public
			: this.display.kemPublic;
		this.say(KIND.KEY, stream.camera.wrap({ stream: stream.number, purpose, nonce,
			displayId: id, kemPublic, session: this.session }));
		stream.keyed = true;
	}

	acknowledged(data) {
		const stream = this.streams.get(data.readUInt16BE(2));
		if (data.length !== 11 || !stream) {
			return;
		}
		const outcome = OUTCOMES[data[1]];
		stream.answered = data.readUInt32BE(4);
		this.hub.acks.push({ outcome, ageMs: data.readUInt16BE(8), reason: data[10],
			camera: stream.camera.name });
	}

	/** Sends a sealed frame if there is credit. */
	offer(camera, frame) {
		for (const stream of this.streams.values()) {
			const crossed = this.hub.faults.crossed && stream.camera !== camera;
			const wanted = stream.keyed && (crossed || stream.camera === camera);
			if (wanted && stream.sent - stream.answered < CREDITS) {
				stream.sent++;
				this.chunks(stream, this.hub.spoil(frame));
			}
		}
	}

	chunks(stream, frame) {
		for (let offset = 0; offset < frame.length; offset += PIECE) {
			const head = Buffer.alloc(16);
			head[0] = 0x01;
			head.writeUInt16BE(stream.number, 2);
			head.writeUInt32BE(stream.sent, 4);
			head.writeUInt32BE(offset, 8);
			head.writeUInt32BE(frame.length, 12);
			this.websocket.send(Buffer.concat([head, frame.subarray(offset, offset + PIECE)]));
		}
	}

	/** The connection is cut without a word, as a revoke does. */
	cut() {
		this.websocket.terminate();
	}
}

export class FakeHub {
	/** @param {{cameras?: object[], origin?: string}} options */
	constructor({
		cameras = [{ name: 'Front door', tag: 1 }], origin = 'https://hub.test:8443',
	} = {}) {
		const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
		const jwk = publicKey.export({ format: 'jwk' });
		this.key = privateKey;
		this.public = Buffer.concat([Buffer.from([4]), Buffer.from(jwk.x, 'base64url'),
			Buffer.from(jwk.y, 'base64url')]);
		this.fingerprint = sha256('camgate hub v1', this.public);
		this.home = randomBytes(16);
		this.cameras = cameras.map((camera) => new FakeCamera({ home: this.home, ...camera }));
		this.displays = new Map();
		this.links = new Map();
		this.connections = new Set();
		this.log = [];
		this.acks = [];
		this.pulses = 0;
		this.times = 0;
		/** What goes wrong, see where each is looked at. */
		this.faults = {};
		this.origin = origin;
		this.timers = this.cameras.map((camera) =>
			setInterval(() => this.publish(camera), 1000 / camera.fps));
	}

	/** @param {any} websocket as the ws package makes them @param {string} origin */
	accept(websocket, origin) {
		this.connections.add(new Connection(this, websocket, origin));
	}

	publish(camera) {
		if (!camera.ready || this.faults.mute) {
			return;
		}
		const watched = Array.from(this.connections).some((connection) =>
			Array.from(connection.streams.values()).some((stream) => stream.camera === camera));
		if (!watched) {
			return;
		}
		this.deliver(camera, camera.frame({ ageMs: this.faults.oldMs ?? 0 }));
	}

	/** A frame that is sent to somebody: one that nobody takes now would be a fault for nothing. */
	spoil(frame) {
		if (!(this.faults.corrupt > 0)) {
			return frame;
		}
		this.faults.corrupt--;
		const spoiled = Buffer.from(frame);
		spoiled[spoiled.length - 100] ^= 1;
		return spoiled;
	}

	/** Sends it to all who watch and may be sent one more. A test may put itself in between. */
	deliver(camera, frame) {
		this.connections.forEach((connection) => connection.offer(camera, frame));
	}

	/** A one-time link: the whole address. */
	link({ owner = true, cameras = this.cameras.filter(({ unknown }) => !unknown)
		.map(({ name }) => name) } = {}) {
		const id = randomBytes(8);
		const secret = randomBytes(16);
		this.links.set(id.toString('hex'), { id: id.toString('hex'), secret, owner, cameras });
		const text = Buffer.concat([Buffer.from([owner ? 1 : 0]), id, secret, this.fingerprint])
			.toString('base64url');
		return `${this.origin}/#pair=${text}`;
	}

	/** A new key in force at once. */
	rotate(camera) {
		camera?.rotate();
		this.connections.forEach((connection) => connection.streams.forEach((stream) => {
			if (stream.camera === camera) {
				connection.sendKey(stream, PURPOSE.BREAK);
			}
		}));
	}

	/** The next key, before it is in force. */
	announce(camera) {
		camera.announce();
		this.connections.forEach((connection) => connection.streams.forEach((stream) => {
			if (stream.camera === camera) {
				connection.sendKey(stream, PURPOSE.NEXT);
			}
		}));
	}

	/** Is this to go wrong? Only once. */
	takeFault(name) {
		const wanted = this.faults[name] === true;
		delete this.faults[name];
		return wanted;
	}

	/** Removes every display, as `camgate revoke` does. */
	revokeAll() {
		this.displays.clear();
		this.connections.forEach((connection) => connection.cut());
	}

	/** Takes one camera from every display. */
	unshare(camera) {
		this.displays.forEach((display) => display.cameras.delete(camera.name));
		this.connections.forEach((connection) => {
			connection.endStreams(camera, NOT_SHARED);
			connection.say(KIND.CAMERA_GONE, Buffer.concat([camera.id, Buffer.from([NOT_SHARED])]));
		});
	}

	/** A camera that nobody has decided about was plugged in. */
	plugIn(options) {
		const camera = new FakeCamera({ home: this.home, unknown: true, ...options });
		this.cameras.push(camera);
		this.timers.push(setInterval(() => this.publish(camera), 1000 / camera.fps));
		this.connections.forEach((connection) => connection.ask(camera));
		return camera;
	}

	/** An owner decided about it, or it was pulled out. */
	decided(camera) {
		this.connections.forEach((connection) => {
			if (camera.unknown && connection.asked) {
				connection.say(KIND.NEW_CAMERA_GONE, camera.id);
			}
			if (connection.preview === camera) {
				connection.endPreview();
			}
			if (connection.display?.cameras.has(camera.name)) {
				connection.say(KIND.CAMERA, camera.describe());
			}
		});
		camera.unknown = false;
	}

	/** A camera went away, came back, or was renamed. */
	changed(camera) {
		this.connections.forEach((connection) => {
			connection.streams.forEach((stream, number) => {
				if (stream.camera === camera && !camera.ready) {
					connection.streams.delete(number);
					connection.say(KIND.ENDED, Buffer.concat([Buffer.from([number >> 8,
						number & 255]), camera.id, Buffer.from([2])]));
				}
			});
			if (connection.display?.cameras.has(camera.name)) {
				connection.say(KIND.CAMERA, camera.describe());
			}
		});
	}

	stop() {
		this.stopped = true;
		this.timers.forEach(clearInterval);
		this.connections.forEach((connection) => connection.cut());
	}
}
