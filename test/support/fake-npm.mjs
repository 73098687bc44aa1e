#!/usr/bin/env node
/**
 * Stands in for npm where a test must not need a network: "installs" packages out of thin air.
 * What it does depends on the package's name; `FAKE_NPM_LOG` names a file that gets a line when
 * an installation begins and when it ends. `FAKE_NPM_REGISTRY` names a JSON file that says how
 * the registry is: `offline`, the `latest` version of a package, other `contents` of a version.
 */
import { createHash } from "node:crypto";
import {
	appendFileSync,
	existsSync,
	mkdirSync,
	readFileSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";

const args = process.argv.slice(2);
const verb = args[0];
const folder = args[args.indexOf("--prefix") + 1];
const registry = readJson(process.env.FAKE_NPM_REGISTRY) ?? {};
const specs = verb === "ci" ? lockedSpecs() : args.slice(args.indexOf("--") + 1);

/** Programs by package; their files print what they were given. */
const bins = {
	tiny: { tiny: "cli.js" },
	"@scope/pair": { pair: "cli.js", other: "other.js" },
	twins: { one: "cli.js", two: "cli.js" },
	choice: { one: "cli.js", two: "other.js" },
	shell: { shell: "run.sh" },
	flags: { flags: "flags.js" },
	none: undefined,
	mcp: { mcp: "server.mjs" },
	"mcp-odd": { mcp: "server.mjs" },
	"mcp-unbundlable": { mcp: "server.mjs" },
	spy: { spy: "spy.mjs" },
	staying: { staying: "staying.mjs" },
	esbuild: { esbuild: "bundle.mjs" },
};
const contents = {
	"cli.js": "#!/usr/bin/env node\nconsole.log('cli', ...process.argv.slice(2));\n",
	"other.js": "#!/usr/bin/node\nconsole.log('other', ...process.argv.slice(2));\n",
	"flags.js": "#!/usr/bin/env -S node --no-warnings\nconsole.log(...process.execArgv);\n",
	"server.mjs": `#!/usr/bin/env node
		import { createInterface } from "node:readline";
		import { readFileSync } from "node:fs";
		const { name } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
		createInterface({ input: process.stdin }).on("line", (line) => {
			const { id, method } = JSON.parse(line);
			if (id === undefined) return;
			const result = method === "initialize" ? {} : { tools: [{ name: "one" }, { name }] };
			console.log(JSON.stringify({ jsonrpc: "2.0", id, result }));
		});
	`,
	"spy.mjs": `#!/usr/bin/env node
		import { mkdirSync, writeFileSync } from "node:fs";
		// The one folder that may be written in the run that is spied on.
		const folder = process.env.NODE_COMPILE_CACHE;
		mkdirSync(folder, { recursive: true });
		writeFileSync(folder + "/spied.json", JSON.stringify(process.env));
	`,
	"staying.mjs": "#!/usr/bin/env node\nsetInterval(() => {}, 1e6);\n",
	// Stands in for a bundler: copies the program, or does not, by the package it is in.
	"bundle.mjs": `#!/usr/bin/env node
		import { readFileSync, writeFileSync } from "node:fs";
		const [file, ...flags] = process.argv.slice(2);
		const value = (name) => flags.find((flag) => flag.startsWith(name)).slice(name.length);
		if (file.includes("unbundlable")) process.exit(1);
		const text = readFileSync(file, "utf8").replace("#!/usr/bin/env node", "");
		const odd = file.includes("odd") ? text.replace('"one"', '"two"') : text;
		writeFileSync(value("--outfile="), value("--banner:js=") + odd);
	`,
	"run.sh": '#!/bin/sh\necho shell "$@"\n',
};

log("begin");
if (registry.offline) refuse("ENOTFOUND", "the registry is not there");
if (verb === "rebuild") {
	for (const name of specs) writeFileSync(join(folder, "node_modules", name, "built"), "");
	log("end");
	process.exit(0);
}
const nodes = {};
for (const spec of specs) {
	const name = spec.replace(/(.)@.*$/u, "$1");
	const failure = /^broken-(.+)$/u.exec(name)?.[1];
	if (failure !== undefined) refuse(failure.toUpperCase(), `it went wrong with ${name}`);
	if (name === "hanging") await new Promise(() => setInterval(() => {}, 2 ** 30));
	if (name.startsWith("gated-")) await fileAt(process.env.FAKE_NPM_GATE);
	const asked = spec.slice(name.length + 1);
	const version = /^[0-9]/u.test(asked) ? asked : (registry.latest?.[name] ?? "1.0.0");
	install(name.startsWith("gated-") ? "tiny" : name, name, version);
}
install("none", "native", "3.0.0");
nodes["node_modules/native"].hasInstallScript = true;
if (verb === "ci") checkLock();
else writeFileSync(join(folder, "package-lock.json"), JSON.stringify({ packages: nodes }));
log("end");

function install(like, name, version) {
	const place = join(folder, "node_modules", name);
	mkdirSync(place, { recursive: true });
	const bin = bins[like];
	const manifest = { name, version, ...(bin && { bin }) };
	writeFileSync(join(place, "package.json"), JSON.stringify(manifest));
	const salt = registry.contents?.[`${name}@${version}`] ?? "";
	const hash = createHash("sha512").update(`${name}@${version}${salt}`).digest("base64");
	const integrity = name === "unsigned" ? undefined : `sha512-${hash}`;
	nodes[`node_modules/${name}`] = { version, integrity, resolved: "http://r/x.tgz" };
	for (const [program, file] of Object.entries(bin ?? {})) {
		writeFileSync(join(place, file), contents[file], { mode: 0o755 });
		const link = join(folder, "node_modules", ".bin", program);
		mkdirSync(dirname(link), { recursive: true });
		symlinkSync(relative(dirname(link), join(place, file)), link);
	}
}

function lockedSpecs() {
	const { packages } = readJson(join(folder, "package-lock.json"));
	return Object.entries(packages)
		.filter(([place]) => place !== "" && place !== "node_modules/native")
		.map(([place, { version }]) => `${place.replace("node_modules/", "")}@${version}`);
}

function checkLock() {
	const { packages } = readJson(join(folder, "package-lock.json"));
	for (const [place, node] of Object.entries(packages)) {
		if (place !== "" && node.integrity !== nodes[place]?.integrity) {
			refuse("EINTEGRITY", `integrity checksum failed for ${place}`);
		}
	}
}

function refuse(code, summary) {
	process.stdout.write(JSON.stringify({ error: { code, summary } }));
	process.exit(1);
}

function readJson(path) {
	return path && existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}

function log(what) {
	if (process.env.FAKE_NPM_LOG) {
		appendFileSync(process.env.FAKE_NPM_LOG, `${what} ${specs.join(" ")}\n`);
	}
}

function fileAt(path) {
	return new Promise((resolve) => {
		const timer = setInterval(() => {
			if (existsSync(path)) {
				clearInterval(timer);
				resolve();
			}
		}, 5);
	});
}
