import { parseEnv } from "node:util";
import type { Environment } from "../lib/environment.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { bodyFor } from "./owned-reference.ts";
import { readSecretFile } from "./secret-file.ts";
import type { Reference, ReferenceKind } from "./template.ts";

/** Whose value is wanted: that of a person, else of their tenant, else everybody's. */
export interface ValueOwner {
	readonly tenant?: string | undefined;
	readonly user?: string | undefined;
}

/** Why a value cannot be had. Never holds the value, nor any other. */
export interface ValueProblem {
	readonly message: string;
	/** What to do about it. */
	readonly next: string;
	/** For the log only. */
	readonly detail?: string | undefined;
}

/** Who asks, so that the use of a secret is on record. */
export interface ValueUse {
	readonly owner: ValueOwner;
	/** The server that names it. */
	readonly server: string;
	/** What was known before was refused: where values stand elsewhere, they are asked for anew. */
	readonly fresh?: boolean | undefined;
}

/** Where values of one kind come from. */
export interface ValueSource {
	get(body: string, use: ValueUse): Promise<Result<string, ValueProblem>>;
}

/** Where the values of references come from, by their kind. */
export type ValueSources = Readonly<Partial<Record<ReferenceKind, ValueSource>>>;

/** The value that a reference stands for. */
export async function valueOf(
	reference: Reference,
	sources: ValueSources,
	use: ValueUse,
): Promise<Result<string, ValueProblem>> {
	const source = sources[reference.kind];
	if (source !== undefined) {
		const body = bodyFor(reference, use.owner);
		return body.ok ? source.get(body.value, use) : body;
	}
	return fail({
		message: `There is nothing that \`\${${reference.kind}:…}\` could be read from here.`,
		next: "Write the reference in another way.",
	});
}

/** Values of the gateway's own environment. */
export function environmentSource(environment: Environment): ValueSource {
	return {
		get: (name) =>
			Promise.resolve(
				found(environment[name], {
					message: `The environment variable \`${name}\` is not set.`,
					next: "Set it before starting Moorage.",
				}),
			),
	};
}

/** Values held in memory: answers to questions, and texts of other clients' files. */
export function heldSource(
	kind: ReferenceKind,
	held: (body: string) => string | undefined,
): ValueSource {
	const what = kind === "input" ? "answer to the input" : "value of";
	return {
		get: (body) =>
			Promise.resolve(
				found(held(body), {
					message: `There is no ${what} \`${body}\` any more.`,
					next: "Reload the configuration, or start Moorage again.",
				}),
			),
	};
}

/** What is in files; the newline at the end of one is not part of its value. */
export function fileSource(): ValueSource {
	return {
		async get(path) {
			const text = await readSecretFile(path);
			return text.ok ? succeed(text.value.replace(/\r?\n$/, "")) : text;
		},
	};
}

/** Single variables of `.env` files: the path, `#`, and the variable's name. */
export function envFileSource(): ValueSource {
	return {
		async get(body) {
			const at = body.lastIndexOf("#");
			const [path, name] = [body.slice(0, at), body.slice(at + 1)];
			const text = await readSecretFile(path);
			if (!text.ok) return text;
			return found(parseEnv(text.value)[name], {
				message: `The file ${path} has no variable \`${name}\` any more.`,
				next: "Put it in, or reload the configuration.",
			});
		},
	};
}

function found(value: string | undefined, problem: ValueProblem): Result<string, ValueProblem> {
	return value === undefined ? fail(problem) : succeed(value);
}
