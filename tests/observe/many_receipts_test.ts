/** A start that has many receipts to check says how far it is: a service manager waits for it. */
import { assert, assertEquals } from "@std/assert";
import { addReceipts } from "../tools/many_receipts.ts";
import { PlainPlace } from "../tools/plain_daemon.ts";

/** Prints what is told, as one line of JSON for each message, until the daemon is ready. */
const LISTEN = String.raw`
import json, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
    s.bind("\0" + sys.argv[1][1:])
    s.settimeout(120)
    print("bound", flush=True)
    while True:
        text = s.recv(4096).decode()
        print(json.dumps(text), flush=True)
        if "READY=1" in text.split("\n"):
            break
`;

Deno.test("a thousand receipts are told of before the daemon is ready, with more time to start", async () => {
  await using place = new PlainPlace();
  const { state } = place.instance;
  await Deno.mkdir(state, { mode: 0o700 });
  await addReceipts(state, 1100);

  const name = `@vei-${crypto.randomUUID()}`;
  const listener = new Deno.Command("python3", { args: ["-c", LISTEN, name], stdout: "piped" })
    .spawn();
  let heard = "";
  for await (const text of listener.stdout.pipeThrough(new TextDecoderStream())) {
    heard += text;
    if (heard === "bound\n") place.start("mock", { env: { NOTIFY_SOCKET: name } });
  }
  await listener.status;
  const [, ...told] = heard.trim().split("\n").map((line, n) => n === 0 ? line : JSON.parse(line));
  assertEquals(
    told[0],
    "STATUS=checking the receipts: 1024 so far\nEXTEND_TIMEOUT_USEC=90000000\n",
  );
  assert(told.at(-1).startsWith("READY=1\n"), told.at(-1));

  assertEquals((await place.list()).length, 1100);
  await place.stop();
});
