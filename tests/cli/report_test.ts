/** `vei doctor --report`: secrets planted wherever they could come from, and looked for in it. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { hex, sha256 } from "../../src/base/bytes.ts";
import { unbase64 } from "../../src/base/base64.ts";
import { openLibraries } from "../../ffi/native.ts";
import { defaultConfig } from "../../src/base/config.ts";
import { VeiError } from "../../src/base/errors.ts";
import { configPart, daemonPart, logPart, needsPart } from "../../src/cli/report_parts.ts";
import { cleaner } from "../../src/cli/report_clean.ts";
import { until } from "../tools/daemon.ts";
import { Practice } from "../tools/doctor.ts";
import { startVei } from "../tools/vei.ts";

openLibraries();

const PROMPT = "plantedprompt please", WORD = "plantedword", PERSON = "plantedperson";
const TOKEN = "tok-planted-0123456789abcdef", HOST = "plantedhost", SITE = "plantedsite.example";
/** Where Deno, run from the source, keeps its modules: it would be looked for at HOME. */
const CACHE = {
  DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`,
};
const SECRETS = [PROMPT, "plantedprompt", WORD, PERSON, TOKEN, HOST, SITE, "plantedsite"];

Deno.test("beside a daemon that was asked: nothing of keys, prompts, answers and names", async () => {
  await using practice = await Practice.open();
  const { instance: { name }, state, folder, config, port } = practice;
  const policy = `${folder}/${PERSON}.toml`;
  await Deno.writeTextFile(
    policy,
    `name="${PERSON}"\nversion="1"\ndescription="${PERSON}"\n[[forbid]]\nid="x"\nwords=["${WORD}"]\n`,
  );
  practice.configure(
    `[policy]\ndefault = "${policy}"\n[enclave]\nmodel = "${PERSON}"\ncontext = 300\n`,
    `hosts = ["localhost", "127.0.0.1", "${SITE}"]`,
  );
  const common = ["--instance", name, "--state", state, "--config", config];
  const daemon = startVei(["serve", "--model", "mock", ...common]);
  const said = [daemon.stdout, daemon.stderr].map((stream) => new Response(stream).text());
  const path = `${folder}/report.json`;
  try {
    const base = `http://127.0.0.1:${port}`;
    await until("the daemon", () => fetch(`${base}/api/status`).then((a) => a.text(), () => null));
    const body = JSON.stringify({ messages: [{ role: "user", content: PROMPT }], max_tokens: 20 });
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${base}/v1/chat/completions`, { method: "POST", headers, body });
    const output: string = (await answer.json()).choices[0].message.content;
    assert(output.length > 8, output);

    const wrap = ["unshare", "--uts", "sh", "-c", `hostname ${HOST} && exec "$@"`, "sh"];
    const env = { VEI_PLANTED_TOKEN: TOKEN, SUDO_USER: PERSON, HOME: `/home/${PERSON}`, ...CACHE };
    const ran = await practice.run(["--report", path], { wrap, env });
    assertEquals(ran.code, 0, ran.stderr);
    assertMatch(ran.stdout, new RegExp(`^Wrote ${path}\\. In it:\n`));
    assertMatch(ran.stdout, /Read it before you send it/);

    const text = await Deno.readTextFile(path);
    const pem = (await Deno.readTextFile(`${state}/node.key`)).split("\n");
    const key = pem.filter((line) => line !== "" && !line.startsWith("-"));
    const bytes = unbase64(key.join(""));
    const receipts = await Deno.readTextFile(`${state}/receipts.log`);
    const ids = [...receipts.matchAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g)].map(([id]) =>
      id
    );
    const planted = [
      ...SECRETS,
      ...[output, ...ids, ...key, hex(bytes.slice(-32)), await sha256(bytes)],
      ...[folder, state, policy, answer.headers.get("vei-receipt")!],
    ];
    for (const secret of planted) assert(!text.includes(secret), `${secret} is in the report`);

    const report = JSON.parse(text);
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
    assertEquals(report.daemon.phase, "ready");
    assertEquals(report.daemon.receipts >= 1, true);
    assertEquals(report.state.receipts.lines, receipts.trim().split("\n").length);
    assertEquals(report.state.key, "there, mode 600");
    assertEquals(report.config.enclave.context, 300);
    assertEquals(report.config.policy.default, "(changed, not shown)");
    assert(report.doctor.needs.length > 30);
    assertMatch(report.machine.kernel, /^\d+\.\d+/);

    const again = await practice.run(["--report", path], { wrap, env });
    assertEquals(again.code, 73, again.stderr);
    assertMatch(again.stderr, /is there already \[report-exists\]/);
    assertEquals(await Deno.readTextFile(path), text);
  } finally {
    daemon.kill("SIGTERM");
    assertEquals((await daemon.status).code, 0, (await Promise.all(said)).join("\n"));
  }
});

const clean = cleaner({ names: [HOST], values: [TOKEN], places: [], addresses: [] });

function assertClean(value: unknown): void {
  const text = JSON.stringify(value);
  for (const secret of SECRETS) assert(!text.includes(secret), text);
}

Deno.test("a configuration that is not understood: not a word of it", () => {
  const fault = new VeiError({
    ...{ code: "config-invalid", exit: 78 },
    message: `/etc/vei/vei.toml: unknown key api.${WORD}`,
    hint: `now: "${TOKEN}"`,
  });
  const need = { id: "config", group: "config", wanted: "w", result: "no", needed: true } as const;
  const part = needsPart([{ ...need, found: fault.message, mend: fault.hint }], fault, clean);
  assertClean(part);
  assertMatch(part[0].found, /^config-invalid /);
});

Deno.test("a key that the schema may get one day is not shown unless it is harmless", () => {
  const config = { ...defaultConfig(), store: { url: TOKEN, keep: 7, on: true } };
  const odd = { ...config, api: { ...config.api, max_queue: 5, hosts: [SITE] } };
  const part = configPart(odd as ReturnType<typeof defaultConfig>);
  assertClean(part);
  assertEquals(part.store, { url: "(changed, not shown)", keep: 7, on: true });
  assertEquals(part.api.max_queue, 5);
});

Deno.test("a log that somebody else wrote into, and a status with words of a guest", () => {
  const lines = [
    JSON.stringify({
      time: "2026-01-01T00:00:00.000Z",
      level: "info",
      message: "tap up behind the diode",
    }),
    JSON.stringify({ time: PROMPT, level: WORD, message: `said ${PROMPT}`, [WORD]: TOKEN }),
    `panic: ${PROMPT}`,
    JSON.stringify([PROMPT]),
    "null",
  ];
  const log = logPart(lines.join("\n"), clean);
  assertClean(log);
  assertEquals(log.length, 5);
  assertEquals(log[0], {
    ...{ time: "2026-01-01T00:00:00.000Z", level: "info", message: "tap up behind the diode" },
  });
  const event = { id: 1, time: PROMPT, kind: WORD, message: `${PROMPT} ${TOKEN}` };
  // deno-lint-ignore no-explicit-any
  const status: any = {
    ...{
      phase: WORD,
      version: `1 ${HOST}`,
      started: PROMPT,
      receipts: PROMPT,
      policy: { sha256: WORD },
    },
    diode: {
      adopted: WORD,
      digests: { table: TOKEN },
      counters: { [`${PROMPT}!`]: 1, pass: WORD },
    },
    enclave: { accel: WORD, accelReason: PROMPT, image: TOKEN, model: PERSON, modelDigest: TOKEN },
    events: [event],
  };
  assertClean(daemonPart(status, clean));
});
