import type { Principal } from "../identity/principal.ts";
import type { FaultCode } from "../protocol/fault.ts";
import type { RiskClass } from "../protocol/risk.ts";

/** What a server says of a tool, and what is known of it here. */
export interface ToolFacts {
	/** The server's own name of it. */
	readonly name: string;
	readonly annotations: Readonly<Record<string, unknown>>;
	readonly risk: RiskClass;
	/** JSON Schema of its arguments, as the server gave it: not to be trusted. */
	readonly input_schema: unknown;
}

/** What a check may look at. */
export interface CheckedCall {
	readonly id: string;
	readonly principal: Principal;
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
}

/** What has to be true before a call that needs approval may go on. */
export interface ApprovalDemand {
	/** Roles (`role:approver`) or people (`acme/bob`) who may decide; empty: approvers and admins. */
	readonly approvers: readonly string[];
	/** How many have to agree. */
	readonly count: number;
	/** Whether the caller may not be one of them. */
	readonly other_than_caller: boolean;
	/** Whether who decides may change the arguments. */
	readonly edit: boolean;
	readonly expires_ms: number;
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
	| { readonly kind: "ask"; readonly rule?: string; readonly approval: ApprovalDemand };

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

/** One thing that has to be true of a call before its server hears of it. */
export interface Check {
	/** Stands in the record of calls that it refuses without naming a rule. */
	readonly name: string;
	check(call: CheckedCall): Verdict | Promise<Verdict>;
	/** False only where no arguments could make the call allowed. Absent: everything is shown. */
	readonly mayList?: ((who: Principal, item: Listed) => boolean) | undefined;
	/** The call is over, for checks that count what is in flight. Once per `check` that allowed. */
	done?(call: CheckedCall): void;
}

/** The verdict of a check with nothing against a call. */
export const allowed: Verdict = Object.freeze({ kind: "allow" });
