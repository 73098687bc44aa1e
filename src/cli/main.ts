import { setYoungGrowth } from "../lib/young-space.ts";

/**
 * What is run. Before anything else of the gateway is loaded: what is loaded lives long, and would
 * make the space for young objects as large as it may become (`YoungSpace`). Other commands are not
 * started with a size of their own for it.
 */
if (process.execArgv.some((option) => option.includes("min-semi-space-size"))) {
	setYoungGrowth(false);
}
await import("./run-main.ts");
