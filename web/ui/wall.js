/** The wall: one canvas per camera, laid out so that the pictures are as large as they can be. */

const PICTURE_ASPECT = 16 / 9;

/**
 * Columns that make tiles of the usual picture's shape largest.
 * @param {number} count @param {number} width @param {number} height
 */
export function columnsFor(count, width, height) {
	let best = 1;
	let bestWidth = 0;
	for (let columns = 1; columns <= count; columns++) {
		const rows = Math.ceil(count / columns);
		const tile = Math.min(width / columns, (height / rows) * PICTURE_ASPECT);
		if (tile >= bestWidth) {
			bestWidth = tile;
			best = columns;
		}
	}
	return best;
}

export class Wall {
	#element;
	#tell;
	/** @type {Map<string, HTMLCanvasElement>} */
	#canvases = new Map();
	#observer;

	/**
	 * @param {HTMLElement} element
	 * @param {(message: object, transfer?: Transferable[]) => void} tell the worker
	 */
	constructor(element, tell) {
		this.#element = element;
		this.#tell = tell;
		this.#observer = new ResizeObserver(() => this.#resized());
		this.#observer.observe(element);
	}

	get size() {
		return this.#canvases.size;
	}

	/** @param {string} id of the camera */
	add(id) {
		const canvas = document.createElement('canvas');
		canvas.setAttribute('role', 'img');
		canvas.dataset.camera = id;
		this.#canvases.set(id, canvas);
		this.#element.append(canvas);
		this.#layOut();
		const { width, height, scale } = measure(canvas);
		canvas.width = width;
		canvas.height = height;
		const offscreen = canvas.transferControlToOffscreen();
		this.#tell({ type: 'canvas', id, canvas: offscreen, scale }, [offscreen]);
		this.#resized();
	}

	/** @param {string} id */
	remove(id) {
		this.#canvases.get(id)?.remove();
		this.#canvases.delete(id);
		this.#resized();
	}

	/** @param {string} id @param {string} text */
	say(id, text) {
		this.#canvases.get(id)?.setAttribute('aria-label', text);
	}

	#layOut() {
		const { clientWidth, clientHeight, style } = this.#element;
		const columns = columnsFor(this.size, clientWidth, clientHeight);
		const rows = Math.ceil(this.size / columns);
		style.setProperty('--columns', String(columns));
		style.setProperty('--rows', String(rows));
	}

	#resized() {
		this.#layOut();
		for (const [id, canvas] of this.#canvases) {
			this.#tell({ type: 'resize', id, ...measure(canvas) });
		}
	}
}

/** In device pixels, so that a picture is not scaled twice. @param {HTMLCanvasElement} canvas */
function measure(canvas) {
	const scale = devicePixelRatio || 1;
	const { width, height } = canvas.getBoundingClientRect();
	return {
		width: Math.max(1, Math.round(width * scale)),
		height: Math.max(1, Math.round(height * scale)), scale,
	};
}
