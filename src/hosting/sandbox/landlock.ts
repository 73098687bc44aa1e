import type { Confinement, EgressWitness, LoopbackWay } from "../../upstreams/driver.ts";
import type { CommandLine } from "../process/containment.ts";
import type { SystemLayout } from "./bubblewrap.ts";
import type { PathRule } from "./landlock-rules.ts";

/** What programs are confined by Landlock with. */
export interface LandlockTools {
	/** Absolute path of the launcher. */
	readonly path: string;
	/** Version of the kernel's interface: what Landlock can hold back here. */
	readonly version: number;
	readonly layout: SystemLayout;
	/** Files with filters over system calls. */
	readonly filters: Readonly<Record<LandlockFilter, string>>;
	/** Why there is no more than this, without a full stop. */
	readonly reason: string;
}

/** The filters: the one of every sandbox, and those for what Landlock leaves open. */
export type LandlockFilter = "base" | Door | "attributes";

/** How far a program gets by sockets. */
export type Door = "closed" | "proxied" | "open";

/** A program as the launcher is told of it. */
export interface LandlockPlan {
	readonly tools: LandlockTools;
	readonly rules: readonly PathRule[];
	readonly door: Door;
	/** The one port that TCP may be connected to where the door is `proxied`; else none. */
	readonly port?: number | undefined;
	/** Whether modes and owners of files outside must stay as they are. */
	readonly keeps_attributes: boolean;
	/** What sees what it tries past its proxy: a program, and its arguments before the launcher. */
	readonly witness?: readonly string[] | undefined;
}

/** From this version on Landlock knows TCP. */
const version_tcp = 4;
/** From this version on Landlock ends signals and abstract sockets at the program. */
const version_signals = 6;

const options = { read: "-r", write: "-w", device: "-d" } as const;

/** The launcher in front of a program. */
export function landlockLine(plan: LandlockPlan, program: string, args: readonly string[]) {
	const { tools, rules, door, port, keeps_attributes, witness = [] } = plan;
	const filters: LandlockFilter[] = [door, ...(keeps_attributes ? (["attributes"] as const) : [])];
	const [witness_path, ...in_front] = witness;
	const line: CommandLine = {
		program: witness_path ?? tools.path,
		args: [
			...in_front,
			...(witness_path === undefined ? [] : [tools.path]),
			...rules.flatMap(({ kind, path }) => [options[kind], path]),
			...(door === "open" ? ["-o"] : []),
			...(port === undefined ? [] : ["-c", String(port)]),
			...["base" as const, ...filters].flatMap((name) => ["-f", tools.filters[name]]),
			"--",
			program,
			...args,
		],
	};
	return line;
}

/**
 * Why Landlock is too little here for a server that must be shut off; undefined where it is
 * enough. A port is held together with its filter, which leaves it nothing but plain TCP.
 */
export function landlockGap(version: number, has_own_pids: boolean): string | undefined {
	if (version < version_tcp) {
		return `Landlock holds back files but not TCP before version ${version_tcp}, and this kernel has version ${version}`;
	}
	return has_own_pids || version >= version_signals
		? undefined
		: `Landlock does not hold back signals before version ${version_signals}, this kernel has version ${version}, and there are no pid namespaces`;
}

/** How far a server gets, by which way, and how that is said. */
export interface LandlockDoor {
	readonly door: Door;
	readonly way?: LoopbackWay | undefined;
	/** Set where what it tries past its proxy is seen. */
	readonly witness?: EgressWitness | undefined;
	readonly note: string;
}

/**
 * Chooses the door of a server. Landlock holds TCP to ports, not to addresses: a server that has
 * to be shut off would reach whoever listens on the proxy's port anywhere, and has no network.
 */
export function landlockDoor(
	{ sandbox, untrusted, way }: Confinement,
	version: number,
	is_required: boolean,
): LandlockDoor {
	if (sandbox.egress.kind === "open" && !untrusted) {
		return { door: "open", note: "Its network is open." };
	}
	const { loopback, witness } = way ?? {};
	// Before that nothing but a filter holds TCP back, which leaves nothing to be seen.
	const seen = version < version_tcp ? undefined : witness;
	const told =
		seen === undefined
			? "What it tries past its proxy is not recorded."
			: "What it tries past its proxy is recorded by address, not by name.";
	if (loopback === undefined || version < version_tcp || is_required) {
		return {
			// With a port to none, sockets can be made, so that what they are for is seen.
			door: seen === undefined ? "closed" : "proxied",
			witness: seen,
			note: `Its network is closed, because it cannot be held to the hosts of its egress here. ${told}`,
		};
	}
	const note =
		`It reaches the network through its proxy, and by TCP to port ${loopback.port} past it; ` +
		`it can listen on no port. ${told}`;
	return { door: "proxied", way: loopback, witness: seen, note };
}

/** What a person should know of a server under Landlock. */
export function landlockNote({ reason, version }: LandlockTools, has_own_pids: boolean): string {
	const shared = has_own_pids
		? "/tmp and network interfaces"
		: "/tmp, processes and network interfaces";
	const signals =
		has_own_pids || version >= version_signals
			? ""
			: " It can signal other processes of your user.";
	return (
		`It runs under Landlock with system call filters, because ${reason}. It reads and writes ` +
		`only what it was given, but has no ${shared} of its own: it needs TMPDIR, cannot use unix ` +
		`sockets, and can see whether a path exists.${signals} It is restarted when a fork of it is ` +
		"promoted."
	);
}
