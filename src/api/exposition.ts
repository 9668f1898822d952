/**
 * Prometheus' text exposition format 0.0.4
 * (prometheus.io/docs/instrumenting/exposition_formats): lines of numbers with names.
 */

/** For the field Content-Type. */
export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export interface Sample {
  value: number;
  labels?: Record<string, string>;
  /** `_bucket`, `_sum` or `_count` of a histogram. */
  suffix?: string;
}

/** The samples of one name. */
export interface Family {
  name: string;
  /** One sentence. */
  help: string;
  type: "counter" | "gauge" | "histogram";
  samples: Sample[];
}

/**
 * @param families each name once.
 * @returns the document.
 * @throws TypeError for a name that the format does not know: a mistake of ours.
 */
export function exposition(families: readonly Family[]): string {
  return families.map(({ name, help, type, samples }) => {
    if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) throw new TypeError(`The metric name ${name}`);
    const escapedHelp = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
    const lines = samples.map(({ value, labels = {}, suffix = "" }) =>
      `${name}${suffix}${labelText(labels)} ${numberText(value)}\n`
    );
    return `# HELP ${name} ${escapedHelp}\n# TYPE ${name} ${type}\n${lines.join("")}`;
  }).join("");
}

function labelText(labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([name, value]) => {
    if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) throw new TypeError(`The label name ${name}`);
    const escaped = value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
    return `${name}="${escaped}"`;
  });
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return String(value);
}

/** Counts observations by size. */
export class Histogram {
  private readonly counts: number[];
  private sum = 0;
  private count = 0;

  /** @param bounds upper ends of the buckets, ascending; one without an end is added. */
  constructor(private readonly bounds: readonly number[]) {
    this.counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.sum += value;
    this.count++;
    // Buckets hold what is at most their bound, the lesser ones too.
    this.bounds.forEach((bound, i) => this.counts[i] += value <= bound ? 1 : 0);
  }

  samples(): Sample[] {
    const bucket = (le: string, value: number) => ({ suffix: "_bucket", labels: { le }, value });
    return [
      ...this.bounds.map((bound, i) => bucket(String(bound), this.counts[i])),
      bucket("+Inf", this.count),
      { suffix: "_sum", value: this.sum },
      { suffix: "_count", value: this.count },
    ];
  }
}
