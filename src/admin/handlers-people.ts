import type { Context } from "hono";
import type { z } from "zod";
import type { Result } from "../lib/result.ts";
import {
	add_client_schema,
	add_key_schema,
	add_user_schema,
	change_user_schema,
} from "./contract-people.ts";
import type { people_operations } from "./operations-people.ts";
import { pageOf } from "./paging.ts";
import type { PeopleBackend } from "./people-backend.ts";
import { type AdminProblem, problemResponse } from "./problem.ts";
import { readBody } from "./read-body.ts";
import { json, outcome } from "./responses.ts";

/** Bodies describe one person, key or client. */
const body_bytes_max = 64 * 1024;

/** Everything about who may call. */
export function peopleHandlers(
	people: PeopleBackend,
): Record<keyof typeof people_operations, (context: Context) => Response | Promise<Response>> {
	const part = (context: Context, name: string) => context.req.param(name) as string;
	const personOf = (context: Context) => [part(context, "tenant"), part(context, "user")] as const;
	/** Reads the body, does something with it, and says what came of it. */
	async function posted<Schema extends z.ZodType>(
		context: Context,
		schema: Schema,
		status: 200 | 201,
		act: (body: z.infer<Schema>) => Promise<Result<unknown, AdminProblem>>,
	): Promise<Response> {
		const body = await readBody(context.req.raw, body_bytes_max, schema);
		if (!body.ok) return problemResponse(body.problem);
		return outcome(await act(body.value), status);
	}
	return {
		listUsers: (context) => listed(context, "users", people.users(), ({ id }) => id),
		addUser: (context) => posted(context, add_user_schema, 201, (body) => people.addUser(body)),
		changeUser: (context) =>
			posted(context, change_user_schema, 200, (body) =>
				people.changeUser(...personOf(context), body, context.req.header("if-match")),
			),
		removeUser: async (context) => outcome(await people.removeUser(...personOf(context))),
		endLogins: async (context) => outcome(await people.endLogins(...personOf(context))),
		listKeys: (context) =>
			listed(context, "keys", people.keys(), ({ source, name }) => `${source} ${name}`),
		addKey: (context) => posted(context, add_key_schema, 201, (body) => people.addKey(body)),
		removeKey: async (context) => outcome(await people.removeKey(part(context, "name"))),
		listOAuthClients: async (context) =>
			listed(context, "clients", await people.clients(), ({ client_id }) => client_id),
		addOAuthClient: (context) =>
			posted(context, add_client_schema, 201, (body) => people.addClient(body)),
		removeOAuthClient: async (context) =>
			outcome(await people.removeClient(part(context, "client"))),
		listGrants: async (context) => listed(context, "grants", await people.grants(), ({ id }) => id),
		removeGrant: async (context) => outcome(await people.removeGrant(part(context, "id"))),
	};
}

/** A list, or the page of it that is asked for. */
function listed<Item>(
	context: Context,
	member: string,
	items: readonly Item[],
	placeOf: (item: Item) => string,
): Response {
	const page = pageOf(context, items, placeOf);
	if (!page.ok) return problemResponse(page.problem);
	const { items: shown, next } = page.value;
	return json({ [member]: shown, ...(next !== undefined && { next }) });
}
