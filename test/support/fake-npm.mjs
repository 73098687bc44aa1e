#!/usr/bin/env node
/**
 * Stands in for npm where a test must not need a network: "installs" packages out of thin air.
 * What it does depends on the package's name; `FAKE_NPM_LOG` names a file that gets a line when
 * an installation begins and when it ends.
 */
import { appendFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const args = process.argv.slice(2);
const folder = args[args.indexOf("--prefix") + 1];
const specs = args.slice(args.indexOf("--") + 1);

/** Programs by package; their files print what they were given. */
const bins = {
	tiny: { tiny: "cli.js" },
	"@scope/pair": { pair: "cli.js", other: "other.js" },
	twins: { one: "cli.js", two: "cli.js" },
	choice: { one: "cli.js", two: "other.js" },
	shell: { shell: "run.sh" },
	flags: { flags: "flags.js" },
	none: undefined,
};
const contents = {
	"cli.js": "#!/usr/bin/env node\nconsole.log('cli', ...process.argv.slice(2));\n",
	"other.js": "#!/usr/bin/node\nconsole.log('other', ...process.argv.slice(2));\n",
	"flags.js": "#!/usr/bin/env -S node --no-warnings\nconsole.log(...process.execArgv);\n",
	"run.sh": '#!/bin/sh\necho shell "$@"\n',
};

log("begin");
for (const spec of specs) {
	const name = spec.replace(/(.)@.*$/u, "$1");
	const failure = /^broken-(.+)$/u.exec(name)?.[1];
	if (failure !== undefined) {
		const error = { code: failure.toUpperCase(), summary: `it went wrong with ${name}` };
		process.stdout.write(JSON.stringify({ error }));
		process.exit(1);
	}
	if (name === "hanging") await new Promise(() => setInterval(() => {}, 2 ** 30));
	if (name.startsWith("gated-")) await fileAt(process.env.FAKE_NPM_GATE);
	install(name.startsWith("gated-") ? "tiny" : name, name, spec.slice(name.length + 1));
}
writeFileSync(
	join(folder, "node_modules", ".package-lock.json"),
	JSON.stringify({ packages: { "node_modules/native": { hasInstallScript: true } } }),
);
log("end");

function install(like, name, version) {
	const place = join(folder, "node_modules", name);
	mkdirSync(place, { recursive: true });
	const bin = bins[like];
	const manifest = { name, version: version || "1.0.0", ...(bin && { bin }) };
	writeFileSync(join(place, "package.json"), JSON.stringify(manifest));
	for (const [program, file] of Object.entries(bin ?? {})) {
		writeFileSync(join(place, file), contents[file], { mode: 0o755 });
		const link = join(folder, "node_modules", ".bin", program);
		mkdirSync(dirname(link), { recursive: true });
		symlinkSync(relative(dirname(link), join(place, file)), link);
	}
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
