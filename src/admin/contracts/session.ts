import { z } from "zod";

/** Who is signed in, and how pages keep it: the part of the contract about sessions. */

export const admin_role_schema = z.enum(["admin", "operator", "auditor", "approver", "member"]);

export const open_session_schema = z.union([
	z.strictObject({ link: z.string().min(1).max(256).describe("Token of a one-time link.") }),
	z.strictObject({
		credential: z.string().min(1).max(16_384).describe("The admin token, an API key or a token."),
	}),
	z.strictObject({
		name: z.string().min(1).max(256).describe("Of a person, with the tenant where it is needed."),
		password: z.string().min(1).max(4096),
	}),
]);

export const sign_in_ways_schema = z.object({
	accounts: z.boolean().describe("Whether people sign in with a name and a password."),
	providers: z
		.array(z.object({ name: z.string(), title: z.string() }))
		.describe("Identity providers; browsers begin there at `/sign-in/with/NAME`."),
});

export const session_schema = z.object({
	principal: z.string().describe("Who it is: the id of a principal, or `admin`."),
	tenant: z.string(),
	user: z.string(),
	roles: z.array(admin_role_schema),
	csrf: z
		.string()
		.optional()
		.describe("Value of the `x-moorage-csrf` header; only where a cookie signs in."),
	expires_at_ms: z.int().optional(),
	version: z.string().describe("Moorage's own version."),
	identity: z.boolean().describe("Whether people are told apart on MCP addresses."),
});

export const session_summary_schema = z.object({
	id: z.string(),
	principal: z.string(),
	created_at_ms: z.int(),
	expires_at_ms: z.int(),
	current: z.boolean().describe("Whether it is the one that asks."),
});
export const sessions_schema = z.object({ sessions: z.array(session_summary_schema) });

export const link_schema = z.object({
	url: z.string().describe("Opens the dashboard, signed in. Good once."),
	expires_at_ms: z.int(),
});

export const my_servers_schema = z.object({
	servers: z.array(
		z.object({
			name: z.string(),
			url: z.string().describe("MCP address."),
			tools: z.array(z.string()).describe("Tools that whoever asks may see."),
		}),
	),
});

export const ended_schema = z.object({ ended: z.boolean() });
export const signed_out_schema = ended_schema.extend({
	elsewhere: z
		.object({
			title: z.string().describe("What the provider is called."),
			url: z.string().describe("Its page that ends the session there; for the browser to go to."),
		})
		.optional()
		.describe("Where the person signed in, if that was at a provider that can sign them out."),
});
