import { connect, type Socket } from "node:net";
import type { Contender } from "./contenders.ts";
import { residentOf } from "./process-stat.ts";
import { modernListen, openSession } from "./requests.ts";

/** What memory a gateway takes; MiB and KiB. Undefined where the system does not tell. */
export interface MemoryGrowth {
	readonly before_mb: number | undefined;
	readonly after_mb: number | undefined;
	readonly count: number;
}

/** Sessions that are opened at a time. */
const opened_at_once = 16;
/** Time to let go of what opening took. */
const calm_ms = 1_500;

/** What a gateway takes that has nothing to do, in MiB. */
export async function idleMemory(gateway: Contender): Promise<number | undefined> {
	await calm();
	return residentOf(gateway.pid);
}

/** Opens so many legacy sessions and leaves them idle. */
export async function growBySessions(gateway: Contender, count: number): Promise<MemoryGrowth> {
	const address = `http://127.0.0.1:${gateway.port}/legacy/mcp`;
	// What a session needs once and for all is not part of what another one adds.
	await openMany(200, () => openSession(address));
	await calm();
	const before_mb = residentOf(gateway.pid);
	await openMany(count, () => openSession(address));
	await calm();
	return { before_mb, after_mb: residentOf(gateway.pid), count };
}

/** Opens so many subscription streams and leaves them idle. */
export async function growByStreams(gateway: Contender, count: number): Promise<MemoryGrowth> {
	const sockets: Socket[] = [];
	const open = async () => void sockets.push(await listenOnce(gateway.port));
	try {
		await openMany(100, open);
		await calm();
		const before_mb = residentOf(gateway.pid);
		await openMany(count, open);
		await calm();
		return { before_mb, after_mb: residentOf(gateway.pid), count };
	} finally {
		for (const socket of sockets) socket.destroy();
	}
}

/** One stream that has been acknowledged. */
function listenOnce(port: number): Promise<Socket> {
	const { headers, body, marker } = modernListen();
	const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
	const text = body.replace("$ID", "1");
	return new Promise((resolve, reject) => {
		const socket = connect(port, "127.0.0.1");
		let received = "";
		socket.setEncoding("latin1");
		socket.on("data", (chunk) => {
			received += String(chunk);
			if (received.includes(marker)) resolve(socket);
		});
		socket.on("error", reject);
		socket.on("close", () => reject(new Error(`the stream was closed: ${received}`)));
		socket.write(
			`POST /legacy/mcp HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${lines.join("")}` +
				`content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
		);
	});
}

async function openMany(count: number, open: () => Promise<unknown>): Promise<void> {
	let left = count;
	const work = async () => {
		while (left > 0) {
			left -= 1;
			await open();
		}
	};
	await Promise.all(Array.from({ length: opened_at_once }, work));
}

function calm(): Promise<void> {
	return new Promise((resolve) => {
		setTimeout(resolve, calm_ms);
	});
}
