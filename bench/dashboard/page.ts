import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { CDPSession, Page } from "playwright-core";
import { needs_chromium, startBrowser } from "../../test/support/browser.ts";
import { buildDashboard } from "../../tools/lib/dashboard.ts";
import { repository_root } from "../../tools/lib/paths.ts";
import type { GatewayProcess } from "../contenders.ts";
import { median, rounded } from "../figures.ts";
import type { Measured } from "../hosting/measured.ts";
import { LoadGenerator } from "../load.ts";
import { cpuOf } from "../process-stat.ts";
import { cpuOfCalls, inTurns, known, p99Of } from "./compared.ts";
import { callsOf, connections, names, rate, startFleet } from "./fleet.ts";

const run_ms = 8_000;
const rounds = 5;
const short_rounds = 2;
const warm_ms = 500;
/** Before a page is measured it has drawn everything once, and its code is compiled. */
const settle_ms = 4_000;

/** What a page had used of the processor at one moment, in milliseconds. */
interface Used {
	/** Of the thread that scripts, styles and layout run on. */
	readonly main_ms: number;
	/** Of the whole process that draws the page. */
	readonly process_ms: number;
}

/**
 * What the page of the fleet takes of a processor in a real browser, that of a person who looks at
 * 300 servers called 1,000 times a second, and what it does to those calls: rounds with the page
 * open and rounds in which the same browser shows nothing take turns. The browser, the gateway, the
 * servers and the clients share this machine.
 */
export async function measurePage(short: boolean): Promise<Measured> {
	if (needs_chromium !== false) return { skipped: needs_chromium };
	await buildDashboard(repository_root);
	const fleet = await startFleet();
	const generator = new LoadGenerator();
	const browser = await startBrowser();
	try {
		const page = await browser.open("about:blank");
		const session = await page.context().newCDPSession(page);
		await session.send("Performance.enable", { timeDomain: "threadTicks" });
		await signIn(page, fleet.gateway);
		const shape = { connections, rate, warm_ms, checked_only: true };
		const load = (ms: number) =>
			generator.run(callsOf(fleet.gateway), { ...shape, run_ms: ms }, fleet.gateway.pid);
		await load(settle_ms);
		const shares: Share[] = [];
		const compared = await inTurns(short ? short_rounds : rounds, async (looked_at) => {
			await page.goto("about:blank");
			if (!looked_at) return load(run_ms);
			await openFleet(page, fleet.gateway);
			const began = await usedBy(session);
			const began_ms = performance.now();
			const sample = await load(run_ms);
			shares.push(shareOf(began, await usedBy(session), performance.now() - began_ms));
			await page.getByText(`${names.length} servers`).waitFor();
			return sample;
		});
		const { looked_at } = compared;
		const calls_per_s = median(looked_at.map(({ calls, seconds }) => calls / seconds));
		return {
			...known({
				main_thread_percent: rounded(median(shares.map(({ main }) => main)), 1),
				page_percent: rounded(median(shares.map(({ whole }) => whole)), 1),
				calls_per_s: rounded(calls_per_s, 0),
			}),
			...p99Of(compared),
			...cpuOfCalls(compared),
		};
	} finally {
		await browser.close();
		generator.stop();
		await fleet.stop();
	}
}

/** Signs the browser in and looks at the fleet. */
async function signIn(page: Page, gateway: GatewayProcess): Promise<void> {
	const token = (await readFile(gateway.admin_token_path, "utf8")).trim();
	const url = `http://127.0.0.1:${gateway.port}`;
	const made = await fetch(`${url}/api/session/links`, {
		method: "POST",
		headers: { authorization: `Bearer ${token}` },
	});
	const link = (await made.json()) as { url: string };
	await page.setViewportSize({ width: 1440, height: 900 });
	await page.goto(`${url}/${new URL(link.url).hash}`);
	await page.getByText(`${names.length} servers`).waitFor();
}

async function openFleet(page: Page, gateway: GatewayProcess): Promise<void> {
	await page.goto(`http://127.0.0.1:${gateway.port}/#/fleet`);
	await page.getByText(`${names.length} servers`).waitFor();
}

/** What a page took of one core, in percent. */
interface Share {
	readonly main: number;
	readonly whole: number;
}

function shareOf(began: Used, used: Used, passed_ms: number): Share {
	const percent = (ms: number) => (ms / passed_ms) * 100;
	return {
		main: percent(used.main_ms - began.main_ms),
		whole: percent(used.process_ms - began.process_ms),
	};
}

async function usedBy(session: CDPSession): Promise<Used> {
	const { metrics } = await session.send("Performance.getMetrics");
	const task_s = metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN;
	const process_ms = renderers().reduce((sum, pid) => sum + (cpuOf(pid) ?? 0), 0);
	return { main_ms: task_s * 1_000, process_ms };
}

/** The processes that draw pages, below this one. */
function renderers(): number[] {
	const parents = new Map<number, number>();
	const drawing: number[] = [];
	for (const entry of readdirSync("/proc")) {
		const pid = Number(entry);
		if (!Number.isInteger(pid)) continue;
		try {
			const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
			parents.set(pid, Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
			const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
			if (command.includes("--type=renderer")) drawing.push(pid);
		} catch {
			// It has ended meanwhile.
		}
	}
	return drawing.filter((pid) => {
		for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at)) {
			if (at === process.pid) return true;
		}
		return false;
	});
}
