/** A camera of the fake hub: a generation, epochs, a counter, and sealed pictures. */
import { createECDH, randomBytes } from 'node:crypto';
import { hpkeSealAuth, sframeSeal } from './hub_crypto.mjs';
import { opixJpeg } from './opix_jpeg.mjs';

const u16 = (value) => {
	const bytes = Buffer.alloc(2);
	bytes.writeUInt16BE(value);
	return bytes;
};
const u32 = (value) => {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32BE(value);
	return bytes;
};
const u64 = (value) => {
	const bytes = Buffer.alloc(8);
	bytes.writeBigUInt64BE(BigInt(Math.round(value)));
	return bytes;
};

export const PURPOSE = { WATCH: 1, NEXT: 2, BREAK: 3, TIME: 4 };

export class FakeCamera {
	/**
	 * @param {{name: string, tag: number, home: Buffer, width?: number, height?: number,
	 *     fps?: number, chroma?: [number, number], test?: boolean, unknown?: boolean,
	 *     quarantined?: boolean}} options unknown: nobody has decided about it
	 */
	constructor({ name, tag, home, width = 640, height = 384, fps = 10, chroma, test = false,
		unknown = false, quarantined = false }) {
		Object.assign(this, { name, tag, home, width, height, fps, chroma, test, unknown,
			quarantined });
		this.id = randomBytes(16);
		this.flags = test ? 2 : 0;
		this.number = 0;
		this.bootUs = 1e6 * (10_000 + tag);
		this.start();
	}

	/** A new process: new generation, new keys. */
	start() {
		this.generation = randomBytes(16);
		this.kem = createECDH('prime256v1');
		this.kem.generateKeys();
		this.ready = true;
		this.epoch = 0;
		this.rotate();
	}

	rotate() {
		this.epoch++;
		this.key = randomBytes(16);
		this.ctr = 0;
	}

	announce() {
		this.next = { epoch: this.epoch + 1, key: randomBytes(16) };
	}

	switch() {
		Object.assign(this, this.next, { ctr: 0 });
	}

	clockUs() {
		return this.bootUs + performance.now() * 1000;
	}

	/** Body of CAMERA. @param {boolean} [preview] */
	describe(preview = false) {
		const name = Buffer.from(this.name);
		const slow = this.fps < 1 ? 2 : 0;
		return Buffer.concat([this.id, Buffer.from([this.ready ? 1 : 0,
			(this.test ? 1 : 0) | slow | (this.failing ? 4 : 0) | (preview ? 8 : 0),
			this.test ? 3 : 2]),
		this.ready ? this.generation : Buffer.alloc(16),
		this.ready ? this.kem.getPublicKey() : Buffer.alloc(65),
		u32(Math.round(1e6 / this.fps)), u32(1 << 20), Buffer.from([name.length]), name]);
	}

	/** Body of NEW_CAMERA. */
	announceNew() {
		const [name, about] = [this.name, '/dev/video0, 046d:0825'].map((text) => Buffer.from(text));
		return Buffer.concat([this.id, Buffer.from(this.quarantined ? [0, 1] : [1, 0]),
			Buffer.from([name.length]), name, Buffer.from([about.length]), about]);
	}

	/** Body of KEY for one display and session. */
	wrap({ stream, purpose, nonce, displayId, kemPublic, session }) {
		const { epoch, key } = purpose === PURPOSE.NEXT ? this.next : this;
		const info = Buffer.concat([Buffer.from('camgate epoch key v1'), this.home, this.id,
			this.generation, displayId, session, u32(epoch), Buffer.from([purpose])]);
		const clocked = purpose === PURPOSE.WATCH || purpose === PURPOSE.TIME;
		const plaintext = clocked ? Buffer.concat([key, nonce, u64(this.clockUs())]) : key;
		const { enc, wrapped } = hpkeSealAuth(this.kem, kemPublic, info, plaintext);
		return Buffer.concat([u16(stream), this.id, this.generation, u32(epoch),
			Buffer.from([purpose]), enc, wrapped]);
	}

	/** The next sealed frame. `ageMs` makes it an old one, `encode` another SFrame header. */
	frame({ ageMs = 0, encode = undefined } = {}) {
		const captureUs = this.clockUs() - ageMs * 1000;
		this.number++;
		const jpeg = opixJpeg({
			width: this.width, height: this.height, tag: this.tag, number: this.number,
			captureMs: Math.floor(captureUs / 1000), chroma: this.chroma,
		});
		return this.seal(jpeg, captureUs, this.epoch, encode);
	}

	seal(jpeg, captureUs, shownKid = this.epoch, encode = undefined) {
		const header = Buffer.concat([this.id, Buffer.from([0, this.flags]), u16(this.width),
			u16(this.height), u32(this.epoch), u64(captureUs)]);
		const metadata = Buffer.concat([Buffer.from('camgate frame v1'), this.home,
			this.generation, header]);
		return Buffer.concat([header, sframeSeal(this.key, this.epoch, this.ctr++, metadata, jpeg,
			shownKid, encode)]);
	}
}
