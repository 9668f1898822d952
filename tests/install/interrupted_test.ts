/** Installing, upgrading and uninstalling, killed at random moments; the next run mends it. */
import { assert, assertEquals } from "@std/assert";
import { type Random, seeded } from "../judge/random.ts";
import { CleanRoot } from "./clean_root.ts";
import { compiledProgram, withVersion } from "./compiled.ts";
import { changed, type Entry } from "./upper.ts";

const ROUNDS = 5;
const PROGRAM = "/usr/local/bin/vei";
/** A kill comes at a moment in time, or as soon as one of these is there (or no longer there). */
const SIGNS = [
  "/usr/local/bin/.vei.vei-new",
  PROGRAM,
  "/usr/local/lib/vei/installed.json",
  "/usr/local/lib/vei/vei.previous",
  "/etc/vei/vei.toml",
  "/usr/local/share/zsh/site-functions/_vei",
  "/usr/local/share/man/man1/vei.1",
  "/etc/passwd",
];
const LONGEST_MS = 3000;

/** Starts a command and kills it. @returns when, in words. */
async function killed(root: CleanRoot, command: string[], random: Random): Promise<string> {
  const child = root.start(command);
  const output = child.output();
  let ended = false;
  child.status.then(() => ended = true);
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const sign = random.once(2) ? null : random.pick(SIGNS);
  let when = `${sign} changed`;
  if (sign === null) {
    const ms = random.below(LONGEST_MS);
    when = `after ${ms} ms`;
    await pause(ms);
  } else {
    const before = look(root, sign);
    while (!ended && look(root, sign) === before) await pause(0);
  }
  if (!ended) child.kill("SIGKILL");
  const { code } = await output;
  return code === 137 ? when : `${when}: not, it ended with ${code}`;
}

/** Whether and which: every file is made anew and moved in. */
function look(root: CleanRoot, path: string): string {
  try {
    const { ino, size } = Deno.lstatSync(root.path(path));
    return `${ino} ${size}`;
  } catch {
    return "none";
  }
}

const contentOf = ({ content }: Entry) => content;

/** The copies of the user databases say what was before the last change of them. */
function withoutCopies(entries: Map<string, Entry>): Map<string, Entry> {
  return new Map([...entries].filter(([path]) => !/^\/etc\/[a-z]+-$/.test(path)));
}

Deno.test("killed at any moment, the next run does the rest", async () => {
  const seed = Number(Deno.env.get("VEI_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  console.log(`  VEI_SEED=${seed}`);
  const random = seeded(seed);
  await using root = await CleanRoot.make();
  const old = await root.put(await compiledProgram(), "vei");
  const next = "/mnt/vei-next";
  await withVersion(await compiledProgram(), "9.9.9", root.path(next));
  const state = async () => withoutCopies(await root.differences());
  const must = (...command: string[]) => root.must(command);

  const empty = await state();
  await must(old, "install", "--no-setup");
  const whole = await state();
  await must("vei", "upgrade", next);
  const upgraded = await state();
  await must("vei", "uninstall", "--purge");
  assertEquals(changed(empty, await state()), {});

  // What is in its place is whole: the old file or the new one.
  const known = new Set([whole, upgraded].flatMap((one) => [...one.values()].map(contentOf)));
  const wholeFiles = async (when: string) => {
    const places = [...upgraded].filter(([path, { type }]) => {
      return type === "f" && path.startsWith("/usr/local/");
    }).map(([path]) => path);
    const { stdout } = await root.run(["cksum", ...places]);
    for (const [line, content, path] of stdout.matchAll(/^(\d+ \d+) (.*)$/gm)) {
      if (path.endsWith("/installed.json")) JSON.parse(await root.read(path));
      else assert(known.has(content), `${when}: ${line} is neither the old nor the new file`);
    }
  };

  for (let round = 0; round < ROUNDS; round++) {
    const kill = async (...command: string[]) => {
      const when = `round ${round}: ${command.join(" ")}: ${await killed(root, command, random)}`;
      console.log(`  ${when}`);
      await wholeFiles(when);
      return when;
    };
    let when = await kill(old, "install", "--no-setup");
    await must(old, "install", "--no-setup");
    assertEquals(changed(whole, await state()), {}, when);
    when = await kill("vei", "upgrade", next);
    await must("vei", "upgrade", next);
    assertEquals(changed(upgraded, await state()), {}, when);
    when = await kill(next, "uninstall", "--purge");
    await must(next, "uninstall", "--purge");
    assertEquals(changed(empty, await state()), {}, when);
  }
});
