import { createSocket, type Socket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import type { ResolveName } from "../../src/lib/near-kinds.ts";

/** A DNS server in this process, that may say something else each time it is asked. */
export interface NameServer {
	/** Asks it, as a machine would that has it for its name server. */
	readonly resolve: ResolveName;
	/** Names it was asked for an IPv4 address of, in order. */
	readonly asked: readonly string[];
	close(): Promise<void>;
}

const type_a = 1;
const type_aaaa = 28;

/** Starts one that answers with what `answers` says of a name; `turn` counts from 0 per name. */
export async function startNameServer(
	answers: (name: string, turn: number) => readonly string[],
): Promise<NameServer> {
	const socket: Socket = createSocket("udp4");
	const asked: string[] = [];
	const turns = new Map<string, number>();
	socket.on("message", (query, from) => {
		const { name, type, end } = questionOf(query);
		const key = `${name}/${type}`;
		const turn = turns.get(key) ?? 0;
		turns.set(key, turn + 1);
		if (type === type_a) asked.push(name);
		const family = type === type_aaaa ? 6 : 4;
		const found = answers(name, turn).filter((one) => (isIPv6(one) ? 6 : 4) === family);
		const records = found.map((address) => recordOf(type, addressBytes(address)));
		const head = Buffer.from(query.subarray(0, 12));
		head.writeUInt16BE(0x8580, 2);
		head.writeUInt16BE(records.length, 6);
		head.writeUInt32BE(0, 8);
		socket.send(
			Buffer.concat([head, query.subarray(12, end), ...records]),
			from.port,
			from.address,
		);
	});
	socket.bind(0, "127.0.0.1");
	await once(socket, "listening");
	const resolver = new Resolver({ tries: 1, timeout: 5_000 });
	resolver.setServers([`127.0.0.1:${socket.address().port}`]);
	const resolve: ResolveName = async (hostname) => {
		const [four, six] = await Promise.all([
			resolver.resolve4(hostname).catch(() => []),
			resolver.resolve6(hostname).catch(() => []),
		]);
		return [
			...four.map((address) => ({ address, family: 4 })),
			...six.map((address) => ({ address, family: 6 })),
		];
	};
	return {
		resolve,
		asked,
		async close() {
			resolver.cancel();
			socket.close();
			await once(socket, "close");
		},
	};
}

/** The first question of a query (RFC 1035 section 4.1.2). */
function questionOf(query: Buffer): { name: string; type: number; end: number } {
	const labels: string[] = [];
	let at = 12;
	while (query[at] !== 0) {
		const length = query[at] as number;
		labels.push(query.toString("latin1", at + 1, at + 1 + length));
		at += 1 + length;
	}
	return { name: labels.join("."), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** A record about the name of the question, which nobody may keep. */
function recordOf(type: number, data: Buffer): Buffer {
	const head = Buffer.alloc(12);
	head.writeUInt16BE(0xc00c, 0);
	head.writeUInt16BE(type, 2);
	head.writeUInt16BE(1, 4);
	head.writeUInt16BE(data.length, 10);
	return Buffer.concat([head, data]);
}

function addressBytes(address: string): Buffer {
	if (!isIPv6(address)) return Buffer.from(address.split(".").map(Number));
	const [left = "", right] = address.split("::");
	const parts = (text: string) => (text === "" ? [] : text.split(":"));
	const head = parts(left);
	const tail = parts(right ?? "");
	const gap =
		right === undefined ? [] : Array.from({ length: 8 - head.length - tail.length }, () => "0");
	return Buffer.concat(
		[...head, ...gap, ...tail].map((part) => {
			const bytes = Buffer.alloc(2);
			bytes.writeUInt16BE(Number.parseInt(part, 16));
			return bytes;
		}),
	);
}
