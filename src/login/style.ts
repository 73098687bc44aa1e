/** Where the pages' style is; they load nothing else. */
export const style_path = "/oauth/style.css";

/** Plain and small: one column, as wide as a phone, in the colours the person prefers. */
export const style = `:root {
	color-scheme: light dark;
	--paper: light-dark(#f5f6f8, #14171c);
	--card: light-dark(#fff, #1d2128);
	--ink: light-dark(#1b1f26, #e8eaee);
	--soft: light-dark(#59616e, #a3abb8);
	--line: light-dark(#d6dae1, #39404c);
	--accent: light-dark(#1457c7, #7fb0ff);
	--on-accent: light-dark(#fff, #0b1220);
	--alarm: light-dark(#a4161a, #ff9d9d);
}
* { box-sizing: border-box; }
body {
	margin: 0;
	min-height: 100vh;
	display: grid;
	place-items: center;
	padding: 1rem;
	background: var(--paper);
	color: var(--ink);
	font: 1rem/1.5 system-ui, sans-serif;
}
main {
	width: 100%;
	max-width: 26rem;
	padding: 1.5rem;
	background: var(--card);
	border: 1px solid var(--line);
	border-radius: 0.75rem;
	overflow-wrap: anywhere;
}
h2 { margin: 1rem 0 0.25rem; font-size: 1.05rem; }
h1 { margin: 0 0 0.75rem; font-size: 1.3rem; line-height: 1.3; }
p { margin: 0 0 1rem; }
.soft { color: var(--soft); font-size: 0.9rem; }
.alarm { color: var(--alarm); }
dl { margin: 0 0 1rem; }
dt { color: var(--soft); font-size: 0.85rem; }
dd { margin: 0 0 0.6rem; }
dd ul { margin: 0; padding-left: 1.1rem; }
label { display: block; margin-bottom: 0.9rem; font-size: 0.9rem; }
input {
	display: block;
	width: 100%;
	margin-top: 0.25rem;
	padding: 0.6rem 0.7rem;
	font: inherit;
	font-size: 1rem;
	color: inherit;
	background: var(--paper);
	border: 1px solid var(--line);
	border-radius: 0.5rem;
}
button, a.button {
	display: block;
	width: 100%;
	margin-top: 0.6rem;
	padding: 0.7rem;
	font: inherit;
	font-weight: 600;
	color: var(--on-accent);
	background: var(--accent);
	border: 1px solid var(--accent);
	border-radius: 0.5rem;
	text-align: center;
	text-decoration: none;
	cursor: pointer;
}
button.plain, form + a.button, hr + a.button { color: var(--ink); background: transparent; border-color: var(--line); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
hr { margin: 1.25rem 0; border: 0; border-top: 1px solid var(--line); }
`;
