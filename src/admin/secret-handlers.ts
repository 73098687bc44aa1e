import type { Context } from "hono";
import { rotate_master_schema, set_secret_schema } from "./contracts/secrets.ts";
import type { Handler } from "./handlers.ts";
import { problemResponse } from "./problem.ts";
import { readBody } from "./read-body.ts";
import { json, outcome } from "./responses.ts";
import type { SecretBackend } from "./secret-backend.ts";
import type { secret_operations } from "./secret-operations.ts";

/** A value has at most 64 KiB; escaped as JSON it may be six times as long. */
const body_bytes_max = 512 * 1024;

/** A handler for every operation of the vault. */
export function createSecretHandlers(
	secrets: SecretBackend,
): Record<keyof typeof secret_operations, Handler> {
	return {
		listSecrets: async () => json(await secrets.list()),
		checkSecrets: async () => json({ findings: await secrets.check() }),
		async setSecret(context) {
			const body = await readBody(context.req.raw, body_bytes_max, set_secret_schema);
			if (!body.ok) return problemResponse(body.problem);
			const { value, tenant = "", user = "" } = body.value;
			const expected =
				context.req.header("if-none-match") === "*" ? "absent" : context.req.header("if-match");
			const secret = { name: nameOf(context), tenant, user, value };
			return outcome(await secrets.set(secret, expected));
		},
		async removeSecret(context) {
			const [tenant, user] = [context.req.query("tenant"), context.req.query("user")];
			const scope = { tenant: tenant ?? "", user: user ?? "" };
			return outcome(await secrets.remove({ name: nameOf(context), ...scope }));
		},
		async rotateMasterKey(context) {
			const body = await readBody(context.req.raw, body_bytes_max, rotate_master_schema);
			if (!body.ok) return problemResponse(body.problem);
			return outcome(await secrets.rotateMaster(body.value.key));
		},
	};
}

function nameOf(context: Context): string {
	return context.req.param("name") as string;
}
