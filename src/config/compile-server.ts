import { stat } from "node:fs/promises";
import { parseEnv } from "node:util";
import { referenceText } from "../secrets/template.ts";
import { read_limits } from "./defaults.ts";
import type { ContainerDraft, HttpDraft, OAuthDraft, ServerDraft, StdioDraft } from "./draft.ts";
import { checkExchangeIssuer, compileSubject } from "./exchange-form.ts";
import type { Expander } from "./expander.ts";
import { fingerprintOf } from "./fingerprint.ts";
import type { NamedText, Placed } from "./located.ts";
import type {
	ContainerSpec,
	HttpSpec,
	OAuthSpec,
	ServerPlan,
	ServerSpec,
	StdioSpec,
} from "./plan.ts";
import { resolvePreset } from "./presets/resolve.ts";
import { readBounded } from "./read-bounded.ts";
import type { Report } from "./report.ts";
import type { RunningPlan } from "./running.ts";

/** What compiling a server needs beside its draft. */
export interface CompileContext {
	readonly form: "moorage" | "client";
	readonly expander: Expander;
	readonly report: Report;
	/** The folder relative paths of the file start from. */
	readonly base: string;
}

/** Headers the gateway sets itself; a fixed value would break the connection. */
const owned_headers: ReadonlySet<string> = new Set([
	"accept",
	"connection",
	"content-length",
	"content-type",
	"host",
	"keep-alive",
	"last-event-id",
	"mcp-protocol-version",
	"mcp-session-id",
	"transfer-encoding",
	"upgrade",
]);

/** RFC 9110 section 5.6.2: the characters of a header's name. */
const header_name = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Builds the plan of one server; what is wrong goes to the report. */
export async function compileServer(
	draft: ServerDraft,
	context: CompileContext,
): Promise<ServerPlan> {
	const spec = await specOf(draft, context);
	const { name, title, scope, start, tools, timeouts } = draft;
	const running = compileRunning(draft, context);
	const plan = { name, title, spec, scope, start, tools, timeouts, ...running };
	return { ...plan, fingerprint: fingerprintOf(plan) };
}

async function specOf(draft: ServerDraft, context: CompileContext): Promise<ServerSpec> {
	switch (draft.driver) {
		case "http":
			return httpSpec(draft, context);
		case "stdio":
			return stdioSpec(draft, context);
		case "container":
			return containerSpec(draft, context);
	}
}

function compileRunning(draft: ServerDraft, { expander, base }: CompileContext): RunningPlan {
	const { running, sandbox_read, sandbox_write } = draft;
	const paths = (texts: readonly Placed[]) => texts.map((text) => expander.path(text, base));
	const sandbox = {
		...running.sandbox,
		read: [...running.sandbox.read, ...paths(sandbox_read)],
		write: [...running.sandbox.write, ...paths(sandbox_write)],
	};
	return { ...running, sandbox };
}

/** The characters of an image's name, tag and digest; see the OCI distribution specification. */
const image_pattern = /^[a-z0-9][a-zA-Z0-9._/:@-]{0,511}$/;

function containerSpec(draft: ContainerDraft, context: CompileContext): ContainerSpec {
	const { expander, report } = context;
	const image = expander.text(draft.image);
	if (!image_pattern.test(image)) {
		report.problem(
			draft.image.start,
			`The \`image\` of \`${draft.name}\` is not the name of a container image.`,
			"Write for example `ghcr.io/example/server:1.2.3`.",
		);
	}
	return {
		driver: "container",
		image,
		args: argsOf(draft, context),
		env: environmentOf(draft.name, draft.env, context),
		...(draft.runtime !== undefined && { runtime: expander.text(draft.runtime) }),
	};
}

async function stdioSpec(draft: StdioDraft, context: CompileContext): Promise<StdioSpec> {
	const { expander, base } = context;
	const cwd = draft.cwd === undefined ? base : expander.path(draft.cwd, base);
	const from_file = draft.env_file === undefined ? {} : await envFile(draft.env_file, context);
	const command = expander.text(draft.command);
	if (command === "") {
		context.report.problem(
			draft.command.start,
			`The \`command\` of \`${draft.name}\` is empty once its references are replaced.`,
			"Set the variable it refers to.",
		);
	}
	if (draft.cwd !== undefined) await warnMissingFolder(cwd, draft.cwd, context.report);
	return {
		driver: "stdio",
		command,
		args: argsOf(draft, context),
		env: { ...from_file, ...environmentOf(draft.name, draft.env, context) },
		...(draft.files.length > 0 && { files: filesOf(draft, context) }),
		cwd,
	};
}

/** Templates; the name of an option is what stands before its value. */
function argsOf({ name: server, args }: StdioDraft | ContainerDraft, context: CompileContext) {
	return args.map((arg, index) => {
		const before = args[index - 1]?.text ?? "";
		const option = /^--?[\w-]+$/.test(before) && !arg.text.startsWith("-") ? before : "";
		return context.expander.template(arg, { server, part: "args", name: option });
	});
}

/** What is in the files, by the variable that has the path of each. */
function filesOf({ name, env, files }: StdioDraft, context: CompileContext) {
	for (const file of files) {
		if (!env.some((one) => one.name === file.name)) continue;
		context.report.problem(
			file.name_start,
			`\`${file.name}\` stands in \`env\` and in \`files\`.`,
			"Remove one of them: a file sets the variable to its path.",
		);
	}
	return environmentOf(name, files, context);
}

function environmentOf(
	server: string,
	env: readonly NamedText[],
	context: CompileContext,
): Record<string, string> {
	const result: Record<string, string> = {};
	for (const { name, name_start, value } of env) {
		if (name === "" || /[=\0]/.test(name)) {
			context.report.problem(
				name_start,
				"The name of an environment variable cannot be empty or contain `=`.",
				"Correct the name.",
			);
		}
		result[name] = context.expander.template(value, { server, part: "env", name });
	}
	return result;
}

async function envFile(placed: Placed, context: CompileContext): Promise<Record<string, string>> {
	const path = context.expander.path(placed, context.base);
	const content = await readBounded(path, read_limits.env_file_bytes_max);
	if (!content.ok) {
		context.report.problem(
			placed.start,
			`The \`envFile\` ${content.problem}.`,
			"Correct the file or its path, or remove `envFile`.",
		);
		return {};
	}
	// Its values are read again when the server starts: the plan knows their names only.
	return Object.fromEntries(
		Object.keys(parseEnv(content.value)).map((name) => [
			name,
			referenceText({ kind: "envfile", body: `${path}#${name}` }),
		]),
	);
}

async function warnMissingFolder(path: string, placed: Placed, report: Report): Promise<void> {
	const is_folder = await stat(path).then(
		(found) => found.isDirectory(),
		() => false,
	);
	if (!is_folder) report.warn(placed.start, "The folder of `cwd` does not exist yet.");
}

function httpSpec(draft: HttpDraft, context: CompileContext): HttpSpec {
	const { name: server } = draft;
	const url = context.expander.template(draft.url, { server, part: "url", name: "" });
	const wrong = urlProblem(context.expander.sample(url, "x"));
	if (wrong !== undefined) {
		context.report.problem(
			draft.url.start,
			`The \`url\` of \`${draft.name}\` ${wrong.message}`,
			wrong.next,
		);
	}
	const headers: Record<string, string> = {};
	const seen = new Set<string>();
	for (const header of draft.headers) {
		const key = header.name.toLowerCase();
		if (!checkHeader(header, seen.has(key), context)) continue;
		seen.add(key);
		headers[header.name] = headerValue(server, header, context);
	}
	const auth = draft.auth && oauthSpec(server, draft.auth, url, context);
	if (draft.auth !== undefined && auth !== undefined) {
		checkExchangeIssuer(auth, draft.auth, context.report);
	}
	const transport = draft.transport === undefined ? {} : { transport: draft.transport };
	return { driver: "http", url, ...transport, headers, ...(auth !== undefined && { auth }) };
}

function oauthSpec(
	server: string,
	draft: OAuthDraft,
	url: string,
	{ expander, report }: CompileContext,
): OAuthSpec {
	const secret = (name: "client_secret" | "private_key") => {
		const placed = draft[name];
		return placed && expander.template(placed, { server, part: "auth", name });
	};
	const text = (placed: Placed | undefined) =>
		placed === undefined ? undefined : expander.text(placed);
	const spec: OAuthSpec = {
		grant: draft.grant,
		client_id: text(draft.client_id),
		client_secret: secret("client_secret"),
		private_key: secret("private_key"),
		client_metadata: text(draft.client_metadata),
		issuer: text(draft.issuer),
		scopes: draft.scopes,
		...(draft.provider !== undefined && { provider: draft.provider.text }),
		...(draft.subject !== undefined && {
			subject: compileSubject(server, draft.subject, expander, report),
		}),
	};
	if (draft.client_metadata !== undefined && !spec.client_metadata?.startsWith("https://")) {
		report.problem(
			draft.client_metadata.start,
			"The `client_metadata` is not an https address.",
			"Write the whole address at which the document is published.",
		);
	}
	const credential = draft.client_secret ?? draft.private_key;
	if (credential !== undefined && spec.client_id === undefined) {
		report.problem(
			credential.start,
			"There is a credential, but no `client_id` that it belongs to.",
			"Add the `client_id`, or remove the credential.",
		);
	}
	const { preset, tenant } = draft;
	if (preset === undefined) {
		if (tenant === undefined) return spec;
		report.problem(tenant.start, "`tenant` has no meaning without `preset`.", "Remove it.");
		return spec;
	}
	const address = expander.sample(url, "x");
	const choice = { preset: preset.text, url: address, tenant: text(tenant), spec };
	const resolved = resolvePreset(choice);
	if (resolved.ok) return resolved.value;
	const { key, message, next } = resolved.problem;
	report.problem((draft[key] ?? preset).start, message, next);
	return spec;
}

/** The address is never repeated: it may hold a token. */
function urlProblem(text: string): { message: string; next: string } | undefined {
	const url = URL.parse(text);
	if (url === null || !["http:", "https:"].includes(url.protocol)) {
		return {
			message: "is not an absolute http or https address.",
			next: "Write it in full, for example `https://example.com/mcp`.",
		};
	}
	if (url.username !== "" || url.password !== "") {
		return {
			message: "holds a user name or password.",
			next: "Send it as an `Authorization` header under `headers`.",
		};
	}
	return undefined;
}

function checkHeader(header: NamedText, twice: boolean, context: CompileContext): boolean {
	const { report } = context;
	if (!header_name.test(header.name)) {
		report.problem(
			header.name_start,
			"This is not the name of an HTTP header.",
			"Use letters, digits and `-`.",
		);
		return false;
	}
	if (twice) {
		report.problem(
			header.name_start,
			`The header \`${header.name}\` stands twice; upper and lower case are the same.`,
			"Remove one of them.",
		);
		return false;
	}
	if (!owned_headers.has(header.name.toLowerCase())) return true;
	if (context.form === "moorage") {
		report.problem(
			header.name_start,
			`The header \`${header.name}\` is set by Moorage itself.`,
			"Remove it.",
		);
	} else {
		report.warn(
			header.name_start,
			`The header \`${header.name}\` is set by Moorage itself and was left out.`,
		);
	}
	return false;
}

function headerValue(server: string, header: NamedText, context: CompileContext): string {
	const { expander } = context;
	const place = { server, part: "headers", name: header.name };
	const value = expander.template(header.value, place).trim();
	if (/[^\t\x20-\x7e\x80-\xff]/.test(expander.sample(value, "x").trim())) {
		context.report.problem(
			header.value.start,
			`The value of the header \`${header.name}\` holds a character that headers cannot carry.`,
			"Use one line of plain text.",
		);
	}
	return value;
}
