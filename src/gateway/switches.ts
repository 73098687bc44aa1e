import type { Principal } from "../identity/principal.ts";
import { Bag } from "../lib/bag.ts";
import type { Stoppable } from "../policy/kill-target.ts";
import type { FaultCode } from "../protocol/fault.ts";
import type { Call } from "./call.ts";
import type { GatewayContext } from "./context.ts";

/** Why something is not done: told to the caller. */
export interface SwitchedOff {
	readonly code: FaultCode;
	/** A sentence. */
	readonly message: string;
	/** The off switch, as a rule that decided. */
	readonly rule: string;
}

/** Something was switched off, or on again. */
export interface SwitchChange {
	readonly kind: "killed" | "lifted";
	/**
	 * Why a call, or the task it became, goes no further; undefined where the change is not about
	 * it, or lets it be.
	 */
	stops(call: Stoppable): SwitchedOff | undefined;
	/** Whether it is about everything this person does. */
	isAbout(who: Principal): boolean;
}

/** What is switched off, beyond what the check of calls says. */
export interface Switches {
	/** Why a person may do nothing at all here; undefined: nothing is against it. */
	callerRefusal(who: Principal): SwitchedOff | undefined;
	/** The same where not everything is off at once: what holds at the admin API, too. */
	personRefusal(who: Principal): SwitchedOff | undefined;
	/** Whether nothing goes to a server, and nothing that it says is passed on. */
	isServerOff(server: string): boolean;
	/** Why that is so; undefined where it is not. */
	serverRefusal(server: string): SwitchedOff | undefined;
	onChange(listener: (change: SwitchChange) => void): void;
}

/** Calls that the checks have let on and that have no reply yet: what an off switch can stop. */
export class RunningCalls {
	readonly #calls = new Bag<Call>();

	/** Calls there are now. */
	get count(): number {
		return this.#calls.size;
	}

	add(call: Call): void {
		call.notes.running_at = this.#calls.add(call);
	}

	/** Nothing happens where it is not among them. */
	delete(call: Call): void {
		this.#calls.remove(call.notes.running_at, call);
	}

	/**
	 * Cancels every call that a change is against: its server is told to stop, and its caller gets
	 * an error that says so, because what the server had done by then is done.
	 */
	stop(change: SwitchChange, context: GatewayContext): void {
		for (const call of this.#calls.all()) {
			const { checked } = call.notes;
			const off = checked && change.stops(checked);
			if (off === undefined) continue;
			call.notes.rule = off.rule;
			call.notes.stopped = context.fault(
				{
					code: off.code,
					message:
						`${off.message} The call was on its way then and was cancelled: what its server ` +
						"had done by that time is done.",
					level: "info",
					server: call.target?.server.name,
					retry_safe: false,
				},
				{ ...context.fieldsOf(call), rule: off.rule, principal: call.principal.id },
			);
			call.cancel?.abort();
		}
	}
}
