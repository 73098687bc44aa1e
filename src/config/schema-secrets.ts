import * as z from "zod";
import { duration_pattern } from "./units.ts";

const duration = z.string("duration").regex(duration_pattern, "duration");

const auth_mount = z
	.string()
	.regex(/^[A-Za-z0-9][A-Za-z0-9/_-]{0,127}$/)
	.describe("The path of the auth method.");

/** The vault and its sources: `secrets` of moorage.yaml. */
export const secrets_schema = z.strictObject({
	master_key: z
		.strictObject({
			file: z
				.string()
				.optional()
				.describe("A file of its owner alone; it is made at the first start. `~/` is possible."),
			env: z.string().optional().describe("An environment variable with the key."),
			keyring: z
				.string()
				.optional()
				.describe("The entry of that name in the keyring of the operating system."),
			command: z
				.array(z.string())
				.min(1)
				.optional()
				.describe("A program and its arguments that prints the key. There is no shell."),
		})
		.default({})
		.describe(
			"Where the key is that all secrets are sealed with: one of these. By default the file `keys/master-key` of the data folder.",
		),
	vault: z
		.strictObject({
			address: z.string().describe("Its address, such as `https://vault.example.com:8200`."),
			token: z
				.string()
				.optional()
				.describe("The token to read with: `${env:VAULT_TOKEN}`, or `${file:PATH}` of an agent's."),
			approle: z
				.strictObject({
					role_id: z.string().describe("The id of the role."),
					secret_id: z.string().describe("What proves it: `${env:NAME}` or `${file:PATH}`."),
					mount: auth_mount.default("approle"),
				})
				.optional()
				.describe("Moorage logs in with AppRole, in the place of a `token`."),
			kubernetes: z
				.strictObject({
					role: z.string().describe("The role that the service account has there."),
					token: z
						.string()
						.default("${file:/var/run/secrets/kubernetes.io/serviceaccount/token}")
						.describe("The token of the service account."),
					mount: auth_mount.default("kubernetes"),
				})
				.optional()
				.describe("Moorage logs in as the service account of its pod, in the place of a `token`."),
			jwt: z
				.strictObject({
					role: z.string().describe("The role that the token is for."),
					token: z.string().describe("The token: `${env:NAME}` or `${file:PATH}`."),
					mount: auth_mount.default("jwt"),
				})
				.optional()
				.describe("Moorage logs in with a JWT of somebody else, in the place of a `token`."),
			namespace: z.string().optional().describe("The namespace to read in."),
			keep: duration
				.default("5m")
				.describe("How long a value is used before it is asked for again."),
		})
		.optional()
		.describe("A HashiCorp Vault or an OpenBao for `${vault:MOUNT/PATH#FIELD}`, KV version 2."),
	age_days_max: z
		.int()
		.min(1)
		.max(36_500)
		.default(365)
		.describe("Days after which an unchanged secret is warned of."),
	redact_results: z
		.enum(["on", "off"])
		.default("off")
		.describe("Whether secrets are taken out of what servers answer to clients, too."),
});
