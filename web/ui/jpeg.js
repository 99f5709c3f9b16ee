/**
 * Is this whole and is it the size it was sealed as? Looks at markers only; decoding is the
 * browser's work.
 */

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;

/** Baseline, extended and progressive frame headers. @param {number} marker */
function isFrameHeader(marker) {
	return marker >= 0xc0 && marker <= 0xc2;
}

/**
 * @param {Uint8Array} jpeg
 * @returns {{width: number, height: number} | null} null: not a whole JPEG
 */
export function jpegSize(jpeg) {
	const end = jpeg.length;
	if (end < 8 || jpeg[0] !== 0xff || jpeg[1] !== SOI || jpeg[end - 2] !== 0xff
		|| jpeg[end - 1] !== EOI) {
		return null;
	}
	let size = null;
	for (let at = 2; at + 4 <= end;) {
		if (jpeg[at] === 0xff && jpeg[at + 1] === 0xff) {
			at++; /* fill bytes may precede any marker */
			continue;
		}
		const marker = jpeg[at + 1];
		const length = (jpeg[at + 2] << 8) | jpeg[at + 3];
		if (jpeg[at] !== 0xff || length < 2 || at + 2 + length > end) {
			return null;
		}
		if (marker === SOS) {
			return size;
		}
		if (isFrameHeader(marker)) {
			if (size !== null || length < 8) {
				return null;
			}
			size = {
				height: (jpeg[at + 5] << 8) | jpeg[at + 6],
				width: (jpeg[at + 7] << 8) | jpeg[at + 8],
			};
		}
		at += 2 + length;
	}
	return null;
}
