import * as z from "zod";
import { login_schema } from "./schema-login.ts";

/** How a principal's part of a key is written: also a part of folder names and log lines. */
const principal_part = z
	.string()
	.regex(/^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/, "principal")
	.optional();

const api_key_schema = z.strictObject({
	name: z.string().min(1).describe("What people call the key: `alice-laptop`. Required."),
	hash: z
		.string("key-hash")
		.regex(/^sha256:[0-9a-f]{64}$/, "key-hash")
		.describe("Hash of the key, as `moorage key new` prints it. The key itself is kept nowhere."),
	tenant: principal_part.describe("The tenant its holder belongs to; `default` where not given."),
	user: principal_part.describe("The person it belongs to; the key's name where not given."),
	expires: z
		.string("date")
		.regex(/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?$/, "date")
		.optional()
		.describe("The day (`2027-01-31`), or the moment, from which on it is refused."),
});

/** Who may call: `identity` of moorage.yaml. */
export const identity_schema = z.strictObject({
	keys: z
		.array(api_key_schema)
		.default([])
		.describe("API keys, each of one person. With identity on, every call needs a credential."),
	login: login_schema
		.optional()
		.describe("An authorization server of its own, for people and clients without another one."),
});
