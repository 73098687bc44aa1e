import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiProblem, call, type Reply } from "../lib/api.ts";
import { plain } from "../lib/format.ts";
import { useAction, useQuery } from "../lib/query.ts";
import { useSession, whyNot } from "../lib/session.ts";
import { isObject } from "../lib/tools.ts";
import { FormDialog } from "../ui/form-dialog.tsx";
import { Button } from "../ui/parts.tsx";
import { tell } from "../ui/toasts.tsx";
import { withTexts } from "./server-form.tsx";

type Settings = Reply<"getServerSettings">;

interface AskFirstProps {
	readonly server: string;
	readonly tool: string;
}

/** Has a person asked before each call of a tool, from now on. */
export function AskFirst({ server, tool }: AskFirstProps): JSX.Element {
	const why_not = whyNot(useSession());
	const [asked, setAsked] = useState(false);
	return (
		<>
			<Button why_not={why_not} onClick={() => setAsked(true)}>
				Ask first<span class="sr"> before {plain(tool, 120)} is called</span>
			</Button>
			{asked ? <AskDialog {...{ server, tool }} onClose={() => setAsked(false)} /> : null}
		</>
	);
}

function AskDialog(props: AskFirstProps & { onClose(): void }): JSX.Element {
	const { server, tool, onClose } = props;
	const { value, problem } = useQuery("getServerSettings", { path: { name: server } });
	const apply = useAction(async () => {
		if (value === undefined) return;
		const body = { entry: withTexts(askingEntry(value, tool)), etag: value.etag };
		const { text, etag } = await call("draftSettings", { path: { name: server }, body });
		await call("replaceConfig", { body: { text }, headers: { "if-match": etag } });
		tell(`A person is asked before ${plain(tool, 120)} is called.`);
		onClose();
	});
	return (
		<FormDialog
			title={`Ask first before ${plain(tool, 120)}?`}
			verb="Ask first"
			busy={apply.busy}
			why_not={value === undefined ? "The entry is being read." : undefined}
			problem={apply.problem ?? problem}
			onSubmit={() => void apply.run()}
			onClose={onClose}
		>
			<p>
				From the next call on, each call of it waits until somebody who may approve has agreed to
				its exact arguments. Nothing is started anew.
			</p>
			<p>
				<code>approval: required</code> is written to this tool in{" "}
				{value === undefined ? "the configuration" : <code>{plain(value.path, 400)}</code>};
				comments there stay. Take it out again under Settings.
			</p>
		</FormDialog>
	);
}

/** The entry with the word on this tool in it; everything else stays as it was written. */
function askingEntry({ entry, why_text }: Settings, tool: string): Settings["entry"] {
	const { tools = {} } = entry;
	if (why_text !== undefined || !isObject(tools)) {
		throw new ApiProblem({
			code: "text_only",
			status: 0,
			detail: why_text ?? "The tools of this entry are a list, which has no place for it.",
			next: "Change it under Settings, as the text of the file.",
		});
	}
	const before = tools[tool];
	const setting = { ...(isObject(before) ? before : {}), approval: "required" };
	return { ...entry, tools: { ...tools, [tool]: setting } };
}
