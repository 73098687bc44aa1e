import type { Step } from "./assembler.ts";
import { assemble } from "./assembler.ts";
import {
	clone,
	clone3,
	denied,
	ioctl,
	listen,
	path_attributes,
	prlimit,
	type Syscall,
	sendmmsg,
	sendmsg,
	sendto,
	shared_objects,
	socket,
	socketpair,
	unshare,
} from "./syscalls.ts";

/** Processor architectures that a filter is made for, as Node names them. */
export type Architecture = "x64" | "arm64";

/** How far a program may get by sockets where no namespace holds it. */
export type Door = "closed" | "proxied" | "open";

/** `AUDIT_ARCH_*` of the kernel's `linux/audit.h`. */
const audit_numbers: Readonly<Record<Architecture, number>> = {
	x64: 0xc000003e,
	arm64: 0xc00000b7,
};

/** Numbers of the x32 form of a system call begin here. */
const x32_start = 0x40000000;

/** Offsets in the `struct seccomp_data` that a filter reads. */
const offset_number = 0;
const offset_architecture = 4;
const offset_arguments = 16;
const argument_bytes = 8;

const answer_allow = 0x7fff0000;
const answer_error = 0x00050000;
const eperm = 1;
const enosys = 38;
const eafnosupport = 97;

/** Every flag that makes a namespace; the low byte of `clone` is a signal instead. */
const clone_namespaces = 0x7e020000;
const unshare_namespaces = 0x7e020080;

/** Puts characters into a terminal's input, or talks to the console. */
const terminal_requests = [0x5412, 0x541c];
/** Address families that no network namespace holds back: host sockets and the crypto API. */
const socket_families = [38, 40];

const family_netlink = 16;
/** IPv4 and IPv6. */
const internet_families = [2, 10];
const type_stream = 1;
const type_packets = 5;
/** Flags stand above the type of a socket. */
const socket_type_mask = 0xf;
const protocol_tcp = 6;
/** Connects by sending, which Landlock does not see. */
const msg_fastopen = 0x20000000;

/** The filter of an architecture, in bytes as `bwrap --seccomp` and the kernel take them. */
export function makeFilter(architecture: Architecture): Buffer {
	return assemble(filterSteps(architecture));
}

/**
 * The filter that stands in for a network namespace beside Landlock, which knows of TCP and of
 * abstract sockets only: no sockets to services of the machine by path, no datagrams, nothing that
 * connects without saying so.
 */
export function makeDoorFilter(architecture: Architecture, door: Door): Buffer {
	const when = matcher(architecture);
	const fast_open =
		door === "proxied"
			? [...when(sendto, "send"), ...when(sendmmsg, "send"), ...when(sendmsg, "sendmsg")]
			: [];
	// A socket that listens without a port is given one, which Landlock does not see.
	const listening = door === "proxied" ? when(listen, "denied") : [];
	return assemble([
		...begin(architecture),
		...when(socket, "socket"),
		...when(socketpair, "pair"),
		...when(prlimit, "prlimit"),
		...fast_open,
		...listening,
		...shared_objects.flatMap((syscall) => when(syscall, "denied")),
		{ op: "return", value: answer_allow },
		...missing,
		{ op: "label", name: "socket" },
		argument(0),
		{ op: "if_equal", value: family_netlink, then: "netlink" },
		...(door === "closed" ? [] : internet_families.map(internetStep(door))),
		{ op: "return", value: answer_error | eafnosupport },
		// The machine's own addresses may be listed; other kinds tell of others' connections.
		...onlyValue("netlink", 2, 0),
		...(door === "proxied" ? stream_only : []),
		// Datagrams can be sent to any path later on; connected pairs stay among themselves.
		{ op: "label", name: "pair" },
		argument(1),
		{ op: "and", value: socket_type_mask },
		{ op: "if_equal", value: type_stream, then: "allowed" },
		{ op: "if_equal", value: type_packets, then: "allowed", otherwise: "no_family" },
		// The limits of another process are that one's own.
		{ op: "label", name: "prlimit" },
		argument(0),
		{ op: "if_equal", value: 0, then: "allowed", otherwise: "denied" },
		...(door === "proxied"
			? [...anyFlag("send", msg_fastopen, 3), ...anyFlag("sendmsg", msg_fastopen, 2)]
			: []),
		{ op: "label", name: "allowed" },
		{ op: "return", value: answer_allow },
		...endings,
	]);
}

/** The filter that keeps modes, owners and attributes of files by path as they are. */
export function makeAttributesFilter(architecture: Architecture): Buffer {
	const when = matcher(architecture);
	return assemble([
		...begin(architecture),
		...path_attributes.flatMap((syscall) => when(syscall, "denied")),
		{ op: "return", value: answer_allow },
		...missing,
		{ op: "label", name: "denied" },
		{ op: "return", value: answer_error | eperm },
	]);
}

type Matcher = (syscall: Syscall, label: string) => Step[];

function matcher(architecture: Architecture): Matcher {
	return (syscall, label) => {
		const value = syscall[architecture];
		return value === undefined ? [] : [{ op: "if_equal", value, then: label }];
	};
}

/** Leaves the number of the system call to be looked at. */
function begin(architecture: Architecture): Step[] {
	return [
		{ op: "load", offset: offset_architecture },
		// Another architecture numbers its system calls differently: none of them exists here.
		{ op: "if_equal", value: audit_numbers[architecture], otherwise: "missing" },
		{ op: "load", offset: offset_number },
		...(architecture === "x64"
			? [{ op: "if_at_least", value: x32_start, then: "missing" } as const]
			: []),
	];
}

const missing: readonly Step[] = [
	{ op: "label", name: "missing" },
	{ op: "return", value: answer_error | enosys },
];

const endings: readonly Step[] = [
	{ op: "label", name: "denied" },
	{ op: "return", value: answer_error | eperm },
	{ op: "label", name: "no_family" },
	{ op: "return", value: answer_error | eafnosupport },
];

/** TCP in its plain form: Landlock's rules on ports hold for nothing else. */
const stream_only: readonly Step[] = [
	{ op: "label", name: "stream" },
	argument(1),
	{ op: "and", value: socket_type_mask },
	{ op: "if_equal", value: type_stream, otherwise: "no_family" },
	argument(2),
	{ op: "if_equal", value: 0, then: "allowed" },
	{ op: "if_equal", value: protocol_tcp, then: "allowed", otherwise: "no_family" },
];

function internetStep(door: Door): (family: number) => Step {
	const then = door === "open" ? "allowed" : "stream";
	return (value) => ({ op: "if_equal", value, then });
}

function argument(index: number): Step {
	return { op: "load", offset: offset_arguments + index * argument_bytes };
}

/** Allows a socket whose argument is this, and no other. */
function onlyValue(name: string, index: number, value: number): Step[] {
	return [
		{ op: "label", name },
		argument(index),
		{ op: "if_equal", value, then: "allowed", otherwise: "no_family" },
	];
}

function filterSteps(architecture: Architecture): Step[] {
	const when = matcher(architecture);
	return [
		...begin(architecture),
		// Its flags lie in memory, where no filter can see them; libraries then take `clone`.
		...when(clone3, "missing"),
		...when(clone, "clone"),
		...when(unshare, "unshare"),
		...when(socket, "socket"),
		...when(ioctl, "ioctl"),
		...denied.flatMap((syscall) => when(syscall, "denied")),
		{ op: "return", value: answer_allow },
		...missing,
		...anyFlag("clone", clone_namespaces, 0),
		...anyFlag("unshare", unshare_namespaces, 0),
		...anyValue("socket", 0, socket_families, "no_family"),
		...anyValue("ioctl", 1, terminal_requests, "denied"),
		...endings,
	];
}

/** Denies a system call of which an argument has one of these bits. */
function anyFlag(name: string, mask: number, index: number): Step[] {
	return [
		{ op: "label", name },
		argument(index),
		{ op: "and", value: mask },
		{ op: "if_equal", value: 0, otherwise: "denied" },
		{ op: "return", value: answer_allow },
	];
}

/** Goes to a label where an argument is one of these. */
function anyValue(name: string, index: number, values: readonly number[], label: string): Step[] {
	return [
		{ op: "label", name },
		argument(index),
		...values.map((value): Step => ({ op: "if_equal", value, then: label })),
		{ op: "return", value: answer_allow },
	];
}
