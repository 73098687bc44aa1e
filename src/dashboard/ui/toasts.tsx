import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { later } from "../lib/clock.ts";
import { plain } from "../lib/format.ts";

const shown_ms = 6_000;
let add: (text: string) => void = () => undefined;

/** Tells in a corner, for a moment, what has been done. */
export function tell(text: string): void {
	add(text);
}

/** The corner where it is told. */
export function Toasts(): JSX.Element {
	const [texts, setTexts] = useState<readonly { id: number; text: string }[]>([]);
	useEffect(() => {
		let last = 0;
		add = (text) => {
			last += 1;
			const id = last;
			setTexts((before) => [...before.slice(-3), { id, text }]);
			later(shown_ms, () => setTexts((before) => before.filter((one) => one.id !== id)));
		};
		return () => {
			add = () => undefined;
		};
	}, []);
	return (
		<div class="toasts" role="status" aria-live="polite">
			{texts.map(({ id, text }) => (
				<div class="toast" key={id}>
					{plain(text, 400)}
				</div>
			))}
		</div>
	);
}
