import type { ApprovalWebhookDraft } from "./approval-webhooks.ts";
import type { ApprovalsPlan } from "./approvals-plan.ts";
import type { IdentityDraft } from "./draft-identity.ts";
import type { AuditPlan, CallsPlan } from "./evidence-plan.ts";
import type { FrontDraft } from "./front.ts";
import type { NamedText, Placed } from "./located.ts";
import type { ObservingDraft } from "./observing-form.ts";
import type { Limits, OAuthSpec, Scope, ServerTimeouts, ToolFilter } from "./plan.ts";
import type { PolicyPlan } from "./policy-plan.ts";
import type { RunningPlan } from "./running.ts";
import type { SecretsDraft } from "./secrets-form.ts";

/**
 * What every human form is read into before references are expanded: checked for shape, with
 * each text still knowing its place. Both moorage.yaml and client files end here, and only
 * what this says is compiled.
 */
export interface Draft {
	readonly form: "moorage" | "client";
	readonly servers: readonly ServerDraft[];
	readonly endpoints: readonly EndpointDraft[];
	readonly listen: Placed | undefined;
	readonly data: Placed | undefined;
	readonly allowed_hosts: readonly Placed[] | undefined;
	readonly allowed_origins: readonly Placed[] | undefined;
	readonly sse: boolean;
	readonly identity: IdentityDraft | undefined;
	/** Undefined in forms that say nothing of it. */
	readonly front?: FrontDraft | undefined;
	readonly limits: Limits;
	/** What holds by default where the file says nothing. */
	readonly calls?: CallsPlan;
	readonly audit?: AuditPlan;
	readonly policy: PolicyPlan;
	readonly observing?: ObservingDraft;
	readonly approvals?: ApprovalsPlan | undefined;
	readonly approval_webhooks?: readonly ApprovalWebhookDraft[];
	readonly secrets?: SecretsDraft | undefined;
	readonly inputs: readonly InputDraft[];
}

interface ServerDraftBase {
	readonly name: string;
	readonly title: string;
	readonly name_start: number;
	readonly scope: Scope;
	readonly start: "eager" | "on-demand";
	readonly tools: ToolFilter;
	readonly timeouts: ServerTimeouts;
	readonly running: RunningPlan;
	/** Folders and files of `sandbox`, which become absolute when they are compiled. */
	readonly sandbox_read: readonly Placed[];
	readonly sandbox_write: readonly Placed[];
}

/** A program to run. */
export interface StdioDraft extends ServerDraftBase {
	readonly driver: "stdio";
	readonly command: Placed;
	readonly args: readonly Placed[];
	readonly env: readonly NamedText[];
	readonly env_file: Placed | undefined;
	/** By the variable that has the path. */
	readonly files: readonly NamedText[];
	readonly cwd: Placed | undefined;
}

/** A remote server. */
export interface HttpDraft extends ServerDraftBase {
	readonly driver: "http";
	readonly url: Placed;
	readonly headers: readonly NamedText[];
	/** Set where the file says that no other transport is to be tried. */
	readonly transport?: "sse" | undefined;
	readonly auth?: OAuthDraft | undefined;
}

/** A container image. */
export interface ContainerDraft extends ServerDraftBase {
	readonly driver: "container";
	readonly image: Placed;
	readonly args: readonly Placed[];
	readonly env: readonly NamedText[];
	readonly runtime: Placed | undefined;
}

/** How to be authorized at a remote server. */
export interface OAuthDraft {
	readonly grant: OAuthSpec["grant"];
	readonly client_id: Placed | undefined;
	readonly client_secret: Placed | undefined;
	readonly private_key: Placed | undefined;
	readonly client_metadata: Placed | undefined;
	readonly issuer: Placed | undefined;
	readonly scopes: readonly string[];
	readonly preset: Placed | undefined;
	readonly tenant: Placed | undefined;
	readonly provider: Placed | undefined;
	readonly subject: SubjectDraft | undefined;
}

/** An identity of Moorage's own that is exchanged. */
export interface SubjectDraft {
	readonly issuer: Placed;
	readonly client_id: Placed;
	readonly client_secret: Placed | undefined;
	readonly token: Placed;
}

/** A server before its references are expanded. */
export type ServerDraft = StdioDraft | HttpDraft | ContainerDraft;

/** An address over several servers. */
export interface EndpointDraft {
	readonly name: string;
	readonly name_start: number;
	readonly servers: readonly Placed[];
	readonly tools: ToolFilter;
}

/** A question a client file declares, to be referred to as `${input:ID}`. */
export interface InputDraft {
	readonly id: string;
	readonly start: number;
	readonly kind: "text" | "choice" | "unsupported";
	readonly description: string;
	readonly password: boolean;
	readonly default_value: string | undefined;
	readonly options: readonly string[];
}

/** Every text of a server in which references are expanded. */
export function referenceTexts(server: ServerDraft): Placed[] {
	return [...specTexts(server), ...server.sandbox_read, ...server.sandbox_write];
}

function specTexts(server: ServerDraft): Placed[] {
	switch (server.driver) {
		case "http":
			return [server.url, ...server.headers.map((one) => one.value), ...oauthTexts(server.auth)];
		case "stdio":
			return [
				...present([server.command, server.env_file, server.cwd]),
				...server.args,
				...server.env.map((one) => one.value),
				...server.files.map((one) => one.value),
			];
		case "container":
			return [
				...present([server.image, server.runtime]),
				...server.args,
				...server.env.map((one) => one.value),
			];
	}
}

function present(texts: readonly (Placed | undefined)[]): Placed[] {
	return texts.filter((text) => text !== undefined);
}

function oauthTexts(auth: OAuthDraft | undefined): Placed[] {
	if (auth === undefined) return [];
	const { client_id, client_secret, private_key, client_metadata, issuer, tenant } = auth;
	const { subject } = auth;
	return present([
		...[client_id, client_secret, private_key, client_metadata, issuer, tenant],
		...[subject?.issuer, subject?.client_id, subject?.client_secret, subject?.token],
	]);
}
