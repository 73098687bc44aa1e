/** Fetches what it is asked to, and says what came of it. */
import { serve, text, toolServer } from "./wire/serve.mjs";

const fetch_json =
	'{"name":"fetch","description":"Fetches an address.","inputSchema":{"type":"object",' +
	'"properties":{"url":{"type":"string"}},"required":["url"]}}';

async function reach({ arguments: { url } }) {
	try {
		const response = await fetch(url);
		return text(`${response.status} ${await response.text()}`);
	} catch (error) {
		return text(`failed: ${error.cause?.code ?? ""} ${error.cause?.message ?? error.message}`);
	}
}

serve(toolServer("reaching", [{ name: "fetch", json: fetch_json, call: reach }]));
