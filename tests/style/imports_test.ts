/** Data flows one way: every import of the tree is one that the architecture allows. */
import { assertEquals } from "@std/assert";
import { sourceFiles } from "./files.ts";
import { importFaults } from "./imports.ts";

Deno.test("every import and every reserved name is where it belongs", () => {
  assertEquals(sourceFiles().flatMap(importFaults), []);
});

/** Path, text, and whether it is allowed. */
const SAMPLES: [path: string, text: string, allowed: boolean][] = [
  ["src/base/a.ts", `import { x } from "../policy/x.ts";`, false],
  ["src/policy/a.ts", `import { x } from "../base/x.ts";`, true],
  ["src/policy/a.ts", `import {\n  x,\n  type Y,\n} from "../automaton/x.ts";`, false],
  ["src/automaton/a.ts", `export * from "../bpf/x.ts";`, false],
  ["src/automaton/a.ts", `export { x } from "../bpf/x.ts";`, false],
  ["src/automaton/a.ts", `import type { X } from "../bpf/x.ts";`, false],
  ["src/automaton/a.ts", `const x = await import("../bpf/x.ts");`, false],
  ["src/automaton/a.ts", `import x from '../bpf/x.ts';`, false],
  ["src/automaton/a.ts", `import "../bpf/x.ts";`, false],
  ["src/automaton/a.ts", `import * as x from "../policy/x.ts";`, true],
  ["src/automaton/a.ts", `// import { x } from "../bpf/x.ts";`, true],
  ["src/automaton/a.ts", `import { x } from "./deeper/x.ts";`, true],
  ["src/automaton/deeper/a.ts", `import { x } from "../../bpf/x.ts";`, false],
  ["src/bpf/a.ts", `import { x } from "../automaton/x.ts";`, true],
  ["src/lens/a.ts", `import { x } from "../policy/x.ts";`, false],
  ["src/gate/a.ts", `import { x } from "../lens/x.ts";`, true],
  ["src/gate/a.ts", `import { x } from "../../ffi/x.ts";`, false],
  ["src/model/a.ts", `import { x } from "../gate/x.ts";`, false],
  ["src/receipt/a.ts", `import { x } from "../store/x.ts";`, false],
  ["src/store/a.ts", `import { x } from "../receipt/x.ts";`, true],
  ["src/host/a.ts", `import { x } from "../policy/x.ts";`, false],
  ["src/proof/a.ts", `import { x } from "./checker/x.ts";`, true],
  ["src/proof/checker/a.ts", `import { x } from "../x.ts";`, false],
  ["src/proof/checker/a.ts", `import type { X } from "../../policy/x.ts";`, true],
  ["src/proof/checker/a.ts", `import { x } from "../../policy/x.ts";`, false],
  ["src/api/a.ts", `import { x } from "../store/x.ts";`, true],
  ["src/api/a.ts", `import { x } from "../cli/x.ts";`, false],
  ["src/api/a.ts", `import { x } from "../../enclave/x.ts";`, false],
  ["src/install/a.ts", `import { x } from "../host/x.ts";`, true],
  ["src/install/a.ts", `import { x } from "../cli/x.ts";`, false],
  ["src/install/a.ts", `import { x } from "../../ffi/x.ts";`, false],
  ["src/cli/a.ts", `import { x } from "../../enclave/x.ts";`, true],
  ["ffi/a.ts", `import { x } from "../src/base/x.ts";`, true],
  ["ffi/a.ts", `import { x } from "../src/host/x.ts";`, false],
  ["diodes/a.ts", `import { x } from "../ffi/x.ts";`, true],
  ["diodes/a.ts", `import { x } from "../src/host/x.ts";`, false],
  ["enclave/a.ts", `import { x } from "../diodes/x.ts";`, false],
  ["enclave/a.ts", `import { x } from "../src/host/x.ts";`, true],
  ["web/a.tsx", `import type { X } from "../src/receipt/x.ts";`, true],
  ["web/a.tsx", `import { x } from "../src/receipt/verify.ts";`, true],
  ["web/a.tsx", `import { x } from "../src/receipt/log.ts";`, false],
  ["main.ts", `import { main } from "./src/cli/main.ts";`, true],
  ["main.ts", `import { x } from "./src/base/x.ts";`, false],
  ["src/base/a.ts", `import { x } from "../../tests/x.ts";`, false],
  ["src/base/a.ts", `import { x } from "/somewhere/x.ts";`, false],
  ["src/base/a.ts", `import x from "canonicalize";`, true],
  ["src/new/a.ts", `import { x } from "../base/x.ts";`, false],
  ["src/api/a.ts", `Deno.dlopen("libc.so.6", {});`, false],
  ["src/api/a.ts", `new Deno.UnsafePointerView(p);`, false],
  ["ffi/a.ts", `Deno.dlopen("libc.so.6", {}); Deno.UnsafePointer.of(b);`, true],
  ["enclave/a.ts", `new Deno.Command("ls");`, false],
  ["enclave/a.ts", `Deno\n  .Command`, false],
  ["src/host/run.ts", `new Deno.Command("ls");`, true],
  ["src/gate/a.ts", `await Deno.openKv(path);`, false],
  ["src/store/kv.ts", `await Deno.openKv(path);`, true],
  ["enclave/a.ts", `Deno.exit(1);`, false],
  ["enclave/a.ts", `console.error("no");`, false],
  ["src/cli/a.ts", `console.log("yes"); Deno.exit(0);`, true],
  ["enclave/a.ts", `/** Never calls Deno.exit. */ const url = "http://x"; // console.log`, true],
  ["enclave/a_test.ts", `console.log("a test"); import { x } from "../diodes/x.ts";`, true],
];

Deno.test("the rule tells good samples from bad ones", () => {
  for (const [path, text, allowed] of SAMPLES) {
    assertEquals(importFaults({ path, text }).length === 0, allowed, `${path}: ${text}`);
  }
});
