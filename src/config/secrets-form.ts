import type * as z from "zod";
import { Amounts } from "./amounts.ts";
import { ranges } from "./defaults.ts";
import { type Located, member, offsetOf, type Placed, placedMember } from "./located.ts";
import type { MasterKeyPlan } from "./plan.ts";
import type { Report } from "./report.ts";
import type { secrets_schema } from "./schema-secrets.ts";

/** `secrets` of moorage.yaml before its references are expanded. */
export interface SecretsDraft {
	readonly master_key: MasterKeyPlan;
	readonly vault: VaultDraft | undefined;
	readonly age_days_max: number;
	readonly redact_results: boolean;
}

/** How Moorage logs in at an auth method. */
export interface VaultLoginDraft {
	readonly mount: string;
	/** Who Moorage is there: no secret. */
	readonly role: Readonly<Record<string, Placed>>;
	/** What proves it. */
	readonly proof: Readonly<Record<string, Placed>>;
}

/** A KV engine to read from. */
export interface VaultDraft {
	readonly address: Placed;
	readonly token: Placed | undefined;
	readonly login: VaultLoginDraft | undefined;
	readonly namespace: string | undefined;
	readonly keep_ms: number;
}

/** Reads `secrets`; what is wrong goes to the report. */
export function readSecrets(
	form: z.output<typeof secrets_schema> | undefined,
	root: Located,
	report: Report,
): SecretsDraft | undefined {
	if (form === undefined) return undefined;
	const places = Object.entries(form.master_key).filter(([, value]) => value !== undefined);
	if (places.length > 1) {
		report.problem(
			offsetOf(root, ["secrets", "master_key", places[1]?.[0] ?? ""]),
			"The master key is in one place only.",
			"Remove all but one of `file`, `env`, `keyring` and `command`.",
		);
	}
	const node = member(member(root, "secrets")?.value, "vault")?.value;
	return {
		master_key: masterKey(form.master_key),
		vault:
			form.vault === undefined
				? undefined
				: vaultDraft(form.vault, node as Located, new Amounts(root, report), report),
		age_days_max: form.age_days_max,
		redact_results: form.redact_results === "on",
	};
}

function masterKey({
	file,
	env,
	keyring,
	command,
}: z.output<typeof secrets_schema>["master_key"]): MasterKeyPlan {
	if (command !== undefined) return { kind: "command", argv: command };
	if (keyring !== undefined) return { kind: "keyring", account: keyring };
	if (env !== undefined) return { kind: "env", name: env };
	return { kind: "file", path: file };
}

function vaultDraft(
	form: NonNullable<z.output<typeof secrets_schema>["vault"]>,
	node: Located,
	amounts: Amounts,
	report: Report,
): VaultDraft {
	const { approle, kubernetes, jwt } = form;
	const ways = ["token", "approle", "kubernetes", "jwt"].filter((way) => member(node, way));
	if (ways.length !== 1) {
		report.problem(
			ways[1] === undefined ? node.start : offsetOf(node, [ways[1]]),
			"How Moorage is known to the vault has to be said in one way.",
			"Keep one of `token`, `approle`, `kubernetes` and `jwt`.",
		);
	}
	const text = (way: string, name: string, other = "") =>
		placedMember(member(node, way)?.value, name) ?? {
			text: other,
			start: node.start,
			exact: undefined,
		};
	const signed = (way: "kubernetes" | "jwt", form_of: { mount: string; token: string }) => ({
		mount: form_of.mount,
		role: { role: text(way, "role") },
		proof: { jwt: text(way, "token", form_of.token) },
	});
	const by_role = approle && {
		mount: approle.mount,
		role: { role_id: text("approle", "role_id") },
		proof: { secret_id: text("approle", "secret_id") },
	};
	return {
		address: placedMember(node, "address") as Placed,
		token: placedMember(node, "token"),
		login:
			by_role ?? (kubernetes && signed("kubernetes", kubernetes)) ?? (jwt && signed("jwt", jwt)),
		namespace: form.namespace,
		keep_ms: amounts.duration(form.keep, ranges.duration_ms, ["secrets", "vault", "keep"]),
	};
}
