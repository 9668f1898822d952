/** Looking with another user's eyes changes one thread, for one look. */
import { assertEquals, assertThrows } from "@std/assert";
import { asUser } from "../../ffi/identity.ts";
import { openLibraries } from "../../ffi/native.ts";

openLibraries();

const OTHER = 64321;
const field = (path: string, name: string) =>
  new RegExp(`^${name}:\\s*(.*)$`, "m").exec(Deno.readTextFileSync(path))![1];
const here = () => ["Uid", "Gid", "CapEff"].map((name) => field("/proc/thread-self/status", name));
/** Owned by root, whoever runs it, once a process is hidden from its own user's others. */
const ownerOfSelf = () => Deno.statSync(`/proc/${Deno.pid}/exe`).uid;

Deno.test("the thread is the other user, without capabilities, and then itself again", () => {
  const [before, owner] = [here(), ownerOfSelf()];
  const [uid, gid, effective] = asUser(OTHER, here);
  assertEquals(uid.split("\t")[1], String(OTHER));
  assertEquals(gid.split("\t")[1], String(OTHER));
  assertEquals(BigInt(`0x${effective}`), 0n);
  assertEquals([here(), ownerOfSelf()], [before, owner]);
});

Deno.test("no other thread changes", () => {
  const own = Deno.readLinkSync("/proc/thread-self").split("/").at(-1);
  const others = asUser(OTHER, () =>
    [...Deno.readDirSync("/proc/self/task")]
      .filter(({ name }) => name !== own)
      .map(({ name }) => field(`/proc/self/task/${name}/status`, "Uid")));
  const [main] = others;
  assertEquals(others.some((uid) => uid.includes(String(OTHER))), false, main);
});

Deno.test("it is itself again when the work throws, too", () => {
  const before = here();
  assertThrows(() =>
    asUser(OTHER, () => {
      throw new RangeError("work");
    }), RangeError);
  assertEquals(here(), before);
});
