/**
 * What makes this browser a display: two non-extractable P-256 key pairs, and the hub they are
 * paired with. Kept in IndexedDB, which is the only place that can hold a key nobody can read.
 *
 * A pairing is first stored as 'pending', before its keys are shown to a hub, and becomes 'paired'
 * with the hub's WELCOME: when that answer is lost on the way, the keys are still there to log in.
 */
import { concat, utf8 } from './bytes.js';

const DATABASE = 'camgate';
const STORE = 'pairings';
/** @type {any} */
const subtle = globalThis.crypto.subtle;

/**
 * @typedef {object} Identity
 * @property {CryptoKey} signing private key
 * @property {Uint8Array} signPublic
 * @property {CryptoKey} kem private key
 * @property {Uint8Array} kemPublic
 * @property {Uint8Array} displayId
 *
 * @typedef {object} Pairing
 * @property {Identity} identity
 * @property {Uint8Array} fingerprint of the hub
 * @property {Uint8Array | null} home null until the hub welcomed us
 */

/** @param {Uint8Array} bytes */
export async function sha256(bytes) {
	return new Uint8Array(await subtle.digest('SHA-256', bytes));
}

/** @param {Uint8Array} hubPublic */
export function hubFingerprint(hubPublic) {
	return sha256(concat(utf8('camgate hub v1'), hubPublic));
}

/** @returns {Promise<Identity>} */
export async function createIdentity() {
	const signing = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false,
		['sign', 'verify']);
	const kem = await subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, false,
		['deriveBits']);
	const signPublic = new Uint8Array(await subtle.exportKey('raw', signing.publicKey));
	const kemPublic = new Uint8Array(await subtle.exportKey('raw', kem.publicKey));
	const displayId = await sha256(concat(utf8('camgate display v1'), signPublic, kemPublic));
	return { signing: signing.privateKey, signPublic, kem: kem.privateKey, kemPublic, displayId };
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function settled(request) {
	return new Promise((resolve, reject) => {
		request.onsuccess = () => resolve(request.result);
		request.onerror = () => reject(request.error);
	});
}

export class KeyStore {
	#database;

	/** @param {IDBDatabase} database */
	constructor(database) {
		this.#database = database;
	}

	/** @param {IDBFactory} factory */
	static async open(factory) {
		const request = factory.open(DATABASE, 1);
		request.onupgradeneeded = () => request.result.createObjectStore(STORE);
		return new KeyStore(await settled(request));
	}

	/**
	 * One transaction; resolves when it is complete, not merely asked for.
	 * @param {(store: IDBObjectStore) => void} change
	 * @returns {Promise<void>}
	 */
	#write(change) {
		return new Promise((resolve, reject) => {
			const transaction = this.#database.transaction(STORE, 'readwrite');
			transaction.oncomplete = () => resolve();
			transaction.onabort = () => reject(transaction.error);
			change(transaction.objectStore(STORE));
		});
	}

	/**
	 * @param {'paired' | 'pending'} which
	 * @returns {Promise<Pairing | null>}
	 */
	async load(which) {
		const store = this.#database.transaction(STORE).objectStore(STORE);
		return (await settled(store.get(which))) ?? null;
	}

	/** @param {Pairing} pairing */
	savePending(pairing) {
		return this.#write((store) => store.put(pairing, 'pending'));
	}

	/** @param {Pairing} pairing */
	savePaired(pairing) {
		return this.#write((store) => {
			store.put(pairing, 'paired');
			store.delete('pending');
		});
	}

	dropPending() {
		return this.#write((store) => store.delete('pending'));
	}
}
