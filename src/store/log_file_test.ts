import { assertEquals, assertRejects } from "@std/assert";
import { VeiError } from "../base/errors.ts";
import { LogFile } from "./log_file.ts";

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "vei-log-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const texts = async (log: LogFile, from?: number) =>
  (await Array.fromAsync(log.lines(from))).map((line) => line.text);

Deno.test("lines are read back in order, from any offset, after a restart too", () =>
  inFolder(async (folder) => {
    const path = `${folder}/log`;
    const offsets: number[] = [];
    {
      await using log = await LogFile.open(path);
      for (let i = 0; i < 5; i++) offsets.push(await log.append(`line ${i} é€😀`));
    }
    await using log = await LogFile.open(path);
    offsets.push(await log.append("last"));
    assertEquals((await texts(log)).length, 6);
    assertEquals(await texts(log, offsets[4]), ["line 4 é€😀", "last"]);
    assertEquals((await Array.fromAsync(log.lines())).map((line) => line.offset), offsets);
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
  }));

Deno.test("a thousand at once keep their order", () =>
  inFolder(async (folder) => {
    await using log = await LogFile.open(`${folder}/log`);
    const wanted = Array.from({ length: 1000 }, (_, i) => `${i} ${"x".repeat(i % 97)}`);
    const offsets = await Promise.all(wanted.map((text) => log.append(text)));
    assertEquals(await texts(log), wanted);
    assertEquals(offsets, offsets.toSorted((a, b) => a - b));
  }));

Deno.test("a last line that a crash tore is cut, whole ones stay, for every place of the tear", () =>
  inFolder(async (folder) => {
    const path = `${folder}/log`;
    const whole = "first\nsecond\n";
    for (let length = 0; length <= whole.length; length++) {
      await Deno.writeTextFile(path, whole.slice(0, length));
      await using log = await LogFile.open(path);
      const kept = whole.slice(0, length).split("\n").slice(0, -1);
      assertEquals(await texts(log), kept);
      assertEquals(log.torn, length - kept.join("\n").length - (kept.length > 0 ? 1 : 0));
      await log.append("next");
      assertEquals(await texts(log), [...kept, "next"]);
    }
  }));

Deno.test("a torn line longer than the reader's buffer is cut", () =>
  inFolder(async (folder) => {
    const path = `${folder}/log`;
    await Deno.writeTextFile(path, "whole\n" + "x".repeat(200_000));
    await using log = await LogFile.open(path);
    assertEquals(await texts(log), ["whole"]);
    assertEquals(log.torn, 200_000);
  }));

Deno.test("a full disk refuses the line, keeps the earlier ones whole, and takes no more", () =>
  inFolder(async (folder) => {
    const mounted = await new Deno.Command("mount", {
      args: ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder],
    }).output();
    assertEquals(mounted.code, 0, "this test needs root, to mount a small tmpfs");
    try {
      const path = `${folder}/log`;
      {
        await using log = await LogFile.open(path);
        await log.append("kept");
        const error = await assertRejects(() => log.append("x".repeat(100_000)), VeiError);
        assertEquals([error.code, error.exit], ["log-unwritable", 74]);
        await assertRejects(() => log.append("small"), VeiError);
        assertEquals(await texts(log), ["kept"]);
      }
      assertEquals(await Deno.readTextFile(path), "kept\n");
    } finally {
      await new Deno.Command("umount", { args: [folder] }).output();
    }
  }));

Deno.test("a line end inside a line is refused", () =>
  inFolder(async (folder) => {
    await using log = await LogFile.open(`${folder}/log`);
    await assertRejects(async () => await log.append("a\nb"), TypeError);
  }));
