import { assertEquals, assertThrows } from "@std/assert";
import { parseMetrics } from "../../tests/tools/prometheus.ts";
import { exposition, type Family, Histogram } from "./exposition.ts";

const gauge = (samples: Family["samples"]): Family => ({
  name: "a_b",
  help: "Backslash \\ and\nnew line.",
  type: "gauge",
  samples,
});

Deno.test("text as the format says it", () => {
  assertEquals(
    exposition([gauge([{ value: 1 }, { value: 0.5, labels: { k: 'a"\\\nb', l: "" } }, {
      value: Infinity,
      labels: { k: "i" },
    }, { value: NaN, labels: { k: "n" } }])]),
    "# HELP a_b Backslash \\\\ and\\nnew line.\n# TYPE a_b gauge\n" +
      'a_b 1\na_b{k="a\\"\\\\\\nb",l=""} 0.5\na_b{k="i"} +Inf\na_b{k="n"} NaN\n',
  );
});

Deno.test("Prometheus' own parser reads back labels and numbers of every kind", async () => {
  const values = [0, -1, 0.1, 1e21, 2 ** 53 - 1, 1e-9];
  const odd = ['"', "\\", "\n", "\\n", "é😀", "a b,c={}#", ""];
  const text = exposition([
    gauge(values.map((value, i) => ({ value, labels: { k: String(i) } }))),
    { ...gauge(odd.map((k, value) => ({ value, labels: { k } }))), name: "odd" },
  ]);
  const read = (await parseMetrics(text)).values;
  for (const [i, value] of values.entries()) assertEquals(read[`a_b{k="${i}"}`], value);
  // Python's json.dumps writes what is not ASCII as escapes, JSON.parse of the key undoes them.
  const keys = Object.keys(read).filter((key) => key.startsWith("odd"))
    .map((key) => JSON.parse(key.slice("odd{k=".length, -1)));
  assertEquals(keys, odd);
});

Deno.test("a histogram's buckets hold the lesser ones too", async () => {
  const seconds = new Histogram([1, 2.5]);
  for (const value of [0.5, 1, 2, 9]) seconds.observe(value);
  const text = exposition([{ ...gauge(seconds.samples()), name: "h", type: "histogram" }]);
  assertEquals((await parseMetrics(text)).values, {
    'h_bucket{le="1"}': 2,
    'h_bucket{le="2.5"}': 3,
    'h_bucket{le="+Inf"}': 4,
    h_sum: 12.5,
    h_count: 4,
  });
});

Deno.test("a name that the format does not know is our mistake", () => {
  assertThrows(() => exposition([{ ...gauge([]), name: "a-b" }]), TypeError);
  assertThrows(() => exposition([gauge([{ value: 1, labels: { "1": "" } }])]), TypeError);
});
