import type { Step } from "./assembler.ts";
import { assemble } from "./assembler.ts";
import { clone, clone3, denied, ioctl, type Syscall, socket, unshare } from "./syscalls.ts";

/** Processor architectures that a filter is made for, as Node names them. */
export type Architecture = "x64" | "arm64";

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

/** The filter of an architecture, in bytes as `bwrap --seccomp` and the kernel take them. */
export function makeFilter(architecture: Architecture): Buffer {
	return assemble(filterSteps(architecture));
}

function filterSteps(architecture: Architecture): Step[] {
	const when = (syscall: Syscall, label: string): Step[] => {
		const value = syscall[architecture];
		return value === undefined ? [] : [{ op: "if_equal", value, then: label }];
	};
	return [
		{ op: "load", offset: offset_architecture },
		// Another architecture numbers its system calls differently: none of them exists here.
		{ op: "if_equal", value: audit_numbers[architecture], otherwise: "missing" },
		{ op: "load", offset: offset_number },
		...(architecture === "x64"
			? [{ op: "if_at_least", value: x32_start, then: "missing" } as const]
			: []),
		// Its flags lie in memory, where no filter can see them; libraries then take `clone`.
		...when(clone3, "missing"),
		...when(clone, "clone"),
		...when(unshare, "unshare"),
		...when(socket, "socket"),
		...when(ioctl, "ioctl"),
		...denied.flatMap((syscall) => when(syscall, "denied")),
		{ op: "return", value: answer_allow },
		{ op: "label", name: "missing" },
		{ op: "return", value: answer_error | enosys },
		...anyFlag("clone", clone_namespaces),
		...anyFlag("unshare", unshare_namespaces),
		...anyValue("socket", 0, socket_families, "no_family"),
		...anyValue("ioctl", 1, terminal_requests, "denied"),
		{ op: "label", name: "denied" },
		{ op: "return", value: answer_error | eperm },
		{ op: "label", name: "no_family" },
		{ op: "return", value: answer_error | eafnosupport },
	];
}

/** Denies a system call whose first argument has one of these bits. */
function anyFlag(name: string, mask: number): Step[] {
	return [
		{ op: "label", name },
		{ op: "load", offset: offset_arguments },
		{ op: "and", value: mask },
		{ op: "if_equal", value: 0, otherwise: "denied" },
		{ op: "return", value: answer_allow },
	];
}

/** Goes to a label where an argument is one of these. */
function anyValue(
	name: string,
	argument: number,
	values: readonly number[],
	label: string,
): Step[] {
	return [
		{ op: "label", name },
		{ op: "load", offset: offset_arguments + argument * argument_bytes },
		...values.map((value): Step => ({ op: "if_equal", value, then: label })),
		{ op: "return", value: answer_allow },
	];
}
