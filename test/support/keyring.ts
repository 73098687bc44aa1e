import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { until } from "./until.ts";

const programs = ["dbus-daemon", "gnome-keyring-daemon", "secret-tool"];

/** Why there is no keyring on this machine; false where there is one. */
export const no_keyring: string | false = missing();

function missing(): string | false {
	const absent = programs.find((name) => spawnSync(name, ["--version"]).error !== undefined);
	return absent === undefined ? false : `${absent} is not installed`;
}

/** A keyring that was unlocked, on a message bus of its own. */
export interface Keyring {
	/** What programs find it by. */
	readonly environment: Readonly<Record<string, string>>;
	/** The value of an entry; empty where there is none. */
	lookup(account: string): string;
	stop(): Promise<void>;
}

/** Starts one that keeps what it is given in a folder, which another may open later. */
export async function startKeyring(folder: string): Promise<Keyring> {
	const runtime = join(folder, "run");
	await mkdir(runtime, { recursive: true, mode: 0o700 });
	const home = {
		PATH: process.env["PATH"] ?? "",
		HOME: folder,
		XDG_DATA_HOME: join(folder, "data"),
		XDG_RUNTIME_DIR: runtime,
	};
	// Whoever asks for secrets has the bus look for the keyring: in the same folders.
	const bus = spawn("dbus-daemon", ["--session", "--nofork", "--nopidfile", "--print-address"], {
		stdio: ["ignore", "pipe", "pipe"],
		env: home,
	});
	const children = [said(bus)];
	let address = "";
	createInterface({ input: bus.stdout }).once("line", (line) => {
		address = line;
	});
	await reached(children, () => address !== "");
	const environment = { ...home, DBUS_SESSION_BUS_ADDRESS: address };
	const args = ["--foreground", "--unlock", "--components=secrets"];
	const daemon = spawn("gnome-keyring-daemon", args, {
		stdio: ["pipe", "ignore", "pipe"],
		env: environment,
	});
	children.push(said(daemon));
	// Whoever has ended takes no password; why it has is told below.
	daemon.stdin.on("error", () => undefined);
	daemon.stdin.end("the password of the session");
	const lookup = (account: string) => {
		const words = ["lookup", "service", "moorage", "account", account];
		return spawnSync("secret-tool", words, { env: environment }).stdout.toString();
	};
	// Whoever asks sooner has the bus start another, which nobody has unlocked.
	await reached(children, () => existsSync(join(runtime, "keyring", "control")));
	const probe = ["store", "--label=probe", "service", "probe"];
	await reached(children, () => {
		return spawnSync("secret-tool", probe, { env: environment, input: "x" }).status === 0;
	});
	return {
		environment,
		lookup,
		async stop() {
			for (const one of [daemon, bus]) await ended(one);
		},
	};
}

/** A program with what it says of what goes wrong. */
interface Said {
	readonly child: ChildProcess;
	errors: string;
}

function said(child: ChildProcess): Said {
	const one: Said = { child, errors: "" };
	child.stderr?.on("data", (chunk: Buffer) => {
		one.errors += chunk.toString();
	});
	child.on("error", (error) => {
		one.errors += error.message;
	});
	return one;
}

/** Waits for something that programs bring about; rejects once one of them has ended. */
async function reached(all: readonly Said[], condition: () => boolean): Promise<void> {
	const isOver = ({ child }: Said) =>
		child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
	await until(() => all.some(isOver) || condition());
	const over = all.find(isOver);
	if (over === undefined) return;
	for (const { child } of all) child.kill();
	throw new Error(`${over.child.spawnfile} has ended: ${over.errors}`);
}

async function ended(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	const exited = once(child, "exit");
	child.kill();
	await exited;
}
