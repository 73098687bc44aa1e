import type { JSX } from "preact";

/** Outlines on a grid of 20, drawn with the colour of the text. */
const paths = {
	fleet: "M3 5h14M3 10h14M3 15h14M6 3.5v3M12 8.5v3M8 13.5v3",
	add: "M10 4v12M4 10h12",
	play: "M6 4l10 6-10 6z",
	calls: "M3 6h9M3 10h14M3 14h6",
	approvals: "M4 10l4 4 8-8",
	people: "M10 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4 17c.5-3 3-5 6-5s5.500 2 6 5",
	mine: "M7 13l6-6M8 6l1.500-1.500a3.500 3.500 0 0 1 5 5L13 11M12 14l-1.500 1.500a3.500 3.500 0 0 1-5-5L7 9",
	alerts: "M10 3c-3 0-4.500 2.200-4.500 5v3L4 14h12l-1.500-3V8c0-2.800-1.500-5-4.500-5zM8.500 17h3",
	audit: "M6 3h6l3 3v11H6zM12 3v3h3M8.500 10h4M8.500 13h4",
	health: "M3 10h3l2-5 4 10 2-5h3",
	settings: "M4 6h7M15 6h1M4 14h1M9 14h7M13 4v4M7 12v4",
	wake: "M10 3v2M10 15v2M3 10h2M15 10h2M5 5l1.500 1.500M13.500 13.500L15 15M15 5l-1.500 1.500M6.500 13.500L5 15M10 7a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
	freeze: "M10 3v14M4 6.500l12 7M16 6.500l-12 7",
	restart: "M15.500 8A6 6 0 1 0 16 11.500M16 4v4h-4",
	kill: "M10 3v7M6 5.500a6 6 0 1 0 8 0",
	menu: "M3 6h14M3 10h14M3 14h14",
	close: "M5 5l10 10M15 5L5 15",
	copy: "M7 7h9v9H7zM4 13V4h9",
	search: "M9 4a5 5 0 1 0 0 10A5 5 0 0 0 9 4zM12.500 12.500L17 17",
	sun: "M10 3v1.500M10 15.500V17M3 10h1.500M15.500 10H17M10 6.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7z",
	out: "M8 4H4v12h4M12 7l3 3-3 3M15 10H8",
	down: "M5 8l5 5 5-5",
} as const;

/** The name of an icon. */
export type IconName = keyof typeof paths;

/** A small picture beside a word; screen readers pass over it. */
export function Icon({ name }: { name: IconName }): JSX.Element {
	return (
		<svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
			<path d={paths[name]} />
		</svg>
	);
}

/** The sign of the house. */
export function Mark(): JSX.Element {
	return (
		<svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
			<rect width="32" height="32" rx="8" />
			<path d="M16 6v17M10 12h12M7 18c1 5 5 8 9 8s8-3 9-8" />
		</svg>
	);
}
