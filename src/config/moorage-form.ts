import { Amounts } from "./amounts.ts";
import { readApprovalWebhooks } from "./approval-webhooks.ts";
import { readApprovals } from "./approvals-form.ts";
import { splitCommand } from "./command-line.ts";
import { default_scope, ranges } from "./defaults.ts";
import type {
	ContainerDraft,
	Draft,
	EndpointDraft,
	HttpDraft,
	OAuthDraft,
	ServerDraft,
	StdioDraft,
} from "./draft.ts";
import { readAudit, readCalls } from "./evidence-form.ts";
import { checkExchange, readSubject } from "./exchange-form.ts";
import { readFront } from "./front.ts";
import { readIdentity } from "./identity-form.ts";
import { reportIssues } from "./issues.ts";
import { moorageJsonSchema, type SchemaNode } from "./json-schema.ts";
import {
	type Located,
	type LocatedEntry,
	type LocatedScalar,
	member,
	namedTexts,
	type Placed,
	placed,
	placedItems,
	placedMember,
	plainValue,
} from "./located.ts";
import { readObserving } from "./observing-form.ts";
import type { Limits, Scope, ServerTimeouts, ToolFilter } from "./plan.ts";
import { readPolicy } from "./policy-form.ts";
import { presets } from "./presets/presets.ts";
import type { Report } from "./report.ts";
import { declared_running } from "./running.ts";
import { RunningReader, sandboxPaths } from "./running-form.ts";
import { type MoorageForm, moorage_schema, type ServerForm, type ToolsForm } from "./schema.ts";
import { readSecrets } from "./secrets-form.ts";
import { checkServerName } from "./server-names.ts";
import { checkSharedAccount } from "./shared-account.ts";

/** Of these each server has one; it says of which kind the server is. */
const owner_keys = ["command", "url", "image"] as const;

/** Keys that only some kinds of servers have. */
const owned_keys: Readonly<Record<string, readonly string[]>> = {
	args: ["command", "image"],
	env: ["command", "image"],
	files: ["command"],
	cwd: ["command"],
	headers: ["url"],
	transport: ["url"],
	auth: ["url"],
	oauth: ["url"],
	runtime: ["image"],
	packages: ["command"],
	limits: ["command", "image"],
	sandbox: ["command", "image"],
	untrusted: ["command", "image"],
};

/** Reads moorage.yaml's form; undefined when its shape is wrong, with the report saying how. */
export function readMoorageForm(root: Located, report: Report): Draft | undefined {
	reportNames(root, report);
	const checked = moorage_schema.safeParse(plainValue(root));
	if (!checked.success) {
		reportIssues(report, root, checked.error.issues, knownKeys);
		return undefined;
	}
	const form = checked.data;
	const reader = new FormReader(root, report);
	const approvals = readApprovals(form.approvals, root, report);
	const draft: Draft = {
		form: "moorage",
		servers: reader.servers(form),
		endpoints: reader.endpoints(form),
		listen: placedMember(root, "listen"),
		data: placedMember(root, "data"),
		allowed_hosts: listOf(root, "allowed_hosts"),
		allowed_origins: listOf(root, "allowed_origins"),
		sse: form.sse === "on",
		identity: readIdentity(form.identity, root, report),
		front: readFront(root),
		limits: reader.limits(form.limits),
		calls: readCalls(form.calls, root, report),
		audit: readAudit(form.audit, root, report),
		policy: readPolicy(form, root, report, approvals),
		observing: readObserving(form, root, report),
		approvals,
		approval_webhooks: readApprovalWebhooks(form.approvals, root, report),
		secrets: readSecrets(form.secrets, root, report),
		inputs: [],
	};
	return report.failed ? undefined : draft;
}

/** The keys that may stand at a path, for suggestions. */
export function knownKeys(path: readonly PropertyKey[]): readonly string[] {
	let nodes: readonly SchemaNode[] = [moorageJsonSchema()];
	for (const step of path) nodes = nodes.flatMap((node) => childrenOf(node, String(step)));
	return nodes.flatMap((node) => [node, ...(node.anyOf ?? [])].flatMap(propertiesOf));
}

function childrenOf(node: SchemaNode, step: string): SchemaNode[] {
	const forms = [node, ...(node.anyOf ?? [])];
	return forms.flatMap(({ properties, additionalProperties, items }) => {
		if (properties !== undefined && Object.hasOwn(properties, step)) return properties[step] ?? [];
		if (typeof additionalProperties === "object") return additionalProperties;
		return items ?? [];
	});
}

function propertiesOf(node: SchemaNode): string[] {
	return Object.keys(node.properties ?? {});
}

function reportNames(root: Located, report: Report): void {
	const servers = entriesOf(root, "servers");
	const endpoints = entriesOf(root, "endpoints");
	for (const entry of [...servers, ...endpoints]) {
		const wrong = checkServerName(entry.key);
		if (wrong !== undefined) report.problem(entry.key_start, wrong.message, wrong.next);
	}
	for (const entry of endpoints) {
		if (servers.every((server) => server.key !== entry.key)) continue;
		report.problem(
			entry.key_start,
			`\`${entry.key}\` is the name of a server already, so the address is taken.`,
			"Choose another name for the endpoint.",
		);
	}
}

function entriesOf(root: Located, key: string): readonly LocatedEntry[] {
	const value = member(root, key)?.value;
	return value?.kind === "map" ? value.entries : [];
}

function listOf(root: Located, key: string): Placed[] | undefined {
	const value = member(root, key)?.value;
	return value === undefined ? undefined : placedItems(value);
}

/** Reads the parts of a file whose shape has been checked. */
class FormReader {
	readonly #root: Located;
	readonly #report: Report;
	readonly #amounts: Amounts;
	readonly #running: RunningReader;

	constructor(root: Located, report: Report) {
		this.#root = root;
		this.#report = report;
		this.#amounts = new Amounts(root, report);
		this.#running = new RunningReader(root, report);
	}

	servers(form: MoorageForm): ServerDraft[] {
		const drafts = entriesOf(this.#root, "servers").map((entry) => {
			const checked = form.servers[entry.key];
			const identity = form.identity !== undefined;
			return checked === undefined ? undefined : this.#server(entry, checked, identity);
		});
		return drafts.filter((draft) => draft !== undefined);
	}

	#server(entry: LocatedEntry, form: ServerForm, identity: boolean): ServerDraft | undefined {
		const paths = sandboxPaths(entry.value);
		const { sandbox } = declared_running;
		const base = {
			name: entry.key,
			title: entry.key,
			name_start: entry.key_start,
			scope: form.scope ?? default_scope[identity ? "with_identity" : "without_identity"],
			start: form.start,
			tools: toolFilter(form.tools),
			timeouts: this.#timeouts(entry.key, form.timeouts),
			running: this.#running.read(form, ["servers", entry.key], sandbox),
			sandbox_read: paths.read,
			sandbox_write: paths.write,
		};
		this.#checkReplicas(entry, form, base.scope);
		const owner = this.#presetServer(entry, form) ?? this.#ownerOf(entry);
		if (owner === undefined) return undefined;
		this.#refuseForeign(entry, owner.key);
		switch (owner.key) {
			case "url":
				return this.#http(base, entry, form, { identity, address: owner.value });
			case "image":
				return this.#container(base, entry, owner);
			default:
				return this.#stdio(base, entry, owner);
		}
	}

	/** The service's own server, where a preset is named and nothing else says what server it is. */
	#presetServer({ value }: LocatedEntry, form: ServerForm): LocatedEntry | undefined {
		if (owner_keys.some((key) => member(value, key) !== undefined)) return undefined;
		const url = presets[form.oauth?.preset ?? ""]?.mcp?.url;
		const named = member(member(value, "oauth")?.value, "preset");
		if (url === undefined || named === undefined) return undefined;
		const { start } = named.value;
		const scalar = { kind: "scalar" as const, start, value: url, text: url, exact: undefined };
		return { key: "url", key_start: named.key_start, value: scalar };
	}

	/** Copies make sense only where several callers share them, and where they may all be. */
	#checkReplicas(entry: LocatedEntry, form: ServerForm, scope: Scope): void {
		const { replicas, max_instances } = form;
		const start = member(entry.value, "replicas")?.key_start ?? entry.key_start;
		if (replicas > max_instances) {
			this.#report.problem(
				start,
				`There may be ${max_instances} instances (\`max_instances\`), and not ${replicas} replicas.`,
				"Write fewer `replicas`, or a larger `max_instances`.",
			);
		}
		if (replicas === 1 || scope === "shared") return;
		this.#report.problem(
			start,
			`\`replicas\` has no meaning with \`scope: ${scope}\`: each caller has an instance.`,
			"Remove it, or set `scope: shared`.",
		);
	}

	/** The one key that says what kind of server it is. */
	#ownerOf(entry: LocatedEntry): LocatedEntry | undefined {
		const found = owner_keys.flatMap((key) => member(entry.value, key) ?? []);
		const [first, second] = found;
		if (first === undefined) {
			this.#report.problem(
				entry.key_start,
				`The server \`${entry.key}\` has neither \`command\` nor \`url\` nor \`image\`.`,
				"Add the one that says how to run or reach it.",
			);
			return undefined;
		}
		if (second !== undefined) {
			this.#report.problem(
				second.key_start,
				`The server \`${entry.key}\` has both \`${first.key}\` and \`${second.key}\`.`,
				"Keep one of them, or make it two servers.",
			);
			return undefined;
		}
		return first;
	}

	/** Keys that mean nothing for this kind of server are a mistake worth stopping at. */
	#refuseForeign(entry: LocatedEntry, owner: string): void {
		for (const [key, owners] of Object.entries(owned_keys)) {
			const found = owners.includes(owner) ? undefined : member(entry.value, key);
			if (found === undefined) continue;
			const wanted = owners.map((one) => `\`${one}\``).join(" or ");
			this.#report.problem(
				found.key_start,
				`\`${key}\` has no meaning for a server without ${wanted}.`,
				"Remove it.",
			);
		}
	}

	#container(
		base: Omit<ContainerDraft, "driver" | "image" | "args" | "env" | "runtime">,
		entry: LocatedEntry,
		image: LocatedEntry,
	): ContainerDraft {
		return {
			...base,
			driver: "container",
			image: placedMember(entry.value, image.key) as Placed,
			args: placedItems(member(entry.value, "args")?.value),
			env: namedTexts(member(entry.value, "env")?.value),
			runtime: placedMember(entry.value, "runtime"),
		};
	}

	#http(
		base: Omit<HttpDraft, "driver" | "url" | "headers" | "transport" | "auth">,
		entry: LocatedEntry,
		form: ServerForm,
		{ identity, address }: { readonly identity: boolean; readonly address: Located },
	): HttpDraft {
		const url = placed(address as LocatedScalar);
		const headers = namedTexts(member(entry.value, "headers")?.value);
		const transport = placedMember(entry.value, "transport")?.text === "sse" ? "sse" : undefined;
		const auth = this.#oauth(entry, form);
		if (auth !== undefined) {
			const { scope } = base;
			const { grant } = auth;
			const account = form.oauth?.account;
			checkSharedAccount({ entry, grant, account, scope, identity }, this.#report);
			checkExchange({ auth, entry, scope, identity }, this.#report);
		}
		return { ...base, driver: "http", url, headers, transport, auth };
	}

	#oauth(entry: LocatedEntry, form: ServerForm): OAuthDraft | undefined {
		const found = member(entry.value, "oauth");
		if (form.auth === undefined) {
			if (found !== undefined) {
				this.#report.problem(
					found.key_start,
					"`oauth` has no meaning without `auth: oauth`.",
					"Add it, or remove `oauth`.",
				);
			}
			return undefined;
		}
		const text = (key: string) =>
			found === undefined ? undefined : placedMember(found.value, key);
		return {
			grant: form.oauth?.grant ?? "authorization_code",
			client_id: text("client_id"),
			client_secret: text("client_secret"),
			private_key: text("private_key"),
			client_metadata: text("client_metadata"),
			issuer: text("issuer"),
			scopes: form.oauth?.scopes ?? [],
			preset: text("preset"),
			tenant: text("tenant"),
			provider: text("provider"),
			subject: readSubject(found && member(found.value, "subject")?.value),
		};
	}

	#stdio(
		base: Omit<StdioDraft, "driver" | "command" | "args" | "env" | "env_file" | "files" | "cwd">,
		entry: LocatedEntry,
		command: LocatedEntry,
	): StdioDraft | undefined {
		const words = this.#words(command.value);
		if (words === undefined) return undefined;
		const [program, ...args] = words;
		if (program === undefined || program.text === "") {
			this.#report.problem(
				command.value.start,
				`\`servers.${entry.key}.command\` names no program.`,
				"Write the program to run, for example `npx -y PACKAGE`.",
			);
			return undefined;
		}
		return {
			...base,
			driver: "stdio",
			command: program,
			args: [...args, ...placedItems(member(entry.value, "args")?.value)],
			env: namedTexts(member(entry.value, "env")?.value),
			env_file: undefined,
			files: namedTexts(member(entry.value, "files")?.value),
			cwd: placedMember(entry.value, "cwd"),
		};
	}

	#words(command: Located): Placed[] | undefined {
		if (command.kind !== "scalar") return placedItems(command);
		const whole = placed(command);
		const split = splitCommand(whole.text);
		if (split.ok) return split.words.map((one) => wordOf(whole, one));
		const start = whole.exact === undefined ? whole.start : whole.exact + split.index;
		this.#report.problem(
			start,
			"The quote that starts here is never closed.",
			"Close it, or write `command` as a list.",
		);
		return undefined;
	}

	#timeouts(server: string, form: ServerForm["timeouts"]): ServerTimeouts {
		const path = ["servers", server, "timeouts"];
		return {
			start_ms: this.#duration(form.start, [...path, "start"]),
			call_ms: this.#duration(form.call, [...path, "call"]),
			stop_ms: this.#duration(form.stop, [...path, "stop"]),
		};
	}

	endpoints(form: MoorageForm): EndpointDraft[] {
		return entriesOf(this.#root, "endpoints").map((entry) => {
			const servers = placedItems(member(entry.value, "servers")?.value);
			for (const [index, server] of servers.entries()) {
				this.#checkMember(form, server, servers.slice(0, index));
			}
			return {
				name: entry.key,
				name_start: entry.key_start,
				servers,
				tools: toolFilter(form.endpoints[entry.key]?.tools ?? []),
			};
		});
	}

	#checkMember(form: MoorageForm, server: Placed, before: readonly Placed[]): void {
		if (!Object.hasOwn(form.servers, server.text)) {
			const names = Object.keys(form.servers);
			this.#report.problem(
				server.start,
				`There is no server \`${server.text}\` under \`servers\`.`,
				names.length === 0
					? "Add it there."
					: `Name one of: ${names.map((name) => `\`${name}\``).join(", ")}.`,
			);
		} else if (before.some((other) => other.text === server.text)) {
			this.#report.problem(
				server.start,
				`The server \`${server.text}\` is listed twice.`,
				"Remove one of them.",
			);
		}
	}

	limits(form: MoorageForm["limits"]): Limits {
		return {
			body_bytes_max: this.#size(form.body, ["limits", "body"]),
			header_bytes_max: this.#size(form.headers, ["limits", "headers"]),
			reply_bytes_max: this.#size(form.reply, ["limits", "reply"]),
			requests_in_flight_max: form.requests_in_flight,
			sessions_max: form.sessions,
			calls_per_server_max: form.calls_per_server,
			list_wait_ms: this.#duration(form.list_wait, ["limits", "list_wait"]),
			request_read_ms: this.#duration(form.request_read, ["limits", "request_read"]),
		};
	}

	#duration(text: string, path: readonly string[]): number {
		return this.#amounts.duration(text, ranges.duration_ms, path);
	}

	#size(text: string, path: readonly string[]): number {
		return this.#amounts.size(text, ranges.bytes, path);
	}
}

function wordOf(whole: Placed, word: { text: string; index: number }): Placed {
	if (whole.exact === undefined) return { text: word.text, start: whole.start, exact: undefined };
	const start = whole.exact + word.index;
	const exact = whole.text.startsWith(word.text, word.index) ? start : undefined;
	return { text: word.text, start, exact };
}

function toolFilter(form: ToolsForm | ServerForm["tools"]): ToolFilter {
	if (Array.isArray(form)) return { allow: form, deny: [] };
	const { allow, deny } = form as { allow: string[]; deny: string[] };
	return { allow, deny };
}
