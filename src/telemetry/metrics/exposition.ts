import type { MetricInfo } from "./instruments.ts";
import type { HistogramPoint, MetricSnapshot } from "./registry.ts";

/** Content type of the text format of Prometheus, version 0.0.4. */
export const exposition_type = "text/plain; version=0.0.4; charset=utf-8";

const unit_suffixes = { s: "_seconds", By: "_bytes", "1": "" } as const;

/**
 * The name of a metric for Prometheus, as OpenTelemetry's compatibility rules have it: dots become
 * underscores, the unit and `_total` are put behind it.
 */
export function prometheusName(info: MetricInfo, kind: MetricSnapshot["kind"]): string {
	const base = `${plain(info.name)}${unit_suffixes[info.unit]}`;
	return kind === "counter" ? `${base}_total` : base;
}

/** All metrics in the text format of Prometheus (prometheus.io, exposition formats). */
export function renderExposition(metrics: readonly MetricSnapshot[]): string {
	let text = "";
	for (const metric of metrics) {
		const name = prometheusName(metric.info, metric.kind);
		text += `# HELP ${name} ${escapeHelp(metric.info.help)}\n# TYPE ${name} ${metric.kind}\n`;
		const names = metric.info.labels.map(plain);
		if (metric.kind === "histogram") {
			for (const point of metric.points) text += histogramLines(name, names, point);
		} else {
			for (const { labels, value } of metric.points) {
				text += `${name}${braces(pairs(names, labels))} ${number(value)}\n`;
			}
		}
	}
	return text;
}

function histogramLines(name: string, names: readonly string[], point: HistogramPoint): string {
	const labels = pairs(names, point.labels);
	const start = labels === "" ? "" : `${labels},`;
	let text = "";
	let below = 0;
	for (const [index, bound] of point.bounds.entries()) {
		below += point.counts[index] as number;
		text += `${name}_bucket{${start}le="${number(bound)}"} ${below}\n`;
	}
	text += `${name}_bucket{${start}le="+Inf"} ${point.count}\n`;
	text += `${name}_sum${braces(labels)} ${number(point.sum)}\n`;
	return `${text}${name}_count${braces(labels)} ${point.count}\n`;
}

function pairs(names: readonly string[], values: readonly string[]): string {
	return names.map((name, index) => `${name}="${escapeValue(values[index] as string)}"`).join(",");
}

function braces(labels: string): string {
	return labels === "" ? "" : `{${labels}}`;
}

function plain(name: string): string {
	return name.replaceAll(".", "_");
}

function escapeHelp(text: string): string {
	return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

/** What callers name themselves may hold anything, line ends and quotes included. */
function escapeValue(text: string): string {
	return text
		.replaceAll("\\", "\\\\")
		.replaceAll("\n", "\\n")
		.replaceAll('"', '\\"')
		.toWellFormed();
}

function number(value: number): string {
	if (Number.isFinite(value)) return String(value);
	if (Number.isNaN(value)) return "NaN";
	return value > 0 ? "+Inf" : "-Inf";
}
