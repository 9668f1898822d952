/** Which shipped diodes can stand before the enclave's own model server, and what the others refuse. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { VeiError } from "../src/base/errors.ts";
import type { LinkRules } from "../src/bpf/layout.ts";
import { decide } from "../src/automaton/dfa.ts";
import { compilePredicate } from "../src/automaton/compile.ts";
import { compileDiode, shippedDiode, shippedDiodes } from "./plan.ts";
import { refusedOfServer, requireFit } from "./preflight.ts";
import recorded from "./recorded/model_server.json" with { type: "json" };

const RULES: LinkRules = {
  hostMac: "02:00:00:00:00:01",
  guestMac: "02:00:00:00:00:02",
  hostIp: "172.30.0.1",
  guestIp: "172.30.0.11",
  guestPort: 8080,
  maxFrame: 1514,
};

const shipped = (name: string) => compileDiode(shippedDiode(name), `${name}.toml`, RULES);
const own = (predicate: string) =>
  compileDiode(
    `name = "own"\ndescription = "d"\nscope = "packet"\npredicate = '''${predicate}'''\n`,
    "own.toml",
    RULES,
  );

/** What each shipped diode refuses; null: nothing. */
const REFUSED: Record<string, string | null> = {
  text: null,
  hateless: null,
  utf8: null,
  minimal: 'byte 16, CR, of the model server\'s greeting, after "HTTP/1.1 200 OK"',
  printable16: 'byte 16, CR, of the model server\'s greeting, after "HTTP/1.1 200 OK"',
  printable64: 'byte 16, CR, of the model server\'s greeting, after "HTTP/1.1 200 OK"',
  json_start: 'byte 1, "H", of the model server\'s greeting',
  json_prefix: 'byte 1, "H", of the model server\'s greeting',
  closed: 'byte 1, "H", of the model server\'s greeting',
  // See the next test: the place depends on how long the headers are.
  json: "",
};

Deno.test("each shipped diode: fit for the enclave, or the byte that it refuses", async (t) => {
  assertEquals(Object.keys(REFUSED).toSorted(), shippedDiodes().toSorted());
  for (const [name, refused] of Object.entries(REFUSED)) {
    await t.step(name, async () => {
      const plan = await shipped(name);
      if (refused === null) return requireFit(plan);
      const error = assertThrows(() => requireFit(plan), VeiError);
      assertEquals([error.code, error.exit], ["diode-unfit", 78]);
      if (refused !== "") assertEquals(error.message, `\`${name}\` refuses ${refused}`);
    });
  }
});

Deno.test("JSON three deep is refused where the answer opens its third bracket", async () => {
  const refusal = refusedOfServer((await shipped("json")).judgement)!;
  const said = String.fromCharCode(...refusal.payload.subarray(0, refusal.offset + 1));
  assertEquals([refusal.part, refusal.packet], ["streamed answer", 2]);
  assert(said.endsWith('data: {"choices":[{'), said);
});

Deno.test("what only a later packet, or a packet's end, or joined packets break, is told as such", async () => {
  const message = async (predicate: string) => {
    const plan = await own(predicate);
    return assertThrows(() => requireFit(plan), VeiError).message;
  };
  const { greeting } = recorded;
  assertEquals(
    await message("size > 5000"),
    `\`own\` refuses the end, after ${greeting[0].length} bytes, of the model server's greeting`,
  );
  assertMatch(
    await message('not contains "[DONE]"'),
    /refuses byte \d+, "\]", of the model server's streamed answer in its packet \d+, after ".*\[DONE"$/,
  );
  assertMatch(
    await message("size < 1400"),
    /refuses byte 1400, .*, of the model server's streamed answer when its packets are joined, after/,
  );
  assertMatch(await message("not contains 'x'".replaceAll("'", '"')), /refuses byte \d+, "x", of/);
});

Deno.test("the recording is of HTTP with its line ends, and each packet judged by itself", async () => {
  const { greeting, loading, streamed } = recorded;
  assert(loading[0].startsWith("HTTP/1.1 503 Service Unavailable\r\n"), loading[0]);
  for (const packets of [greeting, streamed]) {
    assert(packets[0].startsWith("HTTP/1.1 200 OK\r\n"), packets[0]);
    // deno-lint-ignore no-control-regex
    for (const packet of packets) assert(/^[\x00-\x7f]{1,1460}$/.test(packet));
  }
  assert(streamed.length > 3 && streamed.at(-1)!.endsWith("0\r\n\r\n"));
  // The plain automaton of the predicate says the same as the judgement that is asked.
  const { file } = await shipped("minimal");
  const bytes = new TextEncoder().encode(greeting[0]);
  assertEquals(decide(compilePredicate(file.predicate), bytes), { accepted: false, offset: 15 });
});
