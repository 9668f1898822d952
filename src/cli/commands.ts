/** The command table: what `vei` can do, in the order of `--help`. */
import type { Command } from "./command.ts";
import { commands as diode } from "./diode.ts";
import { command as doctor } from "./doctor.ts";
import { commands as enclave } from "./enclave.ts";
import { add as modelAdd, list as modelList, use as modelUse } from "./model.ts";
import { command as setup } from "./setup.ts";
import { command as status } from "./status.ts";
import { command as version } from "./version.ts";

export const COMMANDS: readonly Command[] = [
  setup,
  modelList,
  modelAdd,
  modelUse,
  status,
  doctor,
  ...diode,
  ...enclave,
  version,
];
