import { z } from "zod";

/** The playground: calls made by hand, with everything that is said meanwhile. */

export const play_schema = z.strictObject({
	server: z.string().min(1).max(128),
	method: z.enum(["tools/call", "resources/read", "prompts/get"]),
	params: z.looseObject({}).describe("Of the request, as a client would send them."),
	as: z
		.strictObject({ tenant: z.string().min(1).max(64), user: z.string().min(1).max(64) })
		.optional()
		.describe("Whom the call is made for; the caller when absent. Admins only."),
});

export const answer_schema = z.strictObject({
	action: z.enum(["accept", "decline", "cancel"]),
	result: z.looseObject({}).optional().describe("The result of the question, when accepted."),
});
export const answered_schema = z.object({ answered: z.boolean() });

export const app_frame_schema = z.strictObject({
	server: z.string().min(1).max(128),
	uri: z.string().min(1).max(2048).describe("A `ui://` resource of the server."),
});
export const framed_schema = z.object({
	path: z.string().describe("Address of the frame; good for ten minutes."),
	notes: z.array(z.string()).describe("What it asked for and does not get."),
});
