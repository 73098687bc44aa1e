import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { loadPlan } from "./load.ts";
import { formatProblem } from "./problem.ts";

const root = join(import.meta.dirname, "..", "..");

const pages = [
	"docs/identity.md",
	"docs/grants.md",
	"docs/telemetry.md",
	"docs/alerts.md",
	"docs/approval-webhooks.md",
	"deploy/caddy/README.md",
];

/** What the pages take from the environment. */
const environment = {
	EXAMPLE_SECRET: "value",
	COMPANY_SECRET: "value",
	MOORAGE_INTROSPECTION: "value",
	HOOK_SECRET: "a value that nobody guesses",
	SLACK_URL: "https://hooks.slack.example.com/services/one",
	SMTP_SERVER: "smtps://robot:secret@smtp.example.com",
};

for (const page of pages) {
	test(`every configuration in ${page} is accepted`, async (context) => {
		const text = await readFile(join(root, page), "utf8");
		const blocks = [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, block = ""]) => block);
		assert.ok(blocks.length > 0);
		const cwd = await tempFolder(context);
		for (const block of blocks) {
			await writeFile(join(cwd, "moorage.yaml"), block);
			const loaded = await loadPlan({
				path: undefined,
				cwd,
				environment,
				home: cwd,
				overrides: {},
			});
			const problems = loaded.ok ? [] : loaded.problem.map(formatProblem);
			assert.deepEqual(problems, [], block);
		}
	});
}
