import { Peer } from "./peer.mjs";

/**
 * Serves a behaviour over standard input and output. What is written while one chunk of input
 * is handled leaves in one write, so that a benchmark measures its other side.
 */
export function serveStdio(behaviour, options) {
	let outgoing = [];
	const flush = () => {
		if (outgoing.length === 0) return;
		const text = outgoing.join("");
		outgoing = [];
		process.stdout.write(text);
	};
	const send = (text) => {
		if (outgoing.length === 0) setImmediate(flush);
		outgoing.push(text, "\n");
	};
	const drained = async () => {
		flush();
		if (process.stdout.writableNeedDrain) {
			await new Promise((resolve) => process.stdout.once("drain", resolve));
		}
	};
	const peer = new Peer(behaviour, { ...options, send, drained });
	behaviour.started?.(peer);
	let rest = [];
	process.stdin.on("data", (chunk) => {
		let start = 0;
		let end = chunk.indexOf(10);
		while (end !== -1) {
			rest.push(chunk.subarray(start, end));
			peer.receive(rest.length === 1 ? rest[0] : Buffer.concat(rest));
			rest = [];
			start = end + 1;
			end = chunk.indexOf(10, start);
		}
		if (start < chunk.length) rest.push(chunk.subarray(start));
		flush();
	});
	process.stdin.on("end", () => {
		flush();
		if (!behaviour.outlives_stdin) process.exit(0);
	});
}
