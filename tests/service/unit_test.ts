/** The unit's exposure, as systemd itself counts it; each point is printed, and bounded as a whole. */
import { assert, assertEquals } from "@std/assert";
import { DAEMON_CAPABILITIES, unitText } from "../../src/install/unit.ts";
import { mustRun } from "../../src/host/run.ts";

/** Tenths. What stays is what the daemon is for; the unit says so point by point. */
const MOST = 30;

interface Point {
  set: boolean | null;
  name: string;
  json_field: string;
  description: string;
  exposure: string | null;
}

async function withUnit<T>(work: (path: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "vei-unit-" });
  try {
    await Deno.writeTextFile(`${folder}/vei.service`, unitText());
    return await work(`${folder}/vei.service`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const security = (path: string, ...more: string[]) =>
  mustRun("systemd-analyze", ["security", "--offline=yes", "--no-pager", ...more, path]);

Deno.test("the unit's exposure is at most 3.0, and each point of it is explained", async () => {
  await withUnit(async (path) => {
    const points: Point[] = JSON.parse(await security(path, "--json=short"));
    const left = points.filter(({ exposure }) => exposure !== null && exposure !== "0");
    const text = await security(path);
    const line = /Overall exposure level .*: (\d+)\.(\d+)/.exec(text)!;
    for (const { name, description, exposure } of left) {
      console.log(`  ${exposure} ${name} ${description}`);
    }
    console.log(`  ${line[0]}`);
    assert(Number(line[1] + line[2]) <= MOST, line[0]);
    // One list of what is left, in the unit itself: neither a point too few nor one too many.
    const explained = [...unitText().matchAll(/^# {3}stays: (\S+):/gm)].map((match) => match[1]);
    assertEquals(explained.toSorted(), left.map((point) => point.json_field).toSorted());
  });
});

Deno.test("every line of the unit is one that systemd reads, each setting only where it adds", () => {
  const settings = unitText().split("\n").filter((line) => /^[A-Z]/.test(line));
  const names = settings.map((line) => line.slice(0, line.indexOf("=")));
  const lists = new Set([
    ...["SystemCallFilter", "DeviceAllow", "BindPaths", "After", "ReadWritePaths"],
  ]);
  const twice = names.filter((name, at) => names.indexOf(name) !== at && !lists.has(name));
  assertEquals(twice, []);
  const kept = settings.find((line) => line.startsWith("CapabilityBoundingSet="))!;
  assertEquals(kept.slice(kept.indexOf("=") + 1).split(" "), Object.keys(DAEMON_CAPABILITIES));
});
