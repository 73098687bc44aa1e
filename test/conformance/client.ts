/**
 * The client that the suite starts for a client scenario: it puts the scenario's server behind a
 * fresh gateway and does through the gateway what the scenario wants to see. So the client that
 * the scenario's server meets, and judges, is the gateway.
 *
 * The suite names the scenario and the revision in the environment, and gives the server's
 * address as the last argument.
 */
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { SkillsClient } from "@modelcontextprotocol/client/ext/skills";
import { startGateway } from "../support/gateway.ts";
import type { WrongOnPurpose } from "../wire/watch.ts";

/** What the gateway says as the client is checked; what it is told is the suite's affair. */
const wrong = (["clients", "servers"] as const).flatMap((hop): WrongOnPurpose[] => [
	{
		hop,
		direction: "to-client",
		complaint: /^/u,
		why: "The suite's server says what is wrong, to see what comes of it.",
	},
	{
		hop,
		direction: "to-server",
		complaint: /\/content\/score must be/u,
		why: "The suite wants a fraction as a number; the schema of 2025-11-25 has whole ones only.",
	},
]);

const scenario = process.env["MCP_CONFORMANCE_SCENARIO"] ?? "";
const revision = process.env["MCP_CONFORMANCE_PROTOCOL_VERSION"] ?? "2025-11-25";
const context = JSON.parse(process.env["MCP_CONFORMANCE_CONTEXT"] ?? "{}") as Context;

/** What some scenarios tell their client. */
interface Context {
	/** Calls to make, with arguments that are hard to carry in a header. */
	readonly toolCalls?: readonly { name: string; arguments: Record<string, unknown> }[];
	/** Credentials that were registered by hand. */
	readonly client_id?: string;
	readonly client_secret?: string;
	readonly private_key_pem?: string;
	readonly issuer?: string;
	/** An identity that a provider vouches for, to be exchanged. */
	readonly idp_client_id?: string;
	readonly idp_id_token?: string;
	readonly idp_issuer?: string;
}

/** Where the suite's client publishes its metadata document, as the suite expects it. */
const client_metadata = "https://conformance-test.local/client-metadata.json";

/** How the gateway is authorized at the scenario's server. */
async function oauth(server: string): Promise<object> {
	if (context.client_id === undefined) return { client_metadata };
	const { client_id, client_secret, private_key_pem, issuer } = context;
	// A configuration holds no secrets: it says where they are.
	if (client_secret !== undefined) process.env["CONFORMANCE_CLIENT_SECRET"] = client_secret;
	if (private_key_pem !== undefined) process.env["CONFORMANCE_PRIVATE_KEY"] = private_key_pem;
	const secrets = {
		...(client_secret && { client_secret: "${env:CONFORMANCE_CLIENT_SECRET}" }),
		...(private_key_pem && { private_key: "${env:CONFORMANCE_PRIVATE_KEY}" }),
	};
	if (context.idp_id_token !== undefined) {
		process.env["CONFORMANCE_ID_TOKEN"] = context.idp_id_token;
		const { idp_issuer, idp_client_id } = context;
		const token = "${env:CONFORMANCE_ID_TOKEN}";
		const subject = { issuer: idp_issuer, client_id: idp_client_id, token };
		return { grant: "id_jag", issuer: await issuerAt(server), client_id, ...secrets, subject };
	}
	const for_itself = scenario.startsWith("auth/client-credentials");
	const grant = for_itself ? "client_credentials" : "authorization_code";
	return { grant, client_id, ...secrets, issuer };
}

/** The authorization server, where a scenario does not tell it: who registers a client looks. */
async function issuerAt(server: string): Promise<string | undefined> {
	const { origin, pathname } = new URL(server);
	const answer = await fetch(`${origin}/.well-known/oauth-protected-resource${pathname}`);
	const { authorization_servers } = (await answer.json()) as { authorization_servers?: string[] };
	return authorization_servers?.[0];
}

/** The scenario's page asks nobody: it leads straight back. */
async function authorize(_server: string, page: URL): Promise<URL> {
	const answer = await fetch(page, { redirect: "manual" });
	return new URL(answer.headers.get("location") ?? "", page);
}

type Drive = (client: Client) => Promise<void>;

/** What the client can do in a scenario; nothing where it is not listed. */
const capabilities: Readonly<Record<string, object>> = {
	"elicitation-sep1034-client-defaults": { elicitation: { form: { applyDefaults: true } } },
	"request-metadata": { elicitation: {}, sampling: {}, roots: { listChanged: true } },
	"sep-2322-client-request-state": { elicitation: {} },
};

/** What the user puts into a form; nothing where it is not listed, so that defaults apply. */
const answers: Readonly<Record<string, Record<string, boolean>>> = {
	"sep-2322-client-request-state": { confirmed: true },
};

/** Lists the tools and calls each of them. */
async function callEveryTool(client: Client): Promise<void> {
	const { tools } = await client.listTools();
	for (const { name } of tools) await client.callTool({ name, arguments: {} });
}

/** Reads one skill and, if its files are what the list promised, the next file of it. */
async function readSkill(client: Client): Promise<void> {
	const skills = new SkillsClient(client);
	const { skills: entries } = await skills.list();
	for (const entry of entries) {
		await skills.read(entry);
		await skills.read(entry, "references/FORMS.md");
	}
}

const drives: Readonly<Record<string, Drive>> = {
	async initialize(client) {
		await client.listTools();
	},
	async tools_call(client) {
		await client.listTools();
		await client.callTool({ name: "add_numbers", arguments: { a: 5, b: 3 } });
	},
	"elicitation-sep1034-client-defaults": callEveryTool,
	"sse-retry": callEveryTool,
	async "request-metadata"(client) {
		await client.listTools();
	},
	async "sep-2322-client-request-state"(client) {
		await client.callTool({ name: "test_mrtr_echo_state", arguments: {} });
		await client.callTool({ name: "test_mrtr_no_state", arguments: {} });
		await client.callTool({ name: "test_mrtr_unrelated", arguments: {} });
		// A result without a type is a complete one: nothing may be sent again for it.
		await client.callTool({ name: "test_mrtr_no_result_type", arguments: {} });
	},
	async "http-standard-headers"(client) {
		await callEveryTool(client);
		const { resources } = await client.listResources();
		for (const { uri } of resources) await client.readResource({ uri });
		const { prompts } = await client.listPrompts();
		for (const { name } of prompts) await client.getPrompt({ name, arguments: {} });
	},
	async "http-custom-headers"(client) {
		await client.listTools();
		for (const call of context.toolCalls ?? []) await client.callTool(call);
	},
	async "http-invalid-tool-headers"(client) {
		const { tools } = await client.listTools();
		for (const { name } of tools) {
			await client.callTool({ name, arguments: { region: "us-west1" } });
		}
	},
	async "json-schema-ref-no-deref"(client) {
		await client.listTools();
	},
	async "json-schema-2020-12-preservation"(client) {
		const { tools } = await client.listTools();
		const focal = tools.find(({ name }) => name === "json_schema_2020_12_tool");
		const schema = focal?.inputSchema;
		await client.callTool({ name: "json_schema_echo", arguments: { schema } });
	},
	async "sep-2640-client-no-prefetch"(client) {
		await new SkillsClient(client).list();
	},
	"sep-2640-client-verify-digest": readSkill,
	"sep-2640-client-verify-size": readSkill,
	"sep-2640-client-verify-frontmatter": readSkill,
};

/** What a user does at a server that wants authorization. */
async function useAuthorized(client: Client): Promise<void> {
	await client.listTools();
	await client.callTool({ name: "test-tool", arguments: {} });
}

async function run(server: string): Promise<void> {
	const auth = scenario.startsWith("auth/") ? { auth: "oauth", oauth: await oauth(server) } : {};
	const gateway = await startGateway(
		{ servers: { peer: { url: server, ...auth } } },
		{ authorize, wrong, environment: { ...process.env } },
	);
	const modern = revision === "2026-07-28";
	const client = new Client(
		{ name: "conformance-client", version: "1.0.0" },
		{
			capabilities: capabilities[scenario] ?? {},
			...(modern && { versionNegotiation: { mode: { pin: revision } } }),
		},
	);
	if (capabilities[scenario] !== undefined && "elicitation" in capabilities[scenario]) {
		client.setRequestHandler("elicitation/create", () => ({
			action: "accept",
			content: answers[scenario] ?? {},
		}));
	}
	try {
		await client.connect(new StreamableHTTPClientTransport(gateway.address("peer")));
		const drive = scenario.startsWith("auth/") ? useAuthorized : drives[scenario];
		if (drive === undefined) throw new Error(`Nothing is known of the scenario ${scenario}`);
		await drive(client);
	} catch (error) {
		for (const line of gateway.log.lines) process.stderr.write(`${JSON.stringify(line)}\n`);
		throw error;
	} finally {
		await client.close();
		await gateway.stop();
	}
}

await run(process.argv.at(-1) as string);
