import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { PlainPlace } from "../tools/plain_daemon.ts";
import { vei, veiCommand } from "../tools/vei.ts";

/** Runs a command on a terminal of 80 by 24. @returns its exit code and what the terminal got. */
async function onTerminal(
  place: PlainPlace,
  args: string[],
  { env = {}, before = "" }: { env?: Record<string, string>; before?: string } = {},
): Promise<{ code: number; text: string }> {
  const words = [...veiCommand(), ...args, ...place.words].map((word) => `'${word}'`).join(" ");
  // Standard error apart: what is told there is not on the screen.
  const line = `stty cols 80 rows 24; exec ${before} ${words} 2>/dev/null`;
  const { code, stdout } = await new Deno.Command("script", {
    args: ["--quiet", "--return", "--command", line, "/dev/null"],
    env: { TERM: "xterm", SHELL: "/bin/sh", ...env },
    stdin: "null",
  }).output();
  return { code, text: new TextDecoder().decode(stdout) };
}

// deno-lint-ignore no-control-regex
const plain = (text: string) => text.replace(/\u001b\[[?\d;]*[A-Za-z]/g, "").replaceAll("\r", "");

Deno.test("status: one screen on a terminal, coloured unless NO_COLOR is set; plain elsewhere", async () => {
  await using place = new PlainPlace();
  const daemon = await place.serve("mock");
  for (let i = 0; i < 30; i++) await (await daemon.ask(false)).text();

  const terminal = await onTerminal(place, ["status"], { env: { NO_COLOR: "" } });
  assertEquals(terminal.code, 0, terminal.text);
  assertStringIncludes(terminal.text, "\x1b[32mready\x1b[0m");
  const lines = plain(terminal.text).trimEnd().split("\n");
  assertEquals(lines.length, 23, terminal.text);
  for (const line of lines) assert([...line].length <= 80, line);
  assertStringIncludes(lines[1], `http://${daemon.listen}/`);
  assert(lines.some((line) => /^receipts +30$/.test(line)), terminal.text);
  assertStringIncludes(lines.at(-1)!, "completed (stop)");

  const grey = await onTerminal(place, ["status"], { env: { NO_COLOR: "1" } });
  assert(!grey.text.includes("\x1b"), grey.text);
  const piped = await vei(["status", ...place.words], { env: { NO_COLOR: "" } });
  assertEquals([piped.code, piped.stderr], [0, ""]);
  assert(!piped.stdout.includes("\x1b") && piped.stdout.includes("ready, pid"), piped.stdout);
  const json = JSON.parse((await vei(["status", "--json", ...place.words])).stdout);
  assertEquals([json.daemon.phase, json.daemon.receipts], ["ready", 30]);
  await place.stop();
});

Deno.test("status --watch redraws, sees the daemon go, and leaves the terminal as it was", async () => {
  await using place = new PlainPlace();
  const daemon = await place.serve("mock");
  const watching = onTerminal(place, ["status", "--watch"], {
    before: "timeout --foreground --preserve-status --signal INT 6",
  });
  await new Promise((resolve) => setTimeout(resolve, 3000));
  await daemon.end("SIGTERM");
  const { code, text } = await watching;
  assertEquals(code, 0, text);
  assert(text.startsWith("\x1b[?1049h\x1b[?25l") && text.endsWith("\x1b[?25h\x1b[?1049l"), text);
  const screens = text.split("\x1b[H").slice(1).map(plain);
  assert(screens.length >= 4, text);
  assertStringIncludes(screens[0], "ready, pid");
  assertStringIncludes(screens.at(-1)!, "not running");
  for (const screen of screens) assert(screen.split("\n").length <= 24, screen);
});

Deno.test("status --watch wants a terminal", async () => {
  await using place = new PlainPlace();
  for (const args of [["status", "--watch"], ["status", "-w", "--json"]]) {
    const { code, stderr } = await vei([...args, ...place.words]);
    assertEquals(code, 64);
    assertStringIncludes(stderr, "--watch needs a terminal");
  }
});
