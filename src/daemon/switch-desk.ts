import { type AdminProblem, type AdminProblemCode, problemOf } from "../admin/problem.ts";
import type { KillRequestBody, KillSwitchView } from "../admin/safety-backend.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { KillProblem, KillSwitch, KillSwitches } from "../policy/kill-switches.ts";

/** Off switches as administrators see and change them. */
export class SwitchDesk {
	readonly #kill_switches: KillSwitches;

	constructor(kill_switches: KillSwitches) {
		this.#kill_switches = kill_switches;
	}

	/** What is switched off now, oldest first. */
	list(): readonly KillSwitchView[] {
		return this.#kill_switches.list().map(switchView);
	}

	/** Switches something off, in the name of the principal `set_by`. */
	async kill(
		{ kind, name, reason, ends_at_ms }: KillRequestBody,
		set_by: string,
	): Promise<Result<KillSwitchView, AdminProblem>> {
		const wanted = { kind, name, reason, set_by, ends_at_ms };
		return outcomeOf(await this.#kill_switches.kill(wanted));
	}

	async unkill(id: string): Promise<Result<KillSwitchView, AdminProblem>> {
		return outcomeOf(await this.#kill_switches.unkill(id));
	}
}

function outcomeOf(
	switched: Result<KillSwitch, KillProblem>,
): Result<KillSwitchView, AdminProblem> {
	if (switched.ok) return succeed(switchView(switched.value));
	const { code, message } = switched.problem;
	return fail(problemOf(kill_codes[code], message));
}

const kill_codes: Readonly<Record<KillProblem["code"], AdminProblemCode>> = {
	invalid: "invalid_request",
	too_many: "too_many",
	unknown: "kill_switch_unknown",
	not_stored: "not_stored",
};

function switchView({ name, ends_at_ms, ...rest }: KillSwitch): KillSwitchView {
	return {
		...rest,
		...(name === undefined ? {} : { name }),
		...(ends_at_ms === undefined ? {} : { ends_at_ms }),
	};
}
