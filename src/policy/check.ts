import type { Principal } from "../identity/principal.ts";
import type { Demand } from "../protocol/demand.ts";
import type { FaultCode } from "../protocol/fault.ts";
import type { RiskClass } from "../protocol/risk.ts";
import type { Flight, InFlight } from "./in-flight.ts";
import type { Rule } from "./rules.ts";

/** What a server says of a tool, and what is known of it here. */
export interface ToolFacts {
	/** The server's own name of it. */
	readonly name: string;
	readonly annotations: Readonly<Record<string, unknown>>;
	readonly risk: RiskClass;
	/** JSON Schema of its arguments, as the server gave it: not to be trusted. */
	readonly input_schema: unknown;
}

/** What the checks leave with a call, for each other and for its end. */
export interface CheckNotes {
	/** The rules that limit it, until they have been counted. */
	limits?: readonly Rule[] | undefined;
	/** What it holds until it is over. */
	held?: readonly Held[] | undefined;
}

/** What a call holds of a limit until it is over. */
export interface Held {
	readonly in_flight: InFlight;
	readonly flight: Flight;
}

/** What a check may look at. */
export interface CheckedCall {
	readonly id: string;
	readonly principal: Principal;
	/** Who really makes it, where that is somebody else, in the principal's name. */
	readonly made_by?: Principal | undefined;
	readonly client: {
		/** What it calls itself: never proof of anything. */
		readonly name: string;
		readonly version: string;
		readonly revision: string;
		readonly era: "legacy" | "modern";
		/** Raw JSON object. */
		readonly capabilities: string;
	};
	readonly endpoint: string;
	readonly server: string;
	readonly method: string;
	/** Tool or prompt name, or uri, as the server knows it. */
	readonly name: string | undefined;
	/** Of `tools/call`; undefined where the catalog does not know the tool. */
	readonly tool: ToolFacts | undefined;
	/** The arguments, parsed when first asked for; undefined where there are none. */
	args(): unknown;
	/** The arguments as raw JSON, read when first asked for. */
	readonly arguments_raw: string | undefined;
	/** Wall-clock time. */
	readonly now_ms: number;
	/** Written by the checks alone. */
	readonly notes: CheckNotes;
}

/** What a check says of a call. */
export type Verdict =
	| { readonly kind: "allow" }
	| {
			readonly kind: "deny";
			readonly code: FaultCode;
			readonly message: string;
			readonly rule?: string;
			/** Every scope the call needs, where the caller's token lacks some: a step-up challenge. */
			readonly scopes?: readonly string[];
	  }
	| {
			readonly kind: "limit";
			readonly code: FaultCode;
			readonly message: string;
			readonly rule?: string;
			readonly retry_after_ms: number;
	  }
	| { readonly kind: "ask"; readonly rule?: string; readonly approval: Demand };

/** What lists consist of. */
export type ListedKind = "tool" | "resource" | "prompt";

/** Something a list may show. */
export interface Listed {
	readonly endpoint: string;
	readonly server: string;
	readonly kind: ListedKind;
	/** The server's own name of it; the uri or uri template of a resource. */
	readonly name: string;
	readonly tool: ToolFacts | undefined;
}

/** A server at an address. */
export type Place = Pick<Listed, "endpoint" | "server">;

/** One thing that has to be true of a call before its server hears of it. */
export interface Check {
	/** Stands in the record of calls that it refuses without naming a rule. */
	readonly name: string;
	check(call: CheckedCall): Verdict | Promise<Verdict>;
	/** False only where no arguments could make the call allowed. Absent: everything is shown. */
	readonly mayList?: ((who: Principal, item: Listed) => boolean) | undefined;
	/** False only where nothing of a server could be allowed to somebody. Absent: something is. */
	readonly mayUse?: ((who: Principal, place: Place) => boolean) | undefined;
	/** The call is over, for checks that count what is in flight. Once per `check` that allowed. */
	done?(call: CheckedCall): void;
}

/** The verdict of a check with nothing against a call. */
export const allowed: Verdict = Object.freeze({ kind: "allow" });
