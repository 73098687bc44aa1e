/** What the rules of a configuration say, before their expressions are compiled. */

/** What a tool can do to the world, from harmless to irreversible. */
export type RiskName = "read" | "reversible" | "costly" | "visible" | "destructive";

/** What a rule does with a call: `pass` has nothing against it and nothing for it. */
export type RuleOutcome = "pass" | "allow" | "deny" | "ask" | "limit";

/** What calls are counted by. */
export type LimitPart = "tenant" | "user" | "client" | "endpoint" | "server" | "tool";

/** How many calls there may be: a token bucket, a bound of what is in flight, or both. */
export interface LimitPlan {
	/** Undefined: no rate. */
	readonly rate: { readonly calls: number; readonly per_ms: number } | undefined;
	/** Calls that may come at once before the rate holds them back. */
	readonly burst: number;
	/** Calls in flight at one time; undefined: no bound. */
	readonly at_once: number | undefined;
	/** Counted for each of these apart; empty: all calls together. */
	readonly per: readonly LimitPart[];
}

/** What a person has to decide before a call goes on. */
export interface ApprovalPlan {
	/** Roles (`role:approver`) and people (`acme/bob`) who may decide; empty: approvers, admins. */
	readonly approvers: readonly string[];
	readonly count: number;
	readonly other_than_caller: boolean;
	readonly edit: boolean;
	readonly expires_ms: number;
}

/** Where something stands in the configuration. Lines and columns count from 1. */
export interface RulePlace {
	readonly file: string;
	readonly line: number;
	readonly column: number;
}

/** One rule, in the order of the file. An empty list of patterns fits everything. */
export interface RulePlan {
	readonly name: string;
	/** With `__` over `server__tool`, else over the tool's own name. */
	readonly tools: readonly string[];
	readonly servers: readonly string[];
	readonly endpoints: readonly string[];
	/** Undefined where the rule does not say. */
	readonly methods: readonly string[] | undefined;
	readonly risks: readonly RiskName[];
	/** A CEL expression; undefined is always true. */
	readonly when: string | undefined;
	/** Where the expression begins; `exact` where its characters stand in the file as they are. */
	readonly when_place: (RulePlace & { readonly exact: boolean }) | undefined;
	readonly then: RuleOutcome;
	readonly otherwise: RuleOutcome;
	/** What callers are told; undefined leaves it to Moorage. */
	readonly message: string | undefined;
	readonly limit: LimitPlan | undefined;
	readonly approval: ApprovalPlan | undefined;
	readonly place: RulePlace;
}

/** What is said of some tools of a server. */
export interface ToolRulePlan {
	/** A pattern over the server's own names. */
	readonly pattern: string;
	readonly risk: RiskName | undefined;
	/** Scopes a caller's token has to have. */
	readonly scopes: readonly string[];
	readonly approval: ApprovalPlan | undefined;
}

/** What is said of one server's calls. */
export interface ServerPolicyPlan {
	/** In the order of the file. */
	readonly tools: readonly ToolRulePlan[];
	/**
	 * Whether arguments are held against the tool's schema: `strict` also refuses calls of tools
	 * whose schema cannot be used.
	 */
	readonly arguments: "check" | "strict" | "off";
	/** Who looked at what a third party's server does with what it is sent, and when. */
	readonly reviewed: string | undefined;
}

/** Who may do what. */
export interface PolicyPlan {
	/** `public`: the gateway does not start while a no-go sign of the checklist stands. */
	readonly profile: "private" | "public";
	/** What becomes of a call that no rule allows or denies. */
	readonly default: "allow" | "deny";
	/**
	 * Whether tools that may change something and have no risk class given are offered beyond
	 * loopback.
	 */
	readonly unclassified: "allow" | "deny";
	/** The same call with the same arguments, of one caller; undefined: not looked for. */
	readonly loops: { readonly calls: number; readonly within_ms: number } | undefined;
	readonly rules: readonly RulePlan[];
	readonly servers: Readonly<Record<string, ServerPolicyPlan>>;
}

/** What holds where a configuration says nothing. */
export const default_policy: PolicyPlan = Object.freeze({
	profile: "private",
	default: "allow",
	unclassified: "deny",
	loops: undefined,
	rules: Object.freeze([]),
	servers: Object.freeze({}),
});

/** The policy of a server that the configuration says nothing of. */
export const default_server_policy: ServerPolicyPlan = Object.freeze({
	tools: Object.freeze([]),
	arguments: "check",
	reviewed: undefined,
});

/** An approval with nothing but defaults. */
export const default_approval: ApprovalPlan = Object.freeze({
	approvers: Object.freeze([]),
	count: 1,
	other_than_caller: false,
	edit: false,
	expires_ms: 3_600_000,
});
