import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { readAdminToken } from "../../src/admin/token.ts";
import { startGateway } from "../support/gateway.ts";
import { Browser, logInAndConsent, password } from "../support/login-scene.ts";
import type { JudgedServer } from "./suite.ts";

/** Starts a gateway with an authorization server, a person, and a client of the suite. */
export async function startJudgedServer(): Promise<JudgedServer & { stop(): Promise<void> }> {
	const gateway = await startGateway({ identity: { login: {} }, servers: {} });
	const token = await readAdminToken(`${gateway.folder}/.moorage`);
	if (!token.ok) throw new Error(token.problem.message);
	const make = async (path: string, body: object) => {
		const response = await fetch(`${gateway.url}${path}`, {
			method: "POST",
			headers: { authorization: `Bearer ${token.value}`, "content-type": "application/json" },
			body: JSON.stringify(body),
		});
		const text = await response.text();
		if (response.status !== 201) throw new Error(text);
	};
	await make("/api/users", { tenant: "acme", user: "ana", password });
	const port = await freePort();
	const redirect_uris = [`http://127.0.0.1:${port}/callback`];
	const client_id = "suite";
	await make("/api/clients", { client_id, redirect_uris });
	return {
		issuer: gateway.url,
		client_id,
		resource: `${gateway.url}/mcp`,
		port,
		async authorize(address) {
			const answer = await logInAndConsent(new Browser(gateway.url), address);
			await (await fetch(answer)).text();
		},
		stop: () => gateway.stop(),
	};
}

/** A port that nobody listens on now. */
async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	await new Promise((resolve) => server.close(resolve));
	return port;
}
