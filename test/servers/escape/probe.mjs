/**
 * Tries to get out of whatever it is run in, and says what came of it: one line of JSON with an
 * entry for each attempt, `denied: <why>` or `reached: <what>`. Runs under any kind of isolation
 * that has Node; the attempts it is to make come as JSON in `ATTEMPTS`, a list of
 * `{ name, kind, ... }`.
 */
import { execFileSync } from "node:child_process";
import dgram from "node:dgram";
import fs from "node:fs";
import net from "node:net";

const attempts = JSON.parse(process.env.ATTEMPTS ?? "[]");
const connect_ms = 2_000;

const kinds = {
	read: ({ path }) => fs.readFileSync(path, "utf8").slice(0, 200),
	list: ({ path }) => fs.readdirSync(path).join(" "),
	write: ({ path }) => {
		fs.writeFileSync(path, "changed by a hosted server");
		return "written";
	},
	mode: ({ path }) => {
		fs.chmodSync(path, 0o777);
		return "open to all";
	},
	/** What the kernel says of this very process. */
	status: ({ names }) =>
		fs
			.readFileSync("/proc/self/status", "utf8")
			.split("\n")
			.filter((line) => names.includes(line.split(":")[0]))
			.join("\n"),
	/** A port that others could talk to. */
	listen: () =>
		new Promise((resolve, reject) => {
			const server = net.createServer();
			server.once("error", reject);
			server.listen(0, "127.0.0.1", () => {
				resolve(`port ${server.address().port}`);
				server.close();
			});
		}),
	/** A datagram, which needs no answer to have left. */
	datagram: ({ host, port }) =>
		new Promise((resolve, reject) => {
			const socket = dgram.createSocket("udp4");
			socket.once("error", reject);
			socket.send("out", port, host, (error) => {
				socket.close();
				if (error) reject(error);
				else resolve(`${host}:${port}`);
			});
		}),
	/** A link made in a folder of its own, then followed. */
	symlink: ({ path, own }) => {
		const link = `${own}/a-symbolic-link`;
		fs.rmSync(link, { force: true });
		fs.symlinkSync(path, link);
		return fs.readFileSync(link, "utf8").slice(0, 200);
	},
	hardlink: ({ path, own }) => {
		const link = `${own}/a-hard-link`;
		fs.rmSync(link, { force: true });
		fs.linkSync(path, link);
		return fs.readFileSync(link, "utf8").slice(0, 200);
	},
	/**
	 * The environment of every process that can be seen, for a text that must not be there: given
	 * in halves, because the attempts themselves stand in an environment.
	 */
	environments: ({ halves }) => {
		const text = halves.join("");
		for (const pid of fs.readdirSync("/proc").filter((name) => /^\d+$/u.test(name))) {
			let found = "";
			try {
				found = fs.readFileSync(`/proc/${pid}/environ`, "utf8");
			} catch {
				continue;
			}
			if (found.includes(text)) return `the environment of process ${pid}`;
		}
		throw new Error("in none");
	},
	/** The root of every process that can be seen, as a way to a file. */
	roots: ({ path }) => {
		for (const pid of fs.readdirSync("/proc").filter((name) => /^\d+$/u.test(name))) {
			try {
				return fs.readFileSync(`/proc/${pid}/root${path}`, "utf8").slice(0, 200);
			} catch {}
		}
		throw new Error("through none");
	},
	signal: ({ pid }) => {
		process.kill(pid, 0);
		return `process ${pid}`;
	},
	connect: ({ host, port, path }) =>
		new Promise((resolve, reject) => {
			const socket = net.connect(path === undefined ? { host, port } : { path });
			socket.setTimeout(connect_ms, () => socket.destroy(new Error("no answer")));
			socket.once("connect", () => {
				socket.destroy();
				resolve(`${path ?? `${host}:${port}`}`);
			});
			socket.once("error", reject);
		}),
	/** A program that the test names; its success is the way out. */
	run: ({ program, args }) =>
		execFileSync(program, args, { stdio: ["ignore", "pipe", "pipe"] })
			.toString()
			.slice(0, 200),
};

const results = {};
for (const attempt of attempts) {
	try {
		results[attempt.name] = `reached: ${await kinds[attempt.kind](attempt)}`;
	} catch (error) {
		results[attempt.name] = `denied: ${error.code ?? error.message}`;
	}
}
process.stdout.write(`${JSON.stringify(results)}\n`);
