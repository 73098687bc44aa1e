import { atlassian } from "./atlassian.ts";
import { github } from "./github.ts";
import { gitlab } from "./gitlab.ts";
import { google } from "./google.ts";
import { linear } from "./linear.ts";
import { microsoft } from "./microsoft.ts";
import { notion } from "./notion.ts";
import type { Preset } from "./preset.ts";
import { salesforce } from "./salesforce.ts";
import { sentry } from "./sentry.ts";
import { slack } from "./slack.ts";
import { stripe } from "./stripe.ts";

/** The services that can be named in `oauth: { preset: NAME }`. */
export const presets: Readonly<Record<string, Preset>> = {
	atlassian,
	github,
	gitlab,
	google,
	linear,
	microsoft,
	notion,
	salesforce,
	sentry,
	slack,
	stripe,
};
