import { Worker } from "node:worker_threads";
import type { Verification } from "./verify.ts";

/** What the thread is started with. */
export interface VerifyWorkerData {
	readonly folder: string;
	readonly public_key: string;
}

/** Checks the log of a folder in a thread of its own, so that nobody waits for it meanwhile. */
export function verifyInThread(folder: string, public_key: string): Promise<Verification> {
	return new Promise((resolve, reject) => {
		const workerData: VerifyWorkerData = { folder, public_key };
		const worker = new Worker(new URL("./verify-worker.ts", import.meta.url), { workerData });
		worker.once("message", (found: Verification) => resolve(found));
		worker.once("error", reject);
		worker.once("exit", () => reject(new Error("the check ended before it was done")));
	});
}
