import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isLauncher, recognizeCommand } from "./recognize.ts";
import type { PackageRequest } from "./request.ts";

function recognize(line: string) {
	const [command = "", ...args] = line.split(" ").filter((word) => word !== "");
	return recognizeCommand({ command, args });
}

/** A request with everything that is usual left out. */
function request(line: string): Partial<PackageRequest> {
	const recognized = recognize(line);
	assert(recognized.kind === "package", `${line}: ${recognized.kind}`);
	const { launcher: _, ecosystem: __, ...rest } = recognized.request;
	return Object.fromEntries(
		Object.entries(rest).filter(
			([, value]) => value !== undefined && value !== false && String(value) !== "",
		),
	);
}

test("every launcher of the npm registry is understood", () => {
	const table: [string, Partial<PackageRequest>][] = [
		["npx server", { packages: ["server"] }],
		["npx -y server", { packages: ["server"] }],
		["npx --yes server@1.2.3 --port 1", { packages: ["server@1.2.3"], args: ["--port", "1"] }],
		["npx -y @a/b@latest /folder -y", { packages: ["@a/b@latest"], args: ["/folder", "-y"] }],
		["npx -y -- @a/b x", { packages: ["@a/b"], args: ["x"] }],
		["/usr/local/bin/npx -y server", { packages: ["server"] }],
		["npx.cmd -y server", { packages: ["server"] }],
		["C:\\node\\npx.CMD -y server", { packages: ["server"] }],
		["cmd /c npx -y server", { packages: ["server"] }],
		["cmd.exe /C npx -y server", { packages: ["server"] }],
		[
			"npx --registry=http://r -y server",
			{ packages: ["server"], options: ["--registry=http://r"] },
		],
		["npx --registry http://r server", { packages: ["server"], options: ["--registry=http://r"] }],
		["npx --offline server", { packages: ["server"], options: ["--offline"] }],
		[
			"npx -y -p @a/b -p c@2 run -x",
			{ packages: ["@a/b", "c@2"], program: "run", args: ["-x"], adds_path: true },
		],
		["npx --package=a run", { packages: ["a"], program: "run", adds_path: true }],
		["npm exec server", { packages: ["server"] }],
		["npm exec -y -- server --flag", { packages: ["server"], args: ["--flag"] }],
		["npm exec server -y -- --flag", { packages: ["server"], args: ["--flag"] }],
		["npm --yes x server arg", { packages: ["server"], args: ["arg"] }],
		[
			"npm exec --package=a -- run -x",
			{ packages: ["a"], program: "run", args: ["-x"], adds_path: true },
		],
		["bunx server", { packages: ["server"] }],
		["bun x -p a run", { packages: ["a"], program: "run", adds_path: true }],
		["pnpm dlx server -x", { packages: ["server"], args: ["-x"] }],
		["pnpm --package=a dlx run", { packages: ["a"], program: "run", adds_path: true }],
		[
			"pnpm dlx --package a --package b run",
			{ packages: ["a", "b"], program: "run", adds_path: true },
		],
		["pnpx server", { packages: ["server"] }],
		["yarn dlx -q server", { packages: ["server"] }],
		["yarn dlx -p a -p b run", { packages: ["a", "b"], program: "run", adds_path: true }],
	];
	for (const [line, expected] of table) {
		assert.deepEqual(request(line), expected, line);
	}
});

test("every launcher of the Python index is understood", () => {
	const table: [string, Partial<PackageRequest>][] = [
		["uvx server", { packages: ["server"] }],
		["uvx server --zone UTC", { packages: ["server"], args: ["--zone", "UTC"] }],
		["uvx server@1.2 x", { packages: ["server==1.2"], args: ["x"] }],
		["uvx server@latest", { packages: ["server"] }],
		["uvx server==1.2", { packages: ["server==1.2"] }],
		["uvx server[cli]>=1,<2", { packages: ["server[cli]>=1,<2"] }],
		["uvx --from server[x]==1 run", { packages: ["server[x]==1"], program: "run" }],
		["uvx --from=server run -x", { packages: ["server"], program: "run", args: ["-x"] }],
		["uvx --with a --with b,c>=2 server", { packages: ["server", "a", "b", "c>=2"] }],
		["uvx -p 3.12 server", { packages: ["server"], options: ["--python=3.12"] }],
		["uvx -p3.12 server", { packages: ["server"], options: ["--python=3.12"] }],
		[
			"uvx --python 3.12 --index-url http://i -q server",
			{
				packages: ["server"],
				options: ["--python=3.12", "--index-url=http://i"],
			},
		],
		["uvx --isolated --refresh server", { packages: ["server"] }],
		["uv tool run server x", { packages: ["server"], args: ["x"] }],
		["/opt/uv/uvx server", { packages: ["server"] }],
		["pipx run server x", { packages: ["server"], args: ["x"] }],
		["pipx run server==1.0", { packages: ["server==1.0"] }],
		["pipx run --spec server==1.0 run", { packages: ["server==1.0"], program: "run" }],
		["pipx run --python 3.12 server", { packages: ["server"], options: ["--python=3.12"] }],
	];
	for (const [line, expected] of table) {
		assert.deepEqual(request(line), expected, line);
	}
});

test("what a launcher does beyond running a package is left to the launcher", () => {
	const lines = [
		"node server.js",
		"python -m server",
		"docker run -i image",
		"/opt/server",
		"npx",
		"npx -y",
		"npx -c server",
		"npx --no-install server",
		"npx --unheard-of server",
		"npx ./server",
		"npx -y ../server.tgz",
		"npm start",
		"npm run serve",
		"npm exec",
		"npm exec server --unheard-of",
		"npm --prefix x exec server",
		"bunx --bun server",
		"bun run server.ts",
		"pnpm start",
		"pnpm dlx --allow-build=x server",
		"pnpm -c dlx server",
		"yarn start",
		"uv run server.py",
		"uv --directory x tool run server",
		"uv tool install server",
		"uvx",
		"uvx --env-file x server",
		"uvx python",
		"uvx --from python3.12 server",
		"uvx ./server",
		"uvx --from . server",
		"uvx --from ../x server",
		"uvx --from server bin/run",
		"uvx --with-editable . server",
		"uvx server@../x",
		"pipx run --path x.py",
		"pipx list",
	];
	for (const line of lines) {
		assert.deepEqual(recognize(line), { kind: "other" }, line);
	}
});

test("what is left to a launcher is known as that, and what starts none is not", () => {
	const left = [
		"npx --unheard-of a",
		"npm exec --odd a",
		"uv tool run ./a",
		"pipx run --path a.py",
	];
	for (const line of [...left, "bun x --bun a", "cmd /c npx -c a", "pnpm -c dlx a"]) {
		const [command = "", ...args] = line.split(" ");
		assert.equal(isLauncher({ command, args }), true, line);
	}
	for (const line of ["node npx", "npm start", "uv run a", "uv tool install a", "npxx a", "pipx"]) {
		const [command = "", ...args] = line.split(" ");
		assert.equal(isLauncher({ command, args }), false, line);
	}
});

test("addresses in the place of a package are refused with what to do", () => {
	const table: [string, RegExp][] = [
		["npx -y github:user/repo", /^github:user\/repo is a git address.*clone it/u],
		["npx user/repo", /user\/repo is a git address/u],
		["npx -p git+https://name:secret@example.com/a.git run", /git\+https:\/\/example\.com/u],
		["npx -y https://example.com/a.tgz", /is a web address/u],
		["pnpm dlx user/repo", /is a git address/u],
		["uvx --from git+https://example.com/a server", /is a git address/u],
		["uvx --from https://example.com/a.whl server", /is a web address/u],
		["uvx --with git+ssh://example.com/a server", /is a git address/u],
		["pipx run https://example.com/a.py", /is a web address/u],
	];
	for (const [line, reason] of table) {
		const recognized = recognize(line);
		assert(recognized.kind === "refused", line);
		assert.match(recognized.reason, reason);
		assert.doesNotMatch(recognized.reason, /secret/u);
	}
});

test("launchers are named in the user's words", () => {
	const lines = [
		"npx a",
		"npm exec a",
		"bun x a",
		"pnpx a",
		"yarn dlx a",
		"uvx a",
		"uv tool run a",
	];
	const names = [...lines, "pipx run a"].map((line) => {
		const recognized = recognize(line);
		return recognized.kind === "package" ? recognized.request.launcher : recognized.kind;
	});
	const expected = ["npx", "npm exec", "bunx", "pnpm dlx", "yarn dlx", "uvx", "uv tool run"];
	assert.deepEqual(names, [...expected, "pipx run"]);
});

test("a server's own arguments always arrive unchanged and complete", () => {
	const args = fc.array(fc.string());
	const launcher = fc.constantFrom(
		["npx", "-y", "server@1"],
		["npx", "-y", "-p", "server", "run"],
		["npm", "exec", "--", "server"],
		["bunx", "server"],
		["pnpm", "dlx", "server"],
		["yarn", "dlx", "server"],
		["uvx", "--python", "3.12", "server"],
		["uv", "tool", "run", "--from", "server", "run"],
		["pipx", "run", "server"],
	);
	fc.assert(
		fc.property(launcher, args, ([command = "", ...front], own) => {
			const recognized = recognizeCommand({ command, args: [...front, ...own] });
			assert(recognized.kind === "package");
			assert.deepEqual(recognized.request.args, own);
		}),
	);
});

test("whatever the words are, nothing that reaches an installer looks like a flag", () => {
	const word = fc.oneof(
		fc.string(),
		fc.constantFrom("-y", "-p", "--from", "--with", "--", "exec", "dlx", "run", "tool", "x", "a@1"),
	);
	const program = fc.constantFrom("npx", "npm", "bun", "pnpm", "yarn", "uvx", "uv", "pipx", "cmd");
	fc.assert(
		fc.property(program, fc.array(word, { maxLength: 6 }), (command, args) => {
			const recognized = recognizeCommand({ command, args });
			if (recognized.kind === "package") {
				for (const text of recognized.request.packages) {
					assert.doesNotMatch(text, /^-|^\s*$|\p{Cc}/u);
				}
				for (const option of recognized.request.options) {
					assert.match(option, /^--[a-z-]+(?:=|$)/u);
				}
			}
		}),
		{ numRuns: 500 },
	);
});
