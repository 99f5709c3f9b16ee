/**
 * What a tile says, and how it is painted: into the same canvas and in the same moment as the
 * picture, so that neither can be seen without the other.
 */

/**
 * @typedef {'good' | 'warn' | 'bad' | 'calm'} Tone
 *
 * @typedef {object} Label what is written over a picture
 * @property {string} name
 * @property {string} state
 * @property {Tone} tone
 * @property {string[]} notes
 *
 * @typedef {object} Card what is shown instead of a picture
 * @property {string} name
 * @property {string} state
 * @property {Tone} tone
 * @property {string} hint
 *
 * @typedef {OffscreenCanvasRenderingContext2D} Context
 */

const TONES = { good: '#3ddc84', warn: '#ffb020', bad: '#ff5d5d', calm: '#9aa5b1' };
const GROUND = '#14181d';
const INK = '#f2f5f7';
const FAMILY = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';

/** Readable on a phone tile and on a television. @param {Context} context @param {number} scale */
function textSize(context, scale) {
	const { width, height } = context.canvas;
	const size = Math.min(height / 22, width / 26);
	return Math.round(Math.min(30 * scale, Math.max(12 * scale, size)));
}

/**
 * @param {Context} context @param {string} text @param {number} width
 * @returns {string} the text, shortened to fit
 */
function fitted(context, text, width) {
	if (context.measureText(text).width <= width) {
		return text;
	}
	const letters = Array.from(text);
	while (letters.length > 1) {
		letters.pop();
		const shorter = `${letters.join('').trimEnd()}…`;
		if (context.measureText(shorter).width <= width) {
			return shorter;
		}
	}
	return letters.join('');
}

/**
 * The whole picture, as large as it fits, on dark ground.
 * @param {Context} context @param {CanvasImageSource} image
 * @param {number} width @param {number} height of the picture
 * @returns {{left: number, right: number, bottom: number}} where it is on the canvas
 */
export function paintPicture(context, image, width, height) {
	const { canvas } = context;
	const scale = Math.min(canvas.width / width, canvas.height / height);
	const w = Math.round(width * scale);
	const h = Math.round(height * scale);
	const left = Math.floor((canvas.width - w) / 2);
	const top = Math.floor((canvas.height - h) / 2);
	if (w < canvas.width || h < canvas.height) {
		context.fillStyle = '#000';
		context.fillRect(0, 0, canvas.width, canvas.height);
	}
	context.drawImage(image, left, top, w, h);
	return { left, right: left + w, bottom: top + h };
}

/**
 * A bar right below the picture where there is room, otherwise over its lower edge.
 * @param {Context} context @param {Label} label
 * @param {ReturnType<typeof paintPicture>} place of the picture
 * @param {number} scale device pixels per px
 */
export function paintLabel(context, label, place, scale) {
	const size = textSize(context, scale);
	const bar = Math.round(size * 2);
	const pad = Math.round(size * 0.7);
	const top = Math.min(place.bottom, context.canvas.height - bar);
	const middle = top + bar / 2;
	context.fillStyle = 'rgb(10 13 16 / 78%)';
	context.fillRect(place.left, top, place.right - place.left, bar);
	context.textBaseline = 'middle';
	context.textAlign = 'left';

	let left = place.left + pad;
	context.fillStyle = TONES[label.tone];
	context.beginPath();
	context.arc(left + size * 0.3, middle, size * 0.3, 0, 2 * Math.PI);
	context.fill();
	left += Math.round(size * 0.9);
	context.font = `700 ${size}px ${FAMILY}`;
	context.fillText(label.state, left, middle);
	left += context.measureText(label.state).width + pad;

	let right = place.right - pad;
	context.textAlign = 'right';
	context.font = `600 ${Math.round(size * 0.8)}px ${FAMILY}`;
	context.fillStyle = TONES.warn;
	for (const note of label.notes) {
		const noteWidth = context.measureText(note).width;
		if (right - noteWidth > left) {
			context.fillText(note, right, middle);
			right -= noteWidth + pad;
		}
	}

	context.textAlign = 'left';
	context.font = `500 ${size}px ${FAMILY}`;
	context.fillStyle = INK;
	if (right - left > size * 2) {
		context.fillText(fitted(context, label.name, right - left), left, middle);
	}
}

/** @param {Context} context @param {Card} card @param {number} scale */
export function paintCard(context, card, scale) {
	const { width, height } = context.canvas;
	const size = textSize(context, scale);
	const room = width - 2 * size;
	context.fillStyle = GROUND;
	context.fillRect(0, 0, width, height);
	context.textBaseline = 'middle';
	context.textAlign = 'center';
	context.fillStyle = INK;
	context.font = `600 ${Math.round(size * 1.3)}px ${FAMILY}`;
	context.fillText(fitted(context, card.name, room), width / 2, height / 2 - size * 1.4);
	context.fillStyle = TONES[card.tone];
	context.font = `700 ${size}px ${FAMILY}`;
	context.fillText(fitted(context, card.state, room), width / 2, height / 2 + size * 0.2);
	context.fillStyle = TONES.calm;
	context.font = `400 ${Math.round(size * 0.85)}px ${FAMILY}`;
	context.fillText(fitted(context, card.hint, room), width / 2, height / 2 + size * 1.6);
}
