import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { repository_root } from "../../tools/lib/paths.ts";
import { eventually } from "./processes.ts";
import { cli_path } from "./run-cli.ts";

/** What a line is typed with. */
export interface Typing {
	/** Standard input. */
	readonly input?: string;
	/** In the place of `ID`. */
	readonly id?: string;
	/** Beside that of the shell. */
	readonly environment?: NodeJS.ProcessEnv;
}

/** A copy of an example in a folder of its own, and a shell in it. */
export class ExampleShell {
	readonly folder: string;
	readonly environment: NodeJS.ProcessEnv;
	/** The commands of the README, and those of them that were run. */
	readonly #readme: readonly string[];
	readonly #typed = new Set<string>();

	private constructor(folder: string, environment: NodeJS.ProcessEnv, readme: readonly string[]) {
		this.folder = folder;
		this.environment = environment;
		this.#readme = readme;
	}

	/** Copies a folder of `examples/`, without what runs of it have made there. */
	static async copy(name: string): Promise<ExampleShell> {
		const example = fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
		const folder = await mkdtemp(join(tmpdir(), `moorage-${name}-`));
		const isMade = (path: string) => /\.moorage|\.(key|token)$/.test(path);
		await cp(example, folder, { recursive: true, filter: (path) => !isMade(path) });
		await symlink(join(repository_root, "node_modules"), join(folder, "node_modules"));
		const bin = join(folder, "bin");
		await mkdir(bin);
		await writeFile(join(bin, "moorage"), `#!/bin/sh\nexec node "${cli_path}" "$@"\n`);
		await chmod(join(bin, "moorage"), 0o755);
		const path = [bin, dirname(process.execPath), process.env["PATH"]].join(delimiter);
		const text = await readFile(join(folder, "README.md"), "utf8");
		const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = ""]) => block);
		const lines = blocks.flatMap((block) => block.trim().split("\n"));
		return new ExampleShell(folder, { PATH: path, HOME: folder }, lines);
	}

	/** Runs a line of the README as it stands there, but for the id of something. */
	type(line: string, { id = "ID", ...typing }: Typing = {}): Command {
		this.note(line);
		return this.run(line.replace(/\bID\b/, id), typing);
	}

	/** A line of the README is run in another way. */
	note(line: string): void {
		assert.ok(this.#readme.includes(line), `the README has: ${line}`);
		this.#typed.add(line);
	}

	/** Runs any line. */
	run(line: string, { input = "", environment = {} }: Omit<Typing, "id"> = {}): Command {
		return new Command(line, this.folder, { ...this.environment, ...environment }, input);
	}

	/** Lines of the README that were not run. */
	untyped(): string[] {
		return this.#readme.filter((line) => !this.#typed.has(line));
	}

	async remove(): Promise<void> {
		await rm(this.folder, { recursive: true, force: true });
	}
}

/** A command at a shell in the example's folder. */
export class Command {
	stdout = "";
	stderr = "";
	readonly #child: ChildProcess;
	readonly #ended: Promise<number | null>;

	constructor(line: string, cwd: string, environment: NodeJS.ProcessEnv, input: string) {
		// In a group of its own, so that what the shell starts ends with it.
		const child = spawn("sh", ["-c", line], { cwd, env: environment, detached: true });
		child.stdout.on("data", (chunk: Buffer) => {
			this.stdout += chunk.toString();
		});
		child.stderr.on("data", (chunk: Buffer) => {
			this.stderr += chunk.toString();
		});
		// A command that reads nothing may be over before it is told that there is nothing.
		child.stdin.on("error", () => undefined);
		child.stdin.end(input);
		this.#child = child;
		this.#ended = once(child, "close").then(([code]) => code as number | null);
	}

	/** Waits for its end; what it printed. */
	async done(code = 0): Promise<string> {
		assert.equal(await this.#ended, code, `${this.stdout}${this.stderr}`);
		return this.stdout;
	}

	/** Waits for its end, whatever it came to; what it printed. */
	async ended(): Promise<string> {
		await this.#ended;
		return this.stdout;
	}

	/** Waits until it has said something on standard error. */
	said(words: RegExp): Promise<RegExpExecArray> {
		return this.#waitFor(words, () => this.stderr);
	}

	/** Waits until it has printed something. */
	printed(words: RegExp): Promise<RegExpExecArray> {
		return this.#waitFor(words, () => this.stdout);
	}

	/** Ends it, whatever it does. */
	async stop(): Promise<void> {
		const { pid, exitCode, signalCode } = this.#child;
		if (pid !== undefined && exitCode === null && signalCode === null)
			process.kill(-pid, "SIGTERM");
		await this.#ended;
	}

	async #waitFor(words: RegExp, text: () => string): Promise<RegExpExecArray> {
		const look = () => {
			assert.equal(this.#child.exitCode, null, `${this.stdout}${this.stderr}`);
			return words.exec(text());
		};
		return (await eventually(look, (found) => found !== null)) as RegExpExecArray;
	}
}
