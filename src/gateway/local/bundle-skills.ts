import type { ServerPlan } from "../../config/plan.ts";
import { meta_keys } from "../../protocol/meta.ts";
import { latest_modern_revision } from "../../protocol/revisions.ts";
import type { Upstream } from "../../upstreams/driver.ts";
import { composeRequest } from "../../wire/compose.ts";
import type { Message } from "../../wire/message.ts";
import { indexArray, memberSpan, readString } from "../../wire/object.ts";
import { applyEdits } from "../../wire/splice.ts";
import { skillUriEdits } from "../bridge/skill-uris.ts";
import type { Call, Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { readRefusal } from "../read-refusal.ts";
import { extensionOf, skills_extension } from "./bundle-extensions.ts";

/** Pages and skills that are read of one server. */
const pages_max = 20;
const skills_max = 1_000;
const page_ms = 30_000;

/**
 * Answers `skills/list` at an address of several servers: the skills of all that have any. A
 * server that cannot say is left out, and the log says why.
 */
export async function bundleSkills(call: Call, context: GatewayContext): Promise<Reply> {
	const lists = await Promise.all(
		call.endpoint.servers.map((server) => skillsOf(server, call, context)),
	);
	const modern = call.client.era === "modern";
	const parts = [
		`"skills":[${lists.flat().join(",")}]`,
		...(modern ? ['"resultType":"complete","ttlMs":0,"cacheScope":"private"'] : []),
		...(modern ? [`"_meta":{"${meta_keys.server_info}":${JSON.stringify(context.product)}}`] : []),
	];
	return { kind: "result", json: `{${parts.join(",")}}` };
}

/** The skills of one server as raw JSON, under their exposed addresses. */
async function skillsOf(
	server: ServerPlan,
	call: Call,
	context: GatewayContext,
): Promise<string[]> {
	const catalog = context.catalogs.get(server.name);
	if (catalog === undefined || extensionOf(catalog, skills_extension) === undefined) return [];
	const { principal, client, endpoint } = call;
	const by = { principal, client, endpoint: endpoint.name };
	const target = { method: "skills/list", server: server.name, name: undefined } as const;
	if (readRefusal(by, target, context) !== undefined) return [];
	const key = context.instanceKey(server, call.client);
	const options = { signal: call.signal, wait_ms: context.limits.list_wait_ms };
	const lease = await context.hosting.acquire(key, options);
	if (!lease.ok) {
		context.report(lease.problem, context.fieldsOf(call));
		return [];
	}
	try {
		return await readPages(server, lease.value.upstream, call, context);
	} finally {
		lease.value.release();
	}
}

async function readPages(
	server: ServerPlan,
	upstream: Upstream,
	call: Call,
	context: GatewayContext,
): Promise<string[]> {
	const skills: string[] = [];
	let cursor: string | undefined;
	for (let page = 0; page < pages_max && skills.length < skills_max; page += 1) {
		const outcome = await upstream.request({
			message: composeRequest("0", "skills/list", paramsFor(upstream, call, cursor)),
			edits: [],
			name: undefined,
			signal: call.signal,
			call_ms: page_ms,
		});
		if (!outcome.ok) {
			context.report(outcome.problem, context.fieldsOf(call));
			return skills;
		}
		skills.push(...exposed(server.name, outcome.value));
		cursor = readString(outcome.value.bytes, memberSpan(outcome.value.result, "nextCursor"));
		if (cursor === undefined) return skills;
	}
	return skills.slice(0, skills_max);
}

function exposed(server: string, { bytes, result }: Message): string[] {
	const list = memberSpan(result, "skills");
	const items = list === undefined ? [] : (indexArray(bytes, list) ?? []);
	return items.map(({ start, end }) => {
		const own = Buffer.from(bytes.subarray(start, end));
		return applyEdits(own, skillUriEdits(server, own, { start: 0, end: own.length })).toString();
	});
}

function paramsFor(upstream: Upstream, { client }: Call, cursor: string | undefined): string {
	const members = cursor === undefined ? [] : [`"cursor":${JSON.stringify(cursor)}`];
	if (upstream.hello.era === "modern") {
		const revision = JSON.stringify(upstream.hello.revision || latest_modern_revision);
		members.push(
			`"_meta":{"${meta_keys.protocol_version}":${revision},` +
				`"${meta_keys.client_capabilities}":${client.capabilities},` +
				`"${meta_keys.client_info}":${client.info}}`,
		);
	}
	return `{${members.join(",")}}`;
}
