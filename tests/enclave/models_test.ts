/** Models: where they come from, what is refused, and that a failure changes nothing. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { sha256 } from "../../src/base/bytes.ts";
import { Exit, VeiError } from "../../src/base/errors.ts";
import { type ModelOrigin, SMOLLM2 } from "../../enclave/model_source.ts";
import { listModels, modelByName, useModel } from "../../enclave/models.ts";
import { silentProgress } from "../../enclave/progress.ts";
import { addModel } from "../../enclave/setup.ts";
import { openLibraries } from "../../ffi/native.ts";
import { readFromZip } from "../../enclave/wheel.ts";
import { tinyGguf } from "../tools/tiny_gguf.ts";
import { snapshot, testState, withFolder } from "./setup_support.ts";

const TINY = tinyGguf();
// Before any test: Deno counts a library that is opened in a test as a leak.
openLibraries();

const quiet = silentProgress();

/** @returns the error that `body` throws. */
async function failure(body: () => Promise<unknown>): Promise<VeiError> {
  return await assertRejects(body, VeiError);
}

/** Gives `body` a state folder with the model `one`, and the model's file. */
async function withModel(body: (state: string, file: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const file = `${folder}/one.gguf`;
    await Deno.writeFile(file, TINY);
    const state = `${folder}/state`;
    await addModel(state, { name: "one", from: file }, quiet);
    await body(state, file);
  });
}

/** Serves answers by path on a loopback port. */
async function withServer(
  answers: Record<string, () => Response>,
  body: (base: string) => Promise<void>,
): Promise<void> {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => answers[new URL(request.url).pathname]?.() ?? new Response("no", { status: 404 }),
  );
  try {
    await body(`http://127.0.0.1:${server.addr.port}`);
  } finally {
    await server.shutdown();
  }
}

Deno.test("a file becomes a model, the first one the default", async () => {
  await withModel(async (state, file) => {
    const one = await modelByName(state, "one", { check: true });
    assertEquals([one.digest, one.size], [await sha256(TINY), TINY.length]);
    assertEquals(await Deno.readFile(one.path), TINY);
    assertEquals((await modelByName(state, "default")).name, "one");
    await Deno.writeFile(file, tinyGguf({ seed: 2 }));
    const two = await addModel(state, { name: "two", from: file }, quiet);
    assert(two.digest !== one.digest);
    assertEquals((await modelByName(state, "default")).name, "one");
    await useModel(state, "two");
    assertEquals((await modelByName(state, "default")).name, "two");
    const listed = await listModels(state);
    assertEquals([listed.default, listed.models.map(({ name }) => name)], ["two", ["one", "two"]]);
  });
});

Deno.test("no model is an error that names set-up", async () => {
  await withFolder(async (state) => {
    for (const name of ["default", "one", "__proto__", "constructor"]) {
      const error = await failure(() => modelByName(state, name));
      assertEquals([error.code, error.exit], ["model-unknown", Exit.config]);
      assert(error.hint.includes("vei setup"));
    }
    assertEquals(await listModels(state), { default: null, models: [] });
  });
});

Deno.test("a model's file that is gone, cut or changed is found", async () => {
  await withModel(async (state) => {
    const { path } = await modelByName(state, "one");
    const changed = TINY.slice();
    changed[TINY.length >> 1] ^= 1;
    await Deno.writeFile(path, changed);
    await modelByName(state, "one");
    const damaged = await failure(() => modelByName(state, "one", { check: true }));
    assertEquals([damaged.code, damaged.exit], ["model-damaged", Exit.config]);
    await Deno.truncate(path, 100);
    assertEquals((await failure(() => modelByName(state, "one"))).code, "model-damaged");
    await Deno.remove(path);
    assertEquals((await failure(() => modelByName(state, "one"))).code, "model-missing");
  });
});

Deno.test("an index that is torn or of another form is refused", async () => {
  await withModel(async (state) => {
    const path = `${state}/models/index.json`;
    const text = await Deno.readTextFile(path);
    const wrong = [
      text.slice(0, -4),
      "null",
      text.replace('"format": 1', '"format": 2'),
      text.replace(/"digest": "../, '"digest": "/.'),
    ];
    for (const other of wrong) {
      await Deno.writeTextFile(path, other);
      const error = await failure(() => modelByName(state, "one"));
      assertEquals([error.code, error.exit], ["models-unreadable", Exit.config]);
    }
  });
});

Deno.test("what is no model changes nothing", async () => {
  await withModel(async (state, file) => {
    const before = await snapshot(`${state}/models`);
    const wrong: [string, ModelOrigin][] = [
      ["model-name", { name: "../x", from: file }],
      ["model-name", { name: "default", from: file }],
      ["model-unavailable", { name: "x", from: `${file}.gone` }],
      ["model-unavailable", { name: "x", from: state }],
      ["model-digest", { name: "x", from: file, sha256: "00".repeat(32) }],
      ["model-format", { name: "x", from: `${state}/models/index.json` }],
      ["model-format", { name: "x", from: "/dev/null" }],
      ["usage", { name: "x", from: file, sha256: "abc" }],
      ["usage", { name: "x", from: "https://localhost/x.gguf" }],
    ];
    for (const [code, origin] of wrong) {
      assertEquals((await failure(() => addModel(state, origin, quiet))).code, code);
    }
    assertEquals(await snapshot(`${state}/models`), before);
    assertEquals([...Deno.readDirSync(`${state}/setup`)].map((entry) => entry.name), ["lock"]);
  });
});

Deno.test("a URL is followed, within reason", async () => {
  const digest = await sha256(TINY);
  const to = (location: string) => () => new Response(null, { status: 302, headers: { location } });
  await withServer({
    "/model": () => new Response(TINY),
    "/moved": to("/model"),
    "/loop": to("/loop"),
    "/file": to("file:///etc/passwd"),
    "/huge": () =>
      new Response(new Uint8Array(1), { headers: { "content-length": "1" + "0".repeat(14) } }),
    "/cut": () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            controller.enqueue(TINY.subarray(0, 1000));
            controller.error(new Error("cut"));
          },
        }),
      ),
  }, async (base) => {
    await withFolder(async (state) => {
      const add = (path: string, sha = digest) =>
        addModel(state, { name: "x", from: base + path, sha256: sha }, quiet);
      for (const path of ["/loop", "/file", "/gone", "/cut"]) {
        assertEquals((await failure(() => add(path))).code, "model-unavailable", path);
      }
      assertEquals((await failure(() => add("/model", "00".repeat(32)))).code, "model-digest");
      assertEquals(await listModels(state), { default: null, models: [] });
      assertEquals((await add("/moved")).digest, digest);
      await modelByName(state, "x", { check: true });
    });
  });
});

Deno.test("archives: stored, compressed, with a comment, and damaged ones", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/a.whl`;
    const python = `
import zipfile
with zipfile.ZipFile("a.whl", "w") as z:
    z.writestr("stored", b"abc" * 100000, zipfile.ZIP_STORED)
    z.writestr("deflated", b"abc" * 100000, zipfile.ZIP_DEFLATED)
    z.writestr("empty", b"")
    z.writestr("packed", b"abc" * 1000, zipfile.ZIP_BZIP2)
    z.comment = b"PK\\x05\\x06 is how an end begins"
`;
    const made = await new Deno.Command("python3", { args: ["-c", python], cwd: folder }).output();
    assert(made.success);
    const read = async (name: string) => {
      const stream = await readFromZip(path, name);
      return await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).text();
    };
    assertEquals(await read("stored"), "abc".repeat(100000));
    assertEquals(await read("deflated"), "abc".repeat(100000));
    assertEquals(await read("empty"), "");
    await assertRejects(() => read("packed"), SyntaxError, "compression");
    await assertRejects(() => read("gone"), Deno.errors.NotFound);
    const bytes = await Deno.readFile(path);
    await Deno.writeFile(path, bytes.subarray(0, bytes.length - 60));
    await assertRejects(() => read("stored"), SyntaxError);
    await Deno.writeFile(path, new Uint8Array(10));
    await assertRejects(() => read("stored"), SyntaxError);
  });
});

Deno.test("the model that set-up brought is the pinned one", async () => {
  const state = testState();
  const model = await modelByName(state, SMOLLM2.name, { check: true });
  assertEquals([model.digest, model.size], [SMOLLM2.sha256, SMOLLM2.size]);
});
