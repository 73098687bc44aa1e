import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { buildDashboard } from "../../tools/lib/dashboard.ts";
import { repository_root } from "../../tools/lib/paths.ts";
import { startBrowser, type TestBrowser } from "./browser.ts";
import { startGateway, type TestGateway, type TestGatewayOptions } from "./gateway.ts";

/** A gateway with a browser that is signed in to its dashboard. */
export interface DashboardScene {
	readonly gateway: TestGateway;
	readonly browser: TestBrowser;
	readonly page: Page;
	/** What went wrong in the page: errors, refusals of its policy, failed requests. */
	readonly troubles: string[];
	/** Goes to a page of the dashboard and waits until its heading is there. */
	visit(fragment: string, heading: string): Promise<void>;
	stop(): Promise<void>;
}

/** Screenshots of a run; git-ignored. */
const shots_folder = join(repository_root, ".tools", "screenshots");

/** Starts a gateway and opens its dashboard by the link that a first start prints. */
export async function startDashboard(
	config: object,
	options: TestGatewayOptions = {},
): Promise<DashboardScene> {
	await buildDashboard(repository_root);
	const gateway = await startGateway(config, options);
	const browser = await startBrowser();
	const page = await browser.open(gateway.daemon.dashboardAddress());
	const troubles = watchTroubles(page);
	try {
		await page.locator("main h1").waitFor();
	} catch (error) {
		// What it shows instead is worth more than how long it was waited for.
		const shown = await page.content().catch((reason: unknown) => String(reason));
		await browser.close();
		await gateway.stop();
		throw new Error(`the page has no heading: ${[...troubles, shown].join("\n")}`, {
			cause: error,
		});
	}
	return {
		gateway,
		browser,
		page,
		troubles,
		async visit(fragment, heading) {
			await page.goto(`${gateway.url}/${fragment}`);
			await page.getByRole("heading", { level: 1, name: heading }).waitFor();
		},
		async stop() {
			await browser.close();
			await gateway.stop();
		},
	};
}

/** Whatever a page complains about, from now on. */
export function watchTroubles(page: Page): string[] {
	const troubles: string[] = [];
	page.on("console", (message) => {
		// Browsers offer advice on forms; everything else is a trouble.
		if (message.type() === "error") troubles.push(message.text());
	});
	page.on("pageerror", (error) => troubles.push(error.stack ?? error.message));
	return troubles;
}

const axe_source = readFileSync(
	createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
	"utf8",
);

interface Finding {
	readonly id: string;
	readonly impact: string | null;
	readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** Done once nothing changes its colour any more; what turns without end is left to turn. */
const settled = `Promise.allSettled(
	document.getAnimations()
		.filter((one) => one.effect?.getComputedTiming().endTime !== Infinity)
		.map((one) => one.finished),
).then(() => undefined)`;

/** Looks for what keeps people out; nothing serious may be found. */
export async function assertAccessible(page: Page, where: string): Promise<void> {
	// Halfway from one theme to another, or to being chosen, a colour is neither's.
	await page.evaluate(settled);
	// The page's own policy allows no script of ours; the debugger of the browser is not bound by it.
	await page.evaluate(axe_source);
	const findings = await page.evaluate<Finding[]>("axe.run().then((run) => run.violations)");
	const serious = findings.filter(({ impact }) => impact === "serious" || impact === "critical");
	const told = serious.map(({ id, nodes }) => {
		const [first] = nodes;
		return `${id}: ${first?.html} ${first?.failureSummary ?? ""}`;
	});
	assert.deepEqual(told, [], `axe on ${where}`);
}

/** Nothing may stick out of the page sideways. */
export async function assertFits(page: Page, where: string): Promise<void> {
	const over = await page.evaluate<number>(
		"document.documentElement.scrollWidth - document.documentElement.clientWidth",
	);
	assert.ok(over <= 0, `${where} is ${over} pixels too wide`);
}

/** Keeps a picture of the page, as output of the test. */
export async function takePicture(page: Page, name: string): Promise<void> {
	await mkdir(shots_folder, { recursive: true });
	// A change of the theme is a transition: what is kept is how it ends.
	await page.screenshot({ path: join(shots_folder, `${name}.png`), animations: "disabled" });
}

/** Both themes, on a wide screen and on a phone. */
export const every_look = [
	["light", 1440],
	["dark", 1440],
	["light", 375],
	["dark", 375],
] as const;

/**
 * What the page shows now fits and keeps nobody out in these looks; each leaves a picture of that
 * name. The page is as wide as before afterwards.
 */
export async function assertLooks(
	page: Page,
	name: string,
	looks: readonly (readonly ["light" | "dark", number])[] = every_look,
): Promise<void> {
	const before = page.viewportSize();
	for (const [theme, width] of looks) {
		const look = `${name}-${theme}-${width}`;
		await page.setViewportSize({ width, height: 900 });
		await page.emulateMedia({ colorScheme: theme });
		await takePicture(page, look);
		await assertAccessible(page, look);
		await assertFits(page, look);
	}
	if (before !== null) await page.setViewportSize(before);
}
