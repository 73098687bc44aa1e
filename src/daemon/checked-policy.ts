import { fail } from "../lib/result.ts";
import { compileRules } from "../policy/rules.ts";
import type { DaemonOptions } from "./options.ts";

type Load = DaemonOptions["load"];

/** Reads a configuration and refuses it where a condition of its rules is wrong. */
export function withCheckedPolicy(load: Load): Load {
	return async (text) => {
		const loaded = await load(text);
		if (!loaded.ok) return loaded;
		const rules = compileRules(loaded.value.policy);
		return rules.ok ? loaded : fail(rules.problem);
	};
}
