import type { SecretList } from "../../admin/contracts/secrets.ts";
import type { ServerSecrets, UsedValue } from "../../admin/contracts/server-page.ts";
import type { ServerPlan } from "../../config/plan.ts";
import { specTexts } from "../../hosting/spec-values.ts";
import type { Environment } from "../../lib/environment.ts";
import { ownersIn } from "../../secrets/owned-reference.ts";
import { type Reference, referencesIn } from "../../secrets/template.ts";
import {
	envFileSource,
	environmentSource,
	fileSource,
	type ValueSource,
	valueOf,
} from "../../secrets/values.ts";

/** What the values of a server are looked for in. */
export interface UseParts {
	readonly environment: Environment;
	/** Names and ages in the vault; never values. */
	list(): Promise<SecretList>;
}

/** Every value that a server is given, by where it comes from. No value is ever in it. */
export async function usesOf(
	{ name, spec, scope }: ServerPlan,
	{ environment, list }: UseParts,
): Promise<ServerSecrets> {
	const places = new Map<string, { reference: Reference; places: string[] }>();
	for (const { place, text } of specTexts(spec)) {
		for (const reference of referencesIn(text)) {
			const key = `${reference.kind}:${reference.body}`;
			const known = places.get(key) ?? { reference, places: [] };
			if (!known.places.includes(place)) known.places.push(place);
			places.set(key, known);
		}
	}
	const { secrets, locked } = await list();
	const found = [...places.values()].map(async (one): Promise<UsedValue> => {
		const { kind, body } = one.reference;
		const head = { kind, name: body, places: one.places, values: [] };
		if (kind !== "secret") return { ...head, ...(await elsewhere(one.reference, environment)) };
		const values = secrets.filter((secret) => secret.name === body);
		return { ...head, values, ...inVault(body, values, scope) };
	});
	return {
		server: name,
		...(locked === undefined ? {} : { locked }),
		values: await Promise.all(found),
	};
}

type Presence = Pick<UsedValue, "present" | "note">;

function inVault(
	name: string,
	values: SecretList["secrets"],
	scope: ServerPlan["scope"],
): Presence {
	if (values.some(({ tenant }) => tenant === "")) return { present: "yes" };
	const store = `Store it here, or with \`moorage secret set ${name}\`.`;
	if (values.length === 0) return { present: "no", note: `It is not in the vault. ${store}` };
	if (scope !== "shared") {
		return { present: "some", note: "There are values for some people or tenants only." };
	}
	const message = "There are values for single people or tenants, and this server is everybody's.";
	return { present: "no", note: `${message} ${store}` };
}

/** Whether there is a value is found out as the server would, and the value let go at once. */
async function elsewhere(reference: Reference, environment: Environment): Promise<Presence> {
	if (ownersIn(reference).size > 0) {
		return { present: "unknown", note: "Each tenant or person has their own." };
	}
	const source = sourceOf(reference, environment);
	if (source !== undefined) {
		const use = { owner: {}, server: "" };
		const value = await valueOf(reference, { [reference.kind]: source }, use);
		if (value.ok) return { present: "yes" };
		return { present: "no", note: `${value.problem.message} ${value.problem.next}` };
	}
	switch (reference.kind) {
		case "literal":
			return {
				present: "yes",
				note: "It stands in the file in plain text. `moorage secret import FILE` moves it.",
			};
		case "vault":
			return { present: "unknown", note: "The other vault is asked when the server starts." };
		default:
			return { present: "yes", note: "It was asked for when Moorage was started." };
	}
}

function sourceOf({ kind }: Reference, environment: Environment): ValueSource | undefined {
	if (kind === "env") return environmentSource(environment);
	if (kind === "file") return fileSource();
	return kind === "envfile" ? envFileSource() : undefined;
}
