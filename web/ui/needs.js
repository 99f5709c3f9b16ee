/** What this page cannot do without, in words for whoever has to find another browser. */

/**
 * @param {any} scope the page's global object
 * @returns {string[]} what is missing
 */
export function missing(scope) {
	/** @type {[string, boolean][]} */
	const needs = [
		['a secure page (open it with https)', scope.isSecureContext === true],
		['WebCrypto', Boolean(scope.crypto?.subtle)],
		['workers', typeof scope.Worker === 'function'],
		['websockets', typeof scope.WebSocket === 'function'],
		['IndexedDB, where keys are kept', Boolean(scope.indexedDB)],
		['OffscreenCanvas', typeof scope.OffscreenCanvas === 'function'
			&& 'transferControlToOffscreen' in (scope.HTMLCanvasElement?.prototype ?? {})],
		['createImageBitmap', typeof scope.createImageBitmap === 'function'],
		['big integers', typeof scope.BigInt === 'function'],
	];
	return needs.filter(([, there]) => !there).map(([what]) => what);
}
