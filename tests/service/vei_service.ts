/** VEI's service in a systemd world: the compiled program, the unit, a guest and a small model. */
import { DAEMON_USER, unitText } from "../../src/install/unit.ts";
import { layoutUnder, SERVICE } from "../../src/install/layout.ts";
import { JAIL_USER } from "../../enclave/jail.ts";
import { compiledProgram } from "../install/compiled.ts";
import { testState } from "../tools/state.ts";
import type { TinyModel } from "../tools/tiny_gguf.ts";
import { addTiny } from "../tools/tiny_model.ts";
import type { SystemdWorld } from "./systemd_world.ts";

/** Emulation: what the tests measure must not depend on the machine's /dev/kvm. */
export const CONFIG = '[policy]\ndefault = "hateless"\n[enclave]\naccel = "tcg"\n';

/** Puts in place by hand what an installation puts there. */
export async function install(world: SystemdWorld, model: TinyModel): Promise<void> {
  const layout = layoutUnder(world.path(""));
  await put(layout.config, CONFIG);
  await put(layout.unit, unitText());
  await Deno.mkdir(folderOf(layout.program), { recursive: true });
  await Deno.copyFile(await compiledProgram(), layout.program);
  for (const [name, id] of [[DAEMON_USER.name, DAEMON_USER.id], ["vei-vm", JAIL_USER]] as const) {
    await world.must(["groupadd", "--system", "--gid", String(id), name]);
    await world.must(["useradd", "--system", "--uid", String(id), "--gid", String(id), name]);
  }
  await putState(world, model);
  await world.must(["systemctl", "daemon-reload"]);
}

/** Puts the tests' guest image and a small model into the world's state folder. */
export async function putState(world: SystemdWorld, model: TinyModel): Promise<void> {
  const state = world.path("/var/lib/vei");
  await Deno.mkdir(`${state}/images`, { recursive: true, mode: 0o755 });
  const image = await Deno.realPath(`${await testState()}/images/current`);
  await copyTree(image, `${state}/images/${image.slice(image.lastIndexOf("/") + 1)}`);
  await Deno.symlink(image.slice(image.lastIndexOf("/") + 1), `${state}/images/current`);
  await addTiny(state, model);
}

/** Writes a file of the world, its folder too. */
export async function put(path: string, text: string): Promise<void> {
  await Deno.mkdir(folderOf(path), { recursive: true });
  await Deno.writeTextFile(path, text);
}

const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/"));

async function copyTree(from: string, to: string): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name } of Deno.readDir(from)) {
    await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

/** One answer of the API. */
export interface Answer {
  status: number;
  body: Record<string, unknown>;
  receipt: string;
}

/** Asks the daemon from inside the world, for an answer of so many tokens. */
export async function ask(world: SystemdWorld, maxTokens: number): Promise<Answer> {
  const request = { messages: [{ role: "user", content: "hello" }], max_tokens: maxTokens };
  const text = await world.must([
    ...["curl", "--silent", "--show-error", "--include", "--max-time", "170"],
    ...["--json", JSON.stringify(request), "http://127.0.0.1:8787/v1/chat/completions"],
  ]);
  const blank = text.indexOf("\r\n\r\n");
  return {
    status: Number(text.split(" ")[1]),
    body: JSON.parse(text.slice(blank)),
    receipt: /^vei-receipt: (\S+)/mi.exec(text)?.[1] ?? "",
  };
}

/**
 * Starts the service, which must become ready; on a machine that is so busy that no guest boots in
 * time, another time.
 * @returns after how many milliseconds.
 */
export async function start(world: SystemdWorld, tries = 3): Promise<number> {
  const begun = performance.now();
  const { code, stderr } = await world.run(["systemctl", "restart", SERVICE]);
  if (code === 0) return performance.now() - begun;
  const words = (await world.journal(SERVICE)).join("\n");
  const slow = words.slice(words.lastIndexOf("Starting ")).includes("[enclave-not-ready]");
  if (!slow || tries === 1) throw new Error(`${stderr}\n${words}`);
  await world.must(["systemctl", "stop", SERVICE]);
  await world.run(["systemctl", "reset-failed", SERVICE]);
  return await start(world, tries - 1);
}

/** Stops the service. @returns how long it took, in milliseconds. */
export async function stop(world: SystemdWorld): Promise<number> {
  const begun = performance.now();
  await world.must(["systemctl", "stop", SERVICE]);
  return performance.now() - begun;
}
