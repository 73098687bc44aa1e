import type { JSX } from "preact";
import { Button } from "./parts.tsx";

interface ChangedMeanwhileProps {
	/** What somebody else changed. */
	readonly what: string;
	/** What of it differs, in words; empty where that is not known. */
	readonly differing: string;
	/** Why there is nothing to choose from yet. */
	readonly why_not: string | undefined;
	onTheirs(): void;
	onMine(): void;
}

/** Somebody else changed the same thing: neither change is lost without a word. */
export function ChangedMeanwhile(props: ChangedMeanwhileProps): JSX.Element {
	const { what, differing, why_not, onTheirs, onMine } = props;
	return (
		<div class="note stack tight" role="alert">
			<p>
				Somebody else changed {what} meanwhile
				{differing === "" ? "" : `: ${differing}`}. Nothing of yours is applied.
			</p>
			<div class="row">
				<Button why_not={why_not} onClick={onTheirs}>
					Show theirs, and drop mine
				</Button>
				<Button why_not={why_not} onClick={onMine}>
					Keep what I typed, in the place of theirs
				</Button>
			</div>
		</div>
	);
}
