import { z } from "zod";

/** The configuration file, read and changed over the API. */

/** Longest configuration that is taken. */
export const config_chars_max = 1024 * 1024;

export const config_file_schema = z.object({
	path: z.string(),
	syntax: z.enum(["yaml", "json"]),
	text: z.string().describe("As it is on the disk, comments included."),
	etag: z.string().describe("Of this text: for `If-Match` when it is changed."),
	servers: z
		.array(z.object({ name: z.string(), line: z.int().positive() }))
		.describe("Where each server's entry begins, as far as that is known."),
});

export const config_text_schema = z.strictObject({ text: z.string().max(config_chars_max) });

/** Pasted by a person: a command, an address, or a configuration file of any client. */
export const pasted_schema = z.strictObject({
	text: z.string().min(1).max(config_chars_max),
});

export const proposed_server_schema = z.object({
	name: z.string().describe("A name that is free."),
	entry: z.looseObject({}).describe("What would be added."),
	runs: z
		.array(z.string())
		.optional()
		.describe("The program and its arguments, word by word; absent for an address."),
	url: z.string().optional(),
	asks: z
		.array(
			z.object({
				kind: z.enum(["env", "header", "argument", "url"]),
				name: z.string(),
				secret: z
					.boolean()
					.describe("Whether nobody should see it: it then belongs into the vault."),
				path: z
					.array(z.union([z.string(), z.int()]))
					.describe("The text of the entry that it is a part of."),
				before: z.string().describe("What stands before it in that text, such as `Bearer `."),
				after: z.string(),
				given: z.string().optional().describe("What was pasted; absent where it has to be given."),
				secret_name: z.string().max(128).describe("A name for it that is free in the vault."),
				stored: z
					.string()
					.optional()
					.describe("A secret of its natural name, where the vault has one already."),
			}),
		)
		.describe("Values that have to be given before it can run, and pasted secrets."),
	notes: z.array(z.string()).describe("Sentences worth reading before it is added."),
	taken: z.boolean().describe("Whether a server of the wanted name is there already."),
});

export const proposal_schema = z.object({ servers: z.array(proposed_server_schema) });

export const client_line_schema = z.object({
	id: z.string(),
	title: z.string(),
	command: z.string().describe("Does it on this machine."),
	file: z.string().describe("Where the client keeps its servers."),
	snippet: z.string().describe("What to paste there."),
});
export const client_lines_schema = z.object({ clients: z.array(client_line_schema) });
