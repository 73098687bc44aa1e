import { createServer } from "node:net";
import type { TestContext } from "node:test";

/** Listens on this machine, in both families where there are two, and counts who connects. */
export async function startTrap(t: TestContext) {
	let connections = 0;
	const server = createServer((socket) => {
		connections += 1;
		socket.destroy();
	});
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject);
		server.listen(0, "::", resolve);
	}).catch(() => new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve)));
	t.after(() => server.close());
	const address = server.address();
	if (address === null || typeof address === "string") throw new Error("it listens nowhere");
	const { port } = address;
	// That it hears at all is part of it.
	await fetch(`http://127.0.0.1:${port}`).catch(() => undefined);
	if (connections === 0) throw new Error("it hears nobody");
	return { port, connections: () => connections - 1 };
}
