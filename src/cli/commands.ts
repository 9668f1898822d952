/** The command table: what `vei` can do, in the order of `--help`. */
import { command as ask } from "./ask.ts";
import type { Command } from "./command.ts";
import { command as demo } from "./demo.ts";
import { commands as diode } from "./diode.ts";
import { command as doctor } from "./doctor.ts";
import { commands as enclave } from "./enclave.ts";
import { add as modelAdd, list as modelList, use as modelUse } from "./model.ts";
import { commands as receipt } from "./receipt.ts";
import { command as serve } from "./serve.ts";
import { command as setup } from "./setup.ts";
import { command as status } from "./status.ts";
import { command as verify } from "./verify.ts";
import { command as version } from "./version.ts";

export const COMMANDS: readonly Command[] = [
  demo,
  setup,
  serve,
  modelList,
  modelAdd,
  modelUse,
  status,
  doctor,
  ...diode,
  ...enclave,
  ask,
  ...receipt,
  verify,
  version,
];
