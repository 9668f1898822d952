/** The command table: what `vei` can do, in the order of `--help`. */
import type { Command } from "./command.ts";
import { command as demo } from "./demo.ts";
import { commands as diode } from "./diode.ts";
import { command as doctor } from "./doctor.ts";
import { commands as enclave } from "./enclave.ts";
import { add as modelAdd, list as modelList, use as modelUse } from "./model.ts";
import { command as serve } from "./serve.ts";
import { command as setup } from "./setup.ts";
import { command as status } from "./status.ts";
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
  version,
];
