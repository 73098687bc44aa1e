import type { Preset } from "./preset.ts";

/** Clients of its MCP server register with a name, and have no secret. */
export const stripe: Preset = {
	title: "Stripe",
	documentation: "https://docs.stripe.com/mcp",
	mcp: {
		url: "https://mcp.stripe.com",
		hosts: ["mcp.stripe.com"],
		issuer: "https://access.stripe.com/mcp",
		registration: "by_itself",
		scopes: [],
	},
};
