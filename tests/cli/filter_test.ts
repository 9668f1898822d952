/** `vei filter`, the program itself, with pipes, files and a terminal. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { seeded } from "../judge/random.ts";
import { fileState, startVei, veiCommand, type VeiOptions } from "../tools/vei.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Compiling a policy of many expressions from the source, not from a cache, takes its time. */
const MOST_MS = 120_000;

/** Compiled policies are kept there, and not in the machine's cache. */
const STATE = ["--state", fileState()];

interface Filtered {
  code: number;
  stdout: string;
  stderr: string;
}

/** Writes the pieces one after another, as far as they are read. */
async function filter(
  args: string[],
  pieces: readonly Uint8Array[],
  options: VeiOptions = {},
): Promise<Filtered> {
  const child = startVei(["filter", ...args, ...STATE], { ...options, stdin: "piped" });
  const timer = setTimeout(() => child.kill("SIGKILL"), MOST_MS);
  const writing = (async () => {
    const writer = child.stdin.getWriter();
    for (const piece of pieces) await writer.write(piece);
    await writer.close();
  })().catch((cause) => {
    // After a violation nobody reads any more.
    if (!(cause instanceof Deno.errors.BrokenPipe)) throw cause;
  });
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  await writing;
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

async function withFile(
  name: string,
  text: string,
  run: (path: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "vei-filter-" });
  try {
    await Deno.writeTextFile(`${folder}/${name}`, text);
    await run(`${folder}/${name}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const HEAD = 'name = "mine"\nversion = "1"\ndescription = "d"\n';
const WHOLE = `${HEAD}[[forbid]]\nid = "spite"\nwords = ["spite"]\nwhole_words = true\n`;

Deno.test("what passes comes out byte for byte, exit 0, nothing on standard error", async () => {
  const text = "I like hats. \u00e9\u{1f600}\x1b[31m\u0000 hat";
  const [one, many, empty] = await Promise.all([
    filter(["hateless"], [encode(text)]),
    filter(["hateless"], [...encode(text)].map((byte) => Uint8Array.of(byte))),
    filter(["hateless"], []),
  ]);
  assertEquals(one, { code: 0, stdout: text, stderr: "" });
  assertEquals(many, one);
  assertEquals(empty, { code: 0, stdout: "", stderr: "" });
});

Deno.test("a violation: exit 3, the bytes before it and not one of its own", () =>
  withFile("mine.toml", WHOLE, async (path) => {
    const cases: [what: string, policy: string, pieces: string[], out: string, offset: number][] = [
      ["within one write", "hateless", ["we hate it"], "we ", 6],
      ["across three writes", "hateless", ["we h", "at", "e it"], "we ", 6],
      ["at byte 0", "hateless", ["hate"], "", 3],
      ["as the last bytes", "hateless", ["all this ", "HaTe"], "all this ", 12],
      ["decided by the end", path, ["no spi", "te"], "no ", 8],
      ["decided by the byte behind it", path, ["no spite", "!"], "no ", 8],
    ];
    for (const [what, policy, pieces, out, offset] of cases) {
      const ran = await filter([policy, "--json"], pieces.map(encode));
      assertEquals([ran.code, ran.stdout], [3, out], `${what}: ${ran.stderr}`);
      const lines = ran.stderr.trimEnd().split("\n");
      assertEquals(lines.length, 1, ran.stderr);
      const { policy: name, rule, offset: at, start, released } = JSON.parse(lines[0]);
      const [whose, id] = policy === path ? ["mine", "spite"] : ["hateless", "hate"];
      assertEquals([name, rule, at, start, released], [whose, id, offset, out.length, out.length]);
    }
  }));

Deno.test("without --json the verdict is told in words, with the rule's description", () => {
  const text = `${HEAD}[[forbid]]\nid = "x-rule"\ndescription = "No xylophones"\nwords = ["xy"]\n`;
  return withFile("p.toml", text, async (path) => {
    const ran = await filter([path], [encode("a xy")]);
    assertEquals([ran.code, ran.stdout], [3, "a "]);
    assertStringIncludes(ran.stderr, "policy mine: rule x-rule at byte 3\n     No xylophones\n");
    assertStringIncludes(ran.stderr, "2 bytes were written");
  });
});

const RULES = JSON.stringify([
  { id: "hypotheticals", type: "deny_regex", pattern: "(?i)\\bwhat if\\b", description: "No ifs" },
  { id: "stories", type: "deny_regex", pattern: "(?i)once upon a time", description: "No tales" },
]);

Deno.test("a JSON list of rules is a policy as it is", () =>
  withFile("rules.json", RULES, async (path) => {
    const passed = await filter([path], [encode("What iffy weather, once upon a train")]);
    assertEquals([passed.code, passed.stderr], [0, ""]);
    const stopped = await filter([path, "--json"], [encode("Well: once upon a TIME there")]);
    assertEquals([stopped.code, stopped.stdout], [3, "Well: "]);
    assertEquals(JSON.parse(stopped.stderr), {
      ...{ policy: "rules", rule: "stories", description: "No tales" },
      ...{ offset: 21, start: 6, released: 6 },
    });
  }));

Deno.test("bytes come out while standard input is open, as soon as they are safe", async () => {
  const child = startVei(["filter", "hateless", ...STATE], { stdin: "piped" });
  const writer = child.stdin.getWriter();
  const reader = child.stdout.getReader();
  let read = "";
  const until = async (text: string) => {
    while (read.length < text.length) {
      const { value } = await reader.read();
      if (value === undefined) throw new Error(`ended after ${read}`);
      read += decode(value);
    }
    assertEquals(read, text);
  };
  await writer.write(encode("safe hat"));
  await until("safe ");
  // A byte that ends the match that was under way, and one that begins another.
  await writer.write(encode("s, h"));
  await until("safe hats, ");
  await writer.write(encode("i"));
  await until("safe hats, hi");
  await writer.write(encode(" hat"));
  await until("safe hats, hi ");
  await writer.close();
  await until("safe hats, hi hat");
  assertEquals((await child.status).code, 0);
  await reader.cancel();
  await child.stderr.cancel();
});

/** @returns a line of /proc/PID/status in bytes. */
async function memory(pid: number, line: "VmRSS" | "VmHWM"): Promise<number> {
  const text = await Deno.readTextFile(`/proc/${pid}/status`);
  return 1024 * Number(new RegExp(`^${line}:\\s+(\\d+) kB`, "m").exec(text)![1]);
}

Deno.test("a long stream: every byte of it, and no more memory than at its beginning", async () => {
  const seed = Number(Deno.env.get("VEI_SEED") ?? 20261130);
  const random = seeded(seed);
  // Full of beginnings of the word, so that something is held back at most cuts.
  const words = ["hat ", "ha", "h", "that hat; ", "HAT", "ha\u00e9", "water "];
  let text = "";
  while (text.length < 1 << 20) text += random.pick(words);
  const block = encode(text + " ");
  const blocks = 384;
  const child = startVei(["filter", "hateless", ...STATE], { stdin: "piped" });
  let early = 0;
  const writing = (async () => {
    const writer = child.stdin.getWriter();
    for (let i = 0; i < blocks; i++) {
      const cut = random.below(block.length);
      await writer.write(block.subarray(0, cut));
      await writer.write(block.subarray(cut));
      if (i === 32) early = await memory(child.pid, "VmHWM");
    }
    const most = await memory(child.pid, "VmHWM");
    await writer.close();
    return most;
  })();
  let received = 0;
  for await (const piece of child.stdout) {
    for (let at = 0; at < piece.length;) {
      const from = (received + at) % block.length;
      const length = Math.min(block.length - from, piece.length - at);
      const same = indexedEqual(piece.subarray(at, at + length), block.subarray(from));
      assert(same, `seed ${seed}: other bytes after ${received + at}`);
      at += length;
    }
    received += piece.length;
  }
  const most = await writing;
  assertEquals([(await child.status).code, received], [0, blocks * block.length]);
  await child.stderr.cancel();
  // 352 MiB later: what grows with the stream would have grown by more.
  assert(most - early < 96 << 20, `${early} bytes, then ${most}`);
  assert(most < 512 << 20, `${most}`);
});

/** Whether `part` is the beginning of `whole`. */
function indexedEqual(part: Uint8Array, whole: Uint8Array): boolean {
  for (let i = 0; i < part.length; i++) if (part[i] !== whole[i]) return false;
  return true;
}

Deno.test("where its reader has gone it ends quietly, and not as if all had passed", async () => {
  const child = startVei(["filter", "hateless", ...STATE], { stdin: "piped" });
  const writer = child.stdin.getWriter();
  await writer.write(encode("first"));
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  const ended = await (async () => {
    for (;;) await writer.write(encode("more and more. ".repeat(100)));
  })().catch((cause) => cause);
  assert(ended instanceof Deno.errors.BrokenPipe, `${ended}`);
  assertEquals((await child.status).code, 74);
  assertEquals(await new Response(child.stderr).text(), "");
});

Deno.test("errors leave standard output alone, in JSON too", async () => {
  const asked: [args: string[], code: number, name: string][] = [
    [["nosuch"], 78, "policy-unknown"],
    [["./nosuch.toml"], 78, "policy-unreadable"],
    [["nosuch.toml"], 78, "policy-unreadable"],
    [[], 64, "usage"],
    [["hateless", "open"], 64, "usage"],
    [["hateless", "--window"], 64, "usage"],
  ];
  for (const [args, code, name] of asked) {
    const plain = await filter(args, []);
    assertEquals([plain.code, plain.stdout], [code, ""], args.join(" "));
    assertStringIncludes(plain.stderr, `[${name}]`);
    const json = await filter([...args, "--json"], []);
    assertEquals([json.code, json.stdout], [code, ""], args.join(" "));
    assertEquals(JSON.parse(json.stderr).error.code, name);
  }
  await withFile("bad.toml", `${WHOLE}within = 0\n`, async (path) => {
    const { code, stderr } = await filter([path], []);
    assertEquals(code, 78);
    assertStringIncludes(stderr, `${path}:8:10: `);
  });
});

Deno.test("what cannot be read or written ends it with an error: exit 74", async () => {
  const [program, ...before] = veiCommand();
  const run = async (line: string) => {
    const { code, stderr } = await new Deno.Command("sh", {
      args: ["-c", line, "sh", program, ...before, "filter", "hateless", ...STATE],
      stdin: "null",
    }).output();
    return { code, stderr: decode(stderr) };
  };
  for (const line of ['"$@" < /', 'echo x | "$@" > /dev/full']) {
    const { code, stderr } = await run(line);
    assertEquals(code, 74, stderr);
    assertStringIncludes(stderr, "[stream-broken]");
  }
});

Deno.test("on a terminal no control character gets out; the verdict stands on its own line", async () => {
  const words = [...veiCommand(), "filter", "hateless", ...STATE].map((word) => `'${word}'`).join(
    " ",
  );
  const text = "\\033]0;title\\007a\\302\\2330m\\303\\251 b\\tc hate";
  const { code, stdout } = await new Deno.Command("script", {
    args: ["--quiet", "--return", "--command", `printf '${text}' | ${words}`, "/dev/null"],
    env: { TERM: "xterm", SHELL: "/bin/sh" },
    stdin: "null",
  }).output();
  assertEquals(code, 3);
  const [first, second] = decode(stdout).split("\r\n");
  assertEquals(first, "\ufffd]0;title\ufffda\ufffd0m\u00e9 b\tc ");
  assert(second.startsWith("vei: policy hateless: rule hate at byte "), second);
});

Deno.test("without rights, home, state, network or daemon", async () => {
  const nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
  const [program, ...before] = veiCommand();
  // Deno itself, where it is what runs, needs a folder for its cache.
  const env = { PATH: Deno.env.get("PATH")!, DENO_DIR: Deno.env.get("DENO_DIR") ?? "" };
  const own = await Deno.makeTempDir({ prefix: "vei-filter-" });
  try {
    await Deno.chmod(own, 0o755);
    const compiled = before.length === 0;
    if (compiled) await Deno.copyFile(program, `${own}/vei`);
    const child = new Deno.Command("unshare", {
      args: [
        "--net",
        ...(compiled ? [...nobody, `${own}/vei`] : [program, ...before]),
        ...["filter", "no-links", "--json"],
      ],
      ...{ env, clearEnv: true, stdin: "piped", stdout: "piped", stderr: "piped", cwd: "/" },
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(encode("see https://example.com/"));
    await writer.close();
    const { code, stdout, stderr } = await child.output();
    assertEquals([code, decode(stdout)], [3, "see "], decode(stderr));
    assertEquals(JSON.parse(decode(stderr)).policy, "no-links");
  } finally {
    await Deno.remove(own, { recursive: true });
  }
});

Deno.test("max_time ends it while it waits, with what was safe written", () => {
  const text = `${HEAD}[limits]\nmax_time = "2 s"\n[[forbid]]\nid = "w"\nwords = ["word"]\n`;
  return withFile("timed.toml", text, async (path) => {
    const child = startVei(["filter", path, "--json", ...STATE], { stdin: "piped" });
    const writer = child.stdin.getWriter();
    await writer.write(encode("a wor"));
    // Standard input stays open.
    const { code, stdout, stderr } = await child.output();
    assertEquals([code, decode(stdout)], [3, "a "]);
    assertEquals(JSON.parse(decode(stderr)), {
      ...{ policy: "mine", rule: "limit:max_time", offset: 5, start: 2, released: 2 },
    });
    await writer.abort().catch(() => {});
  });
});

Deno.test("--input: by the rules on input, without the limits on output", () => {
  const rule = '[[forbid]]\nid = "in"\nwords = ["ask"]\napplies_to = ["input"]\n';
  return withFile("in.toml", `${HEAD}[limits]\nmax_bytes = 4\n${rule}`, async (path) => {
    const asked = await filter([path, "--input", "--json"], [encode("may I ask?")]);
    assertEquals([asked.code, asked.stdout, JSON.parse(asked.stderr).rule], [3, "may I ", "in"]);
    const answered = await filter([path, "--json"], [encode("ask me")]);
    assertEquals([answered.code, answered.stdout], [3, "ask "]);
    assertEquals(JSON.parse(answered.stderr).rule, "limit:max_bytes");
  });
});

Deno.test("pipes that another process told the kernel not to wait on", async () => {
  const free = "fcntl($_, F_SETFL, fcntl($_, F_GETFL, 0) | O_NONBLOCK) for (*STDIN, *STDOUT);";
  const [program, ...before] = veiCommand();
  const line = `(sleep 0.3; head -c 3000000 /dev/zero | tr '\\0' x) | ` +
    `perl -MFcntl -e '${free} exec @ARGV' "$@" | (sleep 2; wc -c)`;
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: [
      "-o",
      "pipefail",
      "-c",
      line,
      "bash",
      program,
      ...before,
      "filter",
      "hateless",
      ...STATE,
    ],
    stdin: "null",
  }).output();
  assertEquals([code, decode(stdout).trim()], [0, "3000000"], decode(stderr));
});

Deno.test("a policy that is installed goes before a shipped one of its name", async () => {
  const wrap = [
    ...["unshare", "--mount", "sh", "-c"],
    'mkdir -p /etc/vei && mount -t tmpfs none /etc/vei && mkdir /etc/vei/policies && printf "$P" ' +
    '> /etc/vei/policies/hateless.toml && exec "$@"',
    "sh",
  ];
  const there = await Deno.stat("/etc/vei").then(() => true, () => false);
  try {
    const ran = await filter(["hateless"], [encode("I hate spite")], { wrap, env: { P: WHOLE } });
    assertEquals([ran.code, ran.stdout], [3, "I hate "], ran.stderr);
    const broken = await filter(["hateless"], [encode("I hate")], { wrap, env: { P: "x" } });
    assertEquals([broken.code, broken.stdout], [78, ""], broken.stderr);
    assertStringIncludes(broken.stderr, "/etc/vei/policies/hateless.toml:1:");
  } finally {
    if (!there) await Deno.remove("/etc/vei").catch(() => {});
  }
});
