import { admin_principal } from "../admin/caller.ts";
import { operations } from "../admin/operations.ts";
import { type AdminProblem, problem_facts, problemOf } from "../admin/problem.ts";
import type { KillRequestBody, KillSwitchView } from "../admin/safety-backend.ts";
import type { Audit } from "../audit/audit.ts";
import type { AdminEntry } from "../audit/entries.ts";
import { auditPlaces } from "../audit/places.ts";
import type { AuditPlan } from "../config/evidence-plan.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { KillSwitches } from "../policy/kill-switches.ts";
import { killId } from "../policy/kill-target.ts";
import { SecretRedactor } from "../secrets/redactor.ts";
import { SqlKillSwitchRepository } from "../store/kill-switch-repository.ts";
import { openHeldStore } from "./foundation.ts";
import { auditKeys, openAudit } from "./open-audit.ts";
import type { StartProblem } from "./start-problem.ts";
import { SwitchDesk } from "./switch-desk.ts";

/** Its thread has yet to start, which a busy machine takes its time for. */
const wait_ms_max = 20_000;

/** What was switched in a data folder. */
export interface SwitchedOffline {
	readonly kill_switch: KillSwitchView;
	/** Why the audit does not tell of it: a sentence; undefined where it does. */
	readonly not_audited: string | undefined;
}

/** What an open data folder is worked with. */
interface Folder {
	readonly desk: SwitchDesk;
	readonly audit: Audit | undefined;
	readonly clock: Clock;
	readonly random: Random;
}

/**
 * The off switches of a data folder on which no gateway runs. What is switched here holds from the
 * first request of the next gateway on, and is in the audit as if a gateway had done it.
 */
export class OfflineSwitches {
	readonly #folder: Folder;

	constructor(folder: Folder) {
		this.#folder = folder;
	}

	/** What is switched off, oldest first. */
	list(): readonly KillSwitchView[] {
		return this.#folder.desk.list();
	}

	kill(request: KillRequestBody): Promise<Result<SwitchedOffline, AdminProblem>> {
		const id = killId({ kind: request.kind, name: request.name });
		return this.#recorded("kill", id, (desk) => desk.kill(request, admin_principal.id));
	}

	unkill(id: string): Promise<Result<SwitchedOffline, AdminProblem>> {
		return this.#recorded("unkill", id, (desk) => desk.unkill(id));
	}

	/** Does it, written down before and after. */
	async #recorded(
		action: "kill" | "unkill",
		id: string,
		work: (desk: SwitchDesk) => Promise<Result<KillSwitchView, AdminProblem>>,
	): Promise<Result<SwitchedOffline, AdminProblem>> {
		const { desk, audit, clock, random } = this.#folder;
		const state = () => JSON.stringify({ off: desk.list() });
		const entry: AdminEntry = {
			id: random.uuid(),
			at_ms: clock.now(),
			tenant_id: admin_principal.tenant,
			user: admin_principal.user,
			roles: admin_principal.roles,
			action,
			subject: { id },
		};
		try {
			await audit?.beginAction(entry, state());
		} catch (error) {
			const message = "This was not done, because it could not be written to the audit first";
			return fail(problemOf("evidence_unavailable", `${message} (${(error as Error).message}).`));
		}
		const switched = await work(desk);
		const status = switched.ok ? done_status[action] : problem_facts[switched.problem.code].status;
		await audit?.endAction({ ...entry, at_ms: clock.now(), status }, state());
		if (!switched.ok) return switched;
		return succeed({ kill_switch: switched.value, not_audited: whyNotAudited(audit) });
	}
}

/** What a gateway answers, which its audit keeps. */
const done_status = {
	kill: operations.kill.reply_status,
	unkill: operations.unkill.reply_status,
};

function whyNotAudited(audit: Audit | undefined): string | undefined {
	if (audit === undefined) return "The audit is off.";
	const { entries_lost, payloads_lost, late } = audit.totals;
	if (entries_lost + payloads_lost + late === 0) return undefined;
	return `It could not be written to the audit (${audit.failing ?? "the disk is too slow"}).`;
}

/** Works with the off switches of a data folder, which is held meanwhile so that none starts. */
export async function withOfflineSwitches<Value>(
	data: string,
	parts: { readonly clock: Clock; readonly random: Random; readonly audit: AuditPlan },
	work: (switches: OfflineSwitches) => Promise<Value>,
): Promise<Result<Value, StartProblem>> {
	const { clock, random } = parts;
	const store = await openHeldStore(data, { clock, random });
	if (!store.ok) return store;
	const { database, close } = store.value;
	const kill_switches = new KillSwitches({
		clock,
		repository: new SqlKillSwitchRepository(database.connection),
		// Whoever switches is told of it by the outcome.
		onTrouble: () => undefined,
	});
	let audit: Audit | undefined;
	try {
		await kill_switches.restore();
		const places = auditPlaces(data);
		const keys = await auditKeys(places, random);
		audit = openAudit({
			...{ clock, places, plan: parts.audit, keys: keys.ok ? keys.value : undefined },
			redactor: new SecretRedactor(),
			// What was lost is in its totals, and told with what was switched.
			onTrouble: () => undefined,
			wait_ms_max,
		});
		const desk = new SwitchDesk(kill_switches);
		return succeed(await work(new OfflineSwitches({ desk, audit, clock, random })));
	} finally {
		kill_switches.close();
		await audit?.close();
		await close();
	}
}
