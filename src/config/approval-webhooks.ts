import type * as z from "zod";
import { isLoopbackHost } from "../lib/addresses.ts";
import { webhookKey } from "../lib/webhook-signature.ts";
import type { Expander } from "./expander.ts";
import { type Located, nodeAt, offsetOf, type Placed, placedMember } from "./located.ts";
import type { Report } from "./report.ts";
import type { approvals_schema } from "./schema-approvals.ts";

/** A receiver that is told of calls that wait for people, and may hand their decisions back. */
export interface ApprovalWebhookPlan {
	/** Decisions that come from it stand under `webhook:NAME`. */
	readonly name: string;
	readonly url: string;
	/** What messages are signed with, in both directions. */
	readonly secret: string;
	/** Whose calls it hears of; undefined: everybody's. */
	readonly tenant: string | undefined;
	/** The roles that it decides with. */
	readonly roles: readonly string[];
	/** Whether decisions are taken from it. */
	readonly decides: boolean;
}

/** A receiver whose texts are not expanded yet. */
export interface ApprovalWebhookDraft extends Omit<ApprovalWebhookPlan, "url" | "secret"> {
	readonly url: Placed;
	readonly secret: Placed;
}

/** A key that decisions are signed with is not to be guessed. */
const key_bytes_min = 16;

/** Reads `approvals.webhooks`; names that stand there twice go to the report. */
export function readApprovalWebhooks(
	form: z.output<typeof approvals_schema> | undefined,
	root: Located,
	report: Report,
): ApprovalWebhookDraft[] {
	const names = new Set<string>();
	return (form?.webhooks ?? []).flatMap(({ name, tenant, roles, decides }, index) => {
		const path = ["approvals", "webhooks", index];
		const node = nodeAt(root, path);
		const url = placedMember(node, "url");
		const secret = placedMember(node, "secret");
		if (names.has(name)) {
			const message = `Two webhooks of approvals are named \`${name}\`.`;
			report.problem(offsetOf(root, [...path, "name"]), message, "Name one of them otherwise.");
		}
		names.add(name);
		if (url === undefined || secret === undefined) return [];
		return { name, tenant, roles, decides, url, secret };
	});
}

/** Receivers with their references expanded. Neither address nor secret is told in a problem. */
export function compileApprovalWebhooks(
	drafts: readonly ApprovalWebhookDraft[],
	expander: Expander,
	report: Report,
): ApprovalWebhookPlan[] {
	return drafts.map(({ url, secret, ...rest }) => {
		const address = expander.text(url);
		if (!isReceiver(address)) {
			report.problem(
				url.start,
				"Arguments of calls are sent only to an `https` address, or to this machine.",
				"Write for example `https://relay.example.com/approvals`.",
			);
		}
		const key = expander.text(secret);
		const problem = secretProblem(secret.text, key);
		if (problem !== undefined) report.problem(secret.start, problem, secret_next);
		return { ...rest, url: address, secret: key };
	});
}

const secret_next =
	"Make one with `openssl rand -base64 32`, put it into the environment, and write for example " +
	"`${env:HOOK_SECRET}`.";

/** Why a secret is not used; undefined too where its reference is wrong, which is told already. */
function secretProblem(written: string, key: string): string | undefined {
	if (!written.includes("${")) return "The secret stands here in plain text.";
	if (key === written || webhookKey(key).length >= key_bytes_min) return undefined;
	return `This secret stands for less than ${key_bytes_min} bytes.`;
}

function isReceiver(address: string): boolean {
	const url = URL.parse(address);
	if (url === null || url.username !== "" || url.password !== "") return false;
	return url.protocol === "https:" || (url.protocol === "http:" && isLoopbackHost(url.hostname));
}
