import { realpath } from "node:fs/promises";
import type { Environment } from "../../lib/environment.ts";
import type { Result } from "../../lib/result.ts";
import { fail, succeed } from "../../lib/result.ts";
import type { Confinement, SandboxKind, SandboxWay, SpawnRequest } from "../../upstreams/driver.ts";
import { witnessPrefix } from "../egress/forwarder.ts";
import { startLate } from "../egress/late-proxy.ts";
import type { CommandLine, Containment } from "../process/containment.ts";
import { bubblewrapArguments } from "./bubblewrap.ts";
import type { LandlockTools } from "./landlock.ts";
import { landlockDoor, landlockGap, landlockLine, landlockNote } from "./landlock.ts";
import { planRules, systemRules } from "./landlock-rules.ts";
import { planMounts } from "./mounts.ts";
import { copyOwnPackage } from "./package-copy.ts";
import type { SandboxProbe } from "./probe.ts";
import type { Protection } from "./protection.ts";

/** Descriptor under which a program is given its filter: the first after the streams. */
export const filter_fd = 3;

/**
 * The first process of a sandbox, given to `/bin/sh -c` with the program as "$@": a constant, so
 * that no input is ever read by a shell. It only waits, because servers that ask whether their
 * parent is pid 1 take that for the death of their client; it catches SIGTERM to pass on the
 * server's exit code. Its standard error is closed, because shells comment on signals.
 */
const wait_script = 'exec 3>&2 2>/dev/null; trap : TERM; (exec "$@" 2>&3 3>&-); exit $?';

/**
 * Datagrams are refused as sockets are made, where nobody sees whom they are for; so the C library
 * is told to ask name servers by TCP (resolv.conf(5)).
 */
const names_by_tcp: Readonly<Record<string, string>> = { RES_OPTIONS: "use-vc" };

/** Variables that lead to folders of the gateway's user, which a sandbox does not have. */
const home_names: readonly string[] = [
	"XDG_CACHE_HOME",
	"XDG_CONFIG_HOME",
	"XDG_DATA_HOME",
	"USER",
	"LOGNAME",
];
/** The gateway's own proxy cannot be reached from a closed network. */
const proxy_names: readonly string[] = [
	"HTTP_PROXY",
	"HTTPS_PROXY",
	"NO_PROXY",
	"ALL_PROXY",
	"http_proxy",
	"https_proxy",
	"no_proxy",
	"all_proxy",
];

/** A program as it is started inside a sandbox. */
export interface SandboxedProgram {
	readonly line: CommandLine;
	/** Whether everything in it ends with it; else the containment has to see to that. */
	readonly is_contained: boolean;
	readonly env: Readonly<Record<string, string>>;
	/** What a person should know. */
	readonly notes: readonly string[];
	/** The file that is given to the program under `filter_fd`. */
	readonly filter_path?: string;
}

/** What a program without a sandbox runs with. */
export interface BareProgram {
	readonly notes: readonly string[];
}

/** What is known of a program that is to be started. */
export interface SandboxRequest {
	readonly request: SpawnRequest;
	readonly confinement: Confinement;
	/** Absolute path of the program. */
	readonly program: string;
	/** The complete environment it would have without a sandbox. */
	readonly env: Readonly<Record<string, string>>;
}

/** Whether a program is to be shut off from the machine, and must be. */
export function sandboxNeed({ sandbox, untrusted }: Confinement): "none" | "wanted" | "required" {
	if (untrusted || sandbox.mode === "required") {
		return "required";
	}
	return sandbox.mode === "off" ? "none" : "wanted";
}

/** What the containment does for programs whose sandbox does not. */
export type Surroundings = Pick<Containment, "mode" | "has_own_proc">;

/** Shuts programs off from the machine, where that is possible here. */
export class Sandbox {
	readonly #probe: SandboxProbe;
	readonly #protection: Protection;
	readonly #around: Surroundings;

	constructor(probe: SandboxProbe, protection: Protection, around: Surroundings) {
		this.#probe = probe;
		this.#protection = protection;
		this.#around = around;
	}

	/** What there is. */
	get kind(): SandboxKind {
		const { bubblewrap, landlock } = this.#probe;
		return bubblewrap !== undefined ? "bubblewrap" : landlock !== undefined ? "landlock" : "none";
	}

	/** What there is, in words, for `doctor` and the log. */
	get detail(): string {
		return this.#probe.detail;
	}

	/** Where bubblewrap does not work: what servers run in, and what to do. Else undefined. */
	get shortfall(): string | undefined {
		const { bubblewrap, landlock, obstacle = "", remedy = "" } = this.#probe;
		if (bubblewrap !== undefined) return undefined;
		const instead =
			landlock === undefined
				? `Servers run without a sandbox: ${obstacle}.`
				: `Servers run under Landlock instead of bubblewrap, because ${landlock.reason}.`;
		return `${instead} ${remedy}`.trim();
	}

	/**
	 * How a program is started in a sandbox; a `BareProgram` where it has none, and may. The
	 * problem is a sentence: it must have one, and this machine cannot.
	 */
	async prepare(asked: SandboxRequest): Promise<Result<SandboxedProgram | BareProgram, string>> {
		const need = sandboxNeed(asked.confinement);
		if (need === "none") {
			return succeed({ notes: [] });
		}
		const { bubblewrap, landlock, obstacle = "", remedy = "" } = this.#probe;
		if (bubblewrap !== undefined) {
			return succeed(await this.#wrap(asked, bubblewrap));
		}
		if (landlock === undefined) {
			return need === "required"
				? fail(`This machine cannot sandbox the server: ${obstacle}. ${remedy}`.trim())
				: succeed({
						notes: [`It runs without a sandbox: ${obstacle}. ${what_holds} ${remedy}`.trim()],
					});
		}
		const gap = landlockGap(landlock.version, this.#around.mode === "pid-namespace");
		return need === "required" && gap !== undefined
			? fail(
					`This machine cannot sandbox the server: ${landlock.reason}, and ${gap}. ${remedy}`.trim(),
				)
			: succeed(await this.#confine(asked, landlock, need === "required"));
	}

	async #confine(
		{ request, confinement, program, env }: SandboxRequest,
		tools: LandlockTools,
		is_required: boolean,
	): Promise<SandboxedProgram> {
		const { args, cwd } = request;
		const { mode, has_own_proc } = this.#around;
		const { door, way, witness, note } = landlockDoor(confinement, tools.version, is_required);
		const lookups = door === "proxied" ? names_by_tcp : {};
		const own = { ...way?.env, ...lookups, HOME: confinement.volume, ...request.env };
		const inner = { ...withoutGateway(env, door === "open"), ...own };
		const protection = this.#protection;
		const { mounts, notes } = await planMounts({
			...{ confinement, protection, program, args, cwd, env: inner },
			freezes_program: is_required,
		});
		const planned = await planRules(mounts);
		const rules = [...systemRules(tools.layout, has_own_proc), ...planned.rules];
		return {
			line: landlockLine(
				{
					...{ tools, rules, door, port: way?.port, keeps_attributes: is_required },
					witness: witness && witnessPrefix(witness, way?.port),
				},
				program,
				args,
			),
			is_contained: false,
			env: inner,
			notes: [
				`${landlockNote(tools, mode === "pid-namespace")} ${note}`,
				...notes,
				...planned.notes,
			],
		};
	}

	async #wrap(
		{ request, confinement, program, env }: SandboxRequest,
		{ path, layout, settings, user, filter_path }: NonNullable<SandboxProbe["bubblewrap"]>,
	): Promise<SandboxedProgram> {
		const { volume, temp, sandbox, way } = confinement;
		const open_network = sandbox.egress.kind === "open" && !confinement.untrusted;
		const { args, cwd } = request;
		const protection = this.#protection;
		const visible = { ...withoutGateway(env, open_network), ...request.env };
		const plan = { confinement, protection, program, args, cwd, env: visible };
		// Each only looks at files, beside the others: whoever calls waits for all of it.
		const [late, { mounts, cwd: place, notes }, copy, real_temp] = await Promise.all([
			lateStart(request, program, way),
			planMounts({ ...plan, freezes_program: true }),
			copyOwnPackage(confinement, args, protection.data_dir),
			realpath(temp),
		]);
		const own = { ...(late?.env ?? way?.env), HOME: volume, ...request.env };
		const inner = { ...withoutGateway(env, open_network), ...own };
		const bwrap = bubblewrapArguments({
			layout,
			settings: settings.refresh(),
			user,
			mounts: copy === undefined ? mounts : [...mounts, { kind: "write", ...copy }],
			binds: [...(way?.binds ?? []), ...(late?.binds ?? [])],
			cwd: place,
			temp: real_temp,
			open_network,
			filter_fd,
		});
		const inside = ["/bin/sh", "-c", wait_script, "moorage-wait", ...(way?.prefix ?? []), program];
		return {
			is_contained: true,
			line: { program: path, args: [...bwrap, ...inside, ...(late?.args ?? []), ...args] },
			env: inner,
			notes,
			filter_path,
		};
	}
}

const what_holds =
	"It still has its own process tree, which ends with the gateway, its own folders and its limits.";

/** Paths that no sandbox is given. */
export async function protect(
	data_dir: string,
	environment: Environment,
	hidden: readonly string[],
): Promise<Protection> {
	const real = (path: string) => realpath(path).catch(() => path);
	const home = environment["HOME"];
	return {
		data_dir: await real(data_dir),
		hidden: await Promise.all(hidden.map(real)),
		home: home === undefined || home === "" || home === "/" ? undefined : await real(home),
	};
}

/**
 * How a program is told of its proxy late: if it is this very Node, which is to run a file, and its
 * configuration says nothing about proxies.
 */
async function lateStart(
	{ env, args }: SpawnRequest,
	program: string,
	way: SandboxWay | undefined,
) {
	const late = way?.late;
	if (late === undefined || !/^[^-].*[./]/u.test(args[0] ?? "")) {
		return undefined;
	}
	if (Object.keys(way?.env ?? {}).some((name) => name in env)) {
		return undefined;
	}
	const [real, own] = await Promise.all([realpath(program), realpath(process.execPath)]);
	if (real !== own) {
		return undefined;
	}
	return { ...startLate(way?.env ?? {}, late.bind.to), binds: [late.bind] };
}

/** An environment without what leads to the user's folders, or to a proxy out of reach. */
function withoutGateway(
	env: Readonly<Record<string, string>>,
	open_network: boolean,
): Record<string, string> {
	const left_out = open_network ? home_names : [...home_names, ...proxy_names];
	return Object.fromEntries(Object.entries(env).filter(([name]) => !left_out.includes(name)));
}

/** Whether a program has a sandbox. */
export function isSandboxed(program: SandboxedProgram | BareProgram): program is SandboxedProgram {
	return "line" in program;
}
