/** Reads `/metrics` with Prometheus' own parser (Debian's python3-prometheus-client, for Debian's Python). */
import { assertEquals } from "@std/assert";

/** Value by name and labels, e.g. `vei_exchanges_total{verdict="completed"}`. */
export type Metrics = Record<string, number>;

export interface Scraped {
  values: Metrics;
  /** Type by family. */
  types: Record<string, string>;
}

const SCRIPT = `
import json, sys
from prometheus_client.parser import text_string_to_metric_families
values, types = {}, {}
for family in text_string_to_metric_families(sys.stdin.read()):
    assert family.name not in types, family.name + " twice"
    assert family.documentation, family.name + " without help"
    types[family.name] = family.type
    for sample in family.samples:
        labels = ",".join(f"{k}={json.dumps(v)}" for k, v in sample.labels.items())
        key = sample.name + ("{" + labels + "}" if labels else "")
        assert key not in values, key + " twice"
        values[key] = sample.value
print(json.dumps({"values": values, "types": types}))
`;

/** @throws Error when the parser refuses the text, or is not installed. */
export async function parseMetrics(text: string): Promise<Scraped> {
  const child = new Deno.Command("/usr/bin/python3", {
    args: ["-c", SCRIPT],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const said = new TextDecoder().decode(stderr);
  if (said.includes("No module named 'prometheus_client'")) {
    throw new Error("This test needs the Debian package python3-prometheus-client");
  }
  assertEquals(code, 0, said);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Fetches `/metrics` and checks what HTTP says of it. */
export async function scrape(fetched: Promise<Response>): Promise<Scraped> {
  const answer = await fetched;
  assertEquals(
    [answer.status, answer.headers.get("content-type")],
    [200, "text/plain; version=0.0.4; charset=utf-8"],
  );
  return await parseMetrics(await answer.text());
}
