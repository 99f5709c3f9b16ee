/** Imported first: node 18 has WebCrypto, but not as a global. */
import { webcrypto } from 'node:crypto';

globalThis.crypto ??= /** @type {any} */ (webcrypto);
