/** Cold boot of the real guest to ready, and to the first token, as the demonstration measures it. */
import { testState } from "../tools/state.ts";
import { vei } from "../tools/vei.ts";

const { code, stdout, stderr } = await vei(["demo", "--json", "--state", await testState()], {
  timeoutMs: 600_000,
});
if (code !== 0) throw new Error(`vei demo ended with ${code}: ${stderr.slice(-2000)}`);
for (const [name, value] of Object.entries(JSON.parse(stdout).measured)) {
  console.log(`${name}: ${value}`);
}
