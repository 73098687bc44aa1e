import { createHash } from "node:crypto";
import type { Changes } from "../../admin/contract.ts";
import type {
	DraftedSettings,
	ServerSettings,
	SettingsDraft,
} from "../../admin/contracts/server-page.ts";
import { type AdminProblem, problemOf } from "../../admin/problem.ts";
import {
	type EntryProblem,
	editEntry,
	fieldAt,
	formProblem,
	readEntry,
} from "../../config/edit-entry.ts";
import { entrySchema } from "../../config/entry-schema.ts";
import { canonicalJson } from "../../config/fingerprint.ts";
import type { Plan } from "../../config/plan.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import { readConfigFile } from "../dashboard/config-text.ts";

/** What a server's entry is read and drafted with. */
export interface SettingsParts {
	/** The configuration as it was applied last. */
	readonly config: Plan;
	/** What a text would change if it were the configuration. */
	plan(text: string): Promise<Result<Changes, AdminProblem>>;
}

/** A server's entry as it stands in the file now, for a form. */
export async function settingsOf(
	server: string,
	{ config }: SettingsParts,
): Promise<Result<ServerSettings, AdminProblem>> {
	const found = await entryOf(server, config);
	if (!found.ok) return found;
	const { path, entry, text, title } = found.value;
	const schema = entrySchema(config.source.format === "moorage" ? "moorage" : "client");
	const problem = formProblem(path, text, title);
	const why_text = problem && `${problem.message} ${problem.next}`;
	const settings = { server, path, entry, schema: { ...schema }, etag: etagOf(entry) };
	return succeed({ ...settings, ...(why_text !== undefined && { why_text }) });
}

/**
 * The file as it is now with another entry in it. Somebody else's change of the same entry is a
 * problem; their change of another one is kept.
 */
export async function draftSettings(
	server: string,
	{ entry, etag }: SettingsDraft,
	{ config, plan }: SettingsParts,
): Promise<Result<DraftedSettings, AdminProblem>> {
	const found = await entryOf(server, config);
	if (!found.ok) return found;
	if (etagOf(found.value.entry) !== etag) return fail(changed);
	const { path, title } = found.value;
	const edited = editEntry(path, found.value.text, title, entry);
	if (!edited.ok) return fail(problemFrom(edited.problem));
	const changes = await plan(edited.value);
	if (changes.ok) {
		return succeed({ text: edited.value, etag: found.value.etag, changes: changes.value });
	}
	const mistakes = changes.problem.config?.map((one) => {
		const field = one.line === 0 ? undefined : fieldAt(path, edited.value, title, one);
		return field === undefined ? one : { ...one, field };
	});
	return fail({ ...changes.problem, ...(mistakes && { config: mistakes }) });
}

interface FoundEntry {
	readonly path: string;
	/** The server's name as it stands in the file. */
	readonly title: string;
	readonly text: string;
	/** Of the whole file. */
	readonly etag: string;
	readonly entry: Readonly<Record<string, unknown>>;
}

async function entryOf(name: string, config: Plan): Promise<Result<FoundEntry, AdminProblem>> {
	const { path } = config.source;
	if (path === undefined) {
		return fail(problemOf("config_missing", "The gateway runs without a configuration file."));
	}
	const server = config.servers.find((one) => one.name === name);
	if (server === undefined) {
		const message = `There is no server named "${name}" in the configuration.`;
		return fail(problemOf("server_unknown", message));
	}
	const file = await readConfigFile(path);
	if (!file.ok) return file;
	const { text, etag } = file.value;
	const entry = readEntry(path, text, server.title);
	if (!entry.ok) return fail(problemFrom(entry.problem));
	return succeed({ path, title: server.title, text, etag, entry: entry.value });
}

function etagOf(entry: unknown): string {
	return createHash("sha256").update(canonicalJson(entry)).digest("base64url");
}

function problemFrom({ kind, message, next }: EntryProblem): AdminProblem {
	return { code: kind === "absent" ? "server_unknown" : "config_refused", message, next };
}

const changed = problemOf(
	"edited_meanwhile",
	"The settings of this server were changed by somebody else since they were read.",
);
