import type { AdminProblem } from "../admin/problem.ts";
import type { KillRequestBody, KillSwitchView } from "../admin/safety-backend.ts";
import { default_audit } from "../config/evidence-plan.ts";
import type { OfflineSwitches, SwitchedOffline } from "../daemon/offline-switches.ts";
import type { Result } from "../lib/result.ts";
import type { AdminClient } from "./client.ts";
import type { CommandContext } from "./context.ts";
import { hasDatabase, planOfFolder } from "./data-folder.ts";
import { exit_codes } from "./exit-codes.ts";
import { CommandFailure, storeFailure } from "./failure.ts";
import { withGatewayOr } from "./gateway.ts";
import { printable } from "./output.ts";

/** Which way off switches were read or changed. */
export type SwitchWay =
	| { readonly way: "gateway" }
	/** No gateway runs: the next one begins with what is stored there. */
	| { readonly way: "data_folder"; readonly data: string };

/** What was switched. */
export type Switched = SwitchWay & {
	readonly kill_switch: KillSwitchView;
	/** Why the audit does not tell of it; undefined where it does, or the gateway sees to it. */
	readonly not_audited: string | undefined;
};

/** The off switches of a running gateway, or of its data folder; failures are thrown. */
export interface SwitchAccess {
	readonly way: SwitchWay;
	/** Oldest first. */
	list(): Promise<readonly KillSwitchView[]>;
	kill(request: KillRequestBody): Promise<Switched>;
	unkill(id: string): Promise<Switched>;
}

/** Runs `work` on the running gateway; without one, on the data folder itself. */
export function withSwitches<Value>(
	context: CommandContext,
	options: { readonly data: string | undefined },
	work: (switches: SwitchAccess) => Promise<Value>,
): Promise<Value> {
	return withGatewayOr(context, options, {
		gateway: (client) => work(remote(client)),
		without: (data) => withStored(data, context, work),
	});
}

async function withStored<Value>(
	data: string,
	context: CommandContext,
	work: (switches: SwitchAccess) => Promise<Value>,
): Promise<Value> {
	// A switch in a folder that nobody uses would look like one that holds.
	if (!(await hasDatabase(data))) throw nothingThere(data);
	const { withOfflineSwitches } = await import("../daemon/offline-switches.ts");
	const { clock, random } = context;
	const audit = (await planOfFolder(data, context))?.audit ?? default_audit;
	const worked = await withOfflineSwitches(data, { clock, random, audit }, (switches) =>
		work(local(switches, data)),
	);
	if (worked.ok) return worked.value;
	throw storeFailure(worked.problem);
}

/** Tells what was switched, and which way it took. */
export function printSwitched(
	switched: Switched,
	word: "Off" | "On again",
	json: boolean,
	{ output }: CommandContext,
): void {
	const { kill_switch, not_audited } = switched;
	if (json) {
		const way =
			switched.way === "gateway"
				? { way: switched.way }
				: { way: switched.way, data: switched.data, audited: not_audited === undefined };
		output.json({ ...kill_switch, ...way });
		return;
	}
	output.line(`${word}: ${printable(kill_switch.id)}`);
	if (switched.way === "gateway") return;
	output.note(`No gateway runs: it is stored in ${switched.data}, for the next one that starts.`);
	output.note(not_audited === undefined ? "It is in the audit." : `Not audited. ${not_audited}`);
}

function remote(client: AdminClient): SwitchAccess {
	const way = { way: "gateway" } as const;
	const done = (kill_switch: KillSwitchView): Switched => ({
		...way,
		kill_switch,
		not_audited: undefined,
	});
	return {
		way,
		list: async () => (await client.request("listKillSwitches")).value.kill_switches,
		kill: async (request) =>
			done((await client.request("kill", { body: JSON.stringify(request) })).value),
		unkill: async (id) => done((await client.request("unkill", { path: { id } })).value),
	};
}

function local(switches: OfflineSwitches, data: string): SwitchAccess {
	const way = { way: "data_folder", data } as const;
	const done = (switched: Result<SwitchedOffline, AdminProblem>): Switched => {
		if (switched.ok) return { ...way, ...switched.value };
		const { code, message, next } = switched.problem;
		throw new CommandFailure({ exit_code: exit_codes.failed, code, message, next });
	};
	return {
		way,
		list: () => Promise.resolve(switches.list()),
		kill: async (request) => done(await switches.kill(request)),
		unkill: async (id) => done(await switches.unkill(id)),
	};
}

function nothingThere(data: string): CommandFailure {
	return new CommandFailure({
		exit_code: exit_codes.no_gateway,
		code: "no_gateway",
		message: `No gateway runs with the data folder ${data}, and none ever kept anything there.`,
		next: "Name the folder of the gateway with --data.",
	});
}
