import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Direction } from "../support/wire-schema.ts";
import { watchClientHop } from "./client-hop.ts";
import { type Complain, HttpConversations } from "./http-exchange.ts";
import { watchServerHop } from "./server-hop.ts";
import { watchStdioHop } from "./stdio-hop.ts";

/** Between clients and the gateway over HTTP, the gateway and servers over HTTP, or a pipe. */
export type Hop = "clients" | "servers" | "pipes";

/** One message that is not as the schema of the revision spoken has it. */
export interface Complaint {
	readonly hop: Hop;
	readonly direction: Direction;
	/** What is wrong, by which definition of which revision. */
	readonly complaint: string;
	/** The message, or its beginning. */
	readonly text: string;
	/** The address or the program on the hop's other side. */
	readonly peer: string;
}

/** Messages that a test sends or causes wrong on purpose. */
export interface WrongOnPurpose {
	readonly hop: Hop;
	readonly direction: Direction;
	/** Fits `Complaint.complaint`. */
	readonly complaint: RegExp;
	/** Fits `Complaint.text`; without it every message does. */
	readonly text?: RegExp;
	/** Fits `Complaint.peer`; without it everybody does. */
	readonly peer?: RegExp;
	/** A sentence for whoever reads the test. */
	readonly why: string;
}

const text_chars_max = 400;
const complaints_max = 200;

const gateways = new Map<number, HttpConversations>();
const servers = new Map<string, HttpConversations>();
const seen: Complaint[] = [];
const expected: WrongOnPurpose[] = [];
let watching = false;
let tell: (complaint: Complaint) => void = () => {};

/** How a process is watched. */
export interface WatchOptions {
	/** True when every listener of this process is a gateway's; else they are named. */
	readonly all_listeners: boolean;
	/** Told of each complaint at once, beside its being kept. */
	readonly onComplaint?: (complaint: Complaint) => void;
}

/** Sees the wire of this process from now on. */
export function watchWire({ all_listeners, onComplaint }: WatchOptions): void {
	if (watching) return;
	watching = true;
	if (onComplaint !== undefined) tell = onComplaint;
	watchClientHop((server: Server) => {
		const { port } = server.address() as AddressInfo;
		return all_listeners ? gatewayAt(port) : gateways.get(port);
	});
	watchServerHop((origin) => {
		// What this process asks its own gateway is seen on the gateway's side.
		if (gateways.has(Number(new URL(origin).port))) return undefined;
		const hop = servers.get(origin) ?? new HttpConversations(complainAt("servers", origin));
		servers.set(origin, hop);
		return hop;
	});
	watchStdioHop((program) => complainAt("pipes", program));
}

/** The listener at this address, in this process, is a gateway's. */
export function watchListener(url: string): void {
	gatewayAt(Number(new URL(url).port));
}

function gatewayAt(port: number): HttpConversations {
	const hop = gateways.get(port) ?? new HttpConversations(complainAt("clients", `:${port}`));
	gateways.set(port, hop);
	return hop;
}

function complainAt(hop: Hop, peer: string): Complain {
	return (direction, complaint, text) => {
		const one = { hop, direction, complaint, text: text.slice(0, text_chars_max), peer };
		if (seen.length < complaints_max && !isExpected(one)) seen.push(one);
		tell(one);
	};
}

/** From now on to the end of this process such messages are no mistake. */
export function expectWrong(marks: readonly WrongOnPurpose[]): void {
	expected.push(...marks);
}

/** Fails when a message was seen that is wrong, and is not marked as wrong on purpose. */
export function checkWire(elsewhere: readonly Complaint[] = []): void {
	const wrong = [...seen.splice(0), ...elsewhere].filter((one) => !isExpected(one));
	if (wrong.length === 0) return;
	// A mistake is mostly made many times; one message shows it.
	const kinds = Map.groupBy(wrong, ({ hop, direction, complaint }) =>
		[hop, direction, complaint].join(" "),
	);
	const lines = [...kinds.values()].map(
		(same) => `${describe(same[0] as Complaint)} (${same.length}x)`,
	);
	throw new Error(`${wrong.length} messages on the wire are wrong:\n${lines.join("\n")}`);
}

/** A complaint for people. */
function describe({ hop, direction, complaint, text, peer }: Complaint): string {
	return `- ${hop}, ${direction} (${peer.slice(-120)}): ${complaint.slice(0, 1000)}\n  ${text}`;
}

function isExpected(one: Complaint): boolean {
	return expected.some(
		({ hop, direction, complaint, text = /^/u, peer = /^/u }) =>
			hop === one.hop &&
			direction === one.direction &&
			complaint.test(one.complaint) &&
			text.test(one.text) &&
			peer.test(one.peer),
	);
}
