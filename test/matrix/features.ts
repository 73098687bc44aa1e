import type { Feature } from "./cell.ts";
import * as along from "./features/along-the-way.ts";
import * as basics from "./features/basics.ts";
import * as items from "./features/items.ts";
import * as questions from "./features/questions.ts";
import { tasks } from "./features/tasks.ts";

/** The rows that every pair plays one after the other, in the order of the table. */
export const features: readonly Feature[] = [
	basics.hello,
	basics.list_and_call,
	basics.structured_output,
	basics.errors,
	items.resources,
	items.templates,
	along.resource_subscription,
	items.prompts,
	items.completion,
	items.pagination,
	along.progress,
	along.cancellation,
	along.list_changes,
	along.logging,
	questions.elicitation_form,
	questions.elicitation_url,
	questions.sampling,
	questions.sampling_with_tools,
	questions.roots,
	questions.several_rounds,
	tasks,
	items.apps,
	items.skills,
	basics.unknown_extension,
	basics.big_result,
];
