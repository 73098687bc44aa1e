import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fixturePath } from "./fixtures.ts";
import { proofOf, type SigningKey } from "./token-issuer.ts";

/** An identity provider in a process of its own. */
export interface IdentityProvider {
	readonly issuer: string;
	/** A token that a program gets for itself. */
	token(request: TokenRequest): Promise<string>;
	/** Throws its key away and makes another. */
	rotate(): Promise<void>;
	stop(): Promise<void>;
}

/** What a program asks for. */
export interface TokenRequest {
	readonly resource: string;
	readonly scope?: string;
	readonly client?: string;
	/** The key that the token is to be bound to. */
	readonly key?: SigningKey;
}

/** Starts one; its clients are `machine`, `robot`, `moorage`, and `bound`, which proves its key. */
export async function startIdentityProvider(): Promise<IdentityProvider> {
	const child = spawn(process.execPath, [fixturePath("identity-provider")], {
		stdio: ["pipe", "pipe", "inherit"],
	});
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
	const line = async () => {
		const { value } = await lines.next();
		if (typeof value !== "string") throw new Error("the identity provider has ended");
		return value;
	};
	const issuer = await line();
	const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
	return {
		issuer,
		async token({ resource, scope = "", client = "machine", key }) {
			const url = `${issuer}/token`;
			const proof = key && (await proofOf(key, { method: "POST", url, token: "" }));
			const response = await fetch(url, {
				method: "POST",
				headers: {
					authorization: `Basic ${Buffer.from(`${client}:s3cret`).toString("base64")}`,
					...(proof === undefined ? {} : { dpop: proof }),
				},
				body: new URLSearchParams({ grant_type: "client_credentials", resource, scope }),
			});
			const answer = (await response.json()) as { access_token?: string };
			if (answer.access_token === undefined) throw new Error(JSON.stringify(answer));
			return answer.access_token;
		},
		async rotate() {
			child.stdin.write("rotate\n");
			await line();
		},
		async stop() {
			child.stdin.end();
			await exited;
		},
	};
}
