import { readFileSync } from "node:fs";
import { Ajv, type ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";

/** Which way a message goes on its hop. */
export type Direction = "to-server" | "to-client";

/** One JSON-RPC message and what is known about how it was said. */
export interface WireMessage {
	readonly revision: string;
	readonly direction: Direction;
	readonly message: unknown;
	/** For a response: the request it answers, where that was seen. */
	readonly answers: WireRequest | undefined;
}

/** What of a request decides what may answer it. */
export interface WireRequest {
	readonly method: string;
	readonly params?: unknown;
}

interface Definition {
	readonly $ref?: string;
	readonly anyOf?: readonly Definition[];
	readonly properties?: { readonly method?: { readonly const?: string } };
}

/** The revisions that have a schema, oldest first. */
const revisions = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"];
const modern_revision = "2026-07-28";
const batch_revision = "2025-03-26";

const known = new Map<string, RevisionSchema>();

/**
 * What is wrong with a message by the schema of the revision spoken, or undefined. Methods that
 * the revision does not name (extensions) are held to the form of JSON-RPC alone.
 */
export function schemaComplaint(wire: WireMessage): string | undefined {
	const { message, revision } = wire;
	if (Array.isArray(message)) {
		if (revision !== batch_revision) return `batch: there are none at ${revision}`;
		return message
			.map((one) => schemaComplaint({ ...wire, message: one, answers: undefined }))
			.find((complaint) => complaint !== undefined);
	}
	return schemaOf(revision)?.complaint(wire);
}

function schemaOf(revision: string): RevisionSchema | undefined {
	if (!revisions.includes(revision)) return undefined;
	const schema = known.get(revision) ?? new RevisionSchema(revision);
	known.set(revision, schema);
	return schema;
}

/** The schema of one revision; each definition is compiled once, when it is first needed. */
class RevisionSchema {
	readonly #revision: string;
	readonly #ajv: Ajv | Ajv2020;
	readonly #definitions: Readonly<Record<string, Definition>>;
	readonly #root: string;
	readonly #validators = new Map<string, ValidateFunction>();
	/** Names of the definitions of what each side may send, by method. */
	readonly #sent: Readonly<Record<Direction, ReadonlyMap<string, string>>>;

	constructor(revision: string) {
		this.#revision = revision;
		const file = new URL(`../schema/${revision}.json`, import.meta.url);
		const schema = JSON.parse(readFileSync(file, "utf8")) as Record<
			"$defs" | "definitions",
			Record<string, Definition> | undefined
		>;
		this.#root = schema.$defs === undefined ? "definitions" : "$defs";
		this.#definitions = schema.$defs ?? schema.definitions ?? {};
		const options = {
			strict: false,
			formats: { uri: URL.canParse, "uri-template": true },
		} as const;
		this.#ajv = schema.$defs === undefined ? new Ajv(options) : new Ajv2020(options);
		this.#ajv.addFormat("byte", /^[A-Za-z0-9+/]*={0,2}$/u);
		this.#ajv.addSchema(schema, revision);
		this.#sent = {
			"to-server": this.#methodsOf("ClientRequest", "ClientNotification"),
			"to-client": this.#methodsOf("ServerRequest", "ServerNotification"),
		};
	}

	complaint({ message, direction, answers }: WireMessage): string | undefined {
		const { method, result, error } = (message ?? {}) as Record<string, unknown>;
		if (typeof method === "string") return this.#said(message, method, direction);
		const label = answers === undefined ? "a response" : `the answer to ${answers.method}`;
		if (error !== undefined) return this.#error(message, label);
		const response = this.#name("JSONRPCResultResponse", "JSONRPCResponse");
		const envelope = this.#check(response, message, label);
		if (envelope !== undefined || answers === undefined) return envelope;
		return this.#check(this.#resultName(answers, direction, result), result, label);
	}

	/** A request or a notification. */
	#said(message: unknown, method: string, direction: Direction): string | undefined {
		const request = (message as { id?: unknown }).id !== undefined;
		if (request && direction === "to-client" && this.#revision === modern_revision) {
			return `${method}: a server sends no requests at ${this.#revision}`;
		}
		const envelope = request ? "JSONRPCRequest" : "JSONRPCNotification";
		const complaint = this.#check(envelope, message, method);
		if (complaint !== undefined) return complaint;
		const definition = this.#sent[direction].get(method);
		if (definition !== undefined) return this.#check(definition, message, method);
		const other = direction === "to-server" ? "to-client" : "to-server";
		if (!this.#sent[other].has(method)) return undefined;
		return `${method}: not a message for this direction (${direction}) at ${this.#revision}`;
	}

	#error(message: unknown, label: string): string | undefined {
		// An error about a message whose id could not be read has the id null: JSON-RPC 2.0,
		// section 5. The schemas know only ids that are there.
		const { id } = message as { id?: unknown };
		const read = id === null ? { ...(message as object), id: 0 } : message;
		return this.#check(this.#name("JSONRPCErrorResponse", "JSONRPCError"), read, label);
	}

	/** The definition that a result must fit, by what it answers. */
	#resultName(request: WireRequest, direction: Direction, result: unknown): string {
		const { resultType } = (result ?? {}) as { resultType?: unknown };
		if (this.#revision === modern_revision && resultType !== "complete") {
			// Any other type belongs to an extension, such as a task in place of the result.
			return resultType === "input_required" ? "InputRequiredResult" : "Result";
		}
		if ((request.params as { task?: unknown } | undefined)?.task !== undefined) {
			if (this.#definitions["CreateTaskResult"] !== undefined) return "CreateTaskResult";
		}
		const asked = direction === "to-client" ? "to-server" : "to-client";
		const name = this.#sent[asked].get(request.method)?.replace(/Request$/u, "Result");
		if (name === undefined) return "Result";
		return this.#definitions[name] === undefined ? "EmptyResult" : name;
	}

	#name(name: string, older: string): string {
		return this.#definitions[name] === undefined ? older : name;
	}

	#check(name: string, value: unknown, label: string): string | undefined {
		const validate = this.#validator(name);
		if (validate(value)) return undefined;
		const where = `${label} does not fit ${name} of ${this.#revision}`;
		return `${where}: ${this.#ajv.errorsText(validate.errors, { dataVar: "" })}`;
	}

	#validator(name: string): ValidateFunction {
		const compiled = this.#validators.get(name);
		if (compiled !== undefined) return compiled;
		const $ref = `${this.#revision}#/${this.#root}/${name}`;
		const validate = this.#ajv.compile({ $ref });
		this.#validators.set(name, validate);
		return validate;
	}

	#methodsOf(...unions: readonly string[]): ReadonlyMap<string, string> {
		const methods = new Map<string, string>();
		for (const union of unions) {
			const { anyOf = [] } = this.#definitions[union] ?? {};
			const names = anyOf.map(({ $ref = "" }) => $ref.slice($ref.lastIndexOf("/") + 1));
			for (const name of names.length === 0 ? [union] : names) {
				const method = this.#definitions[name]?.properties?.method?.const;
				if (method !== undefined) methods.set(method, name);
			}
		}
		return methods;
	}
}
