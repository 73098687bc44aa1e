import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { ApiProblem } from "../lib/api.ts";
import { Button, Dialog, Problem } from "./parts.tsx";

interface FormDialogProps {
	readonly title: string;
	/** The fields, and what is to be known about them. */
	readonly children: ComponentChildren;
	readonly verb: ComponentChildren;
	readonly kind?: "main" | "danger";
	readonly busy: boolean;
	/** Why it cannot be sent now; undefined: it can. */
	readonly why_not?: string | undefined;
	/** What else can be done, between giving up and sending. */
	readonly more?: ComponentChildren;
	/** What went wrong and stands at no field. */
	readonly problem: ApiProblem | undefined;
	onSubmit(): void;
	onClose(): void;
}

/** A form in a dialog. Enter sends it; where that is refused, one stands at the field to blame. */
export function FormDialog(props: FormDialogProps): JSX.Element {
	const { title, children, verb, kind = "main", busy, why_not, problem, onClose } = props;
	const form = useRef<HTMLFormElement>(null);
	const was_busy = useRef(false);
	useEffect(() => {
		if (was_busy.current && !busy) {
			form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
		}
		was_busy.current = busy;
	}, [busy]);
	const submit = (event: Event) => {
		event.preventDefault();
		if (!busy && why_not === undefined) props.onSubmit();
	};
	return (
		<Dialog title={title} onClose={onClose}>
			<form class="stack" ref={form} noValidate onSubmit={submit}>
				{children}
				<Problem problem={problem} />
				<div class="row end">
					<Button onClick={onClose}>Cancel</Button>
					{props.more}
					<Button type="submit" kind={kind} busy={busy} why_not={why_not}>
						{verb}
					</Button>
				</div>
			</form>
		</Dialog>
	);
}
