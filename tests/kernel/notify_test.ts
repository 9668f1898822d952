/** Notices over a real socket of either kind, read by another program. */
import { assertEquals, assertThrows } from "@std/assert";
import { openLibraries } from "../../ffi/native.ts";
import { NotifySocket } from "../../ffi/notify.ts";

openLibraries();

const LISTEN = String.raw`
import socket, sys
name = sys.argv[1]
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
    s.bind("\0" + name[1:] if name[0] == "@" else name)
    print("bound", flush=True)
    print(s.recv(4096).decode(), end="", flush=True)
`;

async function heard(name: string, send: () => void): Promise<string> {
  const child = new Deno.Command("python3", { args: ["-c", LISTEN, name], stdout: "piped" })
    .spawn();
  const words = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let sent = false;
  for (let part = await words.read(); !part.done; part = await words.read()) {
    text += part.value;
    if (!sent && text === "bound\n") send();
    sent ||= text === "bound\n";
  }
  await child.status;
  return text.replace("bound\n", "");
}

Deno.test("what is told arrives, by a path and by an abstract name", async () => {
  const folder = await Deno.makeTempDir({ prefix: "vei-notify-" });
  try {
    for (const name of [`${folder}/notify`, `@vei-${crypto.randomUUID()}`]) {
      using socket = NotifySocket.open(name)!;
      const text = await heard(name, () => {
        assertEquals(socket.send({ READY: "1", STATUS: "two\nlines" }), null);
      });
      assertEquals(text, "READY=1\nSTATUS=two lines\n");
    }
    using nobody = NotifySocket.open(`${folder}/nobody`)!;
    assertEquals(nobody.send({ READY: "1" }), "ENOENT");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("without a name nobody is told; what is no address is refused", () => {
  assertEquals(NotifySocket.open(undefined), null);
  assertEquals(NotifySocket.open(""), null);
  for (const name of ["relative", "@", `/${"x".repeat(120)}`]) {
    assertThrows(() => NotifySocket.open(name), RangeError);
  }
});
