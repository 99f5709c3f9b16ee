/** The fake hub on real TLS, with the page served as the real hub does. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { FakeHub } from './fake_hub.mjs';

const UI = fileURLToPath(new URL('../../web/ui/', import.meta.url));
const TYPES = {
	'.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css',
	'.svg': 'image/svg+xml',
};
const CSP = 'default-src \'none\'; script-src \'self\'; worker-src \'self\'; style-src \'self\'; '
	+ 'connect-src \'self\'; img-src \'self\'; base-uri \'none\'; form-action \'none\'; '
	+ 'frame-ancestors \'none\'; require-trusted-types-for \'script\'; trusted-types camgate';

function makeCertificate() {
	const directory = mkdtempSync(join(tmpdir(), 'camgate-fake-'));
	const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(directory, name));
	execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
		'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert, '-days', '30', '-subj',
		'/CN=camgate test', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
	{ stdio: 'ignore' });
	const made = { key: readFileSync(key), cert: readFileSync(cert) };
	rmSync(directory, { recursive: true });
	return made;
}

function serve(request, response) {
	const name = request.url === '/' ? 'index.html' : basename(request.url);
	try {
		const body = readFileSync(join(UI, name));
		response.writeHead(200, { 'Content-Type': TYPES[extname(name)] ?? 'text/plain',
			'Content-Security-Policy': CSP, 'Cache-Control': 'no-store',
			'X-Content-Type-Options': 'nosniff' });
		response.end(body);
	} catch {
		response.writeHead(404).end();
	}
}

/**
 * @param {{cameras?: object[], port?: number}} [options]
 * @returns {Promise<FakeHub & {port: number, close: () => Promise<void>}>}
 */
export async function serveFakeHub({ cameras, port = 0 } = {}) {
	const server = createServer({ ...makeCertificate(), minVersion: 'TLSv1.3' }, serve);
	const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false,
		handleProtocols: (offered) => offered.has('camgate.v1') && 'camgate.v1' });
	await new Promise((resolve) => {
		server.listen(port, '127.0.0.1', resolve);
	});
	const bound = server.address().port;
	const hub = new FakeHub({ cameras, origin: `https://127.0.0.1:${bound}` });
	server.on('upgrade', (request, socket, head) => {
		if (hub.faults.noSocket || request.url !== '/socket'
			|| request.headers.origin !== hub.origin) {
			socket.destroy();
			return;
		}
		sockets.handleUpgrade(request, socket, head, (websocket) => {
			if (hub.faults.busy) {
				websocket.close(4001);
			} else {
				hub.accept(websocket, request.headers.origin);
			}
		});
	});
	const close = async () => {
		hub.stop();
		server.closeAllConnections?.();
		await new Promise((resolve) => {
			server.close(resolve);
		});
	};
	return Object.assign(hub, { port: bound, close });
}

/* Started by hand: a hub to look at. */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const hub = await serveFakeHub({ port: Number(process.argv[2] ?? 0), cameras: [
		{ name: 'Front door', tag: 1, chroma: [20, -30] },
		{ name: 'Workshop', tag: 2, chroma: [-30, 25], width: 1280, height: 704 },
		{ name: 'Test camera', tag: 3, test: true },
	] });
	console.log(hub.link());
}
