import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { default_secrets } from "./compile-secrets.ts";
import { default_limits, default_timeouts } from "./defaults.ts";
import { default_audit, default_calls } from "./evidence-plan.ts";
import { default_front } from "./front.ts";
import { type InputRequest } from "./inputs.ts";
import { type LoadOptions, loadPlan } from "./load.ts";
import type { Plan } from "./plan.ts";
import { default_policy } from "./policy-plan.ts";
import { formatProblem } from "./problem.ts";
import { client_running, declared_running } from "./running.ts";

/*
 * Each file in golden/ is one case: a sentence, settings, then files behind `-- NAME --` lines.
 * `plan` holds the expected plan, without what equals the defaults; `problems` the exact text
 * of the errors. Every other section is a file of the project folder, which expectations call
 * /project. Settings: `path`, `listen`, `data`, `env NAME=VALUE`, `answer ID=VALUE`.
 *
 * UPDATE_GOLDEN=1 rewrites the expectations, to be read before they are committed.
 */

const folder = join(import.meta.dirname, "golden");
const project = "/project";
const home = "/home/someone";

interface Case {
	readonly title: string;
	readonly settings: readonly string[];
	readonly sections: ReadonlyMap<string, string>;
}

function parseCase(text: string): Case {
	const [head = "", ...rest] = text.split(/^-- (.+) --\n/m);
	const [title = "", ...settings] = head.trim().split("\n");
	const sections = new Map<string, string>();
	for (let index = 0; index < rest.length; index += 2) {
		sections.set(rest[index] ?? "", rest[index + 1] ?? "");
	}
	return { title, settings, sections };
}

function valuesOf(golden: Case, name: string): string[] {
	const prefix = `${name} `;
	return golden.settings
		.filter((line) => line.startsWith(prefix))
		.map((line) => line.slice(prefix.length));
}

function pairsOf(golden: Case, name: string): Record<string, string> {
	return Object.fromEntries(
		valuesOf(golden, name).map((pair) => {
			const at = pair.indexOf("=");
			return [pair.slice(0, at), pair.slice(at + 1)];
		}),
	);
}

async function runCase(golden: Case): Promise<{ plan: string } | { problems: string }> {
	const root = await realpath(await mkdtemp(join(tmpdir(), "moorage-golden-")));
	const cwd = join(root, "project");
	await mkdir(cwd);
	try {
		for (const [name, content] of golden.sections) {
			if (name === "plan" || name === "problems") continue;
			await mkdir(dirname(join(cwd, name)), { recursive: true });
			await writeFile(join(cwd, name), content);
		}
		const answers = pairsOf(golden, "answer");
		const asked: string[] = [];
		const ask = (request: InputRequest): Promise<string> => {
			assert.ok(!asked.includes(request.id), "an input is asked for once");
			asked.push(request.id);
			const answer = answers[request.id];
			return answer === undefined
				? Promise.reject(new Error("cancelled"))
				: Promise.resolve(answer);
		};
		const [listen] = valuesOf(golden, "listen");
		const [data] = valuesOf(golden, "data");
		const options: LoadOptions = {
			path: valuesOf(golden, "path")[0],
			cwd,
			environment: pairsOf(golden, "env"),
			home,
			...(Object.keys(answers).length > 0 ? { ask } : {}),
			overrides: {
				...(listen === undefined ? {} : { listen }),
				...(data === undefined ? {} : { data }),
			},
		};
		const loaded = await loadPlan(options);
		assert.deepEqual(asked, Object.keys(answers), "every prepared answer is asked for");
		const text = loaded.ok
			? printPlan(loaded.value)
			: loaded.problem.map((problem) => `${formatProblem(problem)}\n`).join("");
		const settled = text.replaceAll(cwd, project);
		return loaded.ok ? { plan: settled } : { problems: settled };
	} finally {
		await rm(root, { recursive: true });
	}
}

/** The plan as JSON, without the parts that equal the defaults. */
function printPlan(plan: Plan): string {
	const { limits, sse, policy, allowed_hosts, allowed_origins, held, ...others } = plan;
	const { calls, audit, endpoints, warnings, front, secrets, ...rest } = others;
	const shown = {
		...rest,
		servers: plan.servers.map((server) => {
			assert.match(server.fingerprint, /^[0-9a-f]{64}$/);
			const {
				fingerprint: _,
				name,
				spec,
				title,
				scope,
				start,
				tools,
				timeouts,
				...running
			} = server;
			return {
				name,
				spec,
				...(title === server.name ? {} : { title }),
				...(scope === "shared" ? {} : { scope }),
				...(start === "eager" ? {} : { start }),
				...(tools.allow.length + tools.deny.length === 0 ? {} : { tools }),
				...differing({ timeouts }, { timeouts: default_timeouts }),
				...differing(
					{ ...running },
					plan.source.format === "moorage" ? declared_running : client_running,
				),
			};
		}),
		...(endpoints.length === 0 ? {} : { endpoints }),
		...(sse ? {} : { sse }),
		...(held.size === 0 ? {} : { held: Object.fromEntries(held) }),
		...differing({ front }, { front: default_front }),
		...differing({ limits }, { limits: default_limits }),
		...differing({ policy }, { policy: default_policy }),
		...differing({ secrets: secrets ?? default_secrets }, { secrets: default_secrets }),
		...differing(
			{ calls: calls ?? default_calls, audit: audit ?? default_audit },
			{ calls: default_calls, audit: default_audit },
		),
		...differing(
			{ allowed_hosts, allowed_origins },
			{
				allowed_hosts: ["localhost", "127.0.0.1", "[::1]"],
				allowed_origins: ["http://localhost", "http://127.0.0.1", "http://[::1]"],
			},
		),
		...(warnings.length === 0 ? {} : { warnings }),
	};
	return `${JSON.stringify(shown, null, "\t")}\n`;
}

function differing(actual: object, standard: object): object {
	const standards = Object.entries(standard);
	return Object.fromEntries(
		Object.entries(actual).filter(
			([key, value]) =>
				JSON.stringify(value) !== JSON.stringify(standards.find(([name]) => name === key)?.[1]),
		),
	);
}

async function rewrite(file: string, golden: Case, outcome: object): Promise<void> {
	const inputs = [...golden.sections].filter(([name]) => name !== "plan" && name !== "problems");
	const head = [golden.title, ...golden.settings].join("\n");
	const body = [...inputs, ...Object.entries(outcome)].map(
		([name, text]) => `-- ${name} --\n${text}`,
	);
	await writeFile(join(folder, file), `${head}\n${body.join("")}`);
}

const files = (await readdir(folder)).filter((name) => name.endsWith(".txtar"));

test("the golden folder holds its cases", () => {
	assert.ok(files.length >= 40, `${files.length} cases`);
});

for (const file of files.toSorted()) {
	const golden = parseCase(await readFile(join(folder, file), "utf8"));
	test(`${file.slice(0, -".txtar".length)}: ${golden.title}`, async () => {
		const outcome = await runCase(golden);
		if (process.env["UPDATE_GOLDEN"] === "1") return rewrite(file, golden, outcome);
		const expected = ["plan", "problems"]
			.filter((name) => golden.sections.has(name))
			.map((name) => [name, golden.sections.get(name)]);
		assert.deepEqual(Object.fromEntries(expected), outcome);
		return undefined;
	});
}
