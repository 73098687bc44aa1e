import type { SecretFinding } from "../admin/contracts/secrets.ts";
import type { SaidTool } from "../catalog/said-tools.ts";
import type { Plan, ServerPlan } from "../config/plan.ts";
import { specReferences, specTexts } from "../hosting/spec-values.ts";
import type { Clock } from "../lib/clock.ts";
import { riskOf } from "../policy/risk.ts";
import { callsSecret } from "../secrets/looks-secret.ts";
import { type Reference, referencesIn, referenceText } from "../secrets/template.ts";
import type { SecretInfo, Vault } from "../secrets/vault.ts";

/** What secrets are held against. */
export interface SecretCheckParts {
	readonly clock: Clock;
	readonly age_days_max: number;
	/** What runs; undefined where the configuration cannot be read. */
	plan(): Plan | undefined;
	/** What a server offered when it was asked last. */
	tools(server: string): readonly SaidTool[];
}

const day_ms = 86_400_000;

/** Everything that is the matter with secrets, the worst first. */
export async function checkSecrets(
	vault: Vault,
	parts: SecretCheckParts,
): Promise<SecretFinding[]> {
	const opened = await vault.open();
	const secrets = await vault.list();
	const servers = parts.plan()?.servers ?? [];
	return [
		...(opened.ok ? [] : [{ kind: "locked" as const, ...told(opened.problem) }]),
		...(await vault.damaged()).map((secret): SecretFinding => {
			const message = `The stored value of \`${secret}\` is damaged.`;
			return { kind: "damaged", secret, message, next: storeIt(secret) };
		}),
		...servers.flatMap((server) => missing(server, secrets)),
		...plain(parts.plan()),
		...servers.flatMap(inArguments),
		...servers.flatMap((server) => broad(server, parts.tools(server.name))),
		...shared(servers),
		...secrets.flatMap((secret) => old(secret, parts)),
		...secrets.flatMap((secret) => unused(secret, servers)),
	];
}

function told({ message, next }: { readonly message: string; readonly next: string }) {
	return { message, next };
}

function storeIt(secret: string): string {
	return `Store it: \`moorage secret set ${secret}\`.`;
}

function secretsOf(server: ServerPlan): string[] {
	const names = specReferences(server.spec).flatMap(({ kind, body }) =>
		kind === "secret" ? [body] : [],
	);
	return [...new Set(names)];
}

function missing(server: ServerPlan, secrets: readonly SecretInfo[]): SecretFinding[] {
	return secretsOf(server).flatMap((secret) => {
		const known = secrets.filter(({ name }) => name === secret);
		// Where everybody has an instance of their own, values may be there for some of them only.
		if (known.some(({ tenant }) => tenant === "" || server.scope !== "shared")) return [];
		const message = `\`${server.name}\` refers to the secret \`${secret}\`, which there is not.`;
		return [{ kind: "missing", secret, server: server.name, message, next: storeIt(secret) }];
	});
}

function plain(plan: Plan | undefined): SecretFinding[] {
	const literals = [...(plan?.held.keys() ?? [])].filter((key) => key.startsWith("${literal:"));
	return literals.map((key) => {
		const [server = "", part = "", name = ""] = key.slice("${literal:".length, -1).split("/");
		const file = plan?.source.path ?? "FILE";
		const message = `\`${name === "" ? part : name}\` of \`${server}\` stands in ${file} in plain text.`;
		return { kind: "plain", server, message, next: `Run \`moorage secret import ${file}\`.` };
	});
}

/** Every value of a server that opens something elsewhere, wherever it is kept. */
function credentialsOf(server: ServerPlan): string[] {
	return [...new Set(specReferences(server.spec).flatMap(credentialOf))];
}

/** What a reference to a credential is called; nothing where it refers to something else. */
function credentialOf(reference: Reference): string[] {
	const { kind, body } = reference;
	const name = body.slice(body.lastIndexOf("#") + 1);
	if (kind === "secret") return [body];
	const is_credential = kind === "vault" || kind === "literal" || callsSecret(name);
	return is_credential ? [referenceText(reference)] : [];
}

/** Every user of a machine can read the arguments of all that runs there. */
function inArguments({ name, spec }: ServerPlan): SecretFinding[] {
	return specTexts(spec).flatMap(({ place, text }) => {
		if (!place.startsWith("argument ")) return [];
		return referencesIn(text).flatMap((reference) => {
			const [credential] = credentialOf(reference);
			if (credential === undefined) return [];
			const secret = reference.kind === "secret" ? { secret: credential } : {};
			const message =
				`\`${credential}\` is in ${place} of \`${name}\`: every user of the machine can read ` +
				"arguments in the list of processes.";
			const next =
				"Give it to the program in `env`, or with `files` as the path of a file, where it takes that.";
			return [{ kind: "argument" as const, server: name, ...secret, message, next }];
		});
	});
}

/** Whoever may only read should not hold a credential that can change things. */
function broad(server: ServerPlan, tools: readonly SaidTool[]): SecretFinding[] {
	const credentials = credentialsOf(server);
	const reading = tools.filter((tool) => riskOf(tool.name, tool.annotations, []).risk === "read");
	const changing = tools.length - reading.length;
	if (credentials.length === 0 || reading.length === 0 || changing === 0) return [];
	const message =
		`${reading.length} tools of \`${server.name}\` that only read and ${changing} that change ` +
		`things share the credential ${credentials.map((text) => `\`${text}\``).join(", ")}.`;
	const next =
		"Add the server twice: once with a credential that can only read and `tools` that allow the " +
		"reading ones, once with the other.";
	return [{ kind: "broad", server: server.name, secret: secretsOf(server)[0], message, next }];
}

function shared(servers: readonly ServerPlan[]): SecretFinding[] {
	const users = new Map<string, string[]>();
	for (const server of servers) {
		for (const secret of secretsOf(server)) {
			users.set(secret, [...(users.get(secret) ?? []), server.name]);
		}
	}
	return [...users].flatMap(([secret, names]) => {
		if (names.length < 2) return [];
		const message = `\`${secret}\` is given to several servers: ${names.join(", ")}.`;
		const next = "Give each its own credential, so that one of them can be withdrawn alone.";
		return [{ kind: "shared" as const, secret, message, next }];
	});
}

function old(
	{ name: secret, changed_at_ms }: SecretInfo,
	{ clock, age_days_max }: SecretCheckParts,
): SecretFinding[] {
	const days = Math.floor((clock.now() - changed_at_ms) / day_ms);
	if (days < age_days_max) return [];
	const message = `The value of \`${secret}\` is ${days} days old.`;
	const next = `Make a new one where it comes from, then \`moorage secret rotate ${secret}\`.`;
	return [{ kind: "old", secret, message, next }];
}

function unused({ name: secret }: SecretInfo, servers: readonly ServerPlan[]): SecretFinding[] {
	if (servers.some((server) => secretsOf(server).includes(secret))) return [];
	const message = `No server refers to \`${secret}\`.`;
	return [{ kind: "unused", secret, message, next: `\`moorage secret rm ${secret}\` removes it.` }];
}
