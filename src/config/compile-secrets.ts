import { isAbsolute, join, resolve } from "node:path";
import { isLoopbackHost } from "../lib/addresses.ts";
import type { Expander } from "./expander.ts";
import type { Placed } from "./located.ts";
import type { MasterKeyPlan, SecretsPlan } from "./plan.ts";
import type { Report } from "./report.ts";
import type { SecretsDraft } from "./secrets-form.ts";

/** What holds where a configuration says nothing of secrets. */
export const default_secrets: SecretsPlan = Object.freeze({
	master_key: Object.freeze({ kind: "file", path: undefined } as const),
	vault: undefined,
	age_days_max: 365,
	redact_results: false,
});

/** Turns the `secrets` of a draft into those of a plan; what is wrong goes to the report. */
export function compileSecrets(
	draft: SecretsDraft,
	options: {
		readonly expander: Expander;
		readonly report: Report;
		readonly base: string;
		readonly home: string;
	},
): SecretsPlan {
	const { vault, ...rest } = draft;
	const master_key = absolute(draft.master_key, options);
	if (vault === undefined) return { ...rest, master_key, vault: undefined };
	const { expander, report } = options;
	const address = expander.text(vault.address);
	const url = URL.parse(address);
	if (url === null || !["http:", "https:"].includes(url.protocol)) {
		const next = "Write it in full, for example `https://vault.example.com:8200`.";
		report.problem(vault.address.start, "The `address` is no http or https address.", next);
	} else if (url.protocol === "http:" && !isLoopbackHost(url.hostname)) {
		const message = "What opens the vault, and all values of it, would cross the network in clear.";
		const next = "Write an `https` address; `http` is for a vault or a proxy on this machine.";
		report.problem(vault.address.start, message, next);
	}
	const template = (placed: Placed, name: string) => {
		const text = expander.template(placed, { server: "vault", part: "vault", name });
		if (text.includes("${secret:") || text.includes("${vault:")) {
			const next = "Write `${env:VAULT_TOKEN}` or `${file:PATH}`.";
			report.problem(placed.start, "What opens the vault cannot come from a vault.", next);
		}
		return text;
	};
	const token = vault.token && template(vault.token, "token");
	const login = vault.login && {
		mount: vault.login.mount,
		role: mapped(vault.login.role, (placed) => expander.text(placed)),
		proof: mapped(vault.login.proof, template),
	};
	const { namespace, keep_ms } = vault;
	return { ...rest, master_key, vault: { address, token, login, namespace, keep_ms } };
}

function mapped(
	texts: Readonly<Record<string, Placed>>,
	read: (placed: Placed, name: string) => string,
): Record<string, string> {
	return Object.fromEntries(Object.entries(texts).map(([name, one]) => [name, read(one, name)]));
}

function absolute(
	key: MasterKeyPlan,
	{ base, home }: { readonly base: string; readonly home: string },
): MasterKeyPlan {
	if (key.kind !== "file" || key.path === undefined) return key;
	const { path } = key;
	if (path.startsWith("~/")) return { kind: "file", path: join(home, path.slice(2)) };
	return { kind: "file", path: isAbsolute(path) ? path : resolve(base, path) };
}
