import type { Reply } from "../lib/api.ts";
import { isObject } from "../lib/tools.ts";

/** A value that an entry needs, or a secret that was pasted with it. */
export type Asked = Reply<"proposeServers">["servers"][number]["asks"][number];

/** The entry of a server on its way into the configuration. */
export type Entry = Readonly<Record<string, unknown>>;

/** What somebody says to one ask. */
export interface Answer {
	readonly value: string;
	/** Whether the secret that the vault has already is used. */
	readonly stored: boolean;
}

/** What was answered so far, by `keyOf` of the asks. */
export type Answers = Readonly<Record<string, Partial<Answer>>>;

/** Tells the asks of one entry apart. */
export function keyOf({ kind, name }: Asked): string {
	return `${kind} ${name}`;
}

/** What is said to an ask: what was typed, else what was pasted. */
export function answerOf(ask: Asked, answers: Answers): Answer {
	const given = answers[keyOf(ask)];
	return { value: given?.value ?? ask.given ?? "", stored: given?.stored ?? false };
}

/** The entry as it will be written: what is secret stands in the vault, and here by its name. */
export function filled(entry: Entry, asks: readonly Asked[], answers: Answers): Entry {
	return asks.reduce<Entry>((filling, ask) => {
		const { value, stored } = answerOf(ask, answers);
		const name = stored ? ask.stored : ask.secret_name;
		const text = ask.secret ? `\${secret:${name}}` : value;
		return withText(filling, ask.path, ask.before + text + ask.after) as Entry;
	}, entry);
}

/** What goes into the vault with it. */
export function newSecrets(asks: readonly Asked[], answers: Answers): Record<string, string> {
	const secrets = asks.flatMap((ask) => {
		const { value, stored } = answerOf(ask, answers);
		return ask.secret && !stored ? [[ask.secret_name, value] as const] : [];
	});
	return Object.fromEntries(secrets);
}

const secret_name_max = 128;

/** What the vault would call a value that a person adds; a pasted one gets the same name. */
export function naturalName(server: string, kind: "env" | "header", name: string): string {
	const word = name.replaceAll(/[^A-Za-z0-9]+/g, "_").replaceAll(/^_+|_+$/g, "");
	const generic = /^(authorization|token|password|secret|apikey|key)$/i.test(word);
	const part = kind === "env" ? "env" : "headers";
	const full = word === "" || generic ? `${server}_${word || part}` : word;
	return full.toLowerCase().slice(0, secret_name_max);
}

/**
 * The asks that a person added, each with a name for the vault that nothing has yet: neither
 * another ask of this server nor what is stored.
 */
export function withFreeNames(
	added: readonly Asked[],
	others: readonly Asked[],
	stored: readonly string[],
): Asked[] {
	const asked = others.filter(({ secret }) => secret).map(({ secret_name }) => secret_name);
	const taken = new Set([...asked, ...stored]);
	return added.map((ask) => {
		if (!ask.secret) return ask;
		const secret_name = freeName(ask.secret_name, taken);
		taken.add(secret_name);
		return { ...ask, secret_name };
	});
}

function freeName(wanted: string, taken: ReadonlySet<string>): string {
	let name = wanted;
	for (let number = 2; taken.has(name); number += 1) {
		const end = `-${number}`;
		name = wanted.slice(0, secret_name_max - end.length) + end;
	}
	return name;
}

function withText(value: unknown, path: readonly (string | number)[], text: string): unknown {
	const [key, ...rest] = path;
	if (key === undefined) return text;
	if (typeof key === "number") {
		const items = Array.isArray(value) ? (value as unknown[]) : [];
		return items.with(key, withText(items[key], rest, text));
	}
	const members = isObject(value) ? value : {};
	return { ...members, [key]: withText(members[key], rest, text) };
}
